//! The network.

pub mod parameters;
