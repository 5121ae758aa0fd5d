//! A run as JSON lines in a file.
//!
//! One object a line, told apart by `event`: `run` once the data is read, `step` for every step
//! without gaps, `epoch` after each evaluation, and at the end `done` or `failed`. Numbers that
//! are not finite are `null`.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
    thread::{self, JoinHandle},
};

use crossbeam_channel::{Receiver, Sender, bounded};
use serde::Serialize;

use crate::{
    config::RunConfig,
    metrics::Confusion,
    protocol::{EpochRecord, Event, Failure, Progress, RunInfo, Summary},
};

/// Events that wait for the disk; further ones wait in the worker.
const CAPACITY: usize = 64;

/// The log cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot write the log {}: {reason}", path.display())]
pub struct LogError {
    path: PathBuf,
    reason: String,
}

/// A log being written on a thread of its own.
#[derive(Debug)]
pub struct RunLog {
    thread: JoinHandle<()>,
    error: Arc<OnceLock<LogError>>,
}

impl RunLog {
    /// [`create`](Self::create)s the log that was asked for, if one was, and adds it to the
    /// listeners of the run.
    ///
    /// # Errors
    /// If the file cannot be created.
    pub fn listen(
        path: Option<&Path>,
        config: &RunConfig,
        listeners: &mut Vec<Sender<Event>>,
    ) -> Result<Option<Self>, LogError> {
        let Some(path) = path else { return Ok(None) };
        let (log, sender) = Self::create(path, config)?;
        listeners.push(sender);
        Ok(Some(log))
    }

    /// Creates the file, or empties it, and gives the channel to be passed to
    /// [`spawn`](crate::train::spawn) as a listener.
    ///
    /// # Errors
    /// If the file cannot be created.
    pub fn create(path: &Path, config: &RunConfig) -> Result<(Self, Sender<Event>), LogError> {
        let refuse =
            |error: io::Error| LogError { path: path.to_owned(), reason: describe(&error, path) };
        let mut lines = Lines::new(BufWriter::new(File::create(path).map_err(refuse)?), config);
        let (sender, receiver) = bounded(CAPACITY);
        let error = Arc::new(OnceLock::new());
        let (report, owner) = (Arc::clone(&error), path.to_owned());
        let write = move || {
            // Returning drops the receiver: the worker then forgets this listener and trains on.
            if let Err(error) = lines.write_all(&receiver) {
                let reason = error.to_string();
                report.get_or_init(|| LogError { path: owner, reason });
            }
        };
        let thread = thread::Builder::new().name("log".to_owned()).spawn(write).map_err(refuse)?;
        Ok((Self { thread, error }, sender))
    }

    /// What went wrong so far, if anything; the rest of the run is then missing from the file.
    pub fn failed(&self) -> Option<&LogError> {
        self.error.get()
    }

    /// Waits until everything is written, which is once the run has ended or its senders are gone.
    ///
    /// # Errors
    /// If anything could not be written.
    pub fn finish(self) -> Result<(), LogError> {
        let panicked = self.thread.join().is_err();
        debug_assert!(!panicked, "writing lines does not panic");
        self.error.get().map_or(Ok(()), |error| Err(error.clone()))
    }
}

fn describe(error: &io::Error, path: &Path) -> String {
    match (error.kind(), path.parent()) {
        (io::ErrorKind::NotFound, Some(folder)) => {
            format!("there is no folder {}; make it first", folder.display())
        }
        (io::ErrorKind::IsADirectory, _) => "it is a folder, expected a file name".to_owned(),
        _ => error.to_string(),
    }
}

/// Writes events as lines.
struct Lines<W: Write> {
    out: W,
    config: RunConfig,
    /// Reused, so that a step costs no allocation.
    buffer: Vec<u8>,
}

impl<W: Write> Lines<W> {
    fn new(out: W, config: &RunConfig) -> Self {
        Self { out, config: config.clone(), buffer: Vec::new() }
    }

    fn write_all(&mut self, events: &Receiver<Event>) -> io::Result<()> {
        for event in events {
            self.write(&event)?;
            if matches!(event, Event::Finished(_) | Event::Failed(_)) {
                break;
            }
        }
        self.out.flush()
    }

