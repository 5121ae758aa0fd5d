//! What the results of a sweep say of its settings.

use std::{
    collections::BTreeMap,
    fmt::{self, Display, Write as _},
};

use super::{
    plan::Plan,
    row::{Row, State},
    statistics::{Group, Sample, differ},
};
use crate::printable::{printable, thousands};

/// Lines of a table; those of the best.
const MOST_LINES: usize = 20;
/// Widest cell of a setting's values.
const WIDEST: usize = 32;
/// A setting with more values, all of them numbers, is shown in this many parts.
const PARTS: usize = 4;
const MOST_VALUES: usize = 8;

/// A table of accuracies for each point, and one for each setting.
pub struct Summary {
    runs: usize,
    planned: usize,
    diverged: usize,
    set: &'static str,
    tables: Vec<Table>,
}

struct Table {
    title: String,
    columns: Vec<String>,
    /// The best first.
    lines: Vec<Line>,
}

struct Line {
    cells: Vec<String>,
    sample: Option<Sample>,
    diverged: usize,
    /// Whether it differs from the best; `None` where that cannot be told.
    differs: Option<bool>,
}

/// A group of runs that a line is about.
#[derive(Default)]
struct Runs {
    cells: Vec<String>,
    accuracies: Group,
    diverged: usize,
}

impl Summary {
    /// The summary of these rows, by their place in the plan.
    pub fn of(plan: &Plan, rows: &BTreeMap<usize, Row>) -> Self {
        let diverged = rows.values().filter(|row| row.state == State::Diverged).count();
        let mut tables = Vec::new();
        let by_point = groups(plan, rows, <[String]>::to_vec, |_| String::new());
        let title = if plan.seeds() > 1 { "by point, over its seeds" } else { "by point" };
        if plan.settings.is_empty() {
            tables.push(table("over all seeds".to_owned(), Vec::new(), by_point));
        } else {
            tables.push(table(title.to_owned(), plan.settings.clone(), by_point));
        }
        for (place, key) in plan.settings.iter().enumerate() {
            if plan.settings.len() < 2 && !is_continuous(plan, place) {
                // It says the same as the first.
                continue;
            }
            let parts = parts(plan, rows, place);
            let cell = |values: &[String]| {
                let value = &values[place];
                let number = value.parse::<f64>().ok();
                let part = number.and_then(|number| parts.iter().find(|(_, high)| number <= *high));
                vec![part.map_or_else(|| value.clone(), |(low, high)| format!("{low}..{high}"))]
            };
            // Runs of one part of a range have no value in common that could be compared in pairs.
            let is_other = |other: usize| other != place || !parts.is_empty();
            let others = |values: &[String]| {
                let others = values.iter().enumerate().filter(|(other, _)| is_other(*other));
                others.map(|(_, value)| value.as_str()).collect::<Vec<_>>().join(",")
            };
            let by_value = groups(plan, rows, cell, others);
            tables.push(table(format!("by {key}"), vec![key.clone()], by_value));
        }
        let set = rows.values().next().map_or("test", |row| row.set.name());
        Self { runs: rows.len(), planned: plan.len(), diverged, set, tables }
    }
}

/// Whether a setting has more values than a table by value can show.
fn is_continuous(plan: &Plan, place: usize) -> bool {
    let mut values: Vec<&str> = plan.values(place).collect();
    values.sort_unstable();
    values.dedup();
    values.len() > MOST_VALUES && values.iter().all(|value| value.parse::<f64>().is_ok())
}

/// Bounds of parts with about as many runs each, for a setting with too many values; none for another.
fn parts(plan: &Plan, rows: &BTreeMap<usize, Row>, place: usize) -> Vec<(f64, f64)> {
    if !is_continuous(plan, place) {
        return Vec::new();
    }
    let value = |&index: &usize| plan.place(index)?.0[place].parse::<f64>().ok();
    let mut numbers: Vec<f64> = rows.keys().filter_map(value).collect();
    numbers.sort_by(f64::total_cmp);
    let size = numbers.len().div_ceil(PARTS).max(1);
    numbers.chunks(size).filter_map(|part| Some((*part.first()?, *part.last()?))).collect()
}

/// Runs by what `cells` makes of their values; `others` tells runs of a group apart, besides the seed.
fn groups(
    plan: &Plan,
    rows: &BTreeMap<usize, Row>,
    cells: impl Fn(&[String]) -> Vec<String>,
    others: impl Fn(&[String]) -> String,
) -> Vec<Runs> {
    let mut groups: BTreeMap<Vec<String>, Runs> = BTreeMap::new();
    for (&index, row) in rows {
        let Some((values, seed)) = plan.place(index) else { continue };
        let cells = cells(values);
        let runs = groups.entry(cells.clone()).or_default();
        runs.cells = cells;
        match row.accuracy {
            Some(accuracy) => {
                runs.accuracies.insert(format!("{} {seed}", others(values)), 100.0 * accuracy);
            }
            None => runs.diverged += 1,
        }
    }
    groups.into_values().collect()
}

/// The lines for groups of runs, the best first.
fn table(title: String, columns: Vec<String>, groups: Vec<Runs>) -> Table {
    let sample = |runs: &Runs| Sample::of(&runs.accuracies.values().copied().collect::<Vec<_>>());
    let mut groups: Vec<(Option<Sample>, Runs)> =
        groups.into_iter().map(|runs| (sample(&runs), runs)).collect();
    let mean = |sample: &Option<Sample>| sample.map_or(f64::NEG_INFINITY, |sample| sample.mean);
    groups.sort_by(|(a, _), (b, _)| mean(b).total_cmp(&mean(a)));
    let best = groups.first().map(|(_, runs)| runs.accuracies.clone()).unwrap_or_default();
    let line = |(sample, runs): (Option<Sample>, Runs)| Line {
        differs: differ(&best, &runs.accuracies),
        cells: runs.cells,
        sample,
        diverged: runs.diverged,
    };
    Table { title, columns, lines: groups.into_iter().map(line).collect() }
}

