//! Stochastic gradient descent, with momentum (Sutskever et al., 2013) or without.

use candle_core::{Result, Tensor};
use pulp::Simd;

use super::Rule;
use crate::nn::simd::fma;

/// One step of gradient descent; the momentum has a velocity for each parameter, or none without it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sgd {
    pub(super) rate: f64,
    /// Share of a weight that is added to its gradient.
    pub(super) weight_decay: f64,
    /// Share of the velocity that is kept.
    pub(super) momentum: f64,
    /// Whether the step looks ahead.
    pub(super) nesterov: bool,
}

/// The constants of a step, in every lane.
#[derive(Clone, Copy)]
pub(super) struct Lanes<S: Simd> {
    minus_rate: S::f32s,
    decay: S::f32s,
    decays: bool,
    momentum: S::f32s,
    nesterov: bool,
}

impl<const N: usize> Rule<N> for Sgd {
    type Lanes<S: Simd> = Lanes<S>;

    #[inline(always)]
    fn lanes<S: Simd>(self, simd: S) -> Lanes<S> {
        Lanes {
            minus_rate: simd.splat_f32s(-self.rate as f32),
            decay: simd.splat_f32s(self.weight_decay as f32),
            decays: self.weight_decay != 0.0,
            momentum: simd.splat_f32s(self.momentum as f32),
            nesterov: self.nesterov,
        }
    }

    #[inline(always)]
    fn update<S: Simd>(
        simd: S,
        lanes: &Lanes<S>,
        weight: S::f32s,
        mut slots: [S::f32s; N],
        grad: S::f32s,
    ) -> (S::f32s, [S::f32s; N]) {
        let grad = if lanes.decays { fma(simd, lanes.decay, weight, grad) } else { grad };
        let mut direction = grad;
        for velocity in &mut slots {
            // From zero this is the first gradient, as PyTorch starts it.
            *velocity = fma(simd, lanes.momentum, *velocity, grad);
            direction =
                if lanes.nesterov { fma(simd, lanes.momentum, *velocity, grad) } else { *velocity };
        }
        (fma(simd, lanes.minus_rate, direction, weight), slots)
    }

    fn composed(
        self,
        weight: &Tensor,
        slots: [&Tensor; N],
        grad: &Tensor,
    ) -> Result<(Tensor, [Tensor; N])> {
        let grad = match self.weight_decay {
            0.0 => grad.clone(),
            decay => (grad + (weight * decay)?)?,
        };
        let mut slots = slots.map(Tensor::clone);
        let mut direction = grad.clone();
        for velocity in &mut slots {
            *velocity = ((&*velocity * self.momentum)? + &grad)?;
            direction = if self.nesterov {
                (&grad + (&*velocity * self.momentum)?)?
            } else {
                velocity.clone()
            };
        }
        Ok(((weight - (direction * self.rate)?)?, slots))
    }
}
