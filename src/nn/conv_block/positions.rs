//! Forward kernel whose lanes are neighbouring pooled positions of one output channel.
//!
//! The image is split by the parity of rows and columns into four planes. The values that one
//! kernel tap needs for neighbouring windows then lie side by side: tap `(ky, kx)` at place
//! `(dy, dx)` of window `(py, px)` reads pixel `(2py + dy + ky, 2px + dx + kx)`, which is element
//! `(py + (dy + ky) / 2, px + (dx + kx) / 2)` of plane `((dy + ky) % 2, (dx + kx) % 2)`. Positions
//! are numbered on a grid as wide as a plane, so that a vector may run over the end of a row; the
//! few surplus results are dropped.

use pulp::Simd;

use super::forward::{Scratch, pool};
use super::geometry::Geometry;
use crate::nn::simd::{fma, load, store};

/// Output channels computed together; with four window places each they fill the registers of
/// AVX2 and hide the latency of the multiply-add.
const BLOCK: usize = 3;

/// Weights in the order this kernel reads them, and where each tap finds its values.
pub(super) struct Positions {
    geometry: Geometry,
    /// `[blocks][taps][BLOCK]`, zero for channels beyond the last.
    weights: Vec<[f32; BLOCK]>,
    /// `[blocks][BLOCK]`.
    biases: Vec<[f32; BLOCK]>,
    /// For each tap the offsets of its values at the four places of window 0.
    taps: Vec<[usize; 4]>,
    plane_width: usize,
    plane_len: usize,
    /// Positions computed: those of the grid up to the last, rounded up to whole vectors.
    grid: usize,
}

/// Grid positions up to the last that counts, rounded up to whole vectors.
fn grid(geometry: &Geometry, lanes: usize) -> usize {
    let width = geometry.width.div_ceil(2);
    ((geometry.pooled_height() - 1) * width + geometry.pooled_width()).next_multiple_of(lanes)
}

impl Positions {
    /// Vector multiply-adds of one image for each tap and window place.
    pub(super) fn cost(geometry: &Geometry, lanes: usize) -> usize {
        grid(geometry, lanes) / lanes * geometry.outputs.next_multiple_of(BLOCK)
    }

    pub(super) fn new(geometry: &Geometry, lanes: usize) -> Self {
        let kernel = geometry.kernel;
        let plane_width = geometry.width.div_ceil(2);
        let grid = grid(geometry, lanes);
        let farthest = kernel / 2 * plane_width + kernel / 2;
        let plane_len = (geometry.height.div_ceil(2) * plane_width).max(grid + farthest);
        let taps = geometry
            .taps()
            .map(|(input, ky, kx)| {
                [(0, 0), (0, 1), (1, 0), (1, 1)].map(|(dy, dx)| {
                    let (row, column) = (dy + ky, dx + kx);
                    let plane = (input * 2 + row % 2) * 2 + column % 2;
                    plane * plane_len + row / 2 * plane_width + column / 2
                })
            })
            .collect();
        let blocks = geometry.outputs.div_ceil(BLOCK);
        let weights = vec![[0.0; BLOCK]; blocks * geometry.kernel_len()];
        let biases = vec![[0.0; BLOCK]; blocks];
        Self { geometry: *geometry, weights, biases, taps, plane_width, plane_len, grid }
    }

    /// Takes over `weight` (`[outputs, inputs, kernel, kernel]`) and `bias` (`[outputs]`).
    pub(super) fn set(&mut self, weight: &[f32], bias: &[f32]) {
        let taps = self.taps.len();
        for (channel, (kernel, &bias)) in weight.chunks_exact(taps).zip(bias).enumerate() {
            let (block, lane) = (channel / BLOCK, channel % BLOCK);
            self.biases[block][lane] = bias;
            for (slot, value) in self.weights[block * taps..].iter_mut().zip(kernel) {
                slot[lane] = *value;
            }
        }
    }

    /// Sizes of the scratch buffers: planes `[inputs][row parity][column parity][plane_len]`,
    /// results `[outputs rounded up to blocks][positions]`.
    pub(super) fn scratch_len(&self) -> (usize, usize) {
        (self.geometry.inputs * 4 * self.plane_len, self.biases.len() * BLOCK * self.grid)
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
        self.split(image, &mut scratch.planes);
        let blocks = self.weights.chunks_exact(self.taps.len()).zip(&self.biases).enumerate();
        for (block, (weights, biases)) in blocks {
            let biases = biases.map(|bias| simd.splat_f32s(bias));
            for position in (0..self.grid).step_by(S::F32_LANES) {
                let mut sums = biases.map(|bias| [bias; 4]);
                for (places, weights) in self.taps.iter().zip(weights) {
                    let weights = weights.map(|weight| simd.splat_f32s(weight));
                    for (place, offset) in places.iter().enumerate() {
                        let values = load::<S>(&scratch.planes, offset + position);
                        for (sums, &weight) in sums.iter_mut().zip(&weights) {
                            sums[place] = fma(simd, values, weight, sums[place]);
                        }
                    }
                }
                for (lane, sums) in sums.into_iter().enumerate() {
                    let at = (block * BLOCK + lane) * self.grid + position;
                    let (value, winner) = pool(simd, sums);
                    store::<S>(&mut scratch.values, at, value);
                    store::<S>(&mut scratch.winners, at, winner);
                }
            }
        }
        self.gather(scratch, output, winners);
    }

    /// Splits an image by the parity of rows and columns.
    #[inline(always)]
    fn split(&self, image: &[f32], planes: &mut [f32]) {
        let Geometry { height, width, .. } = self.geometry;
        let channels =
            image.chunks_exact(height * width).zip(planes.chunks_exact_mut(4 * self.plane_len));
        for (channel, planes) in channels {
            for (y, row) in channel.chunks_exact(width).enumerate() {
                let (even, odd) = planes[y % 2 * 2 * self.plane_len..].split_at_mut(self.plane_len);
                let start = y / 2 * self.plane_width;
                let even = &mut even[start..start + self.plane_width];
                let odd = &mut odd[start..start + self.plane_width];
                let (pairs, last) = row.as_chunks::<2>();
                for ((pair, even), odd) in pairs.iter().zip(even.iter_mut()).zip(odd) {
                    [*even, *odd] = *pair;
                }
                if let [last] = last {
                    even[self.plane_width - 1] = *last;
                }
            }
        }
    }

    /// Copies the results off the grid.
    #[inline(always)]
    fn gather(&self, scratch: &Scratch, output: &mut [f32], winners: &mut [u8]) {
        let width = self.geometry.pooled_width();
        let pooled = self.geometry.pooled();
        let outputs = output.chunks_exact_mut(pooled).zip(winners.chunks_exact_mut(pooled));
        let values = scratch.values.chunks_exact(self.grid);
        let codes = scratch.winners.chunks_exact(self.grid);
        for (((output, winners), values), codes) in outputs.zip(values).zip(codes) {
            let rows = output.chunks_exact_mut(width).zip(winners.chunks_exact_mut(width));
            for (y, (output, winners)) in rows.enumerate() {
                let start = y * self.plane_width;
                output.copy_from_slice(&values[start..start + width]);
                for (winner, code) in winners.iter_mut().zip(&codes[start..start + width]) {
                    *winner = *code as u8;
                }
            }
        }
    }
}
