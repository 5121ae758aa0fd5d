//! Folders of PNG and JPEG pictures, one for each class, whose names are those of the classes.
//!
//! The class folders are in `train/` and `test/`, or next to each other.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use image::{
    GrayImage,
    imageops::{self, FilterType},
};
use rayon::prelude::*;

use super::{
    Read,
    names::{Part, Role},
    parts::{Images, Parts},
    place::{self, Entry, Place},
};
use crate::{
    config::{ImageSize, SIDES},
    data::{
        DataError, PictureError,
        idx::{Kind, reserve},
        info::CLASS_COUNTS,
        limits::check_count,
        picture,
    },
};

/// Pictures that are decoded before their pixels are put together.
const BLOCK: usize = 1_024;

/// The pictures of each class.
type Classes = BTreeMap<String, Vec<PathBuf>>;

pub(super) fn find(place: &Place) -> Option<Read> {
    let mut parts: BTreeMap<Part, Entry> = BTreeMap::new();
    for entry in place.folders() {
        if let Some(part) = Role::of(&entry.name).part {
            parts.entry(part).or_insert_with(|| entry.clone());
        }
    }
    let path = place.path.clone();
    if let Some(train) = parts.remove(&Part::Train)
        && has_classes(&train.path)
    {
        let tests = [parts.remove(&Part::Test), parts.remove(&Part::Validation)];
        let mut tests = tests.into_iter().flatten().filter(|entry| has_classes(&entry.path));
        let (test, unused) = (tests.next(), tests.next());
        return Some(Box::new(move |size| read(&train.path, test, unused, size)));
    }
    has_classes(&path).then(|| -> Read { Box::new(move |size| read(&path, None, None, size)) })
}

/// Whether at least two folders in a folder have pictures.
fn has_classes(folder: &Path) -> bool {
    let entries = place::entries(folder).unwrap_or_default();
    let has_pictures = |entry: &&Entry| {
        entry.is_folder
            && place::entries(&entry.path).is_ok_and(|inner| inner.iter().any(is_picture))
    };
    entries.iter().filter(has_pictures).nth(1).is_some()
}

fn is_picture(entry: &Entry) -> bool {
    let name = entry.name.to_lowercase();
    !entry.is_folder && [".png", ".jpg", ".jpeg"].iter().any(|end| name.ends_with(end))
}

/// The pictures in the folders in a folder.
fn classes(folder: &Path) -> Result<Classes, DataError> {
    let mut classes = Classes::new();
    for entry in place::entries(folder)?.into_iter().filter(|entry| entry.is_folder) {
        let pictures = place::entries(&entry.path)?.into_iter().filter(is_picture);
        let pictures: Vec<_> = pictures.map(|picture| picture.path).collect();
        if !pictures.is_empty() {
            classes.insert(entry.name, pictures);
        }
    }
    Ok(classes)
}

fn read(
    folder: &Path,
    test: Option<Entry>,
    unused: Option<Entry>,
    size: Option<ImageSize>,
) -> Result<Parts, DataError> {
    let train = classes(folder)?;
    let mut names: Vec<String> = train.keys().cloned().collect();
    // Numbers in their own order, as 10 after 9.
    if names.iter().all(|name| name.parse::<u32>().is_ok()) {
        names.sort_by_key(|name| name.parse::<u32>().unwrap_or_default());
    }
    if names.len() > *CLASS_COUNTS.end() {
        let found = format!("holds pictures in {} folders", names.len());
        let expected = format!("at most {} classes", CLASS_COUNTS.end());
        return Err(DataError::unusable(folder.display().to_string(), found, expected));
    }
    let mut notes = Vec::new();
    let mut size = size.map(<[usize; 2]>::from).map(Size::Asked);
    let train = images(folder, &train, &names, &mut size)?;
    let test = match test {
        Some(test) => {
            if Role::of(&test.name).part == Some(Part::Validation) {
                notes.push(format!(
                    "There are no test images: those in {} serve as such.",
                    test.name
                ));
            }
            Some(images(&test.path, &classes(&test.path)?, &names, &mut size)?)
        }
        None => None,
    };
    if let Some(unused) = unused {
        notes.push(format!("The images in {} are not used.", unused.name));
    }
    let size = size.map_or([0; 2], |size| size.sides());
    let mut parts = Parts::new(size, train, test);
    parts.classes = Some(names);
    parts.takes_names = false;
    parts.notes = notes;
    Ok(parts)
}

