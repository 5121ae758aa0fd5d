//! What saved weights take single images for.

use std::path::Path;

use candle_core::{Device, Result as CandleResult, Tensor};
use rayon::ThreadPool;

use super::{device, error::TrainError};
use crate::{
    checkpoint,
    config::DeviceChoice,
    data::{DataInfo, PIXELS, SIDE},
    nn::{loss::softmax, model::Model},
};

/// A network with saved weights, ready for images.
#[derive(Debug)]
pub struct Classifier {
    model: Model,
    set: DataInfo,
    device: Device,
    pool: ThreadPool,
}

impl Classifier {
    /// Reads the weights of a safetensors file; `threads` of `None` uses every core.
    ///
    /// # Errors
    /// If the weights cannot be read, the threads not be started, or the device not be used.
    pub fn open(
        weights: &Path,
        threads: Option<usize>,
        device: DeviceChoice,
    ) -> Result<Self, TrainError> {
        let parameters = checkpoint::load_weights(weights)?;
        let pool = device::thread_pool(threads)?;
        let (model, device) = pool.install(|| {
            let device = device::open(device)?;
            Ok::<_, TrainError>((Model::new(&parameters, &device)?, device))
        })?;
        Ok(Self { model, set: DataInfo::mnist(), device, pool })
    }

    /// Name, image size and classes of the data that the weights are for.
    pub fn set(&self) -> &DataInfo {
        &self.set
    }

    /// The probability of each class for an image, 28 rows of 28 grey values of which 255 is ink.
    ///
    /// # Errors
    /// If `pixels` has another length, and those of the device.
    pub fn classify(&self, pixels: &[u8]) -> Result<Vec<f32>, TrainError> {
        Ok(self.pool.install(|| self.probabilities(pixels))?)
    }

    fn probabilities(&self, pixels: &[u8]) -> CandleResult<Vec<f32>> {
        if pixels.len() != PIXELS {
            candle_core::bail!("an image has {PIXELS} pixels, found {}", pixels.len());
        }
        let values = pixels.iter().map(|&value| f32::from(value) / 255.0).collect();
        let image = Tensor::from_vec(values, (1, 1, SIDE, SIDE), &self.device)?;
        let logits = self.model.forward(&image)?.detach().flatten_all()?.to_vec1::<f32>()?;
        let mut probabilities = vec![0.0; logits.len()];
        softmax(&logits, &mut probabilities);
        Ok(probabilities)
    }
}