impl Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { runs, planned, diverged, set, tables } = self;
        let [runs, planned, diverged] = [runs, planned, diverged].map(|n| thousands(*n as u64));
        write!(f, "{runs} of {planned} runs")?;
        if diverged != "0" {
            write!(f, ", {diverged} diverged")?;
        }
        writeln!(f, "; accuracy on the {set} images in %, best first")?;
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
            if let Some(verdict) = place.checked_sub(1).map(|line| self.verdict(line)) {
                let _ = write!(text, "  {verdict}");
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

impl Table {
    /// What a line's difference from the best is worth.
    fn verdict(&self, line: usize) -> String {
        let Line { sample, differs, diverged, .. } = &self.lines[line];
        let mut verdict = match (line, sample, differs) {
            (_, None, _) => String::new(),
            (0, ..) if self.lines.len() == 1 => String::new(),
            (0, ..) => "best".to_owned(),
            (_, _, Some(true)) => "worse".to_owned(),
            (_, _, Some(false)) => "within noise of the best".to_owned(),
            (_, _, None) => "too few runs to compare".to_owned(),
        };
        if *diverged > 0 {
            let separator = if verdict.is_empty() { "" } else { ", " };
            let _ = write!(verdict, "{separator}{diverged} diverged");
        }
        verdict
    }
}

impl Line {
    fn figures(&self) -> Vec<String> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{protocol::EvalSet, sweep::plan::tests::plan_of};

    /// Rows of runs with these numbers of correct images out of 1,000; 0 stands for a diverged run.
    fn rows(plan: &Plan, correct: &[u64]) -> BTreeMap<usize, Row> {
        let row = |(index, &correct): (usize, &u64)| {
            let figure = |value: f64| (correct > 0).then_some(value);
            let row = Row {
                seed: plan.place(index).expect("it is planned").1,
                epochs: 1,
                steps: 10,
                correct: (correct > 0).then_some(correct),
                total: Some(1000),
                accuracy: figure(correct as f64 / 1000.0),
                loss: figure(0.5),
                train_seconds: 1.0,
                run: plan.name(index),
                set: EvalSet::Test,
                state: if correct > 0 { State::Done } else { State::Diverged },
            };
            (index, row)
        };
        correct.iter().enumerate().map(row).collect()
    }

    #[test]
    fn points_are_compared_over_their_seeds() {
        let plan = plan_of(&[("lr", "0.1,0.2,0.3,9")], 3);
        // By seed: 0.1, 0.2, 0.3 and 9.
        let rows = rows(&plan, &[980, 981, 900, 0, 982, 983, 910, 0, 981, 979, 905, 0]);
        let text = Summary::of(&plan, &rows).to_string();
        // 98.0, 98.2, 98.1: mean 98.1, deviation 0.1, t of 2 degrees of freedom 4.3027, half 0.248.
        let expected = "\
12 of 12 runs, 3 diverged; accuracy on the test images in %, best first

by point, over its seeds
  lr   n   mean    sd  95 % interval
  0.1  3  98.10  0.10    97.85–98.35  best
  0.2  3  98.10  0.20    97.60–98.60  within noise of the best
  0.3  3  90.50  0.50    89.26–91.74  worse
  9    0      -     -              -  3 diverged
";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_setting_is_compared_at_the_same_values_of_the_others() {
        let plan = plan_of(&[("lr", "0.1,0.2"), ("batch-size", "5,50")], 2);
        // Of both rates the larger batch is worse by about ten, and that much is no noise of the rate.
        let rows = rows(&plan, &[900, 800, 930, 829, 901, 800, 932, 830]);
        let text = Summary::of(&plan, &rows).to_string();
        let by_lr = text.split("by lr\n").nth(1).expect("a table by rate");
        assert!(by_lr.contains("0.2  4  88.02") && by_lr.contains("best"), "{text}");
        assert!(by_lr.contains("0.1  4  85.03") && by_lr.contains("worse"), "{text}");
        assert!(text.contains("by batch-size\n"), "{text}");
    }

    #[test]
    fn one_run_of_each_cannot_be_compared_and_many_points_are_cut_short() {
        let plan = plan_of(&[("lr", "0.1,0.2")], 1);
        let text = Summary::of(&plan, &rows(&plan, &[900, 950])).to_string();
        assert!(
            text.contains("0.1  1  90.00   -              -  too few runs to compare"),
            "{text}"
        );
        let many = (1..=25).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
        let plan = plan_of(&[("batch-size", &many)], 1);
        let correct: Vec<u64> = (1..=25).map(|n| 900 + n).collect();
        let text = Summary::of(&plan, &rows(&plan, &correct)).to_string();
        assert!(text.contains("  … and 5 more\n"), "{text}");
        // Seven runs each, and four in the last part.
        assert!(text.contains("  22..25      4  92.35"), "{text}");
        assert!(text.contains("  1..7        7  90.40"), "{text}");
    }

    #[test]
    fn an_unfinished_sweep_says_what_there_is() {
        let plan = plan_of(&[], 4);
        let text = Summary::of(&plan, &rows(&plan, &[900, 910])).to_string();
        assert!(text.starts_with("2 of 4 runs; "), "{text}");
        assert!(
            text.contains("over all seeds\n  n   mean    sd  95 % interval\n  2  90.50  0.71"),
            "{text}"
        );
        let text = Summary::of(&plan, &BTreeMap::new()).to_string();
        assert!(text.starts_with("0 of 4 runs; "), "{text}");
    }
}
