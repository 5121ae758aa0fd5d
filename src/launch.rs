//! A run about to start, be it new or gone on with.

use std::path::{Path, PathBuf};

use crossbeam_channel::Sender;

use crate::{
    checkpoint::{self, Checkpoint, CheckpointError},
    config::RunConfig,
    journal::{JournalError, JournalReader},
    outcome::Outcome,
    protocol::Event,
    recorder::{Recorder, Report},
    run_log::{LogError, RunLog},
    runs::{Kept, RunFolder, Runs, RunsError},
    train::Tools,
};

/// What is to be run, and where it is written down.
#[derive(Debug)]
pub struct Launch {
    /// What it computes.
    pub config: RunConfig,
    /// What it offers.
    pub tools: Tools,
    /// File for the log of every step.
    pub log: Option<PathBuf>,
    /// What happened before, of a run that is gone on with.
    pub past: Vec<Event>,
    /// Something to be told before it starts.
    pub warning: Option<String>,
    folder: Option<RunFolder>,
    journal_bytes: u64,
}

/// A run cannot be gone on with.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// Its folder cannot be used.
    #[error(transparent)]
    Runs(#[from] RunsError),
    /// Its checkpoint cannot be used, and there is none before it.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// Its checkpoint cannot be used, but the one before it can.
    #[error("{source}; go on from the one before it, step {step}, by --resume {}", previous.display())]
    OnlyPrevious {
        /// What is wrong with the last one.
        source: CheckpointError,
        /// Where the one before it stands.
        step: u64,
        /// Its file.
        previous: PathBuf,
    },
    /// Its journal cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// Its journal is shorter than the checkpoint says.
    #[error(
        "{} ends at byte {found} and should reach byte {expected}: it was cut short, and going on \
         would leave a gap",
        path.display()
    )]
    Gap {
        /// The journal.
        path: PathBuf,
        /// Bytes that were read.
        found: u64,
        /// Bytes that there should be.
        expected: u64,
    },
}

/// The writers of a run.
#[derive(Debug, Default)]
pub struct Writers {
    /// Of every step, where that was asked for.
    pub log: Option<RunLog>,
    /// Of the run's folder.
    pub recorder: Option<Recorder>,
}

impl Launch {
    /// A run that nothing is kept of.
    pub fn unrecorded(config: RunConfig, tools: Tools, log: Option<PathBuf>) -> Self {
        let past = Vec::new();
        Self { config, tools, log, past, warning: None, folder: None, journal_bytes: 0 }
    }

    /// The same run, kept in this new folder.
    #[must_use]
    pub fn in_folder(mut self, folder: RunFolder) -> Self {
        self.tools.recorded = true;
        self.folder = Some(folder);
        self
    }

    /// Goes on with the run in a folder, or from one of its checkpoints.
    ///
    /// # Errors
    /// If there is no run, it is in use, or its checkpoint or journal cannot be used.
    pub fn resume(path: &Path, tools: Tools, log: Option<PathBuf>) -> Result<Self, LaunchError> {
        let (place, file) = if path.is_file() {
            (path.parent().unwrap_or(Path::new(".")), Some(path))
        } else {
            (path, None)
        };
        let folder = RunFolder::open(place)?;
        let checkpoint = match file {
            Some(file) => Some(checkpoint::load_checkpoint(file)?),
            None => last_checkpoint(&folder)?,
        };
        let Some(Checkpoint { config, state, journal_bytes }) = checkpoint else {
            // It ended before its first checkpoint: it begins again.
            let config = folder.config()?;
            return Ok(Self::unrecorded(config, tools, log).in_folder(folder));
        };
        let past = read_journal(&folder.journal(), journal_bytes)?;
        let tools = Tools { start: Some(Box::new(state)), ..tools };
        let launch = Self::unrecorded(config, tools, log);
        Ok(Self { past, journal_bytes, ..launch }.in_folder(folder))
    }

    /// Starts the writers and adds them to the listeners.
    ///
    /// # Errors
    /// If a file cannot be opened.
    pub fn writers(&mut self, listeners: &mut Vec<Sender<Event>>) -> Result<Writers, Outcome> {
        let log = RunLog::listen(self.log.as_deref(), &self.config, &self.past, listeners)
            .map_err(|error: LogError| Outcome::failure(error))?;
        let recorder = match self.folder.take() {
            None => None,
            Some(folder) => {
                let path = folder.path().to_owned();
                let config = self.config.with_absolute_paths();
                let started = Recorder::start(folder, &config, self.journal_bytes);
                let (recorder, sender) = started.map_err(|error| {
                    Outcome::failure(format_args!(
                        "cannot keep the run in {}: {error}",
                        path.display()
                    ))
                })?;
                listeners.push(sender);
                Some(recorder)
            }
        };
        Ok(Writers { log, recorder })
    }
}

impl Writers {
    /// Waits until all is written; gives the first thing that went wrong, if anything.
    pub fn finish(self) -> Option<String> {
        let logged = self.log.map_or(Ok(()), RunLog::finish).err().map(|error| error.to_string());
        let reports = self.recorder.map(Recorder::finish).unwrap_or_default();
        let recorded = reports.into_iter().find_map(|report| match report {
            Report::Kept { .. } => None,
            Report::CheckpointFailed(reason) | Report::Ended(reason) => Some(reason),
        });
        logged.or(recorded)
    }
}

/// A new folder for a run: the one asked for, or one among the user's, of which the oldest go. Where
/// the user has no place for them, the warning says why nothing is kept.
///
/// # Errors
/// If the folder that was asked for cannot be used.
pub fn new_folder(
    asked: Option<&Path>,
    keep: usize,
    config: &RunConfig,
) -> Result<Result<RunFolder, String>, RunsError> {
    let config = &config.with_absolute_paths();
    if let Some(path) = asked {
        return RunFolder::create(path, config).map(Ok);
    }
    let created = Runs::of_user().and_then(|runs| {
        let folder = runs.create(config)?;
        runs.prune(keep)?;
        Ok(folder)
    });
    Ok(created.map_err(|error| format!("this run cannot be resumed: {error}")))
}

fn last_checkpoint(folder: &RunFolder) -> Result<Option<Checkpoint>, LaunchError> {
    let [last, previous] = [Kept::Last, Kept::Previous].map(|which| folder.checkpoint(which));
    match checkpoint::load_checkpoint(&last) {
        Ok(checkpoint) => Ok(Some(checkpoint)),
        Err(CheckpointError::Missing { .. }) if previous.symlink_metadata().is_err() => Ok(None),
        Err(source) => match checkpoint::load_checkpoint(&previous) {
            Ok(Checkpoint { state, .. }) => {
                Err(LaunchError::OnlyPrevious { source, step: state.progress.step, previous })
            }
            Err(_) => Err(source.into()),
        },
    }
}

/// The events in the journal's first `bytes`.
fn read_journal(path: &Path, bytes: u64) -> Result<Vec<Event>, LaunchError> {
    let mut reader = JournalReader::open(path)?;
    let mut events = Vec::new();
    while reader.bytes() < bytes
        && let Some(event) = reader.next_event()?
    {
        events.push(event);
    }
    if reader.bytes() == bytes {
        return Ok(events);
    }
    Err(LaunchError::Gap { path: path.to_owned(), found: reader.bytes(), expected: bytes })
}
