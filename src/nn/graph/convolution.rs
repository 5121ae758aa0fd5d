//! The convolution layer, with the `ReLU` after it.

mod geometry;
mod packing;

use std::ops::Range;

use self::geometry::SHORT;
pub(super) use self::geometry::Tables;
use super::conv::{Convolve, Points, WeightGrads, padded};
use super::map::{Map, SLACK, forth};
use super::rows::{self, Rows};
use super::spread::Spread;
use super::step::{Gradients, Images, Shared, Step};
use crate::nn::simd;

/// A convolution's geometry and the places of its arrays.
#[derive(Debug)]
pub(super) struct Convolution {
    pub(super) input: Map,
    pub(super) output: Map,
    pub(super) kernel: usize,
    pub(super) stride: usize,
    pub(super) padding: usize,
    pub(super) relu: bool,
    /// Places among the trained parameters.
    pub(super) weight: Range<usize>,
    pub(super) bias: Option<Range<usize>>,
    /// Whether the gradient of the input is wanted, and whether it is added to what is there.
    pub(super) input_grad: Option<bool>,
    /// Where the patches begin among an image's values, if they are gathered.
    pub(super) patches: Option<usize>,
    /// Where the packed weights, biases and turned weights begin.
    pub(super) packed: usize,
    /// Where the sums of the gradients begin: of the weights as the kernel lays them out, then of the
    /// biases.
    pub(super) sums: usize,
    /// Where the gradients of the outputs go before they are used.
    pub(super) scratch: usize,
    pub(super) points: Tables,
}

impl Convolution {
    fn gather(&self, values: &mut [f32]) {
        let Some(start) = self.patches else { return };
        let (head, patches) = values.split_at_mut(start);
        let input = &head[self.input.start..];
        let len = self.kernel * self.input.channels;
        let mut at = 0;
        for &corner in &self.points.corners {
            for row in 0..self.kernel {
                let from = corner as usize + row * self.input.row_step();
                // As many as a row has at most, which takes two instructions: those past its end are
                // overwritten by the next row.
                let pixels: &[f32; SHORT] =
                    input[from..].first_chunk().expect("values have slack after them");
                patches[at..][..SHORT].copy_from_slice(pixels);
                at += len;
            }
        }
    }
}

impl Step for Convolution {
    fn pack(&self, trained: &[f32], packed: &mut [f32], with_gradients: bool) {
        self.pack_parameters(trained, packed, with_gradients);
    }

    fn forward(&self, shared: &Shared, images: &mut Images) {
        let (forward, bias, _) = self.lens();
        let packed = &shared.packed[self.packed..];
        let (rows, row_step, taps) = self.patch_rows();
        for values in images.each_values() {
            self.gather(values);
            let input = Map { start: self.patches.unwrap_or(self.input.start), ..self.input };
            let (input, output) = forth(values, &input, &self.output);
            if let Some(rows) = self.points.forward_rows {
                simd::run(rows::Convolve {
                    rows,
                    input,
                    weights: &packed[..forward],
                    bias: &packed[forward..][..bias],
                    output,
                    relu: self.relu,
                    overhangs: self.output.frame == 0,
                });
                continue;
            }
            simd::run(Convolve {
                input,
                weights: &packed[..forward],
                bias: &packed[forward..][..bias],
                output,
                points: &self.points.forward,
                rows,
                row_step,
                taps,
                channels: self.output.channels,
                relu: self.relu,
                accumulate: false,
                overhangs: self.output.frame == 0,
            });
        }
    }

    fn backward(&self, shared: &Shared, images: &mut Images, sums: &mut Gradients) {
        let (forward, bias, _) = self.lens();
        let packed = &shared.packed[self.packed..];
        let (rows, row_step, taps) = self.patch_rows();
        let spread = self.spread();
        let scratch = &mut sums.scratch[self.scratch..][..self.scratch_len()];
        // What lies between the gradients and around them is zero from the start.
        let (spread_grads, bias_rows) = scratch.split_at_mut(spread.len() + 2 * SLACK);
        bias_rows.fill(0.0);
        let (weight_sums, bias_sums) = sums.sums[self.sums()].split_at_mut(self.weight_sums_len());
        for (place, (values, grads)) in images.each().enumerate() {
            simd::run(Spread {
                map: &self.output,
                values: self.relu.then_some(&values[self.output.start..]),
                grads: &grads[self.output.start..],
                target: &spread,
                stride: self.spread_stride(),
                output: spread_grads,
                totals: bias_rows,
            });
            let input = &values[self.patches.unwrap_or(self.input.start)..];
            let first = sums.first && place == 0;
            if let Some(rows) = self.points.weights_rows {
                let grads = &*spread_grads;
                simd::run(rows::WeightGrads { rows, input, grads, sums: weight_sums, first });
            } else {
                simd::run(WeightGrads {
                    input,
                    grads: spread_grads,
                    sums: weight_sums,
                    first,
                    points: &self.points.weights,
                    rows,
                    row_step,
                    taps,
                    channels: self.output.channels,
                });
            }
            let Some(accumulate) = self.input_grad else { continue };
            let (turned, zeros) = packed[forward + bias..].split_at(self.turned_len());
            let output = &mut grads[self.input.start..];
            if self.scatters() {
                if !accumulate {
                    output[..self.input.len()].fill(0.0);
                }
                let len = self.turned_len() / self.kernel;
                for (row, weights) in turned.chunks_exact(len).enumerate() {
                    simd::run(Convolve {
                        input: spread_grads,
                        weights,
                        bias: zeros,
                        output: &mut output[row * self.input.row_step()..],
                        points: &self.points.input,
                        rows: 1,
                        row_step: 0,
                        taps: self.output.channels,
                        // What is past the row's end gets zeros added.
                        channels: padded(self.patch_row(), simd::lanes()),
                        relu: false,
                        accumulate: true,
                        overhangs: false,
                    });
                }
            } else if let Some(rows) = self.points.input_rows {
                simd::run(rows::Convolve {
                    rows,
                    input: spread_grads,
                    weights: turned,
                    bias: zeros,
                    output,
                    relu: false,
                    overhangs: self.input.frame == 0,
                });
            } else {
                simd::run(Convolve {
                    input: spread_grads,
                    weights: turned,
                    bias: zeros,
                    output,
                    points: &self.points.input,
                    rows: self.kernel,
                    row_step: spread.row_step(),
                    taps: self.kernel * self.output.channels,
                    channels: self.input.channels,
                    relu: false,
                    accumulate,
                    overhangs: self.input.frame == 0,
                });
            }
        }
        if sums.first {
            bias_sums.fill(0.0);
        }
        for pixel in bias_rows.chunks_exact(self.output.channels) {
            for (sum, value) in bias_sums.iter_mut().zip(pixel) {
                *sum += value;
            }
        }
    }

    fn sums(&self) -> Range<usize> {
        self.sums..self.sums + self.sums_len()
    }

    fn unpack(&self, sums: &[f32], grads: &mut [f32]) {
        self.unpack_gradients(sums, grads);
    }
}
