//! Random directions through a network's weights.

use std::ops::Range;

use rand::RngCore;

/// A direction drawn at random in which each filter has the length that it has in the weights, so that
/// steps of the same size compare between layers and networks; biases and other vectors stay as they are
/// (Li et al., Visualizing the Loss Landscape of Neural Nets, 2018).
///
/// `parameters` are the places of each in the weights, with its shape; a filter is what belongs to one
/// output.
pub fn filter_normalised<'a>(
    weights: &[f32],
    parameters: impl Iterator<Item = (&'a Range<usize>, &'a [usize])>,
    rng: &mut impl RngCore,
) -> Vec<f32> {
    let mut direction = vec![0.0; weights.len()];
    for (range, shape) in parameters {
        let (Some(&filters), true) = (shape.first(), shape.len() > 1) else { continue };
        let len = range.len() / filters.max(1);
        let drawn = &mut direction[range.clone()];
        for value in &mut *drawn {
            *value = normal(rng);
        }
        let both =
            drawn.chunks_exact_mut(len.max(1)).zip(weights[range.clone()].chunks_exact(len.max(1)));
        for (drawn, filter) in both {
            let scale = (norm(filter) / norm(drawn).max(f64::MIN_POSITIVE)) as f32;
            for value in drawn {
                *value *= scale;
            }
        }
    }
    direction
}

fn norm(values: &[f32]) -> f64 {
    values.iter().map(|&value| f64::from(value).powi(2)).sum::<f64>().sqrt()
}

/// A number of the normal distribution, by Box and Muller's method.
fn normal(rng: &mut impl RngCore) -> f32 {
    // In 0..1, the first without 0, whose logarithm is not finite.
    let first = (f64::from(rng.next_u32()) + 1.0) / (f64::from(u32::MAX) + 1.0);
    let second = f64::from(rng.next_u32()) / (f64::from(u32::MAX) + 1.0);
    ((-2.0 * first.ln()).sqrt() * (std::f64::consts::TAU * second).cos()) as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::{self, Purpose};

    #[test]
    fn every_filter_keeps_its_length_and_vectors_stay() {
        let weights: Vec<f32> = (0..15_u8).map(f32::from).collect();
        let places = [(0..12, vec![3, 1, 2, 2]), (12..15, vec![3])];
        let drawn = |seed| {
            let parameters = places.iter().map(|(range, shape)| (range, shape.as_slice()));
            let mut rng = seed::rng(seed, Purpose::Landscape, 0, 0);
            filter_normalised(&weights, parameters, &mut rng)
        };
        let direction = drawn(1);
        for (drawn, filter) in direction[..12].chunks(4).zip(weights.chunks(4)) {
            assert!((norm(drawn) - norm(filter)).abs() < 1e-4, "{drawn:?}");
        }
        assert_eq!(direction[12..], [0.0; 3]);
        assert_eq!(drawn(1), direction);
        assert_ne!(drawn(2), direction);
    }

    #[test]
    fn numbers_are_normally_distributed() {
        let mut rng = seed::rng(3, Purpose::Landscape, 0, 0);
        let drawn: Vec<f32> = (0..20_000).map(|_| normal(&mut rng)).collect();
        let share = |within: f32| {
            drawn.iter().filter(|value| value.abs() < within).count() as f32 / 20_000.0
        };
        for (within, expected) in [(1.0, 0.682_7), (2.0, 0.954_5)] {
            assert!((share(within) - expected).abs() < 0.01, "{}", share(within));
        }
    }
}
