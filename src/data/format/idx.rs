//! Folders of IDX files, under any of the names in use.
//!
//! A file's name tells what it holds: `train` or `t10k` or `test`, `images` or `labels`, and a hyphen or
//! a dot before `idx3-ubyte`, `idx1-ubyte` or `idx2-int`. What comes before, as in
//! `emnist-letters-train-images-idx3-ubyte`, tells the sets in one folder apart. A folder may have the
//! name of the file in it, as Kaggle unpacks archives, and a raw file may be next to its `.gz`.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use super::{
    Read, emnist,
    names::{Files, Part, Role, choose},
    parts::{Images, Parts, other_size, same_size},
    place::{self, Entry, Place},
};
use crate::{
    config::ImageSize,
    data::{
        CLASSES, DataError, SIDE,
        idx::{IdxReader, Kind},
    },
};

pub(super) fn find(place: &Place) -> Option<Read> {
    let mut sets: BTreeMap<String, Files> = BTreeMap::new();
    for entry in place.entries() {
        let role = Role::of(&entry.name);
        if let (true, Some(part @ (Part::Train | Part::Test)), Some(kind)) =
            (role.is_idx, role.part, role.kind)
        {
            let files = sets.entry(role.prefix).or_default().entry((part, kind)).or_default();
            files.extend(candidates(entry, (part, kind)));
        }
    }
    let folder = place.path.clone();
    Some(match choose(place, sets)? {
        Ok((prefix, files)) => Box::new(move |size| read(&folder, &prefix, files, size)),
        Err(choices) => Box::new(move |_| Err(DataError::ambiguous(&folder, choices))),
    })
}

/// The files that an entry with a known name stands for: itself, or those in a folder of that name.
fn candidates(entry: &Entry, wanted: (Part, Kind)) -> Vec<PathBuf> {
    let is_wanted = |inner: &Entry| {
        let role = Role::of(&inner.name);
        !inner.is_folder && role.is_idx && role.part.zip(role.kind) == Some(wanted)
    };
    let inner = if entry.is_folder { place::entries(&entry.path) } else { Ok(Vec::new()) };
    let mut found: Vec<_> = inner.unwrap_or_default().into_iter().filter(is_wanted).collect();
    if found.is_empty() {
        // A folder without it gets its error when it is opened.
        found.push(entry.clone());
    }
    found.into_iter().map(|entry| entry.path).collect()
}

fn read(
    folder: &Path,
    prefix: &str,
    mut files: Files,
    size: Option<ImageSize>,
) -> Result<Parts, DataError> {
    let has_test = files.keys().any(|(part, _)| *part == Part::Test);
    let parts: &[Part] = if has_test { &[Part::Train, Part::Test] } else { &[Part::Train] };
    // All are looked for before the first is read.
    for wanted in parts.iter().flat_map(|&part| [(part, Kind::Images), (part, Kind::Labels)]) {
        match files.get_mut(&wanted) {
            Some(files) => {
                files.sort_by_key(|path| path.extension().is_some_and(|end| end == "gz"));
            }
            None => return Err(missing(folder, prefix, wanted, &files)),
        }
    }
    let mut notes = Vec::new();
    let mut pair = |part| {
        let images = first(&files[&(part, Kind::Images)], Kind::Images, &mut notes)?;
        let labels = first(&files[&(part, Kind::Labels)], Kind::Labels, &mut notes)?;
        if images.count != labels.count {
            return Err(DataError::CountsDiffer {
                images_file: images.file,
                images: images.count.into(),
                labels_file: labels.file,
                labels: labels.count.into(),
            });
        }
        Ok((images, labels))
    };
    let (train, labels) = pair(Part::Train)?;
    let test = if has_test { Some(pair(Part::Test)?) } else { None };
    same_size(&train.file, train.size, size)?;
    if let Some((test, _)) = test.as_ref().filter(|(test, _)| test.size != train.size) {
        return Err(other_size(&test.file, test.size, &train.file, train.size));
    }
    let images =
        |images: Items, labels: Items| Images { pixels: images.bytes, labels: labels.bytes };
    let (size, file) = (train.size, labels.file.clone());
    let test = test.map(|(test, labels)| images(test, labels));
    let mut parts = Parts::new(size, images(train, labels), test);
    parts.notes = notes;
    prefix.clone_into(&mut parts.prefix);
    match prefix.strip_prefix("emnist-") {
        Some(split) => emnist::adapt(&mut parts, split, &file)?,
        None if size == [SIDE; 2] => parts.least_classes = CLASSES,
        None => {}
    }
    Ok(parts)
}

/// What was read from a file.
struct Items {
    file: String,
    count: u32,
    size: [usize; 2],
    bytes: Vec<u8>,
}

/// What is in the first file that can be read; if none can, why the first cannot.
fn first(files: &[PathBuf], kind: Kind, notes: &mut Vec<String>) -> Result<Items, DataError> {
    let mut reason = None;
    for path in files {
        let opened = IdxReader::open(path, kind);
        let read = opened.and_then(|reader| {
            let (file, count, size) = (path.display().to_string(), reader.count(), reader.size());
            Ok(Items { file, count, size, bytes: reader.read()? })
        });
        match (read, &reason) {
            (Ok(items), None) => return Ok(items),
            (Ok(items), Some(_)) => {
                let [used, broken] = [path, &files[0]].map(|path| place::name(path));
                notes.push(format!(
                    "{broken} is damaged or incomplete: {used} was read in its place."
                ));
                return Ok(items);
            }
            (Err(error), None) => reason = Some(error),
            (Err(_), Some(_)) => {}
        }
    }
    Err(reason.expect("a file that has a name is there"))
}

/// The error for a file that is not there.
fn missing(folder: &Path, prefix: &str, wanted: (Part, Kind), files: &Files) -> DataError {
    let test = if prefix.is_empty() { "t10k" } else { "test" };
    let part = if wanted.0 == Part::Test { test } else { "train" };
    let rest = match wanted.1 {
        Kind::Images => "images-idx3-ubyte",
        Kind::Labels => "labels-idx1-ubyte",
    };
    let words: Vec<_> = [prefix, part, rest].into_iter().filter(|word| !word.is_empty()).collect();
    let present = files.values().flatten().next().map(|path| place::name(path)).unwrap_or_default();
    DataError::MissingFile {
        folder: folder.to_owned(),
        expected: format!("{0} and no {0}.gz", words.join("-")),
        present,
    }
}
