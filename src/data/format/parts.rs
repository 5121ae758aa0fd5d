//! From what a format reads to a whole data set.

use std::{
    fs,
    io::Read as _,
    path::{Path, PathBuf},
};

use super::place::Place;
use crate::{
    config::ImageSize,
    data::{
        Checksums, DataError, DataInfo, Dataset, Splits,
        file::{open, unreadable},
        info::{CLASS_COUNTS, LONGEST_NAME},
        known,
        split::hold_out_test,
    },
};

/// Images of one size and their labels.
#[derive(Debug, Default)]
pub(super) struct Images {
    pub(super) pixels: Vec<u8>,
    pub(super) labels: Vec<u8>,
}

/// What a format reads.
#[derive(Debug)]
pub(super) struct Parts {
    /// Channels, rows and columns.
    pub(super) shape: [usize; 3],
    pub(super) train: Images,
    /// `None` if there are no test images.
    pub(super) test: Option<Images>,
    /// How the names of its files start, which may be what the set is called.
    pub(super) prefix: String,
    /// What the set is called, if that is known.
    pub(super) name: Option<String>,
    /// The names of the classes, if its files say so.
    pub(super) classes: Option<Vec<String>>,
    /// The fewest classes that the set has, even if fewer labels occur.
    pub(super) least_classes: usize,
    /// Whether `labels.txt` may name the classes.
    pub(super) takes_names: bool,
    pub(super) notes: Vec<String>,
}

impl Parts {
    pub(super) fn new([height, width]: [usize; 2], train: Images, test: Option<Images>) -> Self {
        Self {
            shape: [1, height, width],
            train,
            test,
            prefix: String::new(),
            name: None,
            classes: None,
            least_classes: *CLASS_COUNTS.start(),
            takes_names: true,
            notes: Vec::new(),
        }
    }

    /// The training images and, if there are any, the test images.
    pub(super) fn all(&mut self) -> impl Iterator<Item = &mut Images> {
        [Some(&mut self.train), self.test.as_mut()].into_iter().flatten()
    }

    /// Stretches the pixels to the whole range where they leave most of it unused, as those of 0 and 1,
    /// or of the 16 greys of the UCI digits, do.
    pub(super) fn stretch(&mut self) {
        const GREYS: u8 = 16;
        let highest =
            self.all().filter_map(|part| part.pixels.iter().copied().max()).max().unwrap_or(0);
        if (1..=GREYS).contains(&highest) {
            for pixel in self.all().flat_map(|part| &mut part.pixels) {
                *pixel = (u16::from(*pixel) * 255 / u16::from(highest)) as u8;
            }
            self.notes.push(format!("Pixels from 0 to {highest} were stretched to 0 to 255."));
        }
    }

    /// Subtracts the number of the first class from all labels.
    pub(super) fn count_from(
        &mut self,
        first: u8,
        classes: usize,
        file: &str,
    ) -> Result<(), DataError> {
        for part in self.all() {
            for (position, label) in part.labels.iter_mut().enumerate() {
                let found = i64::from(*label);
                *label = label
                    .checked_sub(first)
                    .filter(|&label| usize::from(label) < classes)
                    .ok_or_else(|| DataError::BadLabel {
                        file: file.to_owned(),
                        position,
                        label: found,
                        lowest: first,
                        highest: usize::from(first) + classes - 1,
                    })?;
            }
        }
        Ok(())
    }

