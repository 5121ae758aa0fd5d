//! Why weights cannot be loaded or saved, each as one sentence.

use std::{fmt, io};

use safetensors::Dtype;

use super::MAX_BYTES;
use crate::nn::parameters::SHAPES;

/// Why weights cannot be loaded or saved. Each message is one sentence that names the file, what
/// was found and what was expected.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// There is no such file.
    #[error("there is no file {file}: expected a safetensors file with the network's weights")]
    Missing {
        /// The path.
        file: String,
    },
    /// A folder, pipe or device stands where a file should be.
    #[error("{file} is not a regular file: expected a safetensors file with the network's weights")]
    NotAFile {
        /// The path.
        file: String,
    },
    /// The operating system refuses to open or read the file.
    #[error("cannot read {file}: {reason}")]
    Read {
        /// The path.
        file: String,
        /// The system's answer.
        reason: io::Error,
    },
    /// The file is far too large.
    #[error(
        "{file} has {bytes} bytes, expected about 21000 and never more than {MAX_BYTES}: it holds \
         another network, or something else"
    )]
    TooLarge {
        /// The path.
        file: String,
        /// Its size.
        bytes: u64,
    },
    /// The file is not in the safetensors format.
    #[error(
        "{file} is not a whole safetensors file ({reason}): it is damaged, cut short or of another \
         format"
    )]
    Malformed {
        /// The path.
        file: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The file holds something else than this network's weights.
    #[error("{file} does not hold this network's weights: {flaw}")]
    Unfit {
        /// The path.
        file: String,
        /// How they differ.
        flaw: Flaw,
    },
    /// A file of weights where a checkpoint should be.
    #[error(
        "{file} holds weights alone: a new run can start from them with --init, but none can be \
         resumed"
    )]
    WeightsAlone {
        /// The path.
        file: String,
    },
    /// A checkpoint of another program version.
    #[error("{file} is a checkpoint of format {found}: this program reads format {expected}")]
    Version {
        /// The path.
        file: String,
        /// What it says.
        found: String,
        /// What is read here.
        expected: u32,
    },
    /// A checkpoint whose facts cannot be read.
    #[error("{file} is damaged: its {what} is unusable ({reason})")]
    Damaged {
        /// The path.
        file: String,
        /// Which part.
        what: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The weights to be saved are not such that they could be loaded again.
    #[error("{file} is not written, because the weights could not be loaded again: {flaw}")]
    Unsavable {
        /// The path.
        file: String,
        /// How they differ from this network's.
        flaw: Flaw,
    },
    /// No file can be written there.
    #[error("cannot save the weights to {file}: {reason}")]
    Target {
        /// The path.
        file: String,
        /// What is in the way.
        reason: io::Error,
    },
    /// The operating system refuses to write the file.
    #[error("cannot write {file} ({reason}): what was there before is unchanged")]
    Write {
        /// The path.
        file: String,
        /// The system's answer.
        reason: io::Error,
    },
}

/// How tensors differ from this network's weights.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum Flaw {
    /// A tensor is not there.
    #[error("there is no tensor {name}, expected {}", Names)]
    Missing {
        /// Its name.
        name: &'static str,
    },
    /// There is a tensor too many.
    #[error("there is a tensor {name:?}, expected only {}", Names)]
    Unexpected {
        /// Its name, cut off if it is very long.
        name: String,
    },
    /// A tensor has another shape.
    #[error("{name} has the shape {found}, expected {expected:?}")]
    Shape {
        /// Its name.
        name: &'static str,
        /// Its shape, or the number of its values if that does not fit the shape.
        found: String,
        /// The network's shape.
        expected: &'static [usize],
    },
    /// A tensor has another type.
    #[error("{name} holds {found} values, expected F32")]
    Type {
        /// Its name.
        name: &'static str,
        /// Its type.
        found: Dtype,
    },
    /// A value is infinite or not a number.
    #[error("{name} is {value} at position {position}, expected finite numbers")]
    NotFinite {
        /// The tensor's name.
        name: &'static str,
        /// Where in the tensor, counted from 0 through all its values.
        position: usize,
        /// The value.
        value: f32,
    },
}

/// The six names, as a list to read.
struct Names;

impl fmt::Display for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&SHAPES.map(|(name, _)| name).join(", "))
    }
}
