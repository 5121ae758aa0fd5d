//! The forward pass in main memory: a whole image at a time, pooled in registers.
//!
//! There are two kernels that differ in what the lanes of a vector hold: neighbouring positions
//! of one output channel (`positions`) or all channels of one position (`channels`).
//! The first suits wide maps with few channels, the second small maps with many.

use pulp::{Simd, WithSimd};

use super::channels::Channels;
use super::geometry::Geometry;
use super::positions::Positions;
use crate::nn::simd;

/// Marks an output whose window has no positive value: `ReLU` lets no gradient through.
pub(super) const DEAD: u8 = 4;

/// A block's weights laid out for the kernel that does its extents in fewer operations.
pub(super) enum Forward {
    Positions(Positions),
    Channels(Channels),
}

impl Forward {
    /// The kernel for these extents, its weights zero.
    pub(super) fn new(geometry: &Geometry) -> Self {
        let lanes = simd::lanes();
        if Positions::cost(geometry, lanes) < Channels::cost(geometry, lanes) {
            Self::Positions(Positions::new(geometry, lanes))
        } else {
            Self::Channels(Channels::new(geometry, lanes))
        }
    }

    /// Takes over `weight` (`[outputs, inputs, kernel, kernel]`) and `bias` (`[outputs]`).
    pub(super) fn set(&mut self, weight: &[f32], bias: &[f32]) {
        match self {
            Self::Positions(kernel) => kernel.set(weight, bias),
            Self::Channels(kernel) => kernel.set(weight, bias),
        }
    }

    /// Buffers for [`Forward::image`].
    pub(super) fn scratch(&self) -> Scratch {
        let (planes, results) = match self {
            Self::Positions(kernel) => kernel.scratch_len(),
            Self::Channels(kernel) => (0, kernel.scratch_len()),
        };
        Scratch {
            planes: vec![0.0; planes],
            values: vec![0.0; results],
            winners: vec![0.0; results],
        }
    }

    /// Computes one image: `image` is `[inputs, height, width]`, `output` receives
    /// `[outputs, pooled_height, pooled_width]` and `winners` for each output which position of
    /// its 2×2 window gave it (0..=3, row-major, the first of equals) or [`DEAD`].
    #[inline(always)]
    pub(super) fn image<S: Simd>(
        &self,
        simd: S,
        scratch: &mut Scratch,
        image: &[f32],
        output: &mut [f32],
        winners: &mut [u8],
    ) {
        match self {
            Self::Positions(kernel) => kernel.image(simd, scratch, image, output, winners),
            Self::Channels(kernel) => kernel.image(simd, scratch, image, output, winners),
        }
    }
}

/// Buffers reused from image to image.
pub(super) struct Scratch {
    /// The image in the layout the kernel reads.
    pub(super) planes: Vec<f32>,
    /// Pooled values in the layout the kernel writes.
    pub(super) values: Vec<f32>,
    /// Their winners in the same layout.
    pub(super) winners: Vec<f32>,
}

/// Consecutive images of a batch; see [`Forward::image`].
pub(super) struct Images<'a> {
    pub(super) forward: &'a Forward,
    pub(super) geometry: &'a Geometry,
    pub(super) input: &'a [f32],
    pub(super) output: &'a mut [f32],
    pub(super) winners: &'a mut [u8],
}

impl WithSimd for Images<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let mut scratch = self.forward.scratch();
        let images = self.input.chunks_exact(self.geometry.input_len());
        let outputs = self.output.chunks_exact_mut(self.geometry.output_len());
        let winners = self.winners.chunks_exact_mut(self.geometry.output_len());
        for ((image, output), winners) in images.zip(outputs).zip(winners) {
            self.forward.image(simd, &mut scratch, image, output, winners);
        }
    }
}

/// The largest of a window's four values, row-major, after `ReLU`, and which one it is (as a
/// float, so that it fits the lanes): the first of equals, or [`DEAD`] where none is positive.
///
/// A value that is not a number passes through `ReLU`, so that training that went wrong shows.
#[inline(always)]
pub(super) fn pool<S: Simd>(simd: S, window: [S::f32s; 4]) -> (S::f32s, S::f32s) {
    let [mut best, rest @ ..] = window;
    let mut winner = simd.splat_f32s(0.0);
    for (value, index) in rest.into_iter().zip([1.0, 2.0, 3.0]) {
        let greater = simd.greater_than_f32s(value, best);
        best = simd.select_f32s(greater, value, best);
        winner = simd.select_f32s(greater, simd.splat_f32s(index), winner);
    }
    let zero = simd.splat_f32s(0.0);
    let alive = simd.greater_than_f32s(best, zero);
    let winner = simd.select_f32s(alive, winner, simd.splat_f32s(f32::from(DEAD)));
    (simd.select_f32s(simd.less_than_f32s(best, zero), zero, best), winner)
}
