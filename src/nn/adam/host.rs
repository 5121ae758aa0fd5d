//! A step of Adam in main memory.

use std::cell::{Cell, RefCell};

use candle_core::{CpuStorage, InplaceOp2, Layout, Result, bail};
use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::{BETA1, BETA2, EPSILON, Factors};
use crate::nn::host::elements;
use crate::nn::simd::{self, fma};

/// Moments smaller than this become zero. They are far too small to move a weight, and once they
/// decay below 1e-38 the processor computes with them many times slower.
const NEGLIGIBLE: f32 = 1e-30;

/// Values that one thread moves at a time. Each is moved on its own, so that it matters to the speed
/// alone.
const CHUNK: usize = 1 << 14;

/// One step of one variable in main memory, in one pass over its four arrays.
pub(super) struct Update<'a> {
    pub(super) factors: Factors,
    /// First and second moments; candle hands an operation only a shared reference to itself.
    pub(super) moments: RefCell<(&'a mut [f32], &'a mut [f32])>,
    /// Cleared where the gradient holds a value that is not finite.
    pub(super) finite: &'a Cell<bool>,
}

impl InplaceOp2 for Update<'_> {
    fn name(&self) -> &'static str {
        "adam"
    }

    fn cpu_fwd(
        &self,
        weights: &mut CpuStorage,
        weights_layout: &Layout,
        grad: &CpuStorage,
        grad_layout: &Layout,
    ) -> Result<()> {
        let (CpuStorage::F32(weights), Some((start, end))) =
            (weights, weights_layout.contiguous_offsets())
        else {
            bail!("Adam moves contiguous f32 variables");
        };
        let grad = elements::<f32>(grad, grad_layout)?;
        let (first, second) = &mut *self.moments.borrow_mut();
        let weights = &mut weights[start..end];
        let factors = self.factors;
        if weights.len() <= CHUNK {
            let finite = simd::run(Arrays { factors, weights, grad, first, second });
            self.finite.set(self.finite.get() && finite);
            return Ok(());
        }
        let weights = weights.par_chunks_mut(CHUNK).zip(grad.par_chunks(CHUNK));
        let moments = first.par_chunks_mut(CHUNK).zip(second.par_chunks_mut(CHUNK));
        let finite = weights
            .zip(moments)
            .map(|((weights, grad), (first, second))| {
                simd::run(Arrays { factors, weights, grad, first, second })
            })
            .reduce(|| true, |a, b| a && b);
        self.finite.set(self.finite.get() && finite);
        Ok(())
    }
}

struct Arrays<'a> {
    factors: Factors,
    weights: &'a mut [f32],
    grad: &'a [f32],
    first: &'a mut [f32],
    second: &'a mut [f32],
}

impl WithSimd for Arrays<'_> {
    /// Whether the gradient is finite.
    type Output = bool;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> bool {
        let constants = Constants::new(simd, self.factors);
        let (weights, weights_tail) = S::as_mut_simd_f32s(self.weights);
        let (grads, grads_tail) = S::as_simd_f32s(self.grad);
        let (firsts, firsts_tail) = S::as_mut_simd_f32s(self.first);
        let (seconds, seconds_tail) = S::as_mut_simd_f32s(self.second);
        let moments = firsts.iter_mut().zip(seconds);
        // Zero times anything finite is zero, and times everything else NaN, which stays in the sum.
        let zero = simd.splat_f32s(0.0);
        let mut zeros = zero;
        for ((weight, &grad), (first, second)) in weights.iter_mut().zip(grads).zip(moments) {
            zeros = fma(simd, zero, grad, zeros);
            [*weight, *first, *second] = constants.update(simd, [*weight, *first, *second], grad);
        }
        // The tail goes through one vector of its own: every scalar gets the same arithmetic.
        let tails = [&*weights_tail, &*firsts_tail, &*seconds_tail]
            .map(|tail| simd.partial_load_f32s(tail));
        let grad = simd.partial_load_f32s(grads_tail);
        zeros = fma(simd, zero, grad, zeros);
        let [weight, first, second] = constants.update(simd, tails, grad);
        simd.partial_store_f32s(weights_tail, weight);
        simd.partial_store_f32s(firsts_tail, first);
        simd.partial_store_f32s(seconds_tail, second);
        simd.reduce_sum_f32s(zeros) == 0.0
    }
}

/// What one step computes with, in every lane.
struct Constants<S: Simd> {
    keep_first: S::f32s,
    take_first: S::f32s,
    keep_second: S::f32s,
    take_second: S::f32s,
    inverse_root: S::f32s,
    epsilon: S::f32s,
    minus_rate: S::f32s,
    negligible: S::f32s,
}

impl<S: Simd> Constants<S> {
    #[inline(always)]
    fn new(simd: S, factors: Factors) -> Self {
        Self {
            keep_first: simd.splat_f32s(BETA1 as f32),
            take_first: simd.splat_f32s((1.0 - BETA1) as f32),
            keep_second: simd.splat_f32s(BETA2 as f32),
            take_second: simd.splat_f32s((1.0 - BETA2) as f32),
            inverse_root: simd.splat_f32s((1.0 / factors.root) as f32),
            epsilon: simd.splat_f32s(EPSILON as f32),
            minus_rate: simd.splat_f32s(-factors.rate as f32),
            negligible: simd.splat_f32s(NEGLIGIBLE),
        }
    }

    /// Weight, first and second moment after a step.
    #[inline(always)]
    fn update(
        &self,
        simd: S,
        [weight, first, second]: [S::f32s; 3],
        grad: S::f32s,
    ) -> [S::f32s; 3] {
        let square = simd.mul_f32s(grad, grad);
        let first = fma(simd, self.keep_first, first, simd.mul_f32s(self.take_first, grad));
        let second = fma(simd, self.keep_second, second, simd.mul_f32s(self.take_second, square));
        let (first, second) = (self.flush(simd, first), self.flush(simd, second));
        let divisor = fma(simd, simd.sqrt_f32s(second), self.inverse_root, self.epsilon);
        let weight = fma(simd, self.minus_rate, simd.div_f32s(first, divisor), weight);
        [weight, first, second]
    }

    #[inline(always)]
    fn flush(&self, simd: S, moment: S::f32s) -> S::f32s {
        let small = simd.less_than_f32s(simd.abs_f32s(moment), self.negligible);
        simd.select_f32s(small, simd.splat_f32s(0.0), moment)
    }
}
