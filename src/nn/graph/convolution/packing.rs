//! The order of a convolution's parameters and of their gradients' sums.

use std::ops::Range;

use super::Convolution;
use crate::nn::graph::conv::{TAPS, padded};
use crate::nn::graph::map::SLACK;
use crate::nn::simd;

impl Convolution {
    pub(super) fn lens(&self) -> (usize, usize, usize) {
        let lanes = simd::lanes();
        let forward = padded(self.output.channels, lanes) * self.patch_len();
        let bias = padded(self.output.channels, lanes) + SLACK;
        // With zeros after them in place of biases.
        let channels = if self.scatters() { self.patch_row() } else { self.input.channels };
        let turned = self.turned_len() + padded(channels, lanes) + SLACK;
        (forward, bias, if self.input_grad.is_some() { turned } else { 0 })
    }

    /// Scalars of a row of a patch.
    pub(super) fn patch_row(&self) -> usize {
        self.kernel * self.input.channels
    }

    /// Scalars of the weights as the kernel of the input's gradient reads them.
    pub(super) fn turned_len(&self) -> usize {
        let lanes = simd::lanes();
        let taps = if self.scatters() {
            self.kernel * padded(self.patch_row(), lanes)
        } else {
            self.kernel.pow(2) * padded(self.input.channels, lanes)
        };
        taps * self.output.channels
    }

    /// Scalars of the packed parameters.
    pub(in crate::nn::graph) fn packed_len(&self) -> usize {
        let (forward, bias, turned) = self.lens();
        forward + bias + turned
    }

    /// Scalars of the weights' gradients as the kernel lays them out.
    pub(super) fn weight_sums_len(&self) -> usize {
        let (rows, _, taps) = self.patch_rows();
        padded(self.output.channels, simd::lanes()) * rows * taps.next_multiple_of(TAPS)
    }

    /// Scalars of the sums of the gradients.
    pub(in crate::nn::graph) fn sums_len(&self) -> usize {
        self.weight_sums_len() + self.bias.as_ref().map_or(0, Range::len)
    }

    /// Scalars of [`Self::spread`] and of a row of sums.
    pub(in crate::nn::graph) fn scratch_len(&self) -> usize {
        self.spread().len() + 2 * SLACK + self.output.row_len()
    }

    /// Calls `place` with each weight's place among those of `channels` outputs, `rows` × `taps` a patch,
    /// in blocks: `(output, tap of the patch, place)`.
    fn each_packed(
        channels: usize,
        rows: usize,
        taps: usize,
        padded_taps: usize,
        mut place: impl FnMut(usize, usize, usize),
    ) {
        let lanes = simd::lanes();
        let mut first = 0;
        while first < channels {
            let width = if channels - first > lanes { 2 * lanes } else { lanes };
            let start = first * rows * padded_taps;
            for row in 0..rows {
                for tap in 0..taps {
                    for channel in first..channels.min(first + width) {
                        let at = start + (row * padded_taps + tap) * width + channel - first;
                        place(channel, row * taps + tap, at);
                    }
                }
            }
            first += width;
        }
    }

    /// Where the weight of a tap lies in `PyTorch`'s order, `[outputs, channels, rows, columns]`.
    fn weight_place(&self, output: usize, tap: usize) -> usize {
        let channels = self.input.channels;
        let (pixel, channel) = (tap / channels, tap % channels);
        (output * channels + channel) * self.kernel.pow(2) + pixel
    }

    /// As [`super::Step::pack`].
    pub(super) fn pack_parameters(
        &self,
        trained: &[f32],
        packed: &mut [f32],
        with_gradients: bool,
    ) {
        let weights = &trained[self.weight.clone()];
        let (forward, bias_len, _) = self.lens();
        let packed = &mut packed[self.packed..][..self.packed_len()];
        let (rows, _, taps) = self.patch_rows();
        Self::each_packed(self.output.channels, rows, taps, taps, |output, tap, at| {
            packed[at] = weights[self.weight_place(output, tap)];
        });
        if let Some(bias) = &self.bias {
            packed[forward..][..bias.len()].copy_from_slice(&trained[bias.clone()]);
        }
        if with_gradients && self.input_grad.is_some() {
            let turned = &mut packed[forward + bias_len..];
            let (kernel, outputs) = (self.kernel, self.output.channels);
            if self.scatters() {
                let len = self.turned_len() / kernel;
                let row_len = self.patch_row();
                for (row, turned) in turned[..kernel * len].chunks_exact_mut(len).enumerate() {
                    Self::each_packed(row_len, 1, outputs, outputs, |tap, output, at| {
                        turned[at] = weights[self.weight_place(output, row * row_len + tap)];
                    });
                }
                return;
            }
            let taps = kernel * outputs;
            Self::each_packed(self.input.channels, kernel, taps, taps, |channel, tap, at| {
                let (pixel, output) = (tap / outputs, tap % outputs);
                let tap = (kernel * kernel - 1 - pixel) * self.input.channels + channel;
                turned[at] = weights[self.weight_place(output, tap)];
            });
        }
    }

    /// As [`super::Step::unpack`].
    pub(super) fn unpack_gradients(&self, sums: &[f32], grads: &mut [f32]) {
        let (packed, bias_sums) = sums.split_at(self.weight_sums_len());
        if let Some(bias) = &self.bias {
            grads[bias.clone()].copy_from_slice(bias_sums);
        }
        let weights = &mut grads[self.weight.clone()];
        let (rows, _, taps) = self.patch_rows();
        let padded_taps = taps.next_multiple_of(TAPS);
        Self::each_packed(self.output.channels, rows, taps, padded_taps, |output, tap, at| {
            weights[self.weight_place(output, tap)] = packed[at];
        });
    }
}
