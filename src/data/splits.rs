//! A data set with its parts.

use super::{DataInfo, Dataset};

/// The training and the test images of a data set, and what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Splits {
    /// Name, image size and classes.
    pub info: DataInfo,
    /// Images to train on.
    pub train: Dataset,
    /// Images to test on.
    pub test: Dataset,
    /// Sentences that a user should see, such as how the test images were chosen.
    pub notes: Vec<String>,
}

impl Splits {
    /// A set with nothing noteworthy about it.
    pub fn new(info: DataInfo, train: Dataset, test: Dataset) -> Self {
        Self { info, train, test, notes: Vec::new() }
    }
}
