//! What is known of a run from its folder.

use std::{
    borrow::Cow,
    ffi::OsStr,
    io::{Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

use super::{
    RunsError,
    folder::{CONFIG, JOURNAL, Kept, is_in_use, load},
};
use crate::{
    config::RunConfig,
    files::Folder,
    printable::printable,
    protocol::{Event, Failure, Summary, diverged_at},
};

/// A run in a list.
#[derive(Clone, Debug, PartialEq)]
pub struct RunEntry {
    /// Its folder's name.
    pub name: String,
    /// Its folder.
    pub path: PathBuf,
    /// Its state.
    pub status: RunStatus,
    /// Why it failed.
    pub failure: Option<String>,
    /// Epoch and step of the last checkpoint; `None` without one.
    pub reached: Option<(u32, u64)>,
    /// Its settings.
    pub config: RunConfig,
    /// Best share of images recognised after an epoch, in 0..=1.
    pub best: Option<f64>,
    /// Bytes of its files.
    pub bytes: u64,
}

/// The state of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunStatus {
    /// A program is training it.
    Running,
    /// All its steps were trained.
    Done,
    /// A person or a signal ended it.
    Stopped,
    /// It ended by an error.
    Failed,
    /// It ended with losses or weights that are not finite, from this step on.
    Diverged(u64),
    /// Its program was killed.
    Interrupted,
}

impl RunStatus {
    /// One word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Done => "done",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
            Self::Diverged(_) => "diverged",
        }
    }

    /// The word, and the step where that matters.
    pub fn describe(self) -> Cow<'static, str> {
        match self {
            Self::Diverged(step) => diverged_at(step).into(),
            _ => self.name().into(),
        }
    }
}

impl RunEntry {
    /// The run in a folder; `None` if there is none.
    pub fn read(path: &Path) -> Option<Self> {
        Self::of(&Folder::open(path).ok()?)
    }

    /// What the user calls it, or else its folder's name, as a terminal may get it.
    pub fn called(&self) -> String {
        printable(self.config.name.as_deref().unwrap_or(&self.name))
    }

    /// Its state in words, with what ended it where that matters.
    pub fn describe(&self) -> Cow<'static, str> {
        let (epoch, step) = self.reached.unwrap_or_default();
        let is_short =
            epoch < self.config.epochs && self.config.max_steps.is_none_or(|most| step < most);
        if self.status == RunStatus::Done && self.config.early_stop.is_some() && is_short {
            "done, stopped early".into()
        } else {
            self.status.describe()
        }
    }

    pub(super) fn of(folder: &Folder) -> Option<Self> {
        let config = config(folder).ok()?;
        let path = folder.path();
        let name = path.file_name()?.to_string_lossy().into_owned();
        let (status, failure) = if is_in_use(folder) {
            (RunStatus::Running, None)
        } else {
            ending(folder).unwrap_or((RunStatus::Interrupted, None))
        };
        let last =
            [Kept::Last, Kept::Previous].into_iter().find_map(|which| load(folder, which).ok());
        let progress = last.map(|checkpoint| checkpoint.state.progress.clone());
        let sizes = folder.entries().unwrap_or_default().into_iter().filter_map(|entry| {
            folder.read(&entry.name).ok()?.metadata().ok().map(|metadata| metadata.len())
        });
        Some(Self {
            name,
            path: path.to_owned(),
            status,
            failure,
            reached: progress.as_ref().map(|progress| (progress.epoch, progress.step)),
            config,
            best: progress.and_then(|progress| progress.best).map(|best| best.accuracy),
            bytes: sizes.sum(),
        })
    }
}

/// Checks that no other user could have changed a run: its folder, or one of its files.
pub(super) fn check_owner(folder: &Folder) -> Result<(), RunsError> {
    if let Some(exposure) = folder.exposure() {
        return Err(RunsError::Exposed { path: folder.path().to_owned(), exposure });
    }
    for name in [CONFIG, JOURNAL].into_iter().chain(Kept::ALL.map(Kept::file)) {
        if let Some(exposure) = folder.exposure_of(OsStr::new(name)) {
            return Err(RunsError::Exposed { path: folder.path().join(name), exposure });
        }
    }
    Ok(())
}

/// The configuration in a run's folder.
pub(super) fn config(folder: &Folder) -> Result<RunConfig, RunsError> {
    /// No configuration is longer.
    const MOST: u64 = 1 << 20;
    let path = folder.path().join(CONFIG);
    let mut text = String::new();
    let read = folder.read(OsStr::new(CONFIG));
    if let Err(reason) = read.and_then(|file| file.take(MOST).read_to_string(&mut text)) {
        return Err(RunsError::Folder { path, reason });
    }
    let config: RunConfig = match serde_json::from_str(&text) {
        Ok(config) => config,
        Err(error) => return Err(RunsError::Config { path, reason: error.to_string() }),
    };
    match config.validate() {
        Ok(()) => Ok(config),
        Err(error) => Err(RunsError::Config { path, reason: error.to_string() }),
    }
}

/// How the run ended, as the last line of its journal says, and the message of an error.
fn ending(folder: &Folder) -> Option<(RunStatus, Option<String>)> {
    /// Longer than the last line of any run that ended.
    const TAIL: u64 = 1 << 16;
    let mut file = folder.read(OsStr::new(JOURNAL)).ok()?;
    let len = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(len.saturating_sub(TAIL))).ok()?;
    let mut tail = Vec::new();
    file.take(TAIL).read_to_end(&mut tail).ok()?;
    let last = tail.strip_suffix(b"\n")?.rsplit(|byte| *byte == b'\n').next()?;
    match serde_json::from_slice(last).ok()? {
        Event::Finished(Summary { diverged: Some(step), .. }) => {
            Some((RunStatus::Diverged(step), None))
        }
        Event::Finished(summary) if summary.stopped => Some((RunStatus::Stopped, None)),
        Event::Finished(_) => Some((RunStatus::Done, None)),
        Event::Failed(Failure { diverged: Some(step), message, .. }) => {
            Some((RunStatus::Diverged(step), Some(message)))
        }
        Event::Failed(failure) => Some((RunStatus::Failed, Some(failure.message))),
        _ => None,
    }
}
