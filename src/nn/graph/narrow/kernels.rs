//! Kernels of constant size: `K` rows and columns, `G` pixels a vector, `T` = `K` + `G` − 1 taps a row.

use pulp::{Simd, WithSimd};

use super::Narrow;
use crate::nn::simd::{fma, load, store};

/// What is compiled for each size.
pub(super) trait Kernel {
    fn run<S: Simd, const K: usize, const G: usize, const T: usize>(self, simd: S);
}

/// A kernel and its size.
pub(super) struct Sized<F, const K: usize, const G: usize, const T: usize>(pub(super) F);

impl<F: Kernel, const K: usize, const G: usize, const T: usize> WithSimd for Sized<F, K, G, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        self.0.run::<S, K, G, T>(simd);
    }
}

/// `output = weights · patches + bias`.
pub(super) struct Forward<'a> {
    pub(super) layer: &'a Narrow,
    /// From the corner of the first patch.
    pub(super) input: &'a [f32],
    /// For each vector of channels `[K][T][lane]`.
    pub(super) weights: &'a [f32],
    pub(super) biases: &'a [f32],
    pub(super) output: &'a mut [f32],
}

impl Kernel for Forward<'_> {
    #[inline(always)]
    fn run<S: Simd, const K: usize, const G: usize, const T: usize>(mut self, simd: S) {
        let groups = self.layer.output.width / G;
        // As many sums as fit the width best.
        let waste = |sums: usize| groups.next_multiple_of(sums);
        if S::F32_LANES < 16 || groups < 12 {
            match groups {
                8.. => self.rows::<S, 8, K, G, T>(simd),
                4.. => self.rows::<S, 4, K, G, T>(simd),
                _ => self.rows::<S, 1, K, G, T>(simd),
            }
        } else if groups >= 14 && waste(14) <= waste(12) {
            self.rows::<S, 14, K, G, T>(simd);
        } else {
            self.rows::<S, 12, K, G, T>(simd);
        }
    }
}

impl Forward<'_> {
    /// All rows, `P` vectors at a time.
    #[inline(always)]
    fn rows<S: Simd, const P: usize, const K: usize, const G: usize, const T: usize>(
        &mut self,
        simd: S,
    ) {
        let groups = self.layer.output.width / G;
        for block in 0..self.layer.output.channels.div_ceil(S::F32_LANES) {
            for row in 0..self.layer.output.height {
                let mut group = 0;
                while group < groups {
                    // The last ones may be computed twice, which gives the same.
                    let first = group.min(groups - P);
                    self.block::<S, P, K, G, T>(simd, block, row, first * G);
                    group += P;
                }
            }
        }
    }

    /// `P` vectors from a pixel of a row.
    #[inline(always)]
    fn block<S: Simd, const P: usize, const K: usize, const G: usize, const T: usize>(
        &mut self,
        simd: S,
        block: usize,
        row: usize,
        column: usize,
    ) {
        let (map, lanes) = (&self.layer.output, S::F32_LANES);
        let mut sums = [load::<S>(self.biases, block * lanes); P];
        let weights = &self.weights[block * K * T * lanes..][..K * T * lanes];
        let weights = S::as_simd_f32s(weights).0.as_chunks::<T>().0;
        for (y, weights) in weights.iter().enumerate() {
            let start = (row + y) * self.layer.input.row_step() + column;
            let pixels = &self.input[start..][..(P - 1) * G + T];
            for (x, &weight) in weights.iter().enumerate() {
                for (place, sum) in sums.iter_mut().enumerate() {
                    *sum = fma(simd, simd.splat_f32s(pixels[place * G + x]), weight, *sum);
                }
            }
        }
        let zero = simd.splat_f32s(0.0);
        let width = (map.channels - block * lanes).min(lanes) * G;
        // What is past the last channel is the next pixel's, which is written later, or is never read.
        let overhangs = width == lanes || (map.frame == 0 && map.channels <= lanes);
        let start = map.pixel(row, column) + block * lanes;
        let output = &mut self.output[start..][..(P - 1) * G * map.channels + lanes];
        for (place, mut sum) in sums.into_iter().enumerate() {
            if self.layer.relu {
                // What is not a number stays so.
                sum = simd.select_f32s(simd.less_than_f32s(sum, zero), zero, sum);
            }
            let output = &mut output[place * G * map.channels..][..lanes];
            if overhangs {
                store::<S>(output, 0, sum);
            } else {
                simd.partial_store_f32s(&mut output[..width], sum);
            }
        }
    }
}

