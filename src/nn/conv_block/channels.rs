//! Forward kernel whose lanes are output channels.
//!
//! Two convolution rows of a few columns (whole pool windows) are kept in registers; each tap
//! loads one vector of weights and multiplies it with every pixel of the block.

use pulp::Simd;

use super::forward::{Scratch, pool};
use super::geometry::Geometry;
use crate::nn::simd::{fma, load, store};

/// Weights in the order this kernel reads them, and where each tap finds its pixel.
pub(super) struct Channels {
    geometry: Geometry,
    lanes: usize,
    /// `[groups][taps][lanes]`, zero for channels beyond the last.
    weights: Vec<f32>,
    /// `[groups][lanes]`.
    biases: Vec<f32>,
    /// For each tap the offset of its pixel at convolution position (0, 0).
    taps: Vec<usize>,
}

impl Channels {
    /// Vector multiply-adds of one image for each tap and window place.
    pub(super) fn cost(geometry: &Geometry, lanes: usize) -> usize {
        geometry.pooled() * geometry.outputs.div_ceil(lanes)
    }

    pub(super) fn new(geometry: &Geometry, lanes: usize) -> Self {
        let groups = geometry.outputs.div_ceil(lanes);
        let weights = vec![0.0; groups * geometry.kernel_len() * lanes];
        let biases = vec![0.0; groups * lanes];
        let taps = geometry
            .taps()
            .map(|(input, ky, kx)| (input * geometry.height + ky) * geometry.width + kx)
            .collect();
        Self { geometry: *geometry, lanes, weights, biases, taps }
    }

    /// Takes over `weight` (`[outputs, inputs, kernel, kernel]`) and `bias` (`[outputs]`).
    pub(super) fn set(&mut self, weight: &[f32], bias: &[f32]) {
        let (taps, lanes) = (self.taps.len(), self.lanes);
        for (channel, kernel) in weight.chunks_exact(taps).enumerate() {
            let start = channel / lanes * taps * lanes + channel % lanes;
            for (slot, value) in self.weights[start..].iter_mut().step_by(lanes).zip(kernel) {
                *slot = *value;
            }
        }
        self.biases[..bias.len()].copy_from_slice(bias);
    }

    /// Size of the buffers of results: `[pooled positions][groups · lanes]`.
    pub(super) fn scratch_len(&self) -> usize {
        self.geometry.pooled() * self.biases.len()
    }

    /// Computes one image; see [`super::forward::Forward::image`].
    #[inline(always)]
    pub(super) fn image<S: Simd>(
        &self,
        simd: S,
        scratch: &mut Scratch,
        image: &[f32],
        output: &mut [f32],
        winners: &mut [u8],
    ) {
        let width = self.geometry.pooled_width();
        for group in 0..self.biases.len() / self.lanes {
            for y in 0..self.geometry.pooled_height() {
                let mut x = 0;
                while x + 2 <= width {
                    self.windows::<S, 4>(simd, scratch, image, group, y, x);
                    x += 2;
                }
                if x < width {
                    self.windows::<S, 2>(simd, scratch, image, group, y, x);
                }
            }
        }
        let pooled = self.geometry.pooled();
        let stride = self.biases.len();
        let channels = output.chunks_exact_mut(pooled).zip(winners.chunks_exact_mut(pooled));
        for (channel, (output, winners)) in channels.enumerate() {
            let values = scratch.values[channel..].iter().step_by(stride);
            let codes = scratch.winners[channel..].iter().step_by(stride);
            for (((output, winner), value), code) in
                output.iter_mut().zip(winners).zip(values).zip(codes)
            {
                *output = *value;
                *winner = *code as u8;
            }
        }
    }

    /// Computes the windows from `(y, x)` on that span `COLUMNS` columns of the convolution.
    #[inline(always)]
    fn windows<S: Simd, const COLUMNS: usize>(
        &self,
        simd: S,
        scratch: &mut Scratch,
        image: &[f32],
        group: usize,
        y: usize,
        x: usize,
    ) {
        let taps = self.taps.len();
        let weights = &self.weights[group * taps * self.lanes..][..taps * self.lanes];
        let bias = load::<S>(&self.biases, group * self.lanes);
        let corner = 2 * y * self.geometry.width + 2 * x;
        let mut upper = [bias; COLUMNS];
        let mut lower = [bias; COLUMNS];
        for (&weight, tap) in S::as_simd_f32s(weights).0.iter().zip(&self.taps) {
            let start = corner + tap;
            let upper_row = &image[start..start + COLUMNS];
            let lower_row = &image[start + self.geometry.width..][..COLUMNS];
            for column in 0..COLUMNS {
                upper[column] =
                    fma(simd, weight, simd.splat_f32s(upper_row[column]), upper[column]);
                lower[column] =
                    fma(simd, weight, simd.splat_f32s(lower_row[column]), lower[column]);
            }
        }
        for (window, column) in (0..COLUMNS).step_by(2).enumerate() {
            let values = [upper[column], upper[column + 1], lower[column], lower[column + 1]];
            let (value, winner) = pool(simd, values);
            let position = y * self.geometry.pooled_width() + x + window;
            let at = position * self.biases.len() + group * self.lanes;
            store::<S>(&mut scratch.values, at, value);
            store::<S>(&mut scratch.winners, at, winner);
        }
    }
}
