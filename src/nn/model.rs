//! A network with its weights on a device.

use std::sync::Arc;

use candle_core::{DType, Device, Result, Tensor, Var, bail};
use rand::RngCore;

use super::engine::Mode;
use super::graph::Graph;
pub use super::operation::Outcome;
use super::operation::{self, Kernels, Pass};
use super::{composed, init, loss};
use crate::network::Plan;

/// A network's numbers, in the order of its plan.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Weights {
    /// The trained parameters one after the other.
    pub trained: Vec<f32>,
    /// The running statistics of batch normalisation one after the other.
    pub running: Vec<f32>,
}

impl Weights {
    /// Those that training starts from, as `PyTorch` draws them.
    pub fn initial(plan: &Plan, rng: &mut impl RngCore) -> Self {
        Self { trained: init::trained(plan, rng), running: init::running(plan) }
    }
}

/// A network with its weights.
#[derive(Debug)]
pub struct Model {
    plan: Arc<Plan>,
    /// All trained parameters one after the other.
    variable: Var,
    /// All running statistics one after the other.
    running: Tensor,
    kernels: Arc<Kernels>,
    /// What all classes share of each label in training.
    smoothing: f64,
}

impl Model {
    /// A model with these weights on `device`.
    ///
    /// # Errors
    /// When there are more or fewer weights than the plan has, and those of candle on making tensors.
    pub fn new(plan: Arc<Plan>, weights: &Weights, device: &Device) -> Result<Self> {
        let Weights { trained, running } = weights;
        let (expected, found) =
            ((plan.trained_len(), plan.running_len()), (trained.len(), running.len()));
        if expected != found {
            bail!("the network has {expected:?} parameters and statistics, found {found:?}");
        }
        Ok(Self {
            variable: Var::from_slice(trained, trained.len(), device)?,
            running: Tensor::from_slice(running, running.len(), device)?,
            kernels: Arc::new(Kernels::of(&plan)),
            smoothing: 0.0,
            plan,
        })
    }

    /// The same in main memory with the general kernels, also where there are special ones.
    ///
    /// # Errors
    /// As [`Model::new`].
    pub fn general(plan: Arc<Plan>, weights: &Weights) -> Result<Self> {
        let kernels = Arc::new(Kernels::Graph(Graph::new(Arc::clone(&plan))));
        Ok(Self { kernels, ..Self::new(plan, weights, &Device::Cpu)? })
    }

    /// The same with labels smoothed in training, as `label_smoothing` of `PyTorch`'s `CrossEntropyLoss`.
    #[must_use]
    pub fn with_label_smoothing(self, smoothing: f64) -> Self {
        Self { smoothing, ..self }
    }

    /// Another one with its own copy of the weights.
    ///
    /// # Errors
    /// Those of candle on making tensors.
    pub fn copy(&self) -> Result<Self> {
        Ok(Self {
            plan: Arc::clone(&self.plan),
            variable: Var::from_tensor(&self.variable.as_detached_tensor().copy()?)?,
            running: self.running.clone(),
            kernels: Arc::clone(&self.kernels),
            smoothing: self.smoothing,
        })
    }

    /// What is computed.
    pub fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// The mean cross-entropy and the logits of `images` `[n, channels, rows, columns]` that show
    /// `labels` `[n]` (u32), all on the model's device. Images are f32 (byte/255) or, in main memory,
    /// also u8.
    ///
    /// # Errors
    /// When the shapes do not fit, and those of candle.
    pub fn loss(&self, images: &Tensor, labels: &Tensor, mode: Mode) -> Result<Outcome> {
        self.outcome(images, labels, mode, true)
    }

    /// [`Model::loss`] that is not to be differentiated, which is faster.
    ///
    /// # Errors
    /// As [`Model::loss`].
    pub fn loss_only(&self, images: &Tensor, labels: &Tensor, mode: Mode) -> Result<Outcome> {
        self.outcome(images, labels, mode, false)
    }

    /// [`Model::loss_only`] with layers as in evaluation.
    ///
    /// # Errors
    /// As [`Model::loss`].
    pub fn evaluate(&self, images: &Tensor, labels: &Tensor) -> Result<Outcome> {
        self.loss_only(images, labels, Mode::Evaluate)
    }

