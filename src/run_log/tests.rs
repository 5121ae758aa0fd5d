use serde_json::{Value, json};

use super::*;
use crate::{
    metrics::Confusion,
    protocol::{
        Break, Breakpoint, Clock, EpochRecord, EvalSet, Evaluation, RateChange, Rewound, RunInfo,
        RunState, Summary,
    },
};

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
        measures: Vec::new(),
    })
}

fn evaluation() -> Evaluation {
    Evaluation {
        set: EvalSet::Test,
        loss: 0.5,
        correct: 3,
        total: 4,
        seconds: 0.25,
        confusion: Confusion::new(10),
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
        train_accuracy: None,
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
        best: None,
        stopped: false,
        saved: Some("w.safetensors".into()),
        diverged: None,
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
fn what_a_person_did_to_the_run_stands_between_the_steps() {
    let change = RateChange { step: 7, learning_rate: 5e-4, branch: true };
    let hit = Break { breakpoint: Breakpoint::Spike(6.0), step: 9, reason: "high".into() };
    let rewound = Rewound {
        step: 7,
        epoch: 1,
        batch: 7,
        images: 350,
        learning_rate: 1e-3,
        clock: Clock::default(),
        tail: vec![0.5; 7],
    };
    let events = [
        Event::Break(hit),
        Event::Rewound(rewound),
        Event::LearningRate(change),
        Event::LearningRate(RateChange { branch: false, ..change }),
    ];
    assert_eq!(
        written(&events),
        "{\"event\":\"break\",\"step\":9,\"breakpoint\":\"spike\",\"reason\":\"high\"}\n\
         {\"event\":\"rewind\",\"step\":7}\n\
         {\"event\":\"branch\",\"step\":7}\n\
         {\"event\":\"learning_rate\",\"step\":7,\"learning_rate\":0.0005}\n\
         {\"event\":\"learning_rate\",\"step\":7,\"learning_rate\":0.0005}\n"
    );
}

#[test]
fn a_failed_run_ends_with_its_reason() {
    let failure = Failure::new("no \"memory\"");
    let started = Event::Started(RunInfo::example());
    let text = written(&[started, Event::State(RunState::Failed), Event::Failed(failure)]);
    let last = text.lines().last();
    assert_eq!(last, Some("{\"event\":\"failed\",\"message\":\"no \\\"memory\\\"\"}"));
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

#[test]
fn an_earlier_log_goes_only_when_the_run_starts() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("run.jsonl");
    let log_of = |events: &[Event]| {
        let (log, sender) = RunLog::create(&path, &RunConfig::default()).expect("it opens");
        for event in events {
            sender.send(event.clone()).expect("the log takes events");
        }
        drop(sender);
        log.finish().expect("there is room");
        std::fs::read_to_string(&path).expect("JSON is UTF-8")
    };
    let failed = Event::Failed(Failure::new("no data"));
    let first = log_of(&[Event::Started(RunInfo::example()), progress(1, 1, &[0.5; 9])]);
    assert_eq!(first.lines().count(), 10);
    assert_eq!(log_of(std::slice::from_ref(&failed)), first);
    assert_eq!(log_of(&[Event::Started(RunInfo::example()), failed]).lines().count(), 2);
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
