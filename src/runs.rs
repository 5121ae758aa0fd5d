//! The folders that runs are kept in.
//!
//! A run's folder holds `config.json`, `journal.jsonl` and the checkpoints `last.safetensors`,
//! `previous.safetensors` and `best.safetensors`. The file `lock` is locked by the program that
//! writes there, so that it is free again however that program ends.

mod entry;

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
    thread,
    time::{Duration, SystemTime},
};

use crate::config::RunConfig;

pub use entry::{RunEntry, RunStatus};

/// A run's folder, in use until this is dropped.
#[derive(Debug)]
pub struct RunFolder {
    path: PathBuf,
    /// Locked as long as it is open.
    _lock: File,
}

/// A folder of runs, or a run's folder, cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RunsError {
    /// No place for runs is known.
    #[error("cannot tell where runs are kept: set XDG_STATE_HOME or HOME, or give --run-dir DIR")]
    NoHome,
    /// The system refuses.
    #[error("cannot use the run folder {}: {reason}", path.display())]
    Folder {
        /// The folder or a file in it.
        path: PathBuf,
        /// The system's answer.
        reason: io::Error,
    },
    /// A program writes there.
    #[error("the run {} is in use by another mnist-tui", path.display())]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// A run is there that would be lost.
    #[error(
        "{} holds a run already: go on with it by --resume {}, or choose another folder",
        path.display(),
        path.display()
    )]
    Taken {
        /// The folder.
        path: PathBuf,
    },
    /// A new run would lie among other files.
    #[error("{} is not empty: expected a new folder, or an empty one", path.display())]
    NotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// There is no run there.
    #[error("{} holds no run: `mnist-tui runs` lists those there are", path.display())]
    NoRun {
        /// The folder.
        path: PathBuf,
    },
    /// No run can be gone on with.
    #[error("there is no unfinished run in {}: `mnist-tui runs` lists all", root.display())]
    NoneUnfinished {
        /// The folder of runs.
        root: PathBuf,
    },
    /// There is no run at all.
    #[error("there is no run in {}", root.display())]
    None {
        /// The folder of runs.
        root: PathBuf,
    },
    /// A run's configuration cannot be read.
    #[error("{} is damaged: {reason}", path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

impl RunFolder {
    /// A new folder for a run, or an empty one that is there.
    ///
    /// # Errors
    /// If it cannot be made, or holds a run.
    pub fn create(path: &Path, config: &RunConfig) -> Result<Self, RunsError> {
        let refuse = |reason| RunsError::Folder { path: path.to_owned(), reason };
        fs::create_dir_all(path).map_err(refuse)?;
        if Self::is_at(path) {
            return Err(RunsError::Taken { path: path.to_owned() });
        }
        // A program that was killed at once may have left its lock.
        let mut entries = fs::read_dir(path).map_err(refuse)?.flatten();
        if entries.any(|entry| entry.file_name() != LOCK) {
            return Err(RunsError::NotEmpty { path: path.to_owned() });
        }
        let folder = Self::lock(path)?;
        if Self::is_at(path) {
            return Err(RunsError::Taken { path: path.to_owned() });
        }
        let json = serde_json::to_vec_pretty(config).expect("plain data has a JSON form");
        crate::checkpoint::replace_file(&folder.config_file(), &json).map_err(refuse)?;
        Ok(folder)
    }

    /// The folder of a run, to go on with it.
    ///
    /// # Errors
    /// If there is none, or another program uses it.
    pub fn open(path: &Path) -> Result<Self, RunsError> {
        if !Self::is_at(path) {
            return Err(RunsError::NoRun { path: path.to_owned() });
        }
        Self::lock(path)
    }

    fn lock(path: &Path) -> Result<Self, RunsError> {
        /// How often a lock that is taken is tried again, and after how long.
        const LOOKS: u32 = 5;
        const BETWEEN_LOOKS: Duration = Duration::from_millis(10);
        let file = path.join(LOCK);
        let refuse = |reason| RunsError::Folder { path: path.to_owned(), reason };
        if file.metadata().is_ok_and(|metadata| !metadata.is_file()) {
            return Err(refuse(io::Error::other("its lock is not a regular file")));
        }
        let lock = File::options().create(true).truncate(false).write(true).open(&file);
        let lock = lock.map_err(refuse)?;
        let mut looks = LOOKS;
        loop {
            match lock.try_lock() {
                Ok(()) => return Ok(Self { path: path.to_owned(), _lock: lock }),
                // Whoever lists runs holds the lock for a moment.
                Err(TryLockError::WouldBlock) if looks > 0 => {
                    looks -= 1;
                    thread::sleep(BETWEEN_LOOKS);
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(RunsError::InUse { path: path.to_owned() });
                }
                Err(TryLockError::Error(reason)) => return Err(refuse(reason)),
            }
        }
    }

    /// Whether a run is kept in this folder.
    pub fn is_at(path: &Path) -> bool {
        path.join(CONFIG).is_file()
    }

