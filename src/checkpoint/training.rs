//! Checkpoints: weights, Adam's moments and all else that a run goes on from, in one file.

use std::fs::File;
use std::io;
use std::path::Path;

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
    pub state: TrainingState,
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
    Ok(Checkpoint { config, state, journal_bytes })
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
mod tests {
    use super::*;
    use crate::data::DataInfo;
    use crate::protocol::{Best, Clock};

    fn checkpoint() -> Checkpoint {
        let values = |scale: f32| (0..5_142_u16).map(|place| f32::from(place) * scale).collect();
        Checkpoint {
            config: RunConfig { seed: 7, ..RunConfig::default() },
            state: TrainingState {
                progress: TrainingProgress {
                    epoch: 2,
                    batch: 3,
                    step: 1_203,
                    images: 60_150,
                    optimiser_step: 1_203,
                    rates: vec![(0, 1e-3), (1_200, 5e-4)],
                    clock: Clock { training: 0.3, evaluating: 0.1 },
                    epoch_seconds: 0.01,
                    evaluated: None,
                    best: Some(Best { epoch: 1, step: 1_200, accuracy: 0.9684 }),
                },
                weights: values(0.01),
                running: Vec::new(),
                set: DataInfo::mnist(),
                first_moment: values(-1e-9),
                second_moment: values(1e-30),
                losses: vec![2.3, f32::NAN, f32::INFINITY, 0.1],
            },
            journal_bytes: 123_456_789_012,
        }
    }

    fn bits(values: &[f32]) -> Vec<u32> {
        values.iter().map(|value| value.to_bits()).collect()
    }

    #[test]
    fn a_checkpoint_reads_back_to_the_bit() {
        let written = checkpoint();
        let read = decode_checkpoint("x", &encode(&written).expect("it fits")).expect("it reads");
        assert_eq!(read.config, written.config);
        assert_eq!(read.state.progress, written.state.progress);
        assert_eq!(read.journal_bytes, written.journal_bytes);
        for part in [
            |state: &TrainingState| bits(&state.weights),
            |state: &TrainingState| bits(&state.first_moment),
            |state: &TrainingState| bits(&state.second_moment),
            |state: &TrainingState| bits(&state.losses),
        ] {
            assert_eq!(part(&read.state), part(&written.state));
        }
    }

    #[test]
    fn a_checkpoint_of_any_network_has_its_statistics_and_its_classes() {
        let model = "conv 2 k3, bn, relu, flatten, linear".parse().expect("a network");
        let classes = ["cat", "dog", "no \u{1b}pet"].map(str::to_owned).to_vec();
        let set = DataInfo { name: "pets".into(), shape: [1, 8, 8], classes };
        let plan = Plan::of(&model, set.shape, 3).expect("it fits");
        let values = |len: usize, start: f32| (0..len).map(|n| start + n as f32).collect();
        let mut written = checkpoint();
        written.config.model = model;
        // The check of the configuration knows the built-in set.
        written.config.data = crate::config::DataSource::Path("pets".into());
        written.state = TrainingState {
            weights: values(plan.trained_len(), 0.5),
            running: values(plan.running_len(), -7.0),
            first_moment: values(plan.trained_len(), 1e3),
            second_moment: values(plan.trained_len(), 1e4),
            set,
            losses: vec![1.0],
            progress: written.state.progress,
        };
        let bytes = encode(&written).expect("it fits");
        let read = decode_checkpoint("x", &bytes).expect("it reads");
        let alone = crate::checkpoint::decode("x", &bytes).expect("the weights are there");
        assert_eq!(
            (alone.trained, alone.running),
            (read.state.weights.clone(), read.state.running.clone())
        );
        written.state.set.classes[2] = "no \u{fffd}pet".to_owned();
        assert_eq!(read, written);
        written.state.running.pop();
        assert!(matches!(encode(&written), Err(Flaw::Length { what: "running statistics", .. })));
    }

