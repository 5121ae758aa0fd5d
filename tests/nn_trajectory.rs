//! Trains in step with `PyTorch`: the figures in tests/fixtures/torch are its own, on the same batches.

use std::sync::Arc;

use candle_core::{Device, Result, Tensor};
use mnist_tui::data::{self, Dataset, Splits};
use mnist_tui::network::Plan;
use mnist_tui::nn::adam::Adam;
use mnist_tui::nn::engine::Mode;
use mnist_tui::nn::model::{Model, Weights};
use safetensors::SafeTensors;
use serde::Deserialize;

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/torch");

const BATCH: usize = 50;

/// A name, and how the loss of images and labels is computed.
type Form = (&'static str, fn(&Model, &Tensor, &Tensor) -> Result<Tensor>);

/// By the kernels that the model chose.
const KERNELS: fn(&Model, &Tensor, &Tensor) -> Result<Tensor> =
    |model, images, labels| Ok(model.loss(images, labels, Mode::Evaluate)?.loss);

/// By kernels made for this network.
const SPECIAL: Form = ("special", KERNELS);

/// By kernels for any network.
const GENERAL: Form = ("general", KERNELS);

/// The composition for other devices; in main memory it is some thirty times slower.
const COMPOSED: Form = ("composed", |model, images, labels| {
    Ok(model.loss_composed(images, labels, Mode::Evaluate)?.loss)
});

fn model(form: Form, weights: &Weights) -> Result<Model> {
    let plan = Arc::new(Plan::article());
    if form.0 == GENERAL.0 {
        Model::general(plan, weights)
    } else {
        Model::new(plan, weights, &Device::Cpu)
    }
}

fn mnist() -> Splits {
    data::builtin().expect("it is inside the crate")
}

/// The batch of `len` images from `start` on, in file order.
fn batch(set: &Dataset, start: usize, len: usize) -> Result<(Tensor, Tensor)> {
    let images = &set.images()[start * 784..(start + len) * 784];
    let images = images.iter().map(|&byte| f32::from(byte) / 255.0).collect();
    let labels = set.labels()[start..start + len].iter().map(|&label| u32::from(label)).collect();
    Ok((
        Tensor::from_vec(images, (len, 1, 28, 28), &Device::Cpu)?,
        Tensor::from_vec(labels, len, &Device::Cpu)?,
    ))
}

#[derive(Deserialize)]
struct Trajectory {
    losses: Vec<f32>,
    logits_before: Vec<f32>,
    logits_after: Vec<f32>,
    test_correct: usize,
}

fn trajectory() -> Trajectory {
    let text =
        std::fs::read_to_string(format!("{FIXTURES}/trajectory.json")).expect("it is checked in");
    serde_json::from_str(&text).expect("it is the JSON that the reference script writes")
}

/// Values of all parameters, in the plan's order.
fn weights(name: &str) -> Weights {
    let bytes = std::fs::read(format!("{FIXTURES}/{name}.safetensors")).expect("it is checked in");
    let tensors = SafeTensors::deserialize(&bytes).expect("safetensors wrote it");
    let mut trained = Vec::new();
    for param in Plan::article().params() {
        let tensor = tensors.tensor(&param.name).expect("it has the article's six tensors");
        assert_eq!(tensor.shape(), param.shape);
        let (words, []) = tensor.data().as_chunks::<4>() else { panic!("{name} is not f32") };
        trained.extend(words.iter().map(|word| f32::from_le_bytes(*word)));
    }
    Weights { trained, running: Vec::new() }
}

/// The largest difference, and the largest of the expected values.
fn difference(found: &[f32], expected: &[f32]) -> (f32, f32) {
    assert_eq!(found.len(), expected.len());
    let differences = found.iter().zip(expected).map(|(a, b)| (a - b).abs());
    // `f32::max` would pass over what is not a number.
    let largest = differences.fold(0.0, |m: f32, d| if d <= m { m } else { d });
    (largest, expected.iter().fold(0.0, |m, v| m.max(v.abs())))
}

fn correct(model: &Model, test: &Dataset) -> Result<usize> {
    let mut correct = 0;
    for start in (0..test.len()).step_by(1000) {
        let (images, labels) = batch(test, start, 1000)?;
        let found = model.logits(&images)?.argmax(1)?.to_vec1::<u32>()?;
        correct += found.iter().zip(labels.to_vec1::<u32>()?).filter(|(a, b)| *a == b).count();
    }
    Ok(correct)
}

#[test]
fn gradients_of_the_first_batch_are_those_of_pytorch() -> Result<()> {
    let Splits { train, .. } = mnist();
    let (images, labels) = batch(&train, 0, BATCH)?;
    let expected = weights("grad0");
    for form in [SPECIAL, GENERAL, COMPOSED] {
        let model = model(form, &weights("init"))?;
        let grads = form.1(&model, &images, &labels)?.backward()?;
        let grads = grads.get(model.variable()).expect("it is what the loss depends on");
        let grads = grads.to_vec1::<f32>()?;
        for param in model.plan().params() {
            let at = param.range.clone();
            let (largest, scale) = difference(&grads[at.clone()], &expected.trained[at]);
            let name = &param.name;
            assert!(largest <= 1e-4 * scale, "{} {name}: off by {largest} of {scale}", form.0);
        }
    }
    Ok(())
}

/// Trains on the first batches in file order; every loss must be `PyTorch`'s.
fn train(form: Form, train: &Dataset, losses: &[f32]) -> Result<Model> {
    let model = model(form, &weights("init"))?;
    let (form, loss) = form;
    let mut adam = Adam::new(&model)?;
    for (step, expected) in losses.iter().enumerate() {
        let (images, labels) = batch(train, step * BATCH, BATCH)?;
        let loss = loss(&model, &images, &labels)?;
        adam.step(&loss.backward()?)?;
        let found = loss.to_scalar::<f32>()?;
        assert!((found - expected).abs() < 2e-3, "{form} step {step}: {found} for {expected}");
    }
    Ok(model)
}

#[test]
fn losses_weights_logits_and_accuracy_follow_pytorch_for_200_steps() -> Result<()> {
    let Splits { train: train_set, test, .. } = mnist();
    let expected = trajectory();
    assert_eq!(expected.losses.len(), 200);
    let (first_image, _) = batch(&test, 0, 1)?;
    let logits = |model: &Model| model.logits(&first_image)?.flatten_all()?.to_vec1::<f32>();

    let before = model(SPECIAL, &weights("init"))?;
    let (largest, _) = difference(&logits(&before)?, &expected.logits_before);
    assert!(largest < 1e-6, "logits before training off by {largest}");

    for form in [SPECIAL, GENERAL] {
        let model = train(form, &train_set, &expected.losses)?;
        // PyTorch's own f32 and f64 runs end up to 1.6e-4 apart; ten times that is fair.
        let (largest, _) = difference(&model.weights()?.trained, &weights("after").trained);
        assert!(largest < 1.6e-3, "{}: off by {largest}", form.0);
        let (largest, scale) = difference(&logits(&model)?, &expected.logits_after);
        assert!(largest < 2e-3 * scale, "logits after training off by {largest}");
        let correct = correct(&model, &test)?;
        assert!(correct.abs_diff(expected.test_correct) <= 5, "{correct} right");
    }
    Ok(())
}

#[test]
fn losses_of_the_composition_follow_pytorch_for_20_steps() -> Result<()> {
    train(COMPOSED, &mnist().train, &trajectory().losses[..20])?;
    Ok(())
}
