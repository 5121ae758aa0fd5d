//! The number of threads changes nothing, not even the last bit.

use candle_core::{Device, Result, Tensor};
use mnist_tui::nn::adam::Adam;
use mnist_tui::nn::init;
use mnist_tui::nn::model::Model;
use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Below one piece, exactly one, a short last one, and more than the most pieces.
const BATCHES: [usize; 6] = [1, 2, 7, 50, 130, 333];

/// Every bit that training makes: losses, then parameters and moments after the last step.
fn train(threads: usize) -> Result<Vec<u32>> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .expect("the system has threads to give");
    pool.install(|| {
        let mut rng = ChaCha8Rng::seed_from_u64(11);
        let model = Model::new(&init::pytorch_default(&mut rng), &Device::Cpu)?;
        let mut adam = Adam::new(&model)?;
        let mut bits = Vec::new();
        for n in BATCHES {
            let images =
                (0..n * 784).map(|_| rng.next_u32() as u8).map(|byte| f32::from(byte) / 255.0);
            let images = Tensor::from_iter(images, &Device::Cpu)?.reshape((n, 1, 28, 28))?;
            let labels = Tensor::from_iter((0..n).map(|_| rng.next_u32() % 10), &Device::Cpu)?;
            let loss = model.loss(&images, &labels)?.loss;
            adam.step(&loss.backward()?)?;
            bits.push(loss.to_scalar::<f32>()?.to_bits());
        }
        let parameters = model.parameters()?;
        let state = adam.state()?;
        let values = parameters.0.iter().map(|parameter| &parameter.values);
        let values = values.chain(&state.first).chain(&state.second);
        bits.extend(values.flatten().map(|value| value.to_bits()));
        Ok(bits)
    })
}

#[test]
fn training_gives_the_same_bits_on_any_number_of_threads() -> Result<()> {
    let alone = train(1)?;
    assert_eq!(alone.len(), BATCHES.len() + 3 * 5_142);
    for threads in [2, 3, 8] {
        assert!(train(threads)? == alone, "{threads} threads differ from one");
    }
    Ok(())
}
