//! What a layer does with a few images at a time.

use std::fmt::Debug;

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
pub(super) struct Sums<'a> {
    /// Those of the parameters where these lie in the plan, then what kernels lay out otherwise.
    pub(super) sums: &'a mut [f32],
    /// Room that a step may use for itself.
    pub(super) scratch: &'a mut Vec<f32>,
}

/// One layer, or some that are computed in one.
pub(super) trait Step: Debug + Send + Sync {
    /// Lays out the parameters for the kernels.
    fn pack(&self, _trained: &[f32], _packed: &mut [f32], _with_gradients: bool) {}

    /// Computes the output's values from the input's.
    fn forward(&self, shared: &Shared, images: &mut Images);

    /// Computes the input's gradients from the output's, and adds to those of the parameters.
    fn backward(&self, shared: &Shared, images: &mut Images, sums: &mut Sums);

    /// Moves sums that the kernels lay out otherwise to where the parameters lie.
    fn unpack(&self, _sums: &mut [f32]) {}

    /// The layer as one that needs the whole batch.
    fn batch_norm(&self) -> Option<&BatchNorm> {
        None
    }
}
