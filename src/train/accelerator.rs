//! Training on an NVIDIA GPU, for a network whose weights are in main memory.
//!
//! The GPU takes weights and optimiser state with each chunk of steps and gives them back, so that a run is
//! inspected, rewound and saved as on the CPU.

use crate::{
    config::{OptimizerSpec, RunConfig},
    data::{Dataset, augment::Seen},
    gpu::{
        GpuError,
        engine::{Chunk, Done, Engine, FACTORS, ImageSet, Rule, RuleKind, State},
    },
    network::Plan,
    nn::{average, engine::Key},
    seed::{self, Purpose},
};

/// Adam's, as in `nn/optim/adam.rs`.
const EPSILON: f32 = 1e-8;

/// A GPU, and what a run's steps are on it.
pub(super) struct Accelerator {
    engine: Engine,
    /// Sets on the device, each known by where its pixels are in main memory.
    sets: Vec<(*const u8, ImageSet)>,
    optimizer: OptimizerSpec,
    smoothing: f64,
    ema: Option<f64>,
}

impl Accelerator {
    /// Opens the GPU of this number for a run.
    ///
    /// # Errors
    /// When it cannot be used, or has no kernels for the network or an option of the run.
    pub(super) fn open(ordinal: usize, plan: &Plan, config: &RunConfig) -> Result<Self, GpuError> {
        if config.clip_norm.is_some() {
            let reason = "its kernels do not clip gradients: leave --clip-norm out";
            return Err(GpuError::Unsupported(reason.to_owned()));
        }
        Ok(Self {
            engine: Engine::open(ordinal, plan)?,
            sets: Vec::new(),
            optimizer: config.optimizer,
            smoothing: config.label_smoothing,
            ema: config.ema,
        })
    }

    /// What people call it: `NVIDIA H100 80GB HBM3`.
    pub(super) fn name(&self) -> &str {
        &self.engine.device().name
    }

    /// What names it for good: `GPU-…`.
    pub(super) fn uuid(&self) -> &str {
        &self.engine.device().uuid
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
        state: &mut State,
    ) -> Result<Done, GpuError> {
        let factors: Vec<_> =
            (step + 1..).zip(rates).map(|(step, &rate)| self.factors(step, rate)).collect();
        let rule = self.rule();
        let fresh = match data.undistorted() {
            Some(_) => None,
            None => Some(self.distorted(data, order)?),
        };
        let (images, order) = match (&fresh, data.undistorted()) {
            (Some((images, places)), _) => (images, places.as_slice()),
            (None, Some(set)) => (Self::resident(&mut self.sets, &self.engine, set)?, order),
            (None, None) => unreachable!("distorted images are fresh ones"),
        };
        let key = seed::key_words(key.seed, Purpose::Dropout, key.epoch, key.step);
        let chunk = Chunk { order, batch, factors: &factors, key, rule, state };
        let mut done = self.engine.train(images, &mut [chunk])?;
        Ok(done.pop().unwrap_or_default())
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
        let images = Self::resident(&mut self.sets, &self.engine, data)?;
        self.engine.logits(images, order, weights)
    }

    /// Images as a chunk sees them, and their places.
    fn distorted(&self, data: Seen, order: &[u32]) -> Result<(ImageSet, Vec<u32>), GpuError> {
        let labels: Vec<u8> = order.iter().map(|&index| data.label(index as usize)).collect();
        let images = self.engine.images(&data.images(order), &labels)?;
        Ok((images, (0..order.len() as u32).collect()))
    }

    /// A set on the device, copied there at its first use.
    fn resident<'a>(
        sets: &'a mut Vec<(*const u8, ImageSet)>,
        engine: &Engine,
        data: &Dataset,
    ) -> Result<&'a ImageSet, GpuError> {
        let pixels = data.images();
        let known = sets.iter().position(|(known, _)| *known == pixels.as_ptr());
        let place = known.unwrap_or(sets.len());
        if known.is_none() {
            sets.push((pixels.as_ptr(), engine.images(pixels, data.labels())?));
        }
        Ok(&sets[place].1)
    }

    fn rule(&self) -> Rule {
        let smoothing = self.smoothing as f32;
        match self.optimizer {
            OptimizerSpec::Adam { betas, weight_decay } => Rule {
                kind: RuleKind::Adam,
                keep: betas.map(|beta| beta as f32),
                take: betas.map(|beta| (1.0 - beta) as f32),
                epsilon: EPSILON,
                decay: weight_decay as f32,
                smoothing,
            },
            OptimizerSpec::AdamW { betas, .. } => Rule {
                kind: RuleKind::Adam,
                keep: betas.map(|beta| beta as f32),
                take: betas.map(|beta| (1.0 - beta) as f32),
                epsilon: EPSILON,
                decay: 0.0,
                smoothing,
            },
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
