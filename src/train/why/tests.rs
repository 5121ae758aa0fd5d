mod arithmetic;
mod distributions;
mod landscape;

use std::sync::Arc;

use candle_core::{Device, Tensor};

use super::*;
use crate::{
    data::{Checksums, DataInfo, Dataset, augment::Seen},
    metrics::{Calibration, Histogram, directions::filter_normalised},
    network::Plan,
    nn::model::Weights,
    protocol::{Arithmetic, Attribution, EvalSet, Method},
    seed::{self, Purpose},
    train::{results::ImageResult, step::tensors},
};

/// Numbers that a script can make again.
fn numbers(n: usize, start: u64, low: f64, high: f64) -> Vec<f32> {
    (start..start + n as u64)
        .map(|place| {
            let mixed = (place.wrapping_mul(2_654_435_761) & 0xffff_ffff) >> 8;
            (f64::from(mixed as u32) / f64::from(1_u32 << 24) * (high - low) + low) as f32
        })
        .collect()
}

fn pixels(start: u64, images: usize) -> Vec<u8> {
    numbers(784 * images, start, 0.0, 256.0).into_iter().map(|value| value as u8).collect()
}

fn model() -> Model {
    let plan = Arc::new(Plan::article());
    let trained = numbers(plan.trained_len(), 0, -0.2, 0.2);
    Model::new(plan, &Weights { trained, running: Vec::new() }, &Device::Cpu).expect("it fits")
}

fn sets(test: usize) -> Sets {
    let set = |images: usize| {
        let labels = (0..images).map(|place| (place % 10) as u8).collect();
        Dataset::new([1, 28, 28], 10, pixels(1, images), labels).expect("a label each")
    };
    Sets {
        train: Arc::new(set(3)),
        validation: None,
        test: Arc::new(set(test)),
        info: DataInfo::mnist(),
        checksums: Checksums::default(),
        notes: Vec::new(),
    }
}

struct Bench {
    explainer: Explainer,
    model: Model,
    sets: Sets,
    results: Results,
    slices: usize,
    stands: bool,
    snapshots: Vec<(u64, Vec<f32>)>,
}

impl Bench {
    fn new(test: usize) -> Self {
        let explainer = Explainer::new(Instant::now());
        let results = Results::default();
        Self {
            explainer,
            model: model(),
            sets: sets(test),
            results,
            slices: 0,
            stands: true,
            snapshots: Vec::new(),
        }
    }

    fn answer(&mut self, question: &Question, step: u64) -> Answer {
        self.explainer.ask(Some(question.clone()), Instant::now());
        self.go_on(step)
    }

    /// Computes until there is an answer.
    fn go_on(&mut self, step: u64) -> Answer {
        let Self { explainer, model, sets, results, slices, snapshots, .. } = self;
        let stands = self.stands;
        let tensor = |values: &[f32]| Tensor::new(values, &Device::Cpu).expect("in main memory");
        let snapshots: &dyn Fn(usize) -> _ =
            &|_| snapshots.iter().map(|(step, values)| (*step, tensor(values))).collect();
        *slices = 0;
        loop {
            assert!(explainer.has_work(step) && *slices < 10_000, "it never answers");
            *slices += 1;
            if let Some(answer) =
                explainer.slice(&Moment { step, stands, model, seed: 3, sets, results, snapshots })
            {
                return answer;
            }
        }
    }

    fn attribution(&mut self, method: Method, class: Option<u8>) -> Attribution {
        let subject = Subject::Image { set: ImageSet::Test, index: 0 };
        match self.answer(&Question::Attribution { subject, method, class }, 7).content {
            Content::Attribution(found) => found,
            other => panic!("{other:?}"),
        }
    }
}

fn close(found: f32, expected: f32) {
    assert!((found - expected).abs() < 2e-6, "{found}, not {expected}");
}

/// By `PyTorch` 2.15, with the same numbers for weights and image:
///
/// ```python
/// import torch, torch.nn as nn
/// torch.set_default_dtype(torch.float64)
///
/// def numbers(n, start, low, high):
///     places = torch.arange(start, start + n, dtype=torch.int64)
///     return ((places * 2654435761 % 2**32) >> 8).double() / 2**24 * (high - low) + low
///
/// net = nn.Sequential(
///     nn.Conv2d(1, 6, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(),
///     nn.MaxPool2d(2), nn.Flatten(), nn.Linear(256, 10))
/// start = 0
/// with torch.no_grad():
///     for param in net.parameters():
///         param.copy_(numbers(param.numel(), start, -0.2, 0.2).view_as(param))
///         start += param.numel()
/// image = (numbers(784, 1, 0, 256).floor() / 255).view(1, 1, 28, 28).requires_grad_()
/// logits = net(image)
/// logits[0, 3].backward()
/// grad = image.grad.flatten()
/// plain = image.detach()[0, 0]
/// border = torch.cat([plain[0], plain[-1], plain[1:-1, 0], plain[1:-1, -1]]).sort().values
/// for row, column in [(12, 14), (0, 0), (27, 13)]:
///     covered = image.detach().clone()
///     covered[0, 0, max(row - 2, 0):row + 3, max(column - 2, 0):column + 3] = border[54]
///     print(row * 28 + column, grad[row * 28 + column].item(), (logits - net(covered))[0, 3].item())
/// print(logits[0, 3].item(), logits.argmax().item(), logits.softmax(1)[0, 3].item())
/// ```
#[test]
fn saliency_and_occlusion_are_pytorchs() {
    let mut bench = Bench::new(1);
    let saliency = bench.attribution(Method::Saliency, Some(3));
    let occlusion = bench.attribution(Method::Occlusion, Some(3));
    assert_eq!((saliency.patch, occlusion.patch), (0, 5));
    assert!(bench.slices > 5, "it answers to commands meanwhile");
    for (place, gradient, fall) in [
        (350, 0.029_716_918, 0.053_991_106),
        (0, 0.0, 0.002_769_217_5),
        (769, -0.007_027_072, -0.007_309_419),
    ] {
        close(saliency.values[place], gradient);
        close(occlusion.values[place], fall);
    }
    for found in [saliency, occlusion] {
        assert_eq!((found.class, found.prediction, found.label), (3, 2, Some(0)));
        assert_eq!((found.image, found.values.len()), (Some((ImageSet::Test, 0)), 784));
        close(found.logit, 0.081_543_27);
        close(found.probability, 0.105_826_83);
    }
}

