//! A comparison as JSON.

use serde::Serialize;

use super::{Comparison, Knowledge, Setting, StoredRun};
use crate::{
    protocol::{EpochRecord, EvalSet},
    train::Predictions,
};

#[derive(Serialize)]
struct Answer<'a> {
    runs: Vec<Row<'a>>,
    settings: Vec<Setting>,
    notes: Vec<String>,
    predictions: Option<Answers<'a>>,
}

#[derive(Serialize)]
struct Row<'a> {
    run: &'a str,
    path: String,
    state: &'static str,
    data: Option<&'a str>,
    parameters: Option<u64>,
    evaluated_on: EvalSet,
    steps: u64,
    training_seconds: f64,
    best: Option<Point>,
    last: Option<Point>,
    test_accuracy: Option<f64>,
    /// Every evaluation.
    evaluations: Vec<Evaluated>,
}

#[derive(Serialize)]
struct Point {
    epoch: u32,
    step: u64,
    train_loss: f64,
    loss: f64,
    accuracy: f64,
}

#[derive(Serialize)]
struct Evaluated {
    step: u64,
    loss: f32,
    accuracy: f32,
}

#[derive(Serialize)]
struct Answers<'a> {
    set: EvalSet,
    images: usize,
    classes: &'a [String],
    /// Images that each run classifies correctly.
    correct: Vec<Option<u32>>,
    /// Of each pair of runs, by their places, the images that only the first classifies correctly.
    only_right: Vec<OnlyRight>,
    /// With two runs, the confusion matrix of the second less that of the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    confusion_difference: Option<Vec<Vec<i64>>>,
}

#[derive(Serialize)]
struct OnlyRight {
    right: usize,
    wrong: usize,
    images: Vec<Image>,
}

#[derive(Serialize)]
struct Image {
    index: usize,
    class: u8,
    predicted: u8,
    probability: f32,
}

impl Comparison {
    /// All of it as one JSON object in a line.
    pub fn json(&self) -> String {
        let predictions = match &self.predictions {
            Knowledge::Known(predictions) => Some(self.images_of(predictions)),
            Knowledge::Pending | Knowledge::Missing(_) => None,
        };
        let answer = Answer {
            runs: self.runs.iter().map(Row::of).collect(),
            settings: self.settings(),
            notes: self.notes(),
            predictions,
        };
        serde_json::to_string(&answer).expect("numbers and texts always have a JSON form") + "\n"
    }

    fn images_of<'a>(&self, predictions: &'a Predictions) -> Answers<'a> {
        let count = self.runs.len();
        let pairs = (0..count).flat_map(|right| (0..count).map(move |wrong| (right, wrong)));
        let only_right =
            pairs.filter(|(right, wrong)| right != wrong).filter_map(|(right, wrong)| {
                let (places, predicted) =
                    (self.only_right(right, wrong).ok()?, self.predicted(wrong).ok()?);
                let image = |index: usize| Image {
                    index,
                    class: predictions.images.label(index),
                    predicted: predicted.classes[index],
                    probability: predicted.probabilities[index],
                };
                Some(OnlyRight { right, wrong, images: places.into_iter().map(image).collect() })
            });
        let difference = if count == 2 { self.difference(0, 1).ok() } else { None };
        let rows = difference.map(|difference| {
            let classes = 0..difference.classes();
            let row = |truth: usize| {
                classes.clone().map(|class| difference.change(truth, class).delta()).collect()
            };
            classes.clone().map(row).collect()
        });
        Answers {
            set: predictions.set,
            images: predictions.images.len(),
            classes: &predictions.info.classes,
            correct: (0..count)
                .map(|run| self.predicted(run).ok().map(|predicted| predicted.confusion.correct()))
                .collect(),
            only_right: only_right.collect(),
            confusion_difference: rows,
        }
    }
}

impl<'a> Row<'a> {
    fn of(run: &'a StoredRun) -> Self {
        let point = |record: &EpochRecord| Point {
            epoch: record.epoch,
            step: record.step,
            train_loss: record.train_loss,
            loss: record.evaluation.loss,
            accuracy: record.evaluation.accuracy(),
        };
        let evaluations = run.curves.evaluations.iter().map(|point| Evaluated {
            step: point.step,
            loss: point.loss,
            accuracy: point.accuracy,
        });
        Self {
            run: &run.name,
            path: run.path.to_string_lossy().into_owned(),
            state: run.status.name(),
            data: run.info.as_ref().map(|info| info.set.name.as_str()),
            parameters: run.info.as_ref().map(|info| info.parameters),
            evaluated_on: run.evaluated_on(),
            steps: run.steps,
            training_seconds: run.clock.training,
            best: run.best.as_ref().map(point),
            last: run.last.as_ref().map(point),
            test_accuracy: run.test.as_ref().map(crate::protocol::Evaluation::accuracy),
            evaluations: evaluations.collect(),
        }
    }
}
