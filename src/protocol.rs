//! What the worker and its listeners say to each other: plain data, in both directions.
//!
//! [`Command`] goes to the worker, [`Event`] comes from it. Everything that shows a run (dashboard,
//! plain lines, log) is fed by the same stream of events.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::{config::ConfigError, metrics::Confusion};

/// A wish of the person at the screen. It takes effect before the next batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Stand still before the next batch.
    Pause,
    /// Train on.
    Resume,
    /// While paused: train this many batches, then pause. While training: pause after this many
    /// batches, counting the one in progress. Steps that are not done yet add up.
    Step(u64),
    /// Train to the end of the epoch, evaluate, then pause.
    FinishEpoch,
    /// End the run.
    Stop,
}

/// What the worker is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// Reading the data and building the network.
    #[default]
    Loading,
    /// Working through batches.
    Training,
    /// Measuring on images it does not train on.
    Evaluating,
    /// Waiting for a command.
    Paused,
    /// Ended as asked.
    Done,
    /// Ended by an error.
    Failed,
}

/// What a run is, known once its data is read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunInfo {
    /// Where the images come from: `builtin`, `hub` or a folder.
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
    /// Adam's learning rate at the start.
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

/// Consecutive steps of one epoch that were not yet handed over; none where only the digits of the
/// last one are new.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Epoch that the steps belong to, from 1.
    pub epoch: u32,
    /// Number of the first of them in the run, from 1.
    pub first_step: u64,
    /// Number of the first of them in the epoch, from 1.
    pub first_batch: u64,
    /// Mean cross-entropy of each, before its update.
    pub losses: Vec<f32>,
    /// Images trained on since the start of the run, these steps included.
    pub images: u64,
    /// Learning rate of the last of them.
    pub learning_rate: f64,
    /// Time since the start of the run.
    pub clock: Clock,
    /// Digits of the last step, a few times a second.
    pub sample: Option<Sample>,
}

impl Progress {
    /// Number in the run of the last step.
    pub fn last_step(&self) -> u64 {
        (self.first_step + self.losses.len() as u64).saturating_sub(1)
    }

    /// Number in the epoch of the last step.
    pub fn last_batch(&self) -> u64 {
        (self.first_batch + self.losses.len() as u64).saturating_sub(1)
    }
}

/// Seconds since the first batch was due, pauses left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Clock {
    /// Spent on batches.
    pub training: f64,
    /// Spent on evaluations.
    pub evaluating: f64,
}

impl Clock {
    /// Both together.
    pub fn elapsed(self) -> f64 {
        self.training + self.evaluating
    }
}

/// Some images of one batch and what the network made of them, before the batch's update.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// Step of the batch.
    pub step: u64,
    /// The batch's first images.
    pub digits: Vec<Digit>,
}

/// An image with its label and the network's answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Digit {
    /// 28 rows of 28 grey values, 255 the ink.
    pub pixels: Vec<u8>,
    /// True class.
    pub label: u8,
    /// Most probable class.
    pub prediction: u8,
    /// The network's probability of that class, in 0..=1.
    pub probability: f32,
}

impl Digit {
    /// Whether the most probable class is the true one.
    pub fn is_right(&self) -> bool {
        self.label == self.prediction
    }
}

/// How well the network does on images that it is not trained on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// Which images.
    pub set: EvalSet,
    /// Mean cross-entropy.
    pub loss: f64,
    /// Images recognised.
    pub correct: u64,
    /// Images in all.
    pub total: u64,
    /// Time it took.
    pub seconds: f64,
    /// True against predicted classes.
    pub confusion: Confusion,
}

impl Evaluation {
    /// Share of images recognised, in 0..=1; 0 without images.
    pub fn accuracy(&self) -> f64 {
        if self.total == 0 { 0.0 } else { self.correct as f64 / self.total as f64 }
    }
}

/// An epoch that has ended, with the evaluation after it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochRecord {
    /// Which, from 1.
    pub epoch: u32,
    /// Steps of the run so far.
    pub step: u64,
    /// Batches trained in it: fewer than an epoch has where a step limit ended the run.
    pub batches: u64,
    /// Mean training loss over its images.
    pub train_loss: f64,
    /// Time its batches took, pauses left out.
    pub train_seconds: f64,
    /// Images in that time.
    pub images_per_second: f64,
    /// The evaluation.
    pub evaluation: Evaluation,
    /// Time since the start of the run.
    pub clock: Clock,
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
    /// Whether a person ended the run early.
    pub stopped: bool,
    /// Where the weights were saved.
    pub saved: Option<PathBuf>,
}

/// Why a run ended in an error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Whether what was asked for cannot be, as opposed to going wrong.
    pub usage: bool,
    /// One sentence with the cause.
    pub message: String,
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self { usage: true, message: error.to_string() }
    }
}

/// What the worker reports, in order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The data is read and the network built; training is about to start.
    Started(RunInfo),
    /// The worker goes over to something else.
    State(RunState),
    /// Batches were trained.
    Progress(Progress),
    /// An epoch has ended and was evaluated.
    Epoch(EpochRecord),
    /// The run ended as asked. The last event of a run.
    Finished(Summary),
    /// The run ended by an error. The last event of a run.
    Failed(Failure),
}
