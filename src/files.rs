//! Files that are replaced whole, and folders that are held open.
//!
//! A path may lead somewhere else from one moment to the next. A [`Folder`] stays the same one for as
//! long as it is held: its files are opened, replaced and removed relative to it, and no link among
//! them is followed.

#[cfg(any(not(unix), test))]
#[cfg_attr(
    all(unix, test),
    expect(dead_code, unreachable_pub, reason = "tested here, used on other systems")
)]
mod portable;
#[cfg(unix)]
mod unix;

use std::{
    ffi::{OsStr, OsString},
    fs::{self, File},
    hash::{BuildHasher, RandomState},
    io::{self, Write},
    path::{self, Path, PathBuf},
};

#[cfg(not(unix))]
pub use portable::Folder;
#[cfg(unix)]
pub use unix::Folder;

/// An entry of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub name: OsString,
    /// What it is; a link is [`Kind::Other`].
    pub kind: Kind,
}

/// The kind of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A link, pipe, device or socket.
    Other,
}

/// Permissions of a file that the user named: the umask takes from them, as from every new file's.
const OPEN_TO_UMASK: u32 = 0o666;
/// Permissions of a file that only its owner may write, whatever the umask.
pub(crate) const OWNER_WRITES: u32 = 0o644;
/// Names tried for a file beside another before giving up.
const TRIES: u32 = 16;

/// Writes `bytes` next to `path`, syncs them and renames them to `path`, so that a kill or a full disk
/// at any moment leaves the old file or the new one, whole. The permissions of the old file stay. If
/// `path` is a link, the file that it leads to is replaced.
///
/// # Errors
/// If `path` is something other than a file, or the system refuses; the old content is then
/// unchanged.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let (folder, name) = target(path)?;
    let permissions = permissions_of(path).unwrap_or(OPEN_TO_UMASK);
    replace_in(&folder, &name, bytes, permissions)
}

/// The permissions of a file that is there.
fn permissions_of(path: &Path) -> Option<u32> {
    #[cfg(unix)]
    return Some(std::os::unix::fs::MetadataExt::mode(&fs::metadata(path).ok()?) & 0o777);
    #[cfg(not(unix))]
    return fs::metadata(path).ok().and(None);
}

/// Checks that [`replace`] could write there, which only creating a file shows.
///
/// # Errors
/// As [`replace`].
pub fn check_target(path: &Path) -> io::Result<()> {
    let (folder, _) = target(path)?;
    let (_, beside) = create_beside(&folder, OPEN_TO_UMASK)?;
    folder.remove(&beside)
}

/// The path with all links resolved, as far as its folders exist.
pub fn resolved(path: &Path) -> PathBuf {
    let path = path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let whole = path.ancestors().find_map(|there| {
        let rest = path.strip_prefix(there).ok()?;
        let there = fs::canonicalize(there).ok()?;
        // Joining nothing would add a slash.
        Some(if rest == Path::new("") { there } else { there.join(rest) })
    });
    whole.unwrap_or(path)
}

/// The deepest folder on the way to a path that is there, and the path itself if it is.
fn existing(path: &Path) -> Option<PathBuf> {
    let path = path::absolute(path).ok()?;
    path.ancestors().find(|folder| folder.is_dir()).map(Path::to_owned)
}

/// Bytes that this user can still write below a path, which need not be there yet; `None` where the system
/// does not say.
pub fn free_space(path: &Path) -> Option<u64> {
    let folder = existing(path)?;
    #[cfg(unix)]
    return rustix::fs::statvfs(&folder)
        .ok()
        .and_then(|system| system.f_bavail.checked_mul(system.f_frsize));
    #[cfg(not(unix))]
    return Some(folder).and(None);
}

/// Whether folders can be created at a path, as far as can be told without creating one.
///
/// # Errors
/// If they cannot: the reason.
pub fn check_folder(path: &Path) -> io::Result<()> {
    let folder = existing(path).ok_or(io::ErrorKind::NotFound)?;
    #[cfg(unix)]
    {
        use rustix::fs::{Access, access};
        access(&folder, Access::WRITE_OK | Access::EXEC_OK)?;
    }
    if fs::metadata(&folder)?.permissions().readonly() {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    Ok(())
}

/// Whether a name is that of a file that was about to replace another when its program was killed.
pub fn is_temporary(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    name.starts_with(PREFIX.as_bytes()) && name.ends_with(SUFFIX.as_bytes())
}

pub(crate) const PREFIX: &str = ".mnist-tui-";
pub(crate) const SUFFIX: &str = ".tmp";

/// The folder and the name of the file to replace. A rename would also put a file in the place of a
/// device such as `/dev/null`.
fn target(path: &Path) -> io::Result<(Folder, OsString)> {
    let target = match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => fs::canonicalize(path)?,
        Ok(metadata) if metadata.is_dir() => {
            return Err(io::Error::other("it is a folder, expected a file name"));
        }
        Ok(_) => return Err(io::Error::other("it is not a regular file")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if fs::symlink_metadata(path).is_ok() {
                return Err(io::Error::other("it is a link that leads nowhere"));
            }
            path.to_owned()
        }
        Err(error) => return Err(error),
    };
    let folder = folder_of(&target);
    if !folder.is_dir() {
        let message = format!("there is no folder {}; make it first", folder.display());
        return Err(io::Error::other(message));
    }
    let name = target.file_name().ok_or_else(|| io::Error::other("expected a file name"))?;
    Ok((Folder::open(folder)?, name.to_owned()))
}

fn folder_of(file: &Path) -> &Path {
    match file.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

fn replace_in(folder: &Folder, name: &OsStr, bytes: &[u8], mode: u32) -> io::Result<()> {
    let (mut file, beside) = create_beside(folder, mode)?;
    let written = file
        .write_all(bytes)
        .and_then(|()| file.sync_all())
        .and_then(|()| folder.rename(&beside, name));
    if written.is_ok() {
        folder.sync();
    } else {
        // What went wrong matters more than what is left behind.
        let _ = folder.remove(&beside);
    }
    written
}

/// An empty file in a folder, and its name.
fn create_beside(folder: &Folder, mode: u32) -> io::Result<(File, OsString)> {
    let random = RandomState::new();
    let mut tries = 0;
    loop {
        let name = OsString::from(format!("{PREFIX}{:016x}{SUFFIX}", random.hash_one(tries)));
        match folder.create(&name, mode) {
            Ok(file) => return Ok((file, name)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && tries < TRIES => {
                tries += 1;
            }
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests;
