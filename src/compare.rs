//! Stored runs side by side: their figures, the settings that differ, their predictions for the same images.

mod browser;
mod figures;
mod json;
mod matrix;
mod report;
mod run;

use std::path::PathBuf;

use crate::{
    files,
    printable::printable,
    train::{self, Predicted, Predictions},
};

pub use browser::{Browser, Page};
pub use figures::{Figures, Setting};
pub use matrix::{Change, Difference};
pub use run::{CompareError, StoredRun};

/// Most runs that are compared at once: as many as a chart can tell apart.
pub const MOST_RUNS: usize = 8;

/// Two to eight stored runs.
#[derive(Debug)]
pub struct Comparison {
    /// In the order that they were named.
    pub runs: Vec<StoredRun>,
    /// What their networks predict.
    pub predictions: Knowledge,
}

/// What is known of the runs' predictions.
#[derive(Debug)]
pub enum Knowledge {
    /// Nothing yet.
    Pending,
    /// All there is to know.
    Known(Predictions),
    /// Why nothing can be known.
    Missing(String),
}

impl Comparison {
    /// Reads runs from their folders; predictions come later.
    ///
    /// # Errors
    /// If they are not two to eight different runs, or one cannot be read.
    pub fn read(folders: &[PathBuf]) -> Result<Self, CompareError> {
        if !(2..=MOST_RUNS).contains(&folders.len()) {
            return Err(CompareError::Count(folders.len()));
        }
        Self::of_any(folders)
    }

    /// Reads runs from their folders, of which there may be any number.
    ///
    /// # Errors
    /// If they are not different runs, or one cannot be read.
    pub fn of_any(folders: &[PathBuf]) -> Result<Self, CompareError> {
        let mut runs: Vec<StoredRun> = Vec::new();
        for folder in folders {
            let run = StoredRun::read(folder)?;
            if runs.iter().any(|other| files::resolved(&other.path) == files::resolved(&run.path)) {
                return Err(CompareError::Twice(folder.clone()));
            }
            runs.push(run);
        }
        Ok(Self { runs, predictions: Knowledge::Pending })
    }

    /// A question for [`Knowledge::of`] that another thread can answer.
    pub fn networks(&self) -> Vec<train::StoredNetwork> {
        self.runs.iter().map(StoredRun::network).collect()
    }

    /// The letter that stands for a run.
    pub fn letter(run: usize) -> char {
        char::from(b'A' + (run % 26) as u8)
    }

    /// The settings that not all runs share.
    pub fn settings(&self) -> Vec<Setting> {
        figures::settings(&self.runs)
    }

    /// The main figures of each run.
    pub fn figures(&self) -> Figures {
        figures::figures(&self.runs)
    }

    /// What a run's network predicts.
    ///
    /// # Errors
    /// If that is not known: the reason, to follow a colon.
    pub fn predicted(&self, run: usize) -> Result<&Predicted, &str> {
        match &self.predictions {
            Knowledge::Pending => Err("the images are still being classified"),
            Knowledge::Missing(reason) => Err(reason),
            Knowledge::Known(predictions) => match predictions.networks.get(run) {
                Some(predicted) => predicted.as_ref().map_err(String::as_str),
                None => Err("there is no such run"),
            },
        }
    }

    /// The images that `right` classifies correctly and `wrong` does not, by their place in the set; those
    /// with the highest loss first.
    ///
    /// # Errors
    /// If the predictions of one are not known.
    pub fn only_right(&self, right: usize, wrong: usize) -> Result<Vec<usize>, &str> {
        let (one, other) = (self.predicted(right)?, self.predicted(wrong)?);
        let Knowledge::Known(Predictions { images, .. }) = &self.predictions else {
            return Ok(Vec::new());
        };
        let is_right =
            |predicted: &Predicted, place: usize| predicted.classes[place] == images.label(place);
        let mut found: Vec<usize> = (0..images.len())
            .filter(|&place| is_right(one, place) && !is_right(other, place))
            .collect();
        found.sort_by(|&a, &b| other.losses[b].total_cmp(&other.losses[a]));
        Ok(found)
    }

    /// The difference of two runs' confusion matrices over the same images.
    ///
    /// # Errors
    /// If the predictions of one are not known.
    pub fn difference(&self, before: usize, after: usize) -> Result<Difference, &str> {
        let (before, after) = (self.predicted(before)?, self.predicted(after)?);
        Ok(Difference::between(&before.confusion, &after.confusion))
    }

    /// What cannot be compared, a sentence each.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        let mut sets: Vec<&str> = Vec::new();
        for run in &self.runs {
            if let Some(info) = &run.info
                && !sets.contains(&info.set.name.as_str())
            {
                sets.push(&info.set.name);
            }
        }
        if sets.len() > 1 {
            let names = printable(&sets.join(", "));
            notes.push(format!(
                "The runs use different data sets ({names}): their figures do not compare directly."
            ));
        }
        let mut kinds = self.runs.iter().map(StoredRun::evaluated_on);
        if let Some(first) = kinds.next()
            && kinds.any(|other| other != first)
        {
            notes.push(
                "Some runs are evaluated on test images and others on validation images."
                    .to_owned(),
            );
        }
        match &self.predictions {
            Knowledge::Pending => {}
            Knowledge::Missing(reason) => {
                notes.push(format!("The predictions are not compared: {}.", printable(reason)));
            }
            Knowledge::Known(predictions) => {
                for (place, network) in predictions.networks.iter().enumerate() {
                    if let Err(reason) = network {
                        let letter = Self::letter(place);
                        let reason = printable(reason);
                        notes.push(format!(
                            "The predictions of {letter} are not compared: {reason}."
                        ));
                    }
                }
            }
        }
        notes
    }
}

impl Knowledge {
    /// Classifies the images with each network.
    pub fn of(networks: &[train::StoredNetwork]) -> Self {
        match train::predict(networks) {
            Ok(predictions) => Self::Known(predictions),
            Err(error) => Self::Missing(error.to_string()),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
