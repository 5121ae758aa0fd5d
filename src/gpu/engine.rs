//! Training and evaluation of one network on a GPU.

use super::{
    compiled,
    driver::{Arena, Evaluation, Gpu, Images, Kernels},
    error::GpuError,
    generate,
    job::Arrangement,
};
use crate::network::Plan;

pub use super::driver::DeviceInfo;

/// Numbers that a step is computed with: learning rate (over the bias correction of the first moment), the
/// other correction's inverse root, what a weight is multiplied by first, and the share by which averaged
/// weights follow.
pub const FACTORS: usize = 4;

/// Words of a key.
pub const KEY: usize = 8;

/// How parameters move.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rule {
    /// Which rule.
    pub kind: RuleKind,
    /// Shares of the moments that are kept.
    pub keep: [f32; 2],
    /// ... and of the gradient and its square that are taken.
    pub take: [f32; 2],
    /// Keeps Adam's divisor away from zero.
    pub epsilon: f32,
    /// Share of a weight that is added to its gradient.
    pub decay: f32,
    /// What all classes share of each label.
    pub smoothing: f32,
}

/// The rules of `dialect.cuh`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RuleKind {
    /// Adam and `AdamW`.
    #[default]
    Adam = 0,
    /// Gradient descent.
    Sgd = 1,
    /// ... with momentum.
    Momentum = 2,
    /// ... that looks ahead.
    Nesterov = 3,
}

/// What training changes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    /// The trained parameters one after the other.
    pub weights: Vec<f32>,
    /// What the optimiser remembers of each: at most two values.
    pub slots: Vec<Vec<f32>>,
    /// The averaged weights, where there are any.
    pub average: Option<Vec<f32>>,
}

/// Steps to train.
#[derive(Debug)]
pub struct Chunk<'a> {
    /// Places of images in the set, the batches one after the other.
    pub order: &'a [u32],
    /// Images of a batch; the last one may have fewer.
    pub batch: usize,
    /// For each step.
    pub factors: &'a [[f32; FACTORS]],
    /// What random numbers of the first step are drawn by, for networks that draw any: seed, purpose, epoch
    /// and step, each the low word first.
    pub key: [u32; KEY],
    /// How parameters move.
    pub rule: Rule,
    /// What they start from, and where they end.
    pub state: &'a mut State,
}

impl Chunk<'_> {
    /// Batches of it.
    pub(super) fn steps(&self) -> usize {
        self.factors.len()
    }

    /// Images of the last one.
    pub(super) fn last(&self) -> usize {
        self.order.chunks(self.batch).last().map_or(0, <[u32]>::len)
    }
}

/// What the steps of a chunk were like.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Done {
    /// The cross-entropy of each image before the update of its batch.
    pub losses: Vec<f32>,
    /// The class that was predicted for each then, and 255 times its probability.
    pub answers: Vec<[u8; 2]>,
    /// For each step whether its gradient was finite.
    pub finite: Vec<bool>,
    /// `[n, classes]` of the last step's images, before its update.
    pub logits: Vec<f32>,
    /// The last step's.
    pub gradient: Vec<f32>,
}

/// A set of images on the device.
#[derive(Debug)]
pub struct ImageSet(Images, Classes);

/// Classes that labels are below.
type Classes = usize;

/// A GPU with the kernels of a network. It belongs to the thread that opened it.
#[derive(Debug)]
pub struct Engine {
    plan: Plan,
    gpu: Gpu,
    kernels: Kernels,
    dense: Dense,
    arena: Arena,
}

/// Kernels of which [`RESIDENT`] blocks share a multiprocessor: each is slower, and all together are faster.
#[derive(Debug)]
enum Dense {
    Untried,
    Useless,
    Loaded(Kernels),
}

impl Dense {
    /// These, where the usual `kernels` have no room for all chunks on a GPU with this number of
    /// multiprocessors.
    fn or<'a>(&'a self, kernels: &'a Kernels, chunks: usize, processors: u32) -> &'a Kernels {
        match self {
            Self::Loaded(dense) if chunks > kernels.resident(processors) as usize => dense,
            _ => kernels,
        }
    }
}

