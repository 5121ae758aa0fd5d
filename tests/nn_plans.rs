//! Trains networks of many kinds of layers next to `PyTorch`: the figures of
//! tests/fixtures/torch/plans.json are its own, made by plans.py on the same batches.

use std::{collections::HashMap, sync::Arc};

use candle_core::{Device, Result, Tensor};
use mnist_tui::{
    data::{self, Dataset},
    network::{NetworkSpec, Plan},
    nn::{
        adam::Adam,
        engine::{Key, Mode},
        model::{Model, Outcome, Weights},
    },
    seed::{self, Purpose},
};
use serde::Deserialize;

const BATCH: usize = 50;

#[derive(Deserialize)]
struct Figures {
    layers: String,
    losses: Vec<f32>,
    gradients: HashMap<String, Gradient>,
    logits: Vec<f32>,
    statistics: HashMap<String, Vec<f32>>,
}

/// A gradient by its norm and by its sums under patterns of signs.
#[derive(Deserialize)]
struct Gradient {
    norm: f64,
    sums: Vec<f64>,
}

fn figures() -> Vec<Figures> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/torch/plans.json");
    let text = std::fs::read_to_string(path).expect("it is checked in");
    serde_json::from_str(&text).expect("it is the JSON that the script writes")
}

/// The sign of a place in a pattern, as plans.py has it.
fn sign(place: usize, pattern: usize) -> f64 {
    let mixed = (place as u32).wrapping_mul(2_654_435_761);
    let mixed = mixed.wrapping_add((pattern as u32).wrapping_mul(40_503));
    let mixed = (mixed ^ (mixed >> 15)).wrapping_mul(2_246_822_519);
    if mixed >> 31 == 1 { 1.0 } else { -1.0 }
}

fn batch(set: &Dataset, step: usize) -> Result<(Tensor, Tensor)> {
    let places = || step * BATCH..(step + 1) * BATCH;
    let images: Vec<u8> = places().flat_map(|place| set.image(place)).copied().collect();
    let labels: Vec<u32> = places().map(|place| u32::from(set.label(place))).collect();
    Ok((
        Tensor::from_vec(images, (BATCH, 1, 28, 28), &Device::Cpu)?,
        Tensor::from_vec(labels, BATCH, &Device::Cpu)?,
    ))
}

fn model(layers: &str) -> Result<Model> {
    let spec: NetworkSpec = layers.parse().expect("it reads");
    let plan = Arc::new(Plan::of(&spec, [1, 28, 28], 10).expect("it fits"));
    let weights = Weights::initial(&plan, &mut seed::rng(0, Purpose::Initialisation, 0, 0));
    Model::new(plan, &weights, &Device::Cpu)
}

/// Checks the distance of each parameter's gradient from `PyTorch`'s.
fn check_gradients(model: &Model, outcome: &Outcome, expected: &Figures) -> Result<()> {
    let grads = outcome.backward(model.variable())?;
    let grads = grads.get(model.variable()).expect("the loss depends on it").to_vec1::<f32>()?;
    for param in model.plan().params() {
        let Gradient { norm, sums } = &expected.gradients[&param.name];
        let values = &grads[param.range.clone()];
        let squares = sums.iter().enumerate().map(|(pattern, expected)| {
            let terms = values.iter().enumerate();
            let sum: f64 =
                terms.map(|(place, &value)| f64::from(value) * sign(place, pattern)).sum();
            (sum - expected).powi(2)
        });
        let distance = (squares.sum::<f64>() / sums.len() as f64).sqrt();
        let name = format!("{}: {}", expected.layers, param.name);
        assert!(distance <= 1e-4 * norm, "{name} is off by {distance} of {norm}");
    }
    Ok(())
}

#[test]
fn losses_gradients_statistics_and_logits_follow_pytorch_for_200_steps() -> Result<()> {
    let train = data::builtin().expect("it is inside the crate").train;
    for expected in figures() {
        let layers = &expected.layers;
        let mut model = model(layers)?;
        let mut adam = Adam::new(&model)?;
        adam.set_learning_rate(5e-4);
        assert_eq!(expected.losses.len(), 200);
        for (step, expected_loss) in expected.losses.iter().enumerate() {
            let (images, labels) = batch(&train, step)?;
            let mode = Mode::Train(Key { seed: 0, epoch: 1, step: step as u64 + 1 });
            let outcome = model.loss(&images, &labels, mode)?;
            if step == 0 {
                check_gradients(&model, &outcome, &expected)?;
            }
            let loss = outcome.loss.to_scalar::<f32>()?;
            assert!((loss - expected_loss).abs() < 2e-3, "{layers}, step {step}: {loss}");
            adam.step(&outcome.backward(model.variable())?)?;
            if let Some(running) = outcome.running {
                model.set_running(running);
            }
        }
        let Weights { running, .. } = model.weights()?;
        for param in model.plan().running() {
            let found = &running[param.range.clone()];
            let statistics = &expected.statistics[&param.name];
            assert_eq!(found.len(), statistics.len());
            let scale = statistics.iter().fold(0.0, |m: f32, value| m.max(value.abs()));
            for (found, expected) in found.iter().zip(statistics) {
                let close = (found - expected).abs() < 1e-2 * scale;
                assert!(close, "{layers}: {} is {found}, not {expected}", param.name);
            }
        }
        let image = train.image(0).iter().map(|&byte| f32::from(byte) / 255.0);
        let (_, logits) = model.stages(&image.collect::<Vec<_>>())?;
        let scale = expected.logits.iter().fold(0.0, |m: f32, value| m.max(value.abs()));
        for (found, expected) in logits.iter().zip(&expected.logits) {
            assert!((found - expected).abs() < 1e-2 * scale, "{layers}: {found} for {expected}");
        }
    }
    Ok(())
}
