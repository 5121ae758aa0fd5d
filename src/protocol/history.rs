//! What the network made of an image over the run.

use serde::{Deserialize, Serialize};

use super::number;

/// Images of a run in an order of interest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum List {
    /// Evaluation images, highest loss first.
    #[default]
    Hardest,
    /// Evaluation images that went from right to wrong between two evaluations, most often first.
    Forgotten,
    /// Training images that the network confidently predicts as one other class in most epochs: their labels
    /// may be wrong.
    Suspected,
}

impl List {
    /// A prediction of at least this probability is confident, however many classes there are.
    pub const CONFIDENT: f32 = 0.8;
    /// Fewest epochs that say anything about a label.
    pub const EPOCHS: usize = 2;

    /// The list after this one.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::Hardest => Self::Forgotten,
            Self::Forgotten => Self::Suspected,
            Self::Suspected => Self::Hardest,
        }
    }
}

/// The prediction for one image and its loss after each of several steps.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ImageHistory {
    /// Most probable class; `None` where that is not known.
    pub predictions: Vec<Option<u8>>,
    /// Cross-entropy, to about 3 %; NaN where it is not finite or not known.
    #[serde(deserialize_with = "number::each_or_nan")]
    pub losses: Vec<f32>,
    /// How often it went from right to wrong.
    pub forgotten: u32,
    /// How often it was confidently predicted as the class that it is listed with.
    pub mistaken: u32,
}

impl ImageHistory {
    /// Steps after which the prediction is known.
    pub fn known(&self) -> usize {
        self.predictions.iter().flatten().count()
    }
}
