//! `--optimizer`: how gradients move the weights.

use serde::{Deserialize, Serialize};

use super::{ConfigError, ensure};

/// An optimiser with its constants, whose meaning and defaults are those of `PyTorch`'s class of that name.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "lowercase")]
pub enum OptimizerSpec {
    /// Adam (Kingma & Ba, 2015); weight decay is added to the gradient.
    Adam {
        /// Decay of the running means of the gradient and of its square.
        betas: [f64; 2],
        /// Share of each weight added to its gradient.
        weight_decay: f64,
    },
    /// Adam with decoupled weight decay (Loshchilov & Hutter, 2019).
    AdamW {
        /// Decay of the running means of the gradient and of its square.
        betas: [f64; 2],
        /// Share of each weight, times the learning rate, that a step takes away.
        weight_decay: f64,
    },
    /// Stochastic gradient descent.
    Sgd {
        /// Share of the last step's direction that is kept.
        momentum: f64,
        /// Whether to use Nesterov's form.
        nesterov: bool,
        /// Share of each weight added to its gradient.
        weight_decay: f64,
    },
}

/// Which optimiser, without its constants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OptimizerName {
    /// [`OptimizerSpec::Adam`]
    #[default]
    Adam,
    /// [`OptimizerSpec::AdamW`]
    AdamW,
    /// [`OptimizerSpec::Sgd`]
    Sgd,
}

/// Constants that were given; `None` leaves the optimiser's own.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct OptimizerOptions {
    /// `--optimizer`
    pub name: OptimizerName,
    /// `--weight-decay`
    pub weight_decay: Option<f64>,
    /// `--betas`
    pub betas: Option<[f64; 2]>,
    /// `--momentum`
    pub momentum: Option<f64>,
    /// `--nesterov`
    pub nesterov: bool,
}

impl Default for OptimizerSpec {
    /// Adam with `PyTorch`'s defaults.
    fn default() -> Self {
        Self::Adam { betas: BETAS, weight_decay: 0.0 }
    }
}

/// Of Adam and `AdamW`.
const BETAS: [f64; 2] = [0.9, 0.999];
/// Of `AdamW`.
const DECOUPLED_DECAY: f64 = 0.01;

impl OptimizerOptions {
    /// The optimiser that they describe.
    ///
    /// # Errors
    /// If a constant was given that this optimiser does not have.
    pub fn spec(self) -> Result<OptimizerSpec, ConfigError> {
        let Self { name, weight_decay, betas, momentum, nesterov } = self;
        if name == OptimizerName::Sgd {
            ensure(betas.is_none(), || {
                "--betas are constants of Adam: expected --optimizer adam or adamw".to_owned()
            })?;
            let momentum = momentum.unwrap_or(0.0);
            let weight_decay = weight_decay.unwrap_or(0.0);
            return Ok(OptimizerSpec::Sgd { momentum, nesterov, weight_decay });
        }
        ensure(momentum.is_none() && !nesterov, || {
            let option = if nesterov { "--nesterov" } else { "--momentum" };
            format!("{option} belongs to gradient descent: expected --optimizer sgd")
        })?;
        let betas = betas.unwrap_or(BETAS);
        Ok(match name {
            OptimizerName::AdamW => {
                let weight_decay = weight_decay.unwrap_or(DECOUPLED_DECAY);
                OptimizerSpec::AdamW { betas, weight_decay }
            }
            _ => OptimizerSpec::Adam { betas, weight_decay: weight_decay.unwrap_or(0.0) },
        })
    }
}

impl From<OptimizerSpec> for OptimizerOptions {
    /// Every constant of the optimiser.
    fn from(spec: OptimizerSpec) -> Self {
        match spec {
            OptimizerSpec::Adam { betas, weight_decay }
            | OptimizerSpec::AdamW { betas, weight_decay } => Self {
                name: spec.name(),
                weight_decay: Some(weight_decay),
                betas: Some(betas),
                ..Self::default()
            },
            OptimizerSpec::Sgd { momentum, nesterov, weight_decay } => Self {
                name: spec.name(),
                weight_decay: Some(weight_decay),
                betas: None,
                momentum: Some(momentum),
                nesterov,
            },
        }
    }
}

