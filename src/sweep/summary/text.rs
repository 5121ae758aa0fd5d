//! A summary as text.

use std::fmt::{self, Display, Write as _};

use super::{Line, Summary, Table};
use crate::printable::{counted, printable, thousands};

/// Lines of a table; those of the best.
const MOST_LINES: usize = 20;
/// Widest cell of a setting's values.
const WIDEST: usize = 32;

impl Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { runs, planned, diverged, sets, tables } = self;
        let [runs, diverged] = [runs, diverged].map(|n| thousands(*n as u64));
        write!(f, "{runs} of {}", counted(*planned as u64, "run"))?;
        if diverged != "0" {
            write!(f, ", {diverged} diverged")?;
        }
        match sets.as_slice() {
            [] => writeln!(f)?,
            [set] => writeln!(f, "; accuracy on the {set} images in %, best first")?,
            sets => writeln!(
                f,
                "; accuracy in %, on {} images, which do not compare",
                sets.join(" and on ")
            )?,
        }
        tables.iter().try_for_each(|table| write!(f, "\n{table}"))
    }
}

impl Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.title)?;
        let shown = &self.lines[..self.lines.len().min(MOST_LINES)];
        let mut rows = vec![self.columns.clone()];
        rows[0].extend(["n", "mean", "sd", "95 % interval"].map(str::to_owned));
        rows.extend(shown.iter().map(Line::figures));
        let widths: Vec<usize> = (0..rows[0].len())
            .map(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0))
            .collect();
        for (place, row) in rows.iter().enumerate() {
            let mut text = String::new();
            for (column, (cell, &width)) in row.iter().zip(&widths).enumerate() {
                let pad = " ".repeat(width - cell.chars().count());
                // Numbers end in a column; the values of settings may be text.
                let _ = if column < self.columns.len() {
                    write!(text, "  {cell}{pad}")
                } else {
                    write!(text, "  {pad}{cell}")
                };
            }
            if let Some(remark) = place.checked_sub(1).map(|line| self.remark(line)) {
                let _ = write!(text, "  {remark}");
            }
            writeln!(f, "{}", text.trim_end())?;
        }
        let left = self.lines.len() - shown.len();
        if left > 0 {
            writeln!(f, "  … and {} more", thousands(left as u64))?;
        }
        Ok(())
    }
}

impl Line {
    pub(in crate::sweep) fn figures(&self) -> Vec<String> {
        let dash = || "-".to_owned();
        let mut cells: Vec<String> = self.cells.iter().map(|cell| short(cell)).collect();
        let sample = self.sample.as_ref();
        cells.push(sample.map_or(0, |sample| sample.n).to_string());
        cells.push(sample.map_or_else(dash, |sample| format!("{:.2}", sample.mean)));
        let deviation = sample.and_then(|sample| sample.deviation);
        cells.push(deviation.map_or_else(dash, |deviation| format!("{deviation:.2}")));
        let interval = sample.and_then(|sample| Some((sample.mean, sample.half_interval()?)));
        cells.push(interval.map_or_else(dash, |(mean, half)| {
            format!("{:.2}–{:.2}", (mean - half).max(0.0), (mean + half).min(100.0))
        }));
        cells
    }
}

/// A value that fits a table.
fn short(value: &str) -> String {
    let value = printable(value);
    if value.chars().count() <= WIDEST {
        return value;
    }
    value.chars().take(WIDEST - 1).chain(['…']).collect()
}
