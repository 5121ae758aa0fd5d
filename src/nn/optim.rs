//! Optimisers as `PyTorch` computes them, with a state that can be saved and restored.

mod adam;
pub(super) mod host;
mod sgd;
#[cfg(test)]
mod tests;

use std::cell::{Cell, RefCell};

use candle_core::backprop::GradStore;
use candle_core::{DType, Error, Result, Tensor, Var, bail};
use pulp::Simd;

pub(crate) use self::adam::EPSILON;
use self::host::Update;
use super::model::Model;
use crate::config::OptimizerSpec;

/// What an optimiser does with each value of the parameters; `N` values are remembered for each.
pub(super) trait Rule<const N: usize>: Copy + Send + Sync {
    /// The constants of a step, in every lane of a vector.
    type Lanes<S: Simd>: Copy;

    /// The constants for vectors of this kind.
    fn lanes<S: Simd>(self, simd: S) -> Self::Lanes<S>;

    /// The weights and what is remembered after a step.
    fn update<S: Simd>(
        simd: S,
        lanes: &Self::Lanes<S>,
        weight: S::f32s,
        slots: [S::f32s; N],
        grad: S::f32s,
    ) -> (S::f32s, [S::f32s; N]);

    /// The same by operations that any device has.
    fn composed(
        self,
        weight: &Tensor,
        slots: [&Tensor; N],
        grad: &Tensor,
    ) -> Result<(Tensor, [Tensor; N])>;
}

/// An optimiser of one variable: all parameters of a network one after the other.
#[derive(Debug)]
pub struct Optimizer {
    spec: OptimizerSpec,
    variable: Var,
    slots: Slots,
    step: u64,
    learning_rate: f64,
    /// Most that the norm of a gradient may be; a longer one is shortened to it.
    clip_norm: Option<f64>,
    finite: Cell<bool>,
}

/// Everything an [`Optimizer`] remembers from step to step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OptimizerState {
    /// Steps taken.
    pub step: u64,
    /// For each of [`OptimizerSpec::slots`] a value for each parameter.
    pub slots: Vec<Vec<f32>>,
}

/// An [`Optimizer`]'s state after one step, on its device.
#[derive(Clone, Debug)]
pub struct OptimizerSnapshot {
    step: u64,
    slots: Slots,
}

/// Clones of those on a device share its memory, which is safe: a step makes new tensors.
#[derive(Clone, Debug)]
enum Slots {
    /// For a variable in main memory.
    Host(Vec<Vec<f32>>),
    /// On the variable's device.
    Device(Vec<Tensor>),
}

impl Optimizer {
    /// Adam with `PyTorch`'s defaults for all parameters of `model`.
    ///
    /// # Errors
    /// Those of candle on making tensors.
    pub fn new(model: &Model) -> Result<Self> {
        Self::of(OptimizerSpec::default(), model.variable().clone())
    }

    /// An optimiser of an f32 variable, with `PyTorch`'s default learning rate of 0.001.
    ///
    /// # Errors
    /// When the variable is of another element type, and those of candle on making tensors.
    pub fn of(spec: OptimizerSpec, variable: Var) -> Result<Self> {
        if variable.dtype() != DType::F32 {
            bail!("an optimiser moves f32 variables, found {:?}", variable.dtype());
        }
        let zeros = vec![vec![0.0; variable.elem_count()]; spec.slots().len()];
        let slots = Slots::new(&variable, &zeros)?;
        let (learning_rate, finite) = (1e-3, Cell::new(true));
        Ok(Self { spec, variable, slots, step: 0, learning_rate, clip_norm: None, finite })
    }

    /// The same with gradients whose norm is at most `norm`, as `clip_grad_norm_` of `PyTorch` makes them.
    #[must_use]
    pub fn with_clip_norm(self, norm: Option<f64>) -> Self {
        Self { clip_norm: norm, ..self }
    }

    /// Steps taken.
    pub fn steps(&self) -> u64 {
        self.step
    }

    /// The learning rate of the next step.
    pub fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    /// Sets the learning rate from the next step on.
    pub fn set_learning_rate(&mut self, learning_rate: f64) {
        self.learning_rate = learning_rate;
    }

