//! What the results of a sweep say of its settings.

mod text;

use std::collections::{BTreeMap, BTreeSet};

use super::{
    plan::Plan,
    row::{Row, State},
    statistics::{Group, Sample, Verdict, compare},
};

/// A setting with more values, all of them numbers, is shown in this many parts.
const PARTS: usize = 4;
const MOST_VALUES: usize = 8;

/// A table of accuracies for each point, and one for each setting.
pub struct Summary {
    runs: usize,
    planned: usize,
    diverged: usize,
    /// The images that accuracies were measured on.
    sets: Vec<&'static str>,
    pub(super) tables: Vec<Table>,
}

/// Groups of runs, compared with the best of them.
pub(super) struct Table {
    pub(super) title: String,
    pub(super) columns: Vec<String>,
    /// The best first; lines that lack a run which another line has come last.
    pub(super) lines: Vec<Line>,
}

/// A group of runs.
pub(super) struct Line {
    pub(super) cells: Vec<String>,
    pub(super) sample: Option<Sample>,
    planned: usize,
    finished: usize,
    diverged: usize,
    /// Whether it has a result wherever any other line has one.
    is_complete: bool,
    /// How the best compares with it; `None` where that cannot be told.
    best: Option<Verdict>,
}

/// A group of runs that a line is about.
#[derive(Default)]
struct Runs {
    accuracies: BTreeMap<String, Vec<f64>>,
    planned: usize,
    finished: usize,
    diverged: usize,
}

/// What makes the groups of a table.
struct Grouping<'a> {
    /// What the runs of a group share.
    cells: &'a dyn Fn(&[String]) -> Vec<String>,
    /// What tells the runs of a group apart, and is compared in pairs between groups.
    key: &'a dyn Fn(&[String], u64) -> String,
}

impl Summary {
    /// The summary of these rows, by their place in the plan.
    pub fn of(plan: &Plan, rows: &BTreeMap<usize, Row>) -> Self {
        let diverged = rows.values().filter(|row| row.state == State::Diverged).count();
        let mut tables = vec![by_point(plan, rows)];
        for (place, key) in plan.settings.iter().enumerate() {
            // Of a single setting it says the same as the first table.
            if plan.settings.len() > 1 || is_continuous(plan, place) {
                tables.push(by_value(plan, rows, place, key));
            }
        }
        let mut sets: Vec<_> = rows.values().map(|row| row.set.name()).collect();
        sets.sort_unstable();
        sets.dedup();
        Self { runs: rows.len(), planned: plan.len(), diverged, sets, tables }
    }
}

/// Compares points over their seeds.
pub(super) fn by_point(plan: &Plan, rows: &BTreeMap<usize, Row>) -> Table {
    let title = match (plan.settings.is_empty(), plan.seeds()) {
        (true, _) => "over all seeds",
        (false, 1) => "by point",
        (false, _) => "by point, over its seeds",
    };
    let cells = |values: &[String]| values.to_vec();
    let key = |_: &[String], seed: u64| seed.to_string();
    let grouping = Grouping { cells: &cells, key: &key };
    table(title.to_owned(), plan.settings.clone(), groups(plan, rows, &grouping))
}

/// Compares the values of a setting.
fn by_value(plan: &Plan, rows: &BTreeMap<usize, Row>, place: usize, name: &str) -> Table {
    let parts = parts(plan, place);
    let cells = |values: &[String]| {
        let value = &values[place];
        let number = value.parse::<f64>().ok();
        let part = number.and_then(|number| parts.iter().find(|(_, high)| number <= *high));
        vec![part.map_or_else(|| value.clone(), |(low, high)| format!("{low}..{high}"))]
    };
    // Random points have no other values in common that could be compared in pairs. The seeds of a point are
    // no points of their own: they count as one, by their mean.
    let is_grid = plan.is_grid() && parts.is_empty();
    let key = |values: &[String], seed: u64| {
        let is_other = |other: usize| other != place || !parts.is_empty();
        let others = values.iter().enumerate().filter(|(other, _)| is_other(*other));
        let others: Vec<_> = others.map(|(_, value)| value.clone()).collect();
        let seed = if is_grid { seed.to_string() } else { String::new() };
        format!("{others:?} {seed}")
    };
    let over = if is_grid || plan.seeds() == 1 {
        ""
    } else {
        ", a point counts by its mean over its seeds"
    };
    let grouping = Grouping { cells: &cells, key: &key };
    table(format!("by {name}{over}"), vec![name.to_owned()], groups(plan, rows, &grouping))
}

/// Whether a setting has more values than a table by value can show.
fn is_continuous(plan: &Plan, place: usize) -> bool {
    let values: BTreeSet<&str> = plan.values(place).collect();
    values.len() > MOST_VALUES && values.iter().all(|value| value.parse::<f64>().is_ok())
}

