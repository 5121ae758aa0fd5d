//! Pooling layers.

use pulp::{Simd, WithSimd};

use super::map::{Map, back, forth};
use super::step::{Gradients, Images, Shared, Step};
use crate::nn::simd;

/// How a window becomes one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Max,
    Mean,
}

/// Pooling of each channel.
#[derive(Debug)]
pub(super) struct Pool {
    pub(super) kind: Kind,
    pub(super) input: Map,
    pub(super) output: Map,
    /// Rows and columns of a window.
    pub(super) size: [usize; 2],
    pub(super) stride: usize,
    /// As [`super::convolution::Convolution::input_grad`].
    pub(super) input_grad: Option<bool>,
}

impl Pool {
    /// Whether windows lie side by side and leave no pixel of their rows out.
    fn tiles(&self) -> bool {
        let [_, columns] = self.size;
        self.input.frame == 0
            && columns == self.stride
            && columns * self.output.width == self.input.width
    }

    /// Whether each pixel of the input belongs to exactly one window.
    fn covers(&self) -> bool {
        let [rows, _] = self.size;
        self.tiles() && rows == self.stride && rows * self.output.height == self.input.height
    }
}

impl Step for Pool {
    fn forward(&self, _: &Shared, images: &mut Images) {
        for values in images.each_values() {
            let (input, output) = forth(values, &self.input, &self.output);
            simd::run(Forward { pool: self, input, output });
        }
    }

    fn backward(&self, _: &Shared, images: &mut Images, _: &mut Gradients) {
        let Some(accumulate) = self.input_grad else { return };
        for (values, grads) in images.each() {
            let (grads, input_grads) = back(grads, &self.output, &self.input);
            if !accumulate && !self.covers() {
                input_grads[..self.input.len()].fill(0.0);
            }
            let input = &values[self.input.start..];
            let output = &values[self.output.start..];
            let tiles = self.tiles() && !accumulate;
            simd::run(Backward { pool: self, input, output, grads, input_grads, tiles });
        }
    }
}

struct Forward<'a> {
    pool: &'a Pool,
    input: &'a [f32],
    output: &'a mut [f32],
}

impl WithSimd for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match (self.pool.kind, self.pool.size) {
            // The usual one, with loops of known length.
            (Kind::Max, [2, 2]) => self.run(simd, Kind::Max, [2, 2]),
            (kind, size) => self.run(simd, kind, size),
        }
    }
}

impl Forward<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S, kind: Kind, [rows, columns]: [usize; 2]) {
        let Self { pool, input, output } = self;
        let (from, to, channels) = (&pool.input, &pool.output, pool.input.channels);
        // What is past the last channel is the next output's, which is written later, or is never read.
        let overhangs = to.frame == 0 && channels <= S::F32_LANES;
        let whole = overhangs || channels.is_multiple_of(S::F32_LANES);
        let share = simd.splat_f32s(1.0 / (rows * columns) as f32);
        for y in 0..to.height {
            for x in 0..to.width {
                let to = to.pixel(y, x);
                let corner = from.pixel(y * pool.stride, x * pool.stride);
                for channel in (0..channels).step_by(S::F32_LANES) {
                    // Reads past the last channel stay inside the values and are not written.
                    let mut pooled = match kind {
                        Kind::Max => simd::load::<S>(input, corner + channel),
                        Kind::Mean => simd.splat_f32s(0.0),
                    };
                    for row in 0..rows {
                        let input = &input[corner + row * from.row_step() + channel..];
                        for column in 0..columns {
                            let value = simd::load::<S>(input, column * channels);
                            pooled = match kind {
                                Kind::Mean => simd.add_f32s(pooled, value),
                                Kind::Max => {
                                    let is_number = simd.equal_f32s(value, value);
                                    let larger = simd.greater_than_f32s(value, pooled);
                                    let pooled = simd.select_f32s(larger, value, pooled);
                                    simd.select_f32s(is_number, pooled, value)
                                }
                            };
                        }
                    }
                    if kind == Kind::Mean {
                        pooled = simd.mul_f32s(pooled, share);
                    }
                    if whole {
                        simd::store::<S>(output, to + channel, pooled);
                    } else {
                        let width = (channels - channel).min(S::F32_LANES);
                        simd.partial_store_f32s(&mut output[to + channel..][..width], pooled);
                    }
                }
            }
        }
    }
}

struct Backward<'a> {
    pool: &'a Pool,
    input: &'a [f32],
    output: &'a [f32],
    grads: &'a [f32],
    input_grads: &'a mut [f32],
    /// Whether each pixel belongs to one window, and nothing is there yet.
    tiles: bool,
}

impl WithSimd for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match (self.pool.kind, self.pool.size) {
            (Kind::Max, [2, 2]) => self.run(simd, Kind::Max, [2, 2]),
            (kind, size) => self.run(simd, kind, size),
        }
    }
}

impl Backward<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S, kind: Kind, [rows, columns]: [usize; 2]) {
        let Self { pool, input, output, grads, input_grads, tiles } = self;
        let (from, to, channels) = (&pool.input, &pool.output, pool.input.channels);
        let (lanes, row_len) = (S::F32_LANES, pool.input.row_len());
        let share = simd.splat_f32s(1.0 / (rows * columns) as f32);
        let zero = simd.splat_f32s(0.0);
        for y in 0..to.height {
            for x in 0..to.width {
                let to = to.pixel(y, x);
                let corner = from.pixel(y * pool.stride, x * pool.stride);
                // Windows are written from left to right: what is past a pixel's last channel is
                // overwritten by the next, but for the row's end.
                let end = (x * pool.stride + columns - 1) * channels + lanes;
                let overhangs = channels <= lanes && end <= row_len;
                let whole = tiles && (overhangs || channels.is_multiple_of(lanes));
                for channel in (0..channels).step_by(lanes) {
                    let width = (channels - channel).min(lanes);
                    let mut grad = simd::load::<S>(grads, to + channel);
                    let pooled = simd::load::<S>(output, to + channel);
                    if kind == Kind::Mean {
                        grad = simd.mul_f32s(grad, share);
                    }
                    for row in 0..rows {
                        let start = corner + row * from.row_step() + channel;
                        for column in 0..columns {
                            let at = start + column * channels;
                            let part = match kind {
                                Kind::Mean => grad,
                                Kind::Max => {
                                    let value = simd::load::<S>(input, at);
                                    let wins = simd.equal_f32s(value, pooled);
                                    let part = simd.select_f32s(wins, grad, zero);
                                    // The first of equals takes all.
                                    grad = simd.select_f32s(wins, zero, grad);
                                    part
                                }
                            };
                            if whole {
                                simd::store::<S>(input_grads, at, part);
                                continue;
                            }
                            let target = &mut input_grads[at..][..width];
                            let before = if tiles { zero } else { simd.partial_load_f32s(target) };
                            simd.partial_store_f32s(target, simd.add_f32s(before, part));
                        }
                    }
                }
            }
        }
    }
}
