//! Runs over the real thread and channels, on a small set.

use std::{path::Path, time::Duration};

use crossbeam_channel::{Receiver, bounded};
use mnist_tui::{
    config::{DataSource, RunConfig},
    protocol::{
        Breakpoint, Command, EpochRecord, EvalSet, Event, Failure, Progress, RateChange, RunState,
        Summary,
    },
    run_log::RunLog,
    train::{Tools, Worker, spawn, spawn_with_tools},
};
use tempfile::TempDir;

#[path = "common/idx.rs"]
mod idx;

const DEADLINE: Duration = Duration::from_secs(60);
/// 200 training images: 40 steps an epoch, the last of them whole.
const TRAIN: usize = 200;
const STEPS: u64 = 40;

fn small_set() -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    idx::write_set(folder.path(), TRAIN, 30);
    folder
}

fn config(folder: &Path) -> RunConfig {
    RunConfig {
        data: DataSource::Path(folder.to_owned()),
        epochs: 2,
        batch_size: 5,
        threads: Some(2),
        ..RunConfig::default()
    }
}

/// A run that does not end by itself within a test.
fn endless(folder: &Path) -> RunConfig {
    RunConfig { epochs: 1_000_000, ..config(folder) }
}

/// A listener that keeps account of what it hears and checks that no step is missing.
struct Ear {
    events: Receiver<Event>,
    losses: Vec<f32>,
    epochs: Vec<EpochRecord>,
    last: Option<Progress>,
}

impl Ear {
    fn start(config: RunConfig) -> (Worker, Self) {
        let (sender, events) = bounded(1024);
        (spawn(config, vec![sender]), Self::on(events))
    }

    fn on(events: Receiver<Event>) -> Self {
        Self { events, losses: Vec::new(), epochs: Vec::new(), last: None }
    }

    fn next(&mut self) -> Event {
        let event = self.events.recv_timeout(DEADLINE).expect("an event comes in time");
        match &event {
            Event::Progress(progress) => {
                assert_eq!(progress.first_step, self.steps() + 1, "no gap and no repeat");
                let epoch = self.steps() / STEPS;
                if !progress.losses.is_empty() {
                    assert_eq!(u64::from(progress.epoch), epoch + 1);
                    assert_eq!(progress.first_batch, self.steps() % STEPS + 1);
                    assert!(progress.last_batch() <= STEPS, "one epoch only");
                }
                self.losses.extend(&progress.losses);
                assert_eq!(progress.images, self.steps() * 5);
                self.last = Some(progress.clone());
            }
            Event::Epoch(record) => self.epochs.push(record.clone()),
            Event::Failed(Failure { message, .. }) => eprintln!("{message}"),
            _ => {}
        }
        event
    }

    fn steps(&self) -> u64 {
        self.losses.len() as u64
    }

    fn until(&mut self, wanted: impl Fn(&Event) -> bool) -> Event {
        loop {
            let event = self.next();
            if wanted(&event) {
                return event;
            }
            let ended = matches!(event, Event::Finished(_) | Event::Failed(_));
            assert!(!ended, "the run ended early: {event:?}");
        }
    }

    fn until_state(&mut self, state: RunState) {
        self.until(|event| *event == Event::State(state));
    }

    fn until_training(&mut self) {
        self.until(|event| matches!(event, Event::Progress(_)));
    }

    fn until_finished(&mut self) -> Summary {
        match self.until(|event| matches!(event, Event::Finished(_))) {
            Event::Finished(summary) => summary,
            _ => unreachable!(),
        }
    }

