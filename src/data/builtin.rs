//! The whole of MNIST inside the binary, so that the program needs no network and no files.

use std::{panic, thread};

use zstd::zstd_safe::{DCtx, get_error_name};

use super::idx::{self, Kind};
use super::{DataError, DataInfo, Dataset, Splits};

/// A canonical IDX file, compressed with zstd; `assets/README.md` says where it comes from.
struct Asset {
    name: &'static str,
    kind: Kind,
    /// Bytes after decompression.
    len: usize,
    compressed: &'static [u8],
}

macro_rules! asset {
    ($name:literal, $kind:expr, $len:literal) => {
        Asset {
            name: $name,
            kind: $kind,
            len: $len,
            compressed: include_bytes!(concat!("../../assets/mnist/", $name, ".zst")),
        }
    };
}

static TRAIN_IMAGES: Asset = asset!("train-images-idx3-ubyte", Kind::Images, 47_040_016);
static TRAIN_LABELS: Asset = asset!("train-labels-idx1-ubyte", Kind::Labels, 60_008);
static TEST_IMAGES: Asset = asset!("t10k-images-idx3-ubyte", Kind::Images, 7_840_016);
static TEST_LABELS: Asset = asset!("t10k-labels-idx1-ubyte", Kind::Labels, 10_008);

impl Asset {
    fn decode(&self) -> Result<Vec<u8>, DataError> {
        let no_memory = || DataError::OutOfMemory {
            file: format!("the built-in {}", self.name),
            bytes: self.len as u64,
        };
        // Both taken by hand, since of the decoder's own errors only some tell the lack of memory
        // from a damaged asset.
        let mut context = DCtx::try_create().ok_or_else(no_memory)?;
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(self.len).map_err(|_| no_memory())?;
        context.decompress(&mut bytes, self.compressed).map_err(|code| DataError::BadAsset {
            file: self.name,
            reason: get_error_name(code),
        })?;
        idx::parse(self.kind, self.name, bytes)
    }
}

/// Decodes both sets side by side, the test set on a thread of its own.
pub(super) fn load() -> Result<Splits, DataError> {
    let decode_test = || dataset(&TEST_IMAGES, &TEST_LABELS);
    thread::scope(|scope| {
        let spawned = thread::Builder::new().name("decode".into()).spawn_scoped(scope, decode_test);
        let train = dataset(&TRAIN_IMAGES, &TRAIN_LABELS);
        let test = match spawned {
            Ok(thread) => thread.join().unwrap_or_else(|panic| panic::resume_unwind(panic)),
            // No more threads to be had: it takes longer, that is all.
            Err(_) => decode_test(),
        };
        Ok(Splits::new(DataInfo::mnist(), train?, test?))
    })
}

fn dataset(images: &Asset, labels: &Asset) -> Result<Dataset, DataError> {
    let info = DataInfo::mnist();
    Dataset::new(info.shape, info.classes.len(), images.decode()?, labels.decode()?)
}