    /// The set at `place`, with test images and names for its classes.
    ///
    /// # Errors
    /// If there are too few images, or too few or too many classes.
    pub(super) fn finish(self, place: &Place) -> Result<Splits, DataError> {
        let Self {
            shape,
            train,
            test,
            prefix,
            name,
            classes,
            least_classes,
            takes_names,
            mut notes,
        } = self;
        let set = || place.path.display().to_string();
        let labels = train.labels.iter().chain(test.iter().flat_map(|test| &test.labels));
        let count = labels.max().map_or(0, |&label| usize::from(label) + 1).max(least_classes);
        let listed = if takes_names { listed(place, count)? } else { None };
        let named = listed.or(classes);
        let count = named.as_ref().map_or(count, Vec::len).max(count);
        if !CLASS_COUNTS.contains(&count) {
            let expected = format!("{} to {}", CLASS_COUNTS.start(), CLASS_COUNTS.end());
            return Err(DataError::unusable(set(), format!("has {count} classes"), expected));
        }
        let dataset = |part: Images| Dataset::new(shape, count, part.pixels, part.labels);
        let train = dataset(train)?;
        let (train, test) = if let Some(test) = test {
            (train, dataset(test)?)
        } else {
            let (train, test) = hold_out_test(train);
            let held_out = test.len();
            notes.push(format!(
                    "There are no test images: {held_out} images, a sixth of each class, are held out as such."
                ));
            (train, test)
        };
        if train.is_empty() || test.is_empty() {
            let found = format!("has {} training and {} test images", train.len(), test.len());
            return Err(DataError::unusable(set(), found, "at least one of each"));
        }
        let path = place.path.canonicalize().unwrap_or_else(|_| place.path.clone());
        let info = DataInfo { name: String::new(), shape, classes: Vec::new() };
        let mut splits = Splits { info, train, test, notes };
        let known = known::recognise(&path.join(&prefix), shape, count, &Checksums::of(&splits));
        let (known_name, known_classes) = known.map(|known| (known.name, known.classes)).unzip();
        let prefix = Some(prefix).filter(|prefix| !prefix.is_empty());
        let name = name.or(known_name).or(prefix).unwrap_or_else(|| name_of(&path));
        splits.info.name = shortened(&name);
        splits.info.classes = named.or(known_classes).unwrap_or_else(|| known::numbered(count));
        for class in &mut splits.info.classes {
            *class = shortened(class);
        }
        Ok(splits)
    }
}

/// Checks that images have the size that was asked for.
pub(super) fn same_size(
    file: &str,
    size: [usize; 2],
    asked: Option<ImageSize>,
) -> Result<(), DataError> {
    match asked.map(<[usize; 2]>::from).filter(|asked| *asked != size) {
        None => Ok(()),
        Some([height, width]) => Err(DataError::unusable(
            file,
            format!("holds images of {}×{} pixels", size[0], size[1]),
            format!("{height}×{width}: leave out --image-size, which only scales pictures"),
        )),
    }
}

/// The error for images that are of another size than those before.
pub(super) fn other_size(
    file: &str,
    size: [usize; 2],
    other: &str,
    others: [usize; 2],
) -> DataError {
    DataError::unusable(
        file,
        format!("holds images of {}×{} pixels", size[0], size[1]),
        format!("{}×{} as in {other}", others[0], others[1]),
    )
}

/// What a set is called after its place.
fn name_of(path: &Path) -> String {
    // Names that many sets have say nothing.
    const GENERIC: [&str; 8] =
        ["raw", "gzip", "data", "processed", "archive", "images", "train", "test"];
    let parts = path.iter().rev().map(|part| part.to_string_lossy());
    let stem = |part: &str| {
        let stem =
            [".csv", ".npz", ".gz"].iter().fold(part, |part, end| part.trim_end_matches(end));
        stem.to_owned()
    };
    let mut names = parts.map(|part| stem(&part)).filter(|part| !part.is_empty() && part != "/");
    let first = names.next().unwrap_or_default();
    if GENERIC.contains(&first.as_str()) {
        return names.find(|name| !GENERIC.contains(&name.as_str())).unwrap_or(first);
    }
    first
}

fn shortened(name: &str) -> String {
    name.chars().take(LONGEST_NAME).collect()
}

/// The names of the classes in `labels.txt` next to the set's files, one a line.
fn listed(place: &Place, count: usize) -> Result<Option<Vec<String>>, DataError> {
    const MOST_BYTES: u64 = 1 << 16;
    let folder = match place.entries {
        Some(_) => place.path.clone(),
        None => place.path.parent().map(PathBuf::from).unwrap_or_default(),
    };
    let path = folder.join("labels.txt");
    if fs::metadata(&path).is_err() {
        return Ok(None);
    }
    let file = path.display().to_string();
    let mut bytes = Vec::new();
    let (source, _) = open(&path, "the names of the classes, one a line")?;
    source.take(MOST_BYTES).read_to_end(&mut bytes).map_err(|reason| unreadable(&path, reason))?;
    let text = String::from_utf8_lossy(&bytes);
    let lines = text.trim_start_matches('\u{feff}').lines().map(str::trim);
    let names: Vec<String> = lines.filter(|line| !line.is_empty()).map(str::to_owned).collect();
    if names.len() < count || names.len() > *CLASS_COUNTS.end() {
        let found = format!("names {} classes", names.len());
        return Err(DataError::unusable(file, found, format!("{count}, one a line")));
    }
    Ok(Some(names))
}
