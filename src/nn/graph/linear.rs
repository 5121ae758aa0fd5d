//! The fully connected layer. A few images share each visit to the weights, which stay in
//! `PyTorch`'s order, `[outputs, inputs]`, as do their gradients.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::map::Map;
use super::step::{Gradients, Images, Shared, Step};
use crate::nn::simd::{self, fma, load, store};

#[derive(Debug)]
pub(super) struct Linear {
    pub(super) input: Map,
    pub(super) output: Map,
    /// Places among the trained parameters.
    pub(super) weight: Range<usize>,
    pub(super) bias: Option<Range<usize>>,
    /// As [`super::convolution::Convolution::input_grad`].
    pub(super) input_grad: Option<bool>,
    /// Where the sums of the gradients begin, of the weights and then of the biases.
    pub(super) sums: usize,
}

impl Linear {
    /// Scalars of the sums of the gradients.
    pub(super) fn sums_len(&self) -> usize {
        self.weight.len() + self.bias.as_ref().map_or(0, Range::len)
    }
}

impl Step for Linear {
    fn forward(&self, shared: &Shared, images: &mut Images) {
        let weights = &shared.trained[self.weight.clone()];
        let bias = self.bias.clone().map(|bias| &shared.trained[bias]);
        simd::run(Forward { layer: self, weights, bias, values: images.values, step: images.step });
    }

    fn backward(&self, shared: &Shared, images: &mut Images, sums: &mut Gradients) {
        let Images { values, grads, step, .. } = images;
        let first = sums.first;
        let (weight_sums, bias_sums) = sums.sums[self.sums()].split_at_mut(self.weight.len());
        if first {
            bias_sums.fill(0.0);
        }
        for grads in grads.chunks_exact(*step) {
            for (sum, grad) in bias_sums.iter_mut().zip(&grads[self.output.start..]) {
                *sum += grad;
            }
        }
        simd::run(WeightGrads {
            layer: self,
            values,
            grads,
            step: *step,
            sums: weight_sums,
            first,
        });
        if let Some(accumulate) = self.input_grad {
            let weights = &shared.trained[self.weight.clone()];
            simd::run(InputGrads { layer: self, weights, grads, step: *step, accumulate });
        }
    }

    fn sums(&self) -> Range<usize> {
        self.sums..self.sums + self.sums_len()
    }

    fn plain(&self) -> Option<Range<usize>> {
        // A plan's biases come right after their weights.
        Some(self.weight.start..self.bias.as_ref().map_or(self.weight.end, |bias| bias.end))
    }
}

struct Forward<'a> {
    layer: &'a Linear,
    weights: &'a [f32],
    bias: Option<&'a [f32]>,
    values: &'a mut [f32],
    step: usize,
}

impl WithSimd for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let count = self.values.len() / self.step;
        let outputs = self.layer.output.len();
        let mut image = 0;
        while image < count {
            let several = count - image >= 4;
            let mut output = 0;
            while output < outputs {
                match (several, outputs - output >= 4) {
                    (true, true) => self.block::<S, 4, 4>(simd, image, output),
                    (true, false) => self.block::<S, 4, 1>(simd, image, output),
                    (false, true) => self.block::<S, 1, 4>(simd, image, output),
                    (false, false) => self.block::<S, 1, 1>(simd, image, output),
                }
                output += if outputs - output >= 4 { 4 } else { 1 };
            }
            image += if several { 4 } else { 1 };
        }
    }
}

