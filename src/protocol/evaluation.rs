//! How well the network does.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::{Clock, EvalSet, Progress, number};
use crate::metrics::Confusion;

/// How well the network does on images that it is not trained on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// Which images.
    pub set: EvalSet,
    /// Mean cross-entropy.
    #[serde(deserialize_with = "number::or_nan")]
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

/// An epoch with the evaluation after it, or after the batches that it has had so far.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochRecord {
    /// Which, from 1; 0 before the first step.
    pub epoch: u32,
    /// Steps of the run so far.
    pub step: u64,
    /// Batches trained in it: fewer than an epoch has where a step limit ended the run, or where the
    /// epoch has not ended.
    pub batches: u64,
    /// Mean training loss over its images.
    #[serde(deserialize_with = "number::or_nan")]
    pub train_loss: f64,
    /// Share of its images that were recognised when they were trained on, in 0..=1; `None` where they
    /// were not counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub train_accuracy: Option<f64>,
    /// Time its batches took, pauses left out.
    pub train_seconds: f64,
    /// Images in that time.
    #[serde(deserialize_with = "number::or_nan")]
    pub images_per_second: f64,
    /// The evaluation.
    pub evaluation: Evaluation,
    /// Time since the start of the run.
    pub clock: Clock,
}

/// An evaluation's place on the charts.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct EvalPoint {
    /// Steps trained before it.
    pub step: u64,
    /// Mean cross-entropy.
    #[serde(deserialize_with = "number::or_nan")]
    pub loss: f32,
    /// Share of images recognised, in 0..=1.
    pub accuracy: f32,
    /// The same of the training images of the epoch before it, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub train_accuracy: Option<f32>,
}

impl EvalPoint {
    /// The place of an evaluation made after `step`.
    pub fn new(step: u64, evaluation: &Evaluation) -> Self {
        let (loss, accuracy) = (evaluation.loss as f32, evaluation.accuracy() as f32);
        Self { step, loss, accuracy, train_accuracy: None }
    }

    /// The place of an epoch's evaluation.
    pub fn of_epoch(record: &EpochRecord) -> Self {
        let train_accuracy = record.train_accuracy.map(|accuracy| accuracy as f32);
        Self { train_accuracy, ..Self::new(record.step, &record.evaluation) }
    }
}

/// Epochs in a row between which nothing happened, for a screen that could not take them one by one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Epochs {
    /// Losses of consecutive steps that were not handed over before, up to the end of the last epoch.
    #[serde(deserialize_with = "number::each_or_nan")]
    pub losses: Vec<f32>,
    /// Where those steps ended, without losses of its own; `None` where there are none.
    pub reached: Option<Progress>,
    /// The earlier epochs, oldest first.
    pub brief: Vec<EvalPoint>,
    /// The last epochs, oldest first, at most [`Epochs::WHOLE`].
    pub whole: VecDeque<EpochRecord>,
}

impl Epochs {
    /// Epochs that are handed over whole.
    pub const WHOLE: usize = 1_024;

    /// Adds steps that follow.
    pub fn train(&mut self, progress: Progress) {
        let (next_step, next_batch) = (progress.last_step() + 1, progress.last_batch() + 1);
        let before = self.reached.take();
        let (sample, mut measures) =
            before.map_or_else(Default::default, |reached| (reached.sample, reached.measures));
        measures.extend(&progress.measures);
        self.losses.extend(&progress.losses);
        self.reached = Some(Progress {
            first_step: next_step,
            first_batch: next_batch,
            losses: Vec::new(),
            sample: progress.sample.or(sample),
            measures,
            ..progress
        });
    }

    /// Adds an epoch that follows.
    pub fn end(&mut self, record: EpochRecord) {
        if self.whole.len() == Self::WHOLE
            && let Some(first) = self.whole.pop_front()
        {
            self.brief.push(EvalPoint::of_epoch(&first));
        }
        self.whole.push_back(record);
    }
}

impl From<EpochRecord> for Epochs {
    fn from(record: EpochRecord) -> Self {
        Self { losses: Vec::new(), reached: None, brief: Vec::new(), whole: [record].into() }
    }
}
