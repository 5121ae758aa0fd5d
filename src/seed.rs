//! One seed for everything random: generators addressed by what they are for, the epoch and the
//! step.
//!
//! Every random decision is drawn from a generator of its own, found by its address and not by how
//! much was drawn before, so that any step can be computed again, out of order or after a resume,
//! with the same result. The numbers depend on nothing but the address: not on the platform, the
//! thread count or the version of `rand`.

use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// What a generator's numbers are for. The values are part of the address and never change meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum Purpose {
    /// The network's initial weights and biases.
    Initialisation = 1,
    /// The order of the training images in an epoch.
    Shuffle = 2,
    /// The choice of the validation images.
    Split = 3,
    /// Which activations a step drops.
    Dropout = 4,
    /// How a step distorts its images.
    Augmentation = 5,
    /// Which images are picked to be shown.
    Samples = 6,
    /// In which directions the loss around the weights is shown.
    Landscape = 8,
    /// Which values a sweep tries.
    Sweep = 9,
}

/// The generator at the address (`seed`, `purpose`, `epoch`, `step`): `ChaCha8` whose 32-byte key
/// is the four numbers, little-endian, in this order.
pub fn rng(seed: u64, purpose: Purpose, epoch: u64, step: u64) -> ChaCha8Rng {
    let mut key = [0; 32];
    for (bytes, word) in key.chunks_exact_mut(4).zip(key_words(seed, purpose, epoch, step)) {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
    ChaCha8Rng::from_seed(key)
}

/// That key in words, the low one of each number first.
pub fn key_words(seed: u64, purpose: Purpose, epoch: u64, step: u64) -> [u32; 8] {
    let numbers = [seed, purpose as u64, epoch, step];
    std::array::from_fn(|word| (numbers[word / 2] >> (32 * (word % 2))) as u32)
}

/// A number in `0..bound`, each with exactly the same probability; 0 if `bound` is 0.
///
/// Lemire's method (Fast Random Integer Generation in an Interval, 2019). It stands here because
/// `rand` does not promise that its ranges give the same numbers in every version.
pub fn below(rng: &mut impl RngCore, bound: u32) -> u32 {
    if bound == 0 {
        return 0;
    }
    // Products whose low half is below 2³² mod bound belong to numbers drawn once too often.
    let surplus = bound.wrapping_neg() % bound;
    loop {
        let product = u64::from(rng.next_u32()) * u64::from(bound);
        if product as u32 >= surplus {
            return (product >> 32) as u32;
        }
    }
}

/// Puts the first `count` places of `items` in random order, drawn from all of `items`: a
/// Fisher–Yates shuffle that stops after `count` places. With `count = items.len()` it shuffles
/// everything.
pub fn shuffle_prefix(rng: &mut impl RngCore, items: &mut [u32], count: usize) {
    let len = items.len();
    for place in 0..count.min(len) {
        let other = place + below(rng, (len - place) as u32) as usize;
        items.swap(place, other);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_address_gives_the_same_numbers_and_every_other_gives_others() {
        let first = |seed, purpose, epoch, step| rng(seed, purpose, epoch, step).next_u64();
        let here = first(7, Purpose::Shuffle, 1, 2);
        assert_eq!(here, first(7, Purpose::Shuffle, 1, 2));
        let elsewhere = [
            first(8, Purpose::Shuffle, 1, 2),
            first(7, Purpose::Split, 1, 2),
            first(7, Purpose::Shuffle, 2, 2),
            first(7, Purpose::Shuffle, 1, 3),
            first(7, Purpose::Shuffle, 2, 1),
        ];
        assert!(elsewhere.iter().all(|&other| other != here));
    }

    #[test]
    fn the_numbers_of_an_address_are_pinned() {
        let mut rng = rng(0, Purpose::Initialisation, 0, 0);
        let drawn: Vec<u32> = (0..4).map(|_| rng.next_u32()).collect();
        // By a ChaCha8 written anew in Python: key 0, 1, 0, 0 and nonce 0.
        assert_eq!(drawn, [1_389_847_909, 1_072_424_912, 3_107_563_525, 1_369_278_973]);
    }

    #[test]
    fn numbers_stay_below_the_bound_and_reach_all_of_it() {
        let mut rng = rng(1, Purpose::Shuffle, 0, 0);
        let mut counts = [0; 10];
        for _ in 0..10_000 {
            counts[below(&mut rng, 10) as usize] += 1;
        }
        assert!(counts.iter().all(|&count| (850..1150).contains(&count)), "{counts:?}");
        assert_eq!(below(&mut rng, 1), 0);
        assert_eq!(below(&mut rng, 0), 0);
    }

    #[test]
    fn a_partial_shuffle_keeps_all_items() {
        let mut items: Vec<u32> = (0..100).collect();
        shuffle_prefix(&mut rng(3, Purpose::Split, 0, 0), &mut items, 10);
        let mut sorted = items.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..100).collect::<Vec<_>>());
        assert_ne!(items[..10], (0..10).collect::<Vec<_>>());
        shuffle_prefix(&mut rng(3, Purpose::Split, 0, 0), &mut items, 1000);
    }
}
