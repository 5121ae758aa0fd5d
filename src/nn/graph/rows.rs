//! The kernels of a 3×3 convolution whose output channels fill no more than one vector.
//!
//! There [`super::conv`]'s kernels load a number for each multiply-add, and loading is as slow. Here
//! points lie side by side in rows, and a number that was loaded meets the weights of three columns, or
//! the gradients of three neighbouring points.

use pulp::{Simd, WithSimd};

use crate::nn::simd::{fma, load, store};

/// Side of the kernel.
pub(super) const SIDE: usize = 3;
/// Input channels whose weight gradients are summed at a time.
const CHANNELS: usize = 8;

/// Rows of points, each next to the other in the arrays that the kernels read and write.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Rows {
    pub(super) height: usize,
    pub(super) width: usize,
    /// Where the first patch begins in the input, and values from one row to the next.
    pub(super) from: usize,
    pub(super) from_step: usize,
    /// Channels of the input.
    pub(super) inputs: usize,
    /// The same for the outputs or their gradients.
    pub(super) to: usize,
    pub(super) to_step: usize,
    pub(super) outputs: usize,
}

impl Rows {
    /// Whether [`Convolve`] is made for these.
    pub(super) fn fit_convolve(&self, lanes: usize) -> bool {
        lanes == 16 && self.outputs <= lanes && self.width >= 12 && matches!(self.inputs, 16 | 32)
    }

    /// Whether [`WeightGrads`] is made for these.
    pub(super) fn fit_weight_grads(&self, lanes: usize) -> bool {
        lanes == 16
            && self.outputs <= lanes
            && self.width > SIDE
            && self.inputs.is_multiple_of(CHANNELS)
    }
}

/// [`super::conv::Convolve`] for such points.
pub(super) struct Convolve<'a> {
    pub(super) rows: Rows,
    pub(super) input: &'a [f32],
    /// `[rows][columns][input channel][lane]`.
    pub(super) weights: &'a [f32],
    pub(super) bias: &'a [f32],
    pub(super) output: &'a mut [f32],
    /// Whether what is below zero becomes zero.
    pub(super) relu: bool,
    /// As [`super::conv::Convolve::overhangs`].
    pub(super) overhangs: bool,
}

impl WithSimd for Convolve<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let width = self.rows.width;
        // As many sums as fit the width best.
        let wide = width >= 14 && width.next_multiple_of(14) <= width.next_multiple_of(12);
        match (self.rows.inputs, wide) {
            (16, true) => self.all::<S, 7, 9, 16>(simd),
            (16, false) => self.all::<S, 6, 8, 16>(simd),
            (_, true) => self.all::<S, 7, 9, 32>(simd),
            (_, false) => self.all::<S, 6, 8, 32>(simd),
        }
    }
}

impl Convolve<'_> {
    /// All rows, two times `P` points at a time, whose patches have `N` = `P` + 2 columns of `C` channels.
    #[inline(always)]
    fn all<S: Simd, const P: usize, const N: usize, const C: usize>(&mut self, simd: S) {
        for row in 0..self.rows.height {
            for column in (0..self.rows.width).step_by(2 * P) {
                // The last ones may be computed twice, which gives the same.
                self.block::<S, P, N, C>(simd, row, column.min(self.rows.width - 2 * P));
            }
        }
    }

    #[inline(always)]
    fn block<S: Simd, const P: usize, const N: usize, const C: usize>(
        &mut self,
        simd: S,
        row: usize,
        column: usize,
    ) {
        let Rows { from, from_step, to, to_step, outputs, .. } = self.rows;
        let mut sums = [[load::<S>(self.bias, 0); P]; 2];
        let weights = S::as_simd_f32s(self.weights).0.as_chunks::<C>().0;
        for (y, weights) in weights.as_chunks::<SIDE>().0.iter().enumerate() {
            let start = from + (row + y) * from_step + column * C;
            let pixels = &self.input[start..][..(P + N) * C];
            for channel in 0..C {
                for (half, sums) in sums.iter_mut().enumerate() {
                    let mut values = [simd.splat_f32s(0.0); N];
                    for (column, value) in values.iter_mut().enumerate() {
                        *value = simd.splat_f32s(pixels[(half * P + column) * C + channel]);
                    }
                    for (x, weights) in weights.iter().enumerate() {
                        for (point, sum) in sums.iter_mut().enumerate() {
                            *sum = fma(simd, values[point + x], weights[channel], *sum);
                        }
                    }
                }
            }
        }
        let zero = simd.splat_f32s(0.0);
        let lanes = S::F32_LANES;
        let start = to + row * to_step + column * outputs;
        let output = &mut self.output[start..][..(2 * P - 1) * outputs + lanes];
        for (point, &sum) in sums.as_flattened().iter().enumerate() {
            let mut sum = sum;
            if self.relu {
                // What is not a number stays so.
                sum = simd.select_f32s(simd.less_than_f32s(sum, zero), zero, sum);
            }
            let output = &mut output[point * outputs..][..lanes];
            if self.overhangs || outputs == lanes {
                store::<S>(output, 0, sum);
            } else {
                simd.partial_store_f32s(&mut output[..outputs], sum);
            }
        }
    }
}

