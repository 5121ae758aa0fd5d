//! The folders that runs are kept in.
//!
//! A run's folder holds `config.json`, `journal.jsonl` and the checkpoints `last.safetensors`,
//! `previous.safetensors` and `best.safetensors`. The file `lock` is locked by the program that
//! writes there, so that it is free again however that program ends. Folders are held open and no
//! link in them is followed, since other users may write to the folder that they lie in.

mod entry;
mod error;
mod folder;
mod removal;

use std::{
    ffi::OsStr,
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use crate::{
    config::RunConfig,
    files::{Folder, Kind},
};

pub use entry::{RunEntry, RunStatus};
pub use error::RunsError;
pub use folder::{Kept, RunFolder, is_run_file};
pub use removal::Removal;

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

    /// Creates a folder for a new run, named by the time in UTC: `2026-11-24T07-30-12`, with a number
    /// behind it if that is taken.
    ///
    /// # Errors
    /// If none can be created.
    pub fn create(&self, config: &RunConfig) -> Result<RunFolder, RunsError> {
        let name = name_of(SystemTime::now());
        let refuse = |reason| RunsError::Folder { path: self.root.clone(), reason };
        create_private(&self.root).map_err(refuse)?;
        let root = Folder::open(&self.root).map_err(refuse)?;
        // A number that a removed run has left would make this one look older than others.
        let numbers = root.entries().unwrap_or_default().into_iter().filter_map(|entry| {
            let rest = entry.name.to_str()?.strip_prefix(&name)?;
            if rest.is_empty() { Some(1) } else { rest.strip_prefix('-')?.parse::<u32>().ok() }
        });
        let mut number = numbers.max().map_or(1, |highest| highest.saturating_add(1));
        loop {
            let suffix = if number == 1 { String::new() } else { format!("-{number}") };
            let name = format!("{name}{suffix}");
            let name = OsStr::new(&name);
            match root.create_folder(name) {
                Ok(folder) => {
                    return RunFolder::begin_or_undo(
                        folder,
                        root,
                        name,
                        config,
                        fs::File::try_lock,
                    );
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
                Err(reason) => {
                    return Err(RunsError::Folder { path: self.root.join(name), reason });
                }
            }
        }
    }

    /// All runs of this user, newest first. Links, folders of other users and folders without a valid
    /// configuration are not runs.
    pub fn list(&self) -> Vec<RunEntry> {
        self.folders().iter().filter_map(|(folder, _)| RunEntry::of(folder)).collect()
    }

    /// The folders of these runs with their configurations, newest first.
    fn folders(&self) -> Vec<(Folder, RunConfig)> {
        let Ok(root) = Folder::open(&self.root) else { return Vec::new() };
        let now = SystemTime::now();
        let run = |name: &OsStr| {
            let folder = root.folder(name).ok()?;
            entry::check_owner(&folder).ok()?;
            let config = entry::config(&folder).ok()?;
            let started = time_of(name).or_else(|| {
                folder.read(OsStr::new(folder::CONFIG)).ok()?.metadata().ok()?.modified().ok()
            });
            // A clock that was wrong must not make a run the newest for good.
            let started = started.filter(|started| *started <= now + TOLERANCE);
            Some(((started, name.len(), name.to_owned()), (folder, config)))
        };
        let entries = root.entries().unwrap_or_default();
        let folders = entries.iter().filter(|entry| entry.kind == Kind::Folder);
        let mut runs: Vec<_> = folders.filter_map(|entry| run(&entry.name)).collect();
        // Of those that began in the same second, a longer name has a higher number.
        runs.sort_by(|(one, _), (other, _)| other.cmp(one));
        runs.into_iter().map(|(_, run)| run).collect()
    }

    /// The newest run.
    ///
    /// # Errors
    /// If there is none.
    pub fn newest(&self) -> Result<PathBuf, RunsError> {
        let newest = self.folders().into_iter().next();
        newest
            .map(|(folder, _)| folder.path().to_owned())
            .ok_or_else(|| RunsError::None { root: self.root.clone() })
    }

    /// The newest run that is not finished.
    ///
    /// # Errors
    /// If there is none.
    pub fn newest_unfinished(&self) -> Result<PathBuf, RunsError> {
        let unfinished = |run: &RunEntry| {
            matches!(
                run.status,
                RunStatus::Stopped
                    | RunStatus::Failed
                    | RunStatus::Diverged(_)
                    | RunStatus::Interrupted
            )
        };
        match self.list().into_iter().find(unfinished) {
            Some(run) => Ok(run.path),
            None => Err(RunsError::NoneUnfinished { root: self.root.clone() }),
        }
    }

    /// The run at this path, else the newest stored run with this folder name or run name, else whatever
    /// is at the path.
    pub fn find(&self, run: &Path) -> PathBuf {
        let is_name = matches!(
            run.components().collect::<Vec<_>>().as_slice(),
            [std::path::Component::Normal(_)]
        );
        // A folder of another kind may have the name of a run.
        let is_run = run.is_file() || RunFolder::is_at(run);
        if !is_name || is_run {
            return run.to_owned();
        }
        let folder = self.root.join(run);
        if folder.exists() {
            return folder;
        }
        let is_called = |(_, config): &(Folder, RunConfig)| config.name.as_deref() == run.to_str();
        match self.folders().into_iter().find(is_called) {
            Some((called, _)) => called.path().to_owned(),
            None if run.exists() => run.to_owned(),
            None => folder,
        }
    }

    /// Removes the oldest runs until `keep` are left, none that is in use, and what kills left of runs
    /// that were being created or removed. A run that cannot be removed stays: another program may
    /// use it.
    pub fn prune(&self, keep: usize) {
        let Ok(root) = Folder::open(&self.root) else { return };
        for run in self.list().iter().skip(keep.max(1)) {
            if let Some(name) = run.path.file_name()
                && let Ok(removal) = Removal::in_folder(&root, name)
            {
                let _ = removal.carry_out();
            }
        }
        for entry in root.entries().unwrap_or_default() {
            let is_old = || {
                let changed = fs::symlink_metadata(self.root.join(&entry.name))
                    .and_then(|metadata| metadata.modified());
                let age = changed.map(|changed| SystemTime::now().duration_since(changed));
                matches!(age, Ok(Ok(age)) if age > BEGINNING)
            };
            if entry.kind == Kind::Folder && time_of(&entry.name).is_some() && is_old() {
                removal::sweep(&root, &entry.name);
            }
        }
    }
}

/// A run's folder without a configuration may be one that is being created for this long.
const BEGINNING: Duration = Duration::from_secs(60);
/// Clocks of machines that share a folder may differ by this.
const TOLERANCE: Duration = Duration::from_secs(24 * 60 * 60);

/// Creates a folder, and those that it lies in, so that only the user can enter them.
pub(crate) fn create_private(path: &Path) -> io::Result<()> {
    private().recursive(true).create(path)
}

/// Creates a folder that is not there yet, so that only the user can enter it.
pub(crate) fn create_new_private(path: &Path) -> io::Result<()> {
    private().create(path)
}

fn private() -> fs::DirBuilder {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
}

/// The name of a run, or of a sweep, that starts at this time.
pub(crate) fn name_of(time: SystemTime) -> String {
    /// The last second of the year 9999, the last that RFC 3339 can tell.
    const LAST: Duration = Duration::from_secs(253_402_300_799);
    // A clock may be set to any time, also one before 1970.
    let time = time.clamp(UNIX_EPOCH, UNIX_EPOCH + LAST);
    let time = humantime::format_rfc3339_seconds(time).to_string();
    time.trim_end_matches('Z').replace(':', "-")
}

/// When a run of this name started; `None` if the name is not a time.
fn time_of(name: &OsStr) -> Option<SystemTime> {
    let (time, number) = name.to_str()?.split_at_checked("2026-11-24T07-30-12".len())?;
    let is_number = |number: &str| number.parse::<u32>().is_ok();
    if !number.is_empty() && !number.strip_prefix('-').is_some_and(is_number) {
        return None;
    }
    let (date, time) = time.split_once('T')?;
    humantime::parse_rfc3339(&format!("{date}T{}Z", time.replace('-', ":"))).ok()
}

#[cfg(test)]
mod tests;
