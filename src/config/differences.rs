//! Which settings of a run are not the defaults.

use serde_json::Value;

use super::RunConfig;

/// Fields that change neither what is trained nor how it is measured.
const MACHINE: [&str; 6] = ["threads", "device", "save", "keep_runs", "break_on_nan", "name"];

impl RunConfig {
    /// The settings that determine a run's result and differ from the defaults, as options of the
    /// command line: `("lr", "0.01")`, or `("no-shuffle", "")`.
    pub fn differences(&self) -> Vec<(String, String)> {
        let object = |config: &Self| match serde_json::to_value(config) {
            Ok(Value::Object(fields)) => fields,
            _ => unreachable!("a configuration has a JSON form"),
        };
        let defaults = object(&Self::default());
        let changed = object(self).into_iter().filter(|(field, value)| {
            !MACHINE.contains(&field.as_str()) && defaults.get(field) != Some(value)
        });
        changed.flat_map(|(field, value)| options(&field, &value)).collect()
    }
}

/// Options that change neither what is trained nor how it is measured, as a file has them.
const MACHINE_OPTIONS: [&str; 6] =
    ["save", "name", "keep-runs", "threads", "device", "no-break-on-nan"];

impl RunConfig {
    /// The options that determine a run's result, defaults included, with values as the command line has
    /// them, in the order of its help.
    pub fn settings(&self) -> Vec<(String, String)> {
        let text = self.to_toml();
        let entries = text.lines().filter_map(|line| {
            let (option, _) = line.split_once(" = ")?;
            let mut table: toml::Table = line.parse().ok()?;
            let value = words(&table.remove(option)?);
            Some((option.to_owned(), value))
        });
        entries.filter(|(option, _)| !MACHINE_OPTIONS.contains(&option.as_str())).collect()
    }
}

/// A value of a file as the command line has it.
fn words(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => text.clone(),
        toml::Value::Boolean(true) => "yes".to_owned(),
        toml::Value::Boolean(false) => "no".to_owned(),
        toml::Value::Float(number) => number.to_string(),
        toml::Value::Array(values) => values.iter().map(words).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

/// A field as options and their values. One with fields of its own is an option for its name, and one for
/// each other.
fn options(field: &str, value: &Value) -> Vec<(String, String)> {
    let name = match (field, value) {
        ("shuffle", Value::Bool(false)) => return vec![("no-shuffle".to_owned(), String::new())],
        ("learning_rate", _) => "lr".to_owned(),
        ("max_steps", _) => "steps".to_owned(),
        // They say nothing that other options do not say.
        ("balanced_validation" | "steps", _) | (_, Value::Null) => return Vec::new(),
        ("final_rate", _) => "final-lr".to_owned(),
        _ => field.replace('_', "-"),
    };
    match value {
        Value::Object(fields) => {
            let parts = fields.iter().flat_map(|(part, value)| {
                options(if matches!(part.as_str(), "name" | "kind") { field } else { part }, value)
            });
            parts.collect()
        }
        Value::Array(values) => {
            let values: Vec<String> = values.iter().map(Value::to_string).collect();
            vec![(name, values.join(","))]
        }
        Value::String(text) => vec![(name, text.clone())],
        other => vec![(name, other.to_string())],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{OptimizerSpec, ScheduleSpec, Shape};

    #[test]
    fn the_default_run_has_no_differences() {
        assert_eq!(RunConfig::default().differences(), []);
        let machine = RunConfig { threads: Some(1), keep_runs: Some(3), ..RunConfig::default() };
        assert_eq!(machine.differences(), []);
    }

    #[test]
    fn differences_read_like_options() {
        let config = RunConfig {
            learning_rate: 0.01,
            shuffle: false,
            max_steps: Some(7),
            model: "flatten, linear".parse().expect("a network"),
            ..RunConfig::default()
        };
        let mut found = config.differences();
        found.sort();
        let expected =
            [("lr", "0.01"), ("model", "flatten, linear"), ("no-shuffle", ""), ("steps", "7")];
        assert_eq!(found, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }

    #[test]
    fn a_schedule_is_named_with_what_was_asked_for() {
        let schedule =
            ScheduleSpec { shape: Shape::Cosine, steps: Some(9), ..ScheduleSpec::default() };
        let config = RunConfig { schedule, balanced_validation: true, ..RunConfig::default() };
        let mut found = config.differences();
        found.sort();
        let expected = [("schedule", "cosine"), ("warmup", "0")];
        assert_eq!(found, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }

    #[test]
    fn an_optimizer_is_named_with_its_constants() {
        let optimizer = OptimizerSpec::AdamW { betas: [0.8, 0.95], weight_decay: 0.01 };
        let config = RunConfig { optimizer, ..RunConfig::default() };
        let text = |(name, value): (String, String)| format!("{name} {value}");
        let mut found: Vec<_> = config.differences().into_iter().map(text).collect();
        found.sort();
        assert_eq!(found, ["betas 0.8,0.95", "optimizer adamw", "weight-decay 0.01"]);
    }
}
