//! What the options of a run amount to.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::TrainArgs;
use crate::{config::RunConfig, protocol::Breakpoint, train::Tools};

impl TrainArgs {
    /// What decides the run's course, and where it reads and writes.
    pub(in crate::cli) fn config(&self) -> RunConfig {
        RunConfig {
            data: self.source.data.clone(),
            epochs: self.epochs,
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
        }
    }

    /// What the run offers to a person at its screen.
    ///
    /// # Errors
    /// If a condition was both asked for and ruled out.
    pub(in crate::cli) fn tools(&self) -> Result<Tools, String> {
        Ok(Tools { rewind_memory: self.rewind_memory << 20, ..self.tools_for(true)? })
    }

    /// What applies where nobody can go on from a pause.
    ///
    /// # Errors
    /// If a condition was asked for that only a person can answer, or was ruled out too.
    pub(in crate::cli) fn tools_without_screen(&self) -> Result<Tools, String> {
        match self.breakpoints.iter().find(|one| **one != Breakpoint::NotFinite) {
            None => self.tools_for(false),
            Some(breakpoint) => Err(format!(
                "--break {breakpoint} needs the dashboard, since nobody could go on from the pause \
                 here: only nan is possible without a screen"
            )),
        }
    }

    fn tools_for(&self, attended: bool) -> Result<Tools, String> {
        let mut breakpoints = self.breakpoints.clone();
        match (self.no_break_on_nan, breakpoints.contains(&Breakpoint::NotFinite)) {
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
        Ok(Tools { breakpoints, attended, ..Tools::unattended() })
    }

    /// Says which of the files would be written over another one of them.
    pub(in crate::cli) fn overwritten(&self) -> Option<String> {
        let files = [("--init", &self.init), ("--save", &self.save), ("--log", &self.log)];
        let same = |a: &Path, b: &Path| a == b || real(a).is_some_and(|a| Some(a) == real(b));
        // Training on from a file into itself is what many want, and loses nothing.
        [(0, 2), (1, 2)].into_iter().find_map(|(first, second)| {
            let ((one, a), (other, b)) = (files[first], files[second]);
            let (a, b) = (a.as_deref()?, b.as_deref()?);
            same(a, b).then(|| {
                format!("{one} and {other} are the same file, {}: expected two", b.display())
            })
        })
    }
}

/// Where a path leads, be there a file or not.
fn real(path: &Path) -> Option<PathBuf> {
    fs::canonicalize(path).ok().or_else(|| {
        let folder = path.parent().filter(|folder| *folder != Path::new(""));
        let folder = fs::canonicalize(folder.unwrap_or(Path::new("."))).ok()?;
        Some(folder.join(path.file_name()?))
    })
}
