//! A sweep without a screen: a line for each run, and a progress bar.

use std::{
    io::{self, Write},
    time::Instant,
};

use super::{
    row::{Row, State},
    supervisor::{Listener, Now},
};
use crate::{
    bar::Line,
    printable::{Shown, complain, counted, printable, thousands},
    protocol::diverged_at,
};

/// Prints runs as lines, above a progress bar.
pub(super) struct Lines {
    out: io::Stdout,
    bar: Line,
}

impl Lines {
    /// For a sweep of which this many runs are to be trained.
    pub(super) fn new(todo: usize) -> Self {
        Self { out: io::stdout(), bar: Line::new(todo as u64) }
    }

    /// Says what is about to be trained.
    ///
    /// # Errors
    /// If it cannot be printed.
    pub(super) fn begin(&mut self, now: &Now, jobs: usize) -> io::Result<()> {
        let (all, left) = (now.progress.all(), now.progress.left());
        let known = match all - left {
            0 => String::new(),
            1 => ", of which 1 has a result".to_owned(),
            known => format!(", of which {} have a result", thousands(known as u64)),
        };
        let at_once = if jobs > 1 { format!(", {jobs} at once") } else { String::new() };
        let all = counted(all as u64, "run");
        let place = now.folder.path().shown();
        self.print(&format!("{all}{known}{at_once}, in {place}\n"))
    }

    /// Takes the bar away for good.
    pub(super) fn clear(&self) {
        self.bar.clear();
    }

    fn print(&mut self, lines: &str) -> io::Result<()> {
        let out = &mut self.out;
        self.bar.suspend(|| {
            out.write_all(lines.as_bytes())?;
            out.flush()
        })
    }
}

impl Listener for Lines {
    fn row(&mut self, index: usize, row: &Row, now: &Now) -> io::Result<()> {
        let settings = now.folder.plan.describe(index).unwrap_or_default();
        let (done, all) = (now.progress.all() - now.progress.left(), now.progress.all());
        let [done, all] = [done, all].map(|runs| thousands(runs as u64));
        let width = all.len();
        let Row { run, .. } = row;
        let (settings, figures) = (printable(&settings), figures(row));
        self.print(&format!("{done:>width$}/{all}  run {run}  {settings}: {figures}\n"))
    }

    fn complain(&mut self, kind: &'static str, message: String) {
        self.bar.suspend(|| complain(kind, &message));
    }

    fn show(&mut self, now: &Now) {
        let message = now.progress.message(&now.folder.plan, Instant::now());
        self.bar.update(now.progress.trained() as u64, message);
        self.bar.tick();
    }
}

/// What a run reached.
fn figures(row: &Row) -> String {
    let seconds = row.train_seconds;
    match (row.state, row.correct, row.total, row.accuracy) {
        (State::Done, Some(correct), Some(total), Some(accuracy)) => {
            let set = row.set.name();
            let loss = row.loss.map_or_else(|| "-".to_owned(), |loss| format!("{loss:.4}"));
            let percent = 100.0 * accuracy;
            format!("{set} {correct}/{total} ({percent:.2}%), loss {loss}, {seconds:.2} s")
        }
        _ => diverged_at(row.steps),
    }
}
