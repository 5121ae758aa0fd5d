//! Adam (Kingma & Ba, 2015) as `PyTorch` computes it, with a state that can be saved and restored.

mod host;
#[cfg(test)]
mod tests;

use std::cell::{Cell, RefCell};

use candle_core::backprop::GradStore;
use candle_core::{DType, Result, Tensor, Var, bail};

use self::host::Update;
use super::model::Model;

/// Decay of the first moment.
const BETA1: f64 = 0.9;
/// Decay of the second moment.
const BETA2: f64 = 0.999;
/// Keeps the divisor away from zero.
const EPSILON: f64 = 1e-8;
/// Adam with `PyTorch`'s defaults: learning rate 1e-3, β₁ 0.9, β₂ 0.999, ε 1e-8, no weight decay.
#[derive(Debug)]
pub struct Adam {
    slots: Vec<Slot>,
    step: u64,
    learning_rate: f64,
    finite: Cell<bool>,
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

/// [`Adam`]'s state at one moment, on its device.
#[derive(Clone, Debug)]
pub struct AdamSnapshot {
    step: u64,
    moments: Vec<Moments>,
}

/// A variable and its moments.
#[derive(Debug)]
struct Slot {
    variable: Var,
    moments: Moments,
}

/// Clones of those on a device share its memory, which is safe: a step makes new tensors.
#[derive(Clone, Debug)]
enum Moments {
    /// For a variable in main memory.
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
        Self::for_variables([model.variable().clone()])
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
        Ok(Self { slots, step: 0, learning_rate: 1e-3, finite: Cell::new(true) })
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
        self.finite.set(true);
        for slot in &mut self.slots {
            if let Some(grad) = grads.get(&slot.variable) {
                slot.step(grad, factors, &self.finite)?;
            }
        }
        Ok(())
    }

    /// Whether the gradient of the last step was finite. Always so outside main memory, where looking
    /// would wait for the device.
    pub fn gradient_was_finite(&self) -> bool {
        self.finite.get()
    }

    /// A copy of the state where it is: nothing is read from a device.
    pub fn snapshot(&self) -> AdamSnapshot {
        let moments = self.slots.iter().map(|slot| slot.moments.clone()).collect();
        AdamSnapshot { step: self.step, moments }
    }

    /// Goes back to a copy that [`Adam::snapshot`] made of this optimiser.
    pub fn go_back(&mut self, snapshot: &AdamSnapshot) {
        for (slot, moments) in self.slots.iter_mut().zip(&snapshot.moments) {
            slot.moments.clone_from(moments);
        }
        self.step = snapshot.step;
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
    fn step(&mut self, grad: &Tensor, factors: Factors, finite: &Cell<bool>) -> Result<()> {
        match &mut self.moments {
            Moments::Host { first, second } => {
                let update = Update { factors, moments: RefCell::new((first, second)), finite };
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