    fn write(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::Progress(progress) => self.steps(progress),
            // A change of state writes no line, but it may come before a long silence.
            Event::State(_) => self.out.flush(),
            Event::Started(info) => self.line(&RunLine::new(info, &self.config)),
            Event::Epoch(record) => {
                self.line(&EpochLine::new(record))?;
                self.out.flush()
            }
            Event::Finished(summary) => self.line(&DoneLine::new(summary)),
            Event::Failed(Failure { message, .. }) => {
                self.line(&FailedLine { event: "failed", message })
            }
        }
    }

    fn line(&mut self, line: &impl Serialize) -> io::Result<()> {
        self.buffer.clear();
        serde_json::to_writer(&mut self.buffer, line)?;
        self.buffer.push(b'\n');
        self.out.write_all(&self.buffer)
    }

    fn steps(&mut self, progress: &Progress) -> io::Result<()> {
        let mut line = StepLine {
            event: "step",
            step: progress.first_step,
            epoch: progress.epoch,
            batch: progress.first_batch,
            loss: f32::NAN,
        };
        for &loss in &progress.losses {
            line.loss = loss;
            self.line(&line)?;
            line.step += 1;
            line.batch += 1;
        }
        Ok(())
    }
}

#[derive(Serialize)]
struct RunLine<'a> {
    event: &'static str,
    version: &'static str,
    #[serde(flatten)]
    info: &'a RunInfo,
    validation: usize,
    max_steps: Option<u64>,
    init: Option<String>,
    save: Option<String>,
    threads: Option<usize>,
    requested_device: String,
}

impl<'a> RunLine<'a> {
    fn new(info: &'a RunInfo, config: &RunConfig) -> Self {
        let text = |path: &PathBuf| path.display().to_string();
        Self {
            event: "run",
            version: env!("CARGO_PKG_VERSION"),
            info,
            validation: config.validation,
            max_steps: config.max_steps,
            init: config.init.as_ref().map(text),
            save: config.save.as_ref().map(text),
            threads: config.threads,
            requested_device: config.device.to_string(),
        }
    }
}

#[derive(Serialize)]
struct StepLine {
    event: &'static str,
    step: u64,
    epoch: u32,
    batch: u64,
    loss: f32,
}

#[derive(Serialize)]
struct EpochLine<'a> {
    event: &'static str,
    epoch: u32,
    step: u64,
    batches: u64,
    train_loss: f64,
    train_seconds: f64,
    images_per_second: f64,
    eval_set: &'static str,
    eval_loss: f64,
    correct: u64,
    total: u64,
    eval_seconds: f64,
    confusion: &'a Confusion,
}

impl<'a> EpochLine<'a> {
    fn new(record: &'a EpochRecord) -> Self {
        let evaluation = &record.evaluation;
        Self {
            event: "epoch",
            epoch: record.epoch,
            step: record.step,
            batches: record.batches,
            train_loss: record.train_loss,
            train_seconds: record.train_seconds,
            images_per_second: record.images_per_second,
            eval_set: evaluation.set.name(),
            eval_loss: evaluation.loss,
            correct: evaluation.correct,
            total: evaluation.total,
            eval_seconds: evaluation.seconds,
            confusion: &evaluation.confusion,
        }
    }
}

#[derive(Serialize)]
struct DoneLine {
    event: &'static str,
    steps: u64,
    images: u64,
    seconds: f64,
    train_seconds: f64,
    eval_seconds: f64,
    correct: Option<u64>,
    total: Option<u64>,
    test_loss: Option<f64>,
    stopped: bool,
    saved: Option<String>,
}

impl DoneLine {
    fn new(summary: &Summary) -> Self {
        let test = summary.test.as_ref();
        Self {
            event: "done",
            steps: summary.steps,
            images: summary.images,
            seconds: summary.clock.elapsed(),
            train_seconds: summary.clock.training,
            eval_seconds: summary.clock.evaluating,
            correct: test.map(|test| test.correct),
            total: test.map(|test| test.total),
            test_loss: test.map(|test| test.loss),
            stopped: summary.stopped,
            saved: summary.saved.as_ref().map(|path| path.display().to_string()),
        }
    }
}

