//! `runs`: lists stored runs.

mod remove;
mod show;

use std::{cmp::Reverse, fmt::Write as _, path::Path};

use serde::Serialize;

use super::arguments::{RunsArgs, RunsListArgs, RunsOrder, RunsSub};
use crate::{
    check::print,
    config::RunConfig,
    outcome::Outcome,
    printable::{Shown, printable, thousands},
    runs::{RunEntry, RunStatus, Runs},
};

pub(super) use show::find;

/// Lists, describes or removes runs.
pub(super) fn run(arguments: &RunsArgs) -> Outcome {
    match &arguments.command {
        Some(RunsSub::Rm { runs, yes }) => remove::remove(runs, *yes),
        Some(RunsSub::Show { run, json }) => show::show(run.as_deref(), *json),
        None => list(&arguments.list),
    }
}

/// Prints the runs in the user's state directory.
fn list(arguments: &RunsListArgs) -> Outcome {
    let runs = match Runs::of_user() {
        Ok(runs) => runs,
        Err(error) => return Outcome::failure(error),
    };
    let all = runs.list();
    let is_empty = all.is_empty();
    let chosen = chosen(all, arguments);
    print(&if arguments.json {
        let rows: Vec<Row<'_>> = chosen.iter().map(Row::of).collect();
        json(&rows)
    } else if is_empty {
        format!("no runs in {}\n", runs.root().shown())
    } else if chosen.is_empty() {
        format!("no run in {} matches the filter\n", runs.root().shown())
    } else {
        table(&chosen, runs.root())
    })
}

/// The runs that match every filter, in order; they come newest first.
fn chosen(mut runs: Vec<RunEntry>, arguments: &RunsListArgs) -> Vec<RunEntry> {
    let is_chosen = |run: &RunEntry| {
        let name = run.config.name.as_deref().unwrap_or_default();
        let words = [&run.name, name, run.status.name(), &settings(&run.config)].join(" ");
        let words = words.to_lowercase();
        arguments.filter.iter().all(|text| words.contains(&text.to_lowercase()))
    };
    runs.retain(is_chosen);
    // Sorting is stable, so equals stay newest first.
    match arguments.sort {
        RunsOrder::Started => {}
        RunsOrder::Name => runs.sort_by_cached_key(|run| {
            (run.config.name.is_none(), run.config.name.clone(), run.name.clone())
        }),
        RunsOrder::State => runs.sort_by_key(|run| run.status.name()),
        RunsOrder::Step => runs.sort_by_key(|run| Reverse(run.reached.map(|(_, step)| step))),
        RunsOrder::Best => runs.sort_by(|a, b| {
            let best = |run: &RunEntry| run.best.unwrap_or(-1.0);
            best(b).total_cmp(&best(a))
        }),
        RunsOrder::Size => runs.sort_by_key(|run| Reverse(run.bytes)),
    }
    runs
}

/// A run as a program reads it.
#[derive(Serialize)]
struct Row<'a> {
    run: &'a str,
    name: Option<&'a str>,
    path: String,
    state: &'static str,
    failure: Option<&'a str>,
    /// The step from which on losses or weights are not finite.
    diverged: Option<u64>,
    epoch: u32,
    epochs: u32,
    step: u64,
    best_accuracy: Option<f64>,
    bytes: u64,
    config: &'a RunConfig,
}

impl<'a> Row<'a> {
    fn of(run: &'a RunEntry) -> Self {
        let (epoch, step) = run.reached.unwrap_or((0, 0));
        Self {
            run: &run.name,
            name: run.config.name.as_deref(),
            path: run.path.to_string_lossy().into_owned(),
            state: run.status.name(),
            failure: run.failure.as_deref(),
            diverged: match run.status {
                RunStatus::Diverged(step) => Some(step),
                _ => None,
            },
            epoch,
            epochs: run.config.epochs,
            step,
            best_accuracy: run.best,
            bytes: run.bytes,
            config: &run.config,
        }
    }
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("numbers and texts always have a JSON form") + "\n"
}

/// The settings that are not the defaults, as on the command line without the dashes.
fn settings(config: &RunConfig) -> String {
    let words = config.differences().into_iter().map(|(name, value)| match value.as_str() {
        "" => name,
        value if value.contains(' ') => format!("{name} \"{value}\""),
        value => format!("{name} {value}"),
    });
    words.collect::<Vec<_>>().join(" ")
}

