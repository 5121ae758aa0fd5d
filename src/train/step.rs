//! One optimiser step.

use candle_core::{Device, Result, Tensor};

use crate::{
    data::{Dataset, PIXELS, SIDE},
    nn::{
        adam::Adam,
        loss::softmax,
        model::{Model, Outcome},
        parameters::Parameters,
    },
    protocol::Digit,
};

pub(super) use crate::metrics::arg_max;

/// Most digits of a batch that are shown.
const SHOWN: usize = 24;

/// The network with its optimiser.
pub(super) struct Learner {
    pub(super) model: Model,
    adam: Adam,
    device: Device,
    /// Logits of the last batch, before its update.
    logits: Option<Tensor>,
}

impl Learner {
    /// A network with these weights and a fresh optimiser.
    pub(super) fn new(parameters: &Parameters, rate: f64, device: &Device) -> Result<Self> {
        let model = Model::new(parameters, device)?;
        let mut adam = Adam::new(&model)?;
        adam.set_learning_rate(rate);
        Ok(Self { model, adam, device: device.clone(), logits: None })
    }

    /// Learns from the images of `batch` and gives their mean loss before that, of shape `[]`.
    pub(super) fn train(&mut self, data: &Dataset, batch: &[u32]) -> Result<Tensor> {
        let (images, labels) = tensors(data, batch, &self.device)?;
        let Outcome { loss, logits } = self.model.loss(&images, &labels)?;
        self.adam.step(&loss.backward()?)?;
        self.logits = Some(logits);
        Ok(loss)
    }

    /// What the network made of the first images of `batch`, which must be the last one trained.
    pub(super) fn digits(&self, data: &Dataset, batch: &[u32]) -> Result<Vec<Digit>> {
        let Some(logits) = &self.logits else { return Ok(Vec::new()) };
        let shown = batch.len().min(SHOWN);
        let rows = logits.narrow(0, 0, shown)?.to_vec2::<f32>()?;
        Ok(rows.iter().zip(batch).map(|(row, &index)| digit(data, index as usize, row)).collect())
    }
}

fn digit(data: &Dataset, index: usize, logits: &[f32]) -> Digit {
    let mut probabilities = vec![0.0; logits.len()];
    softmax(logits, &mut probabilities);
    let prediction = arg_max(logits);
    Digit {
        pixels: data.image(index).to_vec(),
        label: data.label(index),
        prediction: prediction as u8,
        probability: probabilities[prediction],
    }
}

/// Images `[n, 1, 28, 28]` and labels `[n]` on the device: in main memory as bytes, which the
/// network takes as they are, elsewhere in 0..=1.
pub(super) fn tensors(data: &Dataset, batch: &[u32], device: &Device) -> Result<(Tensor, Tensor)> {
    let shape = (batch.len(), 1, SIDE, SIDE);
    // The vectors become the tensors' own memory, so they cannot be kept for the next batch.
    let mut labels = Vec::with_capacity(batch.len());
    let images = if device.is_cpu() {
        let mut pixels = Vec::with_capacity(batch.len() * PIXELS);
        for &index in batch {
            pixels.extend_from_slice(data.image(index as usize));
            labels.push(u32::from(data.label(index as usize)));
        }
        Tensor::from_vec(pixels, shape, device)?
    } else {
        let mut pixels = Vec::new();
        data.gather(batch, &mut pixels, &mut labels);
        Tensor::from_vec(pixels, shape, device)?
    };
    Ok((images, Tensor::from_vec(labels, batch.len(), device)?))
}