    /// Moves the variable by its gradient.
    ///
    /// # Errors
    /// When the variable has no gradient (nothing has moved then), and those of candle.
    pub fn step(&mut self, grads: &GradStore) -> Result<()> {
        let Some(grad) = grads.get(&self.variable) else {
            bail!("a variable of shape {:?} has no gradient", self.variable.dims());
        };
        self.step += 1;
        let (rate, step) = (self.learning_rate, self.step);
        match self.spec {
            OptimizerSpec::Adam { betas, weight_decay } => {
                let decay = adam::Decay::coupled(weight_decay);
                self.apply(adam::Adam::new(betas, decay, rate, step), grad)
            }
            OptimizerSpec::AdamW { betas, weight_decay } => {
                let decay = adam::Decay::decoupled(weight_decay, rate);
                self.apply(adam::Adam::new(betas, decay, rate, step), grad)
            }
            OptimizerSpec::Sgd { momentum, nesterov, weight_decay } => {
                let rule = sgd::Sgd { rate, weight_decay, momentum, nesterov };
                if momentum == 0.0 {
                    self.apply::<0, _>(rule, grad)
                } else {
                    self.apply::<1, _>(rule, grad)
                }
            }
        }
    }

    fn apply<const N: usize, R: Rule<N>>(&mut self, rule: R, grad: &Tensor) -> Result<()> {
        let found = self.spec.slots().len();
        let wrong = || Error::Msg(format!("expected {N} values for each parameter, found {found}"));
        self.finite.set(true);
        match &mut self.slots {
            Slots::Host(slots) => {
                let slots = <&mut [Vec<f32>; N]>::try_from(slots.as_mut_slice());
                let slots = slots.map_err(|_| wrong())?;
                let slots = RefCell::new(slots.each_mut().map(Vec::as_mut_slice));
                let (clip_norm, finite) = (self.clip_norm, &self.finite);
                let update = Update { rule, clip_norm, slots, finite };
                self.variable.inplace_op2(&grad.contiguous()?, &update)
            }
            Slots::Device(slots) => {
                let old = <&[Tensor; N]>::try_from(slots.as_slice()).map_err(|_| wrong())?;
                let grad = match self.clip_norm {
                    Some(norm) => clipped(grad, norm)?,
                    None => grad.clone(),
                };
                let weight = self.variable.as_detached_tensor();
                let (weight, new) = rule.composed(&weight, old.each_ref(), &grad)?;
                self.variable.set(&weight)?;
                *slots = new.into();
                Ok(())
            }
        }
    }

    /// Whether the gradient of the last step was finite. Always so outside main memory, where looking
    /// would wait for the device.
    pub fn gradient_was_finite(&self) -> bool {
        self.finite.get()
    }

    /// A copy of the state where it is: nothing is read from a device.
    pub fn snapshot(&self) -> OptimizerSnapshot {
        OptimizerSnapshot { step: self.step, slots: self.slots.clone() }
    }

    /// Returns to a copy that [`Optimizer::snapshot`] made of this optimiser.
    pub fn go_back(&mut self, snapshot: &OptimizerSnapshot) {
        self.slots.clone_from(&snapshot.slots);
        self.step = snapshot.step;
    }

    /// A copy of the state.
    ///
    /// # Errors
    /// Those of candle on reading from a device.
    pub fn state(&self) -> Result<OptimizerState> {
        let slots = match &self.slots {
            Slots::Host(slots) => slots.clone(),
            Slots::Device(slots) => {
                slots.iter().map(|slot| slot.flatten_all()?.to_vec1()).collect::<Result<_>>()?
            }
        };
        Ok(OptimizerState { step: self.step, slots })
    }

    /// Resumes from a state that [`Optimizer::state`] gave for the same optimiser and variable.
    ///
    /// # Errors
    /// When the state belongs to another one (nothing changes then), and those of candle on making tensors.
    pub fn restore(&mut self, state: &OptimizerState) -> Result<()> {
        let expected = vec![self.variable.elem_count(); self.spec.slots().len()];
        let found: Vec<usize> = state.slots.iter().map(Vec::len).collect();
        if found != expected {
            bail!("a state of sizes {found:?} does not belong to an optimiser of {expected:?}");
        }
        self.slots = Slots::new(&self.variable, &state.slots)?;
        self.step = state.step;
        Ok(())
    }
}

impl Slots {
    /// These values, where `variable` is.
    fn new(variable: &Var, values: &[Vec<f32>]) -> Result<Self> {
        if variable.device().is_cpu() {
            return Ok(Self::Host(values.to_vec()));
        }
        let tensor = |values: &Vec<f32>| {
            Tensor::from_slice(values.as_slice(), variable.shape(), variable.device())
        };
        Ok(Self::Device(values.iter().map(tensor).collect::<Result<_>>()?))
    }
}

/// Added to a norm that divides.
const TINY: f64 = 1e-6;

/// A gradient whose norm is at most `most`, without waiting for the device.
fn clipped(grad: &Tensor, most: f64) -> Result<Tensor> {
    let norm = (grad.sqr()?.sum_all()?.sqrt()? + TINY)?;
    let scale = (norm.recip()? * most)?.minimum(1.0)?;
    grad.broadcast_mul(&scale)
}
