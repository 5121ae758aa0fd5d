//! Holds images out of training, to evaluate on them.

use std::sync::Arc;

use super::Dataset;
use crate::seed::{self, Purpose};

/// Takes `count` images, chosen by `seed`, out of `dataset` (all of them if it has fewer) and
/// returns the rest and the chosen ones, both in file order.
pub fn hold_out(dataset: Dataset, count: usize, seed: u64) -> (Dataset, Dataset) {
    let len = dataset.len();
    let count = count.min(len);
    let mut order: Vec<u32> = (0..len as u32).collect();
    seed::shuffle_prefix(&mut seed::rng(seed, Purpose::Split, 0, 0), &mut order, count);
    let mut chosen = vec![false; len];
    for &index in &order[..count] {
        chosen[index as usize] = true;
    }
    take_out(dataset, &chosen)
}

/// Takes `count` images, chosen by `seed`, out of `dataset` (all of them if it has fewer): the same share of
/// each class. Returns the rest and the chosen ones, both in file order.
pub fn hold_out_balanced(dataset: Dataset, count: usize, seed: u64) -> (Dataset, Dataset) {
    let chosen = balanced(&dataset, count, seed, 2);
    take_out(dataset, &chosen)
}

/// `count` images of `dataset`, chosen by `seed` (all of them if it has fewer): the same share of each class,
/// in file order.
pub fn subset(dataset: Dataset, count: usize, seed: u64) -> Dataset {
    let chosen = balanced(&dataset, count, seed, 3);
    take_out(dataset, &chosen).1
}

/// Which `count` images are chosen, the same share of each class; `part` tells one choice from another.
fn balanced(dataset: &Dataset, count: usize, seed: u64, part: u64) -> Vec<bool> {
    let len = dataset.len();
    let count = count.min(len) as u128;
    of_each_class(dataset, seed, part, |seen, taken, _| {
        (seen as u128 * count / len.max(1) as u128) as usize - taken
    })
}

/// Takes a sixth of `dataset` out, as test images: the same share of each class where possible. The choice is
/// the same in every run, so that no run trains on images that another tests on.
pub(super) fn hold_out_test(dataset: Dataset) -> (Dataset, Dataset) {
    const SHARE: usize = 6;
    // A class of which nothing is left could not be learnt.
    let chosen = of_each_class(&dataset, 0, 1, |seen, taken, own| {
        (seen / SHARE - taken).min(own.saturating_sub(1))
    });
    take_out(dataset, &chosen)
}

/// Which images are chosen: of each class as many as `share` says, given the images of the classes up to
/// it, how many of those before it were taken, and its own images. What rounding takes from one class, the
/// next ones get.
fn of_each_class(
    dataset: &Dataset,
    seed: u64,
    part: u64,
    share: impl Fn(usize, usize, usize) -> usize,
) -> Vec<bool> {
    let mut members = vec![Vec::new(); 1 + usize::from(u8::MAX)];
    for (index, &label) in dataset.labels.iter().enumerate() {
        members[usize::from(label)].push(index as u32);
    }
    let mut chosen = vec![false; dataset.len()];
    let (mut seen, mut taken) = (0, 0);
    for (class, members) in members.iter_mut().enumerate() {
        seen += members.len();
        let count = share(seen, taken, members.len());
        taken += count;
        let mut rng = seed::rng(seed, Purpose::Split, part, class as u64);
        seed::shuffle_prefix(&mut rng, members, count);
        for &index in &members[..count] {
            chosen[index as usize] = true;
        }
    }
    chosen
}