impl OptimizerSpec {
    /// Which it is.
    pub fn name(self) -> OptimizerName {
        match self {
            Self::Adam { .. } => OptimizerName::Adam,
            Self::AdamW { .. } => OptimizerName::AdamW,
            Self::Sgd { .. } => OptimizerName::Sgd,
        }
    }

    /// What it remembers of each parameter from step to step.
    pub fn slots(self) -> &'static [&'static str] {
        match self {
            Self::Adam { .. } | Self::AdamW { .. } => &["first_moment", "second_moment"],
            Self::Sgd { momentum: 0.0, .. } => &[],
            Self::Sgd { .. } => &["momentum"],
        }
    }

    pub(super) fn validate(self) -> Result<(), ConfigError> {
        let OptimizerOptions { weight_decay, betas, momentum, nesterov, .. } = self.into();
        if let Some(decay) = weight_decay {
            ensure(decay.is_finite() && decay >= 0.0, || {
                format!("--weight-decay is {decay}: expected a finite number, 0 or more")
            })?;
        }
        let is_decay = |beta: f64| (0.0..1.0).contains(&beta);
        if let Some([first, second]) = betas {
            ensure(is_decay(first) && is_decay(second), || {
                format!("--betas are {first},{second}: expected two numbers from 0 to below 1")
            })?;
        }
        if let Some(momentum) = momentum {
            ensure(is_decay(momentum), || {
                format!("--momentum is {momentum}: expected a number from 0 to below 1")
            })?;
            ensure(momentum > 0.0 || !nesterov, || {
                "--nesterov needs a momentum: expected --momentum above 0, such as 0.9".to_owned()
            })?;
        }
        Ok(())
    }
}

impl OptimizerName {
    /// As an option has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Adam => "adam",
            Self::AdamW => "adamw",
            Self::Sgd => "sgd",
        }
    }

    /// All.
    pub const ALL: [Self; 3] = [Self::Adam, Self::AdamW, Self::Sgd];
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(options: OptimizerOptions) -> String {
        let checked = options.spec().and_then(OptimizerSpec::validate);
        checked.expect_err("it has a mistake").to_string()
    }

    #[test]
    fn the_defaults_are_pytorchs() {
        let of = |name| OptimizerOptions { name, ..OptimizerOptions::default() }.spec();
        assert_eq!(of(OptimizerName::Adam), Ok(OptimizerSpec::default()));
        let adamw = OptimizerSpec::AdamW { betas: [0.9, 0.999], weight_decay: 0.01 };
        assert_eq!(of(OptimizerName::AdamW), Ok(adamw));
        let sgd = OptimizerSpec::Sgd { momentum: 0.0, nesterov: false, weight_decay: 0.0 };
        assert_eq!(of(OptimizerName::Sgd), Ok(sgd));
        for spec in [OptimizerSpec::default(), adamw, sgd] {
            assert_eq!(OptimizerOptions::from(spec).spec(), Ok(spec));
        }
    }

    #[test]
    fn constants_of_another_optimiser_and_those_out_of_range_are_refused() {
        let sgd = OptimizerOptions { name: OptimizerName::Sgd, ..OptimizerOptions::default() };
        let adam = OptimizerOptions::default();
        for (options, expected) in [
            (OptimizerOptions { betas: Some([0.9, 0.9]), ..sgd }, "--betas are constants of Adam"),
            (OptimizerOptions { momentum: Some(0.9), ..adam }, "--momentum belongs to gradient"),
            (OptimizerOptions { nesterov: true, ..adam }, "--nesterov belongs to gradient descent"),
            (OptimizerOptions { nesterov: true, ..sgd }, "--nesterov needs a momentum"),
            (OptimizerOptions { momentum: Some(1.0), ..sgd }, "--momentum is 1: expected"),
            (OptimizerOptions { betas: Some([0.9, 1.0]), ..adam }, "--betas are 0.9,1: expected"),
            (OptimizerOptions { weight_decay: Some(-0.1), ..adam }, "--weight-decay is -0.1"),
            (OptimizerOptions { weight_decay: Some(f64::NAN), ..sgd }, "--weight-decay is NaN"),
        ] {
            let message = refused(options);
            assert!(message.starts_with(expected), "{message}");
        }
    }
}
