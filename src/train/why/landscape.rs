//! The loss on a plane through the weights.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use candle_core::{Device, Result, Tensor};

use super::{Found, Job, Memory};
use crate::{
    data::augment::Seen,
    metrics::directions::filter_normalised,
    nn::{explain::Frozen, model::Model},
    protocol::{Content, Landscape, Trajectory},
    seed::{self, Purpose},
    train::{sets::Sets, step::tensors},
};

/// How far the plane reaches, in lengths of the weights' filters.
const REACH: f32 = 1.0;
/// What is known so far is shown this often.
const SHOWN: Duration = Duration::from_millis(100);
/// Points are computed from these distances down to all of them.
const COARSE: [usize; 3] = [4, 2, 1];

pub(super) struct Explore {
    /// With weights that are moved over the plane.
    model: Model,
    images: Tensor,
    labels: Tensor,
    centre: Vec<f32>,
    directions: [Vec<f32>; 2],
    /// Points in the order in which they are computed.
    order: Vec<usize>,
    found: Landscape,
    shown: Instant,
}

/// A plane through the weights.
pub(super) struct Plane {
    pub(super) directions: [Vec<f32>; 2],
    /// Where its middle is along them.
    pub(super) middle: [f32; 2],
    /// How far its sides are from the middle.
    pub(super) reach: f32,
    /// The run's way on it.
    pub(super) trajectory: Option<Trajectory>,
}

impl Plane {
    /// The plane along two filter-normalised random directions.
    pub(super) fn random(frozen: &Frozen, seed: u64) -> Self {
        let directions = [0, 1].map(|direction| {
            let params = frozen.plan().params().iter();
            let parameters = params.map(|it| (&it.range, it.shape.as_slice()));
            let mut rng = seed::rng(seed, Purpose::Landscape, direction, 0);
            filter_normalised(&frozen.weights().trained, parameters, &mut rng)
        });
        Self { directions, middle: [0.0; 2], reach: REACH, trajectory: None }
    }
}

impl Explore {
    pub(super) fn new(frozen: &Frozen, sets: &Sets, plane: Plane) -> Result<Self> {
        let (set, data) = sets.evaluation();
        let count = data.len().min(Landscape::IMAGES);
        let indices: Vec<u32> =
            (0..count).map(|place| (place * data.len() / count) as u32).collect();
        let (images, labels) = tensors(Seen::plain(data), &indices, &Device::Cpu)?;
        let plan = frozen.plan();
        let centre = frozen.weights().trained.clone();
        let Plane { directions, middle, reach, trajectory } = plane;
        let model = Model::new(Arc::clone(plan), frozen.weights(), &Device::Cpu)?;
        let side = Landscape::SIDE;
        let found = Landscape {
            set: set.into(),
            images: count as u64,
            side,
            reach,
            middle,
            trajectory,
            centre: f32::NAN,
            done: 0,
            losses: vec![f32::NAN; side * side],
        };
        let order = order(side);
        Ok(Self { model, images, labels, centre, directions, order, found, shown: Instant::now() })
    }

    /// The loss at a point of the plane.
    fn loss(&self, [x, y]: [f32; 2]) -> Result<f32> {
        let [first, second] = &self.directions;
        let moved = self.centre.iter().zip(first).zip(second);
        let moved: Vec<f32> =
            moved.map(|((&it, along), across)| it + x * along + y * across).collect();
        let len = moved.len();
        self.model.variable().set(&Tensor::from_vec(moved, len, &Device::Cpu)?)?;
        self.model.evaluate(&self.images, &self.labels)?.loss.to_scalar()
    }
}

/// The points of a square, those of coarse grids first.
fn order(side: usize) -> Vec<usize> {
    let mut order = Vec::with_capacity(side * side);
    let mut taken = vec![false; side * side];
    for distance in COARSE {
        for row in (0..side).step_by(distance) {
            for column in (0..side).step_by(distance) {
                let place = row * side + column;
                if !std::mem::replace(&mut taken[place], true) {
                    order.push(place);
                }
            }
        }
    }
    order
}

impl Job for Explore {
    fn slice(&mut self, _: &Sets, _: &mut Memory) -> Result<Found> {
        if self.found.done == 0 {
            self.found.centre = self.loss([0.0; 2])?;
        }
        if let Some(&place) = self.order.get(self.found.done) {
            self.found.losses[place] = self.loss(self.found.at(place))?;
            self.found.done += 1;
        }
        if self.found.is_complete() {
            return Ok(Found::All(Content::Landscape(self.found.clone())));
        }
        if self.shown.elapsed() < SHOWN {
            return Ok(Found::Nothing);
        }
        self.shown = Instant::now();
        Ok(Found::Part(Content::Landscape(self.found.clone())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coarse_points_come_first_and_every_point_once() {
        let order = order(Landscape::SIDE);
        let mut sorted = order.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..41 * 41).collect::<Vec<_>>());
        assert_eq!(order[..3], [0, 4, 8]);
        assert_eq!(order[11 * 11], 2, "a quarter of the points on each side, then half of them");
        assert!(order[..11 * 11].contains(&(20 * 41 + 20)), "the middle is among the first");
    }
}
