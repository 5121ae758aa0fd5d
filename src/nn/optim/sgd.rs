//! Stochastic gradient descent, with momentum (Sutskever et al., 2013) or without.

use candle_core::{Result, Tensor};
use pulp::Simd;

use super::Rule;
use crate::nn::simd::fma;

/// One step of gradient descent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sgd<M> {
    pub(super) rate: f64,
    /// Share of a weight that is added to its gradient.
    pub(super) weight_decay: f64,
    pub(super) momentum: M,
}

/// Without a memory of earlier steps.
#[derive(Clone, Copy, Debug)]
pub(super) struct None;

/// With a memory of the direction.
#[derive(Clone, Copy, Debug)]
pub(super) struct Momentum {
    /// What is kept of it.
    pub(super) share: f64,
    /// Whether the step looks ahead.
    pub(super) nesterov: bool,
}

/// What a step computes with, in every lane.
#[derive(Clone, Copy)]
pub(super) struct Lanes<S: Simd> {
    minus_rate: S::f32s,
    decay: S::f32s,
    decays: bool,
    share: S::f32s,
    nesterov: bool,
}

impl<S: Simd> Lanes<S> {
    #[inline(always)]
    fn new<M>(simd: S, step: &Sgd<M>, momentum: Momentum) -> Self {
        Self {
            minus_rate: simd.splat_f32s(-step.rate as f32),
            decay: simd.splat_f32s(step.weight_decay as f32),
            decays: step.weight_decay != 0.0,
            share: simd.splat_f32s(momentum.share as f32),
            nesterov: momentum.nesterov,
        }
    }

    /// The gradient with the decay's part.
    #[inline(always)]
    fn gradient(&self, simd: S, weight: S::f32s, grad: S::f32s) -> S::f32s {
        if self.decays { fma(simd, self.decay, weight, grad) } else { grad }
    }
}

impl<M> Sgd<M> {
    fn decayed(&self, weight: &Tensor, grad: &Tensor) -> Result<Tensor> {
        if self.weight_decay == 0.0 {
            Ok(grad.clone())
        } else {
            grad + (weight * self.weight_decay)?
        }
    }
}

impl Rule<0> for Sgd<None> {
    type Lanes<S: Simd> = Lanes<S>;

    #[inline(always)]
    fn lanes<S: Simd>(self, simd: S) -> Lanes<S> {
        Lanes::new(simd, &self, Momentum { share: 0.0, nesterov: false })
    }

    #[inline(always)]
    fn update<S: Simd>(
        simd: S,
        lanes: &Lanes<S>,
        weight: S::f32s,
        slots: [S::f32s; 0],
        grad: S::f32s,
    ) -> (S::f32s, [S::f32s; 0]) {
        let grad = lanes.gradient(simd, weight, grad);
        (fma(simd, lanes.minus_rate, grad, weight), slots)
    }

    fn composed(
        self,
        weight: &Tensor,
        _: [&Tensor; 0],
        grad: &Tensor,
    ) -> Result<(Tensor, [Tensor; 0])> {
        let grad = self.decayed(weight, grad)?;
        Ok(((weight - (grad * self.rate)?)?, []))
    }
}

impl Rule<1> for Sgd<Momentum> {
    type Lanes<S: Simd> = Lanes<S>;

    #[inline(always)]
    fn lanes<S: Simd>(self, simd: S) -> Lanes<S> {
        Lanes::new(simd, &self, self.momentum)
    }

    #[inline(always)]
    fn update<S: Simd>(
        simd: S,
        lanes: &Lanes<S>,
        weight: S::f32s,
        [velocity]: [S::f32s; 1],
        grad: S::f32s,
    ) -> (S::f32s, [S::f32s; 1]) {
        let grad = lanes.gradient(simd, weight, grad);
        // From zero this is the first gradient, as PyTorch starts it.
        let velocity = fma(simd, lanes.share, velocity, grad);
        let direction =
            if lanes.nesterov { fma(simd, lanes.share, velocity, grad) } else { velocity };
        (fma(simd, lanes.minus_rate, direction, weight), [velocity])
    }

    fn composed(
        self,
        weight: &Tensor,
        [velocity]: [&Tensor; 1],
        grad: &Tensor,
    ) -> Result<(Tensor, [Tensor; 1])> {
        let grad = self.decayed(weight, grad)?;
        let Momentum { share, nesterov } = self.momentum;
        let velocity = ((velocity * share)? + &grad)?;
        let direction = if nesterov { (&grad + (&velocity * share)?)? } else { velocity.clone() };
        Ok(((weight - (direction * self.rate)?)?, [velocity]))
    }
}
