//! What a data set is, without its images.

use serde::{Deserialize, Serialize};

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
    /// MNIST: 28×28 grey pixels, the digits 0 to 9.
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
}

impl Default for DataInfo {
    fn default() -> Self {
        Self::mnist()
    }
}
