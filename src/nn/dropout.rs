//! Which values a dropout layer zeroes.

use rand::RngCore;

use super::engine::Key;
use crate::seed::{self, Purpose};

/// The factors of an image's values, channel after channel and row after row: 0 with probability `p`,
/// else 1/(1 − p).
///
/// They depend on nothing but the step, the image's `position` in the batch and which dropout of the
/// network it is (`index`): the same step drops the same values, on any number of threads and on every
/// device.
pub(super) fn factors(
    key: Key,
    position: usize,
    index: usize,
    p: f64,
) -> impl Iterator<Item = f32> {
    let mut rng = seed::rng(key.seed, Purpose::Dropout, key.epoch, key.step);
    rng.set_stream((position as u64) << 8 | index as u64);
    // Of 2³² possible draws, the lowest share p is dropped.
    let dropped = (p * 4_294_967_296.0) as u64;
    let kept = (1.0 / (1.0 - p)) as f32;
    std::iter::repeat_with(move || if u64::from(rng.next_u32()) < dropped { 0.0 } else { kept })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_expected_factor_is_one_and_the_share_of_zeros_is_p() {
        let key = Key { seed: 3, epoch: 1, step: 9 };
        for p in [0.0, 0.1, 0.5, 0.9] {
            let drawn: Vec<f32> = factors(key, 0, 0, p).take(100_000).collect();
            let zeros = drawn.iter().filter(|&&factor| factor == 0.0).count() as f64 / 1e5;
            // Five standard deviations of a share among 100,000.
            assert!((zeros - p).abs() <= 5.0 * (p * (1.0 - p) / 1e5).sqrt(), "{p}: {zeros}");
            let mean = drawn.iter().map(|&factor| f64::from(factor)).sum::<f64>() / 1e5;
            assert!((mean - 1.0).abs() < 0.05, "{p}: {mean}");
        }
    }

    #[test]
    fn every_part_of_the_address_matters() {
        let draw = |key, position, index| -> Vec<f32> {
            factors(key, position, index, 0.5).take(64).collect()
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
}
