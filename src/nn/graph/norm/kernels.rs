//! Gradients over the rows of maps and what normalises them, value by value.

use pulp::{Simd, WithSimd};

use super::{BatchNorm, Coefficients};
use crate::nn::graph::map::Map;

pub(super) struct RowSums<'a> {
    pub(super) map: &'a Map,
    pub(super) values: &'a [f32],
    pub(super) totals: &'a mut [f32],
}

impl WithSimd for RowSums<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for row in 0..self.map.height {
            let values = &self.values[self.map.pixel(row, 0)..][..self.totals.len()];
            for (total, value) in self.totals.iter_mut().zip(values) {
                *total += value;
            }
        }
    }
}

pub(super) struct RowSquares<'a> {
    pub(super) map: &'a Map,
    pub(super) values: &'a [f32],
    pub(super) means: &'a [f32],
    pub(super) totals: &'a mut [f32],
}

impl WithSimd for RowSquares<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for row in 0..self.map.height {
            let values = &self.values[self.map.pixel(row, 0)..][..self.totals.len()];
            for ((total, value), mean) in self.totals.iter_mut().zip(values).zip(self.means) {
                let deviation = value - mean;
                *total += deviation * deviation;
            }
        }
    }
}

pub(super) struct RowGrads<'a> {
    pub(super) layer: &'a BatchNorm,
    pub(super) values: &'a [f32],
    pub(super) grads: &'a [f32],
    pub(super) norms: &'a Coefficients,
    pub(super) totals: [&'a mut [f32]; 2],
}

impl WithSimd for RowGrads<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let BatchNorm { input, output, .. } = self.layer;
        let len = input.row_len();
        let [grad_totals, products] = self.totals;
        let (mean, inverse) = (&self.norms.mean[..len], &self.norms.inverse[..len]);
        let (grad_totals, products) = (&mut grad_totals[..len], &mut products[..len]);
        for row in 0..input.height {
            let values = &self.values[input.pixel(row, 0)..][..len];
            let grads = &self.grads[output.pixel(row, 0)..][..len];
            for at in 0..len {
                grad_totals[at] += grads[at];
                products[at] += grads[at] * ((values[at] - mean[at]) * inverse[at]);
            }
        }
    }
}

pub(super) struct Forward<'a> {
    pub(super) layer: &'a BatchNorm,
    pub(super) input: &'a [f32],
    pub(super) output: &'a mut [f32],
    pub(super) norms: &'a Coefficients,
}

impl WithSimd for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let BatchNorm { input, output, .. } = self.layer;
        let len = input.row_len();
        let (factor, offset) = (&self.norms.factor[..len], &self.norms.offset[..len]);
        for row in 0..input.height {
            let from = &self.input[input.pixel(row, 0)..][..len];
            let to = &mut self.output[output.pixel(row, 0)..][..len];
            for at in 0..len {
                to[at] = from[at] * factor[at] + offset[at];
            }
        }
    }
}

pub(super) struct Backward<'a> {
    pub(super) layer: &'a BatchNorm,
    pub(super) input: &'a [f32],
    pub(super) grads: &'a [f32],
    pub(super) input_grads: &'a mut [f32],
    pub(super) norms: &'a Coefficients,
    pub(super) accumulate: bool,
}

impl WithSimd for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let BatchNorm { input, output, .. } = self.layer;
        let len = input.row_len();
        let (factor, slope) = (&self.norms.factor[..len], &self.norms.slope[..len]);
        let constant = &self.norms.constant[..len];
        for row in 0..input.height {
            let values = &self.input[input.pixel(row, 0)..][..len];
            let grads = &self.grads[output.pixel(row, 0)..][..len];
            let to = &mut self.input_grads[input.pixel(row, 0)..][..len];
            for at in 0..len {
                let before = if self.accumulate { to[at] } else { 0.0 };
                to[at] = before + factor[at] * grads[at] + slope[at] * values[at] + constant[at];
            }
        }
    }
}
