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
            snapshots: Vec::new(),
        }
    }

    fn answer(&mut self, question: &Question, step: u64) -> Answer {
        self.explainer.ask(Some(question.clone()), Instant::now());
        self.go_on(step)
    }

    /// Computes until there is an answer.
    fn go_on(&mut self, step: u64) -> Answer {
        let Self { explainer, model, sets, results, slices, snapshots } = self;
        let tensor = |values: &[f32]| Tensor::new(values, &Device::Cpu).expect("in main memory");
        let snapshots: &dyn Fn(usize) -> _ =
            &|_| snapshots.iter().map(|(step, values)| (*step, tensor(values))).collect();
        *slices = 0;
        loop {
            assert!(explainer.has_work(step) && *slices < 10_000, "it never answers");
            *slices += 1;
            if let Some(answer) =
                explainer.slice(&Moment { step, model, seed: 3, sets, results, snapshots })
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
    let moment = Moment { step: 1, model, seed: 3, sets, results, snapshots };
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

#[test]
fn the_landscape_is_the_loss_of_moved_weights() {
    let mut bench = Bench::new(2);
    bench.explainer.ask(Some(Question::Landscape), Instant::now());
    assert!(!bench.explainer.is_due(4, Instant::now() + PERIOD), "training makes no room for it");
    let found = loop {
        match bench.go_on(4).content {
            Content::Landscape(found) if found.is_complete() => break found,
            Content::Landscape(part) => {
                assert!(part.done > 0 && part.losses.iter().any(|loss| loss.is_nan()));
            }
            other => panic!("{other:?}"),
        }
    };
    assert!(!bench.explainer.has_work(4));
    let (images, labels) =
        tensors(Seen::plain(&bench.sets.test), &[0, 1], &Device::Cpu).expect("two images");
    let loss = |model: &Model| -> f32 {
        let loss = model.evaluate(&images, &labels).expect("they fit").loss;
        loss.to_scalar().expect("one number")
    };
    assert_eq!(found.centre, loss(&bench.model));
    assert_eq!(found.losses[20 * 41 + 20], found.centre);
    // A corner, from the definition.
    let plan = Arc::clone(bench.model.plan());
    let weights = bench.model.weights().expect("in main memory");
    let mut moved = weights.trained.clone();
    for (direction, by) in [(0, 1.0), (1, -1.0)] {
        let parameters = plan.params().iter().map(|it| (&it.range, it.shape.as_slice()));
        let mut rng = seed::rng(3, Purpose::Landscape, direction, 0);
        let along = filter_normalised(&weights.trained, parameters, &mut rng);
        moved.iter_mut().zip(along).for_each(|(weight, along)| *weight += by * along);
    }
    let moved = Weights { trained: moved, running: Vec::new() };
    let corner = loss(&Model::new(plan, &moved, &Device::Cpu).expect("it fits"));
    assert!((found.losses[40] / corner - 1.0).abs() < 1e-5, "{} and {corner}", found.losses[40]);
    assert_eq!((found.at(40), found.at(20 * 41 + 20)), ([1.0, -1.0], [0.0, 0.0]));
}

#[test]
fn a_landscape_of_other_weights_is_begun_again() {
    let mut bench = Bench::new(1);
    bench.explainer.ask(Some(Question::Landscape), Instant::now());
    let Bench { explainer, model, sets, results, .. } = &mut bench;
    let slice = |explainer: &mut Explainer, step| {
        let snapshots: &dyn Fn(usize) -> _ = &|_| Vec::new();
        explainer.slice(&Moment { step, model, seed: 3, sets, results, snapshots })
    };
    for _ in 0..20 {
        let _ = slice(explainer, 1);
    }
    let first = std::iter::repeat_with(|| slice(explainer, 2)).flatten().next();
    assert_eq!(first.map(|answer| answer.step), Some(2));
}

#[test]
fn distributions_count_each_layers_values_and_find_the_units_that_are_dead() {
    let mut bench = Bench::new(300);
    let plan = Arc::clone(bench.model.plan());
    let mut weights = bench.model.weights().expect("in main memory");
    // The biases of two maps of the first convolution and of one of the second.
    for place in [150 + 2, 150 + 5, 156 + 2_400 + 7] {
        weights.trained[place] = -100.0;
    }
    bench.model = Model::new(Arc::clone(&plan), &weights, &Device::Cpu).expect("they fit");
    let flat =
        |values: &[f32]| Tensor::from_slice(values, values.len(), &Device::Cpu).expect("flat");
    let gradient = numbers(plan.trained_len(), 9, -1.0, 3.0);
    let after: Vec<f32> = weights.trained.iter().map(|weight| weight + 0.5).collect();
    let none = flat(&[]);
    let change = Change {
        loss: none.clone(),
        loss_after: none.clone(),
        logits: none,
        gradient: flat(&gradient),
        before: flat(&weights.trained),
        after: flat(&after),
    };
    bench.explainer.ask(Some(Question::Distributions), Instant::now());
    assert!(bench.explainer.lacks_change(4));
    bench.explainer.note_change(4, &change).expect("in main memory");
    assert!(!bench.explainer.lacks_change(4));
    let Content::Distributions(part) = bench.go_on(4).content else { panic!("distributions") };
    assert!(part.stages.iter().all(|stage| stage.dead.is_none()), "the images are searched later");
    let Content::Distributions(found) = bench.go_on(4).content else { panic!("distributions") };
    let names: Vec<&str> = found.layers.iter().map(|layer| layer.name.as_str()).collect();
    assert_eq!(names, ["layer1_conv", "layer2_conv", "fc"]);
    for (layer, range) in found.layers.iter().zip([0..156, 156..2_572, 2_572..5_142]) {
        assert_eq!(layer.weights, Histogram::of(&weights.trained[range.clone()]));
        assert_eq!(layer.gradients, Histogram::of(&gradient[range.clone()]));
        let moved: Vec<f32> = range.map(|place| after[place] - weights.trained[place]).collect();
        assert_eq!(layer.updates, Histogram::of(&moved));
    }
    // Each image by itself, by another path.
    let mut alive = vec![Vec::new(); 4];
    for index in 0..300 {
        let image = bench.sets.test.image(index).iter().map(|&byte| f32::from(byte) / 255.0);
        let image: Vec<f32> = image.collect();
        let (stages, _) = bench.model.stages(&image).expect("it fits");
        for ((stage, alive), units) in stages.iter().zip(&mut alive).zip([6, 6, 16, 16]) {
            alive.resize(units, false);
            for (unit, alive) in stage.chunks(stage.len() / units).zip(alive) {
                *alive |= unit.iter().any(|&value| value > 0.0);
            }
        }
    }
    let dead_of = |place: usize| -> Vec<u32> {
        (0..).zip(&alive[place]).filter(|(_, alive)| !**alive).map(|(unit, _)| unit).collect()
    };
    assert!([2, 5].iter().all(|unit| dead_of(0).contains(unit)) && dead_of(2).contains(&7));
    for (place, units) in [(0, 6), (2, 16)] {
        assert_eq!(found.stages[place].dead, Some(dead_of(place)));
        assert_eq!(found.stages[place].units, units);
    }
    assert_eq!((found.stages[1].units, found.images, found.all_images), (0, 256, 300));
}

/// The arithmetic at a position of a stage for an image.
fn arithmetic(bench: &mut Bench, stage: u32, place: [u32; 3]) -> Arithmetic {
    let subject = Subject::Image { set: ImageSet::Test, index: 0 };
    match bench.answer(&Question::Arithmetic { subject, stage, place }, 1).content {
        Content::Arithmetic(found) => found,
        other => panic!("{other:?}"),
    }
}

#[test]
fn arithmetic_is_that_of_the_maps_that_are_shown() {
    let mut bench = Bench::new(1);
    let pixels = bench.sets.test.image(0).to_vec();
    let grey: Vec<f32> = pixels.iter().map(|&byte| f32::from(byte) / 255.0).collect();
    let (stages, _) = bench.model.stages(&grey).expect("it fits");
    let weights = bench.model.weights().expect("in main memory").trained;
    // By hand, from the image: map 4 at row 7, column 19.
    let first = arithmetic(&mut bench, 0, [4, 7, 19]);
    let mut sum = 0.0;
    for (row, column) in (0..25).map(|place| (place / 5, place % 5)) {
        let (value, weight) =
            (grey[(7 + row) * 28 + 19 + column], weights[4 * 25 + row * 5 + column]);
        assert_eq!(first.patch[row * 5 + column], value);
        assert_eq!(first.kernel[row * 5 + column], weight);
        sum += f64::from(value * weight);
    }
    close(first.sum() as f32, sum as f32);
    assert_eq!((first.bias, first.corner, first.shape), (Some(weights[154]), [7, 19], [6, 24, 24]));
    close(first.output, sum as f32 + weights[154]);
    assert_eq!(first.after, [("layer1_relu".to_owned(), first.output.max(0.0))]);
    close(first.after[0].1, stages[0][(4 * 24 + 7) * 24 + 19]);
    // Of several inputs, which are the maps of the stage before; a position beyond is the last one.
    let second = arithmetic(&mut bench, 2, [15, 99, 3]);
    assert_eq!((second.place, second.inputs), ([15, 7, 3], 6));
    close(second.patch[2 * 25 + 6], stages[1][(2 * 12 + 8) * 12 + 4]);
    close(second.sum() as f32 + second.bias.expect("it has one"), second.output);
    close(second.after[0].1, stages[2][(15 * 8 + 7) * 8 + 3]);
    assert_eq!(second.map.len(), 64);
    close(second.map[7 * 8 + 3], second.after[0].1);
    let pool = Question::Arithmetic {
        subject: Subject::Image { set: ImageSet::Test, index: 0 },
        stage: 1,
        place: [0; 3],
    };
    assert!(matches!(bench.answer(&pool, 1).content, Content::Nothing(_)));
}

#[test]
fn arithmetic_pads_strides_and_passes_normalisation() {
    let mut bench = Bench::new(1);
    let spec = "conv 3 k3 s2 p1 nobias, bn, relu, flatten, linear";
    let plan = Plan::of(&spec.parse().expect("a network"), [1, 28, 28], 10).expect("it fits");
    let weights = Weights::initial(&plan, &mut seed::rng(5, Purpose::Initialisation, 0, 0));
    bench.model = Model::new(Arc::new(plan), &weights, &Device::Cpu).expect("it fits");
    let found = arithmetic(&mut bench, 0, [1, 0, 2]);
    assert_eq!(
        (found.corner, found.bias, found.patch[..3].to_vec()),
        ([-1, 3], None, vec![0.0; 3])
    );
    let grey =
        |row: usize, column: usize| f32::from(bench.sets.test.image(0)[row * 28 + column]) / 255.0;
    assert_eq!(found.patch[3..6], [3, 4, 5].map(|column| grey(0, column)));
    close(found.sum() as f32, found.output);
    let names: Vec<&str> = found.after.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names.len(), 2, "{names:?}");
    close(found.after[1].1, found.after[0].1.max(0.0));
}

#[test]
fn the_plane_of_the_trajectory_has_the_losses_of_the_runs_own_weights() {
    let mut bench = Bench::new(40);
    let none = bench.answer(&Question::Trajectory, 9).content;
    assert!(matches!(none, Content::Nothing(_)), "{none:?}");
    // In one plane with the weights.
    let weights = bench.model.weights().expect("in main memory").trained;
    let aside = numbers(weights.len(), 5, -0.02, 0.02);
    let moved = |along: f32, across: f32| -> Vec<f32> {
        let both = weights.iter().zip(&aside);
        both.map(|(it, aside)| it * (1.0 + along) + across * aside).collect()
    };
    bench.snapshots = vec![(0, moved(-0.4, 0.0)), (3, moved(-0.3, 1.0)), (6, moved(-0.1, 0.5))];
    bench.explainer.renew();
    let found = loop {
        match bench.go_on(9).content {
            Content::Landscape(found) if found.is_complete() => break found,
            Content::Landscape(_) => {}
            other => panic!("{other:?}"),
        }
    };
    let trajectory = found.trajectory.clone().expect("along the trajectory");
    assert_eq!((trajectory.steps, trajectory.points[3]), (vec![0, 3, 6, 9], [0.0; 2]));
    assert!((trajectory.shares.iter().sum::<f64>() - 1.0).abs() < 1e-5, "all lie in the plane");
    let indices: Vec<u32> = (0..40).collect();
    let (images, labels) =
        tensors(Seen::plain(&bench.sets.test), &indices, &Device::Cpu).expect("in main memory");
    let loss = |trained: Vec<f32>| -> f32 {
        let weights = Weights { trained, running: Vec::new() };
        let plan = Arc::clone(bench.model.plan());
        let model = Model::new(plan, &weights, &Device::Cpu).expect("they fit");
        let outcome = model.evaluate(&images, &labels).expect("in main memory");
        outcome.loss.to_scalar().expect("a scalar")
    };
    assert_eq!(found.centre, loss(weights.clone()));
    // The point of the grid next to each snapshot has nearly its loss.
    for ((_, snapshot), [x, y]) in bench.snapshots.clone().into_iter().zip(trajectory.points) {
        let distance = |place: &usize| {
            let at = found.at(*place);
            (at[0] - x).hypot(at[1] - y)
        };
        let near = (0..found.losses.len()).min_by(|a, b| distance(a).total_cmp(&distance(b)));
        let (near, expected) = (found.losses[near.expect("points")], loss(snapshot));
        assert!((near / expected - 1.0).abs() < 0.05, "{near}, not {expected}");
    }
}
