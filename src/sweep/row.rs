//! The result of a run, as a line of `results.csv` and of `results.jsonl`.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::plan::Plan;
use crate::protocol::{EpochRecord, EvalSet, Evaluation, Event, Failure, Summary};

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

/// What a run's events amount to.
#[derive(Clone, Debug, Default)]
pub struct Follower {
    set: EvalSet,
    epochs: u32,
    seconds: f64,
    /// The evaluation that counts: on validation images the best, on test images the last.
    evaluation: Option<Measured>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Measured {
    correct: u64,
    total: u64,
    loss: f64,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq)]
pub enum End {
    /// It has a result.
    Row(Row),
    /// It was stopped before its last step.
    Stopped,
    /// It failed.
    Failed(String),
    /// Another program trains it.
    Busy,
}

impl Follower {
    /// Takes an event into account; gives how the run ended with the last one.
    pub fn update(&mut self, event: &Event, plan: &Plan, index: usize) -> Option<End> {
        match event {
            Event::Started(info) => self.set = info.eval_set,
            Event::Epoch(EpochRecord { epoch, evaluation, clock, .. }) => {
                self.epochs = *epoch;
                self.seconds = clock.training;
                self.measured(evaluation);
            }
            Event::Finished(summary) if summary.stopped => return Some(End::Stopped),
            Event::Finished(Summary { diverged: Some(_), steps, clock, .. }) => {
                self.seconds = clock.training;
                return Some(self.end(*steps, State::Diverged, plan, index));
            }
            Event::Finished(Summary { steps, test, clock, .. }) => {
                self.seconds = clock.training;
                if let Some(test) = test.as_ref().filter(|test| test.set == self.set) {
                    self.measured(test);
                }
                return Some(self.end(*steps, State::Done, plan, index));
            }
            Event::Failed(Failure { diverged: Some(step), .. }) => {
                return Some(self.end(*step, State::Diverged, plan, index));
            }
            Event::Failed(failure) => return Some(End::Failed(failure.message.clone())),
            Event::Progress(progress) => self.seconds = progress.clock.training,
            _ => {}
        }
        None
    }

    fn measured(&mut self, evaluation: &Evaluation) {
        let Evaluation { set, correct, total, loss, .. } = *evaluation;
        let is_better = self.evaluation.is_none_or(|best| correct > best.correct);
        if set == self.set && (set == EvalSet::Test || is_better && !loss.is_nan()) {
            self.evaluation = Some(Measured { correct, total, loss });
        }
    }

    fn end(&self, steps: u64, state: State, plan: &Plan, index: usize) -> End {
        let Some((_, seed)) = plan.place(index) else {
            return End::Failed("the run is not planned".to_owned());
        };
        let measured = self.evaluation.filter(|_| state == State::Done);
        End::Row(Row {
            seed,
            epochs: self.epochs,
            steps,
            correct: measured.map(|one| one.correct),
            total: measured.map(|one| one.total),
            accuracy: measured.map(|one| one.correct as f64 / one.total.max(1) as f64),
            loss: measured.map(|one| one.loss).filter(|loss| loss.is_finite()),
            train_seconds: (self.seconds * 1e3).round() / 1e3,
            run: plan.name(index),
            set: self.set,
            state,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        metrics::Confusion,
        protocol::{Clock, RunInfo},
        sweep::plan::tests::plan_of,
    };

    fn evaluation(set: EvalSet, correct: u64, loss: f64) -> Evaluation {
        Evaluation { set, loss, correct, total: 100, seconds: 0.1, confusion: Confusion::new(10) }
    }

    fn epoch(epoch: u32, evaluation: Evaluation) -> Event {
        Event::Epoch(EpochRecord {
            epoch,
            step: 10 * u64::from(epoch),
            batches: 10,
            train_loss: 0.5,
            train_accuracy: None,
            train_seconds: 1.0,
            images_per_second: 1.0,
            evaluation,
            clock: Clock { training: f64::from(epoch), evaluating: 0.0 },
        })
    }

    fn finished(test: Option<Evaluation>, diverged: Option<u64>) -> Event {
        Event::Finished(Summary {
            steps: 30,
            images: 300,
            clock: Clock { training: 3.000_49, evaluating: 1.0 },
            test,
            best: None,
            stopped: false,
            saved: None,
            diverged,
        })
    }

    fn end(set: EvalSet, events: &[Event]) -> End {
        let plan = plan_of(&[("lr", "0.1,1e-3")], 2);
        let mut follower = Follower::default();
        let started = Event::Started(RunInfo { eval_set: set, ..RunInfo::example() });
        assert_eq!(follower.update(&started, &plan, 1), None);
        let ends: Vec<End> =
            events.iter().filter_map(|event| follower.update(event, &plan, 1)).collect();
        <[End; 1]>::try_from(ends).expect("one end")[0].clone()
    }

    fn row(set: EvalSet, events: &[Event]) -> Row {
        match end(set, events) {
            End::Row(row) => row,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn on_test_images_the_last_evaluation_counts() {
        let of = |correct, loss| evaluation(EvalSet::Test, correct, loss);
        let events =
            [epoch(1, of(90, 0.3)), epoch(2, of(80, 0.4)), finished(Some(of(80, 0.4)), None)];
        let row = row(EvalSet::Test, &events);
        assert_eq!((row.correct, row.accuracy, row.loss), (Some(80), Some(0.8), Some(0.4)));
        assert_eq!((row.epochs, row.steps, row.train_seconds), (2, 30, 3.0));
    }

    #[test]
    fn on_validation_images_the_best_counts_and_test_images_do_not() {
        let of = |correct, loss| evaluation(EvalSet::Validation, correct, loss);
        let events = [
            epoch(1, of(80, 0.4)),
            epoch(2, of(90, 0.3)),
            epoch(3, of(85, 0.2)),
            finished(Some(evaluation(EvalSet::Test, 99, 0.1)), None),
        ];
        let row = row(EvalSet::Validation, &events);
        assert_eq!((row.correct, row.loss, row.set), (Some(90), Some(0.3), EvalSet::Validation));
    }

    #[test]
    fn a_run_that_diverged_has_a_row_without_figures_and_one_that_was_stopped_has_none() {
        let of = |correct, loss| evaluation(EvalSet::Test, correct, loss);
        let failure = Failure { diverged: Some(17), ..Failure::new("not finite") };
        for last in [finished(Some(of(9, f64::NAN)), Some(4)), Event::Failed(failure)] {
            let row = row(EvalSet::Test, &[epoch(1, of(9, f64::NAN)), last]);
            assert_eq!((row.state, row.correct, row.loss), (State::Diverged, None, None));
            assert!(String::from_utf8(row.csv(&[])).expect("text").contains(",,,,,"));
        }
        let Event::Finished(summary) = finished(None, None) else { unreachable!() };
        let stopped = Event::Finished(Summary { stopped: true, ..summary });
        assert_eq!(end(EvalSet::Test, &[stopped]), End::Stopped);
        let failed = Event::Failed(Failure::new("no room"));
        assert_eq!(end(EvalSet::Test, &[failed]), End::Failed("no room".to_owned()));
    }

    #[test]
    fn a_row_is_a_line_of_each_file_and_reads_back() {
        let of = evaluation(EvalSet::Test, 98, 0.0625);
        let row = row(EvalSet::Test, &[epoch(1, of.clone()), finished(Some(of), None)]);
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
