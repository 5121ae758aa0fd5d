//! `runs`: what is kept of earlier runs.

use std::{fmt::Write as _, path::PathBuf};

use crate::{
    check::print,
    outcome::Outcome,
    printable::{Shown, printable},
    runs::{self, RunEntry, Runs},
};

/// Prints the runs in the user's state directory, newest first.
pub(super) fn list() -> Outcome {
    match Runs::of_user() {
        Ok(runs) => print(&table(&runs)),
        Err(error) => Outcome::failure(error),
    }
}

/// Removes runs by name or folder; stops at the first that cannot go.
pub(super) fn remove(names: &[PathBuf]) -> Outcome {
    let all = match Runs::of_user() {
        Ok(all) => all,
        Err(error) => return Outcome::failure(error),
    };
    for name in names {
        if let Err(error) = runs::remove(&all.find(name)) {
            return Outcome::failure(error);
        }
    }
    Outcome::Done
}

fn table(runs: &Runs) -> String {
    let entries = runs.list();
    if entries.is_empty() {
        return format!("no runs in {}\n", runs.root().shown());
    }
    let width = entries.iter().map(|run| printable(&run.name).chars().count()).max().unwrap_or(0);
    let mut text = format!(
        "{:<width$}  {:<11}  {:>9}  {:>9}  {:>8}  {:>9}\n",
        "run", "state", "epoch", "step", "best", "size"
    );
    for RunEntry { name, status, reached, epochs, best, bytes, .. } in &entries {
        let name = printable(name);
        let (epoch, step) = match reached {
            Some((epoch, step)) => (format!("{epoch}/{epochs}"), step.to_string()),
            None => (format!("0/{epochs}"), "-".to_owned()),
        };
        let best = best.map_or_else(|| "-".to_owned(), |best| format!("{:.2}%", 100.0 * best));
        let size = format!("{:.1} MB", *bytes as f64 / 1e6);
        let _ = writeln!(
            text,
            "{name:<width$}  {:<11}  {epoch:>9}  {step:>9}  {best:>8}  {size:>9}",
            status.name()
        );
    }
    let _ = writeln!(text, "\nin {}", runs.root().shown());
    text
}
