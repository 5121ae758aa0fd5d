//! Files that the first version wrote. tests/fixtures/README.md says how they were made.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use mnist_tui::{
    checkpoint::{load_checkpoint, load_weights},
    config::RunConfig,
    data::DataInfo,
    journal::JournalReader,
    protocol::{Event, NetworkInfo, RunState},
    runs::{RunEntry, RunStatus},
};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn events() -> Vec<Event> {
    let mut reader = JournalReader::open(&fixture("run/journal.jsonl")).expect("it is there");
    std::iter::from_fn(|| reader.next_event().expect("every line is an event")).collect()
}

/// The losses of a run's steps, of which a rewind takes back the last ones.
fn losses(events: &[Event]) -> Vec<f32> {
    let mut losses = Vec::new();
    for event in events {
        match event {
            Event::Progress(progress) => losses.extend(&progress.losses),
            Event::Rewound(rewound) => {
                losses.truncate(rewound.step as usize);
                assert!(losses.ends_with(&rewound.tail), "{rewound:?}");
            }
            _ => {}
        }
    }
    losses
}

#[test]
fn the_journal_has_every_event_of_the_run() {
    let events = events();
    assert_eq!(events.len(), 28);
    let Some(Event::Started(info)) = events.get(1) else { panic!("{:?}", events.get(1)) };
    assert_eq!((info.data.as_str(), info.total_steps, info.checksums), ("builtin", 24, None));
    let losses = losses(&events);
    assert_eq!((losses.len(), losses[0], losses[14]), (15, 2.307_484_1, 2.164_469_2));
    let count = |is: fn(&Event) -> bool| events.iter().filter(|event| is(event)).count();
    assert_eq!(count(|event| matches!(event, Event::Rewound(_))), 3);
    assert_eq!(count(|event| matches!(event, Event::Break(hit) if hit.step == 15)), 2);
    let is_branch = |event: &Event| matches!(event, Event::LearningRate(change) if change.branch && change.learning_rate == 8e-4);
    assert_eq!(count(is_branch), 1);
    assert_eq!(count(|event| *event == Event::State(RunState::Paused)), 2);
    let epoch = events.iter().find_map(|event| match event {
        Event::Epoch(record) => Some(record),
        _ => None,
    });
    let epoch = epoch.expect("one was evaluated");
    assert_eq!((epoch.step, epoch.evaluation.correct, epoch.evaluation.total), (12, 4_972, 10_000));
    assert_eq!(epoch.evaluation.confusion.support(1), 1_135);
    assert_eq!((&info.set, &info.network), (&DataInfo::mnist(), &NetworkInfo::article()));
    assert!(matches!(events.last(), Some(Event::Finished(summary)) if summary.stopped));
}

#[test]
fn confusion_matrices_are_still_written_as_they_were() {
    let lines = fs::read_to_string(fixture("run/journal.jsonl")).expect("it is there");
    let line = lines.lines().find(|line| line.starts_with(r#"{"epoch":"#)).expect("one ended");
    let old: serde_json::Value = serde_json::from_str(line).expect("every line is JSON");
    let epoch = events().into_iter().find(|event| matches!(event, Event::Epoch(_)));
    let new = serde_json::to_value(epoch.expect("one ended")).expect("plain data");
    let matrix = |event: &serde_json::Value| event["epoch"]["evaluation"]["confusion"].clone();
    assert!(matrix(&old).is_array());
    assert_eq!(matrix(&new), matrix(&old));
}

#[test]
fn the_checkpoint_has_the_state_of_the_run() {
    let checkpoint = load_checkpoint(&fixture("run/last.safetensors")).expect("it is whole");
    let expected =
        RunConfig { epochs: 2, batch_size: 5_000, threads: Some(2), ..RunConfig::default() };
    assert_eq!(checkpoint.config, expected);
    let progress = &checkpoint.state.progress;
    assert_eq!(
        (progress.step, progress.epoch, progress.batch, progress.images),
        (15, 2, 3, 75_000)
    );
    assert_eq!(progress.rates, [(0, 1e-3), (12, 8e-4)]);
    assert_eq!(progress.best.expect("one was evaluated").accuracy, 0.497_2);
    assert_eq!(checkpoint.state.losses, losses(&events()));
    assert_eq!(checkpoint.state.weights.len(), 5_142);
    let weights = load_weights(&fixture("run/last.safetensors")).expect("they are there");
    assert_eq!(weights.trained, checkpoint.state.weights);
}

#[test]
fn the_run_can_be_listed_and_trained_further() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let run = folder.path().join("run");
    fs::create_dir(&run).expect("there is room");
    for name in ["config.json", "journal.jsonl", "last.safetensors"] {
        fs::copy(fixture("run").join(name), run.join(name)).expect("there is room");
    }
    let entry = RunEntry::read(&run).expect("a run");
    assert_eq!((entry.status, entry.reached), (RunStatus::Stopped, Some((2, 15))));
    let output = Command::new(env!("CARGO_BIN_EXE_mnist-tui"))
        .args(["--resume", "run", "--epochs", "3", "--headless", "--log", "log.jsonl"])
        .current_dir(folder.path())
        .output()
        .expect("the program starts");
    assert!(output.status.success(), "{output:?}");
    let log = fs::read_to_string(folder.path().join("log.jsonl")).expect("it was written");
    let old = fs::read_to_string(fixture("log.jsonl")).expect("it is there");
    // Up to the checkpoint the log is the old one, apart from what the run is asked for now.
    let steps = |log: &str| {
        let lines = log.lines().map(|line| {
            serde_json::from_str::<serde_json::Value>(line).expect("every line is JSON")
        });
        lines.filter(|line| line["event"] == "step").collect::<Vec<_>>()
    };
    let (old, new) = (steps(&old), steps(&log));
    assert_eq!((old.len(), new.len()), (18, 18 + 21));
    assert_eq!(old, new[..18]);
    let entry = RunEntry::read(&run).expect("a run");
    assert_eq!((entry.status, entry.reached), (RunStatus::Done, Some((3, 36))));
}

#[test]
fn the_weights_give_what_they_gave() {
    let output = Command::new(env!("CARGO_BIN_EXE_mnist-tui"))
        .args(["eval", "--json", "--weights"])
        .arg(fixture("weights.safetensors"))
        .output()
        .expect("the program starts");
    assert!(output.status.success(), "{output:?}");
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let correct = answer["correct"].as_u64().expect("a count");
    // Other vectors round otherwise, which may tip an image that lies between two digits.
    assert!(correct.abs_diff(6_821) <= 3, "{correct}");
}
