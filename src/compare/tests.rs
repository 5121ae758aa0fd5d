use super::*;
use crate::{
    app::{Action, App, Direction, View},
    config::RunConfig,
    data::{DataInfo, Dataset},
    metrics::Confusion,
    protocol::{Clock, EpochRecord, EvalSet, Evaluation, Event, Progress, RunInfo, RunState},
    runs::{RunEntry, RunStatus},
};

/// A run of two epochs of ten steps, the second of which has this accuracy of 100 images.
fn run(name: &str, config: RunConfig, correct: u64) -> StoredRun {
    let mut app = App::default();
    let mut take = |event: Event| assert!(app.update(event.into()).is_empty());
    take(Event::Started(RunInfo { total_steps: 20, ..RunInfo::example() }));
    take(Event::State(RunState::Training));
    for epoch in 1..=2_u32 {
        let first_step = u64::from(epoch - 1) * 10 + 1;
        take(Event::Progress(Progress {
            epoch,
            first_step,
            first_batch: 1,
            losses: vec![0.9 / epoch as f32; 10],
            images: 500 * u64::from(epoch),
            learning_rate: 1e-3,
            clock: Clock { training: f64::from(epoch), evaluating: 0.5 },
            sample: None,
            measures: Vec::new(),
        }));
        let evaluation = Evaluation {
            set: EvalSet::Test,
            loss: 0.8 / f64::from(epoch),
            correct: if epoch == 2 { correct } else { correct - 20 },
            total: 100,
            seconds: 0.1,
            confusion: Confusion::new(10),
        };
        take(Event::Epoch(EpochRecord {
            epoch,
            step: u64::from(epoch) * 10,
            batches: 10,
            train_loss: 0.5,
            train_accuracy: None,
            train_seconds: 1.0,
            images_per_second: 500.0,
            evaluation,
            clock: Clock { training: f64::from(epoch), evaluating: 0.5 },
        }));
    }
    let entry = RunEntry {
        name: name.to_owned(),
        path: name.into(),
        status: RunStatus::Done,
        failure: None,
        reached: Some((2, 20)),
        config,
        best: Some(0.9),
        bytes: 1,
    };
    StoredRun::of(entry, app)
}

fn predicted(classes: &[u8], losses: &[f32], labels: &[u8]) -> Predicted {
    let mut confusion = Confusion::new(10);
    for (&label, &class) in labels.iter().zip(classes) {
        confusion.record(label.into(), class.into());
    }
    let probabilities = vec![0.75; classes.len()];
    Predicted { classes: classes.to_vec(), probabilities, losses: losses.to_vec(), confusion }
}

/// Runs with the learning rates given, and predictions for four images that the first two share.
pub(crate) fn comparison(rates: &[f64]) -> Comparison {
    let runs = rates.iter().enumerate().map(|(place, &learning_rate)| {
        let config = RunConfig { learning_rate, ..RunConfig::default() };
        run(&format!("run-{place}"), config, 90 + place as u64)
    });
    let labels = [3, 4, 5, 6];
    let images = Dataset::new([1, 28, 28], 10, vec![40; 4 * 784], labels.to_vec());
    let mut networks: Vec<Result<Predicted, String>> = vec![
        Ok(predicted(&[3, 4, 5, 0], &[0.1, 0.1, 0.2, 2.0], &labels)),
        Ok(predicted(&[3, 9, 2, 6], &[0.1, 1.0, 3.0, 0.1], &labels)),
    ];
    networks.resize(rates.len().max(2), Err("its weights are gone".to_owned()));
    let predictions = Predictions {
        set: EvalSet::Test,
        info: DataInfo::mnist(),
        images: images.expect("each image has a label"),
        networks,
    };
    Comparison { runs: runs.collect(), predictions: Knowledge::Known(predictions) }
}

#[test]
fn images_that_only_one_classifies_correctly_come_hardest_first() {
    let comparison = comparison(&[0.001, 0.002, 0.003]);
    assert_eq!(comparison.only_right(0, 1), Ok(vec![2, 1]));
    assert_eq!(comparison.only_right(1, 0), Ok(vec![3]));
    assert_eq!(comparison.only_right(0, 2), Err("its weights are gone"));
}

#[test]
fn a_difference_counts_what_the_second_matrix_has_more() {
    let comparison = comparison(&[0.001, 0.002]);
    let difference = comparison.difference(0, 1).expect("both are known");
    let delta = |truth, predicted| difference.change(truth, predicted).delta();
    assert_eq!(
        [delta(3, 3), delta(4, 4), delta(4, 9), delta(6, 6), delta(6, 0)],
        [0, -1, 1, 1, -1]
    );
    let better: Vec<bool> = [(4, 4), (4, 9), (6, 6), (6, 0)]
        .map(|(truth, predicted)| difference.change(truth, predicted).is_better())
        .to_vec();
    assert_eq!(better, [false, false, true, true]);
    assert_eq!(difference.errors().len(), 3);
}

