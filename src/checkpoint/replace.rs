//! Replaces a file so that a kill or a full disk at any moment leaves the old one or the new one,
//! whole.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// Writes `bytes` beside `path`, syncs them and renames them to `path`. Where `path` is a link, the
/// file that it leads to is replaced.
///
/// # Errors
/// If `path` is something else than a file, or the system refuses; what was there is then
/// unchanged.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let (target, beside) = beside(path)?;
    beside.as_file().write_all(bytes)?;
    beside.as_file().sync_all()?;
    beside.persist(&target).map_err(|error| error.error)?;
    sync_folder(folder(&target));
    Ok(())
}

/// Tries whether [`replace`] could write there. Only making a file tells.
///
/// # Errors
/// As [`replace`].
pub(super) fn check(path: &Path) -> io::Result<()> {
    beside(path).map(drop)
}

/// The file to replace, and an empty one in the same folder.
fn beside(path: &Path) -> io::Result<(PathBuf, NamedTempFile)> {
    let target = target(path)?;
    let folder = folder(&target);
    if !folder.is_dir() {
        let message = format!("there is no folder {}; make it first", folder.display());
        return Err(io::Error::other(message));
    }
    let mut builder = tempfile::Builder::new();
    builder.prefix(".mnist-tui-").suffix(".tmp");
    // Opened here so that an error is the system's own, without the temporary name, which tells a
    // reader nothing, and so that the umask applies as to every new file.
    let beside = builder.make_in(folder, |path| {
        fs::File::options().read(true).write(true).create_new(true).open(path)
    })?;
    Ok((target, beside))
}

fn folder(file: &Path) -> &Path {
    match file.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

/// The file to replace. A rename would also put a file in the place of a device such as
/// `/dev/null`.
fn target(path: &Path) -> io::Result<PathBuf> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => fs::canonicalize(path),
        Ok(metadata) if metadata.is_dir() => {
            Err(io::Error::other("it is a folder, expected a file name"))
        }
        Ok(_) => Err(io::Error::other("it is not a regular file")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(path.to_owned()),
        Err(error) => Err(error),
    }
}

/// Makes the rename itself durable. That this fails is no error: the new file is in place, and a
/// power cut may at worst bring the old one back. Not every file system can sync a folder.
fn sync_folder(folder: &Path) {
    #[cfg(unix)]
    let _ = fs::File::open(folder).and_then(|folder| folder.sync_all());
    #[cfg(not(unix))]
    let _ = folder;
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_the_systems_own_without_the_temporary_name() {
        // A folder that takes no files, not even from root.
        let error = check(Path::new("/proc/weights")).expect_err("it holds only processes");
        assert!(error.raw_os_error().is_some(), "{error:?}");
        assert!(!error.to_string().contains(".tmp"), "{error}");
    }
}
