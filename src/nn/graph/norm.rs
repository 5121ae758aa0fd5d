//! Batch normalisation: the one layer that needs all images of a batch before it can continue.

mod kernels;

use std::ops::Range;

use self::kernels::{Backward, Forward, RowGrads, RowSquares, RowSums};
use super::map::{Map, back, forth};
use super::step::{Gradients, Images, Shared, Step};
use crate::nn::simd;

/// Keeps the divisor away from zero.
const EPSILON: f64 = 1e-5;
/// Share of a batch's statistics in the running ones.
const MOMENTUM: f64 = 0.1;

#[derive(Debug)]
pub(super) struct BatchNorm {
    pub(super) input: Map,
    pub(super) output: Map,
    /// Places among the trained parameters.
    pub(super) scale: Range<usize>,
    pub(super) shift: Range<usize>,
    /// Places among the running statistics.
    pub(super) mean: Range<usize>,
    pub(super) variance: Range<usize>,
    /// Which batch normalisation of the network it is.
    pub(super) index: usize,
    /// As [`super::convolution::Convolution::input_grad`].
    pub(super) input_grad: Option<bool>,
}

/// What a normalisation multiplies and adds, each repeated for every pixel of a row.
#[derive(Debug, Default)]
pub(super) struct Coefficients {
    mean: Vec<f32>,
    /// 1/√(variance + ε).
    inverse: Vec<f32>,
    /// Output = factor · input + offset.
    factor: Vec<f32>,
    offset: Vec<f32>,
    /// Gradient of the input = factor · gradient + slope · input + constant.
    slope: Vec<f32>,
    constant: Vec<f32>,
}

/// Count, mean and sum of squared deviations of each channel.
#[derive(Debug, Default)]
pub(super) struct Moments {
    count: f64,
    mean: Vec<f64>,
    squares: Vec<f64>,
}

impl Moments {
    /// Those of no values.
    pub(super) fn clear(&mut self, channels: usize) {
        self.count = 0.0;
        zeros(&mut self.mean, channels);
        zeros(&mut self.squares, channels);
    }

    /// Takes in those of other values (Chan et al., Updating Formulae, 1979).
    pub(super) fn merge(&mut self, other: &Self) {
        if self.count == 0.0 {
            self.count = other.count;
            self.mean.clone_from(&other.mean);
            self.squares.clone_from(&other.squares);
            return;
        }
        let count = self.count + other.count;
        for ((mean, squares), (other_mean, other_squares)) in
            self.mean.iter_mut().zip(&mut self.squares).zip(other.mean.iter().zip(&other.squares))
        {
            let delta = other_mean - *mean;
            *squares += other_squares + delta * delta * self.count * other.count / count;
            *mean += delta * other.count / count;
        }
        self.count = count;
    }
}

/// For each channel the sums of the output's gradients, and of those times the normalised input.
#[derive(Debug, Default)]
pub(super) struct GradSums {
    grads: Vec<f64>,
    products: Vec<f64>,
}

impl GradSums {
    /// Those of no gradients.
    pub(super) fn clear(&mut self, channels: usize) {
        zeros(&mut self.grads, channels);
        zeros(&mut self.products, channels);
    }

    pub(super) fn merge(&mut self, other: &Self) {
        for (sum, value) in self.grads.iter_mut().zip(&other.grads) {
            *sum += value;
        }
        for (sum, value) in self.products.iter_mut().zip(&other.products) {
            *sum += value;
        }
    }
}

/// What a part of a batch finds out for a normalisation, and the memory that it takes.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) moments: Moments,
    pub(super) grad_sums: GradSums,
    image: Moments,
    means: Vec<f32>,
    rows: [Vec<f32>; 2],
}

/// Fills `values` with `len` zeros.
fn zeros<T: Copy + Default>(values: &mut Vec<T>, len: usize) {
    values.clear();
    values.resize(len, T::default());
}

impl BatchNorm {
    pub(super) fn channels(&self) -> usize {
        self.input.channels
    }

    fn pixels(&self) -> usize {
        self.input.height * self.input.width
    }

    /// Repeats one value per channel for each pixel of a row.
    fn row(&self, row: &mut Vec<f32>, value: impl Fn(usize) -> f64) {
        row.clear();
        row.extend((0..self.channels()).map(|channel| value(channel) as f32));
        for _ in 1..self.input.width {
            row.extend_from_within(..self.channels());
        }
    }

    /// The sums over the pixels of a row for each channel.
    fn fold(&self, row: &[f32], sums: &mut [f64]) {
        for pixel in row.chunks_exact(self.channels()) {
            for (sum, &value) in sums.iter_mut().zip(pixel) {
                *sum += f64::from(value);
            }
        }
    }

    /// Sets what normalises the given means and variances.
    fn set(
        &self,
        norms: &mut Coefficients,
        trained: &[f32],
        mean: impl Fn(usize) -> f64,
        variance: impl Fn(usize) -> f64,
    ) {
        let scale = &trained[self.scale.clone()];
        let shift = &trained[self.shift.clone()];
        let inverse = |channel: usize| 1.0 / (variance(channel) + EPSILON).sqrt();
        let factor = |channel: usize| f64::from(scale[channel]) * inverse(channel);
        self.row(&mut norms.mean, &mean);
        self.row(&mut norms.inverse, inverse);
        self.row(&mut norms.factor, factor);
        let offset = |channel| f64::from(shift[channel]) - mean(channel) * factor(channel);
        self.row(&mut norms.offset, offset);
    }

