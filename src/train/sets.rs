//! The images of a run.

use std::sync::Arc;

use super::{
    error::TrainError,
    shared::{Loaded, SharedData},
};
use crate::{
    config::{DataSource, ImageSize, RunConfig},
    data::{self, Checksums, DataInfo, Dataset, Splits, augment::Seen, split},
    network::Plan,
    protocol::{EvalSet, ImageSet, NetworkInfo, RunInfo},
};

/// Reads the set from where it is.
///
/// # Errors
/// If it cannot be read.
pub(super) fn load_data(
    source: &DataSource,
    size: Option<ImageSize>,
) -> Result<Splits, TrainError> {
    Ok(data::load(source, size)?)
}

/// What a set is.
///
/// # Errors
/// If it cannot be read.
pub fn describe_data(source: &DataSource, size: Option<ImageSize>) -> Result<DataInfo, TrainError> {
    if *source != DataSource::Builtin {
        return Ok(load_data(source, size)?.info);
    }
    Ok(DataInfo::mnist())
}

/// All images of a run, by what they are for.
pub(super) struct Sets {
    pub(super) train: Arc<Dataset>,
    pub(super) validation: Option<Dataset>,
    pub(super) test: Arc<Dataset>,
    pub(super) info: DataInfo,
    pub(super) checksums: Checksums,
    /// Sentences that a user should see.
    pub(super) notes: Vec<String>,
}

impl Sets {
    /// Reads them and holds the validation images out of training.
    ///
    /// # Errors
    /// If they cannot be read, do not suit the configuration, or have other checksums than expected.
    pub(super) fn load(
        config: &RunConfig,
        expected: Option<&Checksums>,
        shared: Option<&SharedData>,
    ) -> Result<Self, TrainError> {
        let Loaded { info, train, test, checksums, notes } = match shared {
            Some(shared) => shared.load(&config.data, config.image_size)?,
            None => Loaded::read(&config.data, config.image_size)?,
        };
        if let Some(difference) = expected.and_then(|expected| expected.difference(&checksums)) {
            let place = config.data.clone();
            return Err(TrainError::OtherData { place, difference });
        }
        config.validate_for(train.len())?;
        let RunConfig { validation, seed, train_size, balanced_validation, .. } = *config;
        let (train, validation) = match validation {
            0 => (train, None),
            count => {
                let hold_out =
                    if balanced_validation { split::hold_out_balanced } else { split::hold_out };
                let (train, validation) = hold_out(Arc::unwrap_or_clone(train), count, seed);
                (Arc::new(train), Some(validation))
            }
        };
        let train = match train_size {
            Some(count) => Arc::new(split::subset(Arc::unwrap_or_clone(train), count, seed)),
            None => train,
        };
        Ok(Self { train, validation, test, info, checksums, notes })
    }

    /// The training images as an epoch of a run sees them.
    pub(super) fn seen(&self, config: &RunConfig, epoch: u32) -> Seen<'_> {
        Seen::augmented(&self.train, config.augment, config.seed, epoch)
    }

    /// The images of an evaluation.
    pub(super) fn of(&self, set: EvalSet) -> &Dataset {
        match set {
            EvalSet::Test => &self.test,
            EvalSet::Validation => self.validation.as_ref().unwrap_or(&*self.test),
        }
    }

    /// The images of a set; the test images where there are no validation images.
    pub(super) fn images(&self, set: ImageSet) -> &Dataset {
        match set {
            ImageSet::Train => &self.train,
            ImageSet::Validation => self.of(EvalSet::Validation),
            ImageSet::Test => &self.test,
        }
    }

    /// What each epoch is evaluated on.
    pub(super) fn evaluation(&self) -> (EvalSet, &Dataset) {
        match &self.validation {
            Some(validation) => (EvalSet::Validation, validation),
            None => (EvalSet::Test, &self.test),
        }
    }

    /// The run that `config` makes with them.
    pub(super) fn describe(
        &self,
        config: &RunConfig,
        device: String,
        plan: &Plan,
        recorded: bool,
    ) -> RunInfo {
        let (eval_set, evaluation) = self.evaluation();
        RunInfo {
            data: config.data.to_string(),
            set: self.info.clone(),
            train_images: self.train.len() as u64,
            eval_images: evaluation.len() as u64,
            eval_set,
            test_images: self.test.len() as u64,
            epochs: config.epochs,
            batch_size: config.batch_size as u64,
            steps_per_epoch: config.steps_per_epoch(self.train.len()),
            total_steps: config.total_steps(self.train.len()),
            learning_rate: config.learning_rate,
            seed: config.seed,
            shuffle: config.shuffle,
            device,
            parameters: plan.trained_len() as u64,
            saves: config.save.is_some(),
            recorded,
            checksums: Some(self.checksums),
            network: NetworkInfo::of(plan),
            schedule: config.schedule(self.train.len()),
        }
    }
}
