//! Trains beside `PyTorch`: the figures in tests/fixtures/torch are its own, on the same batches.

use candle_core::{Device, Result, Tensor};
use mnist_tui::data::{self, Dataset, Splits};
use mnist_tui::nn::adam::Adam;
use mnist_tui::nn::loss;
use mnist_tui::nn::model::Model;
use mnist_tui::nn::parameters::{Parameter, Parameters, SHAPES};
use safetensors::SafeTensors;
use serde::Deserialize;

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/torch");

const BATCH: usize = 50;

/// A name, and how the loss of images and labels is computed.
type Form = (&'static str, fn(&Model, &Tensor, &Tensor) -> Result<Tensor>);

/// The whole network in one operation, for main memory.
const NETWORK: Form = ("network", |model, images, labels| Ok(model.loss(images, labels)?.loss));

/// One operation after the other, each with kernels for main memory.
const FUSED: Form =
    ("fused", |model, images, labels| loss::cross_entropy_fused(&model.forward(images)?, labels));

/// The composition for other devices; in main memory it is some thirty times slower.
const COMPOSED: Form = ("composed", |model, images, labels| {
    loss::cross_entropy_composed(&model.forward_composed(images)?, labels)
});

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

fn parameters(name: &str) -> Parameters {
    let bytes = std::fs::read(format!("{FIXTURES}/{name}.safetensors")).expect("it is checked in");
    let tensors = SafeTensors::deserialize(&bytes).expect("safetensors wrote it");
    let parameter = |(name, _): (&str, _)| {
        let tensor = tensors.tensor(name).expect("it has the article's six tensors");
        let (words, []) = tensor.data().as_chunks::<4>() else { panic!("{name} is not f32") };
        let values = words.iter().map(|word| f32::from_le_bytes(*word)).collect();
        Parameter { name: name.to_owned(), shape: tensor.shape().to_vec(), values }
    };
    Parameters(SHAPES.into_iter().map(parameter).collect())
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
        let found = model.forward(&images)?.argmax(1)?.to_vec1::<u32>()?;
        correct += found.iter().zip(labels.to_vec1::<u32>()?).filter(|(a, b)| *a == b).count();
    }
    Ok(correct)
}

#[test]
fn gradients_of_the_first_batch_are_those_of_pytorch() -> Result<()> {
    let Splits { train, .. } = mnist();
    let (images, labels) = batch(&train, 0, BATCH)?;
    let expected = parameters("grad0");
    for (form, loss) in [NETWORK, FUSED, COMPOSED] {
        let model = Model::new(&parameters("init"), &Device::Cpu)?;
        let grads = loss(&model, &images, &labels)?.backward()?;
        let grads = grads.get(model.variable()).expect("it is what the loss depends on");
        for (grad, expected) in Model::split(grads)?.iter().zip(&expected.0) {
            let name = &expected.name;
            assert_eq!(grad.dims(), expected.shape, "{form} {name}");
            let grad = grad.flatten_all()?.to_vec1::<f32>()?;
            let (largest, scale) = difference(&grad, &expected.values);
            assert!(largest <= 1e-4 * scale, "{form} {name}: off by {largest} of {scale}");
        }
    }
    Ok(())
}

/// Trains on the first batches in file order; every loss must be `PyTorch`'s.
fn train((form, loss): Form, train: &Dataset, losses: &[f32]) -> Result<Model> {
    let model = Model::new(&parameters("init"), &Device::Cpu)?;
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
    let logits = |model: &Model| model.forward(&first_image)?.flatten_all()?.to_vec1::<f32>();

    let before = Model::new(&parameters("init"), &Device::Cpu)?;
    let (largest, _) = difference(&logits(&before)?, &expected.logits_before);
    assert!(largest < 1e-6, "logits before training off by {largest}");

    let model = train(NETWORK, &train_set, &expected.losses)?;
    // PyTorch's own f32 and f64 runs end up to 1.6e-4 apart; ten times that is fair.
    for (found, expected) in model.parameters()?.0.iter().zip(&parameters("after").0) {
        let (largest, _) = difference(&found.values, &expected.values);
        assert!(largest < 1.6e-3, "{}: off by {largest}", found.name);
    }
    let (largest, scale) = difference(&logits(&model)?, &expected.logits_after);
    assert!(largest < 2e-3 * scale, "logits after training off by {largest}");
    let correct = correct(&model, &test)?;
    assert!(correct.abs_diff(expected.test_correct) <= 5, "{correct} right");
    Ok(())
}

#[test]
fn losses_of_the_other_forms_follow_pytorch_for_20_steps() -> Result<()> {
    for form in [FUSED, COMPOSED] {
        train(form, &mnist().train, &trajectory().losses[..20])?;
    }
    Ok(())
}
