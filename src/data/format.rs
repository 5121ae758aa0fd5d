//! The forms in which data sets are stored, told apart by the names and the contents of their files.
//!
//! To add one, write a file in `format/` with a function that finds such a set and returns how it is
//! read, and add it to [`FORMATS`].

mod csv;
mod emnist;
mod idx;
mod names;
mod npz;
mod parts;
mod pictures;
mod place;

use std::path::Path;

use super::{DataError, Splits, file::head, sniff};
use crate::config::ImageSize;
use names::Role;
use parts::Parts;
use place::Place;

/// Finds the set at a place, if there is one in this form.
type Find = fn(&Place) -> Option<Read>;
/// Reads a set that was found, with images of this size if one was asked for.
type Read = Box<dyn FnOnce(Option<ImageSize>) -> Result<Parts, DataError>>;

/// The first that finds something reads it.
const FORMATS: [Find; 4] = [idx::find, npz::find, csv::find, pictures::find];

/// Folders within folders that are searched for a set.
const DEPTH: usize = 3;
/// Most folders that are searched.
const MOST_FOLDERS: usize = 200;

/// Reads the set at `path`: a file, a folder, or the start of the names of files in one. The images of
/// some formats are scaled to `size`; others must have it.
///
/// # Errors
/// If there is no set or more than one, or it cannot be read.
pub(super) fn load(path: &Path, size: Option<ImageSize>) -> Result<Splits, DataError> {
    let place = Place::at(path)?;
    if let Some(read) = found(&place) {
        return read(size)?.finish(&place);
    }
    if !place.prefix.is_empty() {
        return Err(DataError::Missing { path: path.to_owned() });
    }
    let mut below = below(&place);
    match below.len() {
        0 => Err(unrecognised(&place)),
        1 => {
            let (place, read) = below.remove(0);
            read(size)?.finish(&place)
        }
        _ => {
            let relative = |place: &Place| place.path.strip_prefix(path).map(Path::to_owned);
            let choices = below.iter().filter_map(|(place, _)| relative(place).ok());
            let choices = choices.map(|path| path.display().to_string()).collect();
            Err(DataError::ambiguous(path, choices))
        }
    }
}

fn found(place: &Place) -> Option<Read> {
    FORMATS.iter().find_map(|find| find(place))
}

/// The sets in folders within a folder, none of them within another.
fn below(place: &Place) -> Vec<(Place, Read)> {
    let mut sets = Vec::new();
    let mut searched = 0;
    let mut level: Vec<_> = place.folders().cloned().collect();
    for _ in 0..DEPTH {
        let mut next = Vec::new();
        for entry in level {
            searched += 1;
            if searched > MOST_FOLDERS {
                return sets;
            }
            let Ok(place) = Place::at(&entry.path) else { continue };
            match found(&place) {
                Some(read) => sets.push((place, read)),
                None => next.extend(place.folders().cloned()),
            }
        }
        level = next;
    }
    sets
}

/// Why nothing was found at a place.
fn unrecognised(place: &Place) -> DataError {
    /// Files that are looked at to say what they are.
    const LOOKED_AT: usize = 20;
    /// Names that are listed.
    const LISTED: usize = 4;
    let mut files = place.files();
    if place.entries.is_none() && files.iter().any(|file| Role::of(&file.name).is_idx) {
        let (file, found) = (place.path.display().to_string(), "is one file of a set");
        return DataError::unusable(file, found, "the folder that holds all of them");
    }
    files.truncate(LOOKED_AT);
    let foreign = files.iter().find_map(|file| Some((file, sniff::identify(&head(&file.path))?)));
    if let Some((file, foreign)) = foreign {
        let expected = "IDX, .npz or CSV files, or folders of pictures";
        return DataError::foreign(&file.path.display().to_string(), foreign, expected);
    }
    let found = match place.entries.as_deref() {
        None => "a file of another format".to_owned(),
        Some([]) => "the folder is empty".to_owned(),
        Some(entries) => {
            let mut names: Vec<_> =
                entries.iter().take(LISTED).map(|entry| entry.name.clone()).collect();
            if entries.len() > LISTED {
                names.push("…".to_owned());
            }
            format!("it contains {}", names.join(", "))
        }
    };
    DataError::Unrecognised { path: place.path.clone(), found }
}
