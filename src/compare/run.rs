//! A stored run, as far as its folder tells.

use std::{
    borrow::Cow,
    path::{Path, PathBuf},
};

use super::MOST_RUNS;
use crate::{
    app::{App, Curves},
    config::RunConfig,
    journal::{JournalError, JournalReader},
    protocol::{Clock, EpochRecord, EvalSet, Evaluation, RunInfo},
    runs::{Kept, RunEntry, RunFolder, RunStatus, RunsError},
    train::StoredNetwork,
};

/// Runs cannot be compared.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    /// There are too few or too many.
    #[error(
        "compare needs 2 to {MOST_RUNS} runs, not {0}: `mnist-tui runs` lists the runs there are"
    )]
    Count(usize),
    /// A run is named twice.
    #[error("{} is named twice: expected different runs", .0.display())]
    Twice(PathBuf),
    /// There is no such run.
    #[error(transparent)]
    Run(#[from] RunsError),
    /// A run's journal cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// A run with its history.
#[derive(Debug)]
pub struct StoredRun {
    /// What the user calls it, or else its folder's name.
    pub name: String,
    /// Its folder.
    pub path: PathBuf,
    /// Its state.
    pub status: RunStatus,
    /// Its state in words, with what ended it where that matters.
    pub state: Cow<'static, str>,
    /// Its settings.
    pub config: RunConfig,
    /// What it is; `None` if it ended before its data was read.
    pub info: Option<RunInfo>,
    /// Losses and evaluations.
    pub curves: Curves,
    /// The most accurate evaluation after an epoch.
    pub best: Option<EpochRecord>,
    /// The last evaluation.
    pub last: Option<EpochRecord>,
    /// The evaluation on test images at the end of a run with validation images.
    pub test: Option<Evaluation>,
    /// Steps trained.
    pub steps: u64,
    /// Time that took.
    pub clock: Clock,
}

impl StoredRun {
    /// Reads a run from its folder.
    ///
    /// # Errors
    /// If there is none, or its journal cannot be read.
    pub fn read(folder: &Path) -> Result<Self, CompareError> {
        let no_run = || RunsError::NoRun { path: folder.to_owned() };
        let entry = RunEntry::read(folder).ok_or_else(no_run)?;
        let mut app = App::default();
        let mut reader = JournalReader::open(&RunFolder::journal_at(folder))?;
        while let Some(event) = reader.next_event()? {
            // A screen without a person asks for nothing.
            let _ = app.update(event.into());
        }
        Ok(Self::of(entry, app))
    }

    pub(super) fn of(entry: RunEntry, app: App) -> Self {
        let accuracy = |record: &&EpochRecord| record.evaluation.accuracy();
        let after_epochs = app.epochs.iter().filter(|record| record.epoch > 0);
        // The first of those that are alike.
        let best = after_epochs.rev().max_by(|a, b| accuracy(a).total_cmp(&accuracy(b))).cloned();
        let is_validated = entry.config.validation > 0;
        let test = app.run.summary.as_ref().and_then(|summary| summary.test.clone());
        Self {
            name: entry.called(),
            state: entry.describe(),
            path: entry.path,
            status: entry.status,
            best,
            last: app.epochs.last().cloned(),
            test: test.filter(|_| is_validated),
            steps: app.run.step,
            clock: app.run.clock,
            info: app.run.info,
            curves: app.curves,
            config: entry.config,
        }
    }

    /// The images that it is evaluated on after each epoch.
    pub fn evaluated_on(&self) -> EvalSet {
        match &self.info {
            Some(info) => info.eval_set,
            None if self.config.validation > 0 => EvalSet::Validation,
            None => EvalSet::Test,
        }
    }

    /// The network whose weights stand for the run: those of the best epoch on validation images, and
    /// otherwise the last.
    pub(super) fn network(&self) -> StoredNetwork {
        let mut kept = [Kept::Best, Kept::Last, Kept::Previous].into_iter();
        if self.config.validation == 0 {
            kept.next();
        }
        let file = |which: Kept| self.path.join(which.file());
        let weights = kept.map(file).find(|file| file.exists());
        StoredNetwork {
            config: self.config.clone(),
            weights: weights.unwrap_or_else(|| file(Kept::Last)),
            checksums: self.info.as_ref().and_then(|info| info.checksums),
        }
    }
}
