//! What one step did, for people.

use std::time::{Duration, Instant};

use candle_core::{Result, Tensor};

use super::step::{Change, digit};
use crate::{
    data::augment::Seen,
    metrics::dot,
    network::{Plan, plan::Param},
    protocol::{Inspection, ParameterUpdate, RankedDigit},
};

/// Where a step stands in its run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) step: u64,
    pub(super) epoch: u32,
    pub(super) batch: u64,
    pub(super) learning_rate: f64,
}

/// Describes the change that the images of `batch` made.
pub(super) fn inspection(
    plan: &Plan,
    change: &Change,
    data: Seen,
    batch: &[u32],
    place: Place,
) -> Result<Inspection> {
    let mut digits: Vec<(f32, usize)> = Vec::with_capacity(batch.len());
    let rows = change.logits.to_vec2::<f32>()?;
    for (place, (row, &index)) in rows.iter().zip(batch).enumerate() {
        digits.push((cross_entropy(row, data.label(index as usize)), place));
    }
    // NaN comes first; equal losses stay in the order of the batch.
    digits.sort_by(|(a, _), (b, _)| b.is_nan().cmp(&a.is_nan()).then(b.total_cmp(a)));
    digits.truncate(Inspection::MOST);
    let ranked = |(loss, place): (f32, usize)| {
        let index = batch[place];
        RankedDigit { index, digit: digit(data, index as usize, &rows[place]), loss }
    };
    Ok(Inspection {
        step: place.step,
        epoch: place.epoch,
        batch: place.batch,
        images: batch.len() as u64,
        learning_rate: place.learning_rate,
        loss_before: change.loss.to_scalar()?,
        loss_after: change.loss_after.to_scalar()?,
        digits: digits.into_iter().map(ranked).collect(),
        parameters: parameters(plan, change)?,
    })
}

/// −ln softmax(row)\[label\], infinite for a label without a logit.
pub(super) fn cross_entropy(row: &[f32], label: u8) -> f32 {
    let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f32 = row.iter().map(|logit| (logit - largest).exp()).sum();
    let logit = row.get(usize::from(label)).copied().unwrap_or(f32::NEG_INFINITY);
    sum.ln() + largest - logit
}

fn parameters(plan: &Plan, change: &Change) -> Result<Vec<ParameterUpdate>> {
    let (gradient, before) = (values(&change.gradient)?, values(&change.before)?);
    let update = values(&(&change.after - &change.before)?)?;
    let of_param = |param: &Param| {
        let weight_norm = norm(&before[param.range.clone()]);
        ParameterUpdate {
            name: param.name.clone(),
            shape: param.shape.iter().map(|&size| size as u32).collect(),
            gradient_norm: norm(&gradient[param.range.clone()]) as f32,
            weight_norm: weight_norm as f32,
            update_ratio: (norm(&update[param.range.clone()]) / weight_norm) as f32,
        }
    };
    Ok(plan.params().iter().map(of_param).collect())
}

/// How long a gradient was and how far the weights moved, all parameters together.
#[derive(Clone, Copy, Debug)]
pub(super) struct Norms {
    pub(super) gradient: f32,
    /// The update's norm divided by that of the weights before it.
    pub(super) update_ratio: f32,
    /// How long it took to measure them.
    pub(super) took: Duration,
}

impl Norms {
    /// Measures a step; `took` is the time that has been spent on that before.
    pub(super) fn of(
        gradient: &Tensor,
        before: &Tensor,
        after: &Tensor,
        took: Duration,
    ) -> Result<Self> {
        let start = Instant::now();
        let update = norm(&values(&(after - before)?)?);
        let update_ratio = (update / norm(&values(before)?)) as f32;
        let gradient = norm(&values(gradient)?) as f32;
        Ok(Self { gradient, update_ratio, took: took + start.elapsed() })
    }
}

fn values(tensor: &Tensor) -> Result<Vec<f32>> {
    tensor.flatten_all()?.to_vec1()
}

