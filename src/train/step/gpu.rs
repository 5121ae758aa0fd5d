//! Steps that a GPU trains, many at once.

use candle_core::{Device, Tensor};

use super::Learner;
use crate::{
    data::augment::Seen,
    gpu::{
        Launch, Trained,
        engine::{Done, State},
    },
    nn::{average::Average, engine::Key, model::Model, optim::OptimizerState},
    train::{accelerator::Accelerator, error::TrainError},
};

/// A GPU, and whether the gradient of its last step was finite.
pub(super) struct Trainer {
    accelerator: Accelerator,
    pub(super) finite: bool,
}

/// Steps that a GPU trained.
#[derive(Debug)]
pub(in crate::train) struct Steps {
    /// Mean loss of each before its update.
    pub(in crate::train) losses: Vec<f32>,
    /// Whether its gradient was finite.
    pub(in crate::train) finite: Vec<bool>,
    /// For each image the class that was predicted for it before the update of its batch and 255 times its
    /// probability, and the image's loss.
    pub(in crate::train) answers: Vec<([u8; 2], f32)>,
    /// The launch that they were part of, where other runs' steps were, too.
    pub(in crate::train) shared: Option<Launch>,
    /// The last step's gradient, all parameters one after the other.
    gradient: Vec<f32>,
}

impl Learner {
    /// The same, trained by a GPU that was opened for its network.
    pub(in crate::train) fn trained_by(self, accelerator: Option<Accelerator>) -> Self {
        let gpu = accelerator.map(|accelerator| Trainer { accelerator, finite: true });
        Self { gpu, ..self }
    }

    /// Whether many steps are trained much faster together than one by one.
    pub(in crate::train) fn prefers_chunks(&self) -> bool {
        self.gpu.is_some()
    }

    /// The network that is evaluated, and the GPU that can do so.
    pub(in crate::train) fn evaluated(&mut self) -> (&Model, Option<&mut Accelerator>) {
        let model = self.average.as_ref().map_or(&self.model, Average::model);
        (model, self.gpu.as_mut().map(|gpu| &mut gpu.accelerator))
    }

    /// Trains the batches of `order`, all of `batch` images but the last of an epoch, on the GPU that there is,
    /// at these rates, the first of them the step of that key.
    pub(in crate::train) fn train_chunk(
        &mut self,
        data: Seen,
        (order, batch): (&[u32], usize),
        rates: &[f64],
        key: Key,
    ) -> Result<Steps, TrainError> {
        let Some(gpu) = &mut self.gpu else {
            unreachable!("only a GPU is given chunks");
        };
        let OptimizerState { step, slots } = self.optimizer.state()?;
        let average = self.average.as_ref().map(|average| average.model().weights()).transpose()?;
        let state = State {
            weights: self.model.weights()?.trained,
            slots,
            average: average.map(|weights| weights.trained),
        };
        let trained = gpu.accelerator.train(data, (order, batch), (step, rates), key, state)?;
        let Trained { done, state, launch } = trained;
        let shared = gpu.accelerator.is_shared().then_some(launch);
        let Done { losses, answers, finite, logits, gradient } = done;
        gpu.finite = finite.last().copied().unwrap_or(true);
        let State { weights, slots, average } = state;
        let tensor = |values: Vec<f32>| {
            let len = values.len();
            Tensor::from_vec(values, len, &Device::Cpu)
        };
        self.model.variable().set(&tensor(weights)?)?;
        self.optimizer.restore(&OptimizerState { step: step + rates.len() as u64, slots })?;
        if let (Some(average), Some(weights)) = (&self.average, average) {
            average.model().variable().set(&tensor(weights)?)?;
        }
        let last = order.chunks(batch).last().map_or(0, <[u32]>::len);
        let classes = self.model.plan().classes();
        self.logits = Some(Tensor::from_vec(logits, (last, classes), &Device::Cpu)?);
        let mean = |losses: &[f32]| {
            let sum: f64 = losses.iter().copied().map(f64::from).sum();
            (sum / losses.len() as f64) as f32
        };
        Ok(Steps {
            losses: losses.chunks(batch).map(mean).collect(),
            finite,
            answers: answers.into_iter().zip(losses).collect(),
            shared,
            gradient,
        })
    }

    /// One step of [`train_chunk`](Self::train_chunk), and what it changed: its loss, the gradient, and the
    /// weights before and after.
    pub(super) fn train_on_gpu(
        &mut self,
        data: Seen,
        batch: &[u32],
        key: Key,
    ) -> Result<[Tensor; 4], TrainError> {
        let before = self.model.variable().as_detached_tensor().copy()?;
        let rate = self.optimizer.learning_rate();
        let steps = self.train_chunk(data, (batch, batch.len()), &[rate], key)?;
        let loss = steps.losses.first().copied().unwrap_or(f32::NAN);
        let gradient = Tensor::from_vec(steps.gradient, before.elem_count(), &Device::Cpu)?;
        let after = self.model.variable().as_detached_tensor().copy()?;
        Ok([Tensor::new(loss, &Device::Cpu)?, gradient, before, after])
    }
}