/// [`super::conv::WeightGrads`] for such points.
pub(super) struct WeightGrads<'a> {
    pub(super) rows: Rows,
    pub(super) input: &'a [f32],
    pub(super) grads: &'a [f32],
    /// As [`Convolve::weights`].
    pub(super) sums: &'a mut [f32],
    /// Whether the image is the first, whose gradients replace what is there.
    pub(super) first: bool,
}

impl WithSimd for WeightGrads<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        for y in 0..SIDE {
            for channel in (0..self.rows.inputs).step_by(CHANNELS) {
                self.block(simd, y, channel);
            }
        }
    }
}

/// Gradients for three columns of the kernel and some input channels.
type Totals<S> = [[<S as Simd>::f32s; CHANNELS]; SIDE];

impl WeightGrads<'_> {
    #[inline(always)]
    fn block<S: Simd>(&mut self, simd: S, y: usize, channel: usize) {
        let Rows { height, width, from, from_step, inputs, to, to_step, outputs } = self.rows;
        let lanes = S::F32_LANES;
        let mut totals: Totals<S> = [[simd.splat_f32s(0.0); CHANNELS]; SIDE];
        for row in 0..height {
            let start = from + (row + y) * from_step + channel;
            let pixels = &self.input[start..][..(width + SIDE - 2) * inputs + CHANNELS];
            let grads = &self.grads[to + row * to_step..][..(width - 1) * outputs + lanes];
            // A pixel meets the gradients of the point that it begins and of the two before that.
            let mut near = [load::<S>(grads, 0), simd.splat_f32s(0.0), simd.splat_f32s(0.0)];
            add::<S, 0, 1>(simd, &mut totals, pixels, &near);
            near = [load::<S>(grads, outputs), near[0], near[1]];
            add::<S, 0, 2>(simd, &mut totals, &pixels[inputs..], &near);
            for column in 2..width {
                near = [load::<S>(grads, column * outputs), near[0], near[1]];
                add::<S, 0, 3>(simd, &mut totals, &pixels[column * inputs..], &near);
            }
            near = [near[0], near[0], near[1]];
            add::<S, 1, 3>(simd, &mut totals, &pixels[width * inputs..], &near);
            near = [near[0], near[0], near[1]];
            add::<S, 2, 3>(simd, &mut totals, &pixels[(width + 1) * inputs..], &near);
        }
        let sums = S::as_mut_simd_f32s(self.sums).0;
        for (x, totals) in totals.into_iter().enumerate() {
            let place = (y * SIDE + x) * inputs + channel;
            for (sum, total) in sums[place..][..CHANNELS].iter_mut().zip(totals) {
                *sum = if self.first { total } else { simd.add_f32s(*sum, total) };
            }
        }
    }
}

/// Adds a pixel's products with the gradients near it, from column `FIRST` of the kernel to before `END`.
#[inline(always)]
fn add<S: Simd, const FIRST: usize, const END: usize>(
    simd: S,
    totals: &mut Totals<S>,
    pixel: &[f32],
    near: &[S::f32s; SIDE],
) {
    let pixel: &[f32; CHANNELS] = pixel.first_chunk().expect("the row is longer");
    for (channel, &value) in pixel.iter().enumerate() {
        let value = simd.splat_f32s(value);
        for x in FIRST..END {
            totals[x][channel] = fma(simd, value, near[x], totals[x][channel]);
        }
    }
}
