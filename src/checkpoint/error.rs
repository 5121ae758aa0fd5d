//! Why weights cannot be loaded or saved, each as one sentence.

use std::io;

use safetensors::Dtype;

use super::MAX_BYTES;

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
        "{file} has {bytes} bytes, expected at most {MAX_BYTES}: it holds a larger network than this \
         program trains, or something else"
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
    /// The file is in another format.
    #[error("{file} is not a safetensors file: {what}")]
    Foreign {
        /// The path.
        file: String,
        /// Which format it is in, and what to do.
        what: String,
    },
    /// The file holds something else than a network's weights.
    #[error("{file} does not hold the weights of {network}: {flaw}{hint}")]
    Unfit {
        /// The path.
        file: String,
        /// The network.
        network: String,
        /// How they differ.
        flaw: Box<Flaw>,
        /// What to try, after a semicolon; may be empty.
        hint: &'static str,
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
        flaw: Box<Flaw>,
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

/// How tensors differ from a network's weights.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Flaw {
    /// A parameter is not there.
    #[error("there is no tensor {name}, expected {expected}")]
    Missing {
        /// Its name in the file.
        name: String,
        /// The names of all.
        expected: String,
    },
    /// A tensor of a checkpoint is not there.
    #[error("there is no tensor {name}")]
    Absent {
        /// Its name.
        name: String,
    },
    /// There is a tensor too many.
    #[error("there is a tensor {name:?}, expected only {expected}")]
    Unexpected {
        /// Its name, cut off if it is very long.
        name: String,
        /// The names of all.
        expected: String,
    },
    /// The layers of an `nn.Sequential` are of other kinds.
    #[error(
        "it has tensors for the layers {found} of an nn.Sequential, expected those of {expected}"
    )]
    Order {
        /// The layers of the file.
        found: String,
        /// The layers of the network.
        expected: String,
    },
    /// A tensor has another shape.
    #[error("{name} has the shape {found}, expected {expected:?}")]
    Shape {
        /// Its name.
        name: String,
        /// Its shape.
        found: String,
        /// The network's shape.
        expected: Vec<usize>,
    },
    /// The values are more or fewer.
    #[error("there are {found} {what}, expected {expected}")]
    Length {
        /// What they are.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many there should be.
        expected: usize,
    },
    /// A tensor has another type.
    #[error("{name} holds {found} values, expected F32, F16, BF16 or F64")]
    Type {
        /// Its name.
        name: String,
        /// Its type.
        found: Dtype,
    },
    /// A value is infinite or not a number.
    #[error("{name} is {value} at position {position}, expected finite numbers")]
    NotFinite {
        /// The tensor's name.
        name: String,
        /// Where in the tensor, counted from 0 through all its values.
        position: usize,
        /// The value.
        value: f32,
    },
    /// The network was trained on images of another size, or in other classes.
    #[error("they were trained on {found}, expected {expected}")]
    Images {
        /// What the file says.
        found: String,
        /// What the run trains on.
        expected: String,
    },
    /// The layers make no network for the images.
    #[error("{reason}")]
    Plan {
        /// Why.
        reason: String,
    },
    /// The file is of another network.
    #[error("it holds the weights of {found}")]
    Network {
        /// The file's network.
        found: String,
    },
}

/// Names as a list to read: all of a few, the first ones of many.
pub(super) fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    const MOST: usize = 12;
    let names: Vec<&str> = names.collect();
    match names.get(..MOST) {
        Some(first) if names.len() > MOST => {
            format!("{} and {} more", first.join(", "), names.len() - MOST)
        }
        _ => names.join(", "),
    }
}

/// The start of a text out of a file, without control characters: it may be of any length and hold
/// anything, and a terminal shows it.
pub(super) fn shortened(text: &str) -> String {
    const LONGEST: usize = 100;
    let mut short: String =
        text.chars().take(LONGEST).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if text.chars().nth(LONGEST).is_some() {
        short.push('…');
    }
    short
}