    fn outcome(
        &self,
        images: &Tensor,
        labels: &Tensor,
        mode: Mode,
        with_gradients: bool,
    ) -> Result<Outcome> {
        if !images.device().is_cpu() {
            return self.outcome_composed(images, labels, mode, with_gradients);
        }
        let (plan, kernels, running) = (&self.plan, &self.kernels, &self.running);
        let smoothing = self.smoothing_in(mode);
        let pass = Pass { plan, kernels, running, mode, with_gradients, smoothing };
        operation::loss(&pass, &self.variable, images, labels)
    }

    /// [`Model::loss`] as it is computed on other devices than the processor, on any device.
    ///
    /// # Errors
    /// As [`Model::loss`].
    pub fn loss_composed(&self, images: &Tensor, labels: &Tensor, mode: Mode) -> Result<Outcome> {
        self.outcome_composed(images, labels, mode, true)
    }

    fn smoothing_in(&self, mode: Mode) -> f64 {
        match mode {
            Mode::Train(_) => self.smoothing,
            Mode::Evaluate => 0.0,
        }
    }

    fn outcome_composed(
        &self,
        images: &Tensor,
        labels: &Tensor,
        mode: Mode,
        with_gradients: bool,
    ) -> Result<Outcome> {
        let detached = self.variable.as_detached_tensor();
        let trained = if with_gradients { self.variable.as_tensor() } else { &detached };
        let values = composed::forward(&self.plan, trained, &self.running, images, mode)?;
        let logits = values.logits();
        let loss = loss::smoothed_composed(&logits, labels, self.smoothing_in(mode))?;
        let trains = matches!(mode, Mode::Train(_)) && self.plan.has_batch_norm();
        let running = trains.then_some(values.running);
        Ok(Outcome { loss, logits: logits.detach(), running, grads: None })
    }

    /// The logits `[n, classes]` of images, as in evaluation.
    ///
    /// # Errors
    /// As [`Model::loss`].
    pub fn logits(&self, images: &Tensor) -> Result<Tensor> {
        let labels = Tensor::zeros(images.dim(0)?, DType::U32, images.device())?;
        Ok(self.evaluate(images, &labels)?.logits)
    }

    /// What each stage of the plan gives for one image of numbers, and its logits.
    ///
    /// # Errors
    /// When the image has another size, and those of candle.
    pub fn stages(&self, image: &[f32]) -> Result<(Vec<Vec<f32>>, Vec<f32>)> {
        let expected = self.plan.input().iter().product::<usize>();
        if image.len() != expected {
            bail!("an image has {expected} pixels, found {}", image.len());
        }
        if let (true, Kernels::Graph(graph)) = (self.variable.device().is_cpu(), &*self.kernels) {
            let weights = self.weights()?;
            return Ok(graph.stages(&weights.trained, &weights.running, image));
        }
        let [channels, height, width] = self.plan.input();
        let shape = (1, channels, height, width);
        let image = Tensor::from_slice(image, shape, self.variable.device())?;
        let trained = self.variable.as_detached_tensor();
        let values =
            composed::forward(&self.plan, &trained, &self.running, &image, Mode::Evaluate)?;
        let read = |value: &Tensor| value.flatten_all()?.to_vec1::<f32>();
        let stages = self.plan.stages().map(|node| read(&values.values[node.output]));
        Ok((stages.collect::<Result<_>>()?, read(&values.logits())?))
    }

    /// The one trainable variable: all trained parameters one after the other.
    pub fn variable(&self) -> &Var {
        &self.variable
    }

    /// The running statistics one after the other.
    pub fn running(&self) -> &Tensor {
        &self.running
    }

    /// Replaces the running statistics by those that an [`Outcome`] gave, or a copy of earlier ones.
    pub fn set_running(&mut self, running: Tensor) {
        self.running = running;
    }

    /// Replaces the weights.
    ///
    /// # Errors
    /// When they are more or fewer, and those of candle on making tensors.
    pub fn set_weights(&mut self, weights: &Weights) -> Result<()> {
        let Weights { trained, running } = weights;
        let device = self.variable.device();
        let trained = Tensor::from_slice(trained, trained.len(), device)?;
        let running = Tensor::from_slice(running, running.len(), device)?;
        if running.dims() != self.running.dims() {
            bail!(
                "the network has {:?} statistics, found {:?}",
                self.running.dims(),
                running.dims()
            );
        }
        self.variable.set(&trained)?;
        self.running = running;
        Ok(())
    }

    /// A copy of the weights.
    ///
    /// # Errors
    /// Those of candle on reading from a device.
    pub fn weights(&self) -> Result<Weights> {
        let trained = self.variable.as_detached_tensor().to_vec1()?;
        Ok(Weights { trained, running: self.running.to_vec1()? })
    }
}
