//! A convolution that begins with an image of one channel, with the `ReLU` after it.
//!
//! The rows of its patches are too short for the kernels of [`super::conv`]. Here patches lie side by
//! side in a row of the image, so that all their pixels are at constant distances, and where channels
//! leave half of a vector free it holds those of two neighbouring pixels: the second one's weights are
//! moved by a tap, with zeros in the gaps.

mod kernels;

use std::ops::Range;

use self::kernels::{Backward, Forward, Kernel, Sized};
use super::conv::padded;
use super::map::{Map, SLACK, forth};
use super::step::{Gradients, Images, Shared, Step};
use crate::nn::simd;

/// The layer's geometry and the places of its arrays.
#[derive(Debug)]
pub(super) struct Narrow {
    pub(super) input: Map,
    pub(super) output: Map,
    /// Rows and columns of the kernel: 3 or 5.
    pub(super) kernel: usize,
    pub(super) padding: usize,
    pub(super) relu: bool,
    /// Places among the trained parameters.
    pub(super) weight: Range<usize>,
    pub(super) bias: Option<Range<usize>>,
    /// Where the packed weights and then the biases begin.
    pub(super) packed: usize,
    /// Where the sums of their gradients begin, in the same layout.
    pub(super) sums: usize,
}

impl Narrow {
    /// Whether there are kernels for a convolution.
    pub(super) fn fits(input: &Map, kernel: usize, stride: usize, learns: bool) -> bool {
        input.channels == 1 && matches!(kernel, 3 | 5) && stride == 1 && !learns
    }

    /// Neighbouring pixels whose channels share a vector.
    fn group(&self) -> usize {
        let fits = 2 * self.output.channels <= simd::lanes() && self.output.width.is_multiple_of(2);
        if fits { 2 } else { 1 }
    }

    /// Taps of a row of a vector's patches.
    fn taps(&self) -> usize {
        self.kernel + self.group() - 1
    }

    fn weights_len(&self) -> usize {
        padded(self.output.channels, simd::lanes()) * self.kernel * self.taps()
    }

    /// Scalars of the packed weights and biases, and of their gradients' sums.
    pub(super) fn packed_len(&self) -> usize {
        self.weights_len() + padded(self.output.channels, simd::lanes())
    }

    /// Calls `place` with each weight's index in `PyTorch`'s layout and its index in the packed one,
    /// once for each pixel of a vector.
    fn each_weight(&self, mut place: impl FnMut(usize, usize)) {
        let (kernel, taps, lanes) = (self.kernel, self.taps(), simd::lanes());
        self.each_bias(|channel, lane| {
            let (block, lane) = (lane / lanes, lane % lanes);
            let pixel = (block * lanes + lane - channel) / self.output.channels;
            for row in 0..kernel {
                for column in 0..kernel {
                    let tap = (block * kernel + row) * taps + column + pixel;
                    place((channel * kernel + row) * kernel + column, tap * lanes + lane);
                }
            }
        });
    }

    /// Calls `place` with each channel and the index of its packed bias, once for each pixel of a vector.
    fn each_bias(&self, mut place: impl FnMut(usize, usize)) {
        for pixel in 0..self.group() {
            for channel in 0..self.output.channels {
                // Only channels of one vector are those of two pixels.
                place(channel, pixel * self.output.channels + channel);
            }
        }
    }

    /// Runs the kernel for this size.
    fn run(&self, kernel: impl Kernel) {
        match (self.kernel, self.group()) {
            (3, 1) => simd::run(Sized::<_, 3, 1, 3>(kernel)),
            (3, _) => simd::run(Sized::<_, 3, 2, 4>(kernel)),
            (_, 1) => simd::run(Sized::<_, 5, 1, 5>(kernel)),
            (_, _) => simd::run(Sized::<_, 5, 2, 6>(kernel)),
        }
    }

    /// Where the corner of the first patch lies in the input.
    fn corner(&self) -> usize {
        self.input.framed(self.input.frame - self.padding, self.input.frame - self.padding)
    }
}

impl Step for Narrow {
    fn pack(&self, trained: &[f32], packed: &mut [f32], _: bool) {
        let weights = &trained[self.weight.clone()];
        let biases = self.bias.clone().map(|bias| &trained[bias]);
        let packed = &mut packed[self.packed..][..self.packed_len()];
        let (packed_weights, packed_biases) = packed.split_at_mut(self.weights_len());
        self.each_weight(|from, to| packed_weights[to] = weights[from]);
        if let Some(biases) = biases {
            self.each_bias(|from, to| packed_biases[to] = biases[from]);
        }
    }

    fn forward(&self, shared: &Shared, images: &mut Images) {
        let packed = &shared.packed[self.packed..][..self.packed_len()];
        let (weights, biases) = packed.split_at(self.weights_len());
        for values in images.each_values() {
            let (input, output) = forth(values, &self.input, &self.output);
            let input = &input[self.corner()..];
            self.run(Forward { layer: self, input, weights, biases, output });
        }
    }

    fn backward(&self, _: &Shared, images: &mut Images, sums: &mut Gradients) {
        let own = &mut sums.sums[self.sums..][..self.packed_len()];
        let (weights, biases) = own.split_at_mut(self.weights_len());
        for (place, (values, grads)) in images.each().enumerate() {
            let len = self.output.len() + SLACK;
            self.run(Backward {
                layer: self,
                input: &values[self.input.start + self.corner()..],
                output: &values[self.output.start..][..len],
                grads: &grads[self.output.start..][..len],
                first: sums.first && place == 0,
                weights: &mut *weights,
                biases: &mut *biases,
            });
        }
    }

    fn sums(&self) -> Range<usize> {
        self.sums..self.sums + self.packed_len()
    }

    fn unpack(&self, sums: &[f32], grads: &mut [f32]) {
        let (weight_sums, bias_sums) = sums.split_at(self.weights_len());
        grads[self.weight.clone()].fill(0.0);
        self.each_weight(|to, from| grads[self.weight.start + to] += weight_sums[from]);
        if let Some(bias) = self.bias.clone() {
            grads[bias.clone()].fill(0.0);
            self.each_bias(|to, from| grads[bias.start + to] += bias_sums[from]);
        }
    }
}