    /// Sets what normalises the running statistics.
    pub(super) fn running(&self, norms: &mut Coefficients, trained: &[f32], running: &[f32]) {
        let (mean, variance) = (&running[self.mean.clone()], &running[self.variance.clone()]);
        self.set(
            norms,
            trained,
            |channel| f64::from(mean[channel]),
            |channel| f64::from(variance[channel]),
        );
    }

    /// Sets what normalises a batch of these moments, which are taken into the running statistics.
    pub(super) fn batch(
        &self,
        norms: &mut Coefficients,
        trained: &[f32],
        moments: &Moments,
        running: &mut [f32],
    ) {
        let count = moments.count;
        for (running, &mean) in running[self.mean.clone()].iter_mut().zip(&moments.mean) {
            *running = ((1.0 - MOMENTUM) * f64::from(*running) + MOMENTUM * mean) as f32;
        }
        for (running, &squares) in running[self.variance.clone()].iter_mut().zip(&moments.squares) {
            // Without bias, as in PyTorch; one value has none.
            if count < 2.0 {
                continue;
            }
            let variance = squares / (count - 1.0);
            *running = ((1.0 - MOMENTUM) * f64::from(*running) + MOMENTUM * variance) as f32;
        }
        self.set(
            norms,
            trained,
            |channel| moments.mean[channel],
            |channel| moments.squares[channel] / count,
        );
    }

    /// Finds the moments of the inputs of some images, in their order.
    pub(super) fn find_moments(&self, images: &mut Images, found: &mut Found) {
        let Found { moments, image, means, rows: [row, _], .. } = found;
        moments.clear(self.channels());
        let count = self.pixels() as f64;
        for values in images.each_values() {
            let values = &values[self.input.start..];
            image.clear(self.channels());
            image.count = count;
            zeros(row, self.input.row_len());
            simd::run(RowSums { map: &self.input, values, totals: row });
            self.fold(row, &mut image.mean);
            for mean in &mut image.mean {
                *mean /= count;
            }
            self.row(means, |channel| image.mean[channel]);
            row.fill(0.0);
            simd::run(RowSquares { map: &self.input, values, means, totals: row });
            self.fold(row, &mut image.squares);
            moments.merge(image);
        }
    }

    /// Finds the sums of the output's gradients of some images, in their order.
    pub(super) fn find_grad_sums(
        &self,
        images: &mut Images,
        norms: &Coefficients,
        found: &mut Found,
    ) {
        let Found { grad_sums: sums, rows: [row_grads, row_products], .. } = found;
        sums.clear(self.channels());
        for (values, grads) in images.each() {
            zeros(row_grads, self.input.row_len());
            zeros(row_products, self.input.row_len());
            simd::run(RowGrads {
                layer: self,
                values: &values[self.input.start..],
                grads: &grads[self.output.start..],
                norms,
                totals: [row_grads, row_products],
            });
            self.fold(row_grads, &mut sums.grads);
            self.fold(row_products, &mut sums.products);
        }
    }

    /// Prepares the backward pass over a batch of this many images, or over any that were normalised by
    /// running statistics; writes the gradients of scale and shift.
    pub(super) fn prepare(
        &self,
        norms: &mut Coefficients,
        sums: &GradSums,
        batch: Option<usize>,
        grads: &mut [f32],
    ) {
        for (grad, &sum) in grads[self.shift.clone()].iter_mut().zip(&sums.grads) {
            *grad = sum as f32;
        }
        for (grad, &sum) in grads[self.scale.clone()].iter_mut().zip(&sums.products) {
            *grad = sum as f32;
        }
        let Some(images) = batch else {
            // Constants have no part in the gradient.
            self.row(&mut norms.slope, |_| 0.0);
            self.row(&mut norms.constant, |_| 0.0);
            return;
        };
        let count = (images * self.pixels()) as f64;
        let Coefficients { mean, inverse, factor, slope, constant, .. } = norms;
        let at = |row: &[f32], channel: usize| f64::from(row[channel]);
        let share = |channel: usize| {
            let factor = at(factor, channel) * at(inverse, channel);
            -factor * sums.products[channel] / count
        };
        self.row(slope, share);
        self.row(constant, |channel| {
            let grad = at(factor, channel) * sums.grads[channel] / count;
            -grad - share(channel) * at(mean, channel)
        });
    }
}

impl Step for BatchNorm {
    fn forward(&self, shared: &Shared, images: &mut Images) {
        let norms = &shared.norms[self.index];
        for values in images.each_values() {
            let (input, output) = forth(values, &self.input, &self.output);
            simd::run(Forward { layer: self, input, output, norms });
        }
    }

    fn backward(&self, shared: &Shared, images: &mut Images, _: &mut Gradients) {
        let Some(accumulate) = self.input_grad else { return };
        let norms = &shared.norms[self.index];
        for (values, grads) in images.each() {
            let (grads, input_grads) = back(grads, &self.output, &self.input);
            let input = &values[self.input.start..];
            simd::run(Backward { layer: self, input, grads, input_grads, norms, accumulate });
        }
    }

    fn batch_norm(&self) -> Option<&BatchNorm> {
        Some(self)
    }
}

#[cfg(test)]
mod tests;
