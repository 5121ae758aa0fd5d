//! Weights in safetensors files, under the names that `PyTorch` gives them: written whole or not at
//! all, and believed in nothing when they are read.

mod container;
mod error;
mod fit;
mod foreign;
mod training;

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

pub use error::{CheckpointError, Flaw};
pub use training::{
    Checkpoint, decode_checkpoint, encode_checkpoint, load_checkpoint, read_checkpoint,
    save_checkpoint,
};

use crate::data::DataInfo;
use crate::files;
use crate::network::{
    NetworkSpec, Plan,
    plan::{Param, PlanError},
};
use container::{Container, Tensor, Values};
use error::shortened;
use fit::{Fitted, check_finite};

/// The most bytes of a file that are read. A checkpoint has twelve for each parameter of a network and
/// four for each step of the epoch, so there is room for all that a [`Plan`] can have.
pub const MAX_BYTES: u64 = 256 << 20;

/// The fact that holds a network in its one-line form.
const NETWORK: &str = "mnist_tui_network";
/// The fact that holds what the network was trained on, as JSON.
const SET: &str = "mnist_tui_set";

/// A network with its weights, as a file has them.
#[derive(Clone, Debug, PartialEq)]
pub struct LoadedWeights {
    /// The network.
    pub plan: Plan,
    /// What it was trained on, as far as the file says: names of the classes, size of the images.
    pub set: DataInfo,
    /// The trained parameters, in the plan's order.
    pub trained: Vec<f32>,
    /// The running statistics, in the plan's order.
    pub running: Vec<f32>,
    /// What was done to the file's tensors to make them fit, a sentence each.
    pub notes: Vec<String>,
}

