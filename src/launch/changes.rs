//! What a resumed run does otherwise than before, without changing a step that it has trained.

use std::path::PathBuf;

use crate::{
    config::{ConfigError, DataSource, DeviceChoice, RunConfig, Shape},
    data::Checksums,
    network::NetworkSpec,
    protocol::{Event, RunInfo, TrainingProgress},
};

/// Settings that were given for a run that is resumed; `None` leaves them as they are.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Changes {
    /// Another place of the same images.
    pub data: Option<DataSource>,
    /// Passes over the training images.
    pub epochs: Option<u32>,
    /// Optimiser steps after which the run ends.
    pub max_steps: Option<u64>,
    /// Where the weights go at the end.
    pub save: Option<PathBuf>,
    /// CPU threads.
    pub threads: Option<usize>,
    /// Which processor trains.
    pub device: Option<DeviceChoice>,
    /// Whether what is not finite pauses or ends the run.
    pub break_on_nan: Option<bool>,
    /// Runs that stay in the state directory.
    pub keep_runs: Option<usize>,
    /// The network, which must be the run's own.
    pub model: Option<NetworkSpec>,
}

impl Changes {
    /// Whether the run is asked for another number of epochs or steps, as a finished one may be.
    pub fn go_further(&self) -> bool {
        self.epochs.is_some() || self.max_steps.is_some()
    }

    /// The configuration of a run that has trained nothing yet.
    ///
    /// # Errors
    /// If the run is of another network.
    pub(super) fn of_untrained(&self, config: RunConfig) -> Result<RunConfig, ConfigError> {
        let changes = self.clone();
        if changes.model.is_some_and(|model| model != config.model) {
            return Err(ConfigError::new(format!(
                "--model cannot change: this run trains {}",
                config.model
            )));
        }
        Ok(RunConfig {
            data: changes.data.unwrap_or(config.data),
            epochs: changes.epochs.unwrap_or(config.epochs),
            max_steps: changes.max_steps.or(config.max_steps),
            save: changes.save.or(config.save),
            threads: changes.threads.or(config.threads),
            device: changes.device.unwrap_or(config.device),
            break_on_nan: changes.break_on_nan.unwrap_or(config.break_on_nan),
            keep_runs: changes.keep_runs.or(config.keep_runs),
            ..config
        })
    }

