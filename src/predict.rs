//! `predict`: which digits pictures show.

use std::{
    ffi::OsStr,
    fmt::Write as _,
    fs, io,
    path::{Path, PathBuf},
};

use serde::Serialize;

use crate::{
    check::{print, print_error},
    data::{
        CLASSES, SIDE,
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
    /// The picture as the network sees it, next to the most likely digits.
    Pictures {
        /// Whether it is drawn in ASCII.
        ascii: bool,
    },
    /// The digit and the probabilities, two lines a picture.
    Lines,
    /// One JSON object a line.
    Json,
}

/// Prints to stdout which digit each picture shows. A path may be a folder, for all pictures in it, or
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

enum Problem {
    Picture(PictureError),
    Network(TrainError),
}

/// The digit that a picture shows.
struct Answer {
    file: String,
    digit: usize,
    probabilities: Vec<f32>,
    /// 28 rows of 28 grey values, as the network sees it.
    pixels: Vec<u8>,
    doubt: Option<Doubt>,
}

impl Answer {
    fn to(path: &Path, classifier: &Classifier) -> Result<Self, Problem> {
        let found = if is_stdin(path) {
            picture::read_from("-", io::stdin().lock())
        } else {
            picture::read(path)
        };
        let picture::Digit { pixels, doubt } = found.map_err(Problem::Picture)?;
        let probabilities = classifier.classify(&pixels).map_err(Problem::Network)?;
        let digit = arg_max(&probabilities);
        Ok(Self { file: path.display().to_string(), digit, probabilities, pixels, doubt })
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

    fn headline(&self) -> String {
        format!(
            "{}: {} ({})",
            printable(&self.file),
            self.digit,
            percent(self.probabilities[self.digit])
        )
    }

    fn lines(&self) -> String {
        let shares: Vec<String> = self
            .probabilities
            .iter()
            .enumerate()
            .map(|(digit, &share)| format!("{digit} {:>6}", percent(share)))
            .collect();
        format!("{}\n  {}\n", self.headline(), shares.join("  "))
    }

    /// The three most likely digits, each with a bar, next to the picture.
    fn with_picture(&self, ascii: bool) -> String {
        const BAR: f32 = 20.0;
        /// The line of the most likely digit: the three are at half the picture's height.
        const FIRST: usize = 5;
        let (mark, block) = if ascii { ('>', "#") } else { ('▸', "█") };
        let mut digits: Vec<usize> = (0..CLASSES).collect();
        digits.sort_by(|&a, &b| self.probabilities[b].total_cmp(&self.probabilities[a]));
        let mut text = self.headline() + "\n";
        for (row, cells) in cells(&self.pixels, ascii).enumerate() {
            let place = row.checked_sub(FIRST).filter(|&place| place < 3);
            let likely = place.map_or_else(String::new, |place| {
                let mark = if place == 0 { mark } else { ' ' };
                let share = self.probabilities[digits[place]];
                let bar = block.repeat((share.clamp(0.0, 1.0) * BAR).round() as usize);
                format!("   {mark}{} {:>6}  {bar}", digits[place], percent(share))
            });
            let _ = writeln!(text, "{}", format!("  {cells}{likely}").trim_end());
        }
        text + "\n"
    }

    fn object(&self) -> String {
        #[derive(Serialize)]
        struct Object<'a> {
            file: &'a str,
            digit: usize,
            probabilities: Vec<f32>,
            warning: Option<Doubt>,
            message: Option<&'static str>,
        }
        let Self { file, digit, probabilities, doubt, .. } = self;
        let object = Object {
            file,
            digit: *digit,
            probabilities: probabilities.clone(),
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
fn cells(pixels: &[u8], ascii: bool) -> impl Iterator<Item = String> {
    /// Ink from which a pixel is set.
    const INK: u8 = 100;
    let set = |value: Option<&u8>| value.is_some_and(|&value| value >= INK);
    pixels.chunks(2 * SIDE).map(move |pair| {
        let (upper, lower) = pair.split_at(SIDE.min(pair.len()));
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
mod tests {
    use super::*;

    fn answer() -> Answer {
        let mut pixels = vec![0; SIDE * SIDE];
        // A seven.
        for column in 8..20 {
            pixels[5 * SIDE + column] = 255;
        }
        for row in 6..24 {
            pixels[row * SIDE + 19 - (row - 6) / 2] = 255;
        }
        let mut probabilities = [0.0; CLASSES];
        probabilities[7] = 0.75;
        probabilities[1] = 0.25;
        Answer {
            file: "seven.png".into(),
            digit: 7,
            probabilities: probabilities.to_vec(),
            pixels,
            doubt: None,
        }
    }

    #[test]
    fn two_lines_tell_the_digit_and_all_probabilities() {
        assert_eq!(
            answer().lines(),
            "seven.png: 7 (75.0%)\n  0   0.0%  1  25.0%  2   0.0%  3   0.0%  4   0.0%  5   0.0%  \
             6   0.0%  7  75.0%  8   0.0%  9   0.0%\n"
        );
    }

    #[test]
    fn the_object_is_one_line() {
        assert_eq!(
            answer().object(),
            "{\"file\":\"seven.png\",\"digit\":7,\"probabilities\":[0.0,0.25,0.0,0.0,0.0,0.0,0.0,0.75,\
             0.0,0.0],\"warning\":null,\"message\":null}\n"
        );
        let object = Answer { doubt: Some(Doubt::NoStroke), ..answer() }.object();
        assert!(object.contains(",\"warning\":\"none\",\"message\":\"shows nothing "), "{object}");
    }

    #[test]
    fn the_picture_is_next_to_the_three_most_likely_digits() {
        insta::assert_snapshot!(answer().with_picture(false));
    }

    #[test]
    fn the_picture_can_be_drawn_in_ascii() {
        let text = answer().with_picture(true);
        assert!(text.is_ascii());
        insta::assert_snapshot!(text);
    }
}
