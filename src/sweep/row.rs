//! The result of a run, as a line of `results.csv` and of `results.jsonl`.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::protocol::EvalSet;

/// How a run of a sweep did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Seed of the run.
    pub seed: u64,
    /// Epochs that were evaluated.
    pub epochs: u32,
    /// Steps trained.
    pub steps: u64,
    /// Images recognised; `None` for a run that diverged.
    pub correct: Option<u64>,
    /// Images of the evaluation.
    pub total: Option<u64>,
    /// Share of images recognised, in 0..=1.
    pub accuracy: Option<f64>,
    /// Mean cross-entropy.
    pub loss: Option<f64>,
    /// Time spent on batches.
    pub train_seconds: f64,
    /// The run's folder.
    pub run: String,
    /// The images that it was evaluated on.
    pub set: EvalSet,
    /// Whether losses or weights were not finite.
    pub state: State,
}

/// How a run of a sweep ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// All its steps were trained.
    Done,
    /// Losses or weights were not finite.
    Diverged,
}

/// Columns after those of the settings.
const COLUMNS: [&str; 11] = [
    "seed",
    "epochs",
    "steps",
    "correct",
    "total",
    "accuracy",
    "loss",
    "train_seconds",
    "run",
    "set",
    "state",
];

/// The heading of `results.csv`.
pub(super) fn heading(settings: &[String]) -> Vec<u8> {
    let settings: Vec<String> = settings.iter().map(|key| column(key)).collect();
    line(settings.iter().map(String::as_str).chain(COLUMNS))
}

/// The column of a setting. Epochs and steps of a run may be fewer than those that it is set to.
fn column(key: &str) -> String {
    if COLUMNS.contains(&key) { format!("max-{key}") } else { key.to_owned() }
}

impl Row {
    /// The run's line of `results.csv`.
    pub(super) fn csv(&self, values: &[String]) -> Vec<u8> {
        fn text(number: Option<impl ToString>) -> String {
            number.map_or_else(String::new, |number| number.to_string())
        }
        let state = match self.state {
            State::Done => "done",
            State::Diverged => "diverged",
        };
        let own = [
            self.seed.to_string(),
            self.epochs.to_string(),
            self.steps.to_string(),
            text(self.correct),
            text(self.total),
            text(self.accuracy),
            text(self.loss),
            format!("{:.3}", self.train_seconds),
            self.run.clone(),
            self.set.name().to_owned(),
            state.to_owned(),
        ];
        line(values.iter().chain(&own).map(String::as_str))
    }

    /// The run's line of `results.jsonl`: the settings first, numbers where the values are numbers.
    pub(super) fn json(&self, settings: &[String], values: &[String]) -> Vec<u8> {
        let value = |text: &String| match serde_json::from_str(text) {
            Ok(number @ Value::Number(_)) => number,
            _ => Value::String(text.clone()),
        };
        let settings = settings.iter().zip(values);
        let settings =
            settings.map(|(key, text)| format!("{}:{},", Value::from(column(key)), value(text)));
        let own = serde_json::to_string(self).expect("numbers and text have a JSON form");
        let line = format!("{{{}{}\n", settings.collect::<String>(), own.trim_start_matches('{'));
        line.into_bytes()
    }

    /// Reads a line of `results.jsonl`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }
}

/// A line of a CSV file.
fn line<'a>(cells: impl Iterator<Item = &'a str>) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(cells).expect("memory takes all that is written");
    writer.into_inner().expect("memory takes all that is written")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_a_line_of_each_file_and_reads_back() {
        let row = Row {
            seed: 0,
            epochs: 1,
            steps: 30,
            correct: Some(98),
            total: Some(100),
            accuracy: Some(0.98),
            loss: Some(0.0625),
            train_seconds: 3.0,
            run: "0002".to_owned(),
            set: EvalSet::Test,
            state: State::Done,
        };
        let keys = ["lr", "model"].map(str::to_owned);
        let values = ["1e-3", "a, \"b\""].map(str::to_owned);
        let text = |bytes| String::from_utf8(bytes).expect("text");
        assert_eq!(
            text(heading(&keys)),
            "lr,model,seed,epochs,steps,correct,total,accuracy,loss,train_seconds,run,set,state\n"
        );
        assert_eq!(
            text(row.csv(&values)),
            "1e-3,\"a, \"\"b\"\"\",0,1,30,98,100,0.98,0.0625,3.000,0002,test,done\n"
        );
        let json = text(row.json(&keys, &values));
        assert_eq!(
            json,
            "{\"lr\":0.001,\"model\":\"a, \\\"b\\\"\",\"seed\":0,\"epochs\":1,\"steps\":30,\
             \"correct\":98,\"total\":100,\"accuracy\":0.98,\"loss\":0.0625,\"train_seconds\":3.0,\
             \"run\":\"0002\",\"set\":\"test\",\"state\":\"done\"}\n"
        );
        assert_eq!(Row::parse(&json), Ok(row.clone()));
        let keys = ["epochs".to_owned()];
        let json = text(row.json(&keys, &["7".to_owned()]));
        assert!(json.starts_with("{\"max-epochs\":7,\"seed\":0,\"epochs\":1,"), "{json}");
        assert!(text(heading(&keys)).starts_with("max-epochs,seed,epochs,"));
    }
}
