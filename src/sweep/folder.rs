//! The folder of a sweep: its plan, its results, and a folder for each run.

use std::{
    collections::BTreeMap,
    fs::{self, File, TryLockError},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use super::{
    plan::Plan,
    row::{Row, heading},
    shard::{Shard, is_of_shard, stem},
};
use crate::files;

const PLAN: &str = "sweep.json";
/// Longer than any plan of this program.
const MOST_PLAN: u64 = 1 << 28;
/// Longer than the results of any sweep.
const MOST_RESULTS: u64 = 1 << 30;

/// A folder with a sweep.
#[derive(Clone, Debug, PartialEq)]
pub struct SweepFolder {
    path: PathBuf,
    /// The sweep's plan.
    pub plan: Plan,
}

/// A folder of a sweep cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// The system refuses.
    #[error("cannot use {}: {reason}", path.display())]
    File {
        /// The folder or a file in it.
        path: PathBuf,
        /// The system's answer.
        reason: io::Error,
    },
    /// There is no sweep.
    #[error("{} holds no sweep: expected a folder that `mnist-tui sweep` wrote", path.display())]
    None {
        /// The folder.
        path: PathBuf,
    },
    /// There is another sweep.
    #[error(
        "{} holds a sweep with other settings: continue that one with `mnist-tui sweep --resume {}`, or \
         choose another folder with --out",
        path.display(),
        path.display()
    )]
    Other {
        /// The folder.
        path: PathBuf,
    },
    /// There are other files.
    #[error("{} is not empty: expected a new folder, an empty one, or one with this sweep", path.display())]
    NotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// A file is not what this program writes.
    #[error("{} is damaged: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Another program writes these results.
    #[error("{} is being written by another mnist-tui process: let it end first", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
}

/// Results in files.
#[derive(Debug, Default)]
pub struct Stored {
    /// By their place in the plan.
    pub rows: BTreeMap<usize, Row>,
    /// Lines that were left out, a sentence each.
    pub damaged: Vec<String>,
    /// Bytes of whole lines of a file.
    whole: u64,
}

impl SweepFolder {
    /// Stores a plan in a folder, which is created, is empty, or holds the same plan already.
    ///
    /// # Errors
    /// If it holds something else, or the system refuses.
    pub fn create(path: &Path, plan: &Plan) -> Result<Self, FolderError> {
        let refuse = |reason| FolderError::File { path: path.to_owned(), reason };
        fs::create_dir_all(path).map_err(refuse)?;
        if !path.join(PLAN).exists() {
            let mut entries = fs::read_dir(path).map_err(refuse)?;
            if entries
                .any(|entry| entry.is_ok_and(|entry| !files::is_temporary(&entry.file_name())))
            {
                // Another machine may have begun the sweep just now.
                if !path.join(PLAN).exists() {
                    return Err(FolderError::NotEmpty { path: path.to_owned() });
                }
            } else {
                store(path, plan).map_err(refuse)?;
            }
        }
        let stored = Self::open(path)?;
        if stored.plan.is_same(plan) {
            Ok(stored)
        } else {
            Err(FolderError::Other { path: path.to_owned() })
        }
    }