#[derive(Serialize)]
struct FailedLine<'a> {
    event: &'static str,
    message: &'a str,
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::protocol::{Clock, EvalSet, Evaluation, RunState};

    fn written(events: &[Event]) -> String {
        let config = RunConfig { validation: 5, threads: Some(2), ..RunConfig::default() };
        let mut lines = Lines::new(Vec::new(), &config);
        for event in events {
            lines.write(event).expect("memory takes everything");
        }
        String::from_utf8(lines.out).expect("JSON is UTF-8")
    }

    fn progress(first_step: u64, first_batch: u64, losses: &[f32]) -> Event {
        Event::Progress(Progress {
            epoch: 2,
            first_step,
            first_batch,
            losses: losses.to_vec(),
            images: 100,
            learning_rate: 0.001,
            clock: Clock::default(),
            sample: None,
        })
    }

    fn evaluation() -> Evaluation {
        Evaluation {
            set: EvalSet::Test,
            loss: 0.5,
            correct: 3,
            total: 4,
            seconds: 0.25,
            confusion: Confusion::default(),
        }
    }

    #[test]
    fn steps_are_numbered_without_gaps_and_losses_read_back_exactly() {
        let text = written(&[progress(7, 3, &[2.3127, 0.1]), progress(9, 5, &[1e-12])]);
        assert_eq!(
            text,
            "{\"event\":\"step\",\"step\":7,\"epoch\":2,\"batch\":3,\"loss\":2.3127}\n\
             {\"event\":\"step\",\"step\":8,\"epoch\":2,\"batch\":4,\"loss\":0.1}\n\
             {\"event\":\"step\",\"step\":9,\"epoch\":2,\"batch\":5,\"loss\":1e-12}\n"
        );
    }

    #[test]
    fn a_loss_that_is_not_a_number_is_null() {
        let text = written(&[progress(1, 1, &[f32::NAN, f32::INFINITY])]);
        assert_eq!(text.matches("\"loss\":null").count(), 2, "{text}");
    }

    #[test]
    fn the_first_line_says_what_the_run_is() {
        let text = written(&[Event::Started(RunInfo::example())]);
        assert!(text.starts_with(r#"{"event":"run","version":""#), "{text}");
        let line: Value = serde_json::from_str(&text).expect("one JSON object");
        assert_eq!((&line["total_steps"], &line["validation"]), (&json!(12_000), &json!(5)));
        assert_eq!((&line["device"], &line["save"]), (&json!("CPU, 2 threads"), &Value::Null));
    }

    #[test]
    fn an_epoch_and_the_end_carry_their_evaluation() {
        let clock = Clock { training: 2.0, evaluating: 0.5 };
        let record = EpochRecord {
            epoch: 1,
            step: 3,
            batches: 3,
            train_loss: f64::NAN,
            train_seconds: 2.0,
            images_per_second: 75.0,
            evaluation: evaluation(),
            clock,
        };
        let summary = Summary {
            steps: 3,
            images: 150,
            clock,
            test: Some(evaluation()),
            stopped: false,
            saved: Some("w.safetensors".into()),
        };
        let text = written(&[Event::Epoch(record), Event::Finished(summary)]);
        let lines: Vec<Value> =
            text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        assert_eq!(lines[0]["train_loss"], Value::Null);
        assert_eq!((&lines[0]["correct"], &lines[0]["total"]), (&json!(3), &json!(4)));
        assert_eq!(lines[0]["confusion"].as_array().map(Vec::len), Some(10));
        assert_eq!((&lines[1]["event"], &lines[1]["seconds"]), (&json!("done"), &json!(2.5)));
        assert_eq!((&lines[1]["test_loss"], &lines[1]["stopped"]), (&json!(0.5), &json!(false)));
        assert_eq!(lines[1]["saved"], json!("w.safetensors"));
    }

    #[test]
    fn a_failed_run_ends_with_its_reason() {
        let failure = Failure { usage: false, message: "no \"memory\"".into() };
        let text = written(&[Event::State(RunState::Failed), Event::Failed(failure)]);
        assert_eq!(text, "{\"event\":\"failed\",\"message\":\"no \\\"memory\\\"\"}\n");
    }

    #[test]
    fn a_file_that_cannot_be_made_is_named_with_the_reason() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("missing").join("run.jsonl");
        let error = RunLog::create(&path, &RunConfig::default()).expect_err("no such folder");
        let missing = folder.path().join("missing");
        assert_eq!(
            error.to_string(),
            format!(
                "cannot write the log {}: there is no folder {}; make it first",
                path.display(),
                missing.display()
            )
        );
        let error = RunLog::create(folder.path(), &RunConfig::default()).expect_err("a folder");
        assert!(error.to_string().ends_with("it is a folder, expected a file name"), "{error}");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_reported_and_does_not_hold_up_the_run() {
        let path = Path::new("/dev/full");
        let (log, sender) = RunLog::create(path, &RunConfig::default()).expect("it opens");
        let losses = vec![0.5; 10_000];
        while sender.send(progress(1, 1, &losses)).is_ok() {}
        let error = log.finish().expect_err("nothing fits").to_string();
        assert!(error.starts_with("cannot write the log /dev/full: No space left"), "{error}");
    }
}
