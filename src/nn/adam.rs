//! Adam (Kingma & Ba, 2015) as `PyTorch` computes it, with a state that can be saved and restored.

use std::cell::RefCell;

use candle_core::backprop::GradStore;
use candle_core::{CpuStorage, DType, InplaceOp2, Layout, Result, Tensor, Var, bail};
use pulp::{Simd, WithSimd};

use super::model::Model;
use super::simd::{self, fma};

/// Decay of the first moment.
const BETA1: f64 = 0.9;
/// Decay of the second moment.
const BETA2: f64 = 0.999;
/// Keeps the divisor away from zero.
const EPSILON: f64 = 1e-8;
/// Moments smaller than this become zero. They are far too small to move a weight, and once they
/// decay below 1e-38 the processor computes with them many times slower.
const NEGLIGIBLE: f32 = 1e-30;

/// Adam with `PyTorch`'s defaults: learning rate 1e-3, β₁ 0.9, β₂ 0.999, ε 1e-8, no weight decay.
#[derive(Debug)]
pub struct Adam {
    slots: Vec<Slot>,
    step: u64,
    learning_rate: f64,
}

/// Everything [`Adam`] remembers from step to step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AdamState {
    /// Steps taken.
    pub step: u64,
    /// For each variable the running mean of its gradients.
    pub first: Vec<Vec<f32>>,
    /// For each variable the running mean of its squared gradients.
    pub second: Vec<Vec<f32>>,
}

/// A variable and its moments.
#[derive(Debug)]
struct Slot {
    variable: Var,
    moments: Moments,
}

#[derive(Debug)]
enum Moments {
    /// Beside a variable in main memory.
    Host { first: Vec<f32>, second: Vec<f32> },
    /// On the variable's device.
    Device { first: Tensor, second: Tensor },
}

/// The factors of one step.
#[derive(Clone, Copy)]
struct Factors {
    /// Learning rate over the bias correction of the first moment.
    rate: f64,
    /// Square root of the bias correction of the second moment.
    root: f64,
}

impl Adam {
    /// An optimiser of all parameters of `model`.
    ///
    /// # Errors
    /// Those of candle on making tensors.
    pub fn new(model: &Model) -> Result<Self> {
        Self::for_variables(model.variables().into_iter().map(|(_, variable)| variable.clone()))
    }

    /// An optimiser of f32 variables.
    ///
    /// # Errors
    /// When a variable is of another element type, and those of candle on making tensors.
    pub fn for_variables(variables: impl IntoIterator<Item = Var>) -> Result<Self> {
        let slots = variables
            .into_iter()
            .map(|variable| {
                if variable.dtype() != DType::F32 {
                    bail!("Adam moves f32 variables, found {:?}", variable.dtype());
                }
                let zeros = vec![0.0; variable.elem_count()];
                let moments = Moments::new(&variable, &zeros, &zeros)?;
                Ok(Slot { variable, moments })
            })
            .collect::<Result<_>>()?;
        Ok(Self { slots, step: 0, learning_rate: 1e-3 })
    }

    /// The learning rate of the next step.
    pub fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    /// Sets the learning rate from the next step on.
    pub fn set_learning_rate(&mut self, learning_rate: f64) {
        self.learning_rate = learning_rate;
    }

    /// Moves every variable against its gradient.
    ///
    /// # Errors
    /// When a variable has no gradient (nothing has moved then), and those of candle.
    pub fn step(&mut self, grads: &GradStore) -> Result<()> {
        if let Some(slot) = self.slots.iter().find(|slot| grads.get(&slot.variable).is_none()) {
            bail!("a variable of shape {:?} has no gradient", slot.variable.dims());
        }
        self.step += 1;
        let step = self.step as f64;
        let factors = Factors {
            rate: self.learning_rate / (1.0 - BETA1.powf(step)),
            root: (1.0 - BETA2.powf(step)).sqrt(),
        };
        for slot in &mut self.slots {
            if let Some(grad) = grads.get(&slot.variable) {
                slot.step(grad, factors)?;
            }
        }
        Ok(())
    }

