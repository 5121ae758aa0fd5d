//! One optimiser step.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use candle_core::{Device, Error, Storage, Tensor};

use super::{error::TrainError, inspect::Norms};
use crate::{
    config::RunConfig,
    data::{Dataset, augment::Seen},
    network::Plan,
    nn::{
        average::{Average, AverageSnapshot},
        engine::{Key, Mode},
        loss::softmax,
        model::{Model, Outcome, Weights},
        optim::{Optimizer, OptimizerSnapshot, OptimizerState},
    },
    protocol::Digit,
};

pub(super) use crate::metrics::arg_max;

mod gpu;

pub(super) use gpu::Steps;
use gpu::Trainer;

type Result<T, E = Error> = std::result::Result<T, E>;

/// Most digits of a batch that are shown.
const SHOWN: usize = 24;

/// The network with its optimiser.
pub(super) struct Learner {
    pub(super) model: Model,
    optimizer: Optimizer,
    /// The averaged weights, where those are evaluated and saved.
    average: Option<Average>,
    device: Device,
    /// Logits of the last batch, before its update.
    logits: Option<Tensor>,
    /// The GPU that trains, where one does; weights and state are in main memory between its chunks.
    gpu: Option<Trainer>,
}

/// A [`Learner`] at one moment, on its device.
#[derive(Clone, Debug)]
pub(super) struct Learned {
    weights: Tensor,
    running: Tensor,
    optimiser: OptimizerSnapshot,
    average: Option<AverageSnapshot>,
}

/// What one step changed.
pub(super) struct Change {
    /// Mean loss before the update, of shape `[]`.
    pub(super) loss: Tensor,
    /// Mean loss of the same images after it, of shape `[]`.
    pub(super) loss_after: Tensor,
    /// Answers before the update, `[n, classes]`.
    pub(super) logits: Tensor,
    /// Gradients, weights before and weights after, all parameters one after the other.
    pub(super) gradient: Tensor,
    pub(super) before: Tensor,
    pub(super) after: Tensor,
    /// How long it took to find that out, over the step alone.
    pub(super) took: Duration,
}

impl Learner {
    /// A network with these weights and a fresh optimiser.
    ///
    /// # Errors
    /// As [`Model::new`].
    pub(super) fn new(
        plan: Arc<Plan>,
        weights: &Weights,
        device: &Device,
        config: &RunConfig,
    ) -> Result<Self> {
        let model = Model::new(plan, weights, device)?.with_label_smoothing(config.label_smoothing);
        let average = config.ema.map(|decay| Average::of(&model, decay)).transpose()?;
        let optimizer = Optimizer::of(config.optimizer, model.variable().clone())?
            .with_clip_norm(config.clip_norm);
        Ok(Self { model, optimizer, average, device: device.clone(), logits: None, gpu: None })
    }

    /// The network that is evaluated and saved.
    pub(super) fn product(&self) -> &Model {
        self.average.as_ref().map_or(&self.model, Average::model)
    }

    /// The averaged weights, if there are any.
    ///
    /// # Errors
    /// Those of candle on reading from a device.
    pub(super) fn averaged(&self) -> Result<Option<Weights>> {
        self.average.as_ref().map(|average| average.model().weights()).transpose()
    }

    fn average_step(&mut self) -> Result<()> {
        match &mut self.average {
            Some(average) => average.follow(&self.model, self.optimizer.steps()),
            None => Ok(()),
        }
    }

    /// The learning rate of the next step.
    pub(super) fn learning_rate(&self) -> f64 {
        self.optimizer.learning_rate()
    }

    /// Sets the learning rate from the next step on.
    pub(super) fn set_learning_rate(&mut self, rate: f64) {
        self.optimizer.set_learning_rate(rate);
    }

    /// Learns from the images of `batch`, in the step of that key, and gives their mean loss before that,
    /// of shape `[]`.
    pub(super) fn train(
        &mut self,
        data: Seen,
        batch: &[u32],
        key: Key,
    ) -> Result<Tensor, TrainError> {
        Ok(self.train_and(data, batch, key, false)?.0)
    }

    /// [`train`](Self::train)s and measures gradient and update.
    pub(super) fn train_measured(
        &mut self,
        data: Seen,
        batch: &[u32],
        key: Key,
    ) -> Result<(Tensor, Option<Norms>), TrainError> {
        self.train_and(data, batch, key, true)
    }