/// The Euclidean norm.
fn norm(values: &[f32]) -> f64 {
    dot(values, values).sqrt()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use candle_core::Device;

    use super::*;
    use crate::train::error::TrainError;

    type Result<T, E = TrainError> = std::result::Result<T, E>;
    use crate::{
        config::RunConfig,
        data::Dataset,
        nn::{engine::Key, model::Weights},
        seed::{self, Purpose},
        train::step::Learner,
    };

    const KEY: Key = Key { seed: 0, epoch: 1, step: 1 };

    fn place() -> Place {
        Place { step: 1, epoch: 1, batch: 1, learning_rate: 1e-3 }
    }

    /// Ten images whose pixels differ.
    fn images() -> Dataset {
        let pixels = (0..10 * 784_u32).map(|place| (place.wrapping_mul(2_654_435_761) >> 24) as u8);
        Dataset::new([1, 28, 28], 10, pixels.collect(), (0..10).collect()).expect("ten images")
    }

    fn learner() -> Learner {
        let plan = Arc::new(Plan::article());
        let weights = Weights::initial(&plan, &mut seed::rng(0, Purpose::Initialisation, 0, 0));
        let mut learner = Learner::new(plan, &weights, &Device::Cpu, &RunConfig::default())
            .expect("in main memory");
        learner.set_learning_rate(1e-3);
        learner
    }

    #[test]
    fn a_watched_step_is_the_same_step() -> Result<()> {
        let (data, batch) = (images(), [3, 1, 4, 5, 9]);
        let (mut plain, mut watched) = (learner(), learner());
        for _ in 0..3 {
            let loss = plain.train(Seen::plain(&data), &batch, KEY)?;
            let change = watched.train_watched(Seen::plain(&data), &batch, KEY)?;
            assert_eq!(loss.to_scalar::<f32>()?, change.loss.to_scalar::<f32>()?);
        }
        assert_eq!(plain.model.weights()?, watched.model.weights()?);
        Ok(())
    }

    #[test]
    fn a_measured_step_is_the_same_step_and_its_norms_are_those_of_its_parts() -> Result<()> {
        let (data, batch) = (images(), [3, 1, 4, 5, 9]);
        let (mut plain, mut measured, mut watched) = (learner(), learner(), learner());
        for _ in 0..3 {
            plain.train(Seen::plain(&data), &batch, KEY)?;
            let (_, norms) = measured.train_measured(Seen::plain(&data), &batch, KEY)?;
            let change = watched.train_watched(Seen::plain(&data), &batch, KEY)?;
            let found = inspection(&Plan::article(), &change, Seen::plain(&data), &batch, place())?;
            let norms = norms.expect("it was measured");
            let sum = |of: fn(&ParameterUpdate) -> f32| {
                found.parameters.iter().map(|one| of(one).powi(2)).sum::<f32>().sqrt()
            };
            let update = sum(|one| one.update_ratio * one.weight_norm);
            let close = |a: f32, b: f32| (a / b - 1.0).abs() < 1e-4;
            assert!(close(norms.gradient, sum(|one| one.gradient_norm)), "{norms:?}");
            assert!(close(norms.update_ratio, update / sum(|one| one.weight_norm)), "{norms:?}");
        }
        assert_eq!(plain.model.weights()?, measured.model.weights()?);
        Ok(())
    }

    #[test]
    fn the_worst_image_comes_first_and_their_mean_is_the_loss() -> Result<()> {
        let (data, batch) = (images(), [3, 1, 4, 5, 9]);
        let change = learner().train_watched(Seen::plain(&data), &batch, KEY)?;
        let found = inspection(&Plan::article(), &change, Seen::plain(&data), &batch, place())?;
        let losses: Vec<f32> = found.digits.iter().map(|ranked| ranked.loss).collect();
        assert!(losses.windows(2).all(|pair| pair[0] >= pair[1]), "{losses:?}");
        let mean = losses.iter().sum::<f32>() / 5.0;
        assert!((mean - found.loss_before).abs() < 1e-5);
        assert!(found.loss_after < found.loss_before, "the first step of a small rate helps");
        let mut indices: Vec<u32> = found.digits.iter().map(|ranked| ranked.index).collect();
        indices.sort_unstable();
        assert_eq!(indices, [1, 3, 4, 5, 9]);
        for ranked in &found.digits {
            assert_eq!(u32::from(ranked.digit.label), ranked.index);
            assert_eq!(ranked.digit.pixels, data.image(ranked.index as usize));
        }
        Ok(())
    }

    #[test]
    fn adams_first_step_moves_every_value_by_the_learning_rate() -> Result<()> {
        let (data, batch) = (images(), [0, 1, 2, 3]);
        let mut learner = learner();
        let change = learner.train_watched(Seen::plain(&data), &batch, KEY)?;
        let found = inspection(&Plan::article(), &change, Seen::plain(&data), &batch, place())?;
        assert_eq!(found.parameters.len(), 6);
        let bias = found.parameters.last().expect("six");
        assert_eq!((bias.name.as_str(), bias.shape.as_slice()), ("fc.bias", &[10][..]));
        // m / √v is the sign of the gradient after one step, so ten values move by 0.001 each.
        let expected = 1e-3 * 10_f32.sqrt() / bias.weight_norm;
        assert!((bias.update_ratio / expected - 1.0).abs() < 1e-3, "{bias:?}");
        assert!(found.parameters.iter().all(|one| one.gradient_norm > 0.0));
        Ok(())
    }

    #[test]
    fn a_loss_that_is_not_a_number_is_the_worst() {
        assert!((cross_entropy(&[0.0; 10], 3) - 10_f32.ln()).abs() < 1e-6);
        assert!(cross_entropy(&[f32::NAN; 10], 3).is_nan());
        assert!(cross_entropy(&[1e30, 0.0], 1) >= 1e30);
        assert_eq!(cross_entropy(&[0.0], 3), f32::INFINITY);
    }
}
