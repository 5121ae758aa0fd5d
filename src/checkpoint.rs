//! The network's weights in safetensors files, under `PyTorch`'s names: written whole or not at
//! all, and believed in nothing when they are read.

mod error;
mod training;

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use safetensors::tensor::{Dtype, Metadata, TensorView};

pub use error::{CheckpointError, Flaw};
pub use training::{
    Checkpoint, decode_checkpoint, encode_checkpoint, load_checkpoint, read_checkpoint,
    save_checkpoint,
};

use crate::files;
use crate::nn::parameters::{Parameter, Parameters, SHAPES};

/// The most bytes of a file that are read. Weights take 21,000 and checkpoints 66,000 with four for each
/// step of the epoch, so there is room for anything that another writer may add to the header.
pub const MAX_BYTES: u64 = 16 << 20;

/// Writes the six parameters to `path` as f32, in a file that `PyTorch`'s
/// `safetensors.torch.load_file` reads as a `state_dict`. The file is written beside `path`, synced
/// and renamed, so that a kill at any moment leaves the old file or the new one, whole.
///
/// # Errors
/// If the parameters are not those of this network or not finite, or the file cannot be written;
/// what was there is then unchanged.
pub fn save_weights(path: &Path, parameters: &Parameters) -> Result<(), CheckpointError> {
    let file = path.display().to_string();
    match encode(parameters) {
        Ok(bytes) => {
            files::replace(path, &bytes).map_err(|reason| CheckpointError::Write { file, reason })
        }
        Err(flaw) => Err(CheckpointError::Unsavable { file, flaw }),
    }
}

/// Checks whether a file can be written to `path`, so that training need not come first.
///
/// # Errors
/// As [`save_weights`], as far as it can be known.
pub fn check_target(path: &Path) -> Result<(), CheckpointError> {
    files::check_target(path)
        .map_err(|reason| CheckpointError::Target { file: path.display().to_string(), reason })
}

/// Whether writing weights to this path replaces nothing but weights of this network: there is no
/// file, an empty one, or one that [`load_weights`] reads.
pub fn may_replace(path: &Path) -> bool {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() && metadata.len() == 0 => true,
        Ok(_) => load_weights(path).is_ok(),
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

/// Reads the six parameters from a safetensors file of weights alone or a checkpoint, in the order of
/// the network.
///
/// # Errors
/// If the file cannot be read, is not in that format, or holds other tensors, shapes or types than
/// this network's, tensors of neither weights nor checkpoint, or values that are not finite.
pub fn load_weights(path: &Path) -> Result<Parameters, CheckpointError> {
    decode(&path.display().to_string(), &read(path)?)
}

fn read(path: &Path) -> Result<Vec<u8>, CheckpointError> {
    let file = || path.display().to_string();
    // Asked before opening, because opening a pipe without a writer blocks.
    match fs::metadata(path) {
        Ok(metadata) if !metadata.is_file() => {
            return Err(CheckpointError::NotAFile { file: file() });
        }
        Ok(metadata) if metadata.len() > MAX_BYTES => {
            return Err(CheckpointError::TooLarge { file: file(), bytes: metadata.len() });
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(CheckpointError::Missing { file: file() });
        }
        // Another error comes again on opening.
        _ => {}
    }
    read_open(&file(), File::open(path))
}

/// The bytes of a file that was opened, which errors call `file`.
fn read_open(file: &str, opened: io::Result<File>) -> Result<Vec<u8>, CheckpointError> {
    let file = || file.to_owned();
    let mut bytes = Vec::new();
    let read = opened.and_then(|source| {
        let len = source.metadata()?.len();
        // The file may grow after its size was asked.
        source.take(MAX_BYTES).read_to_end(&mut bytes)?;
        Ok(len)
    });
    match read {
        Ok(len) if len > MAX_BYTES => Err(CheckpointError::TooLarge { file: file(), bytes: len }),
        Ok(_) => Ok(bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(CheckpointError::Missing { file: file() })
        }
        Err(reason) => Err(CheckpointError::Read { file: file(), reason }),
    }
}

/// The bytes of a safetensors file of the parameters.
fn encode(parameters: &Parameters) -> Result<Vec<u8>, Flaw> {
    let tensors = checked(parameters)?;
    let tensors = tensors.into_iter().map(|(name, shape, values)| (name.to_owned(), shape, values));
    Ok(serialize(tensors, HashMap::new()))
}

/// A parameter's name, shape and values.
type Named<'a> = (&'static str, Vec<usize>, &'a [f32]);

/// The parameters by name and shape, if they are those of the network and finite.
fn checked(parameters: &Parameters) -> Result<Vec<Named<'_>>, Flaw> {
    let parameters = &parameters.0;
    if let Some(other) = parameters.iter().find(|parameter| is_unknown(&parameter.name)) {
        return Err(Flaw::Unexpected { name: shortened(&other.name) });
    }
    let mut tensors = Vec::with_capacity(SHAPES.len());
    for (name, shape) in SHAPES {
        let parameter = parameters
            .iter()
            .find(|parameter| parameter.name == name)
            .ok_or(Flaw::Missing { name })?;
        check_shape(name, shape, &parameter.shape)?;
        if parameter.values.len() != shape.iter().product::<usize>() {
            return Err(Flaw::Shape {
                name,
                found: format!("[{}]", parameter.values.len()),
                expected: shape,
            });
        }
        check_finite(name, &parameter.values)?;
        tensors.push((name, shape.to_vec(), parameter.values.as_slice()));
    }
    Ok(tensors)
}

