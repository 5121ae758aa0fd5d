//! Every option of training, in random combinations: a run that is rewound, resumed from a checkpoint or
//! spread over other threads has the bits of one that was left alone.

use std::{collections::BTreeMap, fs, path::Path, sync::Arc, time::Duration};

use crossbeam_channel::{Receiver, bounded};
use mnist_tui::{
    checkpoint::{Checkpoint, decode_checkpoint, encode_checkpoint},
    config::{DataSource, OptimizerSpec, RunConfig, ScheduleSpec, Shape},
    protocol::{Clock, Command, EvalSet, Event, RunState, Summary, TrainingState},
    train::{Tools, Worker, spawn_with_tools},
};
use proptest::prelude::*;

#[path = "common/idx.rs"]
mod idx;

const DEADLINE: Duration = Duration::from_secs(60);

/// A run, and what it has said so far.
struct Watched {
    worker: Worker,
    events: Receiver<Event>,
    /// The loss that each step had when it was trained last.
    losses: BTreeMap<u64, u32>,
    state: Option<Arc<TrainingState>>,
    summary: Option<Summary>,
    notices: Vec<String>,
}

/// What a run must give however it is disturbed.
#[derive(Clone, Debug, PartialEq)]
struct Bits {
    losses: BTreeMap<u64, u32>,
    state: TrainingState,
    correct: u64,
    best: Option<u32>,
    saved: Vec<u8>,
}

impl Watched {
    fn start(config: &RunConfig, tools: Tools) -> Self {
        let (sender, events) = bounded(1 << 14);
        let tools = Tools { recorded: true, ..tools };
        let worker = spawn_with_tools(config.clone(), tools, vec![sender]);
        let (losses, notices) = (BTreeMap::new(), Vec::new());
        Self { worker, events, losses, state: None, summary: None, notices }
    }

    fn until(&mut self, wanted: impl Fn(&Event) -> bool) {
        loop {
            let event = self.events.recv_timeout(DEADLINE).expect("an event comes in time");
            let found = wanted(&event);
            match event {
                Event::Progress(progress) => {
                    let steps = progress.first_step..;
                    self.losses
                        .extend(steps.zip(progress.losses.iter().map(|loss| loss.to_bits())));
                }
                Event::Checkpoint(state) => self.state = Some(state),
                Event::Notice(notice) => self.notices.push(notice),
                Event::Finished(summary) => self.summary = Some(summary),
                Event::Failed(failure) => panic!("{}", failure.message),
                _ => {}
            }
            if found {
                return;
            }
        }
    }

    /// Trains up to a step, or to the end of the run if that comes first.
    fn forth(&mut self, step: u64) {
        self.worker.send(Command::GoTo(step));
        self.until(|event| matches!(event, Event::State(RunState::Paused) | Event::Finished(_)));
    }

    fn back(&mut self, step: u64) {
        self.worker.send(Command::GoTo(step));
        self.until(|event| matches!(event, Event::Rewound(_)));
    }

    /// Trains to the end.
    fn finish(&mut self) {
        self.worker.send(Command::Resume);
        self.until(|event| matches!(event, Event::Finished(_)));
    }

    /// Ends it, where it stands, with a checkpoint.
    fn leave(&mut self) {
        self.worker.send(Command::Checkpoint);
        self.until(|event| matches!(event, Event::Checkpoint(_)));
        self.worker.send(Command::Stop);
        for _ in &self.events {}
    }

    fn bits(mut self, config: &RunConfig) -> Bits {
        self.leave();
        self.worker.join();
        let summary = self.summary.expect("it has ended");
        let mut state = TrainingState::clone(&self.state.expect("it is recorded"));
        // Times are no part of it.
        state.progress.clock = Clock::default();
        state.progress.epoch_seconds = 0.0;
        if let Some((_, evaluation)) = &mut state.progress.evaluated {
            evaluation.seconds = 0.0;
        }
        Bits {
            losses: self.losses,
            state,
            correct: summary.test.expect("it was measured").correct,
            best: summary.best.map(|best| best.epoch),
            saved: fs::read(config.save.as_ref().expect("it is saved")).expect("it is there"),
        }
    }
}

