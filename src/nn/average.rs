//! Weights averaged over the steps, exponentially.

use candle_core::{CpuStorage, InplaceOp2, Layout, Result, Tensor, bail};
use pulp::{Simd, WithSimd};

use super::host::elements;
use super::model::{Model, Weights};
use super::simd::{self, fma};

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
        let step = step as f64;
        let share = 1.0 - self.decay.min((1.0 + step) / (10.0 + step));
        let (average, weights) = (self.model.variable(), model.variable().as_detached_tensor());
        if average.device().is_cpu() {
            average.inplace_op2(&weights, &Towards { share: share as f32 })?;
        } else {
            average.set(&towards(&average.as_detached_tensor(), &weights, share)?)?;
        }
        let running = towards(self.model.running(), model.running(), share)?;
        self.model.set_running(running);
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
        self.model.set_weights(weights)
    }
}

fn towards(average: &Tensor, weights: &Tensor, share: f64) -> Result<Tensor> {
    average + ((weights - average)? * share)?
}

/// Moves values towards others by a share of the way.
struct Towards {
    share: f32,
}

impl InplaceOp2 for Towards {
    fn name(&self) -> &'static str {
        "average"
    }

    fn cpu_fwd(
        &self,
        average: &mut CpuStorage,
        average_layout: &Layout,
        weights: &CpuStorage,
        weights_layout: &Layout,
    ) -> Result<()> {
        let (CpuStorage::F32(average), Some((start, end))) =
            (average, average_layout.contiguous_offsets())
        else {
            bail!("averages are contiguous f32 variables");
        };
        let weights = elements::<f32>(weights, weights_layout)?;
        simd::run(Arrays { share: self.share, average: &mut average[start..end], weights });
        Ok(())
    }
}

struct Arrays<'a> {
    share: f32,
    average: &'a mut [f32],
    weights: &'a [f32],
}

impl WithSimd for Arrays<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let share = simd.splat_f32s(self.share);
        let (averages, average_tail) = S::as_mut_simd_f32s(self.average);
        let (weights, weights_tail) = S::as_simd_f32s(self.weights);
        for (average, &weight) in averages.iter_mut().zip(weights) {
            *average = fma(simd, share, simd.sub_f32s(weight, *average), *average);
        }
        // The tail goes through one vector of its own: every scalar gets the same arithmetic.
        let average = simd.partial_load_f32s(average_tail);
        let weight = simd.partial_load_f32s(weights_tail);
        let average = fma(simd, share, simd.sub_f32s(weight, average), average);
        simd.partial_store_f32s(average_tail, average);
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
            model.set_weights(&weights(&plan, step as f32))?;
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
