//! A file or folder that may hold a set.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::names::joined;
use crate::data::{DataError, file::unreadable};

/// A file, or a folder with the names in it.
pub(super) struct Place {
    pub(super) path: PathBuf,
    /// What is in the folder, by name; `None` for a file.
    pub(super) entries: Option<Vec<Entry>>,
    /// How the names of the set's files start, where a folder holds several sets.
    pub(super) prefix: String,
}

/// A file or folder in a folder.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) path: PathBuf,
    /// Bytes that are not UTF-8 are replaced.
    pub(super) name: String,
    pub(super) is_folder: bool,
}

impl Place {
    /// What is at `path`, or what in its folder starts with its last part.
    ///
    /// # Errors
    /// If nothing is, or it cannot be looked at.
    pub(super) fn at(path: &Path) -> Result<Self, DataError> {
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => Self::folder(path.to_owned()),
            Ok(_) => Ok(Self { path: path.to_owned(), entries: None, prefix: String::new() }),
            Err(reason) if reason.kind() == io::ErrorKind::NotFound => {
                Self::of_prefix(path).ok_or_else(|| DataError::Missing { path: path.to_owned() })
            }
            Err(reason) => Err(unreadable(path, reason)),
        }
    }

    /// The part of a folder whose names start with the last part of `path`.
    fn of_prefix(path: &Path) -> Option<Self> {
        let prefix = Some(joined(path.file_name()?.to_str()?)).filter(|name| !name.is_empty())?;
        let folder = path.parent().filter(|folder| *folder != Path::new(""));
        let mut place = Self::folder(folder.unwrap_or(Path::new(".")).to_owned()).ok()?;
        place.entries.as_mut()?.retain(|entry| joined(&entry.name).starts_with(&prefix));
        place.prefix = prefix;
        (!place.entries().is_empty()).then_some(place)
    }

    fn folder(path: PathBuf) -> Result<Self, DataError> {
        let entries = entries(&path)?;
        Ok(Self { path, entries: Some(entries), prefix: String::new() })
    }

    /// What is in the folder; nothing in a file.
    pub(super) fn entries(&self) -> &[Entry] {
        self.entries.as_deref().unwrap_or_default()
    }

    /// The files in the folder, or the file itself.
    pub(super) fn files(&self) -> Vec<Entry> {
        match &self.entries {
            Some(entries) => entries.iter().filter(|entry| !entry.is_folder).cloned().collect(),
            None => {
                vec![Entry { path: self.path.clone(), name: name(&self.path), is_folder: false }]
            }
        }
    }

    /// The folders in the folder.
    pub(super) fn folders(&self) -> impl Iterator<Item = &Entry> {
        self.entries().iter().filter(|entry| entry.is_folder)
    }
}

/// The last part of a path, for reading.
pub(super) fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// What is in a folder, by name, without what is hidden.
pub(super) fn entries(folder: &Path) -> Result<Vec<Entry>, DataError> {
    let refused = |reason| unreadable(folder, reason);
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(refused)? {
        let entry = entry.map_err(refused)?;
        let path = entry.path();
        let name = name(&path);
        if !name.starts_with('.') && name != "__MACOSX" {
            // Only links are looked up, since folders of pictures are large. A link that leads nowhere
            // counts as a file, and opening it gives the error.
            let is_folder = match entry.file_type() {
                Ok(kind) if !kind.is_symlink() => kind.is_dir(),
                _ => fs::metadata(&path).is_ok_and(|metadata| metadata.is_dir()),
            };
            found.push(Entry { path, name, is_folder });
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}