impl Forward<'_> {
    /// `R` outputs of `G` images.
    #[inline(always)]
    fn block<S: Simd, const G: usize, const R: usize>(
        &mut self,
        simd: S,
        image: usize,
        output: usize,
    ) {
        let inputs = self.layer.input.len();
        let lanes = S::F32_LANES;
        let mut rows = [&self.values[..0]; G];
        for (place, row) in rows.iter_mut().enumerate() {
            *row = &self.values[(image + place) * self.step + self.layer.input.start..][..inputs];
        }
        let mut weights = [&self.weights[..0]; R];
        for (place, row) in weights.iter_mut().enumerate() {
            *row = &self.weights[(output + place) * inputs..][..inputs];
        }
        let mut sums = [[simd.splat_f32s(0.0); R]; G];
        let whole = inputs / lanes * lanes;
        for at in (0..whole).step_by(lanes) {
            let mut factors = [simd.splat_f32s(0.0); R];
            for (factor, weights) in factors.iter_mut().zip(&weights) {
                *factor = load::<S>(weights, at);
            }
            for (sums, row) in sums.iter_mut().zip(&rows) {
                let value = load::<S>(row, at);
                for (sum, &factor) in sums.iter_mut().zip(&factors) {
                    *sum = fma(simd, value, factor, *sum);
                }
            }
        }
        if whole < inputs {
            for (sums, row) in sums.iter_mut().zip(&rows) {
                let value = simd.partial_load_f32s(&row[whole..]);
                for (sum, weights) in sums.iter_mut().zip(&weights) {
                    let factor = simd.partial_load_f32s(&weights[whole..]);
                    *sum = fma(simd, value, factor, *sum);
                }
            }
        }
        for (place, sums) in sums.into_iter().enumerate() {
            let start = (image + place) * self.step + self.layer.output.start + output;
            for (row, sum) in sums.into_iter().enumerate() {
                let bias = self.bias.map_or(0.0, |bias| bias[output + row]);
                self.values[start + row] = simd.reduce_sum_f32s(sum) + bias;
            }
        }
    }
}

/// `input_grads = grads · weights`, or added to what is there.
struct InputGrads<'a> {
    layer: &'a Linear,
    weights: &'a [f32],
    grads: &'a mut [f32],
    step: usize,
    accumulate: bool,
}

impl WithSimd for InputGrads<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let count = self.grads.len() / self.step;
        let mut image = 0;
        while image < count {
            if count - image >= 4 {
                self.images::<S, 4>(simd, image);
                image += 4;
            } else {
                self.images::<S, 1>(simd, image);
                image += 1;
            }
        }
    }
}

impl InputGrads<'_> {
    #[inline(always)]
    fn images<S: Simd, const G: usize>(&mut self, simd: S, image: usize) {
        let inputs = self.layer.input.len();
        let lanes = S::F32_LANES;
        let mut at = 0;
        while at < inputs {
            if inputs - at >= 2 * lanes {
                self.block::<S, G, 2>(simd, image, at, 2 * lanes);
                at += 2 * lanes;
            } else {
                let width = (inputs - at).min(lanes);
                self.block::<S, G, 1>(simd, image, at, width);
                at += width;
            }
        }
    }

    /// `width` inputs from `at` of `G` images, in `V` vectors.
    #[inline(always)]
    fn block<S: Simd, const G: usize, const V: usize>(
        &mut self,
        simd: S,
        image: usize,
        at: usize,
        width: usize,
    ) {
        let (inputs, lanes) = (self.layer.input.len(), S::F32_LANES);
        let mut sums = [[simd.splat_f32s(0.0); V]; G];
        for (output, weights) in self.weights.chunks_exact(inputs).enumerate() {
            let weights = &weights[at..][..width];
            let mut factors = [simd.splat_f32s(0.0); V];
            for (factor, weights) in factors.iter_mut().zip(weights.chunks(lanes)) {
                *factor = vector(simd, weights);
            }
            for (place, sums) in sums.iter_mut().enumerate() {
                let from = (image + place) * self.step + self.layer.output.start + output;
                let grad = simd.splat_f32s(self.grads[from]);
                for (sum, &factor) in sums.iter_mut().zip(&factors) {
                    *sum = fma(simd, grad, factor, *sum);
                }
            }
        }
        for (place, sums) in sums.into_iter().enumerate() {
            let to = (image + place) * self.step + self.layer.input.start + at;
            let target = &mut self.grads[to..][..width];
            for (sum, target) in sums.into_iter().zip(target.chunks_mut(lanes)) {
                let before =
                    if self.accumulate { vector(simd, target) } else { simd.splat_f32s(0.0) };
                simd.partial_store_f32s(target, simd.add_f32s(before, sum));
            }
        }
    }
}

