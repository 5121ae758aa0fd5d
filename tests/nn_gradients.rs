//! Finite differences through a tiny network of every layer kind, for every parameter.

use candle_core::{DType, Device, Result, Tensor, Var};
use mnist_tui::nn::{conv_block, linear, loss};
use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Conv 1→2 (3×3) on 11×10, conv 2→3 (2×2) on 4×4 (an odd row and column are left out), linear.
const SHAPES: [(&str, &[usize]); 6] = [
    ("conv1.weight", &[2, 1, 3, 3]),
    ("conv1.bias", &[2]),
    ("conv2.weight", &[3, 2, 2, 2]),
    ("conv2.bias", &[3]),
    ("linear.weight", &[4, 3]),
    ("linear.bias", &[4]),
];
const BATCH: usize = 6;

type Parameters = Vec<Vec<f64>>;

fn draw(rng: &mut ChaCha8Rng, len: usize) -> Vec<f64> {
    (0..len).map(|_| f64::from(rng.next_u32()) / f64::from(u32::MAX) - 0.4).collect()
}

struct Network {
    images: Vec<f64>,
    labels: Tensor,
}

impl Network {
    /// The loss and the variables it depends on, in the precision of `dtype`.
    fn loss(
        &self,
        parameters: &Parameters,
        dtype: DType,
        fused: bool,
    ) -> Result<(Tensor, Vec<Var>)> {
        let device = &Device::Cpu;
        let images =
            Tensor::from_slice(&self.images, (BATCH, 1, 11, 10), device)?.to_dtype(dtype)?;
        let variables = SHAPES
            .iter()
            .zip(parameters)
            .map(|((_, shape), values)| {
                Var::from_tensor(&Tensor::from_slice(values, *shape, device)?.to_dtype(dtype)?)
            })
            .collect::<Result<Vec<_>>>()?;
        let [w1, b1, w2, b2, w3, b3] = &variables[..] else { unreachable!("one for each shape") };
        let loss = if fused {
            let maps = conv_block::forward_fused(&images, w1, b1)?;
            let maps = conv_block::forward_fused(&maps, w2, b2)?;
            loss::cross_entropy_fused(&linear::forward_fused(&maps, w3, b3)?, &self.labels)?
        } else {
            let maps = conv_block::forward_composed(&images, w1, b1)?;
            let maps = conv_block::forward_composed(&maps, w2, b2)?;
            loss::cross_entropy_composed(&linear::forward_composed(&maps, w3, b3)?, &self.labels)?
        };
        Ok((loss, variables))
    }

    fn gradients(&self, parameters: &Parameters, dtype: DType, fused: bool) -> Result<Parameters> {
        let (loss, variables) = self.loss(parameters, dtype, fused)?;
        let grads = loss.backward()?;
        let grad = |variable: &Var| {
            let grad = grads.get(variable).expect("every variable takes part");
            grad.flatten_all()?.to_dtype(DType::F64)?.to_vec1()
        };
        variables.iter().map(grad).collect()
    }
}

#[test]
fn every_gradient_is_the_slope_of_the_loss() -> Result<()> {
    // Far above the rounding of f64 (1e-16 / STEP), far below the distance to the next kink of
    // pooling or ReLU, so that central differences are right to about 1e-9.
    const STEP: f64 = 1e-6;
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let network = Network {
        images: draw(&mut rng, BATCH * 110),
        labels: Tensor::new(&[0u32, 1, 2, 3, 0, 2], &Device::Cpu)?,
    };
    let parameters: Parameters =
        SHAPES.iter().map(|(_, shape)| draw(&mut rng, shape.iter().product())).collect();
    let composed = network.gradients(&parameters, DType::F64, false)?;
    let fused = network.gradients(&parameters, DType::F32, true)?;
    for (tensor, (name, _)) in SHAPES.iter().enumerate() {
        let mut moved = 0;
        let scale = composed[tensor].iter().fold(0.0, |m: f64, v| m.max(v.abs()));
        for scalar in 0..parameters[tensor].len() {
            let loss_at = |offset: f64| -> Result<f64> {
                let mut parameters = parameters.clone();
                parameters[tensor][scalar] += offset;
                network.loss(&parameters, DType::F64, false)?.0.to_scalar()
            };
            let slope = (loss_at(STEP)? - loss_at(-STEP)?) / (2.0 * STEP);
            moved += usize::from(slope != 0.0);
            let [composed, fused] = [composed[tensor][scalar], fused[tensor][scalar]];
            assert!((composed - slope).abs() < 1e-8, "{name}[{scalar}]: {composed} for {slope}");
            // f32 has 24 bits; a gradient is a sum of some hundred products.
            assert!(
                (fused - slope).abs() < 2e-6 * scale.max(0.1),
                "{name}[{scalar}]: {fused} for {slope}"
            );
        }
        assert!(
            2 * moved > parameters[tensor].len(),
            "{name}: the test must not look at zeros only"
        );
    }
    Ok(())
}
