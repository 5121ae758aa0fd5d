//! The two kernels of a convolution over maps that have channels last.
//!
//! A vector holds neighbouring output channels of one pixel. A block of pixels × vectors of sums stays
//! in registers while the taps of the pixels' patches go by, each broadcast to all lanes. The gradient
//! of the input is the same kernel with the weights turned; the gradient of the weights holds taps ×
//! vectors in registers while the pixels go by.

use pulp::{Simd, WithSimd};

use crate::nn::simd::{fma, load, store};

/// Taps whose weight gradients are summed at a time.
pub(super) const TAPS: usize = 8;

/// Offsets of each output pixel.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Points {
    /// Where its patch begins in the array that the kernel reads.
    pub(super) from: Vec<u32>,
    /// Where its channels begin in the array of outputs or of their gradients.
    pub(super) to: Vec<u32>,
}

/// Vectors of `lanes` channels that hold `channels`, two to a block but for the last.
pub(super) const fn padded(channels: usize, lanes: usize) -> usize {
    channels.div_ceil(lanes) * lanes
}

/// `output = weights · patches + bias`, for each point and output channel.
pub(super) struct Convolve<'a> {
    /// Maps with channels last, and at least one vector more.
    pub(super) input: &'a [f32],
    /// Blocks of one or two vectors of output channels, and for each block `[rows][taps][channel]`.
    pub(super) weights: &'a [f32],
    /// Bias of each output channel, in whole vectors; zeros for none.
    pub(super) bias: &'a [f32],
    pub(super) output: &'a mut [f32],
    pub(super) points: &'a Points,
    /// Rows of a patch.
    pub(super) rows: usize,
    /// Values from one row of a patch to the next.
    pub(super) row_step: usize,
    /// Values in a row of a patch.
    pub(super) taps: usize,
    pub(super) channels: usize,
    /// Whether what is below zero becomes zero.
    pub(super) relu: bool,
    /// Whether the output is added to what is there.
    pub(super) accumulate: bool,
    /// Whether whole vectors may be written: what is past the last channel is the next point's, which is
    /// written later, or is never read.
    pub(super) overhangs: bool,
}

impl WithSimd for Convolve<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        match (S::F32_LANES == 16, self.channels > S::F32_LANES) {
            (true, true) => self.run::<S, 8, 4>(simd),
            // Two sums for each cycle that a multiply-add takes, and some to spare.
            (true, false) => self.run::<S, 12, 4>(simd),
            (false, _) => self.run::<S, 4, 2>(simd),
        }
    }
}

impl Convolve<'_> {
    #[inline(always)]
    fn run<S: Simd, const P: usize, const HALF: usize>(&mut self, simd: S) {
        let count = self.points.from.len();
        let mut point = 0;
        while point < count {
            let rest = count - point;
            if rest >= P {
                self.blocks::<S, P>(simd, point);
                point += P;
            } else if rest >= HALF {
                self.blocks::<S, HALF>(simd, point);
                point += HALF;
            } else {
                self.blocks::<S, 1>(simd, point);
                point += 1;
            }
        }
    }

    /// All channels of `P` points.
    #[inline(always)]
    fn blocks<S: Simd, const P: usize>(&mut self, simd: S, point: usize) {
        let lanes = S::F32_LANES;
        let mut channel = 0;
        while channel < self.channels {
            if self.channels - channel > lanes {
                self.block::<S, P, 2>(simd, point, channel);
                channel += 2 * lanes;
            } else {
                self.block::<S, P, 1>(simd, point, channel);
                channel += lanes;
            }
        }
    }

    /// `V` vectors of channels of `P` points.
    #[inline(always)]
    fn block<S: Simd, const P: usize, const V: usize>(
        &mut self,
        simd: S,
        point: usize,
        channel: usize,
    ) {
        let (rows, taps, lanes) = (self.rows, self.taps, S::F32_LANES);
        let weights = &self.weights[channel * rows * taps..][..V * lanes * rows * taps];
        let weights = S::as_simd_f32s(weights).0.as_chunks::<V>().0;
        let mut sums = [[simd.splat_f32s(0.0); V]; P];
        for (v, bias) in self.bias[channel..][..V * lanes].chunks_exact(lanes).enumerate() {
            for sums in &mut sums {
                sums[v] = load::<S>(bias, 0);
            }
        }
        let from: &[u32; P] = self.points.from[point..].first_chunk().expect("there are P points");
        for row in 0..rows {
            let weights = &weights[row * taps..][..taps];
            let mut patches = [&self.input[..0]; P];
            for (patch, &from) in patches.iter_mut().zip(from) {
                *patch = &self.input[from as usize + row * self.row_step..][..taps];
            }
            for (tap, weights) in weights.iter().enumerate() {
                for (sums, patch) in sums.iter_mut().zip(&patches) {
                    let value = simd.splat_f32s(patch[tap]);
                    for (sum, &weight) in sums.iter_mut().zip(weights) {
                        *sum = fma(simd, value, weight, *sum);
                    }
                }
            }
        }
        let zero = simd.splat_f32s(0.0);
        let overhangs = self.overhangs && self.channels <= lanes;
        let width = if overhangs { lanes } else { (self.channels - channel).min(V * lanes) };
        for (sums, &to) in sums.into_iter().zip(&self.points.to[point..][..P]) {
            let output = &mut self.output[to as usize + channel..][..width];
            for (sum, output) in sums.into_iter().zip(output.chunks_mut(lanes)) {
                let mut sum = sum;
                if self.accumulate {
                    sum = simd.add_f32s(sum, simd.partial_load_f32s(output));
                }
                if self.relu {
                    // What is not a number stays so.
                    sum = simd.select_f32s(simd.less_than_f32s(sum, zero), zero, sum);
                }
                if output.len() == lanes {
                    store::<S>(output, 0, sum);
                } else {
                    simd.partial_store_f32s(output, sum);
                }
            }
        }
    }
}

