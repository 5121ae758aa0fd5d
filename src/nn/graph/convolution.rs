//! The convolution layer, with the `ReLU` after it.

use std::ops::Range;

use super::conv::{Convolve, Points, TAPS, WeightGrads, padded};
use super::map::{Map, SLACK, forth};
use super::rows::{self, Rows};
use super::spread::Spread;
use super::step::{Gradients, Images, Shared, Step};
use crate::nn::simd;

/// Rows of patches up to this length are gathered first: the kernels run over whole patches then.
const SHORT: usize = 16;

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

/// The points of the three kernels.
#[derive(Debug, Default)]
pub(super) struct Tables {
    forward: Points,
    weights: Points,
    input: Points,
    /// Corners of patches in the input.
    corners: Vec<u32>,
    /// The same points as rows for the kernels of a single vector, where these are made for them.
    forward_rows: Option<Rows>,
    weights_rows: Option<Rows>,
    input_rows: Option<Rows>,
}

impl Convolution {
    /// Whether patches of this kernel over this number of channels are gathered.
    pub(super) fn gathers(kernel: usize, channels: usize) -> bool {
        kernel > 1 && kernel * channels < SHORT
    }

    /// Scalars of the gathered patches of an image.
    pub(super) fn patches_len(output: &Map, kernel: usize, channels: usize) -> usize {
        output.height * output.width * kernel * kernel * channels
    }

    /// Works out the points once all else is set.
    pub(super) fn finish(mut self) -> Self {
        let patch = self.patch_len();
        let places = || {
            let (height, width) = (self.output.height, self.output.width);
            (0..height).flat_map(move |row| (0..width).map(move |column| (row, column)))
        };
        let (spread, apart) = (self.spread(), self.spread_stride());
        let mut points = Tables::default();
        for (index, (row, column)) in places().enumerate() {
            let frame = self.input.frame - self.padding;
            let corner =
                self.input.framed(row * self.stride + frame, column * self.stride + frame) as u32;
            points.corners.push(corner);
            let from = if self.patches.is_some() { (index * patch) as u32 } else { corner };
            points.forward.from.push(from);
            points.forward.to.push(self.output.pixel(row, column) as u32);
            points.weights.from.push(from);
            points.weights.to.push(spread.pixel(row * apart, column * apart) as u32);
        }
        if self.scatters() {
            // Column after column: patches of one below the other have nothing in common but rows that
            // are added to at another time.
            for place in (0..self.output.width).flat_map(|column| {
                (0..self.output.height).map(move |row| row * self.output.width + column)
            }) {
                points.input.from.push(points.weights.to[place]);
                points.input.to.push(points.corners[place]);
            }
        } else {
            for row in 0..self.input.height {
                for column in 0..self.input.width {
                    points.input.from.push(spread.framed(row, column) as u32);
                    points.input.to.push(self.input.pixel(row, column) as u32);
                }
            }
        }
        self.points = points;
        self.find_rows();
        self
    }

    fn find_rows(&mut self) {
        if self.kernel != rows::SIDE || self.stride != 1 || self.patches.is_some() {
            return;
        }
        let (lanes, spread) = (simd::lanes(), self.spread());
        let frame = self.input.frame - self.padding;
        let forward = Rows {
            height: self.output.height,
            width: self.output.width,
            from: self.input.framed(frame, frame),
            from_step: self.input.row_step(),
            inputs: self.input.channels,
            to: self.output.pixel(0, 0),
            to_step: self.output.row_step(),
            outputs: self.output.channels,
        };
        let weights = Rows { to: spread.pixel(0, 0), to_step: spread.row_step(), ..forward };
        let input = Rows {
            height: self.input.height,
            width: self.input.width,
            from: 0,
            from_step: spread.row_step(),
            inputs: self.output.channels,
            to: self.input.pixel(0, 0),
            to_step: self.input.row_step(),
            outputs: self.input.channels,
        };
        // Gradients of points that are computed twice must not be added twice.
        let is_written = self.input_grad == Some(false) && !self.scatters();
        self.points.forward_rows = forward.fit_convolve(lanes).then_some(forward);
        self.points.weights_rows = weights.fit_weight_grads(lanes).then_some(weights);
        self.points.input_rows =
            Some(input).filter(|input| is_written && input.fit_convolve(lanes));
    }

