//! Which settings of a run are not the defaults.

use super::RunConfig;

/// Options that change neither what is trained nor how it is measured.
const MACHINE: [&str; 6] = ["save", "name", "keep-runs", "threads", "device", "no-break-on-nan"];

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
        entries.filter(|(option, _)| !MACHINE.contains(&option.as_str())).collect()
    }

    /// Those of the [`settings`](Self::settings) that differ from the defaults: `("lr", "0.01")`, or
    /// `("no-shuffle", "")` for a switch.
    pub fn differences(&self) -> Vec<(String, String)> {
        let defaults = Self::default().settings();
        let is_own = |setting: &(String, String)| setting.1 != NO && !defaults.contains(setting);
        let own = self.settings().into_iter().filter(is_own);
        own.map(|(option, value)| (option, if value == YES { String::new() } else { value }))
            .collect()
    }
}

const YES: &str = "yes";
const NO: &str = "no";

/// A value of a file as the command line has it.
fn words(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => text.clone(),
        toml::Value::Boolean(true) => YES.to_owned(),
        toml::Value::Boolean(false) => NO.to_owned(),
        toml::Value::Float(number) => number.to_string(),
        toml::Value::Array(values) => values.iter().map(words).collect::<Vec<_>>().join(","),
        other => other.to_string(),
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
        let expected = [("schedule", "cosine")];
        assert_eq!(found, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }

    #[test]
    fn an_image_size_and_a_warm_up_read_as_they_are_asked_for() {
        let schedule =
            ScheduleSpec { shape: Shape::OneCycle, warmup: 7, ..ScheduleSpec::default() };
        let config =
            RunConfig { schedule, image_size: "20x28".parse().ok(), ..RunConfig::default() };
        let expected = [("image-size", "20x28"), ("schedule", "one-cycle"), ("warmup", "7")];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(config.differences(), expected);
        let own_warmup = ScheduleSpec { warmup: 0, ..schedule };
        let settings = RunConfig { schedule: own_warmup, ..config }.settings();
        assert!(settings.iter().all(|(option, _)| option != "warmup"), "it is 30 % of the steps");
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
