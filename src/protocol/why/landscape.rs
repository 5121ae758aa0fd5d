//! The loss around the weights, or along the run's own trajectory.

use serde::{Deserialize, Serialize};

use crate::protocol::{ImageSet, number};

/// The mean loss on a plane through the weights, along two random directions or the two in which the run's own
/// weights varied most.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Landscape {
    /// The set that the images are of.
    pub set: ImageSet,
    /// Images, evenly spread over their set.
    pub images: u64,
    /// Points on each side.
    pub side: usize,
    /// How far the sides are from the middle: along random directions in lengths of the weights' own filters,
    /// along a trajectory as the Euclidean distance of all weights.
    pub reach: f32,
    /// Where the middle is along the directions; the weights are at 0, 0.
    #[serde(default)]
    pub middle: [f32; 2],
    /// The run's own way, where the plane is the one in which it varied most.
    #[serde(default)]
    pub trajectory: Option<Trajectory>,
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
        let along =
            |axis: usize, step: usize| self.middle[axis] + (step as f32 / half - 1.0) * self.reach;
        [along(0, place % self.side.max(1)), along(1, place / self.side.max(1))]
    }

    /// The point of the lowest loss.
    pub fn lowest(&self) -> Option<usize> {
        let finite = self.losses.iter().enumerate().filter(|(_, loss)| loss.is_finite());
        finite.min_by(|(_, a), (_, b)| a.total_cmp(b)).map(|(place, _)| place)
    }
}

/// The way of a run's weights, projected onto a plane.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trajectory {
    /// Steps of the snapshots, rising; the last one is that of the weights.
    pub steps: Vec<u64>,
    /// Where each snapshot lies along the directions.
    pub points: Vec<[f32; 2]>,
    /// Shares of the snapshots' variance along the two directions, in 0..=1.
    pub shares: [f64; 2],
}

impl Trajectory {
    /// Most snapshots.
    pub const MOST: usize = 64;
    /// Fewest snapshots that have two directions.
    pub const FEWEST: usize = 3;
}
