//! Going back and forth in a run, over the real thread and channels, on a small set.

use std::{collections::BTreeMap, fs, path::Path, time::Duration};

use crossbeam_channel::{Receiver, bounded};
use mnist_tui::{
    config::{DataSource, RunConfig},
    protocol::{
        Break, Breakpoint, Command, EpochRecord, Event, Inspection, RateChange, Rewound, RunState,
        Summary,
    },
    train::{Tools, Worker, spawn, spawn_with_tools},
};
use tempfile::TempDir;

#[path = "common/idx.rs"]
mod idx;

const DEADLINE: Duration = Duration::from_secs(60);
/// 200 training images in batches of 5.
const STEPS_PER_EPOCH: u64 = 40;
const STEPS: u64 = 3 * STEPS_PER_EPOCH;

fn small_set() -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    idx::write_set(folder.path(), 200, 30);
    folder
}

fn config(folder: &Path, save: &str) -> RunConfig {
    RunConfig {
        data: DataSource::Path(folder.to_owned()),
        epochs: 3,
        batch_size: 5,
        threads: Some(2),
        save: Some(folder.join(save)),
        ..RunConfig::default()
    }
}

/// A run with a person at it, who remembers all that was said.
struct Person {
    worker: Worker,
    events: Receiver<Event>,
    /// The loss that each step had when it was trained last.
    losses: BTreeMap<u64, f32>,
    epochs: BTreeMap<u32, EpochRecord>,
    rates: Vec<RateChange>,
    breaks: Vec<Break>,
    rewound: Option<Rewound>,
    inspection: Option<Inspection>,
    step: u64,
}

impl Person {
    fn start(config: RunConfig, tools: Tools) -> Self {
        let (sender, events) = bounded(1024);
        Self::at(spawn_with_tools(config, tools, vec![sender]), events)
    }

    fn at(worker: Worker, events: Receiver<Event>) -> Self {
        Self {
            worker,
            events,
            losses: BTreeMap::new(),
            epochs: BTreeMap::new(),
            rates: Vec::new(),
            breaks: Vec::new(),
            rewound: None,
            inspection: None,
            step: 0,
        }
    }

    fn send(&self, command: Command) {
        self.worker.send(command);
    }

    fn next(&mut self) -> Event {
        let event = self.events.recv_timeout(DEADLINE).expect("an event comes in time");
        match &event {
            Event::Progress(progress) => {
                if !progress.losses.is_empty() {
                    assert_eq!(progress.first_step, self.step + 1, "no gap and no repeat");
                    assert_eq!(progress.images, progress.last_step() * 5);
                    self.step = progress.last_step();
                }
                for (step, &loss) in (progress.first_step..).zip(&progress.losses) {
                    self.losses.insert(step, loss);
                }
            }
            Event::Rewound(rewound) => {
                self.step = rewound.step;
                self.rewound = Some(rewound.clone());
            }
            Event::Epoch(record) => {
                assert_eq!(record.step, self.step);
                self.epochs.insert(record.epoch, record.clone());
            }
            Event::LearningRate(change) => self.rates.push(*change),
            Event::Break(hit) => self.breaks.push(hit.clone()),
            Event::Inspected(inspection) => self.inspection = Some((**inspection).clone()),
            Event::Failed(failure) => panic!("{}", failure.message),
            _ => {}
        }
        event
    }

    fn until(&mut self, wanted: impl Fn(&Event) -> bool) -> Event {
        loop {
            let event = self.next();
            if wanted(&event) {
                return event;
            }
        }
    }

    fn until_state(&mut self, state: RunState) {
        self.until(|event| *event == Event::State(state));
    }

    /// Goes to where `command` leads, and waits until the run stands there.
    fn go(&mut self, command: Command, step: u64) {
        self.send(command);
        while self.step != step || self.inspection.as_ref().map_or(0, |one| one.step) != step {
            if step == 0 && self.rewound.as_ref().is_some_and(|rewound| rewound.step == 0) {
                return;
            }
            self.next();
        }
    }

    fn until_inspected(&mut self, step: u64) {
        self.until(|event| matches!(event, Event::Inspected(one) if one.step == step));
    }

    fn until_finished(&mut self) -> Summary {
        match self.until(|event| matches!(event, Event::Finished(_))) {
            Event::Finished(summary) => summary,
            _ => unreachable!(),
        }
    }

    fn leave(self) {
        self.send(Command::Stop);
        let Self { worker, events, .. } = self;
        for _ in &events {}
        worker.join();
    }
}

/// A run in which nothing was ever commanded.
fn undisturbed(folder: &Path) -> Person {
    let (sender, events) = bounded(1024);
    let worker = spawn(config(folder, "undisturbed"), vec![sender]);
    let mut person = Person::at(worker, events);
    person.until_finished();
    person
}

