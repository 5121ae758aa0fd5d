//! Tables of figures and of settings.

use super::{Comparison, StoredRun};
use crate::{
    printable::{printable, thousands},
    protocol::Evaluation,
};

/// A table with a row for each run. Its columns are in order of importance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figures {
    /// Headings.
    pub head: Vec<&'static str>,
    /// Cells, as many as headings.
    pub rows: Vec<Vec<String>>,
}

/// A setting that not all runs share.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Setting {
    /// The option.
    pub option: String,
    /// Its value in each run; `None` where it does not apply.
    pub values: Vec<Option<String>>,
}

impl Setting {
    /// Each value with the letters of its runs: `A C` and `0.001`.
    pub fn groups(&self) -> Vec<(String, &str)> {
        let mut groups: Vec<(String, &str)> = Vec::new();
        for (run, value) in self.values.iter().enumerate() {
            let (letter, value) = (Comparison::letter(run), value.as_deref().unwrap_or("–"));
            match groups.iter_mut().find(|(_, other)| *other == value) {
                Some((letters, _)) => letters.extend([' ', letter]),
                None => groups.push((letter.to_string(), value)),
            }
        }
        groups
    }
}

/// The settings that differ, in the order of the command line's help.
pub(super) fn settings(runs: &[StoredRun]) -> Vec<Setting> {
    let all: Vec<Vec<(String, String)>> = runs.iter().map(|run| run.config.settings()).collect();
    let mut options: Vec<&String> = Vec::new();
    for (option, _) in all.iter().flatten() {
        if !options.contains(&option) {
            options.push(option);
        }
    }
    let setting = |option: &String| {
        let value = |settings: &Vec<(String, String)>| {
            let found = settings.iter().find(|(name, _)| name == option);
            found.map(|(_, value)| printable(value))
        };
        Setting { option: option.clone(), values: all.iter().map(value).collect() }
    };
    let differs = |setting: &Setting| setting.values.iter().any(|one| *one != setting.values[0]);
    options.into_iter().map(setting).filter(differs).collect()
}

pub(super) fn figures(runs: &[StoredRun]) -> Figures {
    let mut head =
        vec!["last", "loss", "set", "best", "epoch", "steps", "time", "state", "train loss"];
    let has_test = runs.iter().any(|run| run.test.is_some());
    if has_test {
        // Of runs with validation images these are the figures to quote. The best epoch on test images is none:
        // it was chosen on them.
        head.insert(0, "test");
    }
    head.push("parameters");
    let row = |run: &StoredRun| {
        let best = run.best.as_ref();
        let last = run.last.as_ref();
        let known = |text: Option<String>| text.unwrap_or_else(|| "–".to_owned());
        let accuracy = |evaluation: &Evaluation| format!("{:.2} %", 100.0 * evaluation.accuracy());
        let mut cells = vec![
            known(last.map(|last| accuracy(&last.evaluation))),
            known(last.map(|last| format!("{:.4}", last.evaluation.loss))),
            run.evaluated_on().name().to_owned(),
            known(best.map(|best| accuracy(&best.evaluation))),
            known(best.map(|best| best.epoch.to_string())),
            thousands(run.steps),
            seconds(run.clock.training),
            run.state.clone().into_owned(),
            known(
                last.filter(|last| last.batches > 0).map(|last| format!("{:.4}", last.train_loss)),
            ),
        ];
        if has_test {
            cells.insert(0, known(run.test.as_ref().map(accuracy)));
        }
        let parameters = run.info.as_ref().map(|info| thousands(info.parameters));
        cells.push(known(parameters));
        cells
    };
    Figures { head, rows: runs.iter().map(row).collect() }
}

/// Seconds, with a tenth where there are few.
fn seconds(seconds: f64) -> String {
    if seconds < 100.0 { format!("{seconds:.1} s") } else { format!("{seconds:.0} s") }
}
