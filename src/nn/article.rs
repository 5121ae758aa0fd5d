//! The article's network in main memory, by kernels made for it.
//!
//! An image goes forward and back in one visit, so that all in between stays in the fastest cache
//! and the threads meet once a step.
//!
//! A batch is halved again and again down to a few images, on threads that are free, and sums are
//! added up on the way back. Where it is cut depends on its size alone, so that results are the
//! same bit for bit on any number of threads.

mod buffers;
mod first;
mod image;
mod last;
mod layout;
mod second;
#[cfg(test)]
mod tests;
mod windows;

use std::cell::RefCell;

use pulp::{Simd, WithSimd};

use self::buffers::Buffers;
use self::image::{Scratch, Step, Sums};
use self::layout::{CLASSES, PIXELS, Weights};
use super::graph::{Input, Outcome, Pixels};
use super::simd;

/// Fewest images that are worth handing to another thread.
const FEWEST: usize = 4;
/// Most parts of a batch: enough to keep 16 threads busy to the end.
const MOST: usize = 64;

thread_local! {
    static SCRATCH: RefCell<Box<Scratch>> = RefCell::new(Scratch::new());
}

/// The network, with memory that goes from one batch to the next.
#[derive(Debug, Default)]
pub(super) struct Article {
    buffers: Buffers,
}

impl Article {
    /// Sends a batch forward, and back if gradients are wanted.
    ///
    /// # Panics
    /// If arrays have other lengths than the network and the number of labels say, or a label is above
    /// 9.
    pub(super) fn run(&self, input: &Input) -> Outcome {
        let weights = Weights::of(input.trained);
        let images = match input.pixels {
            Pixels::Bytes(bytes) => Images::Bytes(bytes.as_chunks().0),
            Pixels::Floats(floats) => Images::Floats(floats.as_chunks().0),
        };
        let n = input.labels.len();
        let mut logits = vec![0.0; n * CLASSES];
        let mut packed = second::Packed::new();
        if input.with_gradients {
            second::pack(weights.kernels2, &mut packed);
        }
        let pass = Pass {
            step: Step {
                weights,
                packed: &packed,
                share: 1.0 / n as f32,
                smoothing: input.smoothing,
            },
            with_gradients: input.with_gradients,
            buffers: &self.buffers,
            most: n.div_ceil(MOST).max(FEWEST),
        };
        let (loss, sums) = pass.run(images, input.labels, logits.as_chunks_mut().0);
        let grads = sums.map_or_else(Vec::new, |sums| {
            let flat = simd::run(Flat(&sums));
            self.buffers.give(sums);
            flat
        });
        Outcome { loss, logits, grads, running: Vec::new() }
    }
}

/// Consecutive images of a batch.
#[derive(Clone, Copy)]
enum Images<'a> {
    Bytes(&'a [[u8; PIXELS]]),
    Floats(&'a [[f32; PIXELS]]),
}

impl Images<'_> {
    fn split_at(self, mid: usize) -> (Self, Self) {
        match self {
            Self::Bytes(images) => {
                let (left, right) = images.split_at(mid);
                (Self::Bytes(left), Self::Bytes(right))
            }
            Self::Floats(images) => {
                let (left, right) = images.split_at(mid);
                (Self::Floats(left), Self::Floats(right))
            }
        }
    }
}

/// One pass of a batch.
struct Pass<'a> {
    step: Step<'a>,
    with_gradients: bool,
    buffers: &'a Buffers,
    /// Images of a part that is not cut any further.
    most: usize,
}

impl Pass<'_> {
    /// The sums of the losses and of the gradients; writes the logits.
    fn run(
        &self,
        images: Images,
        labels: &[u32],
        logits: &mut [[f32; CLASSES]],
    ) -> (f64, Option<Box<Sums>>) {
        if labels.len() <= self.most {
            let mut sums = self.with_gradients.then(|| self.buffers.take());
            let loss = SCRATCH.with_borrow_mut(|scratch| {
                let sums = sums.as_deref_mut();
                simd::run(Part { step: &self.step, images, labels, logits, scratch, sums })
            });
            return (loss, sums);
        }
        let mid = labels.len() / 2;
        let (left_images, right_images) = images.split_at(mid);
        let (left_labels, right_labels) = labels.split_at(mid);
        let (left_logits, right_logits) = logits.split_at_mut(mid);
        let ((left_loss, left), (right_loss, right)) = rayon::join(
            || self.run(left_images, left_labels, left_logits),
            || self.run(right_images, right_labels, right_logits),
        );
        let sums = left.zip(right).map(|(mut left, right)| {
            simd::run(Add(&mut left, &right));
            self.buffers.give(right);
            left
        });
        (left_loss + right_loss, sums)
    }
}

/// A few images, one after the other.
struct Part<'a> {
    step: &'a Step<'a>,
    images: Images<'a>,
    labels: &'a [u32],
    logits: &'a mut [[f32; CLASSES]],
    scratch: &'a mut Scratch,
    sums: Option<&'a mut Sums>,
}

impl WithSimd for Part<'_> {
    type Output = f64;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> f64 {
        let Self { step, images, labels, logits, scratch, mut sums } = self;
        let mut loss = 0.0;
        for (index, (&label, logits)) in labels.iter().zip(logits).enumerate() {
            match images {
                Images::Bytes(images) => scratch.lay(&images[index], |b| f32::from(b) / 255.0),
                Images::Floats(images) => scratch.lay(&images[index], |value| value),
            }
            loss += scratch.learn(simd, step, label as usize, logits, sums.as_deref_mut());
        }
        loss
    }
}

struct Add<'a>(&'a mut Sums, &'a Sums);

impl WithSimd for Add<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        self.0.add(simd, self.1);
    }
}

struct Flat<'a>(&'a Sums);

impl WithSimd for Flat<'_> {
    type Output = Vec<f32>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Vec<f32> {
        self.0.flat(simd)
    }
}
