//! Why a data set cannot be had, each as one sentence to act on.

use std::io;
use std::path::PathBuf;

use super::SIDE;
use super::idx::{Kind, MAX_COUNT};

/// Why a data set cannot be had. Each message is one sentence that names the file, what was found,
/// what was expected and, where it is not plain, what to do.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// `--data` names something that does not exist.
    #[error(
        "there is no folder {}: --data takes `builtin`, `hub` or a folder with the four MNIST \
         files",
        .folder.display()
    )]
    NoFolder {
        /// The folder asked for.
        folder: PathBuf,
    },
    /// `--data` names something that is not a folder.
    #[error(
        "{} is not a folder: --data takes `builtin`, `hub` or a folder with the four MNIST files",
        .path.display()
    )]
    NotAFolder {
        /// What was asked for.
        path: PathBuf,
    },
    /// One of the four files is not in the folder, neither raw nor as `.gz`.
    #[error(
        "{} holds no {name} and no {name}.gz: expected train-images-idx3-ubyte, \
         train-labels-idx1-ubyte, t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte, each raw or \
         .gz",
        .folder.display()
    )]
    MissingFile {
        /// The folder searched.
        folder: PathBuf,
        /// The canonical name of the file.
        name: &'static str,
    },
    /// A folder, pipe or device has the name of one of the files.
    #[error("{file} is not a regular file: expected IDX {kind}, raw or .gz")]
    NotAFile {
        /// The path.
        file: String,
        /// What the file should hold.
        kind: Kind,
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
    #[error(
        "{file} is not whole gzip data ({reason}): fetch it again, or drop the .gz from its \
         name if it is already unpacked"
    )]
    BadGzip {
        /// The path.
        file: String,
        /// What the decoder says.
        reason: io::Error,
    },
    /// The first four bytes are not those of the expected kind of file.
    #[error(
        "{file} starts with 0x{found:08x}, expected 0x{:08x} for IDX {kind}: it is another \
         file under this name, or compressed",
        .kind.magic()
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
    #[error("{file} holds images of {rows}×{columns} pixels, expected {SIDE}×{SIDE}")]
    BadDimensions {
        /// The path.
        file: String,
        /// The header's number of rows.
        rows: u32,
        /// The header's number of columns.
        columns: u32,
    },
    /// The header announces nothing.
    #[error("{file} announces 0 {kind}, expected at least 1")]
    Empty {
        /// The path.
        file: String,
        /// What the file should hold.
        kind: Kind,
    },
    /// The header announces more than is ever read.
    #[error(
        "{file} announces {count} {kind}, expected at most {MAX_COUNT}: the file is damaged \
         or no MNIST file"
    )]
    TooMany {
        /// The path.
        file: String,
        /// The header's count.
        count: u32,
        /// What the file should hold.
        kind: Kind,
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
        images: u32,
        /// The path of the labels.
        labels_file: String,
        /// How many labels the header announces.
        labels: u32,
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
    /// The file goes on after what its header announces.
    #[error(
        "{file} goes on for {found} bytes or more, expected an end after {expected}: the file \
         is damaged or no MNIST file"
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
        "{file} has {label} as label number {position} (from 0), expected labels below {classes}"
    )]
    BadLabel {
        /// The path.
        file: String,
        /// Which label, counted from 0.
        position: usize,
        /// Its value.
        label: u8,
        /// The number of classes.
        classes: usize,
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
    /// The hub did not deliver MNIST.
    #[error(
        "cannot get MNIST from the hub ({reason}): check the network and HF_ENDPOINT, HF_HOME \
         and HF_TOKEN where they are set, or use --data builtin"
    )]
    Hub {
        /// The downloader's words, or how the set differs from MNIST.
        reason: String,
    },
    /// The binary was built without the feature `hub`.
    #[error(
        "this mnist-tui is built without the feature `hub`: build it with `cargo build --release \
         --features hub`, or use --data builtin"
    )]
    HubNotBuilt,
}
