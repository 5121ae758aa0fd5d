//! What saved weights take single images for.

use std::path::Path;

use candle_core::{Device, Result as CandleResult, Tensor};
use rayon::ThreadPool;

use super::{device, error::TrainError, networks};
use crate::{
    config::DeviceChoice,
    data::{CLASSES, DataInfo, PIXELS, SIDE},
    network::NetworkSpec,
    nn::{loss::softmax, model::Model},
};

/// A network with saved weights, ready for images.
#[derive(Debug)]
pub struct Classifier {
    model: Model,
    device: Device,
    pool: ThreadPool,
    notes: Vec<String>,
}

impl Classifier {
    /// Reads the weights of a safetensors file, of the network given if the file does not say which it
    /// is of; `threads` of `None` uses every core.
    ///
    /// # Errors
    /// If the weights cannot be read, the threads not be started, or the device not be used.
    pub fn open(
        weights: &Path,
        model: Option<&NetworkSpec>,
        threads: Option<usize>,
        device: DeviceChoice,
    ) -> Result<Self, TrainError> {
        let loaded = networks::load(weights, model, &DataInfo::mnist())?;
        let parameters = networks::parameters(&loaded)?;
        let pool = device::thread_pool(threads)?;
        let (model, device) = pool.install(|| {
            let device = device::open(device)?;
            Ok::<_, TrainError>((Model::new(&parameters, &device)?, device))
        })?;
        Ok(Self { model, device, pool, notes: loaded.notes })
    }

    /// What was done to the file's tensors to make them fit, a sentence each.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The probability of each class for an image, 28 rows of 28 grey values of which 255 is ink.
    ///
    /// # Errors
    /// If `pixels` has another length, and those of the device.
    pub fn classify(&self, pixels: &[u8]) -> Result<[f32; CLASSES], TrainError> {
        Ok(self.pool.install(|| self.probabilities(pixels))?)
    }

    fn probabilities(&self, pixels: &[u8]) -> CandleResult<[f32; CLASSES]> {
        if pixels.len() != PIXELS {
            candle_core::bail!("an image has {PIXELS} pixels, found {}", pixels.len());
        }
        let values = pixels.iter().map(|&value| f32::from(value) / 255.0).collect();
        let image = Tensor::from_vec(values, (1, 1, SIDE, SIDE), &self.device)?;
        let logits = self.model.forward(&image)?.detach().flatten_all()?.to_vec1::<f32>()?;
        let mut probabilities = [0.0; CLASSES];
        softmax(&logits, &mut probabilities);
        Ok(probabilities)
    }
}