    /// A copy of the state.
    ///
    /// # Errors
    /// Those of candle on reading from a device.
    pub fn state(&self) -> Result<AdamState> {
        let mut state = AdamState { step: self.step, ..AdamState::default() };
        for slot in &self.slots {
            let (first, second) = match &slot.moments {
                Moments::Host { first, second } => (first.clone(), second.clone()),
                Moments::Device { first, second } => {
                    (first.flatten_all()?.to_vec1()?, second.flatten_all()?.to_vec1()?)
                }
            };
            state.first.push(first);
            state.second.push(second);
        }
        Ok(state)
    }

    /// Goes on from a state that [`Adam::state`] gave for the same variables.
    ///
    /// # Errors
    /// When the state belongs to other variables (nothing changes then), and those of candle on
    /// making tensors.
    pub fn restore(&mut self, state: &AdamState) -> Result<()> {
        let sizes: Vec<_> = self.slots.iter().map(|slot| slot.variable.elem_count()).collect();
        for moments in [&state.first, &state.second] {
            let found: Vec<_> = moments.iter().map(Vec::len).collect();
            if found != sizes {
                bail!("moments of sizes {found:?} do not belong to variables of sizes {sizes:?}");
            }
        }
        let moments = self
            .slots
            .iter()
            .zip(state.first.iter().zip(&state.second))
            .map(|(slot, (first, second))| Moments::new(&slot.variable, first, second))
            .collect::<Result<Vec<_>>>()?;
        for (slot, moments) in self.slots.iter_mut().zip(moments) {
            slot.moments = moments;
        }
        self.step = state.step;
        Ok(())
    }
}

impl Moments {
    /// Moments with these values, where `variable` is.
    fn new(variable: &Var, first: &[f32], second: &[f32]) -> Result<Self> {
        if variable.device().is_cpu() {
            return Ok(Self::Host { first: first.to_vec(), second: second.to_vec() });
        }
        let tensor = |values| Tensor::from_slice(values, variable.shape(), variable.device());
        Ok(Self::Device { first: tensor(first)?, second: tensor(second)? })
    }
}

impl Slot {
    fn step(&mut self, grad: &Tensor, factors: Factors) -> Result<()> {
        match &mut self.moments {
            Moments::Host { first, second } => {
                let update = Update { factors, moments: RefCell::new((first, second)) };
                self.variable.inplace_op2(&grad.contiguous()?, &update)
            }
            Moments::Device { first, second } => {
                *first = ((&*first * BETA1)? + (grad * (1.0 - BETA1))?)?;
                *second = ((&*second * BETA2)? + (grad.sqr()? * (1.0 - BETA2))?)?;
                let divisor = ((second.sqrt()? / factors.root)? + EPSILON)?;
                let change = (first.div(&divisor)? * factors.rate)?;
                self.variable.set(&self.variable.as_detached_tensor().sub(&change)?)
            }
        }
    }
}

/// One step of one variable in main memory, in one pass over its four arrays.
struct Update<'a> {
    factors: Factors,
    /// First and second moments; candle hands an operation only a shared reference to itself.
    moments: RefCell<(&'a mut [f32], &'a mut [f32])>,
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
        let grad = super::host::elements::<f32>(grad, grad_layout)?;
        let (first, second) = &mut *self.moments.borrow_mut();
        simd::run(Arrays {
            factors: self.factors,
            weights: &mut weights[start..end],
            grad,
            first,
            second,
        });
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
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let constants = Constants::new(simd, self.factors);
        let (weights, weights_tail) = S::as_mut_simd_f32s(self.weights);
        let (grads, grads_tail) = S::as_simd_f32s(self.grad);
        let (firsts, firsts_tail) = S::as_mut_simd_f32s(self.first);
        let (seconds, seconds_tail) = S::as_mut_simd_f32s(self.second);
        let moments = firsts.iter_mut().zip(seconds);
        for ((weight, &grad), (first, second)) in weights.iter_mut().zip(grads).zip(moments) {
            [*weight, *first, *second] = constants.update(simd, [*weight, *first, *second], grad);
        }
        // The tail goes through one vector of its own: every scalar gets the same arithmetic.
        let tails = [&*weights_tail, &*firsts_tail, &*seconds_tail]
            .map(|tail| simd.partial_load_f32s(tail));
        let [weight, first, second] =
            constants.update(simd, tails, simd.partial_load_f32s(grads_tail));
        simd.partial_store_f32s(weights_tail, weight);
        simd.partial_store_f32s(firsts_tail, first);
        simd.partial_store_f32s(seconds_tail, second);
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

#[cfg(test)]
mod tests;
