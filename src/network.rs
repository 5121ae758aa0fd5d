//! Networks as plain data: what their layers are, and all that follows from that.

pub mod spec;

pub use spec::{Layer, NetworkSpec};
