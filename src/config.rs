//! What a run is asked to do, as validated plain data.

mod augment;
mod device;
mod differences;
mod file;
mod image_size;
mod model;
mod optimizer;
pub mod path_form;
mod schedule;
mod source;

use std::path::{self, PathBuf};

use serde::{Deserialize, Serialize};

use crate::network::{NetworkSpec, Plan};
pub use augment::Augment;
pub use device::DeviceChoice;
pub use image_size::{ImageSize, SIDES};
pub(crate) use model::read_text;
pub use model::{is_safetensors, parse_model};
pub use optimizer::{OptimizerName, OptimizerOptions, OptimizerSpec};
pub use schedule::{Schedule, ScheduleSpec, Shape};
pub use source::{DataSource, HubSet};

/// What a run is asked to do.
///
/// Settings that were added later have defaults, so that runs of earlier versions can be read. Those of
/// the first version are required: other programs have files named `config.json`, too.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunConfig {
    /// Where the images come from.
    pub data: DataSource,
    /// Rows and columns of the images, where the data does not say or is scaled to it.
    #[serde(default)]
    pub image_size: Option<ImageSize>,
    /// Passes over the training images.
    pub epochs: u32,
    /// Images per optimiser step.
    pub batch_size: usize,
    /// The optimiser's learning rate: the highest of the schedule.
    pub learning_rate: f64,
    /// Decides initial weights, order of images and choice of validation images.
    pub seed: u64,
    /// Whether each epoch has an order of its own; file order otherwise.
    pub shuffle: bool,
    /// Training images held out for the evaluation after each epoch; 0 evaluates on the test set.
    pub validation: usize,
    /// Ends the run after this many optimiser steps, if the epochs do not end it sooner.
    pub max_steps: Option<u64>,
    /// Weights to start from, in place of PyTorch's default initialisation.
    #[serde(with = "path_form::optional")]
    pub init: Option<PathBuf>,
    /// Where the weights go at the end.
    #[serde(with = "path_form::optional")]
    pub save: Option<PathBuf>,
    /// CPU threads; `None` uses every core.
    pub threads: Option<usize>,
    /// Which processor trains.
    pub device: DeviceChoice,
    /// Whether a loss or a gradient that is not finite pauses the run, or ends it without a screen.
    #[serde(default = "yes")]
    pub break_on_nan: bool,
    /// Runs that stay in the state directory; `None` for the default.
    #[serde(default)]
    pub keep_runs: Option<usize>,
    /// The network.
    #[serde(default = "NetworkSpec::article")]
    pub model: NetworkSpec,
    /// What the user calls the run.
    #[serde(default)]
    pub name: Option<String>,
    /// How gradients move the weights.
    #[serde(default)]
    pub optimizer: OptimizerSpec,
    /// How the learning rate changes in the course of the run.
    #[serde(default)]
    pub schedule: ScheduleSpec,
    /// Most that the norm of a gradient may be; a longer one is shortened to it.
    #[serde(default)]
    pub clip_norm: Option<f64>,
    /// How training images are distorted.
    #[serde(default)]
    pub augment: Augment,
    /// What all classes share of each label.
    #[serde(default)]
    pub label_smoothing: f64,
    /// Decay of the averaged weights that are evaluated and saved; `None` for those that are trained.
    #[serde(default)]
    pub ema: Option<f64>,
    /// Ends the run after this many epochs without a better evaluation.
    #[serde(default)]
    pub early_stop: Option<u32>,
    /// Training images that are used, the same share of each class; `None` for all.
    #[serde(default)]
    pub train_size: Option<usize>,
    /// Whether validation images are the same share of each class, as the command line asks for; in runs of
    /// the first versions they are drawn from all.
    #[serde(default)]
    pub balanced_validation: bool,
}

fn yes() -> bool {
    true
}

