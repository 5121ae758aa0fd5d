//! Everything a run needs in order to continue as if it had never stopped.

use serde::{Deserialize, Serialize};

use super::{Clock, Evaluation};
use crate::data::DataInfo;

/// A run after one of its steps. Together with the run's configuration it decides everything that
/// follows, to the bit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainingState {
    /// How far the run has come.
    pub progress: TrainingProgress,
    /// The network's parameters one after the other.
    pub weights: Vec<f32>,
    /// Batch normalisation's running statistics one after the other.
    #[serde(default)]
    pub running: Vec<f32>,
    /// What the optimiser remembers: for each of its slots a value for each parameter.
    pub slots: Vec<Slot>,
    /// The averaged weights, in runs that have any.
    #[serde(default)]
    pub average: Option<StoredWeights>,
    /// The weights of the best evaluation, in runs that hold validation images out.
    #[serde(default)]
    pub best: Option<StoredWeights>,
    /// Losses of the last steps: those of the epoch, or [`TrainingState::LOSSES`] if that is more.
    pub losses: Vec<f32>,
    /// What the run is trained on.
    #[serde(default)]
    pub set: DataInfo,
}

impl TrainingState {
    /// Losses that are kept where the epoch has fewer.
    pub const LOSSES: usize = 1_000;
}

/// A network's weights.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StoredWeights {
    /// The parameters one after the other.
    pub trained: Vec<f32>,
    /// Batch normalisation's running statistics one after the other.
    pub running: Vec<f32>,
}

/// What an optimiser remembers of each parameter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Slot {
    /// Which of [`OptimizerSpec::slots`](crate::config::OptimizerSpec::slots).
    pub name: String,
    /// One for each parameter.
    pub values: Vec<f32>,
}

/// How far a run has come, in numbers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TrainingProgress {
    /// Epoch in progress, from 1.
    pub epoch: u32,
    /// Batches of it that are trained.
    pub batch: u64,
    /// Steps of the run that are trained.
    pub step: u64,
    /// Images in those steps.
    pub images: u64,
    /// Steps that the optimiser has taken.
    pub optimiser_step: u64,
    /// Steps before each change of the learning rate, and the rate from there on, before the schedule;
    /// the first is 0.
    pub rates: Vec<(u64, f64)>,
    /// Time since the start of the run.
    pub clock: Clock,
    /// Training seconds since the start of the epoch.
    pub epoch_seconds: f64,
    /// The last evaluation, and the step after which it was made.
    pub evaluated: Option<(u64, Evaluation)>,
    /// The epoch whose evaluation was the best.
    pub best: Option<Best>,
}

/// The best evaluation of a run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Best {
    /// Epoch, from 1.
    pub epoch: u32,
    /// Steps trained.
    pub step: u64,
    /// Share of images recognised, in 0..=1.
    pub accuracy: f64,
}
