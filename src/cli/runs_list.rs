//! `runs`: the runs that are kept.

use std::{
    collections::BTreeSet,
    ffi::OsString,
    fmt::Write as _,
    io::{self, IsTerminal, Write as _},
    path::{Component, Path, PathBuf},
};

use crate::{
    check::print,
    outcome::Outcome,
    printable::{Shown, printable, thousands},
    runs::{Removal, RunEntry, Runs},
};

/// Prints the runs in the user's state directory, newest first.
pub(super) fn list() -> Outcome {
    match Runs::of_user() {
        Ok(runs) => print(&table(&runs)),
        Err(error) => Outcome::failure(error),
    }
}

/// Removes runs by name or folder: all of them, or none if one cannot be removed. Unless `yes`, it
/// shows what will be removed and asks first, for which it needs a terminal.
pub(super) fn remove(names: &[PathBuf], yes: bool) -> Outcome {
    let all = match Runs::of_user() {
        Ok(all) => all,
        Err(error) => return Outcome::failure(error),
    };
    let can_ask = io::stdin().is_terminal() && io::stderr().is_terminal();
    if !yes && !can_ask {
        return Outcome::usage(
            "runs rm asks before it removes, which needs a terminal: give --yes to remove without",
        );
    }
    let paths: BTreeSet<PathBuf> = names.iter().map(|name| plain(&all.find(name))).collect();
    let removals: Result<Vec<Removal>, _> = paths.iter().map(|path| Removal::of(path)).collect();
    let removals = match removals {
        Ok(removals) => removals,
        Err(error) => return Outcome::failure(error),
    };
    if !yes {
        match confirmed(&removals) {
            Ok(true) => {}
            Ok(false) => return Outcome::Stopped,
            Err(error) => return Outcome::failure(format_args!("cannot ask: {error}")),
        }
    }
    for removal in removals {
        if let Err(error) = removal.carry_out() {
            return Outcome::failure(error);
        }
    }
    Outcome::Done
}

/// The same path without what changes nothing, such as `./` before it and a slash behind it.
fn plain(path: &Path) -> PathBuf {
    let needed = |part: &Component<'_>| *part != Component::CurDir;
    let plain: PathBuf = path.components().filter(needed).collect();
    if plain.as_os_str().is_empty() { ".".into() } else { plain }
}

/// Shows what will be removed and waits for an answer.
fn confirmed(removals: &[Removal]) -> io::Result<bool> {
    let mut question = String::new();
    for removal in removals {
        question += &description(removal);
    }
    let runs = if removals.len() == 1 { "this run" } else { "these runs" };
    let _ = write!(question, "Remove {runs}? [y/N] ");
    let mut out = io::stderr();
    out.write_all(question.as_bytes())?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}

fn description(removal: &Removal) -> String {
    let Removal { entry, files, others, .. } = removal;
    let list = |names: &[OsString]| {
        let names: Vec<_> = names.iter().map(|name| printable(&name.to_string_lossy())).collect();
        names.join(", ")
    };
    let mut text = format!(
        "{}\n  {}, {}, {}\n  removes {}\n",
        entry.path.shown(),
        entry.status.name(),
        epochs(entry),
        size(entry),
        list(files)
    );
    if !others.is_empty() {
        let _ = writeln!(text, "  leaves {}", list(others));
    }
    text
}

fn epochs(RunEntry { reached, epochs, .. }: &RunEntry) -> String {
    format!("epoch {}/{epochs}", reached.map_or(0, |(epoch, _)| epoch))
}

fn size(entry: &RunEntry) -> String {
    format!("{:.1} MB", entry.bytes as f64 / 1e6)
}

fn table(runs: &Runs) -> String {
    let entries = runs.list();
    let root = runs.root().shown();
    if entries.is_empty() {
        return format!("no runs in {root}\n");
    }
    let names: Vec<String> = entries.iter().map(|run| printable(&run.name)).collect();
    let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    let states: Vec<_> = entries.iter().map(|run| run.status.name()).collect();
    let state_width = states.iter().map(|state| state.chars().count()).max().unwrap_or(0).max(11);
    let mut text = format!(
        "{:<width$}  {:<state_width$}  {:>9}  {:>9}  {:>8}  {:>9}\n",
        "run", "state", "epoch", "step", "best", "size"
    );
    for ((name, state), run) in names.iter().zip(&states).zip(&entries) {
        let RunEntry { reached, epochs, best, .. } = run;
        let (epoch, step) = match reached {
            Some((epoch, step)) => (format!("{epoch}/{epochs}"), thousands(*step)),
            None => (format!("0/{epochs}"), "-".to_owned()),
        };
        let best = best.map_or_else(|| "-".to_owned(), |best| format!("{:.2}%", 100.0 * best));
        let _ = writeln!(
            text,
            "{name:<width$}  {state:<state_width$}  {epoch:>9}  {step:>9}  {best:>8}  {:>9}",
            size(run)
        );
    }
    let _ = writeln!(text, "\nin {root}");
    text
}
