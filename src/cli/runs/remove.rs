//! `runs rm`: removes stored runs.

use std::{
    collections::BTreeSet,
    ffi::OsString,
    fmt::Write as _,
    io::{self, IsTerminal, Write as _},
    path::{Component, Path, PathBuf},
};

use super::{epochs, size};
use crate::{
    outcome::Outcome,
    printable::{Shown, printable},
    runs::{Removal, Runs},
};

/// Removes runs by name or folder: all of them, or none if one cannot be removed. Unless `yes`, it
/// shows what will be removed and asks first, for which it needs a terminal.
pub(in crate::cli) fn remove(names: &[PathBuf], yes: bool) -> Outcome {
    let all = match Runs::of_user() {
        Ok(all) => all,
        Err(error) => return Outcome::failure(error),
    };
    let can_ask = io::stdin().is_terminal() && io::stderr().is_terminal();
    if !yes && !can_ask {
        return Outcome::usage(
            "runs rm asks for confirmation, which needs a terminal: use --yes to remove without asking",
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
        entry.status.describe(),
        epochs(entry),
        size(entry),
        list(files)
    );
    if !others.is_empty() {
        let _ = writeln!(text, "  leaves {}", list(others));
    }
    text
}