    /// Whether a program uses the run's folder.
    pub fn is_in_use(path: &Path) -> bool {
        let lock = path.join(LOCK);
        // Opening a pipe would wait for whoever writes to it.
        if !lock.metadata().is_ok_and(|metadata| metadata.is_file()) {
            return false;
        }
        File::open(lock)
            .is_ok_and(|lock| matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn config_file(&self) -> PathBuf {
        self.path.join(CONFIG)
    }

    /// The configuration that the run was started with.
    ///
    /// # Errors
    /// If its file cannot be read, or is damaged.
    pub fn config(&self) -> Result<RunConfig, RunsError> {
        entry::config(&self.path)
    }

    /// The journal's file.
    pub fn journal(&self) -> PathBuf {
        Self::journal_at(&self.path)
    }

    /// The journal's file of the run in a folder, which need not be in use.
    pub fn journal_at(path: &Path) -> PathBuf {
        path.join(JOURNAL)
    }

    /// The file of a checkpoint.
    pub fn checkpoint(&self, which: Kept) -> PathBuf {
        self.path.join(which.file())
    }
}

const CONFIG: &str = "config.json";
/// Locked by the program that trains the run.
const LOCK: &str = "lock";
const JOURNAL: &str = "journal.jsonl";

/// The checkpoints of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// The newest.
    Last,
    /// The one before it.
    Previous,
    /// That of the epoch with the best evaluation.
    Best,
}

impl Kept {
    /// The name of its file.
    pub fn file(self) -> &'static str {
        match self {
            Self::Last => "last.safetensors",
            Self::Previous => "previous.safetensors",
            Self::Best => "best.safetensors",
        }
    }
}

/// The folder that holds the folders of runs.
#[derive(Clone, Debug)]
pub struct Runs {
    root: PathBuf,
}

impl Runs {
    /// The one in the user's state directory: `$XDG_STATE_HOME/mnist-tui/runs`, by default
    /// `~/.local/state/mnist-tui/runs`.
    ///
    /// # Errors
    /// If neither it nor a home is known.
    pub fn of_user() -> Result<Self, RunsError> {
        let state = dirs::state_dir().or_else(dirs::data_local_dir).ok_or(RunsError::NoHome)?;
        Ok(Self::in_folder(&state.join("mnist-tui").join("runs")))
    }

    /// The one in this folder.
    pub fn in_folder(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// Where it is.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// A folder for a new run, named by the time: `2026-11-24T07-30-12`, with a number behind where
    /// that is taken.
    ///
    /// # Errors
    /// If none can be made.
    pub fn create(&self, config: &RunConfig) -> Result<RunFolder, RunsError> {
        let now = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
        let name = now.trim_end_matches('Z').replace(':', "-");
        fs::create_dir_all(&self.root)
            .map_err(|reason| RunsError::Folder { path: self.root.clone(), reason })?;
        let mut number = 1_u32;
        loop {
            let suffix = if number == 1 { String::new() } else { format!("-{number}") };
            let path = self.root.join(format!("{name}{suffix}"));
            match fs::create_dir(&path) {
                Ok(()) => return RunFolder::create(&path, config),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
                Err(reason) => return Err(RunsError::Folder { path, reason }),
            }
        }
    }

    /// All runs, newest first. What is no run's folder is passed over.
    pub fn list(&self) -> Vec<RunEntry> {
        let Ok(folders) = fs::read_dir(&self.root) else { return Vec::new() };
        let mut runs: Vec<RunEntry> =
            folders.flatten().filter_map(|folder| RunEntry::read(&folder.path())).collect();
        // Names are times, with numbers behind.
        let order =
            |name: &str| (name.get(..19).unwrap_or(name).to_owned(), name.len(), name.to_owned());
        runs.sort_by_key(|run| std::cmp::Reverse(order(&run.name)));
        runs
    }

    /// The newest run.
    ///
    /// # Errors
    /// If there is none.
    pub fn newest(&self) -> Result<PathBuf, RunsError> {
        let newest = self.list().into_iter().next();
        newest.map(|run| run.path).ok_or_else(|| RunsError::None { root: self.root.clone() })
    }

    /// The newest run that can be gone on with.
    ///
    /// # Errors
    /// If there is none.
    pub fn newest_unfinished(&self) -> Result<PathBuf, RunsError> {
        let unfinished = |run: &RunEntry| {
            matches!(run.status, RunStatus::Stopped | RunStatus::Failed | RunStatus::Interrupted)
        };
        match self.list().into_iter().find(unfinished) {
            Some(run) => Ok(run.path),
            None => Err(RunsError::NoneUnfinished { root: self.root.clone() }),
        }
    }

    /// The folder of a run by its name here, or by a path.
    pub fn find(&self, run: &Path) -> PathBuf {
        let named = self.root.join(run);
        if run.components().count() == 1 && named.is_dir() { named } else { run.to_owned() }
    }

    /// Removes the oldest runs until `keep` are left, none that is in use. One that cannot go stays:
    /// another program may be at it, or somebody else own it.
    pub fn prune(&self, keep: usize) {
        for run in self.list().iter().skip(keep.max(1)) {
            let _ = remove(&run.path);
        }
    }
}

/// Removes a run's folder, with what the program keeps there and no other file.
///
/// # Errors
/// If it holds no run, is in use, or cannot be removed.
pub fn remove(path: &Path) -> Result<(), RunsError> {
    // A folder cannot be removed by the name `.`.
    let path = &fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let folder = RunFolder::open(path)?;
    let refuse = |reason| RunsError::Folder { path: path.clone(), reason };
    for file in fs::read_dir(path).map_err(refuse)?.flatten() {
        // What a kill left of a file that was being written.
        let name = file.file_name();
        let name = name.to_string_lossy();
        if name.starts_with(".mnist-tui-") && name.ends_with(".tmp") {
            let _ = fs::remove_file(file.path());
        }
    }
    let kept = [Kept::Last, Kept::Previous, Kept::Best].map(Kept::file);
    // The configuration makes it a run: without it, what a kill leaves is no run any more.
    for name in [CONFIG, JOURNAL].into_iter().chain(kept).chain([LOCK]) {
        match fs::remove_file(path.join(name)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            result => result.map_err(refuse)?,
        }
    }
    drop(folder);
    // Whoever put other files there keeps them.
    match fs::remove_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => Ok(()),
        result => result.map_err(refuse),
    }
}

#[cfg(test)]
mod tests;
