//! CSV files as Kaggle has them: a line an image, a label and then its pixels.
//!
//! A header may come first. The label is in the column that it calls so, or in the first.

mod lines;
mod table;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use super::{
    Read, emnist,
    names::{Part, Role, choose},
    parts::{Parts, other_size},
    place::Place,
};
use crate::{
    config::ImageSize,
    data::{DataError, file::head, sniff::HEAD},
};
use table::Table;

pub(super) fn find(place: &Place) -> Option<Read> {
    let folder = place.path.clone();
    if place.entries.is_none() {
        let name = place.files().first()?.name.clone();
        let path = folder;
        let is_table = is_csv(&name) || starts_with_numbers(&path);
        let prefix = Role::of(&name).prefix;
        let read: Read = Box::new(move |size| read(&prefix, &path, None, size));
        return is_table.then_some(read);
    }
    let mut sets: BTreeMap<String, BTreeMap<Part, PathBuf>> = BTreeMap::new();
    let mut others = Vec::new();
    for file in place.files().into_iter().filter(|file| is_csv(&file.name)) {
        match Role::of(&file.name) {
            Role { part: Some(part), prefix, .. } => {
                sets.entry(prefix).or_default().insert(part, file.path);
            }
            _ => others.push(file),
        }
    }
    // Tables of other things lie next to those whose names say what they hold.
    match choose(place, sets) {
        Some(Ok((prefix, mut files))) => {
            let test = files.remove(&Part::Test);
            match files.remove(&Part::Train) {
                Some(train) => {
                    Some(Box::new(move |size| read(&prefix, &train, test.as_deref(), size)))
                }
                None => Some(Box::new(move |_| {
                    let present = test.as_deref().and_then(Path::file_name);
                    Err(DataError::MissingFile {
                        folder,
                        expected: "CSV file with `train` in its name".to_owned(),
                        present: present.unwrap_or_default().to_string_lossy().into_owned(),
                    })
                })),
            }
        }
        Some(Err(choices)) => Some(Box::new(move |_| Err(DataError::ambiguous(&folder, choices)))),
        None if others.len() > 1 => {
            let choices = others.into_iter().map(|file| file.name).collect();
            Some(Box::new(move |_| Err(DataError::ambiguous(&folder, choices))))
        }
        None => {
            let file = others.pop()?;
            let prefix = Role::of(&file.name).prefix;
            Some(Box::new(move |size| read(&prefix, &file.path, None, size)))
        }
    }
}

fn is_csv(name: &str) -> bool {
    [".csv", ".csv.gz"].iter().any(|end| name.to_lowercase().ends_with(end))
}

/// Whether a file starts as a table without a header does.
fn starts_with_numbers(path: &Path) -> bool {
    /// Fewer separators are no line of pixels.
    const LEAST: usize = HEAD / 8;
    let head = head(path);
    let separators = head.iter().filter(|byte| b",;\t".contains(byte)).count();
    separators >= LEAST
        && head.iter().all(|byte| byte.is_ascii_digit() || b",;\t.\r\n ".contains(byte))
}

fn read(
    prefix: &str,
    train: &Path,
    test: Option<&Path>,
    size: Option<ImageSize>,
) -> Result<Parts, DataError> {
    let Table { images, size: train_size } = Table::read(train, size)?;
    let (name, other) = (train.display().to_string(), test.map(|test| test.display().to_string()));
    let Some(train) = images else {
        let expected = "a column called label, or labels in the first";
        return Err(DataError::unusable(name, "has no labels", expected));
    };
    let mut notes = Vec::new();
    let test = match test.map(|test| Table::read(test, size)).transpose()? {
        Some(Table { size, .. }) if size != train_size => {
            return Err(other_size(&other.unwrap_or_default(), size, &name, train_size));
        }
        Some(Table { images: Some(images), .. }) => Some(images),
        Some(Table { images: None, .. }) => {
            notes.push(format!("{} has no labels and is not used.", other.unwrap_or_default()));
            None
        }
        None => None,
    };
    let mut parts = Parts::new(train_size, train, test);
    parts.notes = notes;
    prefix.clone_into(&mut parts.prefix);
    parts.stretch();
    if let Some(split) = prefix.strip_prefix("emnist-") {
        emnist::adapt(&mut parts, split, &name)?;
    }
    Ok(parts)
}