/// Writes weights to `path` as f32, with the network and what it was trained on, in a file that
/// `PyTorch`'s `safetensors.torch.load_file` reads as a `state_dict`. The file is written beside `path`,
/// synced and renamed, so that a kill at any moment leaves the old file or the new one, whole.
///
/// # Errors
/// If the values are not as many as the network has or not finite, or the file cannot be written; what
/// was there is then unchanged.
pub fn save_weights(
    path: &Path,
    plan: &Plan,
    set: &DataInfo,
    trained: &[f32],
    running: &[f32],
) -> Result<(), CheckpointError> {
    let file = path.display().to_string();
    match encode(plan, set, trained, running) {
        Ok(bytes) => {
            files::replace(path, &bytes).map_err(|reason| CheckpointError::Write { file, reason })
        }
        Err(flaw) => Err(CheckpointError::Unsavable { file, flaw: Box::new(flaw) }),
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

/// Whether writing weights to this path replaces nothing but weights: there is no file, an empty one,
/// or one that [`load_weights`] reads.
pub fn may_replace(path: &Path) -> bool {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() && metadata.len() == 0 => true,
        Ok(_) => load_weights(path).is_ok(),
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

/// Reads the weights from a safetensors file of weights alone or a checkpoint. A file that does not
/// say which network it is of is taken as the article's.
///
/// # Errors
/// If the file cannot be read, is not in that format, or holds other tensors, shapes or types than its
/// network's, tensors of neither weights nor checkpoint, or values that are not finite.
pub fn load_weights(path: &Path) -> Result<LoadedWeights, CheckpointError> {
    decode(&path.display().to_string(), &read(path)?)
}

/// Reads the weights of a network that is known from a file that need not say which network it is of.
///
/// # Errors
/// As [`load_weights`], and if the file says that it is of another network.
pub fn load_weights_for(path: &Path, plan: &Plan) -> Result<LoadedWeights, CheckpointError> {
    decode_for(&path.display().to_string(), &read(path)?, plan)
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

/// The bytes of a weights file.
fn encode(plan: &Plan, set: &DataInfo, trained: &[f32], running: &[f32]) -> Result<Vec<u8>, Flaw> {
    let mut tensors = named("", plan.params(), trained, "parameters")?;
    tensors.extend(named("", plan.running(), running, "running statistics")?);
    // PyTorch's batch normalisation has a count of its batches, which its default momentum ignores.
    let counts = plan.running().iter().filter_map(|param| param.name.strip_suffix("running_mean"));
    tensors.extend(counts.map(|module| Tensor {
        name: format!("{module}num_batches_tracked"),
        shape: Vec::new(),
        values: Values::Count(0),
    }));
    Ok(container::serialize(tensors, &facts(plan.spec(), set)))
}

/// What a file says about its network.
fn facts(spec: &NetworkSpec, set: &DataInfo) -> [(&'static str, String); 2] {
    let set = serde_json::to_string(set).expect("text and numbers always have a JSON form");
    [(NETWORK, spec.to_string()), (SET, set)]
}

/// The parts of a flat array, by name.
fn named<'a>(
    prefix: &str,
    params: &[Param],
    flat: &'a [f32],
    what: &'static str,
) -> Result<Vec<Tensor<'a>>, Flaw> {
    let expected = params.last().map_or(0, |param| param.range.end);
    if flat.len() != expected {
        return Err(Flaw::Length { what, found: flat.len(), expected });
    }
    let tensor = |param: &Param| {
        let (name, values) = (format!("{prefix}{}", param.name), &flat[param.range.clone()]);
        check_finite(&name, values)?;
        Ok(Tensor { name, shape: param.shape.clone(), values: Values::Floats(values) })
    };
    params.iter().map(tensor).collect()
}

/// Reads the weights from the bytes of a safetensors file; `file` names it in errors.
///
/// # Errors
/// As [`load_weights`], apart from reading.
pub fn decode(file: &str, bytes: &[u8]) -> Result<LoadedWeights, CheckpointError> {
    let container = parse(file, bytes)?;
    let damaged = |what, reason| CheckpointError::Damaged { file: file.to_owned(), what, reason };
    let spec = spec_of(file, &container)?;
    let set = set_of(file, &container)?;
    let hint = match spec {
        Some(_) => "",
        None => "; if it is of another network, say which with --model",
    };
    let spec = spec.unwrap_or_else(NetworkSpec::article);
    let plan = Plan::of(&spec, set.shape, set.classes.len())
        .map_err(|error: PlanError| damaged("network", shortened(&error.to_string())))?;
    weights(file, &container, plan, set, hint)
}

/// [`decode`] for [`load_weights_for`].
fn decode_for(file: &str, bytes: &[u8], plan: &Plan) -> Result<LoadedWeights, CheckpointError> {
    let container = parse(file, bytes)?;
    let set = set_of(file, &container)?;
    let Some(spec) = spec_of(file, &container)? else {
        return weights(file, &container, plan.clone(), set, "");
    };
    // Compared as plans, because a width that is left out in one may be written in the other.
    let same = Plan::of(&spec, plan.input(), plan.classes())
        .is_ok_and(|other| other.nodes() == plan.nodes());
    if !same && spec != *plan.spec() {
        let flaw = Flaw::Network { found: called(&spec) };
        return Err(unfit(file, plan, flaw, ""));
    }
    let trained_for = (set.shape, set.classes.len());
    weights(file, &container, plan.clone(), set, "").map_err(|error| match error {
        CheckpointError::Unfit { .. } if trained_for != (plan.input(), plan.classes()) => {
            let found = images(trained_for.0, trained_for.1);
            unfit(
                file,
                plan,
                Flaw::Images { found, expected: images(plan.input(), plan.classes()) },
                "",
            )
        }
        error => error,
    })
}

/// Images as a sentence describes them.
fn images([_, rows, columns]: [usize; 3], classes: usize) -> String {
    format!("{rows}×{columns} images of {classes} classes")
}

fn weights(
    file: &str,
    container: &Container,
    plan: Plan,
    set: DataInfo,
    hint: &'static str,
) -> Result<LoadedWeights, CheckpointError> {
    let Fitted { trained, running, notes } =
        fit::fit(container, &plan).map_err(|flaw| unfit(file, &plan, flaw, hint))?;
    let notes = notes.into_iter().map(|note| format!("{file}: {note}")).collect();
    Ok(LoadedWeights { plan, set, trained, running, notes })
}

fn unfit(file: &str, plan: &Plan, flaw: Flaw, hint: &'static str) -> CheckpointError {
    let (file, network, flaw) = (file.to_owned(), called(plan.spec()), Box::new(flaw));
    CheckpointError::Unfit { file, network, flaw, hint }
}

/// A network as a sentence names it.
fn called(spec: &NetworkSpec) -> String {
    let name = spec.name().map(|name| format!("the network {name}"));
    name.unwrap_or_else(|| format!("the network \"{}\"", shortened(&spec.to_string())))
}

fn parse<'a>(file: &str, bytes: &'a [u8]) -> Result<Container<'a>, CheckpointError> {
    Container::parse(bytes).map_err(|reason| match foreign::identify(file, bytes) {
        Some(what) => CheckpointError::Foreign { file: file.to_owned(), what },
        None => CheckpointError::Malformed { file: file.to_owned(), reason },
    })
}

/// The network that a file names.
fn spec_of(file: &str, container: &Container) -> Result<Option<NetworkSpec>, CheckpointError> {
    let Some(text) = container.fact(NETWORK) else { return Ok(None) };
    text.parse().map(Some).map_err(|error: crate::network::SpecError| CheckpointError::Damaged {
        file: file.to_owned(),
        what: "network",
        reason: error.to_string(),
    })
}

/// What a file's network was trained on; MNIST where it does not say.
fn set_of(file: &str, container: &Container) -> Result<DataInfo, CheckpointError> {
    let Some(text) = container.fact(SET) else { return Ok(DataInfo::mnist()) };
    let set = serde_json::from_str(text).map_err(|error| CheckpointError::Damaged {
        file: file.to_owned(),
        what: "description of its images",
        reason: shortened(&error.to_string()),
    })?;
    let DataInfo { name, shape, classes } = set;
    // A terminal shows them.
    let classes = classes.iter().map(|class| shortened(class)).collect();
    Ok(DataInfo { name: shortened(&name), shape, classes })
}
