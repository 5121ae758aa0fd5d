//! `predict`: what pictures show.

use std::{
    ffi::OsStr,
    fmt::Write as _,
    fs, io,
    path::{Path, PathBuf},
};

use serde::Serialize;

use crate::{
    check::{are_labels, print, print_error},
    data::{
        DataInfo,
        picture::{self, Doubt, PictureError},
    },
    metrics::arg_max,
    outcome::Outcome,
    printable::{complain, printable},
    protocol::Failure,
    train::{Classifier, TrainError},
};

/// How answers are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The picture as the network sees it, next to the most likely classes.
    Pictures {
        /// Whether it is drawn in ASCII.
        ascii: bool,
    },
    /// The class and the probabilities, two lines a picture.
    Lines,
    /// One JSON object a line.
    Json,
}

/// Prints to stdout what each picture shows. A path may be a folder, for all pictures in it, or
/// `-`, for one from standard input. What cannot be used is reported on stderr and the others are
/// still done.
pub fn run(classifier: &Classifier, paths: &[PathBuf], form: Form) -> Outcome {
    let mut outcome = Outcome::Done;
    for path in paths {
        let images = match pictures_at(path) {
            Ok(images) => images,
            Err(error) => {
                print_error(&error.to_string());
                outcome = Outcome::Incomplete;
                continue;
            }
        };
        for image in images {
            let answer = match Answer::to(&image, classifier) {
                Ok(answer) => answer,
                Err(Problem::Picture(error)) => {
                    print_error(&error.to_string());
                    outcome = Outcome::Incomplete;
                    continue;
                }
                Err(Problem::Network(error)) => return Outcome::Failed(Failure::from(error)),
            };
            match answer.print(form) {
                Outcome::Done => {}
                ended => return ended,
            }
        }
    }
    outcome
}

/// The pictures in a folder, sorted by name, or the path itself.
fn pictures_at(path: &Path) -> Result<Vec<PathBuf>, PictureError> {
    if is_stdin(path) || !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let unreadable = |reason| PictureError::Read { file: path.display().to_string(), reason };
    let mut pictures = Vec::new();
    for entry in fs::read_dir(path).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?.path();
        if entry.extension().is_some_and(is_picture_extension) && entry.is_file() {
            pictures.push(entry);
        }
    }
    if pictures.is_empty() {
        return Err(PictureError::EmptyFolder { folder: path.display().to_string() });
    }
    pictures.sort();
    Ok(pictures)
}

fn is_picture_extension(extension: &OsStr) -> bool {
    ["png", "jpg", "jpeg"].iter().any(|known| extension.eq_ignore_ascii_case(known))
}

fn is_stdin(path: &Path) -> bool {
    path == Path::new("-")
}

/// A picture as an image of a set: fitted and centred as MNIST's are where the set has their size,
/// scaled to the size of others.
fn read(path: &Path, set: &DataInfo) -> Result<(Vec<u8>, Option<Doubt>), PictureError> {
    let size = [set.height(), set.width()];
    if set.shape != DataInfo::mnist().shape {
        let pixels = if is_stdin(path) {
            picture::read_scaled_from("-", io::stdin().lock(), size)
        } else {
            picture::read_scaled(path, size)
        };
        return Ok((pixels?, None));
    }
    let found = if is_stdin(path) {
        picture::read_from("-", io::stdin().lock())
    } else {
        picture::read(path)
    };
    found.map(|picture::Digit { pixels, doubt }| (pixels, doubt))
}

enum Problem {
    Picture(PictureError),
    Network(TrainError),
}

/// What a picture shows.
struct Answer<'a> {
    file: String,
    /// The most likely class.
    class: usize,
    probabilities: Vec<f32>,
    /// Grey values, row after row, as the network sees it.
    pixels: Vec<u8>,
    doubt: Option<Doubt>,
    set: &'a DataInfo,
}

impl<'a> Answer<'a> {
    fn to(path: &Path, classifier: &'a Classifier) -> Result<Self, Problem> {
        let set = classifier.set();
        let (pixels, doubt) = read(path, set).map_err(Problem::Picture)?;
        let probabilities = classifier.classify(&pixels).map_err(Problem::Network)?;
        let (file, class) = (path.display().to_string(), arg_max(&probabilities));
        Ok(Self { file, class, probabilities, pixels, doubt, set })
    }

    fn print(&self, form: Form) -> Outcome {
        if let Some(doubt) = self.doubt {
            complain("warning", &format!("{} {}", self.file, doubt.message()));
        }
        print(&match form {
            Form::Pictures { ascii } => self.with_picture(ascii),
            Form::Lines => self.lines(),
            Form::Json => self.object(),
        })
    }

