//! A folder held by its descriptor.

use std::{
    ffi::{OsStr, OsString},
    fs::File,
    io,
    os::{fd::OwnedFd, unix::ffi::OsStringExt},
    path::{Path, PathBuf},
};

use rustix::{
    fs::{
        AtFlags, CWD, Dir, FileType, Mode, OFlags, Stat, fstat, mkdirat, openat, renameat, statat,
        unlinkat,
    },
    io::Errno,
    process::{getegid, geteuid},
};

use super::{Entry, Kind, OWNER_WRITES, replace_in};

/// A folder that is held open: what is done in it is done there, wherever its path leads by then.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    fd: OwnedFd,
}

const READ: OFlags = OFlags::RDONLY.union(OFlags::CLOEXEC);
const HOLD: OFlags = READ.union(OFlags::DIRECTORY);
/// Opening a pipe would otherwise wait for its other end.
const NO_WAIT: OFlags = OFlags::NOFOLLOW.union(OFlags::NONBLOCK).union(OFlags::NOCTTY);

impl Folder {
    /// Opens the folder at a path that a person gave; links on the way are followed.
    ///
    /// # Errors
    /// If it is no folder, or may not be read.
    pub fn open(path: &Path) -> io::Result<Self> {
        let fd = openat(CWD, path, HOLD, Mode::empty())?;
        Ok(Self { path: path.to_owned(), fd })
    }

    /// Opens a folder in this one; a link is refused.
    ///
    /// # Errors
    /// If it is no folder, or may not be read.
    pub fn folder(&self, name: &OsStr) -> io::Result<Self> {
        let fd = openat(&self.fd, name, HOLD | OFlags::NOFOLLOW, Mode::empty())?;
        Ok(Self { path: self.path.join(name), fd })
    }

    /// Creates a folder in this one that only its owner may write to.
    ///
    /// # Errors
    /// If there is something of that name, or the system refuses.
    pub fn create_folder(&self, name: &OsStr) -> io::Result<Self> {
        mkdirat(&self.fd, name, Mode::from_raw_mode(0o755))?;
        self.folder(name).inspect_err(|_| {
            // A umask may forbid its owner to read it.
            let _ = self.remove_folder(name);
        })
    }

    /// Another handle of the same folder.
    ///
    /// # Errors
    /// If there are too many already.
    pub fn try_clone(&self) -> io::Result<Self> {
        Ok(Self { path: self.path.clone(), fd: self.fd.try_clone()? })
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
        regular(openat(&self.fd, name, READ | NO_WAIT, Mode::empty()).map_err(explained)?)
    }

