//! What is known of a run from its folder.

use std::{
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

use super::{CONFIG, JOURNAL, Kept, RunFolder, RunsError};
use crate::{checkpoint, config::RunConfig, protocol::Event};

/// A run in a list.
#[derive(Clone, Debug, PartialEq)]
pub struct RunEntry {
    /// Its folder's name.
    pub name: String,
    /// Its folder.
    pub path: PathBuf,
    /// How it stands.
    pub status: RunStatus,
    /// Epoch and step of the last checkpoint; `None` without one.
    pub reached: Option<(u32, u64)>,
    /// Epochs it was to have.
    pub epochs: u32,
    /// Best share of images recognised after an epoch, in 0..=1.
    pub best: Option<f64>,
    /// Bytes of its files.
    pub bytes: u64,
}

/// How a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunStatus {
    /// A program is at it.
    Running,
    /// All its steps were trained.
    Done,
    /// A person or a signal ended it.
    Stopped,
    /// It ended by an error.
    Failed,
    /// Its program ended without a word.
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
        }
    }
}

impl RunEntry {
    /// The run in a folder; `None` if there is none.
    pub fn read(path: &Path) -> Option<Self> {
        let config = config(path).ok()?;
        let name = path.file_name()?.to_string_lossy().into_owned();
        let status = if RunFolder::is_in_use(path) {
            RunStatus::Running
        } else {
            last_word(&path.join(JOURNAL)).unwrap_or(RunStatus::Interrupted)
        };
        let last = [Kept::Last, Kept::Previous]
            .into_iter()
            .find_map(|which| checkpoint::load_checkpoint(&path.join(which.file())).ok());
        let progress = last.map(|checkpoint| checkpoint.state.progress);
        let files = fs::read_dir(path).into_iter().flatten().flatten();
        let sizes = files.filter_map(|file| file.metadata().ok()).map(|metadata| metadata.len());
        Some(Self {
            name,
            path: path.to_owned(),
            status,
            reached: progress.as_ref().map(|progress| (progress.epoch, progress.step)),
            epochs: config.epochs,
            best: progress.and_then(|progress| progress.best).map(|best| best.accuracy),
            bytes: sizes.sum(),
        })
    }
}

/// The configuration in a run's folder.
pub(super) fn config(path: &Path) -> Result<RunConfig, RunsError> {
    /// More is no configuration.
    const MOST: u64 = 1 << 20;
    let path = path.join(CONFIG);
    let mut text = String::new();
    if !path.metadata().is_ok_and(|metadata| metadata.is_file()) {
        let reason = io::Error::other("it is not a regular file");
        return Err(RunsError::Folder { path, reason });
    }
    let read = File::open(&path).and_then(|file| file.take(MOST).read_to_string(&mut text));
    if let Err(reason) = read {
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

/// How the run ended, as the last lines of its journal say.
fn last_word(journal: &Path) -> Option<RunStatus> {
    /// Longer than the last lines of any run that ended.
    const TAIL: u64 = 1 << 16;
    let len = journal.metadata().ok().filter(fs::Metadata::is_file)?.len();
    let mut file = File::open(journal).ok()?;
    file.seek(SeekFrom::Start(len.saturating_sub(TAIL))).ok()?;
    let mut tail = Vec::new();
    file.take(TAIL).read_to_end(&mut tail).ok()?;
    let last = tail.strip_suffix(b"\n")?.rsplit(|byte| *byte == b'\n').next()?;
    match serde_json::from_slice(last).ok()? {
        Event::Finished(summary) if summary.stopped => Some(RunStatus::Stopped),
        Event::Finished(_) => Some(RunStatus::Done),
        Event::Failed(_) => Some(RunStatus::Failed),
        _ => None,
    }
}
