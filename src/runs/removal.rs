//! Removing runs, and nothing else.

use std::{
    ffi::{OsStr, OsString},
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

use super::{
    RunEntry, RunsError, entry,
    folder::{CONFIG, JOURNAL, Kept, LOCK, RunFolder, has_checkpoint, is_run_file},
};
use crate::{
    files::{self, Entry, Folder, Kind},
    protocol::Event,
};

/// A run that is about to be removed; locked until then.
#[derive(Debug)]
pub struct Removal {
    parent: Folder,
    name: OsString,
    run: RunFolder,
    /// What is known of it.
    pub entry: RunEntry,
    /// Files that the run consists of.
    pub files: Vec<OsString>,
    /// What else lies in its folder, and stays there.
    pub others: Vec<OsString>,
}

impl Removal {
    /// Finds out what removing the run in a folder means, and changes nothing.
    ///
    /// # Errors
    /// If there is no run, it is in use, belongs to another user, or its folder is a link or a mount
    /// point.
    pub fn of(path: &Path) -> Result<Self, RunsError> {
        // A slash at the end would lead through a link.
        let path: &Path = &path.components().collect::<PathBuf>();
        let refuse = |reason| RunsError::Folder { path: path.to_owned(), reason };
        match fs::symlink_metadata(path) {
            Ok(metadata) if metadata.is_symlink() => {
                return Err(RunsError::Link { path: path.to_owned() });
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(RunsError::NoRun { path: path.to_owned() });
            }
            _ => {}
        }
        // A folder cannot be removed by the name `.`.
        let whole = fs::canonicalize(path).map_err(refuse)?;
        let (Some(parent), Some(name)) = (whole.parent(), whole.file_name()) else {
            return Err(RunsError::MountPoint { path: whole });
        };
        Self::in_folder(&Folder::open(parent).map_err(refuse)?, name)
    }

    /// [`of`](Self::of) an entry of a folder.
    pub(super) fn in_folder(parent: &Folder, name: &OsStr) -> Result<Self, RunsError> {
        let path = parent.path().join(name);
        let refuse = |reason| RunsError::Folder { path: path.clone(), reason };
        if parent.has_mount_at(name) {
            return Err(RunsError::MountPoint { path });
        }
        let folder = parent.folder(name).map_err(|reason| match reason.kind() {
            io::ErrorKind::NotADirectory => RunsError::NoRun { path: path.clone() },
            _ => refuse(reason),
        })?;
        entry::check_owner(&folder)?;
        match entry::config(&folder) {
            Err(RunsError::Folder { reason, .. }) if reason.kind() == io::ErrorKind::NotFound => {
                return Err(RunsError::NoRun { path });
            }
            config => config?,
        };
        let entry = RunEntry::of(&folder).ok_or_else(|| RunsError::NoRun { path: path.clone() })?;
        let run = RunFolder::lock(folder)?;
        let (files, others) = sorted(run.folder()).map_err(refuse)?;
        let parent = parent.try_clone().map_err(refuse)?;
        Ok(Self { parent, name: name.to_owned(), run, entry, files, others })
    }

    /// Removes the run's files, and its folder if nothing else is in it.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn carry_out(self) -> Result<(), RunsError> {
        let folder = self.run.folder();
        // What is there may have changed while a person was asked.
        let (mut files, others) = sorted(folder)
            .map_err(|reason| RunsError::Folder { path: folder.path().to_owned(), reason })?;
        if others.iter().any(|name| is_run_file(name)) {
            // Without its configuration it would not be listed, and what is left not be found.
            files.retain(|name| name != CONFIG && name != LOCK);
        }
        remove(&self.parent, &self.name, folder, &files)
    }
}

