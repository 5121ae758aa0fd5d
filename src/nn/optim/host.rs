//! A step in main memory.

use std::cell::{Cell, RefCell};

use candle_core::{CpuStorage, InplaceOp2, Layout, Result, bail};
use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::{Rule, TINY};
use crate::nn::host::elements;
use crate::nn::simd::{self, dot, fma};

/// Values that one thread moves at a time. Each is moved on its own, so the size affects only speed.
const CHUNK: usize = 1 << 14;

/// One step of one variable in main memory, in one pass over all arrays.
pub(in crate::nn) struct Update<'a, R, const N: usize> {
    pub(in crate::nn) rule: R,
    /// Most that the norm of the gradient may be.
    pub(in crate::nn) clip_norm: Option<f64>,
    /// What is remembered; candle hands an operation only a shared reference to itself.
    pub(in crate::nn) slots: RefCell<[&'a mut [f32]; N]>,
    /// Cleared where the gradient holds a value that is not finite.
    pub(in crate::nn) finite: &'a Cell<bool>,
}

impl<R: Rule<N>, const N: usize> InplaceOp2 for Update<'_, R, N> {
    fn name(&self) -> &'static str {
        "optimiser step"
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
            bail!("an optimiser moves contiguous f32 variables");
        };
        let grad = elements::<f32>(grad, grad_layout)?;
        let weights = &mut weights[start..end];
        let slots = &mut *self.slots.borrow_mut();
        let (rule, scale) = (self.rule, self.clip_norm.and_then(|most| scale(grad, most)));
        if weights.len() <= CHUNK {
            let slots = slots.each_mut().map(|slot| &mut **slot);
            self.finite.set(simd::run(Arrays { rule, scale, weights, grad, slots }));
            return Ok(());
        }
        let mut rests = slots.each_mut().map(|slot| slot.chunks_mut(CHUNK));
        let parts: Vec<_> = weights
            .chunks_mut(CHUNK)
            .zip(grad.chunks(CHUNK))
            .map(|(weights, grad)| {
                let slots = rests.each_mut().map(|rest| rest.next().unwrap_or_default());
                Arrays { rule, scale, weights, grad, slots }
            })
            .collect();
        self.finite.set(parts.into_par_iter().map(simd::run).reduce(|| true, |a, b| a && b));
        Ok(())
    }
}

/// What a gradient is multiplied by so that its norm is at most `most`; `None` where that is 1.
fn scale(grad: &[f32], most: f64) -> Option<f32> {
    struct Square<'a>(&'a [f32]);
    impl WithSimd for Square<'_> {
        type Output = f32;
        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) -> f32 {
            dot(simd, self.0, self.0)
        }
    }
    // Added up in the order of the chunks, whichever thread has summed them.
    let squares: Vec<f32> = grad.par_chunks(CHUNK).map(|chunk| simd::run(Square(chunk))).collect();
    let norm = squares.into_iter().map(f64::from).sum::<f64>().sqrt();
    let scale = most / (norm + TINY);
    // A NaN norm leaves the gradient alone, which is not finite anyway.
    (scale < 1.0).then_some(scale as f32)
}

struct Arrays<'a, R, const N: usize> {
    rule: R,
    scale: Option<f32>,
    weights: &'a mut [f32],
    grad: &'a [f32],
    slots: [&'a mut [f32]; N],
}

impl<R: Rule<N>, const N: usize> WithSimd for Arrays<'_, R, N> {
    /// Whether the gradient is finite.
    type Output = bool;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> bool {
        let lanes = self.rule.lanes(simd);
        let scale = self.scale.map(|scale| simd.splat_f32s(scale));
        let (weights, weights_tail) = S::as_mut_simd_f32s(self.weights);
        let (grads, grads_tail) = S::as_simd_f32s(self.grad);
        let mut slots = self.slots.map(|slot| S::as_mut_simd_f32s(slot));
        // Zero times anything finite is zero, and times everything else NaN, which stays in the sum.
        let zero = simd.splat_f32s(0.0);
        let mut zeros = zero;
        for (place, (weight, &grad)) in weights.iter_mut().zip(grads).enumerate() {
            zeros = fma(simd, zero, grad, zeros);
            let grad = if let Some(scale) = scale { simd.mul_f32s(scale, grad) } else { grad };
            let mut values = [zero; N];
            for (value, (slot, _)) in values.iter_mut().zip(&slots) {
                *value = slot[place];
            }
            let (moved, values) = R::update(simd, &lanes, *weight, values, grad);
            *weight = moved;
            for (value, (slot, _)) in values.into_iter().zip(&mut slots) {
                slot[place] = value;
            }
        }
        // The tail goes through one vector of its own: every scalar gets the same arithmetic.
        let weight = simd.partial_load_f32s(weights_tail);
        let grad = simd.partial_load_f32s(grads_tail);
        zeros = fma(simd, zero, grad, zeros);
        let grad = if let Some(scale) = scale { simd.mul_f32s(scale, grad) } else { grad };
        let mut values = [zero; N];
        for (value, (_, tail)) in values.iter_mut().zip(&slots) {
            *value = simd.partial_load_f32s(tail);
        }
        let (moved, values) = R::update(simd, &lanes, weight, values, grad);
        simd.partial_store_f32s(weights_tail, moved);
        for (value, (_, tail)) in values.into_iter().zip(slots) {
            simd.partial_store_f32s(tail, value);
        }
        simd.reduce_sum_f32s(zeros) == 0.0
    }
}
