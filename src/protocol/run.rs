//! What a run is and how it ended.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Best, Clock, Evaluation, NetworkInfo};
use crate::{
    config::{ConfigError, Schedule, path_form},
    data::{Checksums, DataInfo},
    printable::thousands,
};

/// What a run is, known once its data is read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunInfo {
    /// Where the images come from: `builtin`, `hub` or a path.
    pub data: String,
    /// Images trained on in each epoch.
    pub train_images: u64,
    /// Images in each evaluation after an epoch.
    pub eval_images: u64,
    /// What those are.
    pub eval_set: EvalSet,
    /// Images of the test set.
    pub test_images: u64,
    /// Passes over the training images.
    pub epochs: u32,
    /// Images per step.
    pub batch_size: u64,
    /// Steps in a whole epoch.
    pub steps_per_epoch: u64,
    /// Steps of the whole run.
    pub total_steps: u64,
    /// The optimiser's learning rate at the start, which the schedule multiplies.
    pub learning_rate: f64,
    /// Seed of initial weights, order and split.
    pub seed: u64,
    /// Whether each epoch has an order of its own.
    pub shuffle: bool,
    /// Processor, for people: `CPU, 2 threads`.
    pub device: String,
    /// Trainable scalars of the network.
    pub parameters: u64,
    /// Whether the weights are saved when the run ends.
    pub saves: bool,
    /// Whether the run is kept, to be resumed.
    #[serde(default)]
    pub recorded: bool,
    /// Checksums of its images and labels; `None` in runs of versions that noted none.
    #[serde(default)]
    pub checksums: Option<Checksums>,
    /// The images' name, size and classes; MNIST's in runs of versions that knew no others.
    #[serde(default)]
    pub set: DataInfo,
    /// The network; the article's in runs of versions that knew no others.
    #[serde(default)]
    pub network: NetworkInfo,
    /// How the learning rate changes; constant in runs of versions that knew no others.
    #[serde(default)]
    pub schedule: Schedule,
}

impl RunInfo {
    /// The learning rate of a step (from 1), where a person has set another rate after some of the steps
    /// (`changes`, by rising step).
    pub fn learning_rate_at(&self, step: u64, changes: &[(u64, f64)]) -> f64 {
        let next = changes.partition_point(|&(changed, _)| changed < step);
        let set = changes[..next].last().map_or(self.learning_rate, |&(_, rate)| rate);
        self.scheduled(set, step)
    }

    /// What the schedule makes of the rate that is set, in a step (from 1).
    pub fn scheduled(&self, rate: f64, step: u64) -> f64 {
        rate * self.schedule.factor(step)
    }
}

#[cfg(test)]
impl RunInfo {
    /// The article's second experiment, over ten epochs.
    pub(crate) fn example() -> Self {
        Self {
            data: "builtin".into(),
            train_images: 60_000,
            eval_images: 10_000,
            eval_set: EvalSet::Test,
            test_images: 10_000,
            epochs: 10,
            batch_size: 50,
            steps_per_epoch: 1_200,
            total_steps: 12_000,
            learning_rate: 0.001,
            seed: 0,
            shuffle: true,
            device: "CPU, 2 threads".into(),
            parameters: 5_142,
            saves: false,
            recorded: false,
            checksums: None,
            set: DataInfo::mnist(),
            network: NetworkInfo::article(),
            schedule: Schedule::default(),
        }
    }
}

/// Which images an evaluation is made on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EvalSet {
    /// The test images.
    #[default]
    Test,
    /// Training images that were held out.
    Validation,
}

impl EvalSet {
    /// `test` or `validation`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Test => "test",
            Self::Validation => "validation",
        }
    }
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Steps trained.
    pub steps: u64,
    /// Images trained on, each as often as it was used.
    pub images: u64,
    /// Time since the start of the run.
    pub clock: Clock,
    /// The last evaluation on the test set; `None` where the run was stopped before one.
    pub test: Option<Evaluation>,
    /// The best epoch on validation images, whose weights were measured and saved; `None` where those of the
    /// last step were.
    #[serde(default)]
    pub best: Option<Best>,
    /// Whether a person ended the run early.
    pub stopped: bool,
    /// Where the weights were saved.
    #[serde(default, with = "path_form::optional")]
    pub saved: Option<PathBuf>,
    /// The step from which on losses or weights were not finite, if that is how the run ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diverged: Option<u64>,
}

/// Why a run ended in an error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Whether what was asked for cannot be, as opposed to going wrong.
    pub usage: bool,
    /// One sentence with the cause.
    pub message: String,
    /// The step at which the run diverged, if that is why it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diverged: Option<u64>,
}

impl Failure {
    /// Something went wrong.
    pub fn new(message: impl Into<String>) -> Self {
        Self { usage: false, message: message.into(), diverged: None }
    }

    /// What was asked for cannot be done.
    pub fn usage(message: impl Into<String>) -> Self {
        Self { usage: true, ..Self::new(message) }
    }
}

/// How a run is described that ended with losses or weights that are not finite.
pub fn diverged_at(step: u64) -> String {
    format!("✗ diverged at step {}", thousands(step))
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::usage(error.to_string())
    }
}
