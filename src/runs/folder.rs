//! The folder of one run.

use std::{
    ffi::{OsStr, OsString},
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use super::{RunsError, entry, removal};
use crate::{
    checkpoint::{self, Checkpoint, CheckpointError},
    config::RunConfig,
    files::{self, Entry, Folder, Kind},
};

pub(super) const CONFIG: &str = "config.json";
/// Locked by the program that trains the run.
pub(super) const LOCK: &str = "lock";
pub(super) const JOURNAL: &str = "journal.jsonl";

/// The checkpoints of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// The newest.
    Last,
    /// The one before it.
    Previous,
    /// The one after the epoch with the best evaluation.
    Best,
}

impl Kept {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Last, Self::Previous, Self::Best];

    /// The name of its file.
    pub fn file(self) -> &'static str {
        match self {
            Self::Last => "last.safetensors",
            Self::Previous => "previous.safetensors",
            Self::Best => "best.safetensors",
        }
    }
}

/// Whether a run's folder has a file of this name.
pub fn is_run_file(name: &OsStr) -> bool {
    let fixed = [CONFIG, LOCK, JOURNAL].into_iter().chain(Kept::ALL.map(Kept::file));
    // Some file systems take upper and lower case for the same.
    files::is_temporary(name) || fixed.into_iter().any(|own| name.eq_ignore_ascii_case(own))
}

/// A run's folder, in use until this is dropped.
#[derive(Debug)]
pub struct RunFolder {
    folder: Folder,
    /// Locked as long as it is open.
    _lock: File,
    /// The folder that it was created in, and its name there; `None` if it was there before.
    created_in: Option<(Folder, OsString)>,
}

impl RunFolder {
    /// Creates a folder for a run, or takes an empty one that is there.
    ///
    /// # Errors
    /// If it cannot be created, holds a run or other files, or belongs to another user.
    pub fn create(path: &Path, config: &RunConfig) -> Result<Self, RunsError> {
        let refuse = |reason| RunsError::Folder { path: path.to_owned(), reason };
        match (fs::symlink_metadata(path), path.parent(), path.file_name()) {
            (Err(error), Some(parent), Some(name)) if error.kind() == io::ErrorKind::NotFound => {
                let parent = if parent == Path::new("") { Path::new(".") } else { parent };
                fs::create_dir_all(parent).map_err(refuse)?;
                let parent = Folder::open(parent).map_err(refuse)?;
                match parent.create_folder(name) {
                    Ok(folder) => Self::begin_or_undo(folder, parent, name, config, File::try_lock),
                    Err(reason) => Err(refuse(reason)),
                }
            }
            _ => Self::begin(Folder::open(path).map_err(refuse)?, config, File::try_lock),
        }
    }

    /// Makes a run's folder of one that was just created in `parent`, and removes it if that fails: no
    /// list would show it.
    pub(super) fn begin_or_undo(
        folder: Folder,
        parent: Folder,
        name: &OsStr,
        config: &RunConfig,
        try_lock: impl Fn(&File) -> Result<(), TryLockError>,
    ) -> Result<Self, RunsError> {
        let held = folder.try_clone();
        match Self::begin(folder, config, try_lock) {
            Ok(begun) => Ok(Self { created_in: Some((parent, name.to_owned())), ..begun }),
            Err(error) => {
                let _ = held.and_then(|held| held.remove(OsStr::new(LOCK)));
                let _ = parent.remove_folder(name);
                Err(error)
            }
        }
    }

    fn begin(
        folder: Folder,
        config: &RunConfig,
        try_lock: impl Fn(&File) -> Result<(), TryLockError>,
    ) -> Result<Self, RunsError> {
        let path = || folder.path().to_owned();
        let refuse = |reason| RunsError::Folder { path: path(), reason };
        if let Some(exposure) = folder.exposure() {
            return Err(RunsError::Exposed { path: path(), exposure });
        }
        // A program that was killed may have left these.
        let is_left_over = |Entry { name, .. }: &Entry| name == LOCK || files::is_temporary(name);
        let check = || {
            if entry::config(&folder).is_ok() {
                Err(RunsError::Taken { path: path() })
            } else if !folder.entries().map_err(refuse)?.iter().all(is_left_over) {
                Err(RunsError::NotEmpty { path: path() })
            } else {
                Ok(())
            }
        };
        check()?;
        let lock = lock(&folder, try_lock)?;
        // Another program may have had the lock until now.
        check()?;
        write_config(&folder, config).inspect_err(|_| {
            let _ = folder.remove(OsStr::new(LOCK));
        })?;
        Ok(Self { folder, _lock: lock, created_in: None })
    }