    fn train_and(
        &mut self,
        data: Seen,
        batch: &[u32],
        key: Key,
        measures: bool,
    ) -> Result<(Tensor, Option<Norms>), TrainError> {
        if self.gpu.is_some() {
            let start = Instant::now();
            let [loss, gradient, before, after] = self.train_on_gpu(data, batch, key)?;
            // The launch of a single step is part of what measuring costs.
            let norms = measures.then(|| Norms::of(&gradient, &before, &after, start.elapsed()));
            return Ok((loss, norms.transpose()?));
        }
        let (images, labels) = tensors(data, batch, &self.device)?;
        let outcome = self.model.loss(&images, &labels, Mode::Train(key))?;
        let variable = self.model.variable();
        let gradients = outcome.backward(variable)?;
        let gradient = gradients.get(variable).filter(|_| measures);
        let norms = if let Some(gradient) = gradient {
            let start = Instant::now();
            let before = variable.as_detached_tensor().copy()?;
            let copying = start.elapsed();
            self.optimizer.step(&gradients)?;
            let after = variable.as_detached_tensor();
            Some(Norms::of(gradient, &before, &after, copying)?)
        } else {
            self.optimizer.step(&gradients)?;
            None
        };
        let Outcome { loss, logits, running, .. } = outcome;
        if let Some(running) = running {
            self.model.set_running(running);
        }
        self.average_step()?;
        self.logits = Some(logits);
        Ok((loss, norms))
    }

    /// [`train`](Self::train)s and keeps what that changed.
    pub(super) fn train_watched(
        &mut self,
        data: Seen,
        batch: &[u32],
        key: Key,
    ) -> Result<Change, TrainError> {
        let (images, labels) = tensors(data, batch, &self.device)?;
        let mode = Mode::Train(key);
        if self.gpu.is_some() {
            let [loss, gradient, before, after] = self.train_on_gpu(data, batch, key)?;
            let start = Instant::now();
            let loss_after = self.model.loss_only(&images, &labels, mode)?.loss;
            let Some(logits) = self.logits.clone() else { unreachable!("of the step") };
            let took = start.elapsed();
            return Ok(Change { loss, loss_after, logits, gradient, before, after, took });
        }
        let outcome = self.model.loss(&images, &labels, mode)?;
        let variable = self.model.variable();
        let gradients = outcome.backward(variable)?;
        let Outcome { loss, logits, running, .. } = outcome;
        let Some(gradient) = gradients.get(variable).cloned() else {
            let reason = "the network's parameters have no gradient".to_owned();
            return Err(Error::Msg(reason).into());
        };
        let start = Instant::now();
        let before = variable.as_detached_tensor().copy()?;
        let copying = start.elapsed();
        self.optimizer.step(&gradients)?;
        let start = Instant::now();
        let after = self.model.variable().as_detached_tensor().copy()?;
        // What was dropped stays so: only the weights are others.
        let loss_after = self.model.loss_only(&images, &labels, mode)?.loss;
        let took = copying + start.elapsed();
        if let Some(running) = running {
            self.model.set_running(running);
        }
        self.average_step()?;
        self.logits = Some(logits.clone());
        Ok(Change { loss, loss_after, logits, gradient, before, after, took })
    }

    /// The optimiser's state.
    pub(super) fn optimiser(&self) -> Result<OptimizerState> {
        self.optimizer.state()
    }

    /// Goes on from a state of the optimiser.
    pub(super) fn resume(
        &mut self,
        state: &OptimizerState,
        averaged: Option<&Weights>,
    ) -> Result<()> {
        if let (Some(average), Some(averaged)) = (&mut self.average, averaged) {
            average.restore(averaged)?;
        }
        self.optimizer.restore(state)
    }

    /// Whether the gradient of the last step was finite, where that can be told without waiting.
    pub(super) fn gradient_was_finite(&self) -> bool {
        self.gpu.as_ref().map_or_else(|| self.optimizer.gradient_was_finite(), |gpu| gpu.finite)
    }

    /// Whether the running statistics of batch normalisation are finite.
    pub(super) fn running_is_finite(&self) -> Result<bool> {
        Ok(self.model.running().to_vec1::<f32>()?.iter().all(|value| value.is_finite()))
    }

