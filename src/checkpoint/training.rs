//! Checkpoints: weights, Adam's moments and everything else needed to resume, in one file.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;

use serde::de::DeserializeOwned;

use super::{
    CheckpointError, Flaw, NETWORK, SET,
    container::{Container, Tensor, Values, serialize},
    error::shortened,
    facts,
    fit::{self, check_finite},
    named, parse, read, read_open, set_of, unfit,
};
use crate::config::RunConfig;
use crate::files;
use crate::network::{Plan, plan::Param};
use crate::protocol::{TrainingProgress, TrainingState};

/// The format that is written and read.
const VERSION: u32 = 1;
/// Before the name of a parameter: Adam's running mean of its gradient.
const FIRST: &str = "first_moment.";
/// Before the name of a parameter: Adam's running mean of its squared gradient.
const SECOND: &str = "second_moment.";
/// Losses of the last steps, `[n]`.
const LOSSES: &str = "losses";

/// What a checkpoint file holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    /// What the run was asked to do.
    pub config: RunConfig,
    /// Where it stands.
    pub state: Arc<TrainingState>,
    /// Bytes of the run's journal up to there.
    pub journal_bytes: u64,
}

/// Whether a tensor of a checkpoint is no part of the weights.
pub(super) fn is_known(name: &str, plan: &Plan) -> bool {
    let moment = name.strip_prefix(FIRST).or_else(|| name.strip_prefix(SECOND));
    let is_param = |name: &str| plan.params().iter().any(|param| param.name == name);
    name == LOSSES || moment.is_some_and(is_param)
}

/// Writes a checkpoint, whole or not at all.
///
/// # Errors
/// If weights or moments are not those of this network or not finite, or the file cannot be written;
/// what was there is then unchanged.
pub fn save_checkpoint(path: &Path, checkpoint: &Checkpoint) -> Result<(), CheckpointError> {
    let bytes = encode_checkpoint(path, checkpoint)?;
    files::replace(path, &bytes)
        .map_err(|reason| CheckpointError::Write { file: path.display().to_string(), reason })
}

/// The bytes of a checkpoint's file, whose `path` errors name.
///
/// # Errors
/// If weights or moments are not those of this network, or not finite.
pub fn encode_checkpoint(path: &Path, checkpoint: &Checkpoint) -> Result<Vec<u8>, CheckpointError> {
    encode(checkpoint).map_err(|flaw| CheckpointError::Unsavable {
        file: path.display().to_string(),
        flaw: Box::new(flaw),
    })
}

/// Reads a checkpoint.
///
/// # Errors
/// If the file cannot be read, is no checkpoint of this network and program, or is damaged.
pub fn load_checkpoint(path: &Path) -> Result<Checkpoint, CheckpointError> {
    decode_checkpoint(&path.display().to_string(), &read(path)?)
}

/// Reads a checkpoint from a file that was opened, whose `path` errors name.
///
/// # Errors
/// As [`load_checkpoint`].
pub fn read_checkpoint(
    path: &Path,
    opened: io::Result<File>,
) -> Result<Checkpoint, CheckpointError> {
    let file = path.display().to_string();
    decode_checkpoint(&file, &read_open(&file, opened)?)
}

fn encode(checkpoint: &Checkpoint) -> Result<Vec<u8>, Flaw> {
    let Checkpoint { config, state, journal_bytes } = checkpoint;
    let plan = Plan::of(&config.model, state.set.shape, state.set.classes.len())
        .map_err(|error| Flaw::Plan { reason: error.to_string() })?;
    let mut tensors = named("", plan.params(), &state.weights, "parameters")?;
    tensors.extend(named("", plan.running(), &state.running, "running statistics")?);
    tensors.extend(named(FIRST, plan.params(), &state.first_moment, "first moments")?);
    tensors.extend(named(SECOND, plan.params(), &state.second_moment, "second moments")?);
    tensors.push(Tensor {
        name: LOSSES.to_owned(),
        shape: vec![state.losses.len()],
        values: Values::Floats(&state.losses),
    });
    let json = |value: serde_json::Result<String>| value.expect("plain data has a JSON form");
    let [network, set] = facts(&config.model, &state.set);
    let mut facts = vec![
        ("config", json(serde_json::to_string(config))),
        ("progress", json(serde_json::to_string(&state.progress))),
        ("journal_bytes", journal_bytes.to_string()),
        network,
        set,
    ];
    let fact = |key: &str| facts.iter().find(|(k, _)| *k == key).map(|(_, value)| value.as_str());
    let checksum = checksum(fact, state);
    facts.extend([("checksum", checksum), ("mnist_tui_format", VERSION.to_string())]);
    Ok(serialize(tensors, &facts))
}