/// The last bits of a loss's history are those since the start or a checkpoint.
fn assert_same(mut found: Bits, mut expected: Bits, what: &str) {
    expected.losses.retain(|step, _| found.losses.contains_key(step));
    // A resumed run knows fewer losses of an epoch.
    for bits in [&mut found, &mut expected] {
        bits.state.losses.clear();
    }
    let parts = [
        ("losses", found.losses == expected.losses),
        ("progress", found.state.progress == expected.state.progress),
        ("state", found.state == expected.state),
        ("correct", found.correct == expected.correct),
        ("best", found.best == expected.best),
        ("saved", found.saved == expected.saved),
    ];
    let differ: Vec<_> = parts.iter().filter(|(_, same)| !same).map(|(name, _)| name).collect();
    let progress = [&found, &expected].map(|bits| &bits.state.progress);
    assert!(differ.is_empty(), "{what}: {differ:?} differ, {progress:?}");
}

fn config() -> impl Strategy<Value = RunConfig> {
    let optimizer = prop::sample::select(vec![
        OptimizerSpec::default(),
        OptimizerSpec::AdamW { betas: [0.8, 0.95], weight_decay: 0.1 },
        OptimizerSpec::Sgd { momentum: 0.0, nesterov: false, weight_decay: 0.01 },
        OptimizerSpec::Sgd { momentum: 0.9, nesterov: true, weight_decay: 0.0 },
    ]);
    let schedule = (prop::sample::select(Shape::ALL.to_vec()), 0_u64..10, any::<bool>());
    let schedule = schedule.prop_map(|(shape, warmup, ends)| {
        let final_rate = (ends && shape != Shape::Constant).then_some(1e-4);
        ScheduleSpec { shape, warmup, final_rate, steps: None }
    });
    let model = prop::sample::select(vec![
        "conv 4 k3, bn, relu, pool 2, dropout 0.3, flatten, linear",
        "conv 3 k5 s2, gelu, gap, linear 12, dropout 0.1, linear",
        "conv 6 k5, relu, pool 2, conv 16 k5, relu, pool 2, flatten, linear",
    ]);
    let regularisation = (
        prop::option::of(Just(0.5)),
        prop::sample::select(vec![0.0, 0.1]),
        prop::option::of(Just(0.9)),
    );
    let augment = prop::sample::select(vec!["none", "strong", "shift=2,rotate=10"]);
    let sets = (prop::bool::ANY, prop::option::of(1_u32..3), prop::option::of(Just(90_usize)));
    let order = (any::<u64>(), any::<bool>(), 8_usize..20, augment);
    (optimizer, schedule, model, regularisation, sets, order).prop_map(
        |(optimizer, schedule, model, (clip_norm, label_smoothing, ema), sets, order)| {
            let (holds_out, early_stop, train_size) = sets;
            let (seed, shuffle, batch_size, augment) = order;
            RunConfig {
                optimizer,
                schedule,
                model: model.parse().expect("a network"),
                augment: augment.parse().expect("distortions"),
                clip_norm,
                label_smoothing,
                ema,
                validation: if holds_out { 30 } else { 0 },
                balanced_validation: shuffle,
                early_stop: early_stop.filter(|_| holds_out),
                train_size,
                seed,
                shuffle,
                // No epoch ends with one image, of which batch normalisation makes nothing.
                batch_size: batch_size & !1,
                learning_rate: 0.01,
                epochs: 3,
                ..RunConfig::default()
            }
        },
    )
}

fn here(config: &RunConfig, folder: &Path, name: &str, threads: usize) -> RunConfig {
    RunConfig {
        data: DataSource::Path(folder.to_owned()),
        save: Some(folder.join(name)),
        threads: Some(threads),
        ..config.clone()
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 16,
        max_shrink_iters: 20,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn every_combination_has_the_same_bits_rewound_resumed_and_on_other_threads(
        config in config(),
        (changed, ahead, gap) in (1_u64..8, 1_u64..40, 1_u64..40),
        factor in prop::sample::select(vec![1.0, 0.5, 1.25]),
    ) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        idx::write_set(folder.path(), 200, 30);
        let attended = || Tools { rewind_memory: 300_000, ..Tools::attended() };
        // A person may have changed the rate in the course of it.
        let changes_rate = |run: &mut Watched| {
            run.forth(changed);
            run.worker.send(Command::ScaleLearningRate(factor));
        };

        let alone = here(&config, folder.path(), "alone", 1);
        let mut run = Watched::start(&alone, attended());
        changes_rate(&mut run);
        run.finish();
        let expected = run.bits(&alone);

        let wandering = here(&config, folder.path(), "wandering", 3);
        let mut run = Watched::start(&wandering, attended());
        changes_rate(&mut run);
        run.forth(changed + ahead);
        let at = run.losses.len() as u64;
        run.back(at.saturating_sub(gap));
        run.finish();
        assert_same(run.bits(&wandering), expected.clone(), "rewound");

        let stopped = here(&config, folder.path(), "stopped", 2);
        let mut run = Watched::start(&stopped, attended());
        changes_rate(&mut run);
        run.forth(changed + ahead);
        run.leave();
        let state = run.state.take().expect("it was asked for");
        let kept = Checkpoint { config: stopped.clone(), state, journal_bytes: 0 };
        let bytes = encode_checkpoint(Path::new("x"), &kept).expect("it fits");
        let read = decode_checkpoint("x", &bytes).expect("it reads");
        assert_eq!(read, kept);
        let tools = Tools { start: Some(read.state), ..attended() };
        let resumed = here(&config, folder.path(), "resumed", 1);
        let mut run = Watched::start(&resumed, tools);
        run.finish();
        assert_same(run.bits(&resumed), expected, "resumed");
    }
}

