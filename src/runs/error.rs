//! Why a folder of runs, or a run's folder, cannot be used.

use std::{io, path::PathBuf};

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
    /// Another program writes there.
    #[error("the run {} is in use by another mnist-tui", path.display())]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// Other users could have put anything there.
    #[error(
        "cannot use {}: {exposure}, so its content cannot be trusted; make a copy of your own with \
         `cp -r` if you know what is in it",
        path.display()
    )]
    Exposed {
        /// The folder or a file in it.
        path: PathBuf,
        /// Who it belongs to, or who may write to it.
        exposure: &'static str,
    },
    /// Removing the files behind a link is not what removing it would do.
    #[error("{} is a link: name the folder that it leads to", path.display())]
    Link {
        /// The link.
        path: PathBuf,
    },
    /// A file system of its own cannot be removed with what is in it.
    #[error("{} is a mount point: unmount it, or remove what is in it by hand", path.display())]
    MountPoint {
        /// The folder.
        path: PathBuf,
    },
    /// There is a run that would be lost.
    #[error(
        "{} already holds a run: resume it with --resume {}, or choose another folder",
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
    #[error("{} holds no run: `mnist-tui runs` lists the runs there are", path.display())]
    NoRun {
        /// The folder.
        path: PathBuf,
    },
    /// No run can be resumed.
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
    #[error("{} is not the configuration of a run, or is damaged: {reason}", path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}
