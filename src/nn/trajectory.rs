//! The article's network after 300 steps, to the bit, as every version has trained it so far.

use std::sync::{Arc, Mutex};

use candle_core::{Device, Result, Tensor};

use super::{
    adam::Adam,
    engine::{Key, Mode},
    model::{Model, Weights},
    simd::{lanes, tests::on_every_width},
};
use crate::{
    data::{self, Dataset, batches::Batches},
    network::Plan,
    seed::{self, Purpose},
};

/// CRC-32 of the weights by lanes of a vector, for batches of 50 and of 1. Vectors of other widths
/// round sums otherwise. Four lanes, which are slow without full optimisation, take [`FEW`] batches of
/// 50.
const EXPECTED: [(usize, [u32; 2]); 3] = [
    (16, [0xc2f9_8304, 0xe140_add2]),
    (8, [0x7fda_6066, 0xe0c7_cc66]),
    (4, [0x801e_2e4f, 0xc355_44f0]),
];

const STEPS: usize = 300;
const FEW: usize = 30;

/// CRC-32 of the weights after this many steps in the default order.
fn trained(data: &Dataset, batch_size: usize, steps: usize) -> Result<u32> {
    let device = &Device::Cpu;
    let plan = Arc::new(Plan::article());
    let weights = Weights::initial(&plan, &mut seed::rng(0, Purpose::Initialisation, 0, 0));
    let model = Model::new(plan, &weights, device)?;
    let mut adam = Adam::new(&model)?;
    let batches = Batches::shuffled(data.len(), batch_size, 0, 1);
    for step in 0..steps {
        let batch = batches.batch(step);
        let pixels = batch.iter().flat_map(|&index| data.image(index as usize)).copied();
        let labels = batch.iter().map(|&index| u32::from(data.label(index as usize)));
        let shape = (batch.len(), 1, data::SIDE, data::SIDE);
        let images = Tensor::from_vec(pixels.collect::<Vec<u8>>(), shape, device)?;
        let labels = Tensor::from_vec(labels.collect::<Vec<u32>>(), batch.len(), device)?;
        let mode = Mode::Train(Key { seed: 0, epoch: 1, step: step as u64 + 1 });
        let outcome = model.loss(&images, &labels, mode)?;
        adam.step(&outcome.backward(model.variable())?)?;
    }
    let mut hasher = crc32fast::Hasher::new();
    for value in model.weights()?.trained {
        hasher.update(&value.to_le_bytes());
    }
    Ok(hasher.finalize())
}

#[test]
fn the_weights_after_300_steps_are_what_they_always_were() {
    let data = data::builtin().expect("it is inside the program").train;
    let found = Mutex::new(Vec::new());
    on_every_width(|| {
        let most = if lanes() == 4 { FEW } else { STEPS };
        let trained =
            |batch_size, steps| trained(&data, batch_size, steps).expect("in main memory");
        let sums = [trained(50, most), trained(1, STEPS)];
        found.lock().expect("no width panicked").push((lanes(), sums));
    });
    let found = found.into_inner().expect("no width panicked");
    let expected: Vec<_> = found
        .iter()
        .map(|(lanes, _)| {
            *EXPECTED.iter().find(|(width, _)| width == lanes).expect("a known width")
        })
        .collect();
    assert_eq!(found, expected, "{found:08x?}");
}