#[test]
fn a_run_whose_loss_is_no_number_ends_early_too() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    idx::write_set(folder.path(), 100, 20);
    let config = RunConfig { validation: 20, epochs: 40, batch_size: 10, ..RunConfig::default() };
    let config = RunConfig { early_stop: Some(2), learning_rate: 1e30, ..config };
    let config = RunConfig { save: None, ..here(&config, folder.path(), "none", 1) };
    let tools = Tools { breakpoints: Vec::new(), ..Tools::unattended() };
    let mut run = Watched::start(&config, tools);
    run.until(|event| matches!(event, Event::Finished(summary) if summary.steps == 16));
    let ended = "Ended early after epoch 2: no evaluation had a loss that is a number.";
    assert!(run.notices.iter().any(|notice| notice == ended), "{:?}", run.notices);
    let kept = "No checkpoint was saved: weights or the optimiser's state are not finite.";
    assert!(run.notices.iter().any(|notice| notice == kept), "{:?}", run.notices);
}

#[test]
fn steps_of_a_run_that_nobody_slows_down_are_measured() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    idx::write_set(folder.path(), 200, 30);
    let config = RunConfig { epochs: 100_000, batch_size: 10, ..RunConfig::default() };
    let mut run = Watched::start(&here(&config, folder.path(), "w", 1), Tools::unattended());
    let mut before = 0;
    for _ in 0..3 {
        run.until(|event| {
            let Event::Progress(progress) = event else { return false };
            progress
                .measures
                .iter()
                .any(|one| one.step > before && one.gradient_norm > 0.0 && one.update_ratio > 0.0)
        });
        before = *run.losses.last_key_value().expect("losses came").0;
    }
}

#[test]
fn a_run_ends_early_and_is_measured_on_the_test_images_once_with_the_best_weights() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    idx::write_set(folder.path(), 200, 30);
    let config = RunConfig { validation: 50, epochs: 40, batch_size: 10, ..RunConfig::default() };
    let config = RunConfig { early_stop: Some(2), learning_rate: 0.01, ..config };
    let config = here(&config, folder.path(), "best", 2);
    let mut run = Watched::start(&config, Tools::unattended());
    let mut epochs = Vec::new();
    while let Ok(event) = run.events.recv_timeout(DEADLINE) {
        match event {
            Event::Epoch(record) => epochs.push(record),
            Event::Notice(notice) => run.notices.push(notice),
            Event::Finished(summary) => run.summary = Some(summary),
            Event::Checkpoint(state) => run.state = Some(state),
            _ => {}
        }
    }
    assert!(epochs.iter().all(|record| record.evaluation.set == EvalSet::Validation));
    let accuracies: Vec<f64> = epochs.iter().map(|record| record.evaluation.accuracy()).collect();
    let highest = accuracies.iter().copied().fold(0.0, f64::max);
    let best = 1 + accuracies.iter().position(|&accuracy| accuracy == highest).expect("one is");
    assert_eq!(epochs.len(), best + 2, "{accuracies:?}");
    let summary = run.summary.expect("it has ended");
    assert_eq!((summary.steps, summary.stopped), (15 * epochs.len() as u64, false));
    assert_eq!(summary.best.map(|best| best.epoch), Some(best as u32));
    assert_eq!(summary.test.map(|test| test.set), Some(EvalSet::Test));
    let ended = format!("Ended early after epoch {}: none was better than epoch {best}.", best + 2);
    assert_eq!(run.notices, [ended]);
    let saved = mnist_tui::checkpoint::load_weights(&folder.path().join("best")).expect("it reads");
    let state = run.state.expect("it is recorded");
    assert_eq!(Some(&saved.trained), state.best.as_ref().map(|best| &best.trained));
    assert_ne!(saved.trained, state.weights, "two more epochs were trained");
}
