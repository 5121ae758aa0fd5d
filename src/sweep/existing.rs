//! Runs that are in the folder of a sweep already.

use std::path::Path;

use super::{
    follower::{End, Follower},
    plan::Planned,
    row::Row,
};
use crate::{config::RunConfig, journal::JournalReader, runs::RunFolder};

/// The first setting in which a stored run is another than the one that is planned, with both values.
pub(super) fn difference(stored: &RunConfig, planned: &RunConfig) -> Option<String> {
    // These do not change what a run computes.
    let stored = RunConfig {
        threads: planned.threads,
        device: planned.device,
        save: planned.save.clone(),
        keep_runs: planned.keep_runs,
        name: planned.name.clone(),
        ..stored.clone()
    };
    if stored == *planned {
        return None;
    }
    let [own, other] = [&stored, planned].map(RunConfig::settings);
    let value = |settings: &[(String, String)], option: &str| {
        let found = settings.iter().find(|(name, _)| name == option);
        found.map_or_else(|| "not set".to_owned(), |(_, value)| value.clone())
    };
    let mut options = own.iter().chain(&other).map(|(option, _)| option.as_str());
    let differs = options.find(|option| value(&own, option) != value(&other, option));
    Some(differs.map_or_else(
        || "no-break-on-nan".to_owned(),
        |option| format!("{option}: {}, planned: {}", value(&own, option), value(&other, option)),
    ))
}

/// The result of a run that has ended, as its journal tells it.
pub(super) fn recorded(path: &Path, planned: &Planned) -> Option<Row> {
    let mut reader = JournalReader::open(&RunFolder::journal_at(path)).ok()?;
    let (mut follower, mut end) = (Follower::of(planned), None);
    while let Ok(Some(event)) = reader.next_event() {
        end = follower.update(&event);
    }
    match end {
        Some(End::Row(row)) => Some(row),
        _ => None,
    }
}
