//! The conditions that pause the run, and the one that did last.

use crate::protocol::{Break, Breakpoint};

/// Breakpoints as the dashboard knows them.
#[derive(Debug, Default)]
pub struct Breakpoints {
    /// Those that are set, in the order they were added.
    pub list: Vec<Breakpoint>,
    /// Place of the chosen one.
    pub selected: usize,
    /// The one that paused the run, until it goes on.
    pub hit: Option<Break>,
}