/// Rows and columns that all images have.
enum Size {
    /// They are scaled to it.
    Asked([usize; 2]),
    /// This one has it.
    Of(PathBuf, [usize; 2]),
}

impl Size {
    fn sides(&self) -> [usize; 2] {
        match self {
            Self::Asked(sides) | Self::Of(_, sides) => *sides,
        }
    }
}

/// Decodes the pictures of all classes, several at once.
fn images(
    folder: &Path,
    classes: &Classes,
    names: &[String],
    size: &mut Option<Size>,
) -> Result<Images, DataError> {
    let label = |name: &String| {
        let label = names.iter().position(|other| other == name);
        label.map(|label| label as u8).ok_or_else(|| {
            let found = format!("holds the class {name}");
            let expected = format!("one of the training classes: {}", names.join(", "));
            DataError::unusable(folder.display().to_string(), found, expected)
        })
    };
    let mut pictures = Vec::new();
    for (name, paths) in classes {
        let label = label(name)?;
        pictures.extend(paths.iter().map(|path| (path, label)));
    }
    pictures.sort_by_key(|(_, label)| *label);
    let mut images = Images::default();
    for block in pictures.chunks(BLOCK) {
        let asked = match size {
            Some(Size::Asked(sides)) => Some(*sides),
            _ => None,
        };
        let decoded: Result<Vec<GrayImage>, _> =
            block.par_iter().map(|(path, _)| decoded(path, asked)).collect();
        for (&(path, label), picture) in block.iter().zip(decoded?) {
            fitting(path, &picture, size)?;
            if images.pixels.is_empty() {
                let (folder, count) = (folder.display().to_string(), pictures.len() as u64);
                check_count(&folder, Kind::Images, count, picture.len())?;
                let all = count * picture.len() as u64;
                reserve(&mut images.pixels, all as usize, &path.display().to_string(), all)?;
            }
            images.pixels.extend_from_slice(&picture);
            images.labels.push(label);
        }
    }
    Ok(images)
}

/// Checks that a picture has the size of all, which the first one decides.
fn fitting(path: &Path, picture: &GrayImage, size: &mut Option<Size>) -> Result<(), DataError> {
    let found = [picture.height() as usize, picture.width() as usize];
    match size {
        Some(size) if size.sides() == found => Ok(()),
        Some(size) => {
            let first = match size {
                Size::Of(path, _) => path.display().to_string(),
                Size::Asked(_) => String::new(),
            };
            let [height, width] = size.sides();
            Err(DataError::unusable(
                path.display().to_string(),
                format!("is a picture of {}×{} pixels", found[0], found[1]),
                format!("{height}×{width} as {first}: scale all of them with --image-size HxW"),
            ))
        }
        None if found.iter().all(|side| SIDES.contains(side)) => {
            *size = Some(Size::Of(path.to_owned(), found));
            Ok(())
        }
        None => Err(DataError::unusable(
            path.display().to_string(),
            format!("is a picture of {}×{} pixels", found[0], found[1]),
            format!(
                "{} to {} along each side: scale all of them with --image-size HxW",
                SIDES.start(),
                SIDES.end()
            ),
        )),
    }
}

/// A picture in grey, scaled to the size that was asked for.
fn decoded(path: &Path, asked: Option<[usize; 2]>) -> Result<GrayImage, PictureError> {
    let picture = picture::grey(path)?;
    Ok(match asked {
        Some([height, width])
            if [height, width] != [picture.height() as usize, picture.width() as usize] =>
        {
            imageops::resize(&picture, width as u32, height as u32, FilterType::Triangle)
        }
        _ => picture,
    })
}
