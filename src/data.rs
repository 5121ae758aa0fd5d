//! Data sets in memory: a byte a pixel, floats only for the batch at hand.

pub mod augment;
pub mod batches;
mod builtin;
pub mod centre;
mod checksums;
mod dataset;
mod description;
mod error;
mod file;
mod format;
#[cfg(feature = "hub")]
mod hub;
pub mod idx;
mod info;
mod known;
mod limits;
pub mod picture;
mod sniff;
pub mod split;
mod splits;

use crate::config::{DataSource, HubSet, ImageSize};

pub use checksums::Checksums;
pub use dataset::Dataset;
pub use description::{Description, PartDescription};
pub use error::DataError;
pub use info::DataInfo;
pub use picture::PictureError;
pub use sniff::Foreign;
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

/// The set that `source` stands for. Pictures are scaled to `size`, and CSV files say with it that their
/// images are not square; other sets must have it.
///
/// # Errors
/// If it cannot be read or is not supported.
pub fn load(source: &DataSource, size: Option<ImageSize>) -> Result<Splits, DataError> {
    match source {
        DataSource::Builtin => builtin(),
        DataSource::Hub(set) => from_hub(*set),
        DataSource::Path(path) => format::load(path, size),
    }
}

/// A set as the Hugging Face hub has it, fetched the first time and cached. This may wait on the
/// network forever.
///
/// # Errors
/// If it cannot be fetched or is not what it should be, and always in a build without the feature
/// `hub`.
pub fn from_hub(set: HubSet) -> Result<Splits, DataError> {
    #[cfg(feature = "hub")]
    return hub::load(set);
    #[cfg(not(feature = "hub"))]
    return Err(DataError::HubNotBuilt { set });
}
