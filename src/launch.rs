//! A run that is about to start: a new one, or one that is resumed.

mod changes;

use std::path::{Path, PathBuf};

use crossbeam_channel::Sender;

use crate::{
    checkpoint::{self, Checkpoint, CheckpointError},
    config::{ConfigError, RunConfig},
    journal::{JournalError, JournalReader},
    outcome::Outcome,
    protocol::{Breakpoint, Event},
    recorder::{Recorder, Recording, Report},
    run_log::{LogError, RunLog},
    runs::{Kept, RunFolder, Runs, RunsError},
    train::Tools,
};

pub use changes::Changes;

/// What is to be run, and where it is written down.
#[derive(Debug)]
pub struct Launch {
    /// What it computes.
    pub config: RunConfig,
    /// What it offers.
    pub tools: Tools,
    /// File for the log of every step.
    pub log: Option<PathBuf>,
    /// Events of a resumed run up to its checkpoint.
    pub past: Vec<Event>,
    /// Something to be told before it starts.
    pub warning: Option<String>,
    folder: Option<RunFolder>,
    /// Whether the folder was created for this run and holds nothing yet.
    is_new: bool,
    journal_bytes: u64,
    /// The checkpoint to be the last one, if the run is resumed from an earlier one.
    rebase: Option<Checkpoint>,
}