    /// A copy to go back to.
    pub(super) fn snapshot(&self) -> Result<Learned> {
        let weights = self.model.variable().as_detached_tensor().copy()?;
        let running = self.model.running().clone();
        let average = self.average.as_ref().map(Average::snapshot).transpose()?;
        Ok(Learned { weights, running, optimiser: self.optimizer.snapshot(), average })
    }

    /// Goes back to a copy of it.
    pub(super) fn go_back(&mut self, learned: &Learned) -> Result<()> {
        self.model.variable().set(&learned.weights)?;
        self.model.set_running(learned.running.clone());
        self.optimizer.go_back(&learned.optimiser);
        if let (Some(average), Some(learned)) = (&mut self.average, &learned.average) {
            average.go_back(learned)?;
        }
        Ok(())
    }

    /// How many images of `batch`, which must be the last one trained, were recognised before its update,
    /// after telling `each` the place, the prediction and the logits of every image; `None` where reading
    /// the logits would wait for the device.
    pub(super) fn correct(
        &self,
        data: &Dataset,
        batch: &[u32],
        mut each: impl FnMut(u32, usize, &[f32]),
    ) -> Option<u32> {
        let (storage, layout) = self.logits.as_ref()?.storage_and_layout();
        let Storage::Cpu(logits) = &*storage else { return None };
        let (start, end) = layout.contiguous_offsets()?;
        let logits = logits.as_slice::<f32>().ok()?.get(start..end)?;
        let rows = logits.chunks_exact((logits.len() / batch.len().max(1)).max(1));
        let mut correct = 0;
        for (row, &index) in rows.zip(batch) {
            let prediction = arg_max(row);
            correct += u32::from(prediction == usize::from(data.label(index as usize)));
            each(index, prediction, row);
        }
        Some(correct)
    }

    /// What the network made of the first images of `batch`, which must be the last one trained.
    pub(super) fn digits(&self, data: Seen, batch: &[u32]) -> Result<Vec<Digit>> {
        let Some(logits) = &self.logits else { return Ok(Vec::new()) };
        let shown = batch.len().min(SHOWN);
        let rows = logits.narrow(0, 0, shown)?.to_vec2::<f32>()?;
        Ok(rows.iter().zip(batch).map(|(row, &index)| digit(data, index as usize, row)).collect())
    }
}

impl Learned {
    /// The weights that are evaluated and saved.
    pub(super) fn product(&self) -> &Tensor {
        self.average.as_ref().map_or(&self.weights, AverageSnapshot::trained)
    }

    /// Bytes of one: the network's parameters, what the optimiser remembers of each, and the running
    /// statistics.
    pub(super) fn size(plan: &Plan, config: &RunConfig) -> usize {
        let of_weights = 1 + usize::from(config.ema.is_some());
        let of_trained = of_weights + config.optimizer.slots().len();
        (of_trained * plan.trained_len() + of_weights * plan.running_len()) * size_of::<f32>()
    }
}

/// An image with the answer that `logits` give.
pub(super) fn digit(data: Seen, index: usize, logits: &[f32]) -> Digit {
    let mut probabilities = vec![0.0; logits.len()];
    softmax(logits, &mut probabilities);
    let prediction = arg_max(logits);
    Digit {
        pixels: data.image(index).into_owned(),
        label: data.label(index),
        prediction: prediction as u8,
        probability: probabilities[prediction],
    }
}

/// Images `[n, channels, height, width]` and labels `[n]` on the device: in main memory as bytes, which the
/// network takes as they are, elsewhere in 0..=1.
pub(super) fn tensors<'a>(
    data: impl Into<Seen<'a>>,
    batch: &[u32],
    device: &Device,
) -> Result<(Tensor, Tensor)> {
    let data = data.into();
    let [channels, height, width] = data.shape();
    let shape = (batch.len(), channels, height, width);
    // The vectors become the tensors' own memory, so they cannot be kept for the next batch.
    let labels: Vec<u32> =
        batch.iter().map(|&index| u32::from(data.label(index as usize))).collect();
    let pixels = data.images(batch);
    let images = if device.is_cpu() {
        Tensor::from_vec(pixels, shape, device)?
    } else {
        let numbers: Vec<f32> = pixels.iter().map(|&byte| f32::from(byte) / 255.0).collect();
        Tensor::from_vec(numbers, shape, device)?
    };
    Ok((images, Tensor::from_vec(labels, batch.len(), device)?))
}
