//! Which values a dropout layer zeroes.

use rand::RngCore;
use rand_chacha::ChaCha8Rng;

use super::engine::Key;
use crate::seed::{self, Purpose};

/// Draws that are made at a time, which takes a fraction of the time of as many single ones.
const BLOCK: usize = 64;

/// Draws the factors of an image's values, channel after channel and row after row: 0 with
/// probability `p`, else 1/(1 − p).
#[derive(Debug)]
pub(super) struct Factors {
    rng: ChaCha8Rng,
    /// Of 2³² possible draws, the lowest share `p` is dropped.
    dropped: u64,
    kept: f32,
}

impl Factors {
    /// The draws depend on nothing but the step, the image's `position` in the batch and which dropout
    /// of the network it is (`index`): the same step drops the same values, on any number of threads
    /// and on every device.
    pub(super) fn new(key: Key, position: usize, index: usize, p: f64) -> Self {
        let mut rng = seed::rng(key.seed, Purpose::Dropout, key.epoch, key.step);
        rng.set_stream((position as u64) << 8 | index as u64);
        Self { rng, dropped: (p * 4_294_967_296.0) as u64, kept: (1.0 / (1.0 - p)) as f32 }
    }

    /// Writes the next factors.
    pub(super) fn fill(&mut self, factors: &mut [f32]) {
        for factors in factors.chunks_mut(BLOCK) {
            let mut bytes = [0; 4 * BLOCK];
            self.rng.fill_bytes(&mut bytes[..4 * factors.len()]);
            for (factor, &bytes) in factors.iter_mut().zip(bytes.as_chunks().0) {
                let draw = u64::from(u32::from_le_bytes(bytes));
                *factor = if draw < self.dropped { 0.0 } else { self.kept };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_expected_factor_is_one_and_the_share_of_zeros_is_p() {
        let key = Key { seed: 3, epoch: 1, step: 9 };
        for p in [0.0, 0.1, 0.5, 0.9] {
            let mut drawn = vec![0.0; 100_000];
            Factors::new(key, 0, 0, p).fill(&mut drawn);
            let zeros = drawn.iter().filter(|&&factor| factor == 0.0).count() as f64 / 1e5;
            // Five standard deviations of a share among 100,000.
            assert!((zeros - p).abs() <= 5.0 * (p * (1.0 - p) / 1e5).sqrt(), "{p}: {zeros}");
            let mean = drawn.iter().map(|&factor| f64::from(factor)).sum::<f64>() / 1e5;
            assert!((mean - 1.0).abs() < 0.05, "{p}: {mean}");
        }
    }

    #[test]
    fn every_part_of_the_address_matters() {
        let draw = |key, position, index| {
            let mut factors = [0.0; 64];
            Factors::new(key, position, index, 0.5).fill(&mut factors);
            factors
        };
        let key = Key { seed: 3, epoch: 1, step: 9 };
        let first = draw(key, 4, 1);
        assert_eq!(first, draw(key, 4, 1));
        for other in [
            draw(Key { seed: 4, ..key }, 4, 1),
            draw(Key { epoch: 2, ..key }, 4, 1),
            draw(Key { step: 8, ..key }, 4, 1),
            draw(key, 5, 1),
            draw(key, 4, 0),
        ] {
            assert_ne!(first, other);
        }
    }

    #[test]
    fn factors_do_not_depend_on_how_many_are_drawn_at_a_time() {
        let key = Key { seed: 3, epoch: 1, step: 9 };
        let mut whole = [0.0; 200];
        Factors::new(key, 7, 1, 0.3).fill(&mut whole);
        let mut parts = [0.0; 200];
        let mut factors = Factors::new(key, 7, 1, 0.3);
        for part in parts.chunks_mut(7) {
            factors.fill(part);
        }
        assert_eq!(whole, parts);
        // Each is decided by one number of the generator, in their order.
        let mut rng = seed::rng(3, Purpose::Dropout, 1, 9);
        rng.set_stream(7 << 8 | 1);
        let kept = (1.0 / 0.7) as f32;
        let drawn =
            whole.map(|_| if f64::from(rng.next_u32()) < 0.3 * 2f64.powi(32) { 0.0 } else { kept });
        assert_eq!(whole, drawn);
    }
}
