//! `.npz` files of `NumPy`, with the names of arrays that Keras, `MedMNIST` and Kuzushiji-MNIST use.
//!
//! One file holds all arrays (`x_train`, `y_train`, `x_test`, `y_test`, or `images` and `labels`), or each
//! array has a file of its own, whose name tells what it is (`kmnist-train-imgs.npz`).

mod archive;
mod array;
mod npy;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use super::{
    Read,
    names::{Files, Part, Role, choose},
    parts::{Images, Parts, other_size, same_size},
    place::{Entry, Place},
};
use crate::{
    config::ImageSize,
    data::{DataError, file::head, idx::Kind},
};
use archive::Archive;

/// What Keras calls its file, which has precedence over others next to it.
const OF_KERAS: &str = "mnist.npz";

pub(super) fn find(place: &Place) -> Option<Read> {
    let mut files: Vec<_> = place.files().into_iter().filter(|file| is_npz(file, place)).collect();
    let mut sets: BTreeMap<String, Files> = BTreeMap::new();
    for file in &files {
        let Role { prefix, part, kind, .. } = Role::of(&file.name);
        if let Some(role) = part.zip(kind) {
            sets.entry(prefix).or_default().insert(role, vec![file.path.clone()]);
        }
    }
    let folder = place.path.clone();
    match choose(place, sets) {
        Some(Ok((prefix, files))) if files.len() > 1 => {
            return Some(Box::new(move |size| Ok(Parts { prefix, ..read_files(files, size)? })));
        }
        Some(Err(choices)) => {
            return Some(Box::new(move |_| Err(DataError::ambiguous(&folder, choices))));
        }
        _ => {}
    }
    let names: Vec<String> = files.iter().map(|file| file.name.clone()).collect();
    let chosen = files.iter().position(|file| file.name == OF_KERAS).unwrap_or(0);
    if files.is_empty() {
        return None;
    }
    let file = files.swap_remove(chosen);
    if !files.is_empty() && file.name != OF_KERAS {
        return Some(Box::new(move |_| Err(DataError::ambiguous(&folder, names))));
    }
    Some(Box::new(move |size| read_file(&file.path, size)))
}

/// Whether a file is called so, or was asked for and is a zip archive of arrays.
fn is_npz(file: &Entry, place: &Place) -> bool {
    let is_zip = || head(&file.path).starts_with(b"PK\x03\x04");
    let holds_arrays =
        || Archive::open(&file.path).is_ok_and(|archive| !archive.names().is_empty());
    file.name.to_lowercase().ends_with(".npz")
        || place.entries.is_none() && is_zip() && holds_arrays()
}

/// Where an array is: in a file, under a name or as the only one.
struct At {
    path: PathBuf,
    name: Option<String>,
}

type Arrays = BTreeMap<(Part, Kind), At>;

/// Reads the set whose arrays have a file each.
fn read_files(files: Files, size: Option<ImageSize>) -> Result<Parts, DataError> {
    let paths =
        files.into_iter().filter_map(|(role, paths)| Some((role, paths.into_iter().next()?)));
    let arrays: Arrays = paths.map(|(role, path)| (role, At { path, name: None })).collect();
    let names = arrays.values().map(|at| at.path.display().to_string()).collect();
    read(arrays, names, size)
}

/// Reads the set in one file.
fn read_file(path: &Path, size: Option<ImageSize>) -> Result<Parts, DataError> {
    let names = Archive::open(path)?.names();
    let at = |name: &String| At { path: path.to_owned(), name: Some(name.clone()) };
    let mut arrays = Arrays::new();
    for name in &names {
        let Role { part, kind, .. } = Role::of(name);
        if let Some(kind) = kind {
            arrays.entry((part.unwrap_or(Part::Train), kind)).or_insert_with(|| at(name));
        }
    }
    if arrays.is_empty() {
        // Arrays that were saved without names, in the order that Keras returns them.
        let order =
            [Part::Train, Part::Test].map(|part| [(part, Kind::Images), (part, Kind::Labels)]);
        let unnamed = |number: usize| names.iter().find(|name| **name == format!("arr_{number}"));
        let unnamed = (0..).map_while(unnamed).map(at);
        arrays = order.into_iter().flatten().zip(unnamed).collect();
    }
    let arrays_of =
        |path: &Path| format!("{} with the arrays {}", path.display(), names.join(", "));
    read(arrays, vec![arrays_of(path)], size)
}

fn read(
    mut arrays: Arrays,
    found: Vec<String>,
    size: Option<ImageSize>,
) -> Result<Parts, DataError> {
    let mut pair =
        |part| arrays.remove(&(part, Kind::Images)).zip(arrays.remove(&(part, Kind::Labels)));
    let Some(train) = pair(Part::Train) else {
        return Err(DataError::MissingArrays { found });
    };
    let (test, validation) = (pair(Part::Test), pair(Part::Validation));
    let mut notes = Vec::new();
    let test = match (test, validation) {
        (Some(test), None) => Some(test),
        (Some(test), Some(_)) => {
            notes.push("The validation images of the set are not used.".to_owned());
            Some(test)
        }
        (None, Some(validation)) => {
            notes.push(
                "There are no test images: the set's validation images serve as such.".to_owned(),
            );
            Some(validation)
        }
        (None, None) => None,
    };
    let (train, train_size, train_file) = images_and_labels(train)?;
    same_size(&train_file, train_size, size)?;
    let test = test.map(images_and_labels).transpose()?;
    if let Some((_, size, file)) = test.as_ref().filter(|(_, size, _)| *size != train_size) {
        return Err(other_size(file, *size, &train_file, train_size));
    }
    let mut parts = Parts::new(train_size, train, test.map(|(test, ..)| test));
    parts.notes = notes;
    parts.stretch();
    Ok(parts)
}

/// Images with their labels, their size, and where they are.
fn images_and_labels(
    (images, labels): (At, At),
) -> Result<(Images, [usize; 2], String), DataError> {
    let open = |at: &At| Archive::open(&at.path)?.array(at.name.as_deref());
    let (images, labels) = (open(&images)?, open(&labels)?);
    if images.count() != labels.count() {
        return Err(DataError::CountsDiffer {
            images_file: images.file().to_owned(),
            images: images.count(),
            labels_file: labels.file().to_owned(),
            labels: labels.count(),
        });
    }
    let file = images.file().to_owned();
    let (pixels, size) = images.images()?;
    Ok((Images { pixels, labels: labels.labels()? }, size, file))
}
