//! Counts of true against predicted classes, and the figures they give.

use serde::{Deserialize, Serialize};

/// Classes in MNIST: the digits 0 to 9.
pub const CLASSES: usize = 10;

/// How often each true class (row) was taken for each class (column).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Confusion {
    // Apart, since an event with it takes the memory of every event that waits.
    counts: Box<[[u32; CLASSES]; CLASSES]>,
}

/// A pair of different classes and how often the first was taken for the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Confused {
    /// True class.
    pub truth: usize,
    /// Class it was taken for.
    pub predicted: usize,
    /// How often.
    pub count: u32,
}

impl Confusion {
    /// A matrix from its counts: rows true, columns predicted.
    pub fn from_counts(counts: [[u32; CLASSES]; CLASSES]) -> Self {
        Self { counts: Box::new(counts) }
    }

    /// Counts one image.
    ///
    /// # Panics
    /// If a class is not below [`CLASSES`].
    pub fn record(&mut self, truth: usize, predicted: usize) {
        self.counts[truth][predicted] += 1;
    }

    /// How often `truth` was taken for `predicted`.
    pub fn count(&self, truth: usize, predicted: usize) -> u32 {
        self.counts[truth][predicted]
    }

    /// All images counted.
    pub fn total(&self) -> u32 {
        self.counts.iter().flatten().sum()
    }

    /// Images on the diagonal.
    pub fn correct(&self) -> u32 {
        (0..CLASSES).map(|class| self.counts[class][class]).sum()
    }

    /// Share of images on the diagonal, in 0..=1; `None` before any image.
    pub fn accuracy(&self) -> Option<f64> {
        ratio(self.correct(), self.total())
    }

    /// Images of this true class.
    pub fn support(&self, class: usize) -> u32 {
        self.counts[class].iter().sum()
    }

    /// Of the images taken for `class`, the share that are; `None` if none were.
    pub fn precision(&self, class: usize) -> Option<f64> {
        ratio(self.counts[class][class], self.counts.iter().map(|row| row[class]).sum())
    }

    /// Of the images of `class`, the share recognised; `None` if there are none.
    pub fn recall(&self, class: usize) -> Option<f64> {
        ratio(self.counts[class][class], self.support(class))
    }

    /// Harmonic mean of precision and recall; `None` where either is or both are zero.
    pub fn f1(&self, class: usize) -> Option<f64> {
        let (precision, recall) = (self.precision(class)?, self.recall(class)?);
        let sum = precision + recall;
        (sum > 0.0).then(|| 2.0 * precision * recall / sum)
    }

    /// Confused pairs, most frequent first; ties in order of true, then predicted class.
    pub fn most_confused(&self) -> Vec<Confused> {
        let mut pairs: Vec<_> = (0..CLASSES)
            .flat_map(|truth| (0..CLASSES).map(move |predicted| (truth, predicted)))
            .filter(|(truth, predicted)| truth != predicted)
            .map(|(truth, predicted)| Confused {
                truth,
                predicted,
                count: self.counts[truth][predicted],
            })
            .filter(|pair| pair.count > 0)
            .collect();
        // The sort is stable, which keeps ties in matrix order.
        pairs.sort_by_key(|pair| std::cmp::Reverse(pair.count));
        pairs
    }
}

fn ratio(part: u32, whole: u32) -> Option<f64> {
    (whole > 0).then(|| f64::from(part) / f64::from(whole))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn small() -> Confusion {
        let mut confusion = Confusion::default();
        for (truth, predicted) in [(4, 4), (4, 9), (4, 9), (9, 9), (9, 4), (7, 7)] {
            confusion.record(truth, predicted);
        }
        confusion
    }

    #[test]
    fn precision_counts_columns_and_recall_counts_rows() {
        let confusion = small();
        assert_eq!(confusion.precision(4), Some(0.5));
        assert_eq!(confusion.recall(4), Some(1.0 / 3.0));
        assert_eq!(confusion.f1(4), Some(0.4));
        assert_eq!(confusion.accuracy(), Some(0.5));
    }

    #[test]
    fn figures_without_images_are_absent_rather_than_nan() {
        let empty = Confusion::default();
        assert_eq!(
            (empty.accuracy(), empty.precision(0), empty.recall(0), empty.f1(0)),
            (None, None, None, None)
        );
        assert!(empty.most_confused().is_empty());
    }

    #[test]
    fn the_most_confused_pair_comes_first() {
        let pairs = small().most_confused();
        assert_eq!(pairs[0], Confused { truth: 4, predicted: 9, count: 2 });
        assert_eq!(pairs[1], Confused { truth: 9, predicted: 4, count: 1 });
        assert_eq!(pairs.len(), 2);
    }

    proptest! {
        #[test]
        fn totals_agree_however_images_fall(images in prop::collection::vec((0usize..10, 0usize..10), 0..300)) {
            let mut confusion = Confusion::default();
            for &(truth, predicted) in &images {
                confusion.record(truth, predicted);
            }
            let right = images.iter().filter(|(truth, predicted)| truth == predicted).count() as u32;
            let wrong: u32 = confusion.most_confused().iter().map(|pair| pair.count).sum();
            prop_assert_eq!(confusion.total() as usize, images.len());
            prop_assert_eq!(confusion.correct(), right);
            prop_assert_eq!(confusion.correct() + wrong, confusion.total());
        }
    }
}