/// Adds `gradsᵀ · values` of the images, or writes it.
struct WeightGrads<'a> {
    layer: &'a Linear,
    values: &'a [f32],
    grads: &'a [f32],
    step: usize,
    sums: &'a mut [f32],
    /// Whether these are the first images, whose gradients replace what is there.
    first: bool,
}

impl WithSimd for WeightGrads<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let (inputs, lanes) = (self.layer.input.len(), S::F32_LANES);
        // Values of all images stay in the fastest cache while the outputs go by.
        let mut at = 0;
        while at < inputs {
            let rest = inputs - at;
            at += if rest >= 4 * lanes && lanes == 16 {
                self.columns::<S, 4>(simd, at, 4 * lanes)
            } else if rest >= 2 * lanes {
                self.columns::<S, 2>(simd, at, 2 * lanes)
            } else {
                self.columns::<S, 1>(simd, at, rest.min(lanes))
            };
        }
    }
}

impl WeightGrads<'_> {
    /// The weights of `width` inputs in `V` vectors; gives their number.
    #[inline(always)]
    fn columns<S: Simd, const V: usize>(&mut self, simd: S, at: usize, width: usize) -> usize {
        let outputs = self.layer.output.len();
        let mut output = 0;
        while output < outputs {
            if outputs - output >= 4 {
                self.block::<S, 4, V>(simd, output, at, width);
                output += 4;
            } else {
                self.block::<S, 1, V>(simd, output, at, width);
                output += 1;
            }
        }
        width
    }

    #[inline(always)]
    fn block<S: Simd, const R: usize, const V: usize>(
        &mut self,
        simd: S,
        output: usize,
        at: usize,
        width: usize,
    ) {
        let (inputs, lanes) = (self.layer.input.len(), S::F32_LANES);
        let mut totals = [[simd.splat_f32s(0.0); V]; R];
        for (row, totals) in totals.iter_mut().enumerate() {
            let sums = &self.sums[(output + row) * inputs + at..][..width];
            for (total, sums) in totals.iter_mut().zip(sums.chunks(lanes)) {
                if !self.first {
                    *total = vector(simd, sums);
                }
            }
        }
        for (values, grads) in
            self.values.chunks_exact(self.step).zip(self.grads.chunks_exact(self.step))
        {
            let values = &values[self.layer.input.start + at..][..width];
            let grads = &grads[self.layer.output.start + output..][..R];
            let mut factors = [simd.splat_f32s(0.0); V];
            for (factor, values) in factors.iter_mut().zip(values.chunks(lanes)) {
                *factor = vector(simd, values);
            }
            for (totals, &grad) in totals.iter_mut().zip(grads) {
                let grad = simd.splat_f32s(grad);
                for (total, &factor) in totals.iter_mut().zip(&factors) {
                    *total = fma(simd, grad, factor, *total);
                }
            }
        }
        for (row, totals) in totals.into_iter().enumerate() {
            let sums = &mut self.sums[(output + row) * inputs + at..][..width];
            for (total, sums) in totals.into_iter().zip(sums.chunks_mut(lanes)) {
                if sums.len() == lanes {
                    store::<S>(sums, 0, total);
                } else {
                    simd.partial_store_f32s(sums, total);
                }
            }
        }
    }
}

/// Up to a vector of values, the rest zeros.
#[inline(always)]
fn vector<S: Simd>(simd: S, values: &[f32]) -> S::f32s {
    if values.len() == S::F32_LANES { load::<S>(values, 0) } else { simd.partial_load_f32s(values) }
}