#[test]
fn only_settings_that_differ_are_named_with_the_runs_that_share_a_value() {
    let settings = comparison(&[0.001, 0.002, 0.001]).settings();
    let [lr] = &settings[..] else { panic!("{settings:?}") };
    let groups = lr.groups();
    assert_eq!(lr.option, "lr");
    assert_eq!(groups, [("A C".to_owned(), "0.001"), ("B".to_owned(), "0.002")]);
    assert!(comparison(&[0.1, 0.1]).settings().is_empty());
}

#[test]
fn the_report_has_figures_settings_and_predictions() {
    let report = comparison(&[0.001, 0.002]).report();
    let has = |wanted: &str| assert!(report.contains(wanted), "{wanted:?} is not in\n{report}");
    has("A  run-0  90.00 %  0.4000  test  90.00 %      2     20  2.0 s   done");
    has("lr  A  0.001\n    B  0.002\n");
    has("A  –  2\nB  1  –\n");
    has("A classifies correctly and B does not: 2\n");
    has("    2      5          2         0.75\n");
    has("4   ·  ·   ·  ·  −1   ·   ·  ·  ·  +1\n");
}

#[test]
fn what_cannot_be_compared_is_said() {
    let mut comparison = comparison(&[0.001, 0.002, 0.003]);
    if let Some(info) = &mut comparison.runs[1].info {
        info.set.name = "Letters".to_owned();
        info.eval_set = EvalSet::Validation;
    }
    let notes = comparison.notes().join("\n");
    assert!(notes.contains("different data sets (MNIST, Letters)"), "{notes}");
    assert!(notes.contains("others on validation images"), "{notes}");
    assert!(
        notes.contains("The predictions of C are not compared: its weights are gone."),
        "{notes}"
    );
    comparison.predictions = Knowledge::Missing("the disk is gone".to_owned());
    assert!(comparison.report().contains("The predictions are not compared: the disk is gone."));
}

#[test]
fn the_object_has_places_of_runs_and_images() {
    let json = comparison(&[0.001, 0.002]).json();
    let value: serde_json::Value = serde_json::from_str(&json).expect("an object");
    assert_eq!(value["runs"][1]["best"]["accuracy"], 0.91);
    assert_eq!(value["settings"][0]["values"][1], "0.002");
    let predictions = &value["predictions"];
    assert_eq!(predictions["only_right"][0]["images"][0]["index"], 2);
    assert_eq!(predictions["confusion_difference"][4][9], 1);
    assert_eq!(predictions["correct"][0], 3);
}

#[test]
fn too_few_or_too_many_runs_are_refused() {
    for count in [0, 1, MOST_RUNS + 1] {
        let folders = vec!["none".into(); count];
        let error = Comparison::read(&folders).expect_err("no such number").to_string();
        assert!(error.starts_with(&format!("compare needs 2 to 8 runs, not {count}")), "{error}");
    }
}

#[test]
fn keys_turn_pages_pairs_and_rows() {
    let mut browser = Browser::new(comparison(&[0.001, 0.002, 0.003]));
    assert!(browser.act(Action::ToggleLogScale, 0, 0) && !browser.is_log);
    assert!(browser.act(Action::Show(View::Confusion), 0, 0), "the fourth key");
    assert_eq!((browser.page, browser.pair()), (Page::Images, (0, 1)));
    for pair in [(0, 2), (1, 2), (0, 1)] {
        assert!(browser.act(Action::NewerMatrix, 0, 0));
        assert_eq!(browser.pair(), pair);
    }
    assert!(browser.act(Action::OlderMatrix, 0, 0));
    assert_eq!(browser.pair(), (1, 2));
    for (direction, top) in [
        (Direction::Down, 1),
        (Direction::PageDown, 3),
        (Direction::End, 5),
        (Direction::Down, 5),
        (Direction::Up, 4),
        (Direction::Home, 0),
    ] {
        assert!(browser.act(Action::Move(direction), 2, 7));
        assert_eq!(browser.top, top, "{direction:?}");
    }
    assert!(!browser.act(Action::Show(View::Why), 0, 0), "there is no such page");
    assert!(browser.act(Action::NextView, 0, 0));
    assert_eq!(browser.page, Page::Curves);
    assert!(!browser.act(Action::NewerMatrix, 0, 0), "curves are of all runs");
    assert!(browser.act(Action::Quit, 0, 0) && browser.wants_to_leave());
}

#[test]
fn a_run_that_was_stopped_early_says_so() {
    let config = RunConfig { early_stop: Some(1), validation: 100, ..RunConfig::default() };
    let runs = vec![run("patient", RunConfig::default(), 90), run("early", config, 91)];
    let comparison = Comparison { runs, predictions: Knowledge::Pending };
    let figures = comparison.figures();
    let state = figures.head.iter().position(|&head| head == "state").expect("a column");
    let states: Vec<_> = figures.rows.iter().map(|row| row[state].as_str()).collect();
    assert_eq!(states, ["done", "done, stopped early"]);
}
