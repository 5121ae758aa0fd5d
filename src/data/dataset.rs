//! Images and their labels.

use std::sync::Arc;

use super::{DataError, idx};

/// Images of one size, and the class of each. A clone shares their memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dataset {
    pub(super) shape: [usize; 3],
    pub(super) images: Arc<Vec<u8>>,
    pub(super) labels: Arc<Vec<u8>>,
}

impl Dataset {
    /// A set of `images` (`[n, channels, height, width]`, a byte a pixel) of this `shape` and their
    /// `labels` (`[n]`), each below `classes`.
    ///
    /// # Errors
    /// If the images do not have one label each, or a label is not one of the classes.
    pub fn new(
        shape: [usize; 3],
        classes: usize,
        images: Vec<u8>,
        labels: Vec<u8>,
    ) -> Result<Self, DataError> {
        let each = shape.iter().product::<usize>().max(1);
        if !images.len().is_multiple_of(each) || images.len() / each != labels.len() {
            return Err(DataError::UnequalParts {
                pixels: images.len(),
                labels: labels.len(),
                each,
            });
        }
        idx::check_labels("the set", classes, &labels)?;
        Ok(Self { shape, images: Arc::new(images), labels: Arc::new(labels) })
    }

    /// Whether this is a clone of `other`, in the same memory.
    pub fn shares_memory_with(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.images, &other.images) && Arc::ptr_eq(&self.labels, &other.labels)
    }

    /// Whether there are clones of it.
    pub fn is_shared(&self) -> bool {
        Arc::strong_count(&self.images) > 1
    }

    /// The number of images.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are no images.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Channels, rows and columns of an image.
    pub fn shape(&self) -> [usize; 3] {
        self.shape
    }

    /// Bytes of an image.
    pub fn pixels(&self) -> usize {
        self.shape.iter().product()
    }

    /// The pixels of an image, row by row.
    ///
    /// # Panics
    /// If `index` is not below `len()`.
    pub fn image(&self, index: usize) -> &[u8] {
        let pixels = self.pixels();
        &self.images[index * pixels..(index + 1) * pixels]
    }

    /// The class of an image.
    ///
    /// # Panics
    /// If `index` is not below `len()`.
    pub fn label(&self, index: usize) -> u8 {
        self.labels[index]
    }

    /// The pixels of all images, `[n, channels, height, width]`.
    pub fn images(&self) -> &[u8] {
        &self.images
    }

    /// The classes of all images, `[n]`.
    pub fn labels(&self) -> &[u8] {
        &self.labels
    }
}
