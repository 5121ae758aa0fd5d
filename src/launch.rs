//! A run about to start, be it new or gone on with.

use std::{
    fs,
    path::{Path, PathBuf},
};

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
    /// The checkpoint to be the last one, where the run goes on from an earlier one.
    rebase: Option<Checkpoint>,
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
        source: Box<LaunchError>,
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
        "{} ends at byte {found} and should reach byte {expected} of the course that the checkpoint \
         belongs to: going on would leave a gap",
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
        let (warning, folder, rebase) = (None, None, None);
        Self { config, tools, log, past, warning, folder, journal_bytes: 0, rebase }
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
            let place = path.parent().filter(|place| *place != Path::new(""));
            (place.unwrap_or(Path::new(".")), Some(path))
        } else {
            (path, None)
        };
        let folder = RunFolder::open(place)?;
        let found = match file {
            Some(file) => Some(point(file, &folder)?),
            None => last_point(&folder)?,
        };
        let Some((checkpoint, past)) = found else {
            // It ended before its first checkpoint: it begins again.
            let config = folder.config()?;
            let warning = checkpoints_are_gone(&folder).then(|| {
                let folder = folder.path().display();
                format!(
                    "{folder} has no checkpoint any more: the run starts again at its beginning"
                )
            });
            let launch = Self::unrecorded(config, tools, log);
            return Ok(Self { warning, ..launch }.in_folder(folder));
        };
        let Checkpoint { config, state, journal_bytes } = checkpoint.clone();
        let tools = Tools { start: Some(Box::new(state)), ..tools };
        let launch = Self::unrecorded(config, tools, log);
        // What was kept after an earlier checkpoint is void once the journal is cut there.
        let rebase = file.map(|_| checkpoint);
        Ok(Self { past, journal_bytes, rebase, ..launch }.in_folder(folder))
    }

    /// The folder that the run is kept in.
    pub fn folder(&self) -> Option<&Path> {
        self.folder.as_ref().map(RunFolder::path)
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
                if let Some(checkpoint) = &self.rebase {
                    rebase(&folder, checkpoint).map_err(Outcome::failure)?;
                }
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
        runs.prune(keep);
        Ok(folder)
    });
    Ok(created.map_err(|error| format!("this run cannot be resumed: {error}")))
}

/// A checkpoint with what happened up to it.
type Point = (Checkpoint, Vec<Event>);

fn point(file: &Path, folder: &RunFolder) -> Result<Point, LaunchError> {
    let checkpoint = checkpoint::load_checkpoint(file)?;
    let past = read_journal(&folder.journal(), &checkpoint)?;
    Ok((checkpoint, past))
}

/// Whether a run has come so far that there were checkpoints.
fn checkpoints_are_gone(folder: &RunFolder) -> bool {
    let Ok(mut reader) = JournalReader::open(&folder.journal()) else { return false };
    let events = std::iter::from_fn(|| reader.next_event().ok().flatten());
    // Of the first epoch the evaluation may be noted and the checkpoint not yet there.
    events.filter(|event| matches!(event, Event::Epoch(_))).nth(1).is_some()
}

/// The last checkpoint; `None` where there was none yet.
fn last_point(folder: &RunFolder) -> Result<Option<Point>, LaunchError> {
    let [last, previous] = [Kept::Last, Kept::Previous].map(|which| folder.checkpoint(which));
    match point(&last, folder) {
        Ok(found) => Ok(Some(found)),
        Err(LaunchError::Checkpoint(CheckpointError::Missing { .. }))
            if previous.symlink_metadata().is_err() =>
        {
            Ok(None)
        }
        Err(source) => match point(&previous, folder) {
            Ok((Checkpoint { state, .. }, _)) => {
                let (source, step) = (Box::new(source), state.progress.step);
                Err(LaunchError::OnlyPrevious { source, step, previous })
            }
            Err(_) => Err(source),
        },
    }
}

/// Makes a checkpoint the last one, and removes those that lie after it.
fn rebase(folder: &RunFolder, checkpoint: &Checkpoint) -> Result<(), CheckpointError> {
    checkpoint::save_checkpoint(&folder.checkpoint(Kept::Last), checkpoint)?;
    for which in [Kept::Previous, Kept::Best] {
        let file = folder.checkpoint(which);
        let is_later = match checkpoint::load_checkpoint(&file) {
            Ok(other) => other.journal_bytes > checkpoint.journal_bytes,
            Err(error) => !matches!(error, CheckpointError::Missing { .. }),
        };
        if is_later {
            fs::remove_file(&file).map_err(|reason| CheckpointError::Write {
                file: file.display().to_string(),
                reason,
            })?;
        }
    }
    Ok(())
}

/// The events in the journal up to where it was when the checkpoint was made.
fn read_journal(path: &Path, checkpoint: &Checkpoint) -> Result<Vec<Event>, LaunchError> {
    let expected = checkpoint.journal_bytes;
    let mut reader = JournalReader::open(path)?;
    let mut events = Vec::new();
    let mut step = 0;
    while reader.bytes() < expected
        && let Some(event) = reader.next_event()?
    {
        match &event {
            Event::Progress(progress) => step = progress.last_step(),
            Event::Rewound(rewound) => step = rewound.step,
            _ => {}
        }
        events.push(event);
    }
    // Another course may have been written over the one that the checkpoint belongs to.
    if reader.bytes() == expected && step == checkpoint.state.progress.step {
        return Ok(events);
    }
    Err(LaunchError::Gap { path: path.to_owned(), found: reader.bytes(), expected })
}
