//! The plane in which a run's own weights varied most.
//!
//! Its directions are the first two principal components of the run's snapshots. They are sums of the
//! snapshots, so they follow from the products of all pairs: a matrix of at most 64 × 64, whatever the
//! network. Snapshots are read some columns at a time, which bounds both the memory and a slice's time.

use std::mem;

use candle_core::{Device, Result, Tensor};

use super::{
    Found, Job, Memory,
    landscape::{Explore, Plane},
};
use crate::{
    metrics::{dot, eigen},
    nn::explain::Frozen,
    protocol::{Content, Trajectory},
    train::sets::Sets,
};

/// Products that are computed in a slice, and the most columns that are read for it.
const PRODUCTS: usize = 1 << 24;
const MOST_COLUMNS: usize = 1 << 18;
/// A component of less than this share of the variance is rounding.
const ROUNDING: f64 = 1e-12;
/// How much wider the plane is than the trajectory.
const MARGIN: f32 = 1.3;
/// Said of a trajectory that has no plane.
const TOO_SHORT: &str =
    "The run has too few snapshots to show its trajectory: train a few hundred steps.";

/// Finds the plane, then explores it.
pub(super) struct Follow {
    plane: FindPlane,
    explore: Option<Explore>,
}

/// A plane that is being found.
struct FindPlane {
    rows: Rows,
    stage: Stage,
}

/// What a slice has brought.
enum Progress {
    More,
    /// There is no plane: the snapshots are too few, all the same or not finite.
    None,
    Plane(Plane),
}

/// The network's weights, and those of the run's snapshots.
struct Rows {
    frozen: Frozen,
    /// By rising step; the last ones are the network's own.
    snapshots: Vec<(u64, Tensor)>,
}

enum Stage {
    /// Sums up the products of all pairs of snapshots.
    Pairs {
        /// For each snapshot its products with those before it and with itself.
        gram: Vec<Vec<f64>>,
        /// Columns that are summed up.
        done: usize,
    },
    /// Sums up the directions.
    Directions { found: Combined, directions: [Vec<f32>; 2] },
}

/// How the directions are made of the snapshots, and where these lie along them.
struct Combined {
    /// For each direction the factor of each snapshot.
    factors: [Vec<f64>; 2],
    trajectory: Trajectory,
}

impl Rows {
    /// Values of each row.
    fn len(&self) -> usize {
        self.frozen.weights().trained.len()
    }

    /// The next columns after `done` of each snapshot, less the network's weights.
    fn columns(&self, done: usize) -> Result<Vec<Vec<f32>>> {
        let weights = &self.frozen.weights().trained[done..];
        let pairs = self.snapshots.len() * self.snapshots.len();
        let count = (PRODUCTS / pairs).clamp(1, MOST_COLUMNS).min(weights.len());
        let read = |(_, snapshot): &(u64, Tensor)| {
            let mut values = snapshot.narrow(0, done, count)?.to_vec1::<f32>()?;
            for (value, now) in values.iter_mut().zip(weights) {
                *value -= now;
            }
            Ok(values)
        };
        self.snapshots.iter().map(read).collect()
    }
}

impl FindPlane {
    /// Along the snapshots before `step`, at which the network is.
    fn new(frozen: Frozen, step: u64, mut snapshots: Vec<(u64, Tensor)>) -> Result<Self> {
        snapshots.retain(|(of, _)| *of < step);
        let weights = &frozen.weights().trained;
        snapshots.push((step, Tensor::from_slice(weights, weights.len(), &Device::Cpu)?));
        let gram = (1..=snapshots.len()).map(|pairs| vec![0.0; pairs]).collect();
        Ok(Self { rows: Rows { frozen, snapshots }, stage: Stage::Pairs { gram, done: 0 } })
    }

    fn slice(&mut self) -> Result<Progress> {
        let rows = &self.rows;
        match &mut self.stage {
            Stage::Pairs { gram, .. } if gram.len() < Trajectory::FEWEST => Ok(Progress::None),
            Stage::Pairs { gram, done } => {
                let columns = rows.columns(*done)?;
                for (products, row) in gram.iter_mut().zip(&columns) {
                    for (product, other) in products.iter_mut().zip(&columns) {
                        *product += dot(row, other);
                    }
                }
                *done += columns[0].len();
                if *done < rows.len() {
                    return Ok(Progress::More);
                }
                let steps = rows.snapshots.iter().map(|(step, _)| *step).collect();
                let Some(found) = Combined::of(gram, steps) else { return Ok(Progress::None) };
                self.stage = Stage::Directions { found, directions: [Vec::new(), Vec::new()] };
                Ok(Progress::More)
            }
            Stage::Directions { found, directions } => {
                let columns = rows.columns(directions[0].len())?;
                found.extend(directions, &columns);
                if directions[0].len() < rows.len() {
                    return Ok(Progress::More);
                }
                let (directions, trajectory) = (mem::take(directions), found.trajectory.clone());
                Ok(Progress::Plane(Plane::along(directions, trajectory)))
            }
        }
    }
}

