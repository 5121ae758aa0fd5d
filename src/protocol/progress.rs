//! What the worker hands over while it trains.

use serde::{Deserialize, Serialize};

use super::number;

/// Consecutive steps of one epoch that were not yet handed over, at most [`Progress::MOST`]; none
/// where only the digits of the last one are new.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Epoch that the steps belong to, from 1.
    pub epoch: u32,
    /// Number of the first of them in the run, from 1.
    pub first_step: u64,
    /// Number of the first of them in the epoch, from 1.
    pub first_batch: u64,
    /// Mean cross-entropy of each, before its update.
    #[serde(deserialize_with = "number::each_or_nan")]
    pub losses: Vec<f32>,
    /// Images trained on since the start of the run, these steps included.
    pub images: u64,
    /// Learning rate of the last of them.
    pub learning_rate: f64,
    /// Time since the start of the run.
    pub clock: Clock,
    /// Digits of the last step, a few times a second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample: Option<Sample>,
    /// Norms of some of the steps, by rising step: none in runs of versions that measured none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub measures: Vec<Measure>,
}

/// How long a step's gradient was, and how far it moved the weights.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measure {
    /// Number of the step in the run, from 1.
    pub step: u64,
    /// Euclidean norm of the gradient of all parameters, before any clipping.
    #[serde(deserialize_with = "number::or_nan")]
    pub gradient_norm: f32,
    /// Euclidean norm of the update, divided by that of the weights before it.
    #[serde(deserialize_with = "number::or_nan")]
    pub update_ratio: f32,
}

impl Progress {
    /// Most losses that wait to be handed over as one: beyond, they come as several.
    pub const MOST: usize = 1 << 16;

    /// Most [`Measure`]s that wait to be handed over as one.
    pub const MOST_MEASURES: usize = 1 << 12;

    /// Number in the run of the last step.
    pub fn last_step(&self) -> u64 {
        self.first_step.saturating_add(self.losses.len() as u64).saturating_sub(1)
    }

    /// Number in the epoch of the last step.
    pub fn last_batch(&self) -> u64 {
        self.first_batch.saturating_add(self.losses.len() as u64).saturating_sub(1)
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
    /// The pixels of the same images before augmentation; none where there is no augmentation.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub originals: Vec<Vec<u8>>,
}

/// An image with its label and the network's answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Digit {
    /// Grey values, row after row, 255 the ink.
    pub pixels: Vec<u8>,
    /// True class.
    pub label: u8,
    /// Most probable class.
    pub prediction: u8,
    /// The network's probability of that class, in 0..=1.
    pub probability: f32,
}

impl Digit {
    /// The most probable class; `None` where the network's outputs are not numbers.
    pub fn predicted(&self) -> Option<u8> {
        (!self.probability.is_nan()).then_some(self.prediction)
    }

    /// Whether the most probable class is the true one.
    pub fn is_right(&self) -> bool {
        self.predicted() == Some(self.label)
    }
}
