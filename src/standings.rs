//! A sweep in training, as its screen shows it: tables of results, runs in training, and what a person has
//! chosen there.

use std::{cmp::Ordering, path::PathBuf, time::Duration};

use crate::{
    app::{Action, Direction},
    compare::Browser,
};

/// A sweep at one time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Standings {
    /// Its folder.
    pub place: String,
    /// Points first, then each setting by itself.
    pub tables: Vec<Table>,
    /// Runs in training.
    pub jobs: Vec<Job>,
    /// The images that accuracies were measured on; empty before the first result.
    pub set: String,
    /// Runs of the sweep, or of its shard.
    pub all: usize,
    /// Runs with a result.
    pub done: usize,
    /// Runs that failed.
    pub failed: usize,
    /// The highest accuracy of a run, in percent, and the run's settings.
    pub best: Option<(f64, String)>,
    /// How long the rest will take.
    pub remaining: Option<Duration>,
    /// The newest sentence that a person should know.
    pub message: Option<String>,
    /// Whether all runs have ended.
    pub is_over: bool,
}

/// Groups of runs that are compared.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// What is compared.
    pub title: String,
    /// The settings that make a group.
    pub columns: Vec<String>,
    /// The best first.
    pub lines: Vec<Line>,
}

/// A group of runs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Line {
    /// One value for each setting.
    pub cells: Vec<String>,
    /// Runs that have ended with a result, and all runs.
    pub runs: (usize, usize),
    /// Mean accuracy in percent.
    pub mean: Option<f64>,
    /// Half the width of its 95 % interval, by Student's t.
    pub half: Option<f64>,
    /// What its difference from the best is worth.
    pub verdict: String,
    /// The folders of its runs, as far as they are known; none in a table by setting.
    pub folders: Vec<PathBuf>,
}

/// A run in training.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Job {
    /// Its folder's name.
    pub run: String,
    /// Its values and seed.
    pub settings: String,
    /// Its epoch, from 1, and all epochs.
    pub epoch: (u32, u32),
    /// Share of its steps that are trained, in 0..=1.
    pub share: f64,
    /// Loss of its last step; NaN before the first.
    pub loss: f32,
}

/// What a table is sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Column {
    /// As the results rank.
    #[default]
    Rank,
    /// Runs that have ended.
    Runs,
    /// The value of this setting.
    Setting(usize),
}

/// What a person wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Read the runs in these folders, and give them to [`Board::open`].
    Open(Vec<PathBuf>),
    /// Stop the runs.
    Stop,
}

/// The standings, and what is chosen among them.
#[derive(Debug, Default)]
pub struct Board {
    /// The newest that are known.
    pub standings: Standings,
    /// Curves of the runs that were opened.
    pub opened: Option<Browser>,
    /// Whether the runs were asked to stop.
    pub is_stopping: bool,
    /// Why nothing was opened.
    pub refusal: Option<String>,
    table: usize,
    column: Column,
    is_reversed: bool,
    /// The cells of the chosen line, which stays chosen wherever it moves.
    chosen: Option<Vec<String>>,
    leaves: bool,
}

impl Board {
    /// The table shown.
    pub fn table(&self) -> Option<&Table> {
        self.standings.tables.get(self.place())
    }

    /// The place of the table shown among all.
    pub fn place(&self) -> usize {
        self.table.min(self.standings.tables.len().saturating_sub(1))
    }

    /// What the table is sorted by, and whether from the end.
    pub fn order(&self) -> (Column, bool) {
        (self.column, self.is_reversed)
    }

    /// The tables after the one shown, for screens with room for more than one.
    pub fn others(&self) -> &[Table] {
        self.standings.tables.get(self.place() + 1..).unwrap_or_default()
    }

    /// The lines of the table shown, in order.
    pub fn lines(&self) -> Vec<&Line> {
        let Some(table) = self.table() else { return Vec::new() };
        let mut lines: Vec<&Line> = table.lines.iter().collect();
        match self.column {
            Column::Rank => {}
            // Sorting is stable, so that equals stay in the order of their rank.
            Column::Runs => lines.sort_by_key(|line| std::cmp::Reverse(line.runs.0)),
            Column::Setting(place) => {
                lines.sort_by(|a, b| by_value(a.cells.get(place), b.cells.get(place)));
            }
        }
        if self.is_reversed {
            lines.reverse();
        }
        lines
    }