/// A run cannot be resumed.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// Its folder cannot be used.
    #[error(transparent)]
    Runs(#[from] RunsError),
    /// What it is asked to do now contradicts what it has done.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The file that it would save its weights to holds something else.
    #[error(
        "{}, where this run saves its weights, is not a weights file: give another place with --save",
        path.display()
    )]
    NotWeights {
        /// The file.
        path: PathBuf,
    },
    /// Its checkpoint cannot be used, and there is none before it.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// Its checkpoint cannot be used, but the one before it can.
    #[error("{source}; to resume from the one before it, step {step}, use --resume {}", previous.display())]
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
        "{} ends at byte {found}, but the checkpoint belongs to a journal of {expected} bytes: resuming \
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
        let (warning, folder, rebase) = (None, None, None);
        let (is_new, journal_bytes) = (false, 0);
        Self { config, tools, log, past, warning, folder, is_new, journal_bytes, rebase }
    }

    /// The same run, kept in this folder that was created for it.
    #[must_use]
    pub fn in_new_folder(self, folder: RunFolder) -> Self {
        Self { is_new: true, ..self.in_folder(folder) }
    }

    fn in_folder(mut self, folder: RunFolder) -> Self {
        self.tools.recorded = true;
        self.folder = Some(folder);
        self
    }

    /// Resumes the run in a folder, or from one of its checkpoints, with these changes.
    ///
    /// # Errors
    /// If there is no run, it is in use, its checkpoint or journal cannot be used, or the changes
    /// contradict what was trained.
    pub fn resume(
        path: &Path,
        tools: Tools,
        log: Option<PathBuf>,
        changes: &Changes,
    ) -> Result<Self, LaunchError> {
        let (place, file) = if path.is_file() {
            let place = path.parent().filter(|place| *place != Path::new(""));
            (place.unwrap_or(Path::new(".")), path.file_name())
        } else {
            (path, None)
        };
        let folder = RunFolder::open(place)?;
        let found = match file {
            Some(file) => Some(point(folder.load_file(file), &folder)?),
            None => last_point(&folder)?,
        };
        let Some((checkpoint, mut past)) = found else {
            // It ended before its first checkpoint: it starts again.
            let config = changes.of_untrained(folder.config()?)?;
            let warning = checkpoints_are_gone(&folder).then(|| {
                let folder = folder.path().display();
                format!(
                    "{folder} has no checkpoint any more: the run starts again from its beginning"
                )
            });
            let launch = Self::unrecorded(config, tools, log);
            let launch = Self { warning, ..launch }.in_folder(folder);
            return launch.checked(changes);
        };
        let Checkpoint { config, state, journal_bytes } = checkpoint.clone();
        // Since that checkpoint the run may have been asked for more.
        let config = match folder.config() {
            Ok(newer) => newer.on_trajectory_of(&config),
            Err(_) => config,
        };
        let (config, data) = changes.of_trained(&config, &state.progress, &mut past)?;
        let tools = Tools { start: Some(state), data, ..tools };
        let launch = Self::unrecorded(config, tools, log);
        // What was kept after an earlier checkpoint is void once the journal is cut there.
        let rebase = file.map(|_| checkpoint);
        let launch = Self { past, journal_bytes, rebase, ..launch }.in_folder(folder);
        launch.checked(changes)
    }

    /// The same run with the breakpoint that it was configured with.
    ///
    /// # Errors
    /// If its weights would replace a file that holds something else, unless a person just asked for it.
    fn checked(mut self, changes: &Changes) -> Result<Self, LaunchError> {
        if !self.config.break_on_nan {
            self.tools.breakpoints.retain(|one| *one != Breakpoint::NotFinite);
        }
        match &self.config.save {
            // The configuration may come from anywhere.
            Some(path) if changes.save.is_none() && !checkpoint::may_replace(path) => {
                Err(LaunchError::NotWeights { path: path.clone() })
            }
            _ => Ok(self),
        }
    }

    /// The folder that the run is kept in.
    pub fn folder(&self) -> Option<&Path> {
        self.folder.as_ref().map(RunFolder::path)
    }

    /// Starts the writers and adds them to the listeners.
    ///
    /// # Errors
    /// If a file cannot be opened. Nothing of an earlier run has changed then, and a folder that was
    /// created for this one is removed.
    pub fn writers(&mut self, listeners: &mut Vec<Sender<Event>>) -> Result<Writers, Outcome> {
        let log = RunLog::listen(self.log.as_deref(), &self.config, &self.past, listeners);
        let log = log.map_err(|error: LogError| {
            self.abandon();
            Outcome::failure(error)
        })?;
        let Some(folder) = self.folder.take() else { return Ok(Writers { log, recorder: None }) };
        let path = folder.path().to_owned();
        let started = Recorder::start(Recording {
            folder,
            config: self.config.with_absolute_paths(),
            journal_bytes: self.journal_bytes,
            rebase: self.rebase.take(),
            is_new: self.is_new,
        });
        let (recorder, sender) = started.map_err(|error| {
            Outcome::failure(format_args!("cannot keep the run in {}: {error}", path.display()))
        })?;
        listeners.push(sender);
        Ok(Writers { log, recorder: Some(recorder) })
    }

    fn abandon(&mut self) {
        if let Some(folder) = self.folder.take_if(|_| self.is_new) {
            folder.undo();
        }
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

/// Creates a folder for a new run: the one asked for, or one among the user's. If the user has no place for runs, the warning says why nothing is kept.
///
/// # Errors
/// If the folder that was asked for cannot be used.
pub fn new_folder(
    asked: Option<&Path>,
    config: &RunConfig,
) -> Result<Result<RunFolder, String>, RunsError> {
    let config = &config.with_absolute_paths();
    if let Some(path) = asked {
        return RunFolder::create(path, config).map(Ok);
    }
    let created = Runs::of_user().and_then(|runs| runs.create(config));
    Ok(created.map_err(|error| format!("this run cannot be resumed: {error}")))
}

/// A checkpoint with what happened up to it.
type Point = (Checkpoint, Vec<Event>);

fn point(
    checkpoint: Result<Checkpoint, CheckpointError>,
    folder: &RunFolder,
) -> Result<Point, LaunchError> {
    let checkpoint = checkpoint?;
    let past = read_journal(folder, &checkpoint)?;
    Ok((checkpoint, past))
}

fn reader(folder: &RunFolder) -> Result<JournalReader, JournalError> {
    let path = folder.journal();
    match folder.read_journal() {
        Ok(file) => Ok(JournalReader::new(&path, file)),
        Err(reason) => Err(JournalError::Read { path, reason }),
    }
}

/// Whether a run has come so far that there were checkpoints.
fn checkpoints_are_gone(folder: &RunFolder) -> bool {
    let Ok(mut reader) = reader(folder) else { return false };
    let events = std::iter::from_fn(|| reader.next_event().ok().flatten());
    // Of the first epoch the evaluation may be noted and the checkpoint not yet there.
    events.filter(|event| matches!(event, Event::Epoch(_))).nth(1).is_some()
}

/// The last checkpoint; `None` where there was none yet.
fn last_point(folder: &RunFolder) -> Result<Option<Point>, LaunchError> {
    let previous = folder.checkpoint(Kept::Previous);
    match point(folder.load(Kept::Last), folder) {
        Ok(found) => Ok(Some(found)),
        Err(LaunchError::Checkpoint(CheckpointError::Missing { .. }))
            if previous.symlink_metadata().is_err() =>
        {
            Ok(None)
        }
        Err(source) => match point(folder.load(Kept::Previous), folder) {
            Ok((Checkpoint { state, .. }, _)) => {
                let (source, step) = (Box::new(source), state.progress.step);
                Err(LaunchError::OnlyPrevious { source, step, previous })
            }
            Err(_) => Err(source),
        },
    }
}

/// The events in the journal up to where it was when the checkpoint was made.
fn read_journal(folder: &RunFolder, checkpoint: &Checkpoint) -> Result<Vec<Event>, LaunchError> {
    let expected = checkpoint.journal_bytes;
    let mut reader = reader(folder)?;
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
    // Another trajectory may have been written over the one that the checkpoint belongs to.
    if reader.bytes() == expected && step == checkpoint.state.progress.step {
        return Ok(events);
    }
    Err(LaunchError::Gap { path: folder.journal(), found: reader.bytes(), expected })
}
