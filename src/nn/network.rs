//! The article's network and its loss as one differentiable operation in main memory.
//!
//! An image goes forward and back in one visit, so that all in between stays in the fastest cache
//! and the threads meet once a step. The gradients are thus there before they are asked for; the
//! operation's backward pass only hands them over.
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
use std::sync::{Arc, OnceLock};

use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor, bail};
use pulp::{Simd, WithSimd};

pub use self::buffers::Buffers;
use self::image::{Scratch, Step, Sums};
use self::layout::{CLASSES, PARAMETERS, PIXELS, Weights};
use super::{host, simd};

/// Fewest images that are worth handing to another thread.
const FEWEST: usize = 4;
/// Most parts of a batch: enough to keep 16 threads busy to the end.
const MOST: usize = 64;

thread_local! {
    static SCRATCH: RefCell<Box<Scratch>> = RefCell::new(Scratch::new());
}

/// What a batch gives.
#[derive(Debug)]
pub struct Outcome {
    /// The mean of the cross-entropy over the batch, of shape `[]`.
    pub loss: Tensor,
    /// Detached, `[n, 10]`.
    pub logits: Tensor,
}

/// The loss of a batch and its logits.
///
/// `parameters` are those of [`super::parameters::SHAPES`] one after the other, `images` are
/// `[n, 1, 28, 28]`, either u8 or f32 (byte / 255), `labels` are `[n]` of u32, all in main memory.
/// Gradients are those of the parameters only, and there are none with `with_gradients` false, which is
/// faster.
///
/// # Errors
/// When shapes or element types are others, the batch is empty or a label is above 9, and those of
/// candle.
pub fn loss(
    parameters: &Tensor,
    images: &Tensor,
    labels: &Tensor,
    with_gradients: bool,
    buffers: &Buffers,
) -> Result<Outcome> {
    let n = match images.dims() {
        [n, 1, 28, 28] => *n,
        dims => bail!("the network takes images [n, 1, 28, 28], found {dims:?}"),
    };
    if images.track_op() {
        bail!("the network in one operation gives no gradient of the images");
    }
    if parameters.dims() != [PARAMETERS] {
        bail!("the network has {PARAMETERS} parameters, found {:?}", parameters.dims());
    }
    if n == 0 || labels.dims() != [n] {
        bail!("{n} images need {n} labels and at least one, found {:?}", labels.dims());
    }
    let found = Arc::new(OnceLock::new());
    let operation = Network { with_gradients, buffers: buffers.clone(), found: Arc::clone(&found) };
    let loss = if with_gradients {
        parameters.apply_op3(&images.contiguous()?, &labels.contiguous()?, operation)?
    } else {
        parameters.apply_op3_no_bwd(&images.contiguous()?, &labels.contiguous()?, &operation)?
    };
    let Some(Found { logits, .. }) = found.get() else {
        bail!("the network was not applied");
    };
    Ok(Outcome { loss, logits: Tensor::from_slice(logits, (n, CLASSES), images.device())? })
}

struct Network {
    with_gradients: bool,
    buffers: Buffers,
    found: Arc<OnceLock<Found>>,
}

/// What the forward pass finds besides the loss.
struct Found {
    logits: Vec<f32>,
    grads: Option<Tensor>,
}

impl CustomOp3 for Network {
    fn name(&self) -> &'static str {
        "network"
    }

    fn cpu_fwd(
        &self,
        parameters: &CpuStorage,
        parameters_layout: &Layout,
        images: &CpuStorage,
        images_layout: &Layout,
        labels: &CpuStorage,
        labels_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let weights = Weights::of(host::elements(parameters, parameters_layout)?);
        let labels = host::elements::<u32>(labels, labels_layout)?;
        if let Some(label) = labels.iter().find(|&&label| label as usize >= CLASSES) {
            bail!("the label {label} is not one of {CLASSES} classes");
        }
        let images = match images {
            CpuStorage::U8(_) => {
                Images::Bytes(host::elements(images, images_layout)?.as_chunks().0)
            }
            _ => Images::Floats(host::elements(images, images_layout)?.as_chunks().0),
        };
        let n = labels.len();
        let mut logits = vec![0.0; n * CLASSES];
        let mut packed = second::Packed::new();
        if self.with_gradients {
            second::pack(weights.kernels2, &mut packed);
        }
        let pass = Pass {
            step: Step { weights, packed: &packed, share: 1.0 / n as f32 },
            with_gradients: self.with_gradients,
            buffers: &self.buffers,
            most: n.div_ceil(MOST).max(FEWEST),
        };
        let (loss, sums) = pass.run(images, labels, logits.as_chunks_mut().0);
        let grads = match sums {
            Some(sums) => {
                let flat = simd::run(Flat(&sums));
                self.buffers.give(sums);
                Some(Tensor::from_vec(flat, PARAMETERS, &candle_core::Device::Cpu)?)
            }
            None => None,
        };
        if self.found.set(Found { logits, grads }).is_err() {
            bail!("{} remembers one forward pass and was applied twice", self.name());
        }
        Ok((CpuStorage::F32(vec![(loss / n as f64) as f32]), Shape::from(())))
    }

    fn bwd(
        &self,
        _parameters: &Tensor,
        _images: &Tensor,
        _labels: &Tensor,
        _loss: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let Some(Found { grads: Some(grads), .. }) = self.found.get() else {
            bail!("{} has no gradients to hand over", self.name());
        };
        let scale = grad.to_scalar::<f32>()?;
        let scaled = if scale == 1.0 { grads.clone() } else { (grads * f64::from(scale))? };
        Ok((Some(scaled), None, None))
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
