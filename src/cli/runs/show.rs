//! `runs show`: a stored run in detail.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    path::{Path, PathBuf},
};

use serde::Serialize;

use super::{Row, best, json, settings, size};
use crate::{
    check::print,
    journal::{JournalError, JournalReader},
    outcome::Outcome,
    printable::{Shown, printable, thousands},
    protocol::{Clock, EpochRecord, Event, RunInfo},
    runs::{RunEntry, RunFolder, Runs, RunsError},
};

/// Describes a run, by default the newest.
pub(in crate::cli) fn show(run: Option<&Path>, as_json: bool) -> Outcome {
    let path = match find(run) {
        Ok(path) => path,
        Err(error) => return Outcome::failure(error),
    };
    let Some(entry) = RunEntry::read(&path) else {
        return Outcome::failure(RunsError::NoRun { path });
    };
    match History::read(&RunFolder::journal_at(&path)) {
        Ok(history) if as_json => print(&json(&Answer::of(&entry, &history))),
        Ok(history) => print(&text(&entry, &history)),
        Err(error) => Outcome::failure(error),
    }
}

/// The folder of a run: a path, or the name of a stored run; by default the newest.
pub(in crate::cli) fn find(run: Option<&Path>) -> Result<PathBuf, RunsError> {
    match run {
        Some(run) => match Runs::of_user() {
            Ok(runs) => Ok(runs.find(run)),
            Err(_) if run.exists() => Ok(run.to_owned()),
            Err(error) => Err(error),
        },
        None => Runs::of_user()?.newest(),
    }
}

/// What a journal says of a run.
#[derive(Default)]
struct History {
    info: Option<RunInfo>,
    epochs: BTreeMap<u32, EpochRecord>,
    clock: Clock,
    /// Share of the test images recognised at the end of the run, in 0..=1.
    test: Option<f64>,
}

impl History {
    fn read(journal: &Path) -> Result<Self, JournalError> {
        let mut history = Self::default();
        let mut reader = JournalReader::open(journal)?;
        while let Some(event) = reader.next_event()? {
            history.follow(event);
        }
        Ok(history)
    }

    fn follow(&mut self, event: Event) {
        match event {
            Event::Started(info) => self.info = Some(info),
            Event::Progress(progress) => self.clock = progress.clock,
            Event::Finished(summary) => {
                self.test = summary.test.map(|test| test.accuracy());
            }
            Event::Epoch(record) => {
                self.clock = record.clock;
                self.epochs.insert(record.epoch, record);
            }
            // What was trained after the step before is abandoned.
            Event::LearningRate(change) if change.branch => {
                self.epochs.retain(|_, record| record.step <= change.step);
            }
            _ => {}
        }
    }
}

#[derive(Serialize)]
struct Answer<'a> {
    #[serde(flatten)]
    run: Row<'a>,
    started: Option<&'a RunInfo>,
    training_seconds: f64,
    evaluating_seconds: f64,
    test_accuracy: Option<f64>,
    evaluations: Vec<&'a EpochRecord>,
}

impl<'a> Answer<'a> {
    fn of(entry: &'a RunEntry, history: &'a History) -> Self {
        Self {
            run: Row::of(entry),
            started: history.info.as_ref(),
            training_seconds: history.clock.training,
            evaluating_seconds: history.clock.evaluating,
            test_accuracy: history.test,
            evaluations: history.epochs.values().collect(),
        }
    }
}

fn text(entry: &RunEntry, history: &History) -> String {
    let mut text = String::new();
    let mut row = |name: &str, value: &str| {
        let _ = writeln!(text, "{name:<10}{}", printable(value));
    };
    row("run", &entry.name);
    if let Some(name) = &entry.config.name {
        row("name", name);
    }
    row("folder", &entry.path.shown());
    match &entry.failure {
        Some(failure) => row("state", &format!("{}: {failure}", entry.status.name())),
        None => row("state", &entry.describe()),
    }
    let (epoch, step) = entry.reached.unwrap_or((0, 0));
    let step = thousands(step);
    row("progress", &format!("epoch {epoch} of {}, step {step}", entry.config.epochs));
    if entry.config.validation > 0 {
        row("best", &format!("{} of the validation images", best(entry)));
        if let Some(test) = history.test {
            row("test", &format!("{:.2}% of the test images", 100.0 * test));
        }
    } else {
        row("best", &format!("{} of the test images", best(entry)));
    }
    if let Some(info) = &history.info {
        let [train, test] = [info.train_images, info.test_images].map(thousands);
        let images = format!("{train} training and {test} test images");
        row("data", &format!("{} ({}), {images}", info.set.name, info.data));
        let parameters = thousands(info.parameters);
        row("network", &format!("{}, {parameters} parameters", info.network.name));
        row("device", &info.device);
    }
    let Clock { training, evaluating } = history.clock;
    row("time", &format!("{training:.1} s training, {evaluating:.1} s evaluating"));
    let settings = settings(&entry.config);
    row("settings", if settings.is_empty() { "the defaults" } else { &settings });
    row("size", &size(entry));
    if let Some(last) = history.epochs.values().last() {
        let set = last.evaluation.set.name();
        let [loss, accuracy] = ["loss", "accuracy"].map(|what| format!("{set} {what}"));
        let _ = writeln!(
            text,
            "\n{:>5}  {:>10}  {:>10}  {loss:>15}  {accuracy:>19}",
            "epoch", "step", "train loss"
        );
    }
    for EpochRecord { epoch, step, train_loss, evaluation, .. } in history.epochs.values() {
        let (step, accuracy) = (thousands(*step), 100.0 * evaluation.accuracy());
        let _ = writeln!(
            text,
            "{epoch:>5}  {step:>10}  {train_loss:>10.4}  {:>15.4}  {accuracy:>18.2}%",
            evaluation.loss
        );
    }
    text
}
