//! What the options of a run amount to.

use std::{fs::File, io::Read, path::Path};

use super::TrainArgs;
use crate::{
    config::{ConfigError, DataSource, DeviceChoice, RunConfig},
    files,
    launch::Changes,
    network::NetworkSpec,
    protocol::Breakpoint,
    run_log::is_stdout,
    runs::{RunFolder, is_run_file},
    train::Tools,
};

impl TrainArgs {
    /// What the run should do.
    ///
    /// # Errors
    /// If options contradict each other.
    pub(in crate::cli) fn config(&self) -> Result<RunConfig, ConfigError> {
        let defaults = RunConfig::default();
        Ok(RunConfig {
            data: self.source.data(),
            image_size: self.source.image_size,
            epochs: self.epochs.unwrap_or(defaults.epochs),
            batch_size: self.batch_size,
            learning_rate: self.lr,
            seed: self.seed,
            shuffle: !self.no_shuffle,
            validation: self.validation,
            max_steps: self.steps,
            init: self.init.clone(),
            save: self.save.clone(),
            threads: self.machine.threads,
            device: self.machine.device,
            break_on_nan: !self.no_break_on_nan,
            keep_runs: self.keep_runs,
            model: match (&self.model, &self.init) {
                // That of the weights, which is not read yet.
                (None, Some(_)) => defaults.model,
                (model, _) => self.with_dropout(model.clone().unwrap_or(defaults.model))?,
            },
            name: self.name.clone(),
            optimizer: self.recipe.optimizer()?,
            schedule: self.recipe.schedule(),
            balanced_validation: self.validation > 0,
            clip_norm: self.recipe.clip_norm,
            augment: self.recipe.augment,
            label_smoothing: self.recipe.label_smoothing,
            ema: self.recipe.ema,
            early_stop: self.recipe.early_stop,
            train_size: self.train_size,
        })
    }

    /// The network with the dropout that was asked for.
    ///
    /// # Errors
    /// If it has no layer for that.
    pub(in crate::cli) fn with_dropout(
        &self,
        model: NetworkSpec,
    ) -> Result<NetworkSpec, ConfigError> {
        let Some(p) = self.recipe.dropout else { return Ok(model) };
        if !(0.0..1.0).contains(&p) {
            let message = format!("--dropout is {p}: expected a number from 0 to below 1");
            return Err(ConfigError::new(message));
        }
        model.with_dropout(p).ok_or_else(|| {
            let message = "--dropout needs a network with such layers: expected dropout among those of --model";
            ConfigError::new(message.to_owned())
        })
    }

    /// What a resumed run should do differently.
    pub(in crate::cli) fn changes(&self) -> Changes {
        let break_on_nan = match (self.no_break_on_nan, self.breaks_on_nan()) {
            (true, _) => Some(false),
            (false, true) => Some(true),
            (false, false) => None,
        };
        Changes {
            data: self.source.data.clone(),
            epochs: self.epochs,
            max_steps: self.steps,
            save: self.save.clone(),
            threads: self.machine.threads,
            device: Some(self.machine.device).filter(|device| *device != DeviceChoice::Auto),
            break_on_nan,
            keep_runs: self.keep_runs,
            model: self.model.clone(),
        }
    }

    fn breaks_on_nan(&self) -> bool {
        self.breakpoints.contains(&Breakpoint::NotFinite)
    }

    /// What the run offers to a person at the screen.
    ///
    /// # Errors
    /// If a condition was both requested and ruled out.
    pub(in crate::cli) fn tools(&self) -> Result<Tools, String> {
        Ok(Tools { rewind_memory: self.rewind_memory << 20, ..self.tools_for(true)? })
    }

    /// What applies when nobody can resume from a pause.
    ///
    /// # Errors
    /// If a condition was requested that needs a person, or one was both requested and ruled out.
    pub(in crate::cli) fn tools_without_screen(&self) -> Result<Tools, String> {
        match self.breakpoints.iter().find(|one| **one != Breakpoint::NotFinite) {
            None => self.tools_for(false),
            Some(breakpoint) => Err(format!(
                "--break {breakpoint} needs the dashboard, since nobody could resume from the pause \
                 here: only nan is possible without a screen"
            )),
        }
    }

    fn tools_for(&self, attended: bool) -> Result<Tools, String> {
        let mut breakpoints = self.breakpoints.clone();
        match (self.no_break_on_nan, self.breaks_on_nan()) {
            (true, true) => {
                return Err(
                    "--no-break-on-nan and --break nan contradict each other: expected at \
                            most one of them"
                        .to_owned(),
                );
            }
            (false, false) => breakpoints.insert(0, Breakpoint::NotFinite),
            (true, false) | (false, true) => {}
        }
        Ok(Tools { breakpoints, attended, reports_hardware: true, ..Tools::unattended() })
    }

    /// Says which of the files would be written over another one of them, or a file that a run is kept
    /// in. `folder` is the folder of the run, if it is known.
    pub(in crate::cli) fn overwritten(
        &self,
        save: Option<&Path>,
        folder: Option<&Path>,
    ) -> Option<String> {
        let log = self.log.as_deref().filter(|log| !is_stdout(log));
        let init = self.init.as_deref();
        let own = folder.map(files::resolved);
        // Training on from a file into itself is what many want, and loses nothing.
        for (one, a, other, b) in [("--init", init, "--log", log), ("--save", save, "--log", log)] {
            if let (Some(a), Some(b)) = (a, b)
                && files::resolved(a) == files::resolved(b)
            {
                let b = b.display();
                return Some(format!("{one} and {other} are the same file, {b}: expected two"));
            }
        }
        let data = match &self.source.data {
            Some(DataSource::Path(path)) => Some(path.as_path()),
            _ => None,
        };
        [("--save", save), ("--log", log)].into_iter().find_map(|(option, path)| {
            let path = files::resolved(path?);
            if data.is_some_and(|data| files::resolved(data) == path) || is_data(&path) {
                return Some(format!(
                    "{option} leads to {}, which holds images: choose another name",
                    path.display()
                ));
            }
            let (place, name) = (path.parent()?, path.file_name()?);
            let is_own = own.as_deref() == Some(place);
            let holds_run = is_own || RunFolder::is_at(place);
            (holds_run && is_run_file(name)).then(|| {
                format!(
                    "{option} leads to {}, which belongs to a stored run: choose another name",
                    path.display()
                )
            })
        })
    }
}

/// Whether a file starts like an IDX file, an archive or a picture, and unlike weights or a log.
fn is_data(path: &Path) -> bool {
    const BEGINNINGS: [&[u8]; 5] =
        [b"\x1f\x8b", b"PK\x03\x04", b"\x89PNG", b"\xff\xd8\xff", b"\0\0\x08"];
    let mut start = [0; 4];
    let read = path.is_file().then(|| File::open(path)).and_then(Result::ok);
    let len = read.and_then(|mut file| file.read(&mut start).ok()).unwrap_or(0);
    BEGINNINGS.iter().any(|beginning| start[..len].starts_with(beginning))
}
