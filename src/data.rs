//! Data sets in memory: a byte a pixel, floats only for the batch at hand.

pub mod batches;
mod builtin;
pub mod centre;
mod checksums;
mod dataset;
mod error;
#[cfg(feature = "hub")]
mod hub;
pub mod idx;
mod info;
pub mod picture;
pub mod split;
mod splits;

use std::path::{Path, PathBuf};

pub use checksums::Checksums;
pub use dataset::Dataset;
pub use error::DataError;
pub use info::DataInfo;
pub use splits::Splits;

/// Pixels along each side of one of MNIST's images.
pub const SIDE: usize = 28;
/// Pixels in one of MNIST's images.
pub const PIXELS: usize = SIDE * SIDE;
/// Digits that one of MNIST's images can show.
pub const CLASSES: usize = 10;

/// The canonical set that is part of the program.
///
/// # Errors
/// If the program is damaged or there is no memory.
pub fn builtin() -> Result<Splits, DataError> {
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
pub fn from_dir(folder: &Path) -> Result<Splits, DataError> {
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
    let train = idx::read_pair(&train_images, &train_labels)?;
    let test = idx::read_pair(&test_images, &test_labels)?;
    Ok(Splits::new(DataInfo::mnist(), train, test))
}

/// The set as the Hugging Face hub has it, fetched the first time and cached. This may wait on the
/// network for ever.
///
/// # Errors
/// If it cannot be fetched or is not MNIST, and always in a build without the feature `hub`.
pub fn from_hub() -> Result<Splits, DataError> {
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