#[test]
fn without_a_class_the_predicted_one_is_explained() {
    let found = Bench::new(1).attribution(Method::Saliency, None);
    assert_eq!((found.class, found.prediction), (2, 2));
}

#[test]
fn what_cannot_be_explained_is_answered_in_a_sentence() {
    let mut bench = Bench::new(1);
    for (subject, class) in [
        (Subject::Drawn(vec![0; 9]), None),
        (Subject::Image { set: ImageSet::Test, index: 0 }, Some(10)),
    ] {
        let question = Question::Attribution { subject, method: Method::Occlusion, class };
        let Content::Nothing(reason) = bench.answer(&question, 1).content else { panic!("one") };
        assert!(reason.ends_with('.'), "{reason}");
        assert!(!bench.explainer.has_work(1), "it does not try again before the next step");
    }
}

#[test]
fn calibration_is_that_of_the_evaluation_asked_for() {
    let mut bench = Bench::new(3);
    let result = |prediction, probability| ImageResult { prediction, probability, loss: 0.0 };
    let images = vec![result(0, 0.95), result(5, 0.95), result(2, 0.35)];
    bench.results.keep(9, EvalSet::Test, images);
    let ask = |bench: &mut Bench, step| {
        bench.answer(&Question::Calibration { step, set: EvalSet::Test }, 20).content
    };
    let Content::Calibration(Some(found)) = ask(&mut bench, 9) else { panic!("it is kept") };
    let expected = [(0.95, true), (0.95, false), (0.35, true)].into_iter();
    assert_eq!(found, Calibration::of(expected, Calibration::BINS));
    assert!(!bench.explainer.has_work(21), "an evaluation stays what it is");
    assert_eq!(ask(&mut bench, 10), Content::Calibration(None));
}

#[test]
fn the_projection_has_the_predictions_and_spreads_over_the_set() {
    let mut bench = Bench::new(2_050);
    let answer = bench.answer(&Question::Projection, 5);
    let Content::Projection(found) = &answer.content else { panic!("{answer:?}") };
    assert_eq!((answer.step, found.features, found.points.len()), (5, 256, 2_000));
    assert!(bench.slices > 10, "it answers to commands meanwhile");
    let [first, second] = found.shares;
    assert!(first >= second && second > 0.0 && first + second <= 1.0, "{first}, {second}");
    for place in [0, 77, 1_999] {
        let point = found.points[place];
        assert_eq!(point.index, (place * 2_050 / 2_000) as u32);
        let data = &bench.sets.test;
        assert_eq!(point.label, data.label(point.index as usize));
        let image: Vec<f32> =
            data.image(point.index as usize).iter().map(|&it| f32::from(it) / 255.0).collect();
        let (_, logits) = bench.model.stages(&image).expect("it has the size");
        assert_eq!(usize::from(point.prediction), crate::metrics::arg_max(&logits));
    }
    // The variance along the axes is the reported share.
    let sum = |axis: usize| {
        found.points.iter().map(|point| f64::from(point.at[axis]).powi(2)).sum::<f64>()
    };
    assert!((sum(1) / sum(0) - second / first).abs() < 1e-3);
    // From where it has settled, the same again takes one pass and looks the same.
    let slices = bench.slices;
    assert!(!bench.explainer.has_work(5) && bench.explainer.has_work(6));
    let again = bench.go_on(6);
    assert!(bench.slices < slices, "{} after {slices}", bench.slices);
    let Content::Projection(again) = again.content else { panic!("the same") };
    for (before, after) in found.points.iter().zip(&again.points) {
        assert!(
            (before.at[0] - after.at[0]).abs() < 1e-2 && (before.at[1] - after.at[1]).abs() < 1e-2
        );
    }
}

#[test]
fn another_question_takes_the_place_of_the_one_before() {
    let mut bench = Bench::new(300);
    let Bench { explainer, model, sets, results, .. } = &mut bench;
    let snapshots: &dyn Fn(usize) -> _ = &|_| Vec::new();
    let moment = Moment { step: 1, stands: true, model, seed: 3, sets, results, snapshots };
    explainer.ask(Some(Question::Projection), Instant::now());
    assert!(explainer.slice(&moment).is_none());
    explainer.ask(None, Instant::now());
    assert!(!explainer.has_work(1) && explainer.slice(&moment).is_none());
    explainer.ask(Some(Question::Calibration { step: 1, set: EvalSet::Test }), Instant::now());
    assert!(matches!(
        explainer.slice(&moment),
        Some(Answer { content: Content::Calibration(None), .. })
    ));
}
