//! MNIST in memory: a byte a pixel, floats only for the batch at hand.

pub mod batches;
mod builtin;
pub mod centre;
mod checksums;
mod error;
#[cfg(feature = "hub")]
mod hub;
pub mod idx;
mod info;
pub mod picture;
pub mod split;

use std::path::{Path, PathBuf};

pub use checksums::Checksums;
pub use error::DataError;
pub use info::DataInfo;

/// Pixels along each side of an image.
pub const SIDE: usize = 28;
/// Pixels in an image.
pub const PIXELS: usize = SIDE * SIDE;
/// Digits that an image can show.
pub const CLASSES: usize = 10;

/// Images of handwritten digits and which digit each one shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dataset {
    images: Vec<u8>,
    labels: Vec<u8>,
}

impl Dataset {
    /// A set of `images` (`[n, 28, 28]`, a byte a pixel, 255 is ink) and their `labels` (`[n]`).
    ///
    /// # Errors
    /// If there are not 784 pixels for each label, or a label is above 9.
    pub fn new(images: Vec<u8>, labels: Vec<u8>) -> Result<Self, DataError> {
        if !images.len().is_multiple_of(PIXELS) || images.len() / PIXELS != labels.len() {
            return Err(DataError::UnequalParts { pixels: images.len(), labels: labels.len() });
        }
        idx::check_labels("the set", &labels)?;
        Ok(Self { images, labels })
    }

    /// The number of images.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are no images.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The 784 pixels of an image, row by row.
    ///
    /// # Panics
    /// If `index` is not below `len()`.
    pub fn image(&self, index: usize) -> &[u8] {
        &self.images[index * PIXELS..(index + 1) * PIXELS]
    }

    /// The digit that an image shows.
    ///
    /// # Panics
    /// If `index` is not below `len()`.
    pub fn label(&self, index: usize) -> u8 {
        self.labels[index]
    }

    /// The pixels of all images, `[n, 28, 28]`.
    pub fn images(&self) -> &[u8] {
        &self.images
    }

    /// The digits of all images, `[n]`.
    pub fn labels(&self) -> &[u8] {
        &self.labels
    }
}

/// The two sets of MNIST.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mnist {
    /// 60,000 images to train on.
    pub train: Dataset,
    /// 10,000 images by other writers.
    pub test: Dataset,
}

/// The canonical set that is part of the program.
///
/// # Errors
/// If the program is damaged or there is no memory.
pub fn builtin() -> Result<Mnist, DataError> {
    builtin::load()
}

/// The set in the four canonical IDX files of a folder, each raw or `.gz`; raw is taken where both
/// are there.
///
/// The names may also have a dot for the second hyphen (`train-images.idx3-ubyte`), as some
/// archives unpack them. The sets may have any number of images.
///
/// # Errors
/// If a file is missing, cannot be read or is not what its name says; each error names the file.
pub fn from_dir(folder: &Path) -> Result<Mnist, DataError> {
    match folder.metadata() {
        Ok(metadata) if metadata.is_dir() => {}
        Ok(_) => return Err(DataError::NotAFolder { path: folder.to_owned() }),
        Err(reason) if reason.kind() == std::io::ErrorKind::NotFound => {
            return Err(DataError::NoFolder { folder: folder.to_owned() });
        }
        Err(reason) => {
            return Err(DataError::Read { file: folder.display().to_string(), reason });
        }
    }
    // All four are looked for before the first is read.
    let [train_images, train_labels, test_images, test_labels] = [
        find(folder, "train-images-idx3-ubyte")?,
        find(folder, "train-labels-idx1-ubyte")?,
        find(folder, "t10k-images-idx3-ubyte")?,
        find(folder, "t10k-labels-idx1-ubyte")?,
    ];
    Ok(Mnist {
        train: idx::read_pair(&train_images, &train_labels)?,
        test: idx::read_pair(&test_images, &test_labels)?,
    })
}

/// The set as the Hugging Face hub has it, fetched the first time and cached. This may wait on the
/// network for ever.
///
/// # Errors
/// If it cannot be fetched or is not MNIST, and always in a build without the feature `hub`.
pub fn from_hub() -> Result<Mnist, DataError> {
    #[cfg(feature = "hub")]
    return hub::load();
    #[cfg(not(feature = "hub"))]
    return Err(DataError::HubNotBuilt);
}

/// The path of one of the four files, under the first of its names that is there.
fn find(folder: &Path, name: &'static str) -> Result<PathBuf, DataError> {
    let dotted = name.replacen("-idx", ".idx", 1);
    [name.to_owned(), dotted.clone(), format!("{name}.gz"), format!("{dotted}.gz")]
        .into_iter()
        .map(|name| folder.join(name))
        // A link that leads nowhere is there too: it gets the better error when it is opened.
        .find(|path| path.symlink_metadata().is_ok())
        .ok_or_else(|| DataError::MissingFile { folder: folder.to_owned(), name })
}
