//! Adam (Kingma & Ba, 2015) and `AdamW` (Loshchilov & Hutter, 2019).

use candle_core::{Result, Tensor};
use pulp::Simd;

use super::Rule;
use crate::nn::simd::fma;

/// Keeps the divisor away from zero.
pub(crate) const EPSILON: f64 = 1e-8;

/// Moments smaller than this become zero. They are far too small to move a weight, and once they
/// decay below 1e-38 the processor computes with them many times slower.
const NEGLIGIBLE: f32 = 1e-30;

/// How weights decay.
#[derive(Clone, Copy, Debug)]
pub(super) enum Decay {
    /// Not at all.
    None,
    /// This share of a weight is added to its gradient.
    Coupled(f64),
    /// A weight is multiplied by this first.
    Decoupled(f64),
}

impl Decay {
    /// Decay as a part of the gradient.
    pub(super) fn coupled(weight_decay: f64) -> Self {
        if weight_decay == 0.0 { Self::None } else { Self::Coupled(weight_decay) }
    }

    /// Decay apart from the gradient, at this learning rate.
    pub(super) fn decoupled(weight_decay: f64, rate: f64) -> Self {
        if weight_decay == 0.0 { Self::None } else { Self::Decoupled(1.0 - rate * weight_decay) }
    }
}

/// One step of Adam.
#[derive(Clone, Copy, Debug)]
pub(super) struct Adam {
    betas: [f64; 2],
    decay: Decay,
    /// Learning rate over the bias correction of the first moment.
    rate: f64,
    /// Square root of the bias correction of the second moment.
    root: f64,
}

impl Adam {
    /// The step of this number, from 1.
    pub(super) fn new(betas: [f64; 2], decay: Decay, rate: f64, step: u64) -> Self {
        let [first, second] = betas.map(|beta| 1.0 - beta.powf(step as f64));
        Self { betas, decay, rate: rate / first, root: second.sqrt() }
    }
}

/// What a step computes with, in every lane.
#[derive(Clone, Copy)]
pub(super) struct Lanes<S: Simd> {
    keep_first: S::f32s,
    take_first: S::f32s,
    keep_second: S::f32s,
    take_second: S::f32s,
    inverse_root: S::f32s,
    epsilon: S::f32s,
    minus_rate: S::f32s,
    negligible: S::f32s,
    add_weight: Option<S::f32s>,
    shrink: Option<S::f32s>,
}

impl Rule<2> for Adam {
    type Lanes<S: Simd> = Lanes<S>;

    #[inline(always)]
    fn lanes<S: Simd>(self, simd: S) -> Lanes<S> {
        let [first, second] = self.betas;
        let (add_weight, shrink) = match self.decay {
            Decay::None => (None, None),
            Decay::Coupled(decay) => (Some(simd.splat_f32s(decay as f32)), None),
            Decay::Decoupled(kept) => (None, Some(simd.splat_f32s(kept as f32))),
        };
        Lanes {
            keep_first: simd.splat_f32s(first as f32),
            take_first: simd.splat_f32s((1.0 - first) as f32),
            keep_second: simd.splat_f32s(second as f32),
            take_second: simd.splat_f32s((1.0 - second) as f32),
            inverse_root: simd.splat_f32s((1.0 / self.root) as f32),
            epsilon: simd.splat_f32s(EPSILON as f32),
            minus_rate: simd.splat_f32s(-self.rate as f32),
            negligible: simd.splat_f32s(NEGLIGIBLE),
            add_weight,
            shrink,
        }
    }

    #[inline(always)]
    fn update<S: Simd>(
        simd: S,
        lanes: &Lanes<S>,
        mut weight: S::f32s,
        [first, second]: [S::f32s; 2],
        mut grad: S::f32s,
    ) -> (S::f32s, [S::f32s; 2]) {
        if let Some(share) = lanes.add_weight {
            grad = fma(simd, share, weight, grad);
        }
        if let Some(kept) = lanes.shrink {
            weight = simd.mul_f32s(kept, weight);
        }
        let square = simd.mul_f32s(grad, grad);
        let first = fma(simd, lanes.keep_first, first, simd.mul_f32s(lanes.take_first, grad));
        let second = fma(simd, lanes.keep_second, second, simd.mul_f32s(lanes.take_second, square));
        let (first, second) = (lanes.flush(simd, first), lanes.flush(simd, second));
        let divisor = fma(simd, simd.sqrt_f32s(second), lanes.inverse_root, lanes.epsilon);
        let weight = fma(simd, lanes.minus_rate, simd.div_f32s(first, divisor), weight);
        (weight, [first, second])
    }

    fn composed(
        self,
        weight: &Tensor,
        [first, second]: [&Tensor; 2],
        grad: &Tensor,
    ) -> Result<(Tensor, [Tensor; 2])> {
        let (mut weight, mut grad) = (weight.clone(), grad.clone());
        match self.decay {
            Decay::None => {}
            Decay::Coupled(decay) => grad = (grad + (&weight * decay)?)?,
            Decay::Decoupled(kept) => weight = (weight * kept)?,
        }
        let [beta1, beta2] = self.betas;
        let first = ((first * beta1)? + (&grad * (1.0 - beta1))?)?;
        let second = ((second * beta2)? + (grad.sqr()? * (1.0 - beta2))?)?;
        let divisor = ((second.sqrt()? / self.root)? + EPSILON)?;
        let change = (first.div(&divisor)? * self.rate)?;
        Ok((weight.sub(&change)?, [first, second]))
    }
}

impl<S: Simd> Lanes<S> {
    #[inline(always)]
    fn flush(&self, simd: S, moment: S::f32s) -> S::f32s {
        let small = simd.less_than_f32s(simd.abs_f32s(moment), self.negligible);
        simd.select_f32s(small, simd.splat_f32s(0.0), moment)
    }
}
