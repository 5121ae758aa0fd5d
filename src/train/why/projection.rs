//! Features of evaluation images along their principal components.

use std::time::Instant;

use candle_core::Result;

use super::{Found, Job, distributions::Changed};
use crate::{
    metrics::{Pca, arg_max, pca::orient},
    nn::explain::Frozen,
    protocol::{Content, ImageSet, Projection, ProjectionPoint},
    train::sets::Sets,
};

/// Images whose features are computed in a slice.
const SLICE: usize = 128;
/// Most passes for components that hardly differ from the ones after them.
const MOST_STEPS: usize = 60;

/// What one answer leaves for the next.
#[derive(Debug, Default)]
pub(in crate::train) struct Memory {
    /// Components, to begin from.
    pca: Option<Pca>,
    /// Where the same images lay.
    points: Vec<[f32; 2]>,
    /// What the last step that was watched did.
    pub(super) changed: Option<Changed>,
    /// When the last search for dead units ended.
    pub(super) searched: Option<Instant>,
}

pub(super) struct Project {
    frozen: Frozen,
    set: ImageSet,
    /// The images' places in their set.
    indices: Vec<u32>,
    /// `[images, features]`, of those that are done.
    features: Vec<f32>,
    predictions: Vec<u8>,
    steps: usize,
}

impl Project {
    pub(super) fn new(frozen: Frozen, sets: &Sets) -> Self {
        let (set, data) = sets.evaluation();
        let all = data.len();
        let count = all.min(Projection::MOST);
        let indices = (0..count).map(|place| (place * all / count) as u32).collect();
        let (features, predictions) = (Vec::new(), Vec::new());
        Self { frozen, set: set.into(), indices, features, predictions, steps: 0 }
    }

    /// Features of an image.
    fn len(&self) -> usize {
        self.frozen.plan().values()[self.frozen.features()].len()
    }

    fn read(&mut self, sets: &Sets) -> Result<()> {
        let (_, data) = sets.evaluation();
        let next = self.indices.iter().skip(self.predictions.len()).take(SLICE);
        let pixels: Vec<u8> = next.flat_map(|&index| data.image(index as usize)).copied().collect();
        let logits = self.frozen.plan().values().len() - 1;
        let read = self.frozen.read(&pixels, &[self.frozen.features(), logits])?;
        self.features.extend_from_slice(&read[0]);
        let rows = read[1].chunks_exact(self.frozen.plan().classes());
        self.predictions.extend(rows.map(|row| arg_max(row) as u8));
        Ok(())
    }

    fn found(&self, pca: &Pca, sets: &Sets, before: &mut Vec<[f32; 2]>) -> Projection {
        let (_, data) = sets.evaluation();
        let rows = self.features.chunks_exact(self.len());
        let mut at: Vec<[f32; 2]> = rows.map(|row| pca.project(row)).collect();
        orient(&mut at, Some(before.as_slice()).filter(|before| !before.is_empty()));
        before.clone_from(&at);
        let points = self.indices.iter().zip(&self.predictions).zip(at);
        Projection {
            set: self.set,
            features: self.len() as u64,
            shares: pca.shares(),
            points: points
                .map(|((&index, &prediction), at)| {
                    let label = data.label(index as usize);
                    ProjectionPoint { index, label, prediction, at }
                })
                .collect(),
        }
    }
}

impl Job for Project {
    fn slice(&mut self, sets: &Sets, memory: &mut Memory) -> Result<Found> {
        if self.predictions.len() < self.indices.len() {
            self.read(sets)?;
            return Ok(Found::Nothing);
        }
        if self.features.iter().any(|value| !value.is_finite()) {
            let reason = "The features are not finite numbers.".to_owned();
            return Ok(Found::All(Content::Nothing(reason)));
        }
        let columns = self.len();
        let pca = memory.pca.take().filter(|pca| pca.has_columns(columns));
        let mut pca = pca.unwrap_or_else(|| Pca::new(columns));
        if self.steps == 0 {
            pca.centre(&self.features);
        }
        self.steps += 1;
        let has_settled = pca.step(&self.features) || self.steps == MOST_STEPS;
        let found = has_settled.then(|| self.found(&pca, sets, &mut memory.points));
        memory.pca = Some(pca);
        Ok(found.map_or(Found::Nothing, |found| Found::All(Content::Projection(found))))
    }
}
