//! Pooling layers.

use pulp::{Simd, WithSimd};

use super::map::{Map, back, forth};
use super::step::{Images, Shared, Step, Sums};
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
    /// Where each output and the corner of its window begin, from their maps' starts.
    fn windows(&self) -> impl Iterator<Item = (usize, usize)> {
        (0..self.output.height).flat_map(move |row| {
            (0..self.output.width).map(move |column| {
                let corner = self.input.pixel(row * self.stride, column * self.stride);
                (self.output.pixel(row, column), corner)
            })
        })
    }
}

impl Pool {
    /// Whether each pixel of the input belongs to exactly one window of its row.
    fn tiles(&self) -> bool {
        let [_, columns] = self.size;
        self.input.frame == 0
            && columns == self.stride
            && columns * self.output.width == self.input.width
    }
}

impl Step for Pool {
    fn forward(&self, _: &Shared, images: &mut Images) {
        for values in images.each_values() {
            let (input, output) = forth(values, &self.input, &self.output);
            simd::run(Forward { pool: self, input, output });
        }
    }

    fn backward(&self, _: &Shared, images: &mut Images, _: &mut Sums) {
        let Some(accumulate) = self.input_grad else { return };
        for (values, grads) in images.each() {
            let (grads, input_grads) = back(grads, &self.output, &self.input);
            if !accumulate {
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
        let Self { pool, input, output } = self;
        let channels = pool.input.channels;
        // What is past the last channel is the next output's, which is written later, or is never read.
        let overhangs = pool.output.frame == 0 && channels <= S::F32_LANES;
        let [rows, columns] = pool.size;
        let share = simd.splat_f32s(1.0 / (rows * columns) as f32);
        for (to, corner) in pool.windows() {
            for channel in (0..channels).step_by(S::F32_LANES) {
                let width = (channels - channel).min(S::F32_LANES);
                let value = |row: usize, column: usize| {
                    let at = corner + row * pool.input.row_step() + column * channels + channel;
                    // Reads past the last channel stay inside the values and are not written.
                    &input[at..][..S::F32_LANES]
                };
                let mut pooled = match pool.kind {
                    Kind::Max => simd::load::<S>(value(0, 0), 0),
                    Kind::Mean => simd.splat_f32s(0.0),
                };
                for row in 0..rows {
                    for column in 0..columns {
                        let value = simd::load::<S>(value(row, column), 0);
                        pooled = match pool.kind {
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
                if pool.kind == Kind::Mean {
                    pooled = simd.mul_f32s(pooled, share);
                }
                if overhangs {
                    simd::store::<S>(output, to, pooled);
                } else {
                    simd.partial_store_f32s(&mut output[to + channel..][..width], pooled);
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
    /// Whether each pixel belongs to one window, channels fit a vector, and nothing is there yet.
    tiles: bool,
}

impl WithSimd for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { pool, input, output, grads, input_grads, tiles } = self;
        let channels = pool.input.channels;
        let tiles = tiles && channels <= S::F32_LANES;
        let [rows, columns] = pool.size;
        let share = simd.splat_f32s(1.0 / (rows * columns) as f32);
        let zero = simd.splat_f32s(0.0);
        let row_end = |at: usize| (at / pool.input.row_step() + 1) * pool.input.row_step();
        for (to, corner) in pool.windows() {
            for channel in (0..channels).step_by(S::F32_LANES) {
                let width = (channels - channel).min(S::F32_LANES);
                let mut grad = simd.partial_load_f32s(&grads[to + channel..][..width]);
                let pooled = simd::load::<S>(output, to + channel);
                if pool.kind == Kind::Mean {
                    grad = simd.mul_f32s(grad, share);
                }
                for row in 0..rows {
                    for column in 0..columns {
                        let at = corner + row * pool.input.row_step() + column * channels + channel;
                        let part = match pool.kind {
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
                        // Pixels of one window alone, which are written from left to right.
                        if tiles && at + S::F32_LANES <= row_end(at) {
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
