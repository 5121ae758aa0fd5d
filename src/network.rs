//! Networks as plain data: what their layers are, and all that follows from that.

mod error;
mod file;
mod kind;
mod nearest;
mod parse;
pub mod plan;
mod preset;
mod print;
mod pytorch;
pub mod spec;

pub use error::SpecError;
pub(crate) use nearest::nearest;
pub use plan::{Plan, PlanError};
pub use preset::{PRESETS, Preset};
pub use spec::{Layer, NetworkSpec};

#[cfg(test)]
mod tests;
