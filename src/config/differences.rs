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
        changed.map(|(field, value)| option(&field, &value)).collect()
    }
}

/// A field as an option and its value.
fn option(field: &str, value: &Value) -> (String, String) {
    let name = match (field, value) {
        ("shuffle", Value::Bool(false)) => return ("no-shuffle".to_owned(), String::new()),
        ("learning_rate", _) => "lr".to_owned(),
        ("max_steps", _) => "steps".to_owned(),
        ("optimiser", _) => "optimizer".to_owned(),
        _ => field.replace('_', "-"),
    };
    let value = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    (name, value)
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