/// Adds the gradients of weights and biases for one image, or writes them.
pub(super) struct Backward<'a> {
    pub(super) layer: &'a Narrow,
    /// From the corner of the first patch.
    pub(super) input: &'a [f32],
    pub(super) output: &'a [f32],
    pub(super) grads: &'a [f32],
    /// Whether the image is the first, whose gradients replace what is there.
    pub(super) first: bool,
    /// As [`Forward::weights`].
    pub(super) weights: &'a mut [f32],
    pub(super) biases: &'a mut [f32],
}

impl Kernel for Backward<'_> {
    #[inline(always)]
    fn run<S: Simd, const K: usize, const G: usize, const T: usize>(mut self, simd: S) {
        for block in 0..self.layer.output.channels.div_ceil(S::F32_LANES) {
            if S::F32_LANES == 16 {
                // All sums in registers.
                self.block::<S, K, G, T, K>(simd, block, 0);
            } else {
                for row in 0..K {
                    self.block::<S, K, G, T, 1>(simd, block, row);
                }
            }
        }
    }
}

impl Backward<'_> {
    /// `R` rows of the kernel from `first_row` on.
    #[inline(always)]
    fn block<S: Simd, const K: usize, const G: usize, const T: usize, const R: usize>(
        &mut self,
        simd: S,
        block: usize,
        first_row: usize,
    ) {
        let (map, lanes) = (&self.layer.output, S::F32_LANES);
        let zero = simd.splat_f32s(0.0);
        let mut totals = [[zero; T]; R];
        let mut bias = zero;
        let row_len = map.width + K - 1;
        let step = G * map.channels;
        for row in 0..map.height {
            let mut pixels = [&self.input[..0]; R];
            for (y, pixels) in pixels.iter_mut().enumerate() {
                let start = (row + first_row + y) * self.layer.input.row_step();
                *pixels = &self.input[start..][..row_len];
            }
            let start = map.pixel(row, 0) + block * lanes;
            let len = (map.width / G - 1) * step + lanes;
            let grads = &self.grads[start..][..len];
            let values = &self.output[start..][..len];
            for group in 0..map.width / G {
                let mut grad = load::<S>(grads, group * step);
                if self.layer.relu {
                    let value = load::<S>(values, group * step);
                    grad = simd.select_f32s(simd.less_than_f32s(zero, value), grad, zero);
                }
                bias = simd.add_f32s(bias, grad);
                for (totals, pixels) in totals.iter_mut().zip(&pixels) {
                    let pixels: &[f32; T] =
                        pixels[group * G..].first_chunk().expect("the row is longer");
                    for (total, &pixel) in totals.iter_mut().zip(pixels) {
                        *total = fma(simd, simd.splat_f32s(pixel), grad, *total);
                    }
                }
            }
        }
        let place = (block * K + first_row) * T * lanes;
        let sums = &mut self.weights[place..][..R * T * lanes];
        let sums = S::as_mut_simd_f32s(sums).0.as_chunks_mut::<T>().0;
        for (sums, totals) in sums.iter_mut().zip(totals) {
            for (sum, total) in sums.iter_mut().zip(totals) {
                *sum = if self.first { total } else { simd.add_f32s(*sum, total) };
            }
        }
        if first_row == 0 {
            let sums = &mut self.biases[block * lanes..][..lanes];
            let before = if self.first { zero } else { load::<S>(sums, 0) };
            store::<S>(sums, 0, simd.add_f32s(before, bias));
        }
    }
}
