//! What a data set is, without its images.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use crate::config::SIDES;

/// Classes that a set may have.
pub(super) const CLASS_COUNTS: RangeInclusive<usize> = 2..=100;
/// Most characters of a set's name, and of a class's.
pub(super) const LONGEST_NAME: usize = 64;

/// Name, image size and classes of a data set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataInfo {
    /// What it is called: `MNIST`, `Fashion-MNIST`, a folder's name.
    pub name: String,
    /// Channels, rows and columns of every image.
    pub shape: [usize; 3],
    /// Names of the classes, by label.
    pub classes: Vec<String>,
}

impl DataInfo {
    /// MNIST: 28×28 greyscale pixels, the digits 0 to 9.
    pub fn mnist() -> Self {
        let classes = (0..10).map(|digit| digit.to_string()).collect();
        Self { name: "MNIST".into(), shape: [1, 28, 28], classes }
    }

    /// Rows of an image.
    pub fn height(&self) -> usize {
        self.shape[1]
    }

    /// Columns of an image.
    pub fn width(&self) -> usize {
        self.shape[2]
    }

    /// Bytes of an image.
    pub fn pixels(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether images, classes and names are within what is supported. One that was read from a file
    /// need not be.
    pub fn is_supported(&self) -> bool {
        let [channels, sides @ ..] = self.shape;
        channels == 1
            && sides.iter().all(|side| SIDES.contains(side))
            && CLASS_COUNTS.contains(&self.classes.len())
            && self
                .classes
                .iter()
                .chain([&self.name])
                .all(|name| name.chars().count() <= LONGEST_NAME)
    }
}

impl Default for DataInfo {
    fn default() -> Self {
        Self::mnist()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mnist_is_supported_and_what_is_out_of_range_is_not() {
        let mnist = DataInfo::mnist();
        assert!(mnist.is_supported());
        let with = |shape, classes| DataInfo {
            shape,
            classes: vec![String::new(); classes],
            ..DataInfo::mnist()
        };
        assert!(with([1, 8, 64], 100).is_supported() && with([1, 64, 8], 2).is_supported());
        for (shape, classes) in [
            ([3, 28, 28], 10),
            ([1, 7, 28], 10),
            ([1, 28, 65], 10),
            ([1, usize::MAX, usize::MAX], 10),
            ([1, 28, 28], 1),
            ([1, 28, 28], 101),
        ] {
            assert!(!with(shape, classes).is_supported(), "{shape:?} {classes}");
        }
        assert!(!DataInfo { name: "x".repeat(65), ..mnist }.is_supported());
    }
}
