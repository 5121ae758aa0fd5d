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
#[derive(Clone, Debug, Default)]
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
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Moments {
    count: f64,
    mean: Vec<f64>,
    squares: Vec<f64>,
}

impl Moments {
    /// Takes in those of other values (Chan et al., Updating Formulae, 1979).
    pub(super) fn merge(&mut self, other: &Self) {
        if self.count == 0.0 {
            self.clone_from(other);
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
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct GradSums {
    grads: Vec<f64>,
    products: Vec<f64>,
}

impl GradSums {
    pub(super) fn merge(&mut self, other: &Self) {
        if self.grads.is_empty() {
            self.clone_from(other);
            return;
        }
        for (sum, value) in self.grads.iter_mut().zip(&other.grads) {
            *sum += value;
        }
        for (sum, value) in self.products.iter_mut().zip(&other.products) {
            *sum += value;
        }
    }
}

impl BatchNorm {
    fn channels(&self) -> usize {
        self.input.channels
    }

    fn pixels(&self) -> usize {
        self.input.height * self.input.width
    }

    /// One value a channel, repeated for every pixel of a row.
    fn row(&self, value: impl Fn(usize) -> f64) -> Vec<f32> {
        let row = |_| (0..self.channels()).map(|channel| value(channel) as f32);
        (0..self.input.width).flat_map(row).collect()
    }

    /// The sums over the pixels of a row for each channel.
    fn fold(&self, row: &[f32], sums: &mut [f64]) {
        for pixel in row.chunks_exact(self.channels()) {
            for (sum, &value) in sums.iter_mut().zip(pixel) {
                *sum += f64::from(value);
            }
        }
    }

    /// What normalises the given means and variances.
    fn coefficients(
        &self,
        trained: &[f32],
        mean: impl Fn(usize) -> f64,
        variance: impl Fn(usize) -> f64,
    ) -> Coefficients {
        let scale = &trained[self.scale.clone()];
        let shift = &trained[self.shift.clone()];
        let inverse = |channel: usize| 1.0 / (variance(channel) + EPSILON).sqrt();
        let factor = |channel: usize| f64::from(scale[channel]) * inverse(channel);
        Coefficients {
            mean: self.row(&mean),
            inverse: self.row(inverse),
            factor: self.row(factor),
            offset: self.row(|channel| f64::from(shift[channel]) - mean(channel) * factor(channel)),
            ..Coefficients::default()
        }
    }

    /// What normalises the running statistics.
    pub(super) fn running(&self, trained: &[f32], running: &[f32]) -> Coefficients {
        let (mean, variance) = (&running[self.mean.clone()], &running[self.variance.clone()]);
        self.coefficients(
            trained,
            |channel| f64::from(mean[channel]),
            |channel| f64::from(variance[channel]),
        )
    }

    /// What normalises a batch of these moments, which are taken into the running statistics.
    pub(super) fn batch(
        &self,
        trained: &[f32],
        moments: &Moments,
        running: &mut [f32],
    ) -> Coefficients {
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
        self.coefficients(
            trained,
            |channel| moments.mean[channel],
            |channel| moments.squares[channel] / count,
        )
    }

    /// The moments of the inputs of some images, in their order.
    pub(super) fn moments(&self, images: &mut Images) -> Moments {
        let mut moments = Moments::default();
        let mut row = vec![0.0; self.input.row_len()];
        let count = self.pixels() as f64;
        for values in images.each_values() {
            let values = &values[self.input.start..];
            row.fill(0.0);
            simd::run(RowSums { map: &self.input, values, totals: &mut row });
            let mut mean = vec![0.0; self.channels()];
            self.fold(&row, &mut mean);
            for mean in &mut mean {
                *mean /= count;
            }
            let means = self.row(|channel| mean[channel]);
            row.fill(0.0);
            simd::run(RowSquares { map: &self.input, values, means: &means, totals: &mut row });
            let mut squares = vec![0.0; self.channels()];
            self.fold(&row, &mut squares);
            moments.merge(&Moments { count, mean, squares });
        }
        moments
    }

    /// The sums of the output's gradients of some images, in their order.
    pub(super) fn grad_sums(&self, images: &mut Images, norms: &Coefficients) -> GradSums {
        let len = self.input.row_len();
        let mut rows = vec![0.0; 2 * len];
        let mut sums =
            GradSums { grads: vec![0.0; self.channels()], products: vec![0.0; self.channels()] };
        for (values, grads) in images.each() {
            rows.fill(0.0);
            let (row_grads, row_products) = rows.split_at_mut(len);
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
        sums
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
            (norms.slope, norms.constant) = (self.row(|_| 0.0), self.row(|_| 0.0));
            return;
        };
        let count = (images * self.pixels()) as f64;
        let at = |row: &[f32], channel: usize| f64::from(row[channel]);
        let slope = |channel: usize| {
            let factor = at(&norms.factor, channel) * at(&norms.inverse, channel);
            -factor * sums.products[channel] / count
        };
        let constant = |channel: usize| {
            let factor = at(&norms.factor, channel);
            -factor * sums.grads[channel] / count - slope(channel) * at(&norms.mean, channel)
        };
        let (slope, constant) = (self.row(slope), self.row(constant));
        (norms.slope, norms.constant) = (slope, constant);
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
