//! Which images go into which batch of an epoch, and the images of a batch as numbers.

use super::Dataset;
use crate::seed::{self, Purpose};

/// The order of the images in one epoch, cut into batches.
///
/// The order depends on the number of images, the seed and the epoch alone, so that any batch of
/// any epoch can be had again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batches {
    order: Vec<u32>,
    batch_size: usize,
}

impl Batches {
    /// All `len` images in an order drawn for `epoch`. A batch size of 0 counts as 1.
    pub fn shuffled(len: usize, batch_size: usize, seed: u64, epoch: u64) -> Self {
        let mut batches = Self::in_order(len, batch_size);
        let mut rng = seed::rng(seed, Purpose::Shuffle, epoch, 0);
        seed::shuffle_prefix(&mut rng, &mut batches.order, len);
        batches
    }

    /// All `len` images in file order. A batch size of 0 counts as 1.
    pub fn in_order(len: usize, batch_size: usize) -> Self {
        Self { order: (0..len as u32).collect(), batch_size: batch_size.max(1) }
    }

    /// The number of batches; the last one may be short.
    pub fn count(&self) -> usize {
        self.order.len().div_ceil(self.batch_size)
    }

    /// The indices of the images in batch `index`, counted from 0; none after the last batch.
    pub fn batch(&self, index: usize) -> &[u32] {
        self.range(index, 1)
    }

    /// The indices of the images in `count` batches from batch `first` on; of fewer at the end.
    pub fn range(&self, first: usize, count: usize) -> &[u32] {
        let place = |batch: usize| batch.saturating_mul(self.batch_size).min(self.order.len());
        &self.order[place(first)..place(first.saturating_add(count))]
    }
}

impl Dataset {
    /// Replaces `pixels` (`[n, channels, height, width]`, byte / 255) and `labels` (`[n]`) by those of the images
    /// at `indices`. Buffers that are used again are not allocated again.
    ///
    /// # Panics
    /// If an index is not below `len()`.
    pub fn gather(&self, indices: &[u32], pixels: &mut Vec<f32>, labels: &mut Vec<u32>) {
        pixels.clear();
        pixels.reserve(indices.len() * self.pixels());
        labels.clear();
        labels.reserve(indices.len());
        for &index in indices {
            let index = index as usize;
            pixels.extend(self.image(index).iter().map(|&byte| f32::from(byte) / 255.0));
            labels.push(u32::from(self.label(index)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::PIXELS;

    fn order(batches: &Batches) -> Vec<u32> {
        (0..batches.count()).flat_map(|index| batches.batch(index).to_vec()).collect()
    }

    #[test]
    fn batches_in_order_keep_the_last_short_batch() {
        let batches = Batches::in_order(7, 3);
        assert_eq!(batches.count(), 3);
        assert_eq!(batches.batch(0), [0, 1, 2]);
        assert_eq!(batches.batch(1), [3, 4, 5]);
        assert_eq!(batches.batch(2), [6]);
        assert!(batches.batch(3).is_empty());
        assert_eq!(batches.range(0, 2), [0, 1, 2, 3, 4, 5]);
        assert_eq!(batches.range(1, usize::MAX), [3, 4, 5, 6]);
        assert!(batches.range(3, 1).is_empty());
    }

    #[test]
    fn batches_that_divide_the_set_leave_no_empty_one() {
        assert_eq!(Batches::in_order(6, 3).count(), 2);
        assert_eq!(Batches::in_order(6, 100).count(), 1);
        assert_eq!(Batches::in_order(0, 3).count(), 0);
        assert_eq!(Batches::in_order(2, 0).count(), 2);
    }

    #[test]
    fn a_shuffled_epoch_has_every_image_once() {
        let mut order = order(&Batches::shuffled(60_000, 50, 3, 1));
        order.sort_unstable();
        assert_eq!(order, (0..60_000).collect::<Vec<_>>());
    }

    #[test]
    fn shuffles_differ_by_epoch_and_seed_and_not_by_batch_size() {
        let here = order(&Batches::shuffled(1000, 50, 3, 1));
        assert_eq!(here, order(&Batches::shuffled(1000, 50, 3, 1)));
        assert_eq!(here, order(&Batches::shuffled(1000, 7, 3, 1)));
        assert_ne!(here, order(&Batches::shuffled(1000, 50, 3, 2)));
        assert_ne!(here, order(&Batches::shuffled(1000, 50, 4, 1)));
    }

    #[test]
    fn the_shuffle_of_a_seed_is_pinned() {
        // By ChaCha8 and Fisher–Yates written anew in Python.
        let order = order(&Batches::shuffled(10, 4, 0, 1));
        assert_eq!(order, [3, 6, 9, 7, 5, 8, 4, 0, 1, 2]);
    }

    #[test]
    fn gathered_pixels_are_exactly_a_byte_by_255() {
        let pixels: Vec<u8> = (0..3 * PIXELS).map(|index| index as u8).collect();
        let dataset = Dataset::new([1, 28, 28], 10, pixels.clone(), vec![5, 0, 9]).unwrap();
        let (mut values, mut labels) = (vec![7.0; 5], vec![7; 5]);
        dataset.gather(&[2, 0], &mut values, &mut labels);
        assert_eq!(labels, [9, 5]);
        let expected: Vec<f32> = pixels[2 * PIXELS..]
            .iter()
            .chain(&pixels[..PIXELS])
            .map(|&byte| f32::from(byte) / 255.0)
            .collect();
        assert_eq!(values, expected);
    }

    #[test]
    fn gathering_again_reuses_the_buffers() {
        let dataset = Dataset::new([1, 28, 28], 10, vec![1; 4 * PIXELS], vec![0; 4]).unwrap();
        let (mut values, mut labels) = (Vec::new(), Vec::new());
        dataset.gather(&[0, 1, 2, 3], &mut values, &mut labels);
        let (pixels_at, labels_at) = (values.as_ptr(), labels.as_ptr());
        dataset.gather(&[3, 1], &mut values, &mut labels);
        assert_eq!((values.len(), labels.len()), (2 * PIXELS, 2));
        assert_eq!((values.as_ptr(), labels.as_ptr()), (pixels_at, labels_at));
    }
}