    /// The configuration of a run that has come as far as `progress`, and the checksums that its images
    /// must have. The past then announces as many steps as there will be.
    ///
    /// # Errors
    /// If the run has trained more than it is asked for, or cannot tell whether other images are the
    /// same.
    pub(super) fn of_trained(
        &self,
        old: &RunConfig,
        progress: &TrainingProgress,
        past: &mut [Event],
    ) -> Result<(RunConfig, Option<Checksums>), ConfigError> {
        let mut new = self.of_untrained(old.clone())?;
        new.validate()?;
        let infos = past.iter_mut().filter_map(|event| match event {
            Event::Started(info) => Some(info),
            _ => None,
        });
        let infos: Vec<&mut RunInfo> = infos.collect();
        // Versions that noted none may have trained its beginning.
        let known = infos.iter().rev().find_map(|info| info.checksums);
        let [before, after] = [old, &new].map(|config| config.with_absolute_paths().data);
        if before != after && known.is_none() {
            return Err(ConfigError::new(
                "--data cannot change: this run was started by a version that did not note which \
                 images it trains on"
                    .to_owned(),
            ));
        }
        if let Some(epochs) = self.epochs.filter(|&epochs| epochs < progress.epoch) {
            let at = progress.epoch;
            return Err(ConfigError::new(format!(
                "--epochs is {epochs}: expected at least {at}, the epoch that the run has reached"
            )));
        }
        if let Some(steps) = self.max_steps.filter(|&steps| steps < progress.step) {
            let at = progress.step;
            return Err(ConfigError::new(format!(
                "--steps is {steps}: expected at least {at}, the steps that the run has trained"
            )));
        }
        for info in infos {
            let images = info.train_images as usize;
            let (before, after) = (old.total_steps(images), new.total_steps(images));
            // The steps that were trained had the rates of this schedule.
            if after != before && new.schedule.shape != Shape::Constant {
                new.schedule.steps.get_or_insert(before);
            }
            if self.go_further() && after <= progress.step && after <= before {
                return Err(ConfigError::new(format!(
                    "the run is complete after {after} steps: expected more epochs (--epochs, now {}) \
                     or more steps (--steps, now {})",
                    new.epochs,
                    new.max_steps.map_or("without limit".to_owned(), |steps| steps.to_string()),
                )));
            }
            info.epochs = new.epochs;
            info.total_steps = after;
        }
        Ok((new, known))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ScheduleSpec;

    fn at(epoch: u32, step: u64) -> TrainingProgress {
        TrainingProgress { epoch, step, ..TrainingProgress::default() }
    }

    /// The changes to a finished run of the article's ten epochs.
    fn of_finished(changes: &Changes) -> Result<(RunConfig, RunInfo), String> {
        let mut past = [Event::Started(RunInfo::example())];
        let changed = changes.of_trained(&RunConfig::default(), &at(10, 12_000), &mut past);
        let (config, _) = changed.map_err(|error| error.to_string())?;
        let [Event::Started(info)] = past else { unreachable!() };
        Ok((config, info))
    }

    #[test]
    fn a_finished_run_can_be_asked_for_more() {
        let changes = Changes { epochs: Some(20), ..Changes::default() };
        let (config, info) = of_finished(&changes).expect("ten more");
        assert_eq!((config.epochs, info.epochs, info.total_steps), (20, 20, 24_000));
        let (config, _) = of_finished(&Changes::default()).expect("nothing changes");
        assert_eq!(config, RunConfig::default());
    }

    #[test]
    fn a_run_that_goes_further_keeps_the_schedule_of_its_steps() {
        let schedule = ScheduleSpec { shape: Shape::Cosine, ..ScheduleSpec::default() };
        let old = RunConfig { schedule, ..RunConfig::default() };
        let mut past = [Event::Started(RunInfo::example())];
        let further = |epochs| Changes { epochs: Some(epochs), ..Changes::default() };
        let changed = further(20).of_trained(&old, &at(10, 12_000), &mut past);
        let (config, _) = changed.expect("ten more");
        assert_eq!(config.schedule(60_000), old.schedule(60_000));
        let changed = further(30).of_trained(&config, &at(20, 24_000), &mut past);
        assert_eq!(changed.expect("ten more").0.schedule.steps, Some(12_000));
    }

    #[test]
    fn a_run_cannot_be_asked_for_less_than_it_has_done() {
        let refused = |changes: Changes| of_finished(&changes).expect_err("refused");
        let epochs = refused(Changes { epochs: Some(9), ..Changes::default() });
        assert_eq!(
            epochs,
            "--epochs is 9: expected at least 10, the epoch that the run has reached"
        );
        let steps = refused(Changes { max_steps: Some(11_999), ..Changes::default() });
        assert!(steps.starts_with("--steps is 11999: expected at least 12000"), "{steps}");
        let same = refused(Changes { epochs: Some(10), ..Changes::default() });
        assert!(same.starts_with("the run is complete after 12000 steps"), "{same}");
        let zero = refused(Changes { epochs: Some(0), ..Changes::default() });
        assert!(zero.starts_with("--epochs is 0"), "{zero}");
    }

    #[test]
    fn a_limit_of_steps_that_leaves_no_more_epochs_is_named() {
        let old = RunConfig { max_steps: Some(300), ..RunConfig::default() };
        let mut past = [Event::Started(RunInfo { total_steps: 300, ..RunInfo::example() })];
        let changes = Changes { epochs: Some(20), ..Changes::default() };
        let refused = changes.of_trained(&old, &at(1, 300), &mut past).expect_err("no more");
        assert!(refused.to_string().contains("(--steps, now 300)"), "{refused}");
        let changes = Changes { max_steps: Some(600), ..Changes::default() };
        let (config, _) = changes.of_trained(&old, &at(1, 300), &mut past).expect("300 more");
        assert_eq!(config.total_steps(60_000), 600);
    }

    #[test]
    fn another_network_is_refused_and_the_same_is_not() {
        let model = "flatten, linear".parse().expect("a network");
        let refused = of_finished(&Changes { model: Some(model), ..Changes::default() });
        let message = refused.expect_err("another network");
        assert!(
            message.starts_with("--model cannot change: this run trains conv 6 k5, "),
            "{message}"
        );
        let same =
            Changes { model: Some(NetworkSpec::article()), epochs: Some(11), ..Changes::default() };
        assert!(of_finished(&same).is_ok());
    }

    #[test]
    fn other_images_need_checksums_of_the_first() {
        let changes =
            Changes { data: Some(DataSource::Path("moved".into())), ..Changes::default() };
        let refused = of_finished(&changes).expect_err("nothing to compare with");
        assert!(refused.starts_with("--data cannot change"), "{refused}");
        let checksums = Checksums::default();
        let info = RunInfo { checksums: Some(checksums), ..RunInfo::example() };
        let mut past = [Event::Started(info)];
        let changed = changes.of_trained(&RunConfig::default(), &at(1, 1), &mut past);
        let (config, expected) = changed.expect("they can be compared");
        assert_eq!((config.data, expected), (DataSource::Path("moved".into()), Some(checksums)));
    }
}
