//! A GPU together with the images that were sent to it, for chunks that own what they are made of.

use std::time::{Duration, Instant};

use super::{
    engine::{Chunk, DeviceInfo, Done, Engine, FACTORS, ImageSet, KEY, Rule, State},
    error::GpuError,
};
use crate::{data::Dataset, network::Plan};

/// What a chunk is trained on.
#[derive(Debug)]
pub enum Images {
    /// A set, which stays on the device.
    Set(Dataset),
    /// The chunk's own images, in its order, with their classes.
    Own {
        /// `[n, channels, height, width]`.
        pixels: Vec<u8>,
        /// `[n]`.
        labels: Vec<u8>,
    },
}

impl Images {
    /// Whether chunks of both can be in one launch.
    fn go_with(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Set(own), Self::Set(other)) => own.shares_memory_with(other),
            (Self::Own { .. }, Self::Own { .. }) => true,
            _ => false,
        }
    }
}

/// A [`Chunk`] that can be sent to another thread.
#[derive(Debug)]
pub struct OwnedChunk {
    /// What `order` has the places of.
    pub images: Images,
    /// As in [`Chunk`], and so the next ones.
    pub order: Vec<u32>,
    /// Images of a batch.
    pub batch: usize,
    /// For each step.
    pub factors: Vec<[f32; FACTORS]>,
    /// Of the first step.
    pub key: [u32; KEY],
    /// How parameters move.
    pub rule: Rule,
    /// What they start from.
    pub state: State,
}

/// The launch that a chunk was trained in.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Launch {
    /// Images of its longest chunk, whose time it took.
    pub images: usize,
    /// How long it took.
    pub time: Duration,
}

/// A chunk that was trained.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trained {
    /// What its steps were like.
    pub done: Done,
    /// Where the parameters ended.
    pub state: State,
    /// The launch that it was part of.
    pub launch: Launch,
}

/// A GPU with the kernels of a network, and images on it. It belongs to the thread that opened it.
#[derive(Debug)]
pub struct LocalGpu {
    engine: Engine,
    sets: Vec<(Dataset, ImageSet)>,
    /// Chunks that there was memory for at a time.
    most: usize,
}

impl LocalGpu {
    /// Opens the GPU of this number, counted from 0, for a network.
    ///
    /// # Errors
    /// As [`Engine::open`].
    pub fn open(ordinal: usize, plan: &Plan) -> Result<Self, GpuError> {
        let engine = Engine::open(ordinal, plan)?;
        Ok(Self { engine, sets: Vec::new(), most: usize::MAX })
    }

    /// What GPU it is.
    pub fn device(&self) -> &DeviceInfo {
        self.engine.device()
    }

    /// Trains a chunk.
    ///
    /// # Errors
    /// Those of the driver.
    ///
    /// # Panics
    /// As [`Engine::train`].
    pub fn train(&mut self, chunk: OwnedChunk) -> Result<Trained, GpuError> {
        let trained = self.train_together(vec![chunk]).pop();
        trained.unwrap_or_else(|| unreachable!("there is an answer for each chunk"))
    }

    /// The logits `[n, classes]` of images at these places of a set.
    ///
    /// # Errors
    /// Those of the driver.
    ///
    /// # Panics
    /// As [`Engine::logits`].
    pub fn logits(
        &mut self,
        data: &Dataset,
        order: &[u32],
        weights: &[f32],
    ) -> Result<Vec<f32>, GpuError> {
        let images = resident(&mut self.sets, &self.engine, data)?;
        self.engine.logits(images, order, weights)
    }

