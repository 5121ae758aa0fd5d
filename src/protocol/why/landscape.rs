//! The loss around the weights.

use serde::{Deserialize, Serialize};

use crate::protocol::{ImageSet, number};

/// The mean loss on a plane through the weights, along two random directions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Landscape {
    /// The set that the images are of.
    pub set: ImageSet,
    /// Images, evenly spread over their set.
    pub images: u64,
    /// Points on each side, of which the middle one is the weights.
    pub side: usize,
    /// How far the sides are from the weights, in lengths of the weights' own filters.
    pub reach: f32,
    /// The loss at the weights.
    #[serde(deserialize_with = "number::or_nan")]
    pub centre: f32,
    /// Points that are computed.
    pub done: usize,
    /// The loss at each point, row after row from the lower end of the second direction; NaN where it is
    /// not finite or not yet computed.
    #[serde(deserialize_with = "number::each_or_nan")]
    pub losses: Vec<f32>,
}

impl Landscape {
    /// Points on each side.
    pub const SIDE: usize = 41;
    /// Most images.
    pub const IMAGES: usize = 1_000;

    /// Whether all points are computed.
    pub fn is_complete(&self) -> bool {
        self.done == self.side * self.side
    }

    /// Where a point lies along the two directions.
    pub fn at(&self, place: usize) -> [f32; 2] {
        let half = (self.side / 2).max(1) as f32;
        [place % self.side.max(1), place / self.side.max(1)]
            .map(|step| (step as f32 / half - 1.0) * self.reach)
    }

    /// The point of the lowest loss.
    pub fn lowest(&self) -> Option<usize> {
        let finite = self.losses.iter().enumerate().filter(|(_, loss)| loss.is_finite());
        finite.min_by(|(_, a), (_, b)| a.total_cmp(b)).map(|(place, _)| place)
    }
}