fn assert_same_course(person: &Person, reference: &Person) {
    assert_eq!(person.losses, reference.losses);
    assert_eq!(person.epochs.len(), reference.epochs.len());
    for (epoch, record) in &person.epochs {
        let other = &reference.epochs[epoch];
        assert_eq!(record.evaluation.confusion, other.evaluation.confusion, "epoch {epoch}");
        assert_eq!(record.evaluation.loss, other.evaluation.loss, "epoch {epoch}");
        assert_eq!(record.train_loss, other.train_loss, "epoch {epoch}");
        assert_eq!(record.batches, other.batches, "epoch {epoch}");
    }
}

fn weights(folder: &Path, name: &str) -> Vec<u8> {
    fs::read(folder.join(name)).expect("the weights were saved")
}

fn paused(config: RunConfig, tools: Tools) -> Person {
    let mut person = Person::start(config, tools);
    person.send(Command::GoTo(1));
    person.until_state(RunState::Paused);
    person
}

#[test]
fn back_and_forth_gives_the_same_losses_matrices_and_weights_to_the_bit() {
    let folder = small_set();
    let reference = undisturbed(folder.path());
    for (name, rewind_memory) in [("dense", Tools::REWIND_MEMORY), ("sparse", 200_000), ("one", 0)]
    {
        let tools = Tools { rewind_memory, ..Tools::attended() };
        let mut person = paused(config(folder.path(), name), tools);
        person.go(Command::GoTo(55), 55);
        person.go(Command::Back(1), 54);
        person.go(Command::Back(1), 53);
        person.go(Command::Step(3), 56);
        person.go(Command::BackEpoch, 40);
        assert_eq!(person.rewound.as_ref().map(|at| (at.epoch, at.batch)), Some((1, 40)));
        person.go(Command::BackEpoch, 0);
        person.go(Command::GoTo(97), 97);
        person.go(Command::GoTo(41), 41);
        let rewound = person.rewound.clone().expect("it went back");
        assert_eq!((rewound.epoch, rewound.batch, rewound.images), (2, 1, 205));
        let tail: Vec<f32> = (1..=41).map(|step| reference.losses[&step]).collect();
        assert_eq!(rewound.tail, tail);
        person.send(Command::FinishEpoch);
        person.until_state(RunState::Paused);
        person.go(Command::Back(1_000), 0);
        person.send(Command::Resume);
        let summary = person.until_finished();
        assert_eq!((summary.steps, summary.images, summary.stopped), (STEPS, 600, false));
        assert_same_course(&person, &reference);
        assert_eq!(weights(folder.path(), name), weights(folder.path(), "undisturbed"), "{name}");
        person.leave();
    }
}

#[test]
fn a_run_goes_back_from_its_end_and_ends_again() {
    let folder = small_set();
    let reference = undisturbed(folder.path());
    let mut person = Person::start(config(folder.path(), "again"), Tools::attended());
    person.until_finished();
    fs::remove_file(folder.path().join("again")).expect("it was saved");
    person.send(Command::Step(5));
    person.send(Command::Resume);
    person.go(Command::Back(30), STEPS - 30);
    person.until_state(RunState::Paused);
    person.send(Command::Resume);
    let summary = person.until_finished();
    assert_eq!((summary.steps, summary.stopped), (STEPS, false));
    assert_same_course(&person, &reference);
    assert_eq!(weights(folder.path(), "again"), weights(folder.path(), "undisturbed"));
    person.leave();
}

#[test]
fn another_rate_behind_makes_a_branch_like_a_run_that_changed_it_there_at_once() {
    let folder = small_set();
    let mut straight = paused(config(folder.path(), "straight"), Tools::attended());
    straight.go(Command::GoTo(30), 30);
    straight.send(Command::ScaleLearningRate(0.5));
    straight.send(Command::Resume);
    straight.until_finished();
    assert_eq!(straight.rates, [RateChange { step: 30, learning_rate: 5e-4, branch: false }]);

    let mut branched = paused(config(folder.path(), "branched"), Tools::attended());
    branched.go(Command::GoTo(70), 70);
    branched.send(Command::ScaleLearningRate(3.0));
    branched.go(Command::GoTo(90), 90);
    branched.go(Command::Back(60), 30);
    assert_eq!(branched.rewound.as_ref().map(|at| at.learning_rate), Some(1e-3));
    branched.send(Command::ScaleLearningRate(0.5));
    branched.send(Command::Resume);
    branched.until_finished();
    assert_eq!(
        branched.rates.last(),
        Some(&RateChange { step: 30, learning_rate: 5e-4, branch: true }),
        "the rate of the abandoned trajectory is forgotten"
    );
    assert_same_course(&branched, &straight);
    assert_eq!(weights(folder.path(), "branched"), weights(folder.path(), "straight"));
    assert_ne!(branched.losses, undisturbed(folder.path()).losses);
    straight.leave();
    branched.leave();
}

#[test]
fn a_rate_that_was_changed_is_changed_again_when_the_run_passes_there() {
    let folder = small_set();
    let mut person = paused(config(folder.path(), "repeated"), Tools::attended());
    person.go(Command::GoTo(20), 20);
    person.send(Command::ScaleLearningRate(2.0));
    person.go(Command::GoTo(60), 60);
    let first = person.losses.clone();
    person.go(Command::Back(50), 10);
    person.rates.clear();
    person.go(Command::GoTo(60), 60);
    assert_eq!(person.rates, [RateChange { step: 20, learning_rate: 2e-3, branch: false }]);
    assert_eq!(person.losses, first);
    person.leave();
}

