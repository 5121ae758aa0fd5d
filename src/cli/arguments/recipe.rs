//! How a network is trained: optimiser, schedule and regularisation.

use clap::{Args, ValueEnum, builder::PossibleValue};

use super::{OPTIMISER, REGULARISATION, number, whole};
use crate::config::{
    Augment, ConfigError, OptimizerName, OptimizerOptions, OptimizerSpec, ScheduleSpec, Shape,
};

#[derive(Debug, Args)]
pub(in crate::cli) struct RecipeArgs {
    /// The optimiser: adam, adamw or sgd
    #[arg(long, value_name = "NAME", default_value = "adam", hide_possible_values = true, help_heading = OPTIMISER)]
    optimizer: OptimizerName,
    /// Weight decay, as PyTorch's class of the optimiser has it [default: 0, of adamw 0.01]
    #[arg(long, value_name = "F", value_parser = number, allow_negative_numbers = true, help_heading = OPTIMISER)]
    weight_decay: Option<f64>,
    /// Decay of Adam's two running means [default: 0.9,0.999]
    #[arg(long, value_name = "F,F", value_parser = pair, allow_hyphen_values = true, help_heading = OPTIMISER)]
    betas: Option<[f64; 2]>,
    /// Momentum of sgd [default: 0]
    #[arg(long, value_name = "F", value_parser = number, allow_negative_numbers = true, help_heading = OPTIMISER)]
    momentum: Option<f64>,
    /// Nesterov's form of the momentum
    #[arg(long, help_heading = OPTIMISER)]
    nesterov: bool,
    /// Shorten gradients whose norm is above F
    #[arg(long, value_name = "F", value_parser = number, allow_negative_numbers = true, help_heading = OPTIMISER)]
    pub(super) clip_norm: Option<f64>,
    /// How the learning rate changes over the run: constant, linear, cosine, one-cycle or step; --lr is
    /// the highest rate
    #[arg(long, value_name = "NAME", default_value = "constant", hide_possible_values = true, help_heading = OPTIMISER)]
    schedule: Shape,
    /// Steps in which the learning rate first rises to its highest [default: 0; for one-cycle 30 % of
    /// all]
    #[arg(long, value_name = "N", value_parser = whole::<u64>, allow_negative_numbers = true, help_heading = OPTIMISER)]
    warmup: Option<u64>,
    /// The learning rate at the end of the schedule [default: 0; for one-cycle --lr / 250,000, for
    /// step --lr / 100]
    #[arg(long, value_name = "F", value_parser = number, allow_negative_numbers = true, help_heading = OPTIMISER)]
    final_lr: Option<f64>,

    /// Distort training images at random: none, light (shift=2,rotate=10,scale=0.1,shear=5), strong
    /// (shift=3,rotate=15,scale=0.15,shear=10,elastic=1,erase=0.1), or a list of maximum amounts like these
    /// (pixels, degrees, a share, degrees, pixels, a probability)
    #[arg(long, value_name = "none|light|strong|LIST", default_value_t = Augment::default(), allow_hyphen_values = true, help_heading = REGULARISATION)]
    pub(super) augment: Augment,
    /// Share of each label that is spread over all classes
    #[arg(long, value_name = "F", default_value_t = 0.0, value_parser = number, allow_negative_numbers = true, help_heading = REGULARISATION)]
    pub(super) label_smoothing: f64,
    /// Probability of the network's dropout layers, in place of their own
    #[arg(long, value_name = "P", value_parser = number, allow_negative_numbers = true, help_heading = REGULARISATION)]
    pub(super) dropout: Option<f64>,
    /// Evaluate and save weights averaged over the steps, with this decay, such as 0.999
    #[arg(long, value_name = "DECAY", value_parser = number, allow_negative_numbers = true, help_heading = REGULARISATION)]
    pub(super) ema: Option<f64>,
    /// Stop after N epochs without a better evaluation; needs --validation
    #[arg(long, value_name = "N", value_parser = whole::<u32>, allow_negative_numbers = true, help_heading = REGULARISATION)]
    pub(super) early_stop: Option<u32>,
}

impl RecipeArgs {
    /// The optimiser that they describe.
    pub(super) fn optimizer(&self) -> Result<OptimizerSpec, ConfigError> {
        let Self { optimizer: name, weight_decay, betas, momentum, nesterov, .. } = *self;
        OptimizerOptions { name, weight_decay, betas, momentum, nesterov }.spec()
    }

    /// The schedule that they describe.
    pub(super) fn schedule(&self) -> ScheduleSpec {
        let Self { schedule: shape, warmup, final_lr: final_rate, .. } = *self;
        let warmup = match (shape, warmup) {
            // One-cycle takes 0 as its own; with one step of warm-up it begins at the highest rate.
            (Shape::OneCycle, Some(0)) => 1,
            (_, warmup) => warmup.unwrap_or(0),
        };
        ScheduleSpec { shape, warmup, final_rate, steps: None }
    }
}

fn pair(text: &str) -> Result<[f64; 2], String> {
    let numbers = text.split_once(',').map(|(first, second)| [first, second].map(number));
    match numbers {
        Some([Ok(first), Ok(second)]) => Ok([first, second]),
        _ => Err("expected two numbers with a comma between them, such as 0.9,0.999".to_owned()),
    }
}

impl ValueEnum for OptimizerName {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.name()))
    }
}

impl ValueEnum for Shape {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.name()))
    }
}
