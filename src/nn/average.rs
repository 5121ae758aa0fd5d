//! Weights averaged over the steps, exponentially.

use std::{
    cell::{Cell, RefCell},
    sync::Arc,
};

use candle_core::{Result, Tensor};
use pulp::Simd;

use super::model::{Model, Weights};
use super::optim::{Rule, host::Update};
use super::simd::fma;

/// A network that follows another one: after each step its weights are `decay` times what they were, plus
/// the rest of the other's.
///
/// While steps are few, the decay is (1 + step) / (10 + step) if that is less, as in TensorFlow's
/// `ExponentialMovingAverage`: otherwise the initial weights would count for long. Running statistics of
/// batch normalisation are averaged, too.
#[derive(Debug)]
pub struct Average {
    model: Model,
    decay: f64,
}

/// An [`Average`] after one step, on its device.
#[derive(Clone, Debug)]
pub struct AverageSnapshot {
    trained: Tensor,
    running: Tensor,
}

impl AverageSnapshot {
    /// The averaged weights one after the other.
    pub fn trained(&self) -> &Tensor {
        &self.trained
    }
}

impl Average {
    /// An average that starts from the weights of `model`.
    ///
    /// # Errors
    /// Those of candle on making tensors.
    pub fn of(model: &Model, decay: f64) -> Result<Self> {
        Ok(Self { model: model.copy()?, decay })
    }

    /// The network with the averaged weights.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// Takes the weights of `model` after its step of this number (from 1) into account.
    ///
    /// # Errors
    /// Those of candle.
    pub fn follow(&mut self, model: &Model, step: u64) -> Result<()> {
        let share = share(self.decay, step);
        let rule = Towards { share };
        let (average, weights) = (self.model.variable(), model.variable().as_detached_tensor());
        if average.device().is_cpu() {
            let (slots, finite) = (RefCell::new([]), &Cell::new(true));
            average.inplace_op2(&weights, &Update { rule, clip_norm: None, slots, finite })?;
        } else {
            let (moved, []) = rule.composed(&average.as_detached_tensor(), [], &weights)?;
            average.set(&moved)?;
        }
        if model.plan().has_batch_norm() {
            let running = towards(self.model.running(), model.running(), share)?;
            self.model.set_running(running);
        }
        Ok(())
    }

    /// A copy to return to.
    ///
    /// # Errors
    /// Those of candle.
    pub fn snapshot(&self) -> Result<AverageSnapshot> {
        let trained = self.model.variable().as_detached_tensor().copy()?;
        Ok(AverageSnapshot { trained, running: self.model.running().clone() })
    }

    /// Returns to a copy that [`Average::snapshot`] made of this average.
    ///
    /// # Errors
    /// Those of candle.
    pub fn go_back(&mut self, snapshot: &AverageSnapshot) -> Result<()> {
        self.model.variable().set(&snapshot.trained)?;
        self.model.set_running(snapshot.running.clone());
        Ok(())
    }

    /// Resumes from averaged weights.
    ///
    /// # Errors
    /// When they are those of another network, and those of candle.
    pub fn restore(&mut self, weights: &Weights) -> Result<()> {
        let device = self.model.variable().device().clone();
        self.model = Model::new(Arc::clone(self.model.plan()), weights, &device)?;
        Ok(())
    }
}

/// By which share of the way averaged weights follow in the step of this number, from 1.
pub(crate) fn share(decay: f64, step: u64) -> f64 {
    let step = step as f64;
    1.0 - decay.min((1.0 + step) / (10.0 + step))
}

fn towards(average: &Tensor, weights: &Tensor, share: f64) -> Result<Tensor> {
    average + ((weights - average)? * share)?
}

/// Moves values towards others, given in place of a gradient, by a share of the way.
#[derive(Clone, Copy)]
struct Towards {
    share: f64,
}

impl Rule<0> for Towards {
    type Lanes<S: Simd> = S::f32s;

    #[inline(always)]
    fn lanes<S: Simd>(self, simd: S) -> S::f32s {
        simd.splat_f32s(self.share as f32)
    }

    #[inline(always)]
    fn update<S: Simd>(
        simd: S,
        share: &S::f32s,
        average: S::f32s,
        slots: [S::f32s; 0],
        weight: S::f32s,
    ) -> (S::f32s, [S::f32s; 0]) {
        (fma(simd, *share, simd.sub_f32s(weight, average), average), slots)
    }

    fn composed(
        self,
        average: &Tensor,
        _: [&Tensor; 0],
        weights: &Tensor,
    ) -> Result<(Tensor, [Tensor; 0])> {
        Ok((towards(average, weights, self.share)?, []))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use candle_core::Device;

    use super::*;
    use crate::network::Plan;

    fn weights(plan: &Plan, value: f32) -> Weights {
        Weights {
            trained: vec![value; plan.trained_len()],
            running: vec![value; plan.running_len()],
        }
    }

    #[test]
    fn an_average_follows_quickly_at_first_and_then_by_its_decay() -> Result<()> {
        let spec = "conv 2 k3, bn, relu, gap, linear".parse().expect("a network");
        let plan = Arc::new(Plan::of(&spec, [1, 8, 8], 3).expect("it fits"));
        let mut model = Model::new(Arc::clone(&plan), &weights(&plan, 0.0), &Device::Cpu)?;
        let mut average = Average::of(&model, 0.5)?;
        let mut expected = 0.0_f64;
        for step in 1..=20_u32 {
            model = Model::new(Arc::clone(&plan), &weights(&plan, step as f32), &Device::Cpu)?;
            average.follow(&model, u64::from(step))?;
            let decay = (f64::from(1 + step) / f64::from(10 + step)).min(0.5);
            expected = decay * expected + (1.0 - decay) * f64::from(step);
            let Weights { trained, running } = average.model().weights()?;
            for value in trained.iter().chain(&running) {
                assert!((f64::from(*value) - expected).abs() < 1e-5, "{value} for {expected}");
            }
        }
        let snapshot = average.snapshot()?;
        let before = average.model().weights()?;
        average.follow(&model, 21)?;
        assert_ne!(average.model().weights()?, before);
        average.go_back(&snapshot)?;
        assert_eq!(average.model().weights()?, before);
        assert_eq!(model.weights()?, weights(&plan, 20.0), "only the average moves");
        average.restore(&weights(&plan, 2.0))?;
        assert_eq!(average.model().weights()?, weights(&plan, 2.0));
        assert!(average.restore(&Weights::default()).is_err());
        Ok(())
    }
}
