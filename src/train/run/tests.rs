use crossbeam_channel::{Receiver, Sender, unbounded};

use super::*;
use crate::{
    data::{Checksums, DataInfo, Dataset},
    nn::optim::OptimizerState,
    protocol::{Command, EvalSet, Found, List, Query},
    train::results::ImageResult,
};

/// Images with the label 3 whose pixels differ.
fn images(count: u32) -> Dataset {
    let pixels = (0..count * 784).map(|place| (place.wrapping_mul(2_654_435_761) >> 24) as u8);
    let set = Dataset::new([1, 28, 28], 10, pixels.collect(), vec![3; count as usize]);
    set.expect("a label for each image")
}

/// Gives a run on 50 images that is about to begin, with its commands and events.
fn with_run<T>(
    config: &RunConfig,
    tools: &Tools,
    validation: Option<Dataset>,
    test: impl FnOnce(Run<'_>, Sender<Command>, Receiver<Event>) -> T,
) -> T {
    let sets = Sets {
        train: Arc::new(images(50)),
        validation,
        test: Arc::new(images(50)),
        info: DataInfo::mnist(),
        checksums: Checksums::default(),
        notes: Vec::new(),
    };
    let plan = Arc::new(Plan::article());
    let (weights, _) = initial_weights(config, &plan).expect("drawn from the seed");
    let learner = Learner::new(plan, &weights, &Device::Cpu, config).expect("in main memory");
    let ((sender, commands), (events, received)) = (unbounded(), unbounded());
    let (remote, mut outbox) = (Remote::new(commands), Outbox::new(vec![events]));
    let mut run = Run::new(config, tools, sets, Device::Cpu, learner, remote, &mut outbox);
    run.begin_epoch().expect("in main memory");
    test(run, sender, received)
}

fn attended() -> Tools {
    Tools { attended: true, ..Tools::unattended() }
}

#[test]
fn a_run_stopped_before_its_first_step_leaves_an_older_file_alone() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("older.safetensors");
    std::fs::write(&path, "older").expect("written");
    let config = RunConfig { save: Some(path.clone()), ..RunConfig::default() };
    let summary = with_run(&config, &Tools::unattended(), None, |run, commands, _| {
        commands.send(Command::Stop).expect("the receiver is there");
        run.train().expect("nothing goes wrong").expect("nobody has it yet")
    });
    assert_eq!((summary.steps, summary.stopped, summary.saved), (0, true, None));
    assert_eq!(std::fs::read(path).expect("still there"), b"older");
}

#[test]
fn a_run_stopped_while_a_step_is_done_again_ends_after_that_step() {
    let config = RunConfig { batch_size: 1, epochs: 3, ..RunConfig::default() };
    let state = |run: &Run<'_>| -> (u64, Vec<f32>, OptimizerState, f64) {
        let trained = run.learner.model.weights().expect("in main memory").trained;
        (run.at.step, trained, run.learner.optimiser().expect("in main memory"), run.rate)
    };
    with_run(&config, &attended(), None, |mut run, commands, _| {
        for step in 1..=90 {
            run.train_batch().expect("in main memory");
            if step == 50 {
                assert!(run.end_epoch().expect("in main memory"));
            }
        }
        let before = state(&run);
        // The nearest snapshot is that of the second epoch's start.
        commands.send(Command::Stop).expect("the receiver is there");
        run.remote.pull();
        run.watch_again().expect("in main memory");
        assert!(state(&run) == before, "step {} of {}", run.at.step, before.0);
        assert_eq!(run.batches.batch(run.at.batch - 1), run.batches_of(2).batch(39));
    });
}

#[test]
fn forgotten_images_after_a_test_at_the_end_are_those_of_the_validation_set() {
    let result = |prediction| ImageResult { prediction, probability: 0.9, loss: 1.0 };
    let validation = images(2);
    with_run(&RunConfig::default(), &attended(), Some(validation), |mut run, _, events| {
        for (step, predictions) in [(10, [3, 3]), (20, [3, 8])] {
            let results: Vec<_> = predictions.map(result).into();
            run.histories.evaluated(step, &results);
            run.results.keep(step, EvalSet::Validation, results);
        }
        run.results.keep(20, EvalSet::Test, vec![result(3); 50]);
        let query = Query { step: 20, set: EvalSet::Test, cell: None, list: List::Forgotten };
        run.find(query).expect("in main memory");
        let found = events.try_iter().find_map(|event| match event {
            Event::Found(found) => Some(found),
            _ => None,
        });
        let Some(Found { query: of, set, total, digits, histories, .. }) = found else {
            panic!("an answer is sent")
        };
        assert_eq!((of, set, total), (query, EvalSet::Validation.into(), Some(1)));
        assert_eq!((digits[0].index, histories[0].forgotten), (1, 1));
    });
}