    /// The name of a class, or its label where it has none.
    fn name(&self, class: usize) -> String {
        self.set.classes.get(class).map_or_else(|| class.to_string(), |name| printable(name))
    }

    fn headline(&self) -> String {
        format!(
            "{}: {} ({})",
            printable(&self.file),
            self.name(self.class),
            percent(self.probabilities[self.class])
        )
    }

    fn lines(&self) -> String {
        let shares: Vec<String> = self
            .probabilities
            .iter()
            .enumerate()
            .map(|(class, &share)| format!("{} {:>6}", self.name(class), percent(share)))
            .collect();
        format!("{}\n  {}\n", self.headline(), shares.join("  "))
    }

    /// The three most likely classes, each with a bar, next to the picture.
    fn with_picture(&self, ascii: bool) -> String {
        const BAR: f32 = 20.0;
        /// Classes that are named.
        const NAMED: usize = 3;
        let (mark, block) = if ascii { ('>', "#") } else { ('▸', "█") };
        let mut classes: Vec<usize> = (0..self.probabilities.len()).collect();
        classes.sort_by(|&a, &b| self.probabilities[b].total_cmp(&self.probabilities[a]));
        classes.truncate(NAMED);
        let names: Vec<String> = classes.iter().map(|&class| self.name(class)).collect();
        let name_width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
        let width = self.set.width();
        let mut rows: Vec<String> = cells(&self.pixels, width, ascii).collect();
        // The names are at half the picture's height, which need not be their own.
        let blank = " ".repeat(width);
        rows.resize(rows.len().max(classes.len()), blank);
        let first = (rows.len() - classes.len()) / 2;
        let mut text = self.headline() + "\n";
        for (row, cells) in rows.into_iter().enumerate() {
            let place = row.checked_sub(first).filter(|&place| place < classes.len());
            let likely = place.map_or_else(String::new, |place| {
                let mark = if place == 0 { mark } else { ' ' };
                let share = self.probabilities[classes[place]];
                let bar = block.repeat((share.clamp(0.0, 1.0) * BAR).round() as usize);
                format!("   {mark}{:<name_width$} {:>6}  {bar}", names[place], percent(share))
            });
            let _ = writeln!(text, "{}", format!("  {cells}{likely}").trim_end());
        }
        text + "\n"
    }

    fn object(&self) -> String {
        #[derive(Serialize)]
        struct Object<'a> {
            file: &'a str,
            /// The class where it is named by its label.
            #[serde(skip_serializing_if = "Option::is_none")]
            digit: Option<usize>,
            #[serde(skip_serializing_if = "Option::is_none")]
            label: Option<usize>,
            #[serde(skip_serializing_if = "Option::is_none")]
            class: Option<&'a str>,
            probabilities: &'a [f32],
            warning: Option<Doubt>,
            message: Option<&'static str>,
        }
        let Self { file, class, probabilities, doubt, set, .. } = self;
        let is_named = !are_labels(&set.classes);
        let object = Object {
            file,
            digit: (!is_named).then_some(*class),
            label: is_named.then_some(*class),
            class: set.classes.get(*class).filter(|_| is_named).map(String::as_str),
            probabilities,
            warning: *doubt,
            message: doubt.map(Doubt::message),
        };
        serde_json::to_string(&object).expect("text and numbers always have a JSON form") + "\n"
    }
}

fn percent(share: f32) -> String {
    format!("{:.1}%", 100.0 * share)
}

/// An image in characters, two rows of pixels a line.
fn cells(pixels: &[u8], width: usize, ascii: bool) -> impl Iterator<Item = String> {
    /// Ink from which a pixel is set.
    const INK: u8 = 100;
    let set = |value: Option<&u8>| value.is_some_and(|&value| value >= INK);
    pixels.chunks(2 * width.max(1)).map(move |pair| {
        let (upper, lower) = pair.split_at(width.min(pair.len()));
        let halves = upper.iter().enumerate().map(|(column, value)| {
            match (set(Some(value)), set(lower.get(column)), ascii) {
                (false, false, _) => ' ',
                (true, false, false) => '▀',
                (false, true, false) => '▄',
                (true, true, false) => '█',
                (true, false, true) => '\'',
                (false, true, true) => '.',
                (true, true, true) => '#',
            }
        });
        halves.collect()
    })
}

#[cfg(test)]
mod tests;
