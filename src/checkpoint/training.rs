//! Checkpoints: weights, the optimiser's state and everything else needed to resume, in one file.

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
use crate::config::{OptimizerSpec, RunConfig};
use crate::files;
use crate::network::{Plan, plan::Param};
use crate::protocol::{Slot, StoredWeights, TrainingProgress, TrainingState};

/// The format that is written and read.
const VERSION: u32 = 1;
/// What optimisers remember of a parameter; each name stands before that of the parameter, with a dot.
const SLOTS: [&str; 3] = ["first_moment", "second_moment", "momentum"];
/// Before the name of a parameter or a statistic: the weights that are trained, where those without a prefix
/// are averaged ones.
const LIVE: &str = "live.";
/// The same of the weights of the best evaluation.
const BEST: &str = "best.";
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
    let is_param = |name: &str| plan.params().iter().any(|param| param.name == name);
    let is_statistic = |name: &str| plan.running().iter().any(|one| one.name == name);
    let of_copy = name.strip_prefix(LIVE).or_else(|| name.strip_prefix(BEST));
    let of_slot = name.split_once('.').filter(|(slot, _)| SLOTS.contains(slot));
    name == LOSSES
        || of_copy.is_some_and(|name| is_param(name) || is_statistic(name))
        || of_slot.is_some_and(|(_, param)| is_param(param))
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
    if config.ema.is_some() != state.average.is_some() {
        let (found, expected) = (usize::from(state.average.is_some()), 1);
        return Err(Flaw::Length { what: "averages", found, expected });
    }
    let mut tensors = Vec::new();
    let mut add = |prefix: &str, trained, running| {
        tensors.extend(named(prefix, plan.params(), trained, "parameters")?);
        tensors.extend(named(prefix, plan.running(), running, "running statistics")?);
        Ok(())
    };
    // The weights that are evaluated are those which a reader of weights alone finds.
    match &state.average {
        Some(average) => {
            add("", &average.trained, &average.running)?;
            add(LIVE, &state.weights, &state.running)?;
        }
        None => add("", &state.weights, &state.running)?,
    }
    if let Some(best) = &state.best {
        add(BEST, &best.trained, &best.running)?;
    }
    let slots = config.optimizer.slots();
    if !state.slots.iter().map(|slot| &*slot.name).eq(slots.iter().copied()) {
        let (found, expected) = (state.slots.len(), slots.len());
        return Err(Flaw::Length { what: "values of the optimiser", found, expected });
    }
    for Slot { name, values } in &state.slots {
        let prefix = format!("{name}.");
        tensors.extend(named(&prefix, plan.params(), values, "values of the optimiser")?);
    }
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
    let TrainingState { weights, slots, losses, running, average, best, .. } = state;
    let slots = slots.iter().flat_map(|slot| &slot.values);
    let copies = average.iter().chain(best).flat_map(|one| one.trained.iter().chain(&one.running));
    for value in weights.iter().chain(slots).chain(losses).chain(running).chain(copies) {
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
    let plain = StoredWeights { trained: weights.trained, running: weights.running };
    let copy = |prefix| copy(&container, &plan, prefix).map_err(unfit);
    let (live, average) = match config.ema {
        Some(_) => (copy(LIVE)?, Some(plain)),
        None => (plain, None),
    };
    let best = plan.params().first().map(|param| format!("{BEST}{}", param.name));
    let best =
        best.filter(|name| container.info(name).is_some()).map(|_| copy(BEST)).transpose()?;
    let state = TrainingState {
        progress,
        weights: live.trained,
        running: live.running,
        average,
        best,
        slots: slots(&container, plan.params(), config.optimizer).map_err(unfit)?,
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

/// The weights whose names have this prefix.
fn copy(container: &Container, plan: &Plan, prefix: &str) -> Result<StoredWeights, Flaw> {
    Ok(StoredWeights {
        trained: flat(container, plan.params(), prefix)?,
        running: flat(container, plan.running(), prefix)?,
    })
}

/// The values of these tensors, whose names have a prefix in the file, one after the other.
fn flat(container: &Container, params: &[Param], prefix: &str) -> Result<Vec<f32>, Flaw> {
    let mut values = Vec::new();
    for param in params {
        let full = format!("{prefix}{}", param.name);
        let (name, found, _) = fit::tensor(container, &full, param)?;
        check_finite(&name, &found)?;
        values.extend(found);
    }
    Ok(values)
}

/// What the optimiser remembers of all parameters, one after the other.
fn slots(
    container: &Container,
    params: &[Param],
    optimizer: OptimizerSpec,
) -> Result<Vec<Slot>, Flaw> {
    let read = |slot: &&str| {
        let values = flat(container, params, &format!("{slot}."))?;
        Ok(Slot { name: (*slot).to_owned(), values })
    };
    optimizer.slots().iter().map(read).collect()
}

/// Losses may be anything, infinite ones included, and as many as there were steps.
fn losses(container: &Container) -> Result<Vec<f32>, Flaw> {
    let absent = || Flaw::Absent { name: LOSSES.to_owned() };
    container.values(LOSSES, container.info(LOSSES).ok_or_else(absent)?)
}

#[cfg(test)]
mod tests;
