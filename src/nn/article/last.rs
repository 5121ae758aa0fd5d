//! The linear layer, forward and backward.

use pulp::Simd;

use super::layout::{CLASSES, FEATURES, Weights};
use crate::nn::simd::{self, fma, load, store};

/// The logits of one image.
#[inline(always)]
pub(super) fn forward<S: Simd>(simd: S, weights: &Weights, features: &[f32], logits: &mut [f32]) {
    for (logit, (weight, bias)) in logits.iter_mut().zip(weights.linear.iter().zip(weights.biases3))
    {
        *logit = simd::dot(simd, features, weight) + bias;
    }
}

/// Adds to the gradient of the weights, `[CLASSES][FEATURES]`, and writes that of the features.
#[inline(always)]
pub(super) fn backward<S: Simd>(
    simd: S,
    weights: &Weights,
    features: &[f32; FEATURES],
    grads: &[f32; CLASSES],
    weight_grads: &mut [f32],
    feature_grads: &mut [f32; FEATURES],
) {
    let (weight_grads, _) = weight_grads.as_chunks_mut::<FEATURES>();
    for at in (0..FEATURES).step_by(S::F32_LANES) {
        let feature = load::<S>(features, at);
        let mut sum = simd.splat_f32s(0.0);
        for ((&grad, weight), weight_grad) in
            grads.iter().zip(weights.linear).zip(&mut *weight_grads)
        {
            let grad = simd.splat_f32s(grad);
            sum = fma(simd, grad, load::<S>(weight, at), sum);
            let total = fma(simd, grad, feature, load::<S>(weight_grad, at));
            store::<S>(weight_grad, at, total);
        }
        store::<S>(feature_grads, at, sum);
    }
}