/// Removes what a kill left of a run that was being created or removed: a folder without a
/// configuration that holds nothing but files of this program, and that no program uses.
pub(super) fn sweep(parent: &Folder, name: &OsStr) {
    let Ok(folder) = parent.folder(name) else { return };
    let is_left_over = !parent.has_mount_at(name)
        && folder.exposure().is_none()
        && !has_checkpoint(&folder)
        && folder
            .read(OsStr::new(CONFIG))
            .is_err_and(|error| error.kind() == io::ErrorKind::NotFound);
    if !is_left_over {
        return;
    }
    let Ok((_, others)) = sorted(&folder) else { return };
    if !others.is_empty() {
        return;
    }
    let Ok(run) = RunFolder::lock(folder) else { return };
    if let Ok((files, others)) = sorted(run.folder())
        && others.is_empty()
        && !files.iter().any(|file| file == CONFIG)
    {
        let _ = remove(parent, name, run.folder(), &files);
    }
}

/// Removes files of a run and, where that empties it, its folder.
fn remove(
    parent: &Folder,
    name: &OsStr,
    folder: &Folder,
    files: &[OsString],
) -> Result<(), RunsError> {
    let path: PathBuf = folder.path().to_owned();
    let refuse = |reason| RunsError::Folder { path: path.clone(), reason };
    // With its configuration the run is listed, so that what a kill leaves can be removed.
    let order = |file: &&OsString| match file.to_str() {
        Some(LOCK) => 3,
        Some(CONFIG) => 2,
        Some(JOURNAL) => 1,
        _ => 0,
    };
    let mut files: Vec<&OsString> = files.iter().collect();
    files.sort_by_key(order);
    for file in files {
        match folder.remove(file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            result => result.map_err(refuse)?,
        }
    }
    match parent.remove_folder(name) {
        Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => Ok(()),
        result => result.map_err(refuse),
    }
}

/// The entries of a folder: files of a run, and others.
fn sorted(folder: &Folder) -> io::Result<(Vec<OsString>, Vec<OsString>)> {
    let (mut own, mut others) = (Vec::new(), Vec::new());
    for Entry { name, kind } in folder.entries()? {
        let is_own =
            kind == Kind::File && folder.exposure_of(&name).is_none() && is_own(folder, &name);
        if is_own { own.push(name) } else { others.push(name) }
    }
    own.sort();
    others.sort();
    Ok((own, others))
}

/// Whether a file is one that this program wrote, by its name and what is in it.
pub(super) fn is_own(folder: &Folder, name: &OsStr) -> bool {
    if files::is_temporary(name) {
        return true;
    }
    let Some(name) = name.to_str() else { return false };
    let is_checkpoint = Kept::ALL.iter().any(|kept| kept.file() == name);
    if !is_checkpoint && ![CONFIG, LOCK, JOURNAL].contains(&name) {
        return false;
    }
    let Ok(file) = folder.read(OsStr::new(name)) else { return false };
    // A file that was just created.
    if file.metadata().is_ok_and(|metadata| metadata.len() == 0) {
        return true;
    }
    let start = start_of(file);
    // A power cut may leave a file of the right length with nothing in it.
    let is_blank = start.iter().all(|byte| *byte == 0);
    match name {
        CONFIG => entry::config(folder).is_ok(),
        JOURNAL => {
            let line = start.split(|byte| *byte == b'\n').next().unwrap_or_default();
            is_blank
                || FIRST_LINE.as_bytes().starts_with(line)
                || serde_json::from_slice::<Event>(line).is_ok()
        }
        LOCK => false,
        // A damaged checkpoint is one too.
        _ => is_blank || start.windows(MARK.len()).any(|part| part == MARK),
    }
}

/// Of every journal, which a kill may have cut.
const FIRST_LINE: &str = r#"{"state":"loading"}"#;
/// Stands in the header of every checkpoint.
const MARK: &[u8] = b"mnist_tui_format";

fn start_of(file: File) -> Vec<u8> {
    /// Longer than the header of any checkpoint, and than the first line of any journal.
    const START: u64 = 1 << 16;
    let mut start = Vec::new();
    // What cannot be read is not this program's.
    let _ = file.take(START).read_to_end(&mut start);
    start
}
