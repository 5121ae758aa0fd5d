//! How well the network does.

use serde::{Deserialize, Serialize};

use super::{Clock, EvalSet, number};
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
    #[serde(deserialize_with = "number::or_nan")]
    pub train_loss: f64,
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
