//! The general kernels against the composition of candle's operations.

use std::sync::Arc;

use candle_core::{DType, Device, Result, Tensor};
use proptest::prelude::*;
use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{Graph, Input, Pixels};
use crate::network::{Layer, NetworkSpec, Plan};
use crate::nn::engine::{Key, Mode};
use crate::nn::model::{Model, Outcome, Weights};
use crate::nn::simd::tests::on_every_width;

fn layer() -> impl Strategy<Value = Layer> {
    let conv = (1usize..20, 1usize..4, 1usize..3, 0usize..3, any::<bool>()).prop_map(
        |(channels, kernel, stride, padding, bias)| {
            let padding = padding.min(kernel - 1);
            Layer::Conv { channels, kernel, stride, padding, bias }
        },
    );
    let pool = (1usize..4, 1usize..4);
    prop_oneof![
        4 => conv,
        2 => Just(Layer::Relu),
        1 => Just(Layer::Gelu),
        1 => Just(Layer::BatchNorm),
        1 => (0usize..5).prop_map(|tenths| Layer::Dropout { p: tenths as f64 / 10.0 }),
        1 => pool.clone().prop_map(|(size, stride)| Layer::MaxPool { size, stride: Some(stride) }),
        1 => pool.prop_map(|(size, stride)| Layer::AvgPool { size, stride: Some(stride) }),
    ]
}

fn network() -> impl Strategy<Value = NetworkSpec> {
    let same = prop::collection::vec(
        prop_oneof![Just(Layer::Relu), Just(Layer::BatchNorm), Just(Layer::Dropout { p: 0.3 }),],
        1..3,
    );
    let residual = same.prop_map(|layers| Layer::Residual { layers });
    let layers = prop::collection::vec(prop_oneof![5 => layer(), 1 => residual], 0..6);
    let widths = prop::collection::vec(1usize..40, 0..2);
    (layers, any::<bool>(), widths).prop_map(|(mut layers, averaged, widths)| {
        layers.push(if averaged { Layer::GlobalAvgPool } else { Layer::Flatten });
        for width in widths {
            layers.extend([Layer::Linear { width: Some(width), bias: true }, Layer::Relu]);
        }
        layers.push(Layer::Linear { width: None, bias: false });
        NetworkSpec { layers }
    })
}

/// Loss, logits, gradients and running statistics.
fn read(model: &Model, outcome: &Outcome) -> Result<[Vec<f32>; 4]> {
    let grads = outcome.loss.backward()?;
    let grads = grads.get(model.variable()).expect("the loss depends on it");
    let running = outcome.running.as_ref().map(Tensor::to_vec1).transpose()?;
    Ok([
        vec![outcome.loss.to_scalar()?],
        outcome.logits.flatten_all()?.to_vec1()?,
        grads.to_vec1()?,
        running.unwrap_or_default(),
    ])
}

/// The norm of the difference of two arrays.
fn distance(a: &[f32], b: &[f32]) -> f64 {
    let squares = a.iter().zip(b).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2));
    squares.sum::<f64>().sqrt()
}

/// A factor that moves a value by up to 16 roundings: several layers lie between.
fn rounding(rng: &mut ChaCha8Rng) -> f32 {
    1.0 + (rng.next_u32() as f32 / u32::MAX as f32 - 0.5) * 32.0 * f32::EPSILON
}