/// Blocks of dense kernels on a multiprocessor.
pub const RESIDENT: u32 = 2;
/// Bytes of a multiprocessor's shared memory that the driver takes for each block, in addition to the block's own.
const RESERVED: usize = 1024;

impl Engine {
    /// Opens the GPU of this number, counted from 0, for a network.
    ///
    /// # Errors
    /// When it cannot be used, or there are no kernels for the network.
    pub fn open(ordinal: usize, plan: &Plan) -> Result<Self, GpuError> {
        let gpu = Gpu::open(ordinal)?;
        let kernels = gpu.load(compiled::of(plan, gpu.info.capability, 1)?)?;
        let layout = kernels.layout;
        let found = (layout.parameters, layout.classes, layout.image);
        let expected = (plan.trained_len(), plan.classes(), plan.input().iter().product());
        if found != expected {
            return Err(GpuError::Driver(format!(
                "the kernels are of a network of {found:?} parameters, classes and pixels, not {expected:?}"
            )));
        }
        let (plan, dense) = (plan.clone(), Dense::Untried);
        Ok(Self { plan, gpu, kernels, dense, arena: Arena::default() })
    }

    /// What GPU it is.
    pub fn device(&self) -> &DeviceInfo {
        &self.gpu.info
    }

    /// Copies images (bytes of [`Plan::input`]'s shape) and their classes to the device.
    ///
    /// # Errors
    /// When they do not fit there.
    ///
    /// # Panics
    /// When a class is none of the network's, or pixels are missing.
    pub fn images(&self, pixels: &[u8], labels: &[u8]) -> Result<ImageSet, GpuError> {
        let layout = &self.kernels.layout;
        assert_eq!(pixels.len(), labels.len() * layout.image, "pixels of as many images as labels");
        assert!(labels.iter().all(|&label| usize::from(label) < layout.classes), "known classes");
        let labels: Vec<u32> = labels.iter().map(|&label| u32::from(label)).collect();
        Ok(ImageSet(self.gpu.images(pixels, &labels)?, layout.classes))
    }

    /// How many chunks can be trained at the same time when there are `chunks` of them.
    pub fn room_for(&mut self, chunks: usize) -> usize {
        let processors = self.gpu.info.processors;
        let is_full = chunks > self.kernels.resident(processors) as usize;
        if is_full && matches!(self.dense, Dense::Untried) {
            self.dense = self.load_dense();
        }
        self.dense.or(&self.kernels, chunks, processors).resident(processors) as usize
    }

    /// Kernels that are not taken in this form are used in their usual one.
    fn load_dense(&self) -> Dense {
        let Self { plan, gpu, kernels, .. } = self;
        let needed = RESIDENT as usize * (kernels.layout.shared as usize + RESERVED);
        let there = generate::shared_bytes(gpu.info.capability) + RESERVED;
        if kernels.resident(1) >= RESIDENT || needed > there {
            return Dense::Useless;
        }
        let dense = compiled::of(plan, gpu.info.capability, RESIDENT);
        match dense.and_then(|code| gpu.load(code)) {
            Ok(dense) if dense.resident(1) > kernels.resident(1) => Dense::Loaded(dense),
            _ => Dense::Useless,
        }
    }

    /// Trains chunks side by side, each as if it were alone.
    ///
    /// # Errors
    /// Those of the driver; the states are what they were then.
    ///
    /// # Panics
    /// When a chunk has an image that the set has not, or another number of steps than of factors.
    pub fn train(
        &mut self,
        images: &ImageSet,
        chunks: &mut [Chunk],
    ) -> Result<Vec<Done>, GpuError> {
        for chunk in &*chunks {
            self.check(images, chunk);
        }
        let room = self.room_for(chunks.len());
        let mut done = Vec::with_capacity(chunks.len());
        for wave in chunks.chunks_mut(room.max(1)) {
            done.extend(self.train_wave(images, wave)?);
        }
        Ok(done)
    }

