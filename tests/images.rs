//! Questions for images over the real thread and channels: what was made of them over the epochs.

use std::{collections::BTreeSet, fs, path::Path, time::Duration};

use crossbeam_channel::{Receiver, bounded};
use mnist_tui::{
    config::{DataSource, RunConfig},
    protocol::{Command, EvalSet, Event, Found, ImageSet, List, Query},
    train::{Tools, Worker, spawn_with_tools},
};
use tempfile::TempDir;

#[path = "common/idx.rs"]
mod idx;

const DEADLINE: Duration = Duration::from_secs(60);
const EPOCHS: u32 = 6;
const STEPS: u64 = 20;
/// Training images that get a wrong label.
const WRONG: [u32; 4] = [10, 41, 73, 125];

/// A set of 200 training and 30 test images, some of the first with labels of other classes.
fn set_with_errors() -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    idx::write_set(folder.path(), 200, 30);
    let path = folder.path().join("train-labels-idx1-ubyte");
    let mut labels = fs::read(&path).expect("written before");
    for index in WRONG {
        let label = &mut labels[8 + index as usize];
        *label = (*label + 3) % 10;
    }
    fs::write(path, labels).expect("written");
    folder
}

struct Run {
    worker: Worker,
    events: Receiver<Event>,
}

impl Run {
    /// A run that has done all its steps.
    fn done(folder: &Path) -> Self {
        let data = DataSource::Path(folder.to_owned());
        let config = RunConfig {
            data,
            epochs: EPOCHS,
            batch_size: 10,
            learning_rate: 0.003,
            threads: Some(2),
            ..RunConfig::default()
        };
        let (listener, events) = bounded(100_000);
        let run =
            Self { worker: spawn_with_tools(config, Tools::attended(), vec![listener]), events };
        run.wait(|event| matches!(event, Event::Finished(_)).then_some(()));
        run
    }

    fn wait<T>(&self, wanted: impl Fn(Event) -> Option<T>) -> T {
        loop {
            let event = self.events.recv_timeout(DEADLINE).expect("an event comes in time");
            assert!(!matches!(event, Event::Failed(_)), "{event:?}");
            if let Some(found) = wanted(event) {
                return found;
            }
        }
    }

    fn find(&self, list: List, step: u64) -> Found {
        let query = Query { step, set: EvalSet::Test, cell: None, list };
        self.worker.send(Command::Find(query));
        self.wait(|event| match event {
            Event::Found(found) if found.query == query => Some(found),
            _ => None,
        })
    }

    fn go_to(&self, step: u64) {
        self.worker.send(Command::GoTo(step));
        self.wait(|event| matches!(event, Event::Rewound(to) if to.step == step).then_some(()));
    }

    fn end(self) {
        self.worker.send(Command::Stop);
        self.worker.join();
    }
}

#[test]
fn wrong_labels_are_suspected() {
    let folder = set_with_errors();
    let run = Run::done(folder.path());
    let last = u64::from(EPOCHS) * STEPS;
    let found = run.find(List::Suspected, last);
    assert_eq!((found.set, found.steps.len()), (ImageSet::Train, EPOCHS as usize));
    let suspects: BTreeSet<u32> = found.digits.iter().map(|digit| digit.index).collect();
    assert_eq!(suspects, BTreeSet::from(WRONG), "these and no others");
    for (digit, history) in found.digits.iter().zip(&found.histories) {
        assert_eq!(u32::from(digit.digit.prediction), digit.index % 10, "what it shows");
        assert_ne!(digit.digit.label, digit.digit.prediction);
        assert!(2 * history.mistaken > EPOCHS, "{history:?}");
    }
    assert_eq!(run.find(List::Suspected, STEPS).total, None, "one epoch says nothing");
    run.end();
}

#[test]
fn histories_are_the_same_after_going_back_and_end_where_a_branch_begins() {
    let folder = set_with_errors();
    let run = Run::done(folder.path());
    let last = u64::from(EPOCHS) * STEPS;
    let lists = [List::Hardest, List::Forgotten, List::Suspected];
    let before = lists.map(|list| run.find(list, last));
    let steps: Vec<u64> = (0..=u64::from(EPOCHS)).map(|epoch| epoch * STEPS).collect();
    assert_eq!(before[0].steps, steps, "of each evaluation");
    assert_eq!(before[2].steps, steps[1..], "of each epoch");
    // In the middle of the third epoch, whose first half is not trained again.
    run.go_to(2 * STEPS + 9);
    run.worker.send(Command::Resume);
    run.wait(|event| matches!(event, Event::Finished(_)).then_some(()));
    assert_eq!(lists.map(|list| run.find(list, last)), before);
    run.go_to(2 * STEPS + 9);
    run.worker.send(Command::ScaleLearningRate(1.25));
    let forgotten = run.find(List::Forgotten, last);
    assert_eq!(forgotten.steps, steps[..3], "the later evaluations are of another trajectory");
    run.worker.send(Command::Resume);
    run.wait(|event| matches!(event, Event::Finished(_)).then_some(()));
    let after = lists.map(|list| run.find(list, last));
    assert_eq!((&after[0].steps, &after[2].steps), (&before[0].steps, &before[2].steps));
    assert_ne!(after[0].histories, before[0].histories);
    run.end();
}
