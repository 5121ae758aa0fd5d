//! Gradients on their way back into a convolution.

use pulp::{Simd, WithSimd};

use super::map::Map;

/// Copies the gradients of a convolution's outputs to where its kernels read them, without those
/// that `ReLU` stopped, and adds each row to `totals`.
pub(super) struct Spread<'a> {
    pub(super) map: &'a Map,
    /// The outputs after `ReLU`, if that is part of the layer.
    pub(super) values: Option<&'a [f32]>,
    pub(super) grads: &'a [f32],
    pub(super) target: &'a Map,
    pub(super) stride: usize,
    pub(super) output: &'a mut [f32],
    pub(super) totals: &'a mut [f32],
}

impl WithSimd for Spread<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let len = self.map.row_len();
        for row in 0..self.map.height {
            let from = self.map.pixel(row, 0);
            let to = self.target.pixel(row * self.stride, 0);
            let grads = &self.grads[from..][..len];
            let values = self.values.map(|values| &values[from..][..len]);
            if self.stride == 1 {
                let output = &mut self.output[to..][..len];
                masked(simd, grads, values, output, self.totals);
                continue;
            }
            let channels = self.map.channels;
            for column in 0..self.map.width {
                let at = column * channels..(column + 1) * channels;
                let output = &mut self.output[to + column * self.stride * channels..][..channels];
                let values = values.map(|values| &values[at.clone()]);
                masked(simd, &grads[at.clone()], values, output, &mut self.totals[at]);
            }
        }
    }
}

/// `output = grads` where `values` are above zero, else 0; `totals += output`.
#[inline(always)]
fn masked<S: Simd>(
    simd: S,
    grads: &[f32],
    values: Option<&[f32]>,
    output: &mut [f32],
    totals: &mut [f32],
) {
    let (output, output_tail) = S::as_mut_simd_f32s(output);
    let (totals, totals_tail) = S::as_mut_simd_f32s(totals);
    let (grads, grads_tail) = S::as_simd_f32s(grads);
    let zero = simd.splat_f32s(0.0);
    let tail = simd.partial_load_f32s(grads_tail);
    let total = simd.partial_load_f32s(totals_tail);
    let pairs = output.iter_mut().zip(totals).zip(grads);
    if let Some(values) = values {
        let (values, values_tail) = S::as_simd_f32s(values);
        for (((output, total), &grad), &value) in pairs.zip(values) {
            *output = simd.select_f32s(simd.less_than_f32s(zero, value), grad, zero);
            *total = simd.add_f32s(*total, *output);
        }
        let value = simd.partial_load_f32s(values_tail);
        let tail = simd.select_f32s(simd.less_than_f32s(zero, value), tail, zero);
        simd.partial_store_f32s(output_tail, tail);
        simd.partial_store_f32s(totals_tail, simd.add_f32s(total, tail));
    } else {
        for ((output, total), &grad) in pairs {
            *output = grad;
            *total = simd.add_f32s(*total, grad);
        }
        simd.partial_store_f32s(output_tail, tail);
        simd.partial_store_f32s(totals_tail, simd.add_f32s(total, tail));
    }
}