    fn train_wave(
        &mut self,
        images: &ImageSet,
        chunks: &mut [Chunk],
    ) -> Result<Vec<Done>, GpuError> {
        let room = self.room_for(chunks.len());
        let widest = chunks.iter().map(|chunk| chunk.batch).max().unwrap_or(1);
        let blocks =
            (room / chunks.len().max(1)).clamp(1, widest.min(self.gpu.info.processors as usize));
        let arrangement = Arrangement::of(&self.kernels.layout, chunks, blocks);
        let base = self.gpu.reserve(&mut self.arena, arrangement.words)?;
        self.gpu.write(&mut self.arena, &arrangement.pack(base, chunks))?;
        let grid = (chunks.len() as u32, blocks as u32);
        let kernels = self.dense.or(&self.kernels, chunks.len(), self.gpu.info.processors);
        self.gpu.train(kernels, &images.0, &mut self.arena, grid)?;
        let mut back = vec![0; arrangement.returns];
        self.gpu.read(&self.arena, arrangement.returned, &mut back)?;
        Ok(arrangement.unpack(&back, chunks))
    }

    /// What kernels rely on.
    fn check(&self, images: &ImageSet, chunk: &Chunk) {
        let parameters = self.kernels.layout.parameters;
        self.check_images(images);
        let count = images.0.len();
        assert!(!chunk.order.is_empty(), "images to train on");
        assert!(chunk.order.iter().all(|&place| (place as usize) < count), "images of the set");
        assert!(chunk.batch > 0, "images in a batch");
        assert_eq!(chunk.order.len().div_ceil(chunk.batch), chunk.steps(), "factors of each step");
        let State { weights, slots, average } = &*chunk.state;
        let arrays = [Some(weights), average.as_ref()].into_iter().flatten().chain(slots);
        assert!(arrays.map(Vec::len).all(|len| len == parameters), "a value of each parameter");
    }

    /// Images may come from an engine of another network.
    fn check_images(&self, ImageSet(images, classes): &ImageSet) {
        let layout = &self.kernels.layout;
        assert_eq!(images.pixels(), images.len() * layout.image, "images of the network's size");
        assert!(*classes <= layout.classes, "labels that the network knows");
    }

    /// The logits `[n, classes]` of images at these places of a set.
    ///
    /// # Errors
    /// Those of the driver.
    ///
    /// # Panics
    /// When the set has no such image, or weights are missing.
    pub fn logits(
        &mut self,
        images: &ImageSet,
        order: &[u32],
        weights: &[f32],
    ) -> Result<Vec<f32>, GpuError> {
        let layout = self.kernels.layout;
        self.check_images(images);
        assert!(order.iter().all(|&place| (place as usize) < images.0.len()), "images of the set");
        assert_eq!(weights.len(), layout.parameters, "a value of each parameter");
        if order.is_empty() {
            return Ok(Vec::new());
        }
        let blocks = self.kernels.resident(self.gpu.info.processors).clamp(1, order.len() as u32);
        let mut sent: Vec<u32> = weights.iter().map(|weight| weight.to_bits()).collect();
        sent.resize(sent.len().next_multiple_of(4), 0);
        let place = sent.len();
        sent.extend(order);
        sent.resize(sent.len().next_multiple_of(4), 0);
        let logits = sent.len();
        let count = order.len() * layout.classes;
        let scratch = (logits + count).next_multiple_of(4);
        self.gpu.reserve(&mut self.arena, scratch + blocks as usize * layout.scratch)?;
        self.gpu.write(&mut self.arena, &sent)?;
        let places = Evaluation {
            order: Some(place),
            count: order.len() as u32,
            weights: 0,
            scratch,
            logits,
            blocks,
        };
        self.gpu.evaluate(&self.kernels, &images.0, &mut self.arena, places)?;
        let mut back = vec![0; count];
        self.gpu.read(&self.arena, logits, &mut back)?;
        Ok(back.into_iter().map(f32::from_bits).collect())
    }
}