    fn until_failed(&mut self) -> Failure {
        match self.until(|event| matches!(event, Event::Failed(_))) {
            Event::Failed(failure) => failure,
            _ => unreachable!(),
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn the_figures_of_the_machine_come_with_their_steps_and_change_no_bit() {
    let folder = small_set();
    let (sender, events) = bounded(1024);
    let tools = Tools { reports_hardware: true, recorded: true, ..Tools::unattended() };
    let worker = spawn_with_tools(endless(folder.path()), tools, vec![sender]);
    let mut with = Ear::on(events);
    let Event::Hardware(found) = with.until(|event| matches!(event, Event::Hardware(_))) else {
        unreachable!()
    };
    assert!(found.reading.cpu.resident.is_some_and(|bytes| bytes > 1 << 20), "{found:?}");
    // What is not handed over yet may be of steps before those of the event.
    assert!(found.step >= with.steps(), "{} steps", with.steps());
    with.until(|event| matches!(event, Event::Epoch(record) if record.epoch >= 2));
    worker.send(Command::Stop);
    worker.join();
    let (worker, mut without) = Ear::start(config(folder.path()));
    without.until_finished();
    worker.join();
    assert_eq!(with.losses[..80], without.losses);
}

#[test]
fn a_whole_run_reports_every_step_and_epoch_and_learns() {
    let folder = small_set();
    let (worker, mut ear) = Ear::start(RunConfig { epochs: 3, ..config(folder.path()) });
    let Event::Started(info) = ear.until(|event| matches!(event, Event::Started(_))) else {
        unreachable!()
    };
    assert_eq!((info.train_images, info.test_images, info.total_steps), (200, 30, 120));
    assert_eq!((info.parameters, info.device.as_str()), (5_142, "CPU, 2 threads"));
    let summary = ear.until_finished();
    worker.join();
    assert_eq!((ear.steps(), ear.epochs.len()), (120, 3));
    assert_eq!((summary.steps, summary.images, summary.stopped), (120, 600, false));
    let last = ear.epochs.last().expect("three epochs");
    assert_eq!(summary.test.as_ref(), Some(&last.evaluation));
    assert_eq!((last.evaluation.total, last.batches, last.step), (30, 40, 120));
    assert!(last.evaluation.correct > 20, "{last:?}");
    let mean = ear.losses[80..].iter().copied().map(f64::from).sum::<f64>() / 40.0;
    assert!((last.train_loss - mean).abs() < 1e-9, "{} {mean}", last.train_loss);
    assert!(ear.losses[0] > 2.0 && mean < 0.5, "{mean}");
}

#[test]
fn pause_stops_before_the_next_batch_and_a_step_is_exactly_one() {
    let folder = small_set();
    let (worker, mut ear) = Ear::start(endless(folder.path()));
    ear.until_training();
    worker.send(Command::Pause);
    ear.until_state(RunState::Paused);
    for (steps, presses) in [(1, 1), (10, 1), (1, 3)] {
        let before = ear.steps();
        for _ in 0..presses {
            worker.send(Command::Step(steps));
        }
        // Steps that were pressed together may be done with pauses between them.
        while ear.steps() < before + steps * presses {
            ear.next();
        }
        ear.until_state(RunState::Paused);
        assert_eq!(ear.steps(), before + steps * presses);
        let sample = ear.last.as_ref().and_then(|last| last.sample.as_ref()).expect("digits");
        assert_eq!((sample.step, sample.digits.len()), (ear.steps(), 5));
    }
    // Had a batch been trained while paused, this step would not follow the last one heard of.
    worker.send(Command::Step(1));
    ear.until_training();
    worker.send(Command::Stop);
    ear.until_finished();
}

#[test]
fn a_pause_shows_the_last_batch() {
    let folder = small_set();
    let (worker, mut ear) = Ear::start(endless(folder.path()));
    ear.until_training();
    worker.send(Command::Pause);
    ear.until_state(RunState::Paused);
    let last = ear.last.as_ref().expect("batches were trained");
    let sample = last.sample.as_ref().expect("digits");
    assert_eq!(sample.step, ear.steps());
    let sum: usize = sample.digits.iter().map(|digit| digit.pixels.len()).sum();
    assert_eq!(sum, 5 * 784);
    assert!(sample.digits.iter().all(|digit| (0.1..=1.0).contains(&digit.probability)));
    worker.send(Command::Stop);
    assert!(ear.until_finished().stopped);
}

#[test]
fn a_step_while_training_finishes_the_batch_and_pauses() {
    let folder = small_set();
    let (worker, mut ear) = Ear::start(endless(folder.path()));
    ear.until_training();
    worker.send(Command::Step(1));
    ear.until_state(RunState::Paused);
    worker.send(Command::Resume);
    ear.until_state(RunState::Training);
    worker.send(Command::Stop);
    assert!(ear.until_finished().stopped);
}

#[test]
fn finishing_the_epoch_evaluates_and_pauses() {
    let folder = small_set();
    let (worker, mut ear) = Ear::start(endless(folder.path()));
    worker.send(Command::Pause);
    ear.until_state(RunState::Paused);
    for _ in 0..2 {
        let (steps, epochs) = (ear.steps(), ear.epochs.len());
        worker.send(Command::FinishEpoch);
        ear.until_state(RunState::Evaluating);
        ear.until_state(RunState::Paused);
        assert_eq!(ear.steps(), (steps / STEPS + 1) * STEPS);
        assert_eq!(ear.epochs.len(), epochs + 1);
    }
    worker.send(Command::Stop);
    let summary = ear.until_finished();
    assert!(summary.stopped);
    assert_eq!(summary.test.as_ref(), ear.epochs.last().map(|record| &record.evaluation));
}

#[test]
fn a_listener_that_does_not_read_slows_nothing_and_misses_nothing() {
    let folder = small_set();
    let (stalled, unread) = bounded(1);
    let (sender, events) = bounded(1024);
    let worker = spawn(config(folder.path()), vec![stalled, sender]);
    let mut ear = Ear::on(events);
    let summary = ear.until_finished();
    let mut late = Ear::on(unread);
    assert_eq!(late.until_finished(), summary);
    assert_eq!((late.losses, late.epochs), (ear.losses, ear.epochs));
    worker.join();
}

#[test]
fn a_listener_that_is_gone_does_not_disturb_the_run() {
    let folder = small_set();
    let (gone, receiver) = bounded(1);
    drop(receiver);
    let (sender, events) = bounded(1024);
    let _worker = spawn(config(folder.path()), vec![gone, sender]);
    assert_eq!(Ear::on(events).until_finished().steps, 2 * STEPS);
}

#[test]
fn the_same_seed_gives_the_same_weights_on_any_number_of_threads_and_after_pauses() {
    let folder = small_set();
    let weights = |name: &str, threads, seed, pauses| {
        let path = folder.path().join(name);
        let save = Some(path.clone());
        let run = RunConfig {
            threads: Some(threads),
            seed,
            save,
            batch_size: 50,
            ..config(folder.path())
        };
        let (sender, events) = bounded(1024);
        let breakpoints = if pauses > 0 { vec![Breakpoint::Step(2)] } else { Vec::new() };
        let tools = Tools { breakpoints, ..Tools::unattended() };
        let worker = spawn_with_tools(run, tools, vec![sender]);
        let until = |wanted: Event| {
            while events.recv_timeout(DEADLINE).expect("an event comes in time") != wanted {}
        };
        for pause in 0..pauses {
            if pause > 0 {
                worker.send(Command::Step(1));
            }
            until(Event::State(RunState::Paused));
        }
        worker.send(Command::Resume);
        until(Event::State(RunState::Done));
        worker.join();
        std::fs::read(path).expect("the weights were saved")
    };
    let one = weights("one", 1, 7, 0);
    for (name, threads, pauses) in [("two", 2, 0), ("eight", 8, 0), ("paused", 2, 3)] {
        assert!(weights(name, threads, 7, pauses) == one, "{name}");
    }
    assert!(weights("other", 1, 8, 0) != one, "another seed gives other weights");
}

#[test]
fn a_change_of_the_learning_rate_is_reported_and_logged_after_the_steps_before_it() {
    let folder = small_set();
    let path = folder.path().join("log");
    let run = endless(folder.path());
    let (log, logged) = RunLog::create(&path, &run).expect("a file can be made");
    let (sender, events) = bounded(1024);
    let worker = spawn(run, vec![sender, logged]);
    let mut ear = Ear::on(events);
    let mut changes = Vec::new();
    // Several, since one may by chance coincide with a hand-over.
    for _ in 0..5 {
        ear.until_training();
        worker.send(Command::ScaleLearningRate(0.8));
        match ear.until(|event| matches!(event, Event::LearningRate(_))) {
            Event::LearningRate(RateChange { step, .. }) => {
                assert_eq!(step, ear.steps());
                changes.push(step);
            }
            _ => unreachable!(),
        }
    }
    worker.send(Command::Stop);
    ear.until_finished();
    worker.join();
    log.finish().expect("there is room");
    let text = std::fs::read_to_string(path).expect("the log is there");
    let lines = text.lines().map(|line| serde_json::from_str(line).expect("a JSON object"));
    let lines: Vec<serde_json::Value> = lines.collect();
    let steps_before: Vec<u64> = lines
        .iter()
        .enumerate()
        .filter(|(_, line)| line["event"] == "learning_rate")
        .filter_map(|(place, _)| {
            lines[..place].iter().rfind(|line| line["event"] == "step")?["step"].as_u64()
        })
        .collect();
    assert_eq!(steps_before, changes);
}

#[test]
fn a_run_that_diverges_reports_the_loss_that_ended_it() {
    let folder = small_set();
    let (worker, mut ear) = Ear::start(RunConfig { learning_rate: 1e30, ..endless(folder.path()) });
    let failure = ear.until_failed();
    worker.join();
    assert!(failure.message.contains(&format!(" of step {} is not ", ear.steps())), "{failure:?}");
}

#[test]
fn validation_images_are_evaluated_on_and_the_test_set_once_at_the_end() {
    let folder = small_set();
    let run = RunConfig { validation: 50, ..config(folder.path()) };
    let (sender, events) = bounded(1024);
    let worker = spawn(run, vec![sender]);
    let mut records = Vec::new();
    let summary = loop {
        match events.recv_timeout(DEADLINE).expect("an event comes in time") {
            Event::Started(info) => {
                assert_eq!((info.train_images, info.eval_images), (150, 50));
                assert_eq!(info.eval_set, EvalSet::Validation);
            }
            Event::Epoch(record) => records.push(record),
            Event::Finished(summary) => break summary,
            _ => {}
        }
    };
    worker.join();
    assert_eq!(records.len(), 2);
    for record in records {
        assert_eq!(record.evaluation.set, EvalSet::Validation);
        assert_eq!((record.evaluation.total, record.batches), (50, 30));
    }
    let test = summary.test.expect("the test set was evaluated");
    assert_eq!((test.set, test.total), (EvalSet::Test, 30));
}

#[test]
fn a_step_limit_ends_the_run_within_an_epoch_and_evaluates() {
    let folder = small_set();
    let (worker, mut ear) = Ear::start(RunConfig { max_steps: Some(43), ..config(folder.path()) });
    let summary = ear.until_finished();
    worker.join();
    assert_eq!((summary.steps, summary.stopped), (43, false));
    let records: Vec<_> = ear.epochs.iter().map(|record| (record.epoch, record.batches)).collect();
    assert_eq!(records, [(1, 40), (2, 3)]);
    assert!(summary.test.is_some());
}

#[test]
fn a_stopped_run_saves_and_evaluates_nothing() {
    let folder = small_set();
    let path = folder.path().join("stopped.safetensors");
    let save = Some(path.clone());
    let (worker, mut ear) = Ear::start(RunConfig { save, ..endless(folder.path()) });
    ear.until_training();
    worker.send(Command::Pause);
    ear.until_state(RunState::Paused);
    worker.send(Command::Stop);
    let event = ear.next();
    assert_eq!(event, Event::State(RunState::Done));
    let summary = ear.until_finished();
    worker.join();
    assert_eq!((summary.steps, summary.stopped), (ear.steps(), true));
    assert_eq!(summary.saved, Some(path.clone()));
    assert!(path.is_file());
}

#[test]
fn values_that_the_data_cannot_serve_are_wrong_usage() {
    let folder = small_set();
    let refused = |change: fn(&mut RunConfig)| {
        let mut run = config(folder.path());
        change(&mut run);
        Ear::start(run).1.until_failed()
    };
    let failure = refused(|run| run.batch_size = 201);
    assert!(failure.usage);
    assert_eq!(failure.message, "--batch-size is 201: expected 1 to 200, the training images");
    let failure = refused(|run| run.validation = 200);
    assert!(failure.usage && failure.message.starts_with("--validation is 200: "));
}

#[test]
fn what_is_missing_ends_the_run_before_training_with_its_path() {
    let folder = small_set();
    let nowhere = folder.path().join("nowhere");
    let path = nowhere.display().to_string();
    let missing = [
        RunConfig { data: DataSource::Path(nowhere.clone()), ..config(folder.path()) },
        RunConfig { init: Some(nowhere.clone()), ..config(folder.path()) },
        RunConfig { save: Some(nowhere.join("w")), ..config(folder.path()) },
        RunConfig { save: Some(folder.path().to_owned()), ..config(folder.path()) },
    ];
    for (run, path) in
        missing.into_iter().zip([&path, &path, &path, &folder.path().display().to_string()])
    {
        let (worker, mut ear) = Ear::start(run);
        let failure = ear.until_failed();
        worker.join();
        assert!(!failure.usage && failure.message.contains(path.as_str()), "{failure:?}");
        assert_eq!(ear.steps(), 0);
    }
}