/// Whether both forms agree on a batch, by the norms of their differences.
fn check(plan: &Arc<Plan>, n: usize, seed: u64) -> Result<()> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut weights = Weights::initial(plan, &mut rng);
    // Next to 0, rounding b + w·x to a float leaves little of x for a batch normalisation after it.
    for param in plan.params() {
        let inputs: usize = param.shape.iter().skip(1).product();
        let least = 0.5 / (inputs as f32).sqrt();
        weights.trained[param.range.clone()].iter_mut().for_each(|w| *w += w.signum() * least);
    }
    let model = Model::general(Arc::clone(plan), &weights)?;
    let [channels, height, width] = plan.input();
    let images =
        (0..n * channels * height * width).map(|_| rng.next_u32() as f32 / u32::MAX as f32);
    let images = Tensor::from_iter(images, &Device::Cpu)?.reshape((n, channels, height, width))?;
    for mode in [Mode::Train(Key { seed, epoch: 2, step: 9 }), Mode::Evaluate] {
        // The least likely classes: where the network is sure of a label, rounding leaves little of the
        // gradient p − 1.
        let any = Tensor::zeros(n, DType::U32, &Device::Cpu)?;
        let labels = model.loss(&images, &any, mode)?.logits.argmin(1)?;
        let fast = read(&model, &model.loss(&images, &labels, mode)?)?;
        // Memory that was used before gives the same.
        assert_eq!(fast, read(&model, &model.loss(&images, &labels, mode)?)?);
        let composed = read(&model, &model.loss_composed(&images, &labels, mode)?)?;
        for (place, what) in ["loss", "logits", "gradients", "statistics"].iter().enumerate() {
            let (fast, composed) = (&fast[place], &composed[place]);
            assert_eq!(fast.len(), composed.len(), "{what}");
            let size = distance(composed, &vec![0.0; composed.len()]);
            let difference = distance(fast, composed);
            if difference <= 2e-4 * size.max(1e-3) {
                continue;
            }
            // A ReLU or a maximum that is undecided to within rounding, or a normalisation of hardly
            // any variance: there, roundings of the input change the composition as much.
            let mut moved = 0.0_f64;
            for _ in 0..16 {
                let factors = (0..images.elem_count()).map(|_| rounding(&mut rng));
                let factors = Tensor::from_iter(factors, &Device::Cpu)?;
                let images = (&images * factors.reshape(images.shape())?)?;
                let mut weights = weights.clone();
                weights.trained.iter_mut().for_each(|w| *w *= rounding(&mut rng));
                let model = Model::general(Arc::clone(plan), &weights)?;
                let other = read(&model, &model.loss_composed(&images, &labels, mode)?)?;
                moved = moved.max(distance(&other[place], composed));
            }
            assert!(difference <= 4.0 * moved, "{what}: {difference} of {size}, {moved}");
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn fast_and_composed_forms_agree(
        spec in network(),
        side in 5usize..13,
        channels in 1usize..3,
        classes in 2usize..12,
        // A batch normalisation over two values that differ by little more than a rounding makes noise of
        // them.
        n in 4usize..10,
        seed: u64,
    ) {
        // Layers that do not fit are no networks.
        let Ok(plan) = Plan::of(&spec, [channels, side, side + 1], classes) else {
            return Err(TestCaseError::reject("the layers do not fit"));
        };
        let plan = Arc::new(plan);
        on_every_width(|| check(&plan, n, seed).expect("the shapes fit"));
    }
}

/// Shapes that random networks seldom have, each with kernels made for it.
#[test]
fn kernels_for_certain_shapes_agree_with_the_composition() {
    for (layers, [height, width]) in [
        // One input channel, with one and with two pixels to a vector, and more channels than one holds.
        ("conv 6 k5, relu, pool 2, conv 16 k5, relu, pool 2, flatten, linear", [28, 28]),
        ("conv 7 k3 p1, relu, conv 3 k5, flatten, linear", [7, 18]),
        ("conv 8 k5 p2, pool 2, flatten, linear", [6, 27]),
        ("conv 20 k3 p1, relu, gap, linear", [4, 9]),
        ("conv 5 k3, bn, relu, flatten, linear", [5, 6]),
        // Channels that fill one vector, in rows of one block and in rows whose blocks overlap.
        ("conv 16 k3 p1, relu, conv 16 k3 p1, relu, flatten, linear", [5, 14]),
        ("conv 32 k3 p1, relu, conv 16 k3, relu, conv 9 k3 p2, flatten, linear", [6, 19]),
        ("conv 16 k3 p1, residual(conv 16 k3 p1, relu), flatten, linear", [4, 12]),
        // Gradients that are added to patches.
        ("conv 3 k3 p1, conv 12 k3 s2 p1, relu, conv 40 k3, flatten, linear", [9, 11]),
        ("conv 4 k1, residual(conv 4 k5 p2, relu), conv 17 k3 s2, flatten, linear", [8, 8]),
    ] {
        let spec: NetworkSpec = layers.parse().expect("it reads");
        let plan = Arc::new(Plan::of(&spec, [1, height, width], 10).expect("it fits"));
        // Of a seed whose values keep away from ReLU's kink, where rounding decides the gradient.
        on_every_width(|| check(&plan, 5, 2).expect("the shapes fit"));
    }
}

#[test]
fn a_warmed_up_network_computes_in_the_same_memory_at_every_step() {
    let spec = "conv 6 k3, bn, relu, conv 16 k3 p1, bn, relu, pool 2, dropout 0.2, flatten, linear 40, relu, linear";
    let spec: NetworkSpec = spec.parse().expect("it reads");
    let plan = Arc::new(Plan::of(&spec, [1, 12, 12], 10).expect("it fits"));
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let Weights { trained, running } = Weights::initial(&plan, &mut rng);
    let graph = Graph::new(plan);
    let pixels: Vec<u8> = (0..40 * 144).map(|_| rng.next_u32() as u8).collect();
    let step = |step: u64, n: usize| {
        graph.run(&Input {
            trained: &trained,
            running: &running,
            pixels: Pixels::Bytes(&pixels[..n * 144]),
            labels: &[3; 40][..n],
            mode: Mode::Train(Key { seed: 0, epoch: 1, step }),
            with_gradients: true,
            smoothing: 0.0,
        });
        let workspace = graph.workspaces.take();
        let memory = workspace.memory();
        graph.workspaces.give(workspace);
        memory
    };
    let first = step(1, 40);
    // Nothing moves, grows or is dropped, also where a batch is shorter.
    for n in [40, 7, 40] {
        assert_eq!(step(2, n), first, "{n} images");
    }
}

#[test]
fn stages_are_the_values_in_between() -> Result<()> {
    let spec = "conv 3 k3 p1, bn, relu, pool 2, residual(conv 3 k3 p1, gelu), flatten, dropout 0.5, linear";
    let spec: NetworkSpec = spec.parse().expect("it reads");
    let plan = Arc::new(Plan::of(&spec, [1, 9, 8], 5).expect("it fits"));
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let weights = Weights::initial(&plan, &mut rng);
    let model = Model::general(Arc::clone(&plan), &weights)?;
    let image: Vec<f32> = (0..72).map(|_| rng.next_u32() as f32 / u32::MAX as f32).collect();
    let (stages, logits) = model.stages(&image)?;
    let images = Tensor::from_slice(&image, (1, 1, 9, 8), &Device::Cpu)?;
    let trained = model.variable().as_detached_tensor();
    let running = model.running();
    let composed =
        super::super::composed::forward(&plan, &trained, running, &images, Mode::Evaluate)?;
    let nodes: Vec<_> = plan.stages().collect();
    let names: Vec<_> = nodes.iter().map(|node| node.name.as_str()).collect();
    assert_eq!(names, ["relu1", "pool1", "res1"]);
    for (node, stage) in nodes.iter().zip(&stages) {
        let expected = composed.values[node.output].flatten_all()?.to_vec1::<f32>()?;
        assert_eq!(stage.len(), expected.len());
        for (found, expected) in stage.iter().zip(&expected) {
            assert!((found - expected).abs() < 1e-5, "{}: {found} for {expected}", node.name);
        }
    }
    assert_eq!(logits.len(), 5);
    assert_eq!(
        model.logits(&images.to_dtype(DType::F32)?)?.flatten_all()?.to_vec1::<f32>()?,
        logits
    );
    Ok(())
}