/// The images that are not `chosen` and those that are, both in file order.
fn take_out(dataset: Dataset, chosen: &[bool]) -> (Dataset, Dataset) {
    let count = chosen.iter().filter(|chosen| **chosen).count();
    let each = dataset.pixels();
    let Dataset { shape, images, labels } = dataset;
    let (mut images, mut labels) = (Arc::unwrap_or_clone(images), Arc::unwrap_or_clone(labels));
    let mut held_images = Vec::with_capacity(count * each);
    let mut held_labels = Vec::with_capacity(count);
    // The rest moves up within its buffers: a copy would double the memory.
    let mut kept = 0;
    for (index, chosen) in chosen.iter().enumerate() {
        let pixels = index * each..(index + 1) * each;
        if *chosen {
            held_images.extend_from_slice(&images[pixels]);
            held_labels.push(labels[index]);
        } else {
            images.copy_within(pixels, kept * each);
            labels[kept] = labels[index];
            kept += 1;
        }
    }
    images.truncate(kept * each);
    labels.truncate(kept);
    let set =
        |images, labels| Dataset { shape, images: Arc::new(images), labels: Arc::new(labels) };
    (set(images, labels), set(held_images, held_labels))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::PIXELS;

    /// A set whose image `i` says `i` in its first two pixels.
    fn numbered(len: usize) -> Dataset {
        let mut images = vec![0; len * PIXELS];
        for (index, image) in images.chunks_exact_mut(PIXELS).enumerate() {
            image[..2].copy_from_slice(&(index as u16).to_le_bytes());
        }
        let labels = (0..len).map(|index| (index % 10) as u8).collect();
        Dataset::new([1, 28, 28], 10, images, labels).unwrap()
    }

    fn numbers(dataset: &Dataset) -> Vec<usize> {
        (0..dataset.len())
            .map(|index| {
                let image = dataset.image(index);
                let number = usize::from(u16::from_le_bytes([image[0], image[1]]));
                assert_eq!(
                    usize::from(dataset.label(index)),
                    number % 10,
                    "a label left its image"
                );
                number
            })
            .collect()
    }

    #[test]
    fn the_parts_do_not_overlap_and_miss_nothing() {
        let (train, validation) = hold_out(numbered(1000), 150, 7);
        assert_eq!((train.len(), validation.len()), (850, 150));
        let (train, validation) = (numbers(&train), numbers(&validation));
        assert!(train.is_sorted() && validation.is_sorted());
        let mut all = [train, validation].concat();
        all.sort_unstable();
        assert_eq!(all, (0..1000).collect::<Vec<_>>());
    }

    #[test]
    fn the_choice_is_the_seeds() {
        let choice = |seed| numbers(&hold_out(numbered(1000), 150, seed).1);
        assert_eq!(choice(7), choice(7));
        assert_ne!(choice(7), choice(8));
        assert_eq!(numbers(&hold_out(numbered(20), 5, 0).1), [1, 2, 13, 16, 18]);
    }

    #[test]
    fn a_balanced_choice_has_the_same_share_of_each_class_and_is_the_seeds() {
        for (count, each) in
            [(150, 15..=15), (7, 0..=1), (999, 99..=100), (0, 0..=0), (2000, 100..=100)]
        {
            let (rest, chosen) = hold_out_balanced(numbered(1000), count, 7);
            let subset = subset(numbered(1000), count, 7);
            assert_eq!((chosen.len(), subset.len()), (count.min(1000), count.min(1000)));
            for part in [numbers(&chosen), numbers(&subset)] {
                for class in 0..10 {
                    let found = part.iter().filter(|&number| number % 10 == class).count();
                    assert!(each.contains(&found), "{found} of class {class} among {count}");
                }
            }
            let mut all = [numbers(&rest), numbers(&chosen)].concat();
            all.sort_unstable();
            assert_eq!(all, (0..1000).collect::<Vec<_>>());
        }
        let choice = |seed| numbers(&hold_out_balanced(numbered(100), 10, seed).1);
        assert_eq!(choice(0), [8, 40, 64, 66, 73, 77, 81, 85, 89, 92], "the choice is pinned");
        assert_ne!(choice(0), choice(1));
        assert_ne!(choice(0), numbers(&subset(numbered(100), 10, 0)), "they are independent");
    }

    #[test]
    fn nothing_and_everything_can_be_held_out() {
        let (train, validation) = hold_out(numbered(5), 0, 1);
        assert_eq!((train.len(), validation.len()), (5, 0));
        assert!(validation.is_empty());
        let (train, validation) = hold_out(numbered(5), 9, 1);
        assert_eq!((train.len(), validation.len()), (0, 5));
    }

    #[test]
    fn a_sixth_of_each_class_is_held_out_for_tests() {
        let (train, test) = hold_out_test(numbered(600));
        let (train, test) = (numbers(&train), numbers(&test));
        assert_eq!((train.len(), test.len()), (500, 100));
        for class in 0..10 {
            assert_eq!(test.iter().filter(|number| *number % 10 == class).count(), 10);
        }
        assert!(
            train.is_sorted() && test.is_sorted() && test.iter().all(|one| !train.contains(one))
        );
        assert_eq!(test[..4], [2, 8, 13, 16], "the choice is pinned");
    }

    #[test]
    fn classes_that_six_does_not_divide_differ_by_one_and_keep_an_image() {
        // Eight images each, of which one or two are a sixth.
        let (_, test) = hold_out_test(numbered(80));
        let mut labels = test.labels.to_vec();
        labels.sort_unstable();
        assert_eq!(test.len(), 13);
        let counts = labels.chunk_by(|a, b| a == b).map(<[u8]>::len).collect::<Vec<_>>();
        assert!(counts.iter().all(|count| (1..=2).contains(count)), "{counts:?}");
        let (train, test) = hold_out_test(numbered(10));
        assert_eq!((train.len(), test.len()), (10, 0));
    }
}
