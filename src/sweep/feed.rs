//! A sweep with a screen: snapshots for it, a few times a second.

use std::{
    collections::BTreeMap,
    io,
    time::{Duration, Instant},
};

use crossbeam_channel::{Sender, TrySendError};

use super::{
    plan::Plan,
    row::Row,
    summary::Summary,
    supervisor::{Listener, Now},
};
use crate::standings::{Line, Standings, Table};

/// How often a snapshot is made at most.
const APART: Duration = Duration::from_millis(100);
/// The share of the time that making a snapshot may take, as its inverse: of a hundred thousand runs that takes
/// a while.
const SHARE: u32 = 20;
/// Folders of a line that can be opened.
const MOST_OPENED: usize = crate::compare::MOST_RUNS;

/// Sends snapshots to a screen.
pub(super) struct Feed {
    screen: Sender<Standings>,
    /// What was told meanwhile, to be printed once the screen is gone.
    pub(super) complaints: Vec<(&'static str, String)>,
    next: Instant,
    tables: Vec<Table>,
    /// The number of rows that the tables were made of, and the runs that were in training.
    compared: Option<(usize, Vec<usize>)>,
    next_tables: Instant,
}

impl Feed {
    pub(super) fn new(screen: Sender<Standings>) -> Self {
        let now = Instant::now();
        let (complaints, tables) = (Vec::new(), Vec::new());
        Self { screen, complaints, next: now, tables, compared: None, next_tables: now }
    }

    /// Sends the last snapshot, which the screen waits for.
    pub(super) fn end(&mut self, now: &Now) {
        self.compare(now);
        // The person may have left.
        let _ = self.screen.send(Standings { is_over: true, ..self.snapshot(now) });
    }

    fn compare(&mut self, now: &Now) {
        let started = Instant::now();
        self.tables = tables(now);
        self.compared = Some(compared(now));
        self.next_tables = Instant::now() + started.elapsed() * SHARE;
    }

    fn snapshot(&self, now: &Now) -> Standings {
        let plan = &now.folder.plan;
        let best = now
            .progress
            .best()
            .and_then(|(index, accuracy)| Some((100.0 * accuracy, plan.describe(index)?)));
        Standings {
            place: now.folder.path().display().to_string(),
            tables: self.tables.clone(),
            jobs: now.progress.jobs(plan),
            set: now.rows.values().next().map_or("", |row| row.set.name()).to_owned(),
            all: now.progress.all(),
            done: now.progress.all() - now.progress.left(),
            failed: now.progress.failed(),
            best,
            remaining: now.progress.remaining(Instant::now()),
            message: self.complaints.last().map(|(_, message)| message.clone()),
            is_over: false,
        }
    }
}

impl Listener for Feed {
    fn row(&mut self, _index: usize, _row: &Row, _now: &Now) -> io::Result<()> {
        Ok(())
    }

    fn complain(&mut self, kind: &'static str, message: String) {
        self.complaints.push((kind, message));
    }

    fn show(&mut self, now: &Now) {
        let time = Instant::now();
        if time < self.next {
            return;
        }
        if time >= self.next_tables && self.compared != Some(compared(now)) {
            self.compare(now);
        }
        match self.screen.try_send(self.snapshot(now)) {
            // The screen draws the one before; the next one comes soon.
            Ok(()) | Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {}
        }
        self.next = Instant::now() + APART.max(time.elapsed() * SHARE);
    }
}

fn compared(now: &Now) -> (usize, Vec<usize>) {
    (now.rows.len(), now.progress.running().collect())
}

/// The tables of a summary, with the folders of the runs of each point.
fn tables(now: &Now) -> Vec<Table> {
    let plan = &now.folder.plan;
    let summary = Summary::of(plan, now.rows);
    let mut folders = folders(plan, now);
    let tables = summary.tables.iter().enumerate().map(|(place, table)| {
        let line = |(number, line): (usize, &super::summary::Line)| Line {
            cells: line.cells.clone(),
            runs: line.runs(),
            mean: line.sample.map(|sample| sample.mean),
            half: line.sample.and_then(|sample| sample.half_interval()),
            verdict: table.verdict(number),
            folders: match place {
                0 => folders.remove(&line.cells).unwrap_or_default(),
                _ => Vec::new(),
            },
        };
        Table {
            title: table.title.clone(),
            columns: table.columns.clone(),
            lines: table.lines.iter().enumerate().map(line).collect(),
        }
    });
    let mut tables: Vec<Table> = tables.collect();
    // Points without a result, of which a run is in training.
    let begun = folders.into_iter().map(|(cells, folders)| Line {
        cells,
        runs: (0, plan.seeds()),
        folders,
        ..Line::default()
    });
    if let Some(points) = tables.first_mut() {
        points.lines.extend(begun);
    }
    tables
}

/// The folders of runs that have a result or are in training, by the values of their point.
fn folders(plan: &Plan, now: &Now) -> BTreeMap<Vec<String>, Vec<std::path::PathBuf>> {
    let mut folders: BTreeMap<Vec<String>, Vec<_>> = BTreeMap::new();
    let begun = now.rows.keys().copied().chain(now.progress.running());
    for index in begun {
        let Some((values, _)) = plan.place(index) else { continue };
        let of_point = folders.entry(values.to_vec()).or_default();
        if of_point.len() < MOST_OPENED {
            of_point.push(now.folder.run(&plan.name(index)));
        }
    }
    folders
}