    /// Opens the folder of a sweep.
    ///
    /// # Errors
    /// If there is none, or its plan cannot be read.
    pub fn open(path: &Path) -> Result<Self, FolderError> {
        let file = path.join(PLAN);
        let mut text = String::new();
        let read =
            File::open(&file).and_then(|file| file.take(MOST_PLAN).read_to_string(&mut text));
        match read {
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) =>
            {
                return Err(FolderError::None { path: path.to_owned() });
            }
            Err(reason) => return Err(FolderError::File { path: file, reason }),
            Ok(_) => {}
        }
        match serde_json::from_str::<Plan>(&text) {
            Ok(plan) if plan.is_known() => Ok(Self { path: path.to_owned(), plan }),
            Ok(_) => {
                let reason = "it is not a plan that this version reads".to_owned();
                Err(FolderError::Damaged { path: file, reason })
            }
            Err(error) => Err(FolderError::Damaged { path: file, reason: error.to_string() }),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The folder of a run.
    pub fn run(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The results of all shards, and of runs that were trained without one, in the order of the plan. What
    /// is being written stays out, and so do damaged lines.
    ///
    /// # Errors
    /// If a file cannot be read.
    pub fn collected(&self) -> Result<Stored, FolderError> {
        let refuse = |reason| FolderError::File { path: self.path.clone(), reason };
        let mut names = vec![format!("{}.jsonl", stem(None))];
        for entry in fs::read_dir(&self.path).map_err(refuse)? {
            let name = entry.map_err(refuse)?.file_name();
            names.extend(name.to_str().filter(|name| is_of_shard(name)).map(str::to_owned));
        }
        let mut all = Stored::default();
        for name in names {
            let path = self.path.join(name);
            match File::open(&path) {
                Ok(mut file) => {
                    let Stored { rows, damaged, .. } = self.read(&path, &mut file)?;
                    all.rows.extend(rows);
                    all.damaged.extend(damaged);
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(reason) => return Err(FolderError::File { path, reason }),
            }
        }
        Ok(all)
    }

    /// The rows of a file.
    fn read(&self, path: &Path, file: &mut File) -> Result<Stored, FolderError> {
        let refuse = |reason| FolderError::File { path: path.to_owned(), reason };
        let mut bytes = Vec::new();
        file.take(MOST_RESULTS).read_to_end(&mut bytes).map_err(refuse)?;
        // A kill may have cut off the last line.
        let whole = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
        let mut found = Stored { whole: whole as u64, ..Stored::default() };
        for (place, line) in bytes[..whole].split_inclusive(|&byte| byte == b'\n').enumerate() {
            match self.row(line) {
                Ok((index, row)) => drop(found.rows.entry(index).or_insert(row)),
                Err(reason) => found.damaged.push(format!(
                    "{}, line {}, is damaged and left out: {reason}",
                    path.display(),
                    place + 1
                )),
            }
        }
        Ok(found)
    }

    /// The row in a line, and its place in the plan.
    fn row(&self, line: &[u8]) -> Result<(usize, Row), String> {
        let row = Row::parse(str::from_utf8(line).map_err(|error| error.to_string())?)?;
        let index = self.plan.index_of(&row.run);
        index.map(|index| (index, row)).ok_or_else(|| "its run is not planned".to_owned())
    }

    /// Opens the results of a shard to add to them, and repairs what a kill has left.
    ///
    /// # Errors
    /// If another program has them open, or they cannot be read or written.
    pub fn results(&self, shard: Option<Shard>) -> Result<Results<'_>, FolderError> {
        let stem = stem(shard);
        let path = self.path.join(format!("{stem}.jsonl"));
        let lock = self.path.join(format!(".{stem}.lock"));
        let options = || {
            let mut options = File::options();
            options.read(true).write(true).create(true).truncate(false);
            options
        };
        let refuse = |path: &Path, reason| FolderError::File { path: path.to_owned(), reason };
        let held = options().open(&lock).map_err(|reason| refuse(&lock, reason))?;
        match held.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(FolderError::InUse { path }),
            Err(TryLockError::Error(reason)) => return Err(refuse(&lock, reason)),
        }
        let mut json = options().open(&path).map_err(|reason| refuse(&path, reason))?;
        let Stored { rows, damaged, whole } = self.read(&path, &mut json)?;
        json.set_len(whole)
            .and_then(|()| json.seek(SeekFrom::Start(whole)))
            .map_err(|reason| refuse(&path, reason))?;
        let csv = self.path.join(format!("{stem}.csv"));
        files::replace(&csv, &self.table(&rows)).map_err(|reason| refuse(&csv, reason))?;
        let table =
            File::options().append(true).open(&csv).map_err(|reason| refuse(&csv, reason))?;
        let (json, table) = ((path, json), (csv, table));
        Ok(Results { folder: self, rows, damaged, json, table, _lock: held })
    }

    /// All of `results.csv`.
    fn table(&self, rows: &BTreeMap<usize, Row>) -> Vec<u8> {
        let mut text = heading(&self.plan.settings);
        for (&index, row) in rows {
            text.extend(row.csv(self.values(index)));
        }
        text
    }

    fn values(&self, index: usize) -> &[String] {
        self.plan.place(index).map_or(&[], |(values, _)| values)
    }
}

/// Stores a plan where there is none, whole or not at all.
fn store(path: &Path, plan: &Plan) -> io::Result<()> {
    let mut file =
        tempfile::Builder::new().prefix(files::PREFIX).suffix(files::SUFFIX).tempfile_in(path)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // A shared folder is read by others.
        file.as_file().set_permissions(fs::Permissions::from_mode(files::OWNER_WRITES))?;
    }
    file.write_all(&serde_json::to_vec(plan)?)?;
    file.as_file().sync_all()?;
    match file.persist_noclobber(path.join(PLAN)) {
        Ok(_) => Ok(()),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error.error),
    }
}