impl Default for RunConfig {
    fn default() -> Self {
        Self {
            data: DataSource::Builtin,
            image_size: None,
            epochs: 10,
            batch_size: 50,
            learning_rate: 1e-3,
            seed: 0,
            shuffle: true,
            validation: 0,
            max_steps: None,
            init: None,
            save: None,
            threads: None,
            device: DeviceChoice::Auto,
            break_on_nan: true,
            keep_runs: None,
            model: NetworkSpec::article(),
            name: None,
            optimizer: OptimizerSpec::default(),
            schedule: ScheduleSpec::default(),
            clip_norm: None,
            augment: Augment::default(),
            label_smoothing: 0.0,
            ema: None,
            early_stop: None,
            train_size: None,
            balanced_validation: false,
        }
    }
}

/// A value that no run can have, in one sentence with what is allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(String);

impl ConfigError {
    /// An error that reads as `message`.
    pub fn new(message: String) -> Self {
        Self(message)
    }
}

/// Training images in the copy of MNIST inside the program.
const BUILTIN_TRAIN_IMAGES: usize = 60_000;
/// Channels, rows and columns of its images.
const BUILTIN_SHAPE: [usize; 3] = [1, 28, 28];
/// Digits that they show.
const BUILTIN_CLASSES: usize = 10;
/// Memory that a batch may take.
const MOST_BATCH_BYTES: u64 = 4 << 30;
/// More threads than this serve no machine and only exhaust it.
const MAX_THREADS: usize = 1024;