    /// Trains chunks, those of the same images in one launch as far as there is room; gives an answer for each.
    pub(super) fn train_together(
        &mut self,
        chunks: Vec<OwnedChunk>,
    ) -> Vec<Result<Trained, GpuError>> {
        let mut groups: Vec<(Vec<usize>, Vec<OwnedChunk>)> = Vec::new();
        for (place, chunk) in chunks.into_iter().enumerate() {
            let fits = |(_, group): &&mut (Vec<usize>, Vec<OwnedChunk>)| {
                group[0].images.go_with(&chunk.images)
            };
            match groups.iter_mut().find(fits) {
                Some((places, group)) => {
                    places.push(place);
                    group.push(chunk);
                }
                None => groups.push((vec![place], vec![chunk])),
            }
        }
        let mut answers = Vec::new();
        for (places, mut group) in groups {
            let room = self.engine.room_for(group.len()).min(self.most).max(1);
            let mut done = Vec::with_capacity(group.len());
            for wave in group.chunks_mut(room) {
                done.extend(self.train_wave(wave));
            }
            let trained = group.into_iter().zip(done).map(|(OwnedChunk { state, .. }, done)| {
                done.map(|(done, launch)| Trained { done, state, launch })
            });
            answers.extend(places.into_iter().zip(trained));
        }
        answers.sort_by_key(|(place, _)| *place);
        answers.into_iter().map(|(_, answer)| answer).collect()
    }

    /// Trains chunks of the same images, in fewer at a time where memory is short.
    fn train_wave(&mut self, wave: &mut [OwnedChunk]) -> Vec<Result<(Done, Launch), GpuError>> {
        let start = Instant::now();
        match self.launch(wave) {
            Ok(done) => {
                let images = wave.iter().map(|chunk| chunk.order.len()).max().unwrap_or(0);
                let launch = Launch { images, time: start.elapsed() };
                done.into_iter().map(|done| Ok((done, launch))).collect()
            }
            Err(GpuError::OutOfMemory { .. }) if wave.len() > 1 => {
                self.most = wave.len().div_ceil(2);
                let (first, second) = wave.split_at_mut(self.most);
                let mut done = self.train_wave(first);
                done.extend(self.train_wave(second));
                done
            }
            Err(error) => vec![Err(error); wave.len()],
        }
    }

    fn launch(&mut self, wave: &mut [OwnedChunk]) -> Result<Vec<Done>, GpuError> {
        let Self { engine, sets, .. } = self;
        let own;
        let mut orders = Vec::new();
        let images = match wave.first().map(|chunk| &chunk.images) {
            None => return Ok(Vec::new()),
            Some(Images::Set(data)) => resident(sets, engine, data)?,
            Some(Images::Own { .. }) => {
                let (mut all_pixels, mut all_labels) = (Vec::new(), Vec::new());
                for chunk in &*wave {
                    let Images::Own { pixels, labels } = &chunk.images else { continue };
                    let first = all_labels.len() as u32;
                    orders.push(chunk.order.iter().map(|place| first + place).collect::<Vec<_>>());
                    all_pixels.extend_from_slice(pixels);
                    all_labels.extend_from_slice(labels);
                }
                own = engine.images(&all_pixels, &all_labels)?;
                &own
            }
        };
        let mut chunks = Vec::with_capacity(wave.len());
        for (number, chunk) in wave.iter_mut().enumerate() {
            let OwnedChunk { order, batch, factors, key, rule, state, .. } = chunk;
            let order = orders.get(number).unwrap_or(order);
            chunks.push(Chunk { order, batch: *batch, factors, key: *key, rule: *rule, state });
        }
        engine.train(images, &mut chunks)
    }
}

/// A set on the device, copied there at its first use.
fn resident<'a>(
    sets: &'a mut Vec<(Dataset, ImageSet)>,
    engine: &Engine,
    data: &Dataset,
) -> Result<&'a ImageSet, GpuError> {
    let known = sets.iter().position(|(known, _)| known.shares_memory_with(data));
    let place = if let Some(place) = known {
        place
    } else {
        // Nobody can ask for the sets of runs that have ended.
        sets.retain(|(data, _)| data.is_shared());
        sets.push((data.clone(), engine.images(data.images(), data.labels())?));
        sets.len() - 1
    };
    Ok(&sets[place].1)
}
