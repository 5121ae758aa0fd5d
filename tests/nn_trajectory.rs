//! Trains beside `PyTorch`: the figures in tests/fixtures/torch are its own, on the same batches.

use candle_core::{Device, Result, Tensor};
use mnist_tui::nn::adam::Adam;
use mnist_tui::nn::loss;
use mnist_tui::nn::model::Model;
use mnist_tui::nn::parameters::{Parameter, Parameters, SHAPES};
use safetensors::SafeTensors;
use serde::Deserialize;

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/torch");

const BATCH: usize = 50;

type Forward = fn(&Model, &Tensor) -> Result<Tensor>;
type Loss = fn(&Tensor, &Tensor) -> Result<Tensor>;

/// The kernels for main memory.
const FUSED: (&str, Forward, Loss) = ("fused", Model::forward, loss::cross_entropy_fused);

/// The composition for other devices; in main memory it is some thirty times slower.
const COMPOSED: (&str, Forward, Loss) =
    ("composed", Model::forward_composed, loss::cross_entropy_composed);

/// Images (784 bytes each) and labels.
struct Set {
    images: Vec<u8>,
    labels: Vec<u8>,
}

// ---------------------------------------------------------------------------------------------
// SWAP ON MERGE: the only place that knows where the data is; replace with the built-in data set.
fn sets() -> (Set, Set) {
    let read = |name: &str, header: usize| {
        let path = format!("/tmp/w/package/data/{name}");
        std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))[header..].to_vec()
    };
    let set = |name: &str| Set {
        images: read(&format!("{name}-images-idx3-ubyte"), 16),
        labels: read(&format!("{name}-labels-idx1-ubyte"), 8),
    };
    (set("train"), set("t10k"))
}
// ---------------------------------------------------------------------------------------------

impl Set {
    /// The batch of `len` images from `start` on, in file order.
    fn batch(&self, start: usize, len: usize) -> Result<(Tensor, Tensor)> {
        let images = &self.images[start * 784..(start + len) * 784];
        let images = images.iter().map(|&byte| f32::from(byte) / 255.0).collect();
        let labels =
            self.labels[start..start + len].iter().map(|&label| u32::from(label)).collect();
        Ok((
            Tensor::from_vec(images, (len, 1, 28, 28), &Device::Cpu)?,
            Tensor::from_vec(labels, len, &Device::Cpu)?,
        ))
    }
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

fn correct(model: &Model, test: &Set) -> Result<usize> {
    let mut correct = 0;
    for start in (0..test.labels.len()).step_by(1000) {
        let (images, labels) = test.batch(start, 1000)?;
        let found = model.forward(&images)?.argmax(1)?.to_vec1::<u32>()?;
        correct += found.iter().zip(labels.to_vec1::<u32>()?).filter(|(a, b)| *a == b).count();
    }
    Ok(correct)
}

#[test]
fn gradients_of_the_first_batch_are_those_of_pytorch() -> Result<()> {
    let (train, _) = sets();
    let (images, labels) = train.batch(0, BATCH)?;
    let expected = parameters("grad0");
    for (form, forward, loss) in [FUSED, COMPOSED] {
        let model = Model::new(&parameters("init"), &Device::Cpu)?;
        let grads = loss(&forward(&model, &images)?, &labels)?.backward()?;
        for ((name, variable), expected) in model.variables().into_iter().zip(&expected.0) {
            let grad = grads.get(variable).expect("every variable takes part");
            assert_eq!(grad.dims(), expected.shape, "{form} {name}");
            let grad = grad.flatten_all()?.to_vec1::<f32>()?;
            let (largest, scale) = difference(&grad, &expected.values);
            assert!(largest <= 1e-4 * scale, "{form} {name}: off by {largest} of {scale}");
        }
    }
    Ok(())
}

/// Trains on the first batches in file order; every loss must be `PyTorch`'s.
fn train(
    (form, forward, loss): (&str, Forward, Loss),
    train: &Set,
    losses: &[f32],
) -> Result<Model> {
    let model = Model::new(&parameters("init"), &Device::Cpu)?;
    let mut adam = Adam::new(&model)?;
    for (step, expected) in losses.iter().enumerate() {
        let (images, labels) = train.batch(step * BATCH, BATCH)?;
        let loss = loss(&forward(&model, &images)?, &labels)?;
        adam.step(&loss.backward()?)?;
        let found = loss.to_scalar::<f32>()?;
        assert!((found - expected).abs() < 2e-3, "{form} step {step}: {found} for {expected}");
    }
    Ok(model)
}

#[test]
fn losses_weights_logits_and_accuracy_follow_pytorch_for_200_steps() -> Result<()> {
    let (train_set, test) = sets();
    let expected = trajectory();
    assert_eq!(expected.losses.len(), 200);
    let (first_image, _) = test.batch(0, 1)?;
    let logits = |model: &Model| model.forward(&first_image)?.flatten_all()?.to_vec1::<f32>();

    let before = Model::new(&parameters("init"), &Device::Cpu)?;
    let (largest, _) = difference(&logits(&before)?, &expected.logits_before);
    assert!(largest < 1e-6, "logits before training off by {largest}");

    let model = train(FUSED, &train_set, &expected.losses)?;
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
fn losses_of_the_composition_follow_pytorch_for_20_steps() -> Result<()> {
    train(COMPOSED, &sets().0, &trajectory().losses[..20])?;
    Ok(())
}