    /// The place of the chosen line among [`lines`](Self::lines).
    pub fn chosen(&self, lines: &[&Line]) -> usize {
        let chosen = self.chosen.as_ref();
        chosen.and_then(|cells| lines.iter().position(|line| line.cells == *cells)).unwrap_or(0)
    }

    /// Takes in newer standings.
    pub fn learn(&mut self, standings: Standings) {
        self.leaves |= standings.is_over && self.is_stopping;
        self.standings = standings;
    }

    /// Shows the curves of runs, or says why there are none.
    pub fn open(&mut self, runs: Result<Browser, String>) {
        match runs {
            Ok(browser) => self.opened = Some(browser),
            Err(reason) => self.refusal = Some(reason),
        }
    }

    /// Whether the screen is to be left.
    pub fn wants_to_leave(&self) -> bool {
        self.leaves
    }

    /// Leaves the screen once all runs have ended.
    pub fn leave_when_over(&mut self) {
        self.leaves |= self.standings.is_over;
    }

    /// Carries out an action, where a page of the screen has `rows` lines; whether something changed, and what
    /// is wanted.
    pub fn act(&mut self, action: Action, rows: usize) -> (bool, Option<Request>) {
        self.refusal = None;
        let mut request = None;
        match action {
            // The second time nobody waits for the runs' files on this screen.
            Action::Quit if self.standings.is_over || self.is_stopping => self.leaves = true,
            Action::Quit => {
                self.is_stopping = true;
                request = Some(Request::Stop);
            }
            Action::Confirm => request = self.opens(),
            Action::SortByNext => self.sort_by_next(),
            Action::ReverseOrder => self.is_reversed = !self.is_reversed,
            Action::NextView => self.show(1),
            Action::PreviousView => self.show(self.standings.tables.len().saturating_sub(1)),
            Action::Move(direction) => self.choose(direction, rows),
            _ => return (false, None),
        }
        (true, request)
    }

    fn opens(&mut self) -> Option<Request> {
        let lines = self.lines();
        let folders = lines.get(self.chosen(&lines))?.folders.clone();
        if folders.is_empty() {
            self.refusal = Some(
                "A value of a setting has no curves: choose a point in the first table.".into(),
            );
            return None;
        }
        Some(Request::Open(folders))
    }

    fn show(&mut self, by: usize) {
        self.table = (self.place() + by) % self.standings.tables.len().max(1);
        (self.column, self.is_reversed, self.chosen) = (Column::Rank, false, None);
    }

    fn sort_by_next(&mut self) {
        let settings = self.table().map_or(0, |table| table.columns.len());
        self.column = match self.column {
            Column::Rank => Column::Runs,
            Column::Runs if settings > 0 => Column::Setting(0),
            Column::Setting(place) if place + 1 < settings => Column::Setting(place + 1),
            Column::Runs | Column::Setting(_) => Column::Rank,
        };
        self.is_reversed = false;
    }

    fn choose(&mut self, direction: Direction, rows: usize) {
        let lines = self.lines();
        let (at, last) = (self.chosen(&lines), lines.len().saturating_sub(1));
        let to = match direction {
            Direction::Up => at.saturating_sub(1),
            Direction::Down => at + 1,
            Direction::PageUp => at.saturating_sub(rows.max(1)),
            Direction::PageDown => at + rows.max(1),
            Direction::Home => 0,
            Direction::End => last,
            Direction::Left | Direction::Right => at,
        };
        self.chosen = lines.get(to.min(last)).map(|line| line.cells.clone());
    }
}

/// Numbers by their value, before text by its letters.
fn by_value(one: Option<&String>, other: Option<&String>) -> Ordering {
    let number = |text: Option<&String>| text?.split("..").next()?.parse::<f64>().ok();
    match (number(one), number(other)) {
        (Some(one), Some(other)) => one.total_cmp(&other),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => one.cmp(&other),
    }
}

#[cfg(test)]
pub(crate) mod tests;