#[test]
fn a_breakpoint_pauses_and_says_why_each_time_the_run_comes_by() {
    let folder = small_set();
    let tools = Tools { breakpoints: vec![Breakpoint::Step(17)], ..Tools::attended() };
    let mut person = Person::start(config(folder.path(), "stops"), tools);
    for _ in 0..2 {
        person.until_inspected(17);
        assert_eq!(person.step, 17);
        let hit = person.breaks.pop().expect("it says why");
        assert_eq!((hit.breakpoint, hit.step), (Breakpoint::Step(17), 17));
        assert_eq!(person.inspection.as_ref().map(|one| one.step), Some(17));
        person.go(Command::Back(5), 12);
        person.send(Command::Resume);
    }
    person.until_state(RunState::Paused);
    person.send(Command::SetBreakpoints(vec![Breakpoint::Epoch]));
    person.go(Command::Back(5), 12);
    person.send(Command::Resume);
    person.until_state(RunState::Paused);
    assert_eq!(
        (person.step, person.breaks.last().map(|hit| hit.breakpoint)),
        (40, Some(Breakpoint::Epoch))
    );
    person.leave();
}

#[test]
fn a_run_that_diverged_is_saved_by_going_back_and_lowering_the_rate() {
    let folder = small_set();
    let wild = RunConfig { learning_rate: 1e30, ..config(folder.path(), "tamed") };
    let mut person = Person::start(wild.clone(), Tools::attended());
    person.until(|event| matches!(event, Event::Break(_)));
    let hit = person.breaks.pop().expect("it says why");
    person.until_inspected(hit.step);
    assert_eq!(hit.breakpoint, Breakpoint::NotFinite);
    assert_eq!(
        person.inspection.as_ref().map(|one| one.step),
        Some(hit.step),
        "its batch is shown"
    );
    person.go(Command::GoTo(0), 0);
    for factor in [1e-30, 1e-3] {
        person.send(Command::ScaleLearningRate(factor));
    }
    person.send(Command::Resume);
    let summary = person.until_finished();
    assert_eq!(summary.steps, STEPS);
    assert!(person.losses.values().all(|loss| loss.is_finite()));
    assert!(person.losses[&STEPS] < 0.5, "it learns");
    person.leave();

    let (sender, events) = bounded(1024);
    spawn(RunConfig { save: None, ..wild }, vec![sender]).join();
    let Some(Event::Failed(failure)) = events.iter().last() else { panic!("it fails") };
    assert_eq!(failure.diverged, Some(hit.step));
    assert!(failure.message.starts_with("✗ diverged at step "), "{failure:?}");
}

#[test]
fn at_any_pace_a_pause_comes_at_once_and_every_batch_is_inspected() {
    let folder = small_set();
    let mut person = paused(config(folder.path(), "paced"), Tools::attended());
    person.send(Command::SetPace(Some(1)));
    person.send(Command::Resume);
    person.until(|event| matches!(event, Event::Inspected(one) if one.step > 1));
    person.send(Command::Pause);
    person.until_state(RunState::Paused);
    assert!(person.step < 5, "a second lies between batches");
    person.send(Command::SetPace(None));
    person.send(Command::Resume);
    assert_eq!(person.until_finished().steps, STEPS);
    person.leave();
}

#[test]
fn steps_that_are_inspected_while_training_are_the_same_steps() {
    let folder = small_set();
    let reference = undisturbed(folder.path());
    for inspects in [true, false] {
        let mut person = paused(config(folder.path(), "inspected"), Tools::attended());
        person.until_inspected(1);
        person.send(Command::Inspect(inspects));
        person.send(Command::Resume);
        person.until(|event| matches!(event, Event::Inspected(_)));
        let expected = if inspects { 2 } else { STEPS };
        assert_eq!(person.inspection.as_ref().map(|one| one.step), Some(expected));
        person.until_finished();
        assert_same_course(&person, &reference);
        person.leave();
        assert_eq!(weights(folder.path(), "inspected"), weights(folder.path(), "undisturbed"));
    }
}

#[test]
fn an_inspection_tells_what_the_step_did() {
    let folder = small_set();
    let mut person = paused(config(folder.path(), "inspected"), Tools::attended());
    person.go(Command::Step(1), 2);
    let inspection = person.inspection.clone().expect("it was inspected");
    assert_eq!((inspection.epoch, inspection.batch, inspection.images), (1, 2, 5));
    assert_eq!(inspection.loss_before, person.losses[&2]);
    assert_eq!((inspection.digits.len(), inspection.parameters.len()), (5, 6));
    person.go(Command::Back(1), 1);
    person.go(Command::Step(1), 2);
    assert_eq!(person.inspection.as_ref(), Some(&inspection), "the same step did the same");
    person.leave();
}
