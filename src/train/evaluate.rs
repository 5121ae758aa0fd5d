//! How well the network does on images it is not trained on.

use std::{sync::Arc, time::Instant};

use candle_core::Device;

use super::{
    accelerator::Accelerator,
    device::{self, Processor},
    error::TrainError,
    inspect::cross_entropy,
    networks,
    results::ImageResult,
    sets::load_data,
    step::{arg_max, tensors},
};
use crate::{
    checkpoint::LoadedWeights,
    config::{DataSource, DeviceChoice, ImageSize, RunConfig},
    data::{DataInfo, Dataset, augment::Seen, batches::Batches},
    metrics::Confusion,
    network::NetworkSpec,
    nn::model::{Model, Outcome, Weights},
    protocol::{EvalSet, Evaluation},
};

/// Images that are looked at together: enough to keep every thread busy, few enough that a wish
/// to stop is heard at once.
const CHUNK: usize = 1_000;
/// ... on a GPU, where a question takes longer than the answer.
const GPU_CHUNK: usize = 10_000;

/// Measures the network on all images of `data`; `None` where `go_on` says to stop before a chunk.
///
/// What it makes of each image goes to the end of `results` where those are given.
pub(super) fn evaluate(
    (model, mut gpu): (&Model, Option<&mut Accelerator>),
    data: &Dataset,
    set: EvalSet,
    device: &Device,
    mut results: Option<&mut Vec<ImageResult>>,
    mut go_on: impl FnMut() -> bool,
) -> Result<Option<Evaluation>, TrainError> {
    let start = Instant::now();
    let mut confusion = Confusion::new(model.plan().classes());
    let mut loss = 0.0;
    let weights = if gpu.is_some() { model.weights()?.trained } else { Vec::new() };
    let chunks = Batches::in_order(data.len(), if gpu.is_some() { GPU_CHUNK } else { CHUNK });
    for chunk in 0..chunks.count() {
        if !go_on() {
            return Ok(None);
        }
        let chunk = chunks.batch(chunk);
        let logits = if let Some(gpu) = &mut gpu {
            let logits = gpu.logits(data, chunk, &weights)?;
            let rows = logits.chunks_exact(model.plan().classes());
            let rows: Vec<Vec<f32>> = rows.map(<[f32]>::to_vec).collect();
            let of_each = rows.iter().zip(chunk);
            loss += of_each
                .map(|(row, &index)| f64::from(cross_entropy(row, data.label(index as usize))))
                .sum::<f64>();
            rows
        } else {
            let (images, labels) = tensors(Seen::plain(data), chunk, device)?;
            let Outcome { loss: mean, logits, .. } = model.evaluate(&images, &labels)?;
            let mean: f32 = mean.to_scalar()?;
            loss += f64::from(mean) * chunk.len() as f64;
            logits.to_vec2::<f32>()?
        };
        for (row, &index) in logits.iter().zip(chunk) {
            let (label, prediction) = (data.label(index as usize), arg_max(row));
            // Without numbers there is no prediction.
            if row.iter().any(|logit| !logit.is_nan()) {
                confusion.record(usize::from(label), prediction);
            }
            if let Some(results) = &mut results {
                results.push(ImageResult::of(row, label, prediction));
            }
        }
    }
    Ok(Some(Evaluation {
        set,
        loss: loss / data.len() as f64,
        correct: u64::from(confusion.correct()),
        total: data.len() as u64,
        seconds: start.elapsed().as_secs_f64(),
        confusion,
    }))
}

/// A question about saved weights: how well do they do on the test set?
#[derive(Clone, Debug, PartialEq)]
pub struct WeightsCheck {
    /// Safetensors file of weights.
    pub weights: std::path::PathBuf,
    /// The network, for a file that does not say which it is of.
    pub model: Option<NetworkSpec>,
    /// Where the test images come from.
    pub data: DataSource,
    /// Rows and columns of its images, as for a run.
    pub image_size: Option<ImageSize>,
    /// CPU threads; `None` uses every core.
    pub threads: Option<usize>,
    /// Which processor computes.
    pub device: DeviceChoice,
}

/// The answer to a [`WeightsCheck`].
#[derive(Clone, Debug, PartialEq)]
pub struct MeasuredWeights {
    /// How well they do.
    pub evaluation: Evaluation,
    /// The set that they were measured on.
    pub set: DataInfo,
    /// What was done to the file's tensors to make them fit, a sentence each.
    pub notes: Vec<String>,
}

/// Measures saved weights on the test set.
///
/// # Errors
/// If the weights or the images cannot be read, or the device cannot be used.
pub fn evaluate_weights(check: &WeightsCheck) -> Result<MeasuredWeights, TrainError> {
    // Weights are soon refused where they are the wrong ones, and images may take long to read.
    let (loaded, data) = match &check.model {
        None => (
            networks::load(&check.weights, None, &DataInfo::mnist())?,
            load_data(&check.data, check.image_size)?,
        ),
        model => {
            let data = load_data(&check.data, check.image_size)?;
            (networks::load(&check.weights, model.as_ref(), &data.info)?, data)
        }
    };
    networks::check_set(&loaded.plan, &data.info)?;
    let LoadedWeights { plan, trained, running, mut notes, set } = loaded;
    notes.extend(networks::other_classes(&set, &data.info));
    device::thread_pool(check.threads)?.install(|| {
        let config = RunConfig { device: check.device, ..RunConfig::default() };
        let Processor { device, mut gpu } = device::open_for(&plan, &config, None)?;
        let model = Model::new(Arc::new(plan), &Weights { trained, running }, &device)?;
        let networks = (&model, gpu.as_mut());
        let evaluation = evaluate(networks, &data.test, EvalSet::Test, &device, None, || true)?;
        let evaluation =
            evaluation.unwrap_or_else(|| unreachable!("nothing stops this evaluation"));
        if !evaluation.loss.is_finite() {
            return Err(TrainError::NoNumbers { weights: check.weights.display().to_string() });
        }
        Ok(MeasuredWeights { evaluation, set: data.info, notes })
    })
}
