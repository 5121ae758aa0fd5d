//! Why a data set cannot be had, each as one sentence to act on.

use std::{
    io,
    path::{Path, PathBuf},
};

use super::{PictureError, idx::Kind, sniff::Foreign};
use crate::config::{HubSet, SIDES};

/// What `--data` takes.
const ACCEPTED: &str = "--data takes `builtin`, `hub`, a folder of IDX files such as \
                        train-images-idx3-ubyte, an .npz file, a CSV file or a folder of them, or a \
                        folder with a folder of pictures for each class";

/// Why a data set cannot be had. Each message is one sentence that names the file, what was found,
/// what was expected and, where it is not plain, what to do.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// `--data` names something that does not exist.
    #[error("there is no file or folder {}: {ACCEPTED}", .path.display())]
    Missing {
        /// What was asked for.
        path: PathBuf,
    },
    /// There is nothing that looks like a data set.
    #[error("{} holds no data set that is known here ({found}): {ACCEPTED}", .path.display())]
    Unrecognised {
        /// What was asked for.
        path: PathBuf,
        /// What is there.
        found: String,
    },
    /// A folder holds several data sets.
    #[error(
        "{} holds several data sets ({}): choose one, as in --data {}",
        .folder.display(), .choices.join(", "), .folder.join(.choices.first().map_or("", |one| one)).display()
    )]
    Ambiguous {
        /// The folder searched.
        folder: PathBuf,
        /// What can be appended to its path.
        choices: Vec<String>,
    },
    /// A file that the set needs is not there.
    #[error("{} holds no {expected}, which belongs to {present}", .folder.display())]
    MissingFile {
        /// The folder searched.
        folder: PathBuf,
        /// The name of the file.
        expected: String,
        /// The name of a file of the same set that is there.
        present: String,
    },
    /// An `.npz` file lacks training images or labels.
    #[error(
        "there are no training images with labels in {}: expected arrays named x_train and y_train and, if \
         there are test images, x_test and y_test",
        .found.join(", ")
    )]
    MissingArrays {
        /// The files, with what is in them.
        found: Vec<String>,
    },
    /// A folder, pipe or device has the name of one of the files.
    #[error("{file} is not a regular file: expected {expected}")]
    NotAFile {
        /// The path.
        file: String,
        /// What the file should hold.
        expected: &'static str,
    },
    /// A file is none that can be read, but is known to be something else.
    #[error("{file} is {}, expected {expected}: {}", .foreign.what, .foreign.advice)]
    Foreign {
        /// The path.
        file: String,
        /// What it is.
        foreign: Foreign,
        /// What the file should hold.
        expected: String,
    },
    /// Something in a file cannot be used.
    #[error("{file} {found}, expected {expected}")]
    Unusable {
        /// The path.
        file: String,
        /// What was found, as the rest of a sentence.
        found: String,
        /// What was expected and, where it is not plain, what to do.
        expected: String,
    },
    /// The operating system refuses to open or read a file.
    #[error("cannot read {file}: {reason}")]
    Read {
        /// The path.
        file: String,
        /// The system's answer.
        reason: io::Error,
    },
    /// A `.gz` file does not decompress.
    #[error("{file} is not whole gzip data ({reason}): fetch it again")]
    BadGzip {
        /// The path.
        file: String,
        /// What the decoder says.
        reason: io::Error,
    },
    /// The first four bytes are not those of the expected kind of file.
    #[error(
        "{file} starts with 0x{found:08x}, expected {} for IDX {kind}: it is another file under this \
         name",
        match .kind { Kind::Images => "0x00000803", Kind::Labels => "0x00000801" }
    )]
    BadMagic {
        /// The path.
        file: String,
        /// The first four bytes, big-endian.
        found: u32,
        /// What the file should hold.
        kind: Kind,
    },
    /// The images have another size.
    #[error(
        "{file} holds images of {rows}×{columns} pixels, expected {} to {} along each side",
        SIDES.start(), SIDES.end()
    )]
    BadDimensions {
        /// The path.
        file: String,
        /// The number of rows.
        rows: u64,
        /// The number of columns.
        columns: u64,
    },
    /// The header announces nothing.
    #[error("{file} announces 0 {kind}, expected at least 1")]
    Empty {
        /// The path.
        file: String,
        /// What the file should hold.
        kind: Kind,
    },
    /// There are more than are ever read.
    #[error(
        "{file} announces {count} {kind}, expected at most {most}: the file is damaged, or too large"
    )]
    TooMany {
        /// The path.
        file: String,
        /// The header's count.
        count: u64,
        /// What the file should hold.
        kind: Kind,
        /// The most that are read.
        most: u64,
    },
    /// Images and labels do not belong together.
    #[error(
        "{images_file} holds {images} images and {labels_file} holds {labels} labels, expected as \
         many labels as images: take both files from the same set"
    )]
    CountsDiffer {
        /// The path of the images.
        images_file: String,
        /// How many images the header announces.
        images: u64,
        /// The path of the labels.
        labels_file: String,
        /// How many labels the header announces.
        labels: u64,
    },
    /// The file ends too early.
    #[error(
        "{file} ends after {found} bytes, expected {expected}: the file is cut short, fetch it \
         again"
    )]
    Truncated {
        /// The path.
        file: String,
        /// Bytes in the file (after decompression).
        found: u64,
        /// Bytes that the header, or a header itself, needs.
        expected: u64,
    },
    /// The file is longer than its header says.
    #[error(
        "{file} goes on for {found} bytes or more, expected an end after {expected}: the file is \
         damaged"
    )]
    TrailingBytes {
        /// The path.
        file: String,
        /// Bytes seen (after decompression).
        found: u64,
        /// Bytes that the header announces.
        expected: u64,
    },
    /// A label is none of the classes.
    #[error(
        "{file} has {label} as label number {position} (from 0), expected {lowest} to {highest}"
    )]
    BadLabel {
        /// The path.
        file: String,
        /// Which label, counted from 0.
        position: usize,
        /// Its value.
        label: i64,
        /// The lowest label.
        lowest: u8,
        /// The highest label.
        highest: usize,
    },
    /// Pixels and labels handed over in memory do not belong together.
    #[error(
        "{pixels} pixels do not belong to {labels} labels, expected {each} pixels for each label"
    )]
    UnequalParts {
        /// Number of pixels.
        pixels: usize,
        /// Number of labels.
        labels: usize,
        /// Pixels in an image.
        each: usize,
    },
    /// The memory for a file cannot be had.
    #[error(
        "there is not enough memory for the {bytes} bytes of {file}: end other programs, raise the \
         limit (`ulimit -v`), or use a smaller set"
    )]
    OutOfMemory {
        /// The path.
        file: String,
        /// Bytes asked for.
        bytes: u64,
    },
    /// An asset inside the binary does not decompress.
    #[error(
        "the built-in {file} cannot be decoded ({reason}): this program is damaged, build it again"
    )]
    BadAsset {
        /// The canonical name of the file.
        file: &'static str,
        /// What the decoder says.
        reason: &'static str,
    },
    /// A picture cannot be used.
    #[error(transparent)]
    Picture(#[from] PictureError),
    /// The hub did not deliver the set.
    #[error(
        "cannot get {set} from the hub ({reason}): check the network and HF_ENDPOINT, HF_HOME \
         and HF_TOKEN where they are set, or use --data builtin"
    )]
    Hub {
        /// The set.
        set: &'static str,
        /// The downloader's words, or how the set differs from what it should be.
        reason: String,
    },
    /// The binary was built without the feature `hub`.
    #[error(
        "this mnist-tui is built without the feature `hub` and cannot download {set}: build it with \
         `cargo build --release --features hub`, or use --data builtin"
    )]
    HubNotBuilt {
        /// What was asked for.
        set: HubSet,
    },
}

impl DataError {
    /// A file that is known to be something else than `expected`.
    pub(super) fn foreign(file: &str, foreign: Foreign, expected: impl Into<String>) -> Self {
        Self::Foreign { file: file.to_owned(), foreign, expected: expected.into() }
    }

    /// Several sets in a folder, of which the first few are named.
    pub(super) fn ambiguous(folder: &Path, mut choices: Vec<String>) -> Self {
        const LISTED: usize = 8;
        if choices.len() > LISTED {
            choices.truncate(LISTED);
            choices.push("…".to_owned());
        }
        Self::Ambiguous { folder: folder.to_owned(), choices }
    }

    /// Something in a file that cannot be used: `{file} {found}, expected {expected}`.
    pub(super) fn unusable(
        file: impl Into<String>,
        found: impl Into<String>,
        expected: impl Into<String>,
    ) -> Self {
        Self::Unusable { file: file.into(), found: found.into(), expected: expected.into() }
    }
}
