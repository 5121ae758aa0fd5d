//! How the values of each layer are distributed, and which units are dead.

use std::{
    ops::Range,
    time::{Duration, Instant},
};

use candle_core::Result;

use super::{Found, Job, Memory, Moment};
use crate::{
    metrics::Histogram,
    network::{Plan, plan::Op},
    nn::explain::Frozen,
    protocol::{Content, Distributions, LayerValues, StageValues},
    train::{sets::Sets, step::Change},
};

/// Images that are searched for units that are alive in a slice.
const SLICE: usize = 256;
/// While training runs, dead units are searched for again after this time, so that samples need not wait.
const SEARCH: Duration = Duration::from_secs(5);

/// What one step did to the parameters.
#[derive(Debug)]
pub(in crate::train) struct Changed {
    pub(super) step: u64,
    gradient: Vec<f32>,
    update: Vec<f32>,
}

impl Changed {
    /// From the change that `step` made.
    ///
    /// # Errors
    /// Those of candle on reading from a device.
    pub(super) fn of(step: u64, change: &Change) -> Result<Self> {
        let update = (&change.after - &change.before)?.to_vec1()?;
        Ok(Self { step, gradient: change.gradient.flatten_all()?.to_vec1()?, update })
    }
}

/// A stage of the plan.
struct Stage {
    name: String,
    /// Its place among the plan's values.
    value: usize,
    /// Values of each unit.
    len: usize,
    /// Whether each unit was above 0 on some image; empty where that means nothing.
    alive: Vec<bool>,
}

impl Stage {
    fn has_candidates(&self) -> bool {
        self.alive.contains(&false)
    }

    /// Looks at the stage's values for some images.
    fn look(&mut self, values: &[f32]) {
        for image in values.chunks_exact((self.len * self.alive.len()).max(1)) {
            let units = image.chunks_exact(self.len.max(1));
            for (alive, unit) in self.alive.iter_mut().zip(units) {
                // What is not a number is not 0 either.
                *alive = *alive || unit.iter().any(|&value| value != 0.0);
            }
        }
    }

    fn dead(&self) -> Vec<u32> {
        let units = (0..).zip(&self.alive);
        units.filter(|(_, alive)| !**alive).map(|(unit, _)| unit).collect()
    }
}

pub(super) struct Distribute {
    frozen: Frozen,
    step: u64,
    stages: Vec<Stage>,
    /// What is known so far.
    found: Distributions,
    /// Images that were searched; `None` before the first slice.
    searched: Option<usize>,
    /// Whether nothing is trained meanwhile.
    stands: bool,
}

impl Distribute {
    pub(super) fn new(frozen: Frozen, moment: &Moment) -> Self {
        let (set, data) = moment.sets.evaluation();
        let plan = frozen.plan();
        let stages = plan.stages().take(Distributions::MOST).map(|node| {
            let [channels, height, width] = plan.values()[node.output].shape;
            let units = if node.op == Op::Relu { channels } else { 0 };
            let (name, value, len) = (node.name.clone(), node.output, height * width);
            Stage { name, value, len, alive: vec![false; units] }
        });
        let stages = stages.collect();
        let found = Distributions {
            layers: Vec::new(),
            stages: Vec::new(),
            set: set.into(),
            images: data.len().min(Distributions::IMAGES) as u64,
            all_images: data.len() as u64,
        };
        let (step, stands) = (moment.step, moment.stands);
        Self { frozen, step, stages, found, searched: None, stands }
    }

    /// Counts the values of parameters and activations.
    fn count(&mut self, sets: &Sets, changed: Option<&Changed>) -> Result<()> {
        let changed = changed.filter(|changed| changed.step == self.step);
        let weights = &self.frozen.weights().trained;
        let layers = layers(self.frozen.plan()).into_iter().take(Distributions::MOST);
        self.found.layers = layers
            .map(|(name, range)| LayerValues {
                name,
                weights: Histogram::of(&weights[range.clone()]),
                gradients: changed.and_then(|it| Histogram::of(&it.gradient[range.clone()])),
                updates: changed.and_then(|it| Histogram::of(&it.update[range])),
            })
            .collect();
        let (_, data) = sets.evaluation();
        let count = self.found.images as usize;
        let spread = (0..count).map(|place| place * data.len() / count);
        let pixels: Vec<u8> = spread.flat_map(|index| data.image(index)).copied().collect();
        let values: Vec<usize> = self.stages.iter().map(|stage| stage.value).collect();
        let read = self.frozen.read(&pixels, &values)?;
        for (stage, values) in self.stages.iter_mut().zip(read) {
            stage.look(&values);
            self.found.stages.push(StageValues {
                name: stage.name.clone(),
                activations: Histogram::of(&values),
                units: stage.alive.len() as u64,
                dead: None,
            });
        }
        Ok(())
    }

    /// Searches the next images for units that are alive; true once nothing is left to search.
    fn search(&mut self, sets: &Sets) -> Result<bool> {
        let (_, data) = sets.evaluation();
        let first = self.searched.unwrap_or(0);
        let wanted: Vec<usize> =
            (0..self.stages.len()).filter(|&place| self.stages[place].has_candidates()).collect();
        if wanted.is_empty() || first == data.len() {
            for (stage, found) in self.stages.iter().zip(&mut self.found.stages) {
                found.dead = Some(stage.dead());
            }
            return Ok(true);
        }
        let next = (first + SLICE).min(data.len());
        let pixels: Vec<u8> = (first..next).flat_map(|index| data.image(index)).copied().collect();
        let values: Vec<usize> = wanted.iter().map(|&place| self.stages[place].value).collect();
        let read = self.frozen.read(&pixels, &values)?;
        for (place, values) in wanted.into_iter().zip(read) {
            self.stages[place].look(&values);
        }
        self.searched = Some(next);
        Ok(false)
    }
}

impl Job for Distribute {
    fn slice(&mut self, sets: &Sets, memory: &mut Memory) -> Result<Found> {
        if self.searched.is_none() {
            self.count(sets, memory.changed.as_ref())?;
            let content = Content::Distributions(self.found.clone());
            let is_recent = memory.searched.is_some_and(|at| at.elapsed() < SEARCH);
            if is_recent && !self.stands {
                return Ok(Found::Brief(content));
            }
            self.searched = Some(0);
            return Ok(Found::Part(content));
        }
        if self.search(sets)? {
            memory.searched = Some(Instant::now());
            return Ok(Found::All(Content::Distributions(self.found.clone())));
        }
        Ok(Found::Nothing)
    }
}

/// The layers with parameters, and where these lie.
fn layers(plan: &Plan) -> Vec<(String, Range<usize>)> {
    let mut layers: Vec<(String, Range<usize>)> = Vec::new();
    for param in plan.params() {
        let name = param.name.rsplit_once('.').map_or(param.name.as_str(), |(layer, _)| layer);
        match layers.last_mut().filter(|(last, _)| last == name) {
            Some((_, range)) => range.end = param.range.end,
            None => layers.push((name.to_owned(), param.range.clone())),
        }
    }
    layers
}
