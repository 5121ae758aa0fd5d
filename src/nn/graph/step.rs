//! What a layer does with a few images at a time.

use std::fmt::Debug;
use std::ops::Range;

use super::norm::{BatchNorm, Coefficients};
use crate::nn::engine::Mode;

/// What all images of a pass share.
pub(super) struct Shared<'a> {
    /// The trained parameters one after the other.
    pub(super) trained: &'a [f32],
    /// What [`Step::pack`] made of them.
    pub(super) packed: &'a [f32],
    /// What each batch normalisation multiplies and adds.
    pub(super) norms: &'a [Coefficients],
    pub(super) mode: Mode,
}

/// Consecutive images of a batch.
pub(super) struct Images<'a> {
    /// The values of each image, `step` scalars after those of the one before.
    pub(super) values: &'a mut [f32],
    /// Their gradients at the same places; empty where none are wanted.
    pub(super) grads: &'a mut [f32],
    pub(super) step: usize,
    /// The first one's place in the batch.
    pub(super) first: usize,
}

impl Images<'_> {
    /// Values of each image.
    pub(super) fn each_values(&mut self) -> impl Iterator<Item = &mut [f32]> {
        self.values.chunks_exact_mut(self.step)
    }

    /// Values and gradients of each image.
    pub(super) fn each(&mut self) -> impl Iterator<Item = (&[f32], &mut [f32])> {
        let values = self.values.chunks_exact(self.step);
        values.zip(self.grads.chunks_exact_mut(self.step))
    }
}

/// Where the gradients of the images of a part go, which are summed up.
pub(super) struct Gradients<'a> {
    /// Each step's own, in the layout of its kernel.
    pub(super) sums: &'a mut [f32],
    /// Whether these are the part's first images, whose sums replace what is there.
    pub(super) first: bool,
    /// Memory that each step has a range of, and finds as it left it.
    pub(super) scratch: &'a mut [f32],
}

/// One layer, or some that are computed in one.
pub(super) trait Step: Debug + Send + Sync {
    /// Lays out the parameters for the kernels.
    fn pack(&self, _trained: &[f32], _packed: &mut [f32], _with_gradients: bool) {}

    /// Computes the output's values from the input's.
    fn forward(&self, shared: &Shared, images: &mut Images);

    /// Computes the input's gradients from the output's, and adds to those of the parameters.
    fn backward(&self, shared: &Shared, images: &mut Images, sums: &mut Gradients);

    /// Where the step's sums lie among those of a part.
    fn sums(&self) -> Range<usize> {
        0..0
    }

    /// Where its sums belong as they are, among the trained parameters.
    fn plain(&self) -> Option<Range<usize>> {
        None
    }

    /// Writes the gradients of the parameters, given the step's sums over all images, if they are not
    /// [`Self::plain`].
    fn unpack(&self, _sums: &[f32], _grads: &mut [f32]) {}

    /// The layer as one that needs the whole batch.
    fn batch_norm(&self) -> Option<&BatchNorm> {
        None
    }
}