/// Bounds of parts with about as many points each, for a setting with too many values; none for another.
fn parts(plan: &Plan, place: usize) -> Vec<(f64, f64)> {
    if !is_continuous(plan, place) {
        return Vec::new();
    }
    let mut numbers: Vec<f64> = plan.values(place).filter_map(|value| value.parse().ok()).collect();
    numbers.sort_by(f64::total_cmp);
    let size = numbers.len().div_ceil(PARTS).max(1);
    numbers.chunks(size).filter_map(|part| Some((*part.first()?, *part.last()?))).collect()
}

/// All planned runs by what they share.
fn groups(
    plan: &Plan,
    rows: &BTreeMap<usize, Row>,
    grouping: &Grouping,
) -> BTreeMap<Vec<String>, Runs> {
    let mut groups: BTreeMap<Vec<String>, Runs> = BTreeMap::new();
    for (index, (values, seed)) in
        (0..plan.len()).filter_map(|index| Some((index, plan.place(index)?)))
    {
        let runs = groups.entry((grouping.cells)(values)).or_default();
        runs.planned += 1;
        let Some(row) = rows.get(&index) else { continue };
        runs.finished += 1;
        match row.accuracy {
            Some(accuracy) => {
                let key = (grouping.key)(values, seed);
                runs.accuracies.entry(key).or_default().push(100.0 * accuracy);
            }
            None => runs.diverged += 1,
        }
    }
    groups
}

/// The lines for groups of runs, the best first; those without any result are left out.
fn table(title: String, columns: Vec<String>, groups: BTreeMap<Vec<String>, Runs>) -> Table {
    let mut groups: Vec<(Vec<String>, Runs, Group)> = groups
        .into_iter()
        .filter(|(_, runs)| runs.finished > 0)
        .map(|(cells, runs)| {
            let mean = |numbers: &Vec<f64>| numbers.iter().sum::<f64>() / numbers.len() as f64;
            let means = runs.accuracies.iter().map(|(key, numbers)| (key.clone(), mean(numbers)));
            let means = means.collect();
            (cells, runs, means)
        })
        .collect();
    // Lines with other keys than all others are independent, and none of them lacks what another has.
    let keys: BTreeSet<String> =
        groups.iter().flat_map(|(_, _, means)| means.keys().cloned()).collect();
    let are_paired = keys.len() < groups.iter().map(|(_, _, means)| means.len()).sum();
    let is_complete = |runs: &Runs, means: &Group| {
        if are_paired { means.len() == keys.len() } else { runs.diverged == 0 }
    };
    let sample = |means: &Group| Sample::of(&means.values().copied().collect::<Vec<_>>());
    let rank = |(_, runs, means): &(Vec<String>, Runs, Group)| {
        let mean = sample(means).map_or(f64::NEG_INFINITY, |sample| sample.mean);
        (is_complete(runs, means), mean)
    };
    groups.sort_by(|a, b| {
        let ((is_whole, mean), (is_other_whole, other)) = (rank(a), rank(b));
        is_other_whole.cmp(&is_whole).then(other.total_cmp(&mean))
    });
    let best = groups.first().map(|(_, _, means)| means.clone()).unwrap_or_default();
    let line = |(cells, runs, means): (Vec<String>, Runs, Group)| Line {
        cells,
        sample: sample(&means),
        planned: runs.planned,
        finished: runs.finished,
        diverged: runs.diverged,
        is_complete: is_complete(&runs, &means),
        best: compare(&best, &means),
    };
    Table { title, columns, lines: groups.into_iter().map(line).collect() }
}

impl Line {
    /// Runs that have ended, and all that are planned.
    pub(super) fn runs(&self) -> (usize, usize) {
        (self.finished, self.planned)
    }
}

impl Table {
    /// What a line's difference from the best is worth, and what it lacks.
    fn remark(&self, line: usize) -> String {
        let Line { planned, finished, .. } = self.lines[line];
        let missing = (finished < planned).then(|| format!("{finished} of {planned} runs"));
        let parts = [Some(self.verdict(line)).filter(|verdict| !verdict.is_empty()), missing];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }

    /// What a line's difference from the best is worth, and how many of its runs diverged.
    pub(super) fn verdict(&self, line: usize) -> String {
        let Line { sample, best, planned, finished, diverged, is_complete, .. } = &self.lines[line];
        let verdict = match (line, sample, best) {
            (_, None, _) => "",
            (0, ..) if self.lines.len() == 1 => "",
            (0, ..) if *is_complete && finished == planned => "best",
            (0, ..) => "best so far",
            (_, _, Some(Verdict::Higher)) => "worse",
            (_, _, Some(Verdict::WithinNoise)) => "within noise of the best",
            // It lacks runs that the best has, so that it is not ranked with it.
            (_, _, Some(Verdict::Lower)) => "better in the runs that both have",
            (_, _, None) => "too few runs to compare",
        };
        let diverged = (*diverged > 0).then(|| format!("{diverged} diverged"));
        let parts = [(!verdict.is_empty()).then(|| verdict.to_owned()), diverged];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests;
