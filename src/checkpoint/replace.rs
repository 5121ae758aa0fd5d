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
    // Without this only the owner could read the file; the umask applies as to every new file.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let beside = builder.tempfile_in(folder).map_err(without_name)?;
    Ok((target, beside))
}

/// The system's own error, without the temporary name that `tempfile` adds, which tells a reader nothing.
fn without_name(error: io::Error) -> io::Error {
    let kind = error.kind();
    let inner = error.into_inner();
    let source = inner.as_ref().and_then(|inner| inner.source()?.downcast_ref::<io::Error>());
    let code = source.and_then(io::Error::raw_os_error);
    code.map_or_else(|| kind.into(), io::Error::from_raw_os_error)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_systems_own_message_is_kept_and_the_temporary_name_is_not() {
        // A name of which the folder is a file, so that nobody may make one in it, not even root.
        let file = NamedTempFile::new().expect("a temporary file");
        let error = tempfile::Builder::new().tempfile_in(file.path()).map_err(without_name);
        let error = error.expect_err("a file is no folder");
        assert_eq!(error.kind(), io::ErrorKind::NotADirectory);
        assert!(error.raw_os_error().is_some());
        assert!(!error.to_string().contains(file.path().to_str().expect("UTF-8")), "{error}");
    }
}