fn epochs(run: &RunEntry) -> String {
    format!("epoch {}/{}", run.reached.map_or(0, |(epoch, _)| epoch), run.config.epochs)
}

fn size(run: &RunEntry) -> String {
    format!("{:.1} MB", run.bytes as f64 / 1e6)
}

fn best(run: &RunEntry) -> String {
    run.best.map_or_else(|| "-".to_owned(), |best| format!("{:.2}%", 100.0 * best))
}

fn table(runs: &[RunEntry], root: &Path) -> String {
    let width = runs.iter().map(|run| run.called().chars().count()).max().unwrap_or(0);
    let width = width.max("run".len());
    let states: Vec<_> = runs.iter().map(RunEntry::describe).collect();
    let state_width = states.iter().map(|state| state.chars().count()).max().unwrap_or(0).max(11);
    let head = ["state", "epoch", "step", "best", "size"];
    let [state, epoch, step, accuracy, bytes] = head;
    let mut text = format!(
        "{:<width$}  {state:<state_width$}  {epoch:>7}  {step:>10}  {accuracy:>7}  {bytes:>9}  settings\n",
        "run"
    );
    for (run, state) in runs.iter().zip(&states) {
        let (epoch, step) = match run.reached {
            Some((epoch, step)) => (epoch, thousands(step)),
            None => (0, "-".to_owned()),
        };
        let epoch = format!("{epoch}/{}", run.config.epochs);
        let line = format!(
            "{:<width$}  {state:<state_width$}  {epoch:>7}  {step:>10}  {:>7}  {:>9}  {}",
            run.called(),
            best(run),
            size(run),
            printable(&settings(&run.config))
        );
        let _ = writeln!(text, "{}", line.trim_end());
    }
    let _ = writeln!(text, "\nin {}", root.shown());
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str, status: RunStatus, step: u64, best: Option<f64>) -> RunEntry {
        let config = RunConfig { seed: step, name: None, ..RunConfig::default() };
        RunEntry {
            name: name.into(),
            path: name.into(),
            status,
            failure: None,
            reached: Some((1, step)),
            config,
            best,
            bytes: 2_000_000 - step,
        }
    }

    fn entries() -> Vec<RunEntry> {
        let mut named = entry("c", RunStatus::Failed, 3, None);
        named.config.name = Some("wide".to_owned());
        vec![
            named,
            entry("b", RunStatus::Done, 12_000, Some(0.97)),
            entry("a", RunStatus::Stopped, 200, Some(0.98)),
        ]
    }

    fn names(sort: RunsOrder, filter: &[&str]) -> String {
        let filter = filter.iter().map(|&text| text.to_owned()).collect();
        let chosen = chosen(entries(), &RunsListArgs { sort, filter, json: false });
        chosen.into_iter().map(|run| run.name).collect()
    }

    #[test]
    fn runs_are_sorted_by_what_was_asked_for() {
        assert_eq!(names(RunsOrder::Started, &[]), "cba");
        assert_eq!(names(RunsOrder::Name, &[]), "cab", "a run with a name comes first");
        assert_eq!(names(RunsOrder::State, &[]), "bca");
        assert_eq!(names(RunsOrder::Step, &[]), "bac");
        assert_eq!(names(RunsOrder::Best, &[]), "abc");
        assert_eq!(names(RunsOrder::Size, &[]), "cab");
    }

    #[test]
    fn a_run_is_listed_if_it_contains_every_text() {
        assert_eq!(names(RunsOrder::Started, &["DONE"]), "b");
        assert_eq!(names(RunsOrder::Started, &["wide"]), "c");
        assert_eq!(names(RunsOrder::Started, &["seed 200", "stop"]), "a");
        assert_eq!(names(RunsOrder::Started, &["seed", "nothing"]), "");
    }

    #[test]
    fn the_table_aligns_and_names_what_is_not_the_default() {
        assert_eq!(
            table(&entries(), Path::new("/r")),
            "\
run   state          epoch        step     best       size  settings
wide  failed          1/10           3        -     2.0 MB  seed 3
b     done            1/10      12,000   97.00%     2.0 MB  seed 12000
a     stopped         1/10         200   98.00%     2.0 MB  seed 200

in /r
"
        );
    }
}