/// The results of a sweep or of a shard, to which rows are added while no other program can.
#[derive(Debug)]
pub struct Results<'a> {
    folder: &'a SweepFolder,
    /// By their place in the plan.
    pub rows: BTreeMap<usize, Row>,
    /// Lines of the file that were left out, a sentence each. A resumed sweep reads those runs' journals.
    pub damaged: Vec<String>,
    /// What a resumed sweep reads.
    json: (PathBuf, File),
    table: (PathBuf, File),
    /// Locked as long as it is open.
    _lock: File,
}

impl Results<'_> {
    /// Adds a row, which is on the disk when this returns.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn add(&mut self, index: usize, row: Row) -> Result<(), FolderError> {
        let values = self.folder.values(index);
        let json = row.json(&self.folder.plan.settings, values);
        let csv = row.csv(values);
        for ((path, file), line) in [(&mut self.json, json), (&mut self.table, csv)] {
            append(file, &line)
                .map_err(|reason| FolderError::File { path: path.clone(), reason })?;
        }
        self.rows.insert(index, row);
        Ok(())
    }

    /// Adds what other files have, writes all rows in the order of the plan, and gives them.
    ///
    /// # Errors
    /// If the files cannot be written; each is whole then, the old one or the new one.
    pub fn finish(
        mut self,
        others: BTreeMap<usize, Row>,
    ) -> Result<BTreeMap<usize, Row>, FolderError> {
        for (index, row) in others {
            self.rows.entry(index).or_insert(row);
        }
        let settings = &self.folder.plan.settings;
        let mut json = Vec::new();
        for (&index, row) in &self.rows {
            json.extend(row.json(settings, self.folder.values(index)));
        }
        for (path, bytes) in [(&self.json.0, json), (&self.table.0, self.folder.table(&self.rows))]
        {
            let written = files::replace(path, &bytes);
            written.map_err(|reason| FolderError::File { path: path.clone(), reason })?;
        }
        Ok(self.rows)
    }
}

/// Adds a line to a file, or leaves the file as it was.
fn append(file: &mut File, line: &[u8]) -> io::Result<()> {
    // One write, which a kill leaves whole or undone on usual file systems.
    or_undo(file, |file| file.write_all(line).and_then(|()| file.sync_data()))
}

/// Cuts off what a failed write has added: a full disk takes only the beginning of a line.
fn or_undo(file: &mut File, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    let before = file.metadata()?.len();
    write(file).inspect_err(|_| {
        // Where this fails, too, a resumed sweep repairs the file.
        let _ = file.set_len(before).and_then(|()| file.seek(SeekFrom::Start(before)));
    })
}

#[cfg(test)]
mod tests;
