//! Networks as plain data: what their layers are, and all that follows from that.

pub mod plan;
pub mod spec;

pub use plan::{Plan, PlanError};
pub use spec::{Layer, NetworkSpec};
