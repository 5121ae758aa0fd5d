//! The number of threads changes nothing, not even the last bit.

use std::sync::Arc;

use candle_core::{Device, Result, Tensor};
use mnist_tui::network::{NetworkSpec, Plan};
use mnist_tui::nn::adam::Adam;
use mnist_tui::nn::engine::{Key, Mode};
use mnist_tui::nn::model::{Model, Weights};
use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Below one piece, exactly one, a short last one, and more than the most pieces.
const BATCHES: [usize; 6] = [1, 2, 7, 50, 130, 333];

/// The article's network, one of convolutions with dropout, one with batch normalisation and a
/// residual block, and one without convolutions.
const NETWORKS: [&str; 4] = [
    "conv 6 k5, relu, pool 2, conv 16 k5, relu, pool 2, flatten, linear",
    "conv 10 k3 p1, relu, avgpool 2, conv 20 k3 s2, gelu, dropout 0.2, flatten, linear",
    "conv 6 k3, bn, relu, pool 2, residual(conv 6 k3 p1, bn, relu), gap, linear",
    "flatten, linear 40, bn, relu, dropout 0.1, linear",
];

/// Every bit that training makes: losses, then weights, statistics and moments after the last step.
fn train(network: &str, threads: usize) -> Result<Vec<u32>> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .expect("the system has threads to give");
    pool.install(|| {
        let mut rng = ChaCha8Rng::seed_from_u64(11);
        let spec: NetworkSpec = network.parse().expect("it reads");
        let plan = Arc::new(Plan::of(&spec, [1, 28, 28], 10).expect("it fits"));
        let weights = Weights::initial(&plan, &mut rng);
        let mut model = Model::new(plan, &weights, &Device::Cpu)?;
        let mut adam = Adam::new(&model)?;
        let mut bits = Vec::new();
        for (step, n) in BATCHES.into_iter().enumerate() {
            let images =
                (0..n * 784).map(|_| rng.next_u32() as u8).map(|byte| f32::from(byte) / 255.0);
            let images = Tensor::from_iter(images, &Device::Cpu)?.reshape((n, 1, 28, 28))?;
            let labels = Tensor::from_iter((0..n).map(|_| rng.next_u32() % 10), &Device::Cpu)?;
            let mode = Mode::Train(Key { seed: 5, epoch: 1, step: step as u64 });
            let outcome = model.loss(&images, &labels, mode)?;
            adam.step(&outcome.backward(model.variable())?)?;
            if let Some(running) = outcome.running {
                model.set_running(running);
            }
            bits.push(outcome.loss.to_scalar::<f32>()?.to_bits());
        }
        let Weights { trained, running } = model.weights()?;
        let state = adam.state()?;
        let values = [trained, running].into_iter().chain(state.slots);
        bits.extend(values.flatten().map(f32::to_bits));
        Ok(bits)
    })
}

#[test]
fn training_gives_the_same_bits_on_any_number_of_threads() -> Result<()> {
    for network in NETWORKS {
        let alone = train(network, 1)?;
        assert!(alone.len() > 1_000, "{network}");
        for threads in [2, 3, 7] {
            assert!(train(network, threads)? == alone, "{network}: {threads} threads differ");
        }
    }
    Ok(())
}