    /// Opens the folder of a run, to resume it.
    ///
    /// # Errors
    /// If there is none, another program uses it, or another user could have changed it.
    pub fn open(path: &Path) -> Result<Self, RunsError> {
        let no_run = || RunsError::NoRun { path: path.to_owned() };
        let folder = Folder::open(path).map_err(|reason| match reason.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => no_run(),
            _ => RunsError::Folder { path: path.to_owned(), reason },
        })?;
        entry::check_owner(&folder)?;
        match entry::config(&folder) {
            Ok(_) => {}
            // A checkpoint has the configuration too.
            Err(_) if has_checkpoint(&folder) => {}
            Err(RunsError::Folder { reason, .. }) if reason.kind() == io::ErrorKind::NotFound => {
                return Err(no_run());
            }
            Err(error) => return Err(error),
        }
        let run = Self::lock(folder)?;
        run.remove_temporary_files();
        Ok(run)
    }

    /// Locks a folder that was opened already.
    pub(super) fn lock(folder: Folder) -> Result<Self, RunsError> {
        let lock = lock(&folder, File::try_lock)?;
        Ok(Self { folder, _lock: lock, created_in: None })
    }

    /// Removes what kills left of files that were about to replace others.
    fn remove_temporary_files(&self) {
        for Entry { name, kind } in self.folder.entries().unwrap_or_default() {
            if kind == Kind::File && files::is_temporary(&name) {
                let _ = self.folder.remove(&name);
            }
        }
    }

    /// Leaves the folder as it was before [`create`](Self::create), for a run that never starts.
    pub fn undo(self) {
        for name in [JOURNAL, CONFIG, LOCK] {
            let _ = self.folder.remove(OsStr::new(name));
        }
        if let Some((parent, name)) = self.created_in {
            // Another program may have put something there.
            let _ = parent.remove_folder(&name);
        }
    }

    pub(super) fn folder(&self) -> &Folder {
        &self.folder
    }

    /// Whether a run is kept in the folder at this path.
    pub fn is_at(path: &Path) -> bool {
        Self::config_at(path).is_some()
    }

    /// The configuration of the run in the folder at this path; `None` if there is none.
    pub fn config_at(path: &Path) -> Option<RunConfig> {
        entry::config(&Folder::open(path).ok()?).ok()
    }

    /// Whether a program uses the run in the folder at this path.
    pub fn is_in_use(path: &Path) -> bool {
        Folder::open(path).is_ok_and(|folder| is_in_use(&folder))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Whether the folder was removed since it was opened.
    pub fn is_removed(&self) -> bool {
        self.folder.is_removed()
    }

    /// The configuration of the run, as it was last started or resumed.
    ///
    /// # Errors
    /// If its file cannot be read, or is damaged.
    pub fn config(&self) -> Result<RunConfig, RunsError> {
        entry::config(&self.folder)
    }

    /// Writes the configuration if it is another than the one that is there.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn save_config(&self, config: &RunConfig) -> Result<(), RunsError> {
        if self.config().is_ok_and(|saved| saved == *config) {
            return Ok(());
        }
        write_config(&self.folder, config)
    }

    /// The path of the journal, for messages.
    pub fn journal(&self) -> PathBuf {
        Self::journal_at(self.path())
    }

    /// The path of the journal in the folder at this path.
    pub fn journal_at(path: &Path) -> PathBuf {
        path.join(JOURNAL)
    }

    /// Opens the journal to read.
    ///
    /// # Errors
    /// If there is none, or it is not a regular file.
    pub fn read_journal(&self) -> io::Result<File> {
        self.folder.read(OsStr::new(JOURNAL))
    }

    /// Opens the journal to write, with its content.
    ///
    /// # Errors
    /// If it is not a regular file, or the system refuses.
    pub fn write_journal(&self) -> io::Result<File> {
        self.folder.write(OsStr::new(JOURNAL))
    }

    /// The path of a checkpoint, for messages.
    pub fn checkpoint(&self, which: Kept) -> PathBuf {
        self.path().join(which.file())
    }

    /// Reads a checkpoint.
    ///
    /// # Errors
    /// If it is missing, cannot be read, or is damaged.
    pub fn load(&self, which: Kept) -> Result<Checkpoint, CheckpointError> {
        load(&self.folder, which)
    }

    /// Reads the checkpoint in a file of this folder.
    ///
    /// # Errors
    /// If it is missing, cannot be read, or is damaged.
    pub fn load_file(&self, name: &OsStr) -> Result<Checkpoint, CheckpointError> {
        load_file(&self.folder, name)
    }

    /// Writes a checkpoint, whole or not at all.
    ///
    /// # Errors
    /// If its values are not finite, or it cannot be written; the old one is then unchanged.
    pub fn save(&self, which: Kept, checkpoint: &Checkpoint) -> Result<(), CheckpointError> {
        let path = self.checkpoint(which);
        let bytes = checkpoint::encode_checkpoint(&path, checkpoint)?;
        self.folder
            .replace(OsStr::new(which.file()), &bytes)
            .map_err(|reason| CheckpointError::Write { file: path.display().to_string(), reason })
    }

    /// Whether a checkpoint is there, whole or damaged.
    pub fn has(&self, which: Kept) -> bool {
        removal::is_own(&self.folder, OsStr::new(which.file()))
    }

    /// Removes a checkpoint.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn discard(&self, which: Kept) -> Result<(), CheckpointError> {
        self.folder.remove(OsStr::new(which.file())).map_err(|reason| CheckpointError::Write {
            file: self.checkpoint(which).display().to_string(),
            reason,
        })
    }
}