impl RunConfig {
    /// Checks everything that can be checked before the data is read.
    ///
    /// # Errors
    /// Names the first option whose value is out of range, the value, and the range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        ensure(self.epochs > 0, || "--epochs is 0: expected at least 1".into())?;
        ensure(self.batch_size > 0, || "--batch-size is 0: expected at least 1".into())?;
        ensure(self.learning_rate.is_finite() && self.learning_rate > 0.0, || {
            format!("--lr is {}: expected a finite number above 0", self.learning_rate)
        })?;
        self.optimizer.validate()?;
        self.schedule.validate()?;
        ensure(self.clip_norm.is_none_or(|norm| norm.is_finite() && norm > 0.0), || {
            let norm = self.clip_norm.unwrap_or_default();
            format!("--clip-norm is {norm}: expected a finite number above 0")
        })?;
        ensure((0.0..1.0).contains(&self.label_smoothing), || {
            format!(
                "--label-smoothing is {}: expected a number from 0 to below 1",
                self.label_smoothing
            )
        })?;
        ensure(self.ema.is_none_or(|decay| decay > 0.0 && decay < 1.0), || {
            let decay = self.ema.unwrap_or_default();
            format!("--ema is {decay}: expected a number between 0 and 1, such as 0.999")
        })?;
        ensure(self.early_stop != Some(0), || "--early-stop is 0: expected at least 1".into())?;
        ensure(self.early_stop.is_none() || self.validation > 0, || {
            "--early-stop needs --validation: the test images must not decide when a run ends"
                .into()
        })?;
        ensure(self.train_size != Some(0), || "--train-size is 0: expected at least 1".into())?;
        ensure(self.max_steps != Some(0), || "--steps is 0: expected at least 1".into())?;
        ensure(self.threads.is_none_or(|n| (1..=MAX_THREADS).contains(&n)), || {
            let threads = self.threads.unwrap_or_default();
            format!("--threads is {threads}: expected 1 to {MAX_THREADS}")
        })?;
        ensure(self.data != DataSource::Builtin || self.image_size.is_none(), || {
            "--image-size is for pictures and CSV files: expected --data with such a set".into()
        })?;
        if self.data == DataSource::Builtin {
            self.validate_for(BUILTIN_TRAIN_IMAGES)?;
            self.plan(BUILTIN_SHAPE, BUILTIN_CLASSES)?;
        }
        Ok(())
    }

    /// Checks what depends on the number of images in the training files.
    ///
    /// # Errors
    /// Names the option whose value the data cannot serve, and the range.
    pub fn validate_for(&self, train_images: usize) -> Result<(), ConfigError> {
        ensure(self.validation < train_images, || {
            format!(
                "--validation is {}: expected fewer than the {train_images} training images",
                self.validation
            )
        })?;
        let left = train_images - self.validation;
        if let Some(size) = self.train_size {
            ensure(size <= left, || {
                let why = if self.validation > 0 { " that --validation leaves" } else { "" };
                format!("--train-size is {size}: expected 1 to {left}, the training images{why}")
            })?;
        }
        let left = self.train_size.unwrap_or(left);
        ensure(self.batch_size <= left, || {
            let why = match (self.train_size, self.validation) {
                (Some(_), _) => " of --train-size",
                (None, 0) => "",
                (None, _) => " that --validation leaves",
            };
            format!(
                "--batch-size is {}: expected 1 to {left}, the training images{why}",
                self.batch_size
            )
        })
    }

    /// The network for images of `shape` (channels, rows, columns).
    ///
    /// # Errors
    /// If its layers do not fit images of this shape or this number of classes.
    pub fn plan(&self, shape: [usize; 3], classes: usize) -> Result<Plan, ConfigError> {
        Plan::of(&self.model, shape, classes)
            .map_err(|error| ConfigError(format!("--model: {error}")))
    }

    /// Checks what a network requires of the batches of an epoch over `images` training images.
    ///
    /// # Errors
    /// If a batch would have too few images for batch normalisation, or take too much memory.
    pub fn validate_batches(&self, plan: &Plan, images: usize) -> Result<(), ConfigError> {
        let size = self.batch_size;
        if let Some(layer) = plan.normalises_single_values() {
            ensure(size > 1 && images % size != 1, || {
                let batch = if size == 1 { "a batch" } else { "the last batch of an epoch" };
                format!(
                    "--batch-size is {size}: {batch} would have one image, and {} normalises over the \
                     images of a batch: choose a size that leaves two or more",
                    layer.name
                )
            })?;
        }
        let most = (MOST_BATCH_BYTES / plan.bytes_per_image().max(1)) as usize;
        ensure(size.min(images) <= most, || {
            format!(
                "--batch-size is {size}: a batch would take more than {} GiB of memory in this network, \
                 expected at most {most}",
                MOST_BATCH_BYTES >> 30
            )
        })
    }

    /// The same with paths that mean the same from every working directory.
    #[must_use]
    pub fn with_absolute_paths(&self) -> Self {
        let absolute = |path: &PathBuf| path::absolute(path).unwrap_or_else(|_| path.clone());
        Self {
            data: match &self.data {
                DataSource::Path(folder) => DataSource::Path(absolute(folder)),
                other => other.clone(),
            },
            init: self.init.as_ref().map(absolute),
            save: self.save.as_ref().map(absolute),
            ..self.clone()
        }
    }

    /// Runs that stay in the state directory.
    pub fn keep_runs(&self) -> usize {
        const DEFAULT: usize = 20;
        self.keep_runs.unwrap_or(DEFAULT)
    }

    /// The same settings with the trajectory of `other`: the steps that it has trained stay valid.
    #[must_use]
    pub fn on_trajectory_of(self, other: &Self) -> Self {
        // A field that is not named here decides the trajectory.
        Self {
            data: self.data,
            epochs: self.epochs,
            max_steps: self.max_steps,
            save: self.save,
            threads: self.threads,
            device: self.device,
            break_on_nan: self.break_on_nan,
            keep_runs: self.keep_runs,
            name: self.name,
            ..other.clone()
        }
    }

    /// Optimiser steps in one epoch over `train_images` images; the last, short batch counts.
    pub fn steps_per_epoch(&self, train_images: usize) -> u64 {
        train_images.div_ceil(self.batch_size) as u64
    }

    /// Optimiser steps of the whole run over `train_images` images.
    pub fn total_steps(&self, train_images: usize) -> u64 {
        let all = u64::from(self.epochs) * self.steps_per_epoch(train_images);
        self.max_steps.map_or(all, |limit| limit.min(all))
    }

    /// The learning rates of the run over `train_images` images.
    pub fn schedule(&self, train_images: usize) -> Schedule {
        self.schedule.over(self.total_steps(train_images), self.learning_rate)
    }
}

fn ensure(holds: bool, message: impl FnOnce() -> String) -> Result<(), ConfigError> {
    if holds { Ok(()) } else { Err(ConfigError(message())) }
}

#[cfg(test)]
mod tests;
