//! What saved weights take single images for.

use std::{path::Path, sync::Arc};

use rayon::ThreadPool;

use super::{device, error::TrainError, networks};
use crate::{
    checkpoint::LoadedWeights,
    config::DeviceChoice,
    data::DataInfo,
    network::NetworkSpec,
    nn::{
        loss::softmax,
        model::{Model, Weights},
    },
};

/// A network with saved weights, ready for images.
#[derive(Debug)]
pub struct Classifier {
    model: Model,
    pool: ThreadPool,
    file: String,
    set: DataInfo,
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
        let LoadedWeights { plan, set, trained, running, notes } = loaded;
        let pool = device::thread_pool(threads)?;
        let model = pool.install(|| {
            let device = device::open(device)?;
            let weights = Weights { trained, running };
            Ok::<_, TrainError>(Model::new(Arc::new(plan), &weights, &device)?)
        })?;
        let file = weights.display().to_string();
        Ok(Self { model, pool, file, set, notes })
    }

    /// What the network was trained on, as far as its file says.
    pub fn set(&self) -> &DataInfo {
        &self.set
    }

    /// What was done to the file's tensors to make them fit, a sentence each.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The probability of each class for an image of [`Self::set`]'s size, row after row, of which 255 is
    /// ink.
    ///
    /// # Errors
    /// If `pixels` has another length, and those of the device.
    pub fn classify(&self, pixels: &[u8]) -> Result<Vec<f32>, TrainError> {
        let values: Vec<f32> = pixels.iter().map(|&value| f32::from(value) / 255.0).collect();
        let (_, logits) = self.pool.install(|| self.model.stages(&values))?;
        let mut probabilities = vec![0.0; logits.len()];
        softmax(&logits, &mut probabilities);
        if probabilities.iter().any(|probability| !probability.is_finite()) {
            return Err(TrainError::NoNumbers { weights: self.file.clone() });
        }
        Ok(probabilities)
    }
}
