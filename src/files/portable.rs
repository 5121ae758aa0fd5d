//! A folder by its path, where there are no descriptors of folders. Links are refused as far as can be
//! told before a file is opened.

use std::{
    ffi::OsStr,
    fs::{self, File, FileType},
    io,
    path::{Path, PathBuf},
};

#[cfg(not(unix))]
use super::replace_in;
use super::{Entry, Kind, OWNER_WRITES};

/// A folder that is used by its path.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
}

#[expect(
    clippy::unused_self,
    clippy::unnecessary_wraps,
    reason = "the interface of folders that are held open"
)]
impl Folder {
    /// Opens the folder at a path that a person gave; links on the way are followed.
    ///
    /// # Errors
    /// If it is no folder.
    pub fn open(path: &Path) -> io::Result<Self> {
        if fs::metadata(path)?.is_dir() {
            Ok(Self { path: path.to_owned() })
        } else {
            Err(io::ErrorKind::NotADirectory.into())
        }
    }

    /// Opens a folder in this one; a link is refused.
    ///
    /// # Errors
    /// If it is no folder.
    pub fn folder(&self, name: &OsStr) -> io::Result<Self> {
        match self.kind(name)? {
            Kind::Folder => Ok(Self { path: self.path.join(name) }),
            Kind::File | Kind::Other => Err(io::ErrorKind::NotADirectory.into()),
        }
    }

    /// Creates a folder in this one.
    ///
    /// # Errors
    /// If there is something of that name, or the system refuses.
    pub fn create_folder(&self, name: &OsStr) -> io::Result<Self> {
        fs::create_dir(self.path.join(name))?;
        self.folder(name)
    }

    /// Another handle of the same folder.
    ///
    /// # Errors
    /// Never.
    pub fn try_clone(&self) -> io::Result<Self> {
        Ok(Self { path: self.path.clone() })
    }

    /// The path that it was opened by.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Opens a regular file to read; a link is refused.
    ///
    /// # Errors
    /// If there is none, or it may not be read.
    pub fn read(&self, name: &OsStr) -> io::Result<File> {
        match self.kind(name)? {
            Kind::File => File::open(self.path.join(name)),
            Kind::Folder | Kind::Other => Err(io::Error::other("it is not a regular file")),
        }
    }

    /// Opens a regular file to write, with its content; creates it if there is none. A link is refused.
    ///
    /// # Errors
    /// If something else has its name, or the system refuses.
    pub fn write(&self, name: &OsStr) -> io::Result<File> {
        match self.kind(name) {
            Ok(Kind::File) => File::options().write(true).open(self.path.join(name)),
            Ok(Kind::Folder | Kind::Other) => Err(io::Error::other("it is not a regular file")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.create(name, OWNER_WRITES)
            }
            Err(error) => Err(error),
        }
    }

    /// Creates a file to write.
    pub(super) fn create(&self, name: &OsStr, _permissions: u32) -> io::Result<File> {
        File::options().write(true).create_new(true).open(self.path.join(name))
    }

    /// Writes `bytes` beside a file of this folder, syncs them and renames them to it.
    ///
    /// # Errors
    /// If the system refuses; the old content is then unchanged.
    #[cfg(not(unix))]
    pub fn replace(&self, name: &OsStr, bytes: &[u8]) -> io::Result<()> {
        replace_in(self, name, bytes, OWNER_WRITES)
    }

    pub(super) fn rename(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        fs::rename(self.path.join(from), self.path.join(to))
    }

    /// Folders cannot be synced everywhere.
    pub(super) fn sync(&self) {}

    /// Removes a file, or a link.
    ///
    /// # Errors
    /// If there is none, or the system refuses.
    pub fn remove(&self, name: &OsStr) -> io::Result<()> {
        fs::remove_file(self.path.join(name))
    }

    /// Removes an empty folder.
    ///
    /// # Errors
    /// If it is not empty, or the system refuses.
    pub fn remove_folder(&self, name: &OsStr) -> io::Result<()> {
        fs::remove_dir(self.path.join(name))
    }

    /// All entries, in no order.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn entries(&self) -> io::Result<Vec<Entry>> {
        let entries = fs::read_dir(&self.path)?.map(|entry| {
            let entry = entry?;
            Ok(Entry { name: entry.file_name(), kind: kind(entry.file_type()?) })
        });
        entries.collect()
    }

    /// Whether it was removed, so that nothing can be put there any more.
    pub fn is_removed(&self) -> bool {
        !self.path.is_dir()
    }

    /// Never: this cannot be told.
    pub fn has_mount_at(&self, _name: &OsStr) -> bool {
        false
    }

    /// None that can be told.
    pub fn exposure(&self) -> Option<&'static str> {
        None
    }

    /// None that can be told.
    pub fn exposure_of(&self, _name: &OsStr) -> Option<&'static str> {
        None
    }

    fn kind(&self, name: &OsStr) -> io::Result<Kind> {
        Ok(kind(fs::symlink_metadata(self.path.join(name))?.file_type()))
    }
}

fn kind(file_type: FileType) -> Kind {
    if file_type.is_file() {
        Kind::File
    } else if file_type.is_dir() {
        Kind::Folder
    } else {
        Kind::Other
    }
}
