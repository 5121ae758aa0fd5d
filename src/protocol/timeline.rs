//! Rewinds, and changes that start a new branch.

use serde::{Deserialize, Serialize};

use super::{Breakpoint, Clock, number};

/// The run has gone to another of its steps without training, pausing there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rewound {
    /// Steps of the run that are trained now.
    pub step: u64,
    /// Epoch of the last of them, from 1; 1 before the first.
    pub epoch: u32,
    /// Batches of that epoch that are trained.
    pub batch: u64,
    /// Images in all steps.
    pub images: u64,
    /// Learning rate of the next step, before the schedule.
    pub learning_rate: f64,
    /// Time since the start of the run; it never decreases.
    pub clock: Clock,
    /// Losses of the last steps up to `step`, at most [`Rewound::TAIL`].
    #[serde(deserialize_with = "number::each_or_nan")]
    pub tail: Vec<f32>,
}

impl Rewound {
    /// The most losses that are repeated.
    pub const TAIL: usize = 1_000;
}

/// Another learning rate applies.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RateChange {
    /// Steps trained before it.
    pub step: u64,
    /// Learning rate from the next step on, before the schedule.
    pub learning_rate: f64,
    /// Whether what was trained after `step` before is given up: the run had gone back there.
    pub branch: bool,
}

/// A breakpoint has paused the run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Break {
    /// Which.
    pub breakpoint: Breakpoint,
    /// Step after which it applied.
    pub step: u64,
    /// One sentence with the figures that met it.
    pub reason: String,
}
