//! Where runs are stored.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};

use serde::Serialize;

use super::{Problem, Row};
use crate::{
    files,
    printable::{Shown, bytes},
    runs::Runs,
};

/// Runs of a usual size need less.
const LITTLE_SPACE: u64 = 200 << 20;

#[derive(Debug, Serialize)]
pub(super) struct Storage {
    folder: Option<PathBuf>,
    /// Bytes that this user can still write there.
    free: Option<u64>,
    writable: bool,
}

impl Storage {
    pub(super) fn look(problems: &mut Vec<Problem>) -> Self {
        match Runs::of_user() {
            Ok(runs) => Self::of(runs.root(), problems),
            Err(error) => {
                problems.push(Problem::note(format!(
                    "runs are not stored: {error}; set HOME or XDG_STATE_HOME, or give a folder with \
                     --run-dir"
                )));
                Self { folder: None, free: None, writable: false }
            }
        }
    }

    fn of(folder: &Path, problems: &mut Vec<Problem>) -> Self {
        let (free, checked) = (files::free_space(folder), files::check_folder(folder));
        if let Err(error) = &checked {
            problems.push(Problem::note(format!(
                "runs cannot be stored in {}: {error}; make it writable, or give another folder with \
                 --run-dir or XDG_STATE_HOME",
                folder.shown()
            )));
        } else if let Some(free) = free.filter(|&free| free < LITTLE_SPACE) {
            problems.push(Problem::note(format!(
                "only {} are free for runs in {}: remove old ones with `mnist-tui runs rm`, or give \
                 another folder with --run-dir",
                bytes(free),
                folder.shown()
            )));
        }
        Self { folder: Some(folder.to_owned()), free, writable: checked.is_ok() }
    }

    pub(super) fn rows(&self) -> Vec<Row> {
        let Some(folder) = &self.folder else { return vec![("runs", "not stored".to_owned())] };
        let mut text = folder.shown();
        if !self.writable {
            text += ", not writable";
        } else if let Some(free) = self.free {
            let _ = write!(text, ", {} free", bytes(free));
        }
        vec![("runs", text)]
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_folder_that_is_not_there_yet_counts_as_the_one_it_will_be_in() {
        let place = tempfile::tempdir().expect("a folder");
        let mut problems = Vec::new();
        let storage = Storage::of(&place.path().join("a/b"), &mut problems);
        assert!(storage.writable && problems.iter().all(|problem| !problem.blocks));
        #[cfg(unix)]
        assert!(storage.free.is_some() && storage.rows()[0].1.ends_with(" free"));
        assert!(!place.path().join("a").exists(), "nothing is created");
    }

    #[test]
    fn a_folder_that_may_not_be_written_to_is_a_problem_with_a_remedy() {
        let place = tempfile::tempdir().expect("a folder");
        let locked = place.path().join("locked");
        fs::create_dir(&locked).expect("made");
        let mut permissions = fs::metadata(&locked).expect("it is there").permissions();
        permissions.set_readonly(true);
        fs::set_permissions(&locked, permissions).expect("set");
        let mut problems = Vec::new();
        let storage = Storage::of(&locked.join("runs"), &mut problems);
        assert!(!storage.writable && storage.rows()[0].1.ends_with(", not writable"));
        assert_eq!(problems.len(), 1);
        assert!(problems[0].message.contains("--run-dir"), "{problems:?}");
    }
}