/// CRC-32 of the facts and of all values, in hexadecimal: a bit that has turned over on a disk is
/// noticed. Of what version 1 did not have, nothing is added where there is nothing.
fn checksum<'a>(fact: impl Fn(&str) -> Option<&'a str>, state: &TrainingState) -> String {
    let mut hasher = crc32fast::Hasher::new();
    for key in ["config", "progress", "journal_bytes", NETWORK, SET] {
        hasher.update(fact(key).map_or(&[][..], str::as_bytes));
    }
    let TrainingState { weights, first_moment, second_moment, losses, running, .. } = state;
    for value in [weights, first_moment, second_moment, losses, running].into_iter().flatten() {
        hasher.update(&value.to_le_bytes());
    }
    format!("{:08x}", hasher.finalize())
}

/// Reads a checkpoint from the bytes of its file; `file` names it in errors.
///
/// # Errors
/// As [`load_checkpoint`], apart from reading.
pub fn decode_checkpoint(file: &str, bytes: &[u8]) -> Result<Checkpoint, CheckpointError> {
    let container = parse(file, bytes)?;
    let Some(version) = container.fact("mnist_tui_format") else {
        return Err(CheckpointError::WeightsAlone { file: file.to_owned() });
    };
    if *version != VERSION.to_string() {
        let found = shortened(version);
        return Err(CheckpointError::Version { file: file.to_owned(), found, expected: VERSION });
    }
    let damaged = |what, reason| CheckpointError::Damaged { file: file.to_owned(), what, reason };
    let config: RunConfig = fact(file, &container, "config")?;
    config.validate().map_err(|error| damaged("config", error.to_string()))?;
    let progress: TrainingProgress = fact(file, &container, "progress")?;
    let journal_bytes = fact(file, &container, "journal_bytes")?;
    let set = set_of(file, &container)?;
    let plan = Plan::of(&config.model, set.shape, set.classes.len())
        .map_err(|error| damaged("network", shortened(&error.to_string())))?;
    let unfit = |flaw| unfit(file, &plan, flaw, "");
    let weights = fit::fit(&container, &plan).map_err(unfit)?;
    let state = TrainingState {
        progress,
        weights: weights.trained,
        running: weights.running,
        first_moment: moments(&container, plan.params(), FIRST).map_err(unfit)?,
        second_moment: moments(&container, plan.params(), SECOND).map_err(unfit)?,
        losses: losses(&container).map_err(unfit)?,
        set,
    };
    // The one fact that `serialize` adds, and the checksum does not cover.
    let is_whole = container.fact("format") == Some("pt");
    let checksum = checksum(|key| container.fact(key), &state);
    if !is_whole || container.fact("checksum") != Some(checksum.as_str()) {
        return Err(damaged("checksum", "it belongs to other content".to_owned()));
    }
    Ok(Checkpoint { config, state: Arc::new(state), journal_bytes })
}

fn fact<T: DeserializeOwned>(
    file: &str,
    container: &Container,
    what: &'static str,
) -> Result<T, CheckpointError> {
    let damaged = |reason: String| CheckpointError::Damaged { file: file.to_owned(), what, reason };
    let text = container.fact(what).ok_or_else(|| damaged("it is missing".to_owned()))?;
    serde_json::from_str(text).map_err(|error| damaged(shortened(&error.to_string())))
}

/// The moments of all parameters one after the other.
fn moments(container: &Container, params: &[Param], prefix: &str) -> Result<Vec<f32>, Flaw> {
    let mut all = Vec::new();
    for param in params {
        let full = format!("{prefix}{}", param.name);
        let (name, values, _) = fit::tensor(container, &full, param)?;
        check_finite(&name, &values)?;
        all.extend(values);
    }
    Ok(all)
}

/// Losses may be anything, infinite ones included, and as many as there were steps.
fn losses(container: &Container) -> Result<Vec<f32>, Flaw> {
    let absent = || Flaw::Absent { name: LOSSES.to_owned() };
    container.values(LOSSES, container.info(LOSSES).ok_or_else(absent)?)
}

#[cfg(test)]
mod tests;