/// Adds the gradients of a convolution's weights for one image.
pub(super) struct WeightGrads<'a> {
    /// As that of [`Convolve`], and at least [`TAPS`] values more.
    pub(super) input: &'a [f32],
    /// Gradients of the outputs, and at least two vectors more.
    pub(super) grads: &'a [f32],
    /// Blocks as those of the weights, with the taps of a row rounded up to whole [`TAPS`].
    pub(super) sums: &'a mut [f32],
    /// Whether the image is the first, whose gradients replace what is there.
    pub(super) first: bool,
    pub(super) points: &'a Points,
    pub(super) rows: usize,
    pub(super) row_step: usize,
    pub(super) taps: usize,
    pub(super) channels: usize,
}

impl WithSimd for WeightGrads<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let lanes = S::F32_LANES;
        let mut channel = 0;
        while channel < self.channels {
            let width = if self.channels - channel > lanes { 2 * lanes } else { lanes };
            for row in 0..self.rows {
                match (width > lanes, lanes == 16) {
                    (true, true) => self.row::<S, 2, 8, 8>(simd, channel, row),
                    (true, false) => self.row::<S, 2, 4, 4>(simd, channel, row),
                    (false, true) => self.row::<S, 1, 24, 16>(simd, channel, row),
                    (false, false) => self.row::<S, 1, 8, 8>(simd, channel, row),
                }
            }
            channel += width;
        }
    }
}

impl WeightGrads<'_> {
    /// The weights of a row of patches to `V` vectors of channels, `R` taps at a time, then `HALF`, then
    /// [`TAPS`].
    #[inline(always)]
    fn row<S: Simd, const V: usize, const R: usize, const HALF: usize>(
        &mut self,
        simd: S,
        channel: usize,
        row: usize,
    ) {
        let taps = self.taps.next_multiple_of(TAPS);
        let mut tap = 0;
        while tap + R <= taps {
            self.block::<S, V, R>(simd, channel, row, tap);
            tap += R;
        }
        while tap + HALF <= taps {
            self.block::<S, V, HALF>(simd, channel, row, tap);
            tap += HALF;
        }
        if tap < taps {
            self.block::<S, V, TAPS>(simd, channel, row, tap);
        }
    }

    #[inline(always)]
    fn block<S: Simd, const V: usize, const R: usize>(
        &mut self,
        simd: S,
        channel: usize,
        row: usize,
        tap: usize,
    ) {
        let taps = self.taps.next_multiple_of(TAPS);
        let place = (channel * self.rows + row * V * S::F32_LANES) * taps;
        let sums = &mut self.sums[place + tap * V * S::F32_LANES..][..R * V * S::F32_LANES];
        let sums = S::as_mut_simd_f32s(sums).0.as_chunks_mut::<V>().0;
        let sums: &mut [[S::f32s; V]; R] = sums.first_chunk_mut().expect("there are R taps");
        let mut totals = [[simd.splat_f32s(0.0); V]; R];
        if !self.first {
            totals = *sums;
        }
        let start = row * self.row_step + tap;
        for (&from, &to) in self.points.from.iter().zip(&self.points.to) {
            let patch = &self.input[from as usize + start..];
            let patch: &[f32; R] = patch.first_chunk().expect("the array is longer");
            let grads = &self.grads[to as usize + channel..][..V * S::F32_LANES];
            let grads = S::as_simd_f32s(grads).0;
            for (totals, &value) in totals.iter_mut().zip(patch) {
                let value = simd.splat_f32s(value);
                for (total, &grad) in totals.iter_mut().zip(grads) {
                    *total = fma(simd, value, grad, *total);
                }
            }
        }
        *sums = totals;
    }
}