impl Follow {
    /// Along the snapshots before `step`, at which the network is.
    pub(super) fn new(frozen: Frozen, step: u64, snapshots: Vec<(u64, Tensor)>) -> Result<Self> {
        Ok(Self { plane: FindPlane::new(frozen, step, snapshots)?, explore: None })
    }
}

impl Job for Follow {
    fn slice(&mut self, sets: &Sets, memory: &mut Memory) -> Result<Found> {
        if let Some(explore) = &mut self.explore {
            return explore.slice(sets, memory);
        }
        match self.plane.slice()? {
            Progress::More => {}
            Progress::None => {
                return Ok(Found::All(Content::Nothing(TOO_SHORT.to_owned())));
            }
            Progress::Plane(plane) => {
                self.explore = Some(Explore::new(&self.plane.rows.frozen, sets, plane)?);
                self.plane.rows.snapshots = Vec::new();
            }
        }
        Ok(Found::Nothing)
    }
}

impl Combined {
    /// From the products of all pairs; `None` where the snapshots are all the same or not finite.
    fn of(gram: &[Vec<f64>], steps: Vec<u64>) -> Option<Self> {
        let count = gram.len();
        let product = |a: usize, b: usize| gram[a.max(b)][a.min(b)];
        let means: Vec<f64> = (0..count)
            .map(|a| (0..count).map(|b| product(a, b)).sum::<f64>() / count as f64)
            .collect();
        let mean = means.iter().sum::<f64>() / count as f64;
        let centred = |a: usize, b: usize| product(a, b) - means[a] - means[b] + mean;
        let matrix: Vec<Vec<f64>> =
            (0..count).map(|a| (0..count).map(|b| centred(a, b)).collect()).collect();
        let total: f64 = (0..count).map(|place| matrix[place][place]).sum();
        if !matrix.iter().flatten().all(|it| it.is_finite()) || total <= 0.0 {
            return None;
        }
        let mut points = vec![[0.0; 2]; count];
        let mut shares = [0.0; 2];
        let mut factors = [vec![0.0; count], vec![0.0; count]];
        for (axis, (variance, vector)) in eigen(matrix).into_iter().take(2).enumerate() {
            if variance <= ROUNDING * total {
                continue;
            }
            shares[axis] = variance / total;
            let middle = vector.iter().sum::<f64>() / count as f64;
            let along: Vec<f64> = vector.iter().map(|it| (it - middle) / variance.sqrt()).collect();
            let at = |row: usize| (0..count).map(|it| along[it] * product(row, it)).sum::<f64>();
            // Of the two signs the one with which the run starts on the left, and above.
            let is_turned = if axis == 0 { at(0) > 0.0 } else { at(0) < 0.0 };
            let sign = if is_turned { -1.0 } else { 1.0 };
            for (row, point) in points.iter_mut().enumerate() {
                point[axis] = (sign * at(row)) as f32;
            }
            factors[axis] = along.iter().map(|it| sign * it).collect();
        }
        Some(Self { factors, trajectory: Trajectory { steps, points, shares } })
    }

    /// Adds the next columns to the directions.
    fn extend(&self, directions: &mut [Vec<f32>; 2], columns: &[Vec<f32>]) {
        for (direction, factors) in directions.iter_mut().zip(&self.factors) {
            let value = |column: usize| {
                let parts = columns.iter().zip(factors);
                parts.map(|(row, factor)| factor * f64::from(row[column])).sum::<f64>() as f32
            };
            direction.extend((0..columns[0].len()).map(value));
        }
    }
}

impl Plane {
    /// The plane along these directions that holds the whole trajectory.
    fn along(directions: [Vec<f32>; 2], trajectory: Trajectory) -> Self {
        let bounds = [0, 1].map(|axis: usize| {
            let values = trajectory.points.iter().map(|point| point[axis]);
            values.fold((0.0_f32, 0.0_f32), |(low, high), it| (low.min(it), high.max(it)))
        });
        let middle = bounds.map(|(low, high)| f32::midpoint(low, high));
        let widest = bounds.map(|(low, high)| (high - low) / 2.0).into_iter().fold(0.0, f32::max);
        Self { directions, middle, reach: MARGIN * widest, trajectory: Some(trajectory) }
    }
}

#[cfg(test)]
mod tests;
