//! Which images and labels a run trains on.

use serde::{Deserialize, Serialize};

use super::Splits;

/// CRC-32 of each part of a data set. They tell whether a set has changed, not who changed it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checksums {
    /// Pixels of the training images, file order.
    pub train_images: u32,
    /// Labels of the training images.
    pub train_labels: u32,
    /// Pixels of the test images.
    pub test_images: u32,
    /// Labels of the test images.
    pub test_labels: u32,
}

impl Checksums {
    /// The checksums of a data set.
    pub fn of(data: &Splits) -> Self {
        Self {
            train_images: crc32fast::hash(data.train.images()),
            train_labels: crc32fast::hash(data.train.labels()),
            test_images: crc32fast::hash(data.test.images()),
            test_labels: crc32fast::hash(data.test.labels()),
        }
    }

    /// The parts whose checksums differ, as a list in a sentence; `None` if none does.
    pub fn difference(&self, other: &Self) -> Option<String> {
        let parts = [
            ("training images", self.train_images == other.train_images),
            ("training labels", self.train_labels == other.train_labels),
            ("test images", self.test_images == other.test_images),
            ("test labels", self.test_labels == other.test_labels),
        ];
        let differing: Vec<_> =
            parts.iter().filter(|(_, is_same)| !is_same).map(|(part, _)| *part).collect();
        match differing.as_slice() {
            [] => None,
            [one] => Some((*one).to_owned()),
            [first @ .., last] => Some(format!("{} and {last}", first.join(", "))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{DataInfo, Dataset};

    fn set(pixel: u8, label: u8) -> Dataset {
        Dataset::new([1, 28, 28], 10, vec![pixel; 2 * 784], vec![label; 2]).expect("two images")
    }

    #[test]
    fn each_part_that_differs_is_named() {
        let sums = |train, test| Checksums::of(&Splits::new(DataInfo::mnist(), train, test));
        let first = sums(set(1, 2), set(3, 4));
        assert_eq!(first.difference(&sums(set(1, 2), set(3, 4))), None);
        let labels = first.difference(&sums(set(1, 9), set(3, 4)));
        assert_eq!(labels.as_deref(), Some("training labels"));
        let most = first.difference(&sums(set(1, 9), set(4, 5)));
        assert_eq!(most.as_deref(), Some("training labels, test images and test labels"));
    }
}
