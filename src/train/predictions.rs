//! What the networks of stored runs predict for the same images.

use std::{path::PathBuf, sync::Arc};

use super::{
    device, error::TrainError, evaluate::evaluate, networks, results::ImageResult, sets::Sets,
};
use crate::{
    checkpoint::{LoadedWeights, load_weights},
    config::{ConfigError, DeviceChoice, RunConfig},
    data::{Checksums, DataInfo, Dataset},
    metrics::Confusion,
    nn::model::{Model, Weights},
    protocol::EvalSet,
};

/// A run with the weights that stand for it.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredNetwork {
    /// Its settings, which say where the images are and which of them are held out.
    pub config: RunConfig,
    /// A checkpoint, or a file of weights.
    pub weights: PathBuf,
    /// Checksums of the images that it was trained on, if they are known.
    pub checksums: Option<Checksums>,
}

impl StoredNetwork {
    /// Whether both were trained on the same set, as far as that is known without reading it.
    fn shares_data(&self, other: &Self) -> bool {
        if let (Some(own), Some(others)) = (&self.checksums, &other.checksums) {
            return own == others;
        }
        let source = |network: &Self| (network.config.data.clone(), network.config.image_size);
        source(self) == source(other)
    }

    /// The settings that choose the validation images; `None` for a run without any.
    fn held_out(&self) -> Option<(usize, u64, bool)> {
        let RunConfig { validation, seed, balanced_validation, .. } = self.config;
        (validation > 0).then_some((validation, seed, balanced_validation))
    }
}

/// The predictions of several networks for the same images.
#[derive(Clone, Debug)]
pub struct Predictions {
    /// What the images are for.
    pub set: EvalSet,
    /// The data set.
    pub info: DataInfo,
    /// The images.
    pub images: Dataset,
    /// Of each network its predictions, or why there are none.
    pub networks: Vec<Result<Predicted, String>>,
}

/// The predictions of one network, image by image.
#[derive(Clone, Debug, PartialEq)]
pub struct Predicted {
    /// The most probable class of each image.
    pub classes: Vec<u8>,
    /// The probability of that class, in 0..=1.
    pub probabilities: Vec<f32>,
    /// The cross-entropy of each image.
    pub losses: Vec<f32>,
    /// True against predicted classes.
    pub confusion: Confusion,
}

/// Has each network classify the same images: the validation images if all runs hold out the same ones,
/// otherwise the test images. They are those of the first run whose data can be read.
///
/// # Errors
/// If no run's data can be read, or no threads can be started. A network that is of other images, or whose
/// weights cannot be used, has an error of its own in the answer.
pub fn predict(networks: &[StoredNetwork]) -> Result<Predictions, TrainError> {
    let mut failed = None;
    for reference in networks {
        match Sets::load(&reference.config, reference.checksums.as_ref(), None) {
            Ok(sets) => return predict_images(networks, reference, sets),
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    Err(failed.unwrap_or_else(|| ConfigError::new("there is no run to predict with".into()).into()))
}

fn predict_images(
    networks: &[StoredNetwork],
    reference: &StoredNetwork,
    sets: Sets,
) -> Result<Predictions, TrainError> {
    let Sets { validation, test, info, .. } = sets;
    let mut sharing = networks.iter().filter(|network| network.shares_data(reference));
    let same_held_out = sharing.all(|network| network.held_out() == reference.held_out());
    let (set, images) = match validation {
        Some(validation) if same_held_out => (EvalSet::Validation, validation),
        _ => (EvalSet::Test, Arc::unwrap_or_clone(test)),
    };
    let pool = device::thread_pool(None)?;
    let predicted = |network: &StoredNetwork| {
        if !network.shares_data(reference) {
            return Err(format!("it was trained on other images than those of {}", info.name));
        }
        pool.install(|| predict_with(network, set, &images, &info))
            .map_err(|error| error.to_string())
    };
    let networks = networks.iter().map(predicted).collect();
    Ok(Predictions { set, info, images, networks })
}

fn predict_with(
    network: &StoredNetwork,
    set: EvalSet,
    images: &Dataset,
    info: &DataInfo,
) -> Result<Predicted, TrainError> {
    let LoadedWeights { plan, trained, running, .. } = load_weights(&network.weights)?;
    networks::check_set(&plan, info)?;
    let device = device::open(DeviceChoice::Cpu)?;
    let model = Model::new(Arc::new(plan), &Weights { trained, running }, &device)?;
    let mut results: Vec<ImageResult> = Vec::with_capacity(images.len());
    let evaluation = evaluate((&model, None), images, set, &device, Some(&mut results), || true)?;
    let evaluation = evaluation.unwrap_or_else(|| unreachable!("nothing stops this evaluation"));
    if !evaluation.loss.is_finite() {
        return Err(TrainError::NoNumbers { weights: network.weights.display().to_string() });
    }
    Ok(Predicted {
        classes: results.iter().map(|result| result.prediction).collect(),
        probabilities: results.iter().map(|result| result.probability).collect(),
        losses: results.iter().map(|result| result.loss).collect(),
        confusion: evaluation.confusion,
    })
}