    #[test]
    fn the_weights_of_a_checkpoint_can_be_used_alone_but_not_the_other_way_round() {
        let bytes = encode(&checkpoint()).expect("it fits");
        let weights = crate::checkpoint::decode("x", &bytes).expect("the weights are there");
        assert_eq!(weights.trained, checkpoint().state.weights);
        assert_eq!(weights.notes, Vec::<String>::new());
        let alone = crate::checkpoint::encode(&weights.plan, &weights.set, &weights.trained, &[]);
        let alone = alone.expect("they fit");
        let error = decode_checkpoint("w.safetensors", &alone).expect_err("no moments").to_string();
        assert!(error.starts_with("w.safetensors holds weights alone"), "{error}");
    }

    #[test]
    fn what_differs_is_said() {
        let bytes = encode(&checkpoint()).expect("it fits");
        let text = |from: &str, to: &str| {
            assert_eq!(from.len(), to.len(), "offsets stay");
            let place = bytes.windows(from.len()).position(|part| part == from.as_bytes());
            let place = place.unwrap_or_else(|| panic!("no {from}"));
            let mut bytes = bytes.clone();
            bytes[place..place + to.len()].copy_from_slice(to.as_bytes());
            decode_checkpoint("x", &bytes).expect_err("damaged").to_string()
        };
        let version = text("mnist_tui_format\":\"1\"", "mnist_tui_format\":\"2\"");
        assert_eq!(version, "x is a checkpoint of format 2: this program reads format 1");
        let progress = text("optimiser_step", "optimiser_stop");
        assert!(progress.starts_with("x is damaged: its progress is unusable"), "{progress}");
        let config = text("batch_size\\\":50", "batch_size\\\":00");
        assert!(config.starts_with("x is damaged: its config is unusable"), "{config}");
        let moment = text("first_moment.fc.bias", "first_moment.fc.bios");
        assert!(moment.contains("fc.bios"), "{moment}");
    }

    #[test]
    fn a_bit_that_turned_over_is_noticed_wherever_it_stands() {
        let bytes = encode(&checkpoint()).expect("it fits");
        // All of the header, whose facts come in an order of chance, and some of the values.
        let header = 8 + u64::from_le_bytes(*bytes.first_chunk().expect("a length")) as usize;
        for place in (0..header).chain((header..bytes.len()).step_by(331)) {
            let mut turned = bytes.clone();
            turned[place] ^= 1;
            assert!(decode_checkpoint("x", &turned).is_err(), "byte {place} of {}", bytes.len());
        }
    }

    #[test]
    fn what_could_not_be_read_back_is_not_written() {
        let mut short = checkpoint();
        short.state.second_moment.pop();
        assert!(encode(&short).is_err());
        let mut infinite = checkpoint();
        infinite.state.first_moment[5_000] = f32::INFINITY;
        assert!(matches!(encode(&infinite), Err(Flaw::NotFinite { .. })));
    }

    #[test]
    fn every_cut_is_an_error_and_no_panic() {
        let bytes = encode(&checkpoint()).expect("it fits");
        for end in (0..bytes.len()).step_by(97) {
            assert!(decode_checkpoint("x", &bytes[..end]).is_err(), "{end}");
        }
    }

    proptest::proptest! {
        #[test]
        fn every_rate_and_time_reads_back_to_the_bit(
            rates in proptest::collection::vec(proptest::num::f64::NORMAL, 1..8),
            training in proptest::num::f64::POSITIVE,
        ) {
            let mut written = checkpoint();
            written.config.learning_rate = rates[0].abs();
            written.state.progress.rates = (0..).zip(rates).collect();
            written.state.progress.clock.training = training;
            let bytes = encode(&written).expect("it fits");
            let read = decode_checkpoint("x", &bytes).expect("it reads");
            proptest::prop_assert_eq!(read.config, written.config);
            // NaN is none of the values, so that equal numbers have equal bits.
            proptest::prop_assert_eq!(read.state.progress, written.state.progress);
        }
    }
}
