//! `predict`: which digits pictures show.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};

use serde::Serialize;

use crate::{
    check::{print, print_error},
    data::{
        CLASSES, SIDE,
        picture::{self, PictureError},
    },
    metrics::arg_max,
    outcome::{Outcome, printable},
    protocol::Failure,
    train::{Classifier, TrainError},
};

/// How answers are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The digit, the probabilities and the picture as the network sees it, for a terminal.
    Pictures,
    /// The digit and the probabilities, two lines a picture.
    Lines,
    /// One JSON object a line.
    Json,
}

/// Prints to stdout what each picture shows. One that cannot be used is told on stderr and the others
/// are still done.
pub fn run(classifier: &Classifier, images: &[PathBuf], form: Form) -> Outcome {
    let mut outcome = Outcome::Done;
    for path in images {
        let answer = match Answer::to(path, classifier) {
            Ok(answer) => answer,
            Err(Problem::Picture(error)) => {
                print_error(&error.to_string());
                outcome = Outcome::Incomplete;
                continue;
            }
            Err(Problem::Network(error)) => return Outcome::Failed(Failure::from(error)),
        };
        let text = match form {
            Form::Pictures => answer.with_picture(),
            Form::Lines => answer.lines(),
            Form::Json => answer.object(),
        };
        match print(&text) {
            Outcome::Done => {}
            ended => return ended,
        }
    }
    outcome
}

enum Problem {
    Picture(PictureError),
    Network(TrainError),
}

/// What a picture shows.
struct Answer {
    file: String,
    digit: usize,
    probabilities: [f32; CLASSES],
    /// 28 rows of 28 grey values, as the network sees it.
    pixels: Vec<u8>,
}

impl Answer {
    fn to(path: &Path, classifier: &Classifier) -> Result<Self, Problem> {
        let pixels = picture::read(path).map_err(Problem::Picture)?;
        let probabilities = classifier.classify(&pixels).map_err(Problem::Network)?;
        let digit = arg_max(&probabilities);
        Ok(Self { file: path.display().to_string(), digit, probabilities, pixels })
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

    /// The probabilities stand beside the picture, with a bar each.
    fn with_picture(&self) -> String {
        const BAR: f32 = 20.0;
        let mut text = self.headline() + "\n";
        for (row, blocks) in blocks(&self.pixels).enumerate() {
            let digit = row.wrapping_sub(2);
            let Some(&share) = self.probabilities.get(digit) else {
                let _ = writeln!(text, "{}", format!("  {blocks}").trim_end());
                continue;
            };
            let mark = if digit == self.digit { '▸' } else { ' ' };
            let bar = "█".repeat((share.clamp(0.0, 1.0) * BAR).round() as usize);
            let line = format!("  {blocks}   {mark}{digit} {:>6}  {bar}", percent(share));
            let _ = writeln!(text, "{}", line.trim_end());
        }
        text + "\n"
    }

    fn object(&self) -> String {
        #[derive(Serialize)]
        struct Object<'a> {
            file: &'a str,
            digit: usize,
            probabilities: [f32; CLASSES],
        }
        let Self { file, digit, probabilities, .. } = self;
        let object = Object { file, digit: *digit, probabilities: *probabilities };
        serde_json::to_string(&object).expect("text and numbers always have a JSON form") + "\n"
    }
}

fn percent(share: f32) -> String {
    format!("{:.1}%", 100.0 * share)
}

/// An image in block characters, two rows of pixels a line.
fn blocks(pixels: &[u8]) -> impl Iterator<Item = String> {
    /// Ink from which a pixel is set.
    const INK: u8 = 100;
    let set = |value: Option<&u8>| value.is_some_and(|&value| value >= INK);
    pixels.chunks(2 * SIDE).map(move |pair| {
        let (upper, lower) = pair.split_at(SIDE.min(pair.len()));
        let halves = upper.iter().enumerate().map(|(column, value)| {
            match (set(Some(value)), set(lower.get(column))) {
                (false, false) => ' ',
                (true, false) => '▀',
                (false, true) => '▄',
                (true, true) => '█',
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
        Answer { file: "seven.png".into(), digit: 7, probabilities, pixels }
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
             0.0,0.0]}\n"
        );
    }

    #[test]
    fn the_picture_stands_beside_the_probabilities() {
        insta::assert_snapshot!(answer().with_picture());
    }
}