/// The bytes of a safetensors file of f32 tensors, whose shapes must have as many places as they have
/// values.
fn serialize<'a>(
    tensors: impl Iterator<Item = (String, Vec<usize>, &'a [f32])>,
    mut metadata: HashMap<String, String>,
) -> Vec<u8> {
    let tensors: Vec<(String, Vec<usize>, Vec<u8>)> = tensors
        .map(|(name, shape, values)| {
            (name, shape, values.iter().flat_map(|value| value.to_le_bytes()).collect())
        })
        .collect();
    let views = tensors.iter().map(|(name, shape, bytes)| {
        let view = TensorView::new(Dtype::F32, shape.clone(), bytes);
        (name.as_str(), view.expect("the shape has as many places as there are values"))
    });
    // The key by which other libraries know that names and layout are PyTorch's.
    metadata.insert("format".to_owned(), "pt".to_owned());
    let bytes = safetensors::serialize(views, Some(metadata));
    bytes.expect("a header of short names can be written as JSON")
}

/// Reads the parameters from the bytes of a safetensors file; `file` names it in errors.
///
/// # Errors
/// As `load_weights`, apart from reading.
pub fn decode(file: &str, bytes: &[u8]) -> Result<Parameters, CheckpointError> {
    let (header, data) = parse(bytes)
        .map_err(|reason| CheckpointError::Malformed { file: file.to_owned(), reason })?;
    tensors(&header, data).map_err(|flaw| CheckpointError::Unfit { file: file.to_owned(), flaw })
}

/// Splits a file into its header and the data that the header describes in full.
///
/// `SafeTensors::deserialize` is not used: safetensors 0.8 adds offsets from the header unchecked
/// and overflows.
fn parse(bytes: &[u8]) -> Result<(Metadata, &[u8]), String> {
    let (length, rest) = bytes.split_first_chunk().ok_or_else(|| {
        format!("it ends after {} bytes, within the header's length", bytes.len())
    })?;
    let length = u64::from_le_bytes(*length);
    let (header, data) =
        usize::try_from(length).ok().and_then(|length| rest.split_at_checked(length)).ok_or_else(
            || format!("its header should have {length} bytes, but {} follow", rest.len()),
        )?;
    let header: Metadata = serde_json::from_slice(header)
        .map_err(|error| format!("its header is unusable: {}", shortened(&error.to_string())))?;
    if header.data_len() != data.len() {
        return Err(format!(
            "its tensors should have {} bytes, but {} follow the header",
            header.data_len(),
            data.len()
        ));
    }
    Ok((header, data))
}

fn tensors(header: &Metadata, data: &[u8]) -> Result<Parameters, Flaw> {
    let is_other = |name: &String| is_unknown(name) && !training::is_known(name);
    if let Some(name) = header.offset_keys().into_iter().find(is_other) {
        return Err(Flaw::Unexpected { name: shortened(&name) });
    }
    let parameter = |(name, shape): (&'static str, &'static [usize])| {
        let values = tensor(header, data, name, name)?;
        let info = header.info(name).ok_or(Flaw::Missing { name })?;
        check_shape(name, shape, &info.shape)?;
        check_finite(name, &values)?;
        Ok(Parameter { name: name.to_owned(), shape: shape.to_vec(), values })
    };
    SHAPES.into_iter().map(parameter).collect::<Result<_, _>>().map(Parameters)
}

/// The values of the tensor `full`, which errors call `name`.
fn tensor(
    header: &Metadata,
    data: &[u8],
    full: &str,
    name: &'static str,
) -> Result<Vec<f32>, Flaw> {
    let info = header.info(full).ok_or(Flaw::Missing { name })?;
    if info.dtype != Dtype::F32 {
        return Err(Flaw::Type { name, found: info.dtype });
    }
    let bytes = data.get(info.data_offsets.0..info.data_offsets.1).unwrap_or_default();
    Ok(bytes.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect())
}

fn is_unknown(name: &str) -> bool {
    SHAPES.iter().all(|(known, _)| *known != name)
}

fn check_shape(
    name: &'static str,
    expected: &'static [usize],
    found: &[usize],
) -> Result<(), Flaw> {
    if found == expected {
        return Ok(());
    }
    Err(Flaw::Shape { name, found: shortened(&format!("{found:?}")), expected })
}

fn check_finite(name: &'static str, values: &[f32]) -> Result<(), Flaw> {
    match values.iter().position(|value| !value.is_finite()) {
        None => Ok(()),
        Some(position) => Err(Flaw::NotFinite { name, position, value: values[position] }),
    }
}

/// The start of a text out of a file, without control characters: it may be of any length and hold
/// anything, and a terminal shows it.
fn shortened(text: &str) -> String {
    const LONGEST: usize = 100;
    let mut short: String =
        text.chars().take(LONGEST).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if text.chars().nth(LONGEST).is_some() {
        short.push('…');
    }
    short
}
