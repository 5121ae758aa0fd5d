//! Training on an NVIDIA GPU, for a network whose weights are in main memory.
//!
//! The GPU takes weights and optimiser state with each chunk of steps and gives them back, so that a run is
//! inspected, rewound and saved as on the CPU.

use crate::{
    config::{OptimizerSpec, RunConfig},
    data::{Dataset, augment::Seen},
    gpu::{
        Client, GpuError, Images, LocalGpu, OwnedChunk, SharedGpus, Trained,
        engine::{DeviceInfo, FACTORS, Rule, RuleKind, State},
    },
    network::Plan,
    nn::{average, engine::Key, optim::EPSILON},
    seed::{self, Purpose},
};

/// A GPU, and what a run's steps are on it.
pub(super) struct Accelerator {
    gpu: Access,
    optimizer: OptimizerSpec,
    smoothing: f64,
    ema: Option<f64>,
}

/// A GPU of the run's own, or one that it shares with other runs of the process.
enum Access {
    Own(Box<LocalGpu>),
    Shared(Client),
}

impl Accelerator {
    /// Opens the GPU of this number for a run, among those that runs share where there are any.
    ///
    /// # Errors
    /// When it cannot be used, or has no kernels for the network or an option of the run.
    pub(super) fn open(
        ordinal: usize,
        plan: &Plan,
        config: &RunConfig,
        shared: Option<&SharedGpus>,
    ) -> Result<Self, GpuError> {
        if config.clip_norm.is_some() {
            let reason = "its kernels do not clip gradients: leave --clip-norm out";
            return Err(GpuError::Unsupported(reason.to_owned()));
        }
        let gpu = match shared {
            Some(gpus) => Access::Shared(gpus.open(ordinal, plan)?),
            None => Access::Own(Box::new(LocalGpu::open(ordinal, plan)?)),
        };
        let RunConfig { optimizer, label_smoothing: smoothing, ema, .. } = *config;
        Ok(Self { gpu, optimizer, smoothing, ema })
    }

    fn device(&self) -> &DeviceInfo {
        match &self.gpu {
            Access::Own(gpu) => gpu.device(),
            Access::Shared(gpu) => gpu.device(),
        }
    }

    /// Whether other runs' steps are trained in the same launches.
    pub(super) fn is_shared(&self) -> bool {
        matches!(self.gpu, Access::Shared(_))
    }

    /// What people call it: `NVIDIA H100 80GB HBM3`.
    pub(super) fn name(&self) -> &str {
        &self.device().name
    }

    /// What names it for good: `GPU-…`.
    pub(super) fn uuid(&self) -> &str {
        &self.device().uuid
    }

    /// Trains the batches of `order` at these rates, the first of them the step of that key and the
    /// optimiser's one after `step`.
    ///
    /// # Errors
    /// Those of the driver.
    pub(super) fn train(
        &mut self,
        data: Seen,
        (order, batch): (&[u32], usize),
        (step, rates): (u64, &[f64]),
        key: Key,
        state: State,
    ) -> Result<Trained, GpuError> {
        let factors: Vec<_> =
            (step + 1..).zip(rates).map(|(step, &rate)| self.factors(step, rate)).collect();
        let (images, order) = match data.undistorted() {
            Some(set) => (Images::Set(set.clone()), order.to_vec()),
            None => distorted(data, order),
        };
        let key = seed::key_words(key.seed, Purpose::Dropout, key.epoch, key.step);
        let rule = self.rule();
        let chunk = OwnedChunk { images, order, batch, factors, key, rule, state };
        match &mut self.gpu {
            Access::Own(gpu) => gpu.train(chunk),
            Access::Shared(gpu) => gpu.train(chunk),
        }
    }

    /// The logits `[n, classes]` of images of a set.
    ///
    /// # Errors
    /// Those of the driver.
    pub(super) fn logits(
        &mut self,
        data: &Dataset,
        order: &[u32],
        weights: &[f32],
    ) -> Result<Vec<f32>, GpuError> {
        match &mut self.gpu {
            Access::Own(gpu) => gpu.logits(data, order, weights),
            Access::Shared(gpu) => gpu.logits(data, order, weights),
        }
    }

    fn rule(&self) -> Rule {
        let smoothing = self.smoothing as f32;
        let adam = |betas: [f64; 2], decay: f64| Rule {
            kind: RuleKind::Adam,
            keep: betas.map(|beta| beta as f32),
            take: betas.map(|beta| (1.0 - beta) as f32),
            epsilon: EPSILON as f32,
            decay: decay as f32,
            smoothing,
        };
        match self.optimizer {
            OptimizerSpec::Adam { betas, weight_decay } => adam(betas, weight_decay),
            // Decoupled decay is a factor of each step.
            OptimizerSpec::AdamW { betas, .. } => adam(betas, 0.0),
            OptimizerSpec::Sgd { momentum, nesterov, weight_decay } => Rule {
                kind: match (momentum == 0.0, nesterov) {
                    (true, _) => RuleKind::Sgd,
                    (false, false) => RuleKind::Momentum,
                    (false, true) => RuleKind::Nesterov,
                },
                keep: [momentum as f32, 0.0],
                decay: weight_decay as f32,
                smoothing,
                ..Rule::default()
            },
        }
    }

    /// What the step of this number, from 1, is computed with.
    fn factors(&self, step: u64, rate: f64) -> [f32; FACTORS] {
        let (betas, keep) = match self.optimizer {
            OptimizerSpec::Adam { betas, .. } => (betas, 1.0),
            OptimizerSpec::AdamW { betas, weight_decay } => (betas, 1.0 - rate * weight_decay),
            OptimizerSpec::Sgd { .. } => ([0.0; 2], 1.0),
        };
        let [first, second] = betas.map(|beta| 1.0 - beta.powf(step as f64));
        let follow = self.ema.map_or(0.0, |decay| average::share(decay, step));
        [rate / first, 1.0 / second.sqrt(), keep, follow].map(|factor| factor as f32)
    }
}

/// Images as a chunk sees them, and their places.
fn distorted(data: Seen, order: &[u32]) -> (Images, Vec<u32>) {
    let labels = order.iter().map(|&index| data.label(index as usize)).collect();
    let images = Images::Own { pixels: data.images(order), labels };
    (images, (0..order.len() as u32).collect())
}