    /// Scalars of a patch.
    fn patch_len(&self) -> usize {
        self.kernel * self.kernel * self.input.channels
    }

    /// Rows of a patch as the kernels see it, scalars from one to the next, and scalars of each.
    fn patch_rows(&self) -> (usize, usize, usize) {
        if self.patches.is_some() {
            (1, 0, self.patch_len())
        } else {
            (self.kernel, self.input.row_step(), self.kernel * self.input.channels)
        }
    }

    /// Whether each gradient of an output is added to those of its patch, where that takes fewer
    /// operations than to gather for each input what it has a part in: a row of a patch may fill vectors
    /// that the input's channels leave half empty, and there are no zeros around the outputs.
    fn scatters(&self) -> bool {
        let lanes = simd::lanes();
        let outputs = self.output.height * self.output.width;
        let scattered = outputs * self.kernel * padded(self.kernel * self.input.channels, lanes);
        let inputs = self.input.height * self.input.width;
        let gathered = inputs * self.kernel.pow(2) * padded(self.input.channels, lanes);
        self.input_grad.is_some() && 4 * scattered < 3 * gathered
    }

    /// Where the gradients of the outputs go before they are used: if that of the input is gathered, as
    /// far apart as the stride and with a frame that every patch of the turned kernel fits into.
    fn spread(&self) -> Map {
        if self.input_grad.is_none() || self.scatters() {
            return Map { start: 0, frame: 0, ..self.output };
        }
        let side = |side: usize| side + 2 * self.padding + 1 - self.kernel;
        Map {
            start: 0,
            channels: self.output.channels,
            height: side(self.input.height),
            width: side(self.input.width),
            frame: self.kernel - 1 - self.padding,
        }
    }

    /// Pixels from one output's gradient to the next in [`Self::spread`].
    fn spread_stride(&self) -> usize {
        if self.input_grad.is_some() && !self.scatters() { self.stride } else { 1 }
    }

    fn lens(&self) -> (usize, usize, usize) {
        let lanes = simd::lanes();
        let forward = padded(self.output.channels, lanes) * self.patch_len();
        let bias = padded(self.output.channels, lanes) + SLACK;
        // With zeros after them in place of biases.
        let channels = if self.scatters() { self.patch_row() } else { self.input.channels };
        let turned = self.turned_len() + padded(channels, lanes) + SLACK;
        (forward, bias, if self.input_grad.is_some() { turned } else { 0 })
    }

    /// Scalars of a row of a patch.
    fn patch_row(&self) -> usize {
        self.kernel * self.input.channels
    }

    /// Scalars of the weights as the kernel of the input's gradient reads them.
    fn turned_len(&self) -> usize {
        let lanes = simd::lanes();
        let taps = if self.scatters() {
            self.kernel * padded(self.patch_row(), lanes)
        } else {
            self.kernel.pow(2) * padded(self.input.channels, lanes)
        };
        taps * self.output.channels
    }

    /// Scalars of the packed parameters.
    pub(super) fn packed_len(&self) -> usize {
        let (forward, bias, turned) = self.lens();
        forward + bias + turned
    }

    /// Scalars of the weights' gradients as the kernel lays them out.
    fn weight_sums_len(&self) -> usize {
        let (rows, _, taps) = self.patch_rows();
        padded(self.output.channels, simd::lanes()) * rows * taps.next_multiple_of(TAPS)
    }

    /// Scalars of the sums of the gradients.
    pub(super) fn sums_len(&self) -> usize {
        self.weight_sums_len() + self.bias.as_ref().map_or(0, Range::len)
    }

    /// Scalars of [`Self::spread`] and of a row of sums.
    pub(super) fn scratch_len(&self) -> usize {
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
