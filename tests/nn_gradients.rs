//! Finite differences through tiny networks of every layer kind, for every parameter.

use std::sync::Arc;

use candle_core::{DType, Device, Result, Tensor, Var};
use mnist_tui::{
    network::{NetworkSpec, Plan},
    nn::{
        composed,
        engine::{Key, Mode},
        loss,
        model::{Model, Weights},
    },
};
use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Kernels that leave rows out, strides, padding, overlapping windows, blocks, and dropout under a mask
/// that stays.
const NETWORKS: [&str; 5] = [
    "conv 2 k3, relu, pool 2, conv 3 k2, relu, pool 2, gap, linear",
    "conv 3 k3 s2 p1, gelu, conv 2 k2 p1, avgpool 2 s1, flatten, linear 5, relu, linear nobias",
    "conv 2 k3 p1, bn, relu, pool 3 s2, residual(conv 2 k3 p1, bn, gelu, conv 2 k1), flatten, linear",
    "conv 2 k3, dropout 0.3, residual(residual(gelu, conv 2 k3 p2 nobias, conv 2 k3)), flatten, \
     dropout 0.5, linear",
    "bn, flatten, linear 4, bn, gelu, linear",
];
const BATCH: usize = 6;
const CLASSES: usize = 4;
const MODE: Mode = Mode::Train(Key { seed: 7, epoch: 1, step: 3 });

fn draw(rng: &mut ChaCha8Rng, len: usize) -> Vec<f64> {
    (0..len).map(|_| f64::from(rng.next_u32()) / f64::from(u32::MAX) - 0.4).collect()
}

struct Trial {
    plan: Arc<Plan>,
    images: Tensor,
    labels: Tensor,
}

impl Trial {
    /// The loss as a function of the parameters, in f64.
    fn composed(&self, trained: &Var) -> Result<Tensor> {
        let running = Tensor::zeros(self.plan.running_len(), DType::F64, &Device::Cpu)?;
        let values = composed::forward(&self.plan, trained, &running, &self.images, MODE)?;
        loss::cross_entropy_composed(&values.logits(), &self.labels)
    }

    /// The gradients by the kernels, in f32.
    fn fast(&self, trained: &[f64]) -> Result<Vec<f32>> {
        let trained = trained.iter().map(|&value| value as f32).collect();
        let weights = Weights { trained, running: vec![0.0; self.plan.running_len()] };
        let model = Model::new(Arc::clone(&self.plan), &weights, &Device::Cpu)?;
        let loss = model.loss(&self.images.to_dtype(DType::F32)?, &self.labels, MODE)?.loss;
        loss.backward()?.get(model.variable()).expect("the loss depends on it").to_vec1()
    }
}

#[test]
fn every_gradient_is_the_slope_of_the_loss() -> Result<()> {
    // Far above the rounding of f64 (1e-16 / STEP), far below the distance to the next kink of
    // pooling or ReLU, so that central differences are right to about 1e-9.
    const STEP: f64 = 1e-6;
    for network in NETWORKS {
        let mut rng = ChaCha8Rng::seed_from_u64(12);
        let spec: NetworkSpec = network.parse().expect("it reads");
        let images =
            Tensor::from_vec(draw(&mut rng, BATCH * 110), (BATCH, 1, 11, 10), &Device::Cpu)?;
        let trial = Trial {
            plan: Arc::new(Plan::of(&spec, [1, 11, 10], CLASSES).expect("it fits")),
            images,
            labels: Tensor::new(&[0u32, 1, 2, 3, 0, 2], &Device::Cpu)?,
        };
        let trained = draw(&mut rng, trial.plan.trained_len());
        let variable = |values: &[f64]| Var::from_slice(values, values.len(), &Device::Cpu);
        let at = variable(&trained)?;
        let grads = trial.composed(&at)?.backward()?;
        let composed = grads.get(&at).expect("the loss depends on it").to_vec1::<f64>()?;
        let fast = trial.fast(&trained)?;
        let scale = composed.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
        for param in trial.plan.params() {
            let range = param.range.clone();
            let mut moved = 0;
            for scalar in range.clone() {
                let loss_at = |offset: f64| -> Result<f64> {
                    let mut values = trained.clone();
                    values[scalar] += offset;
                    trial.composed(&variable(&values)?)?.to_scalar()
                };
                let slope = (loss_at(STEP)? - loss_at(-STEP)?) / (2.0 * STEP);
                moved += usize::from(slope.abs() > 1e-9);
                let (composed, fast) = (composed[scalar], f64::from(fast[scalar]));
                let name = format!("{network}: {}[{}]", param.name, scalar - range.start);
                assert!((composed - slope).abs() < 1e-8, "{name}: {composed} for {slope}");
                // f32 has 24 bits; a gradient is a sum of some hundred products, which may cancel.
                assert!((fast - slope).abs() < 5e-6 * scale, "{name}: {fast} for {slope}");
            }
            // A bias that is normalised away moves nothing.
            let normalised = network.contains("bn") && param.name.ends_with("bias");
            assert!(
                2 * moved > range.len() || normalised,
                "{network}: {} stands still",
                param.name
            );
        }
    }
    Ok(())
}