fn write_config(folder: &Folder, config: &RunConfig) -> Result<(), RunsError> {
    let json = serde_json::to_vec_pretty(config).map_err(io::Error::from);
    json.and_then(|json| folder.replace(OsStr::new(CONFIG), &json))
        .map_err(|reason| RunsError::Folder { path: folder.path().to_owned(), reason })
}

fn lock(
    folder: &Folder,
    try_lock: impl Fn(&File) -> Result<(), TryLockError>,
) -> Result<File, RunsError> {
    /// How often a lock that is taken is tried again, and after how long.
    const LOOKS: u32 = 5;
    const BETWEEN_LOOKS: Duration = Duration::from_millis(10);
    let refuse = |reason| RunsError::Folder { path: folder.path().to_owned(), reason };
    let lock = folder.write(OsStr::new(LOCK)).map_err(refuse)?;
    let mut looks = LOOKS;
    loop {
        match try_lock(&lock) {
            Ok(()) => return Ok(lock),
            // A program that lists runs holds the lock for a moment.
            Err(TryLockError::WouldBlock) if looks > 0 => {
                looks -= 1;
                thread::sleep(BETWEEN_LOOKS);
            }
            Err(TryLockError::WouldBlock) => {
                return Err(RunsError::InUse { path: folder.path().to_owned() });
            }
            Err(TryLockError::Error(reason)) => return Err(refuse(reason)),
        }
    }
}

pub(super) fn is_in_use(folder: &Folder) -> bool {
    folder
        .read(OsStr::new(LOCK))
        .is_ok_and(|lock| matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

/// Whether a checkpoint can be resumed from.
pub(super) fn has_checkpoint(folder: &Folder) -> bool {
    [Kept::Last, Kept::Previous].into_iter().any(|which| load(folder, which).is_ok())
}

pub(super) fn load(folder: &Folder, which: Kept) -> Result<Checkpoint, CheckpointError> {
    load_file(folder, OsStr::new(which.file()))
}

fn load_file(folder: &Folder, name: &OsStr) -> Result<Checkpoint, CheckpointError> {
    checkpoint::read_checkpoint(&folder.path().join(name), folder.read(name))
}