    /// Opens a regular file to write, with its content; creates it if there is none. A link is refused.
    ///
    /// # Errors
    /// If something else has its name, or the system refuses.
    pub fn write(&self, name: &OsStr) -> io::Result<File> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::CLOEXEC | NO_WAIT;
        regular(openat(&self.fd, name, flags, mode(OWNER_WRITES)).map_err(explained)?)
    }

    /// Creates a file to write.
    pub(super) fn create(&self, name: &OsStr, permissions: u32) -> io::Result<File> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        Ok(openat(&self.fd, name, flags, mode(permissions))?.into())
    }

    /// Writes `bytes` beside a file of this folder, syncs them and renames them to it. A link of that
    /// name is replaced, and the file that it leads to left alone.
    ///
    /// # Errors
    /// If the system refuses; the old content is then unchanged.
    pub fn replace(&self, name: &OsStr, bytes: &[u8]) -> io::Result<()> {
        replace_in(self, name, bytes, OWNER_WRITES)
    }

    pub(super) fn rename(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        Ok(renameat(&self.fd, from, &self.fd, to)?)
    }

    /// Makes renames durable. It is no error if that fails: the new file is in place, and a power cut
    /// may at worst bring the old one back. Not every file system can sync a folder.
    pub(super) fn sync(&self) {
        let _ = rustix::fs::fsync(&self.fd);
    }

    /// Removes a file, or a link.
    ///
    /// # Errors
    /// If there is none, or the system refuses.
    pub fn remove(&self, name: &OsStr) -> io::Result<()> {
        Ok(unlinkat(&self.fd, name, AtFlags::empty())?)
    }

    /// Removes an empty folder.
    ///
    /// # Errors
    /// If it is not empty, or the system refuses.
    pub fn remove_folder(&self, name: &OsStr) -> io::Result<()> {
        Ok(unlinkat(&self.fd, name, AtFlags::REMOVEDIR)?)
    }

    /// All entries, in no order.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn entries(&self) -> io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for entry in Dir::read_from(&self.fd)? {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            if name == b"." || name == b".." {
                continue;
            }
            let name = OsString::from_vec(name.to_vec());
            let kind = match entry.file_type() {
                FileType::RegularFile => Kind::File,
                FileType::Directory => Kind::Folder,
                // Not every file system tells.
                FileType::Unknown => statat(&self.fd, &name, AtFlags::SYMLINK_NOFOLLOW)
                    .map_or(Kind::Other, |stat| kind(&stat)),
                _ => Kind::Other,
            };
            entries.push(Entry { name, kind });
        }
        Ok(entries)
    }

    /// Whether it was removed, so that nothing can be put there any more.
    pub fn is_removed(&self) -> bool {
        fstat(&self.fd).is_ok_and(|stat| stat.st_nlink == 0)
    }

    /// Whether a folder in this one is where another file system, or another part of this one, is
    /// mounted.
    pub fn has_mount_at(&self, name: &OsStr) -> bool {
        let device =
            |name: &OsStr| statat(&self.fd, name, AtFlags::empty()).ok().map(|stat| stat.st_dev);
        is_mount_root(self, name) || device(name) != device(OsStr::new("."))
    }

    /// Why other users could change what is in the folder, if they could: it belongs to one of them, or
    /// its permissions let them write.
    ///
    /// Permissions of the group count unless it is the user's own, since many systems give each user a
    /// group and let it write.
    pub fn exposure(&self) -> Option<&'static str> {
        fstat(&self.fd).map_or(Some("its owner cannot be told"), |stat| exposure(&stat))
    }

    /// The [`exposure`](Self::exposure) of one of its files; `None` if there is no such file.
    pub fn exposure_of(&self, name: &OsStr) -> Option<&'static str> {
        match statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => exposure(&stat),
            Err(Errno::NOENT) => None,
            Err(_) => Some("its owner cannot be told"),
        }
    }
}

#[cfg(target_os = "linux")]
fn is_mount_root(folder: &Folder, name: &OsStr) -> bool {
    use rustix::fs::{StatxAttributes, StatxFlags, statx};

    statx(&folder.fd, name, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::empty())
        .is_ok_and(|found| found.stx_attributes.contains(StatxAttributes::MOUNT_ROOT))
}

#[cfg(not(target_os = "linux"))]
fn is_mount_root(_folder: &Folder, _name: &OsStr) -> bool {
    false
}

fn mode(permissions: u32) -> Mode {
    Mode::from_bits_truncate(permissions as _)
}

fn kind(stat: &Stat) -> Kind {
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => Kind::File,
        FileType::Directory => Kind::Folder,
        _ => Kind::Other,
    }
}

fn regular(fd: OwnedFd) -> io::Result<File> {
    match kind(&fstat(&fd)?) {
        Kind::File => Ok(fd.into()),
        Kind::Folder | Kind::Other => Err(io::Error::other("it is not a regular file")),
    }
}

/// The system's answer to opening a link or a folder speaks of loops and of directories.
fn explained(error: Errno) -> io::Error {
    match error {
        Errno::LOOP => io::Error::other("it is a link, expected a regular file"),
        Errno::ISDIR => io::Error::other("it is not a regular file"),
        other => other.into(),
    }
}

fn exposure(stat: &Stat) -> Option<&'static str> {
    // A link has no permissions of its own.
    let permissions = match FileType::from_raw_mode(stat.st_mode) {
        FileType::Symlink => Mode::empty(),
        _ => Mode::from_raw_mode(stat.st_mode),
    };
    if stat.st_uid != geteuid().as_raw() {
        Some("it belongs to another user")
    } else if permissions.contains(Mode::WOTH)
        || (permissions.contains(Mode::WGRP) && stat.st_gid != getegid().as_raw())
    {
        Some("other users may write to it")
    } else {
        None
    }
}
