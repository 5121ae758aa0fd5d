//! A comparison as text.

use std::fmt::Write as _;

use super::{Comparison, Knowledge};
use crate::{
    printable::{printable, thousands},
    protocol::EvalSet,
    train::Predictions,
};

/// Images that are listed of each direction.
const IMAGES: usize = 10;
/// Most classes of a matrix that is printed whole.
const CLASSES: usize = 20;

impl Comparison {
    /// All tables as text.
    pub fn report(&self) -> String {
        let mut text = self.figures_text();
        text.push_str(&self.settings_text());
        for note in self.notes() {
            let _ = write!(text, "\n{note}\n");
        }
        if let Knowledge::Known(predictions) = &self.predictions {
            text.push_str(&self.agreement_text(predictions));
            if self.runs.len() == 2 {
                text.push_str(&self.matrix_text(predictions));
                text.push_str(&self.images_text(predictions, 0, 1));
                text.push_str(&self.images_text(predictions, 1, 0));
            }
        }
        text
    }

    fn figures_text(&self) -> String {
        let figures = self.figures();
        let mut rows = vec![vec![String::new(), "run".to_owned()]];
        rows[0].extend(figures.head.iter().map(|&head| head.to_owned()));
        for (place, (run, cells)) in self.runs.iter().zip(figures.rows).enumerate() {
            let mut row = vec![Self::letter(place).to_string(), run.name.clone()];
            row.extend(cells);
            rows.push(row);
        }
        aligned(&rows, 2)
    }

    fn settings_text(&self) -> String {
        let settings = self.settings();
        if settings.is_empty() {
            return "\nThe runs have the same settings.\n".to_owned();
        }
        let mut rows = Vec::new();
        for setting in &settings {
            for (place, (letters, value)) in setting.groups().into_iter().enumerate() {
                let option = if place == 0 { setting.option.clone() } else { String::new() };
                rows.push(vec![option, letters, value.to_owned()]);
            }
        }
        format!("\nSettings that differ\n{}", aligned(&rows, 3))
    }

    fn agreement_text(&self, predictions: &Predictions) -> String {
        let count = thousands(predictions.images.len() as u64);
        let mut text = format!(
            "\nOf {count} {} images, how many the row's run classifies correctly and the column's run does not\n",
            predictions.set.name()
        );
        let letters: Vec<String> =
            (0..self.runs.len()).map(|run| Self::letter(run).to_string()).collect();
        let mut rows = vec![vec![String::new()]];
        rows[0].extend(letters.iter().cloned());
        for (right, letter) in letters.iter().enumerate() {
            let cell = |wrong: usize| match self.only_right(right, wrong) {
                Ok(_) if right == wrong => "–".to_owned(),
                Ok(images) => thousands(images.len() as u64),
                Err(_) => "–".to_owned(),
            };
            let mut row = vec![letter.clone()];
            row.extend((0..letters.len()).map(cell));
            rows.push(row);
        }
        text.push_str(&aligned(&rows, 1));
        text
    }

    fn matrix_text(&self, predictions: &Predictions) -> String {
        let Ok(difference) = self.difference(0, 1) else { return String::new() };
        let classes = difference.classes();
        let name = |class: usize| class_name(predictions, class);
        if classes > CLASSES {
            let errors = difference.errors();
            let rows: Vec<Vec<String>> = errors
                .iter()
                .take(IMAGES)
                .map(|change| {
                    let pair = format!("{} as {}", name(change.truth), name(change.predicted));
                    vec![pair, signed(change.delta())]
                })
                .collect();
            return format!(
                "\nErrors of B minus those of A, the largest difference first\n{}",
                aligned(&rows, 1)
            );
        }
        let mut rows = vec![vec![String::new()]];
        rows[0].extend((0..classes).map(name));
        for truth in 0..classes {
            let mut row = vec![name(truth)];
            row.extend((0..classes).map(|class| signed(difference.change(truth, class).delta())));
            rows.push(row);
        }
        format!(
            "\nConfusion matrix of B minus that of A: rows are true classes, columns predicted ones\n{}",
            aligned(&rows, 1)
        )
    }

    fn images_text(&self, predictions: &Predictions, right: usize, wrong: usize) -> String {
        let (Ok(images), Ok(predicted)) = (self.only_right(right, wrong), self.predicted(wrong))
        else {
            return String::new();
        };
        let [one, other] = [right, wrong].map(Self::letter);
        let mut text = format!("\nImages that {one} classifies correctly and {other} does not: ");
        if images.is_empty() {
            text.push_str("none\n");
            return text;
        }
        let count = thousands(images.len() as u64);
        let more = if images.len() > IMAGES { ", the hardest" } else { "" };
        let numbers = match predictions.set {
            EvalSet::Test => "",
            EvalSet::Validation => ", numbered among the validation images",
        };
        let _ = writeln!(text, "{count}{more}{numbers}");
        let mut rows =
            vec![["image", "class", "predicted", "probability"].map(str::to_owned).to_vec()];
        for &place in images.iter().take(IMAGES) {
            rows.push(vec![
                place.to_string(),
                class_name(predictions, predictions.images.label(place).into()),
                class_name(predictions, predicted.classes[place].into()),
                format!("{:.2}", predicted.probabilities[place]),
            ]);
        }
        text.push_str(&aligned(&rows, 0));
        text
    }
}

/// The name of a class as a terminal may get it.
fn class_name(predictions: &Predictions, class: usize) -> String {
    match predictions.info.classes.get(class) {
        Some(name) => printable(name),
        None => class.to_string(),
    }
}

/// A difference with its sign; a dot for none.
fn signed(delta: i64) -> String {
    match delta {
        0 => "·".to_owned(),
        1.. => format!("+{delta}"),
        _ => format!("−{}", delta.unsigned_abs()),
    }
}

/// Rows with aligned columns: the first `left` of them to the left, the others to the right.
fn aligned(rows: &[Vec<String>], left: usize) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, &width))| {
            if column < left { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
        });
        let line = cells.collect::<Vec<_>>().join("  ");
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}
