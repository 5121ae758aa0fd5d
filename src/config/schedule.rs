//! `--schedule`: how the learning rate changes in the course of a run.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

use super::{ConfigError, ensure};

/// The form of a [`Schedule`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// One rate.
    #[default]
    Constant,
    /// Down in a straight line.
    Linear,
    /// Down along half a cosine (Loshchilov & Hutter, 2017).
    Cosine,
    /// Up from a 25th and down along half a cosine each (Smith & Topin, 2018).
    OneCycle,
    /// Down by the same factor at half and at three quarters.
    Step,
}

impl Shape {
    /// All.
    pub const ALL: [Self; 5] =
        [Self::Constant, Self::Linear, Self::Cosine, Self::OneCycle, Self::Step];

    /// As an option has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Constant => "constant",
            Self::Linear => "linear",
            Self::Cosine => "cosine",
            Self::OneCycle => "one-cycle",
            Self::Step => "step",
        }
    }

    /// The last rate, as a share of the highest, unless another one is asked for.
    fn floor(self) -> f64 {
        match self {
            Self::Constant => 1.0,
            Self::Linear | Self::Cosine => 0.0,
            Self::OneCycle => START / 1e4,
            Self::Step => 1e-2,
        }
    }
}

/// The first rate of one cycle, as a share of the highest.
const START: f64 = 1.0 / 25.0;
/// Share of one cycle's steps in which the rate rises.
const RISING: f64 = 0.3;

/// The schedule that was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ScheduleSpec {
    /// Its form.
    #[serde(rename = "kind", alias = "shape")]
    pub shape: Shape,
    /// Steps in which the rate first rises to its highest.
    #[serde(default)]
    pub warmup: u64,
    /// The rate at the end; `None` for the form's own.
    #[serde(default)]
    pub final_rate: Option<f64>,
    /// Steps that it spans; `None` for all of the run. A run that is trained further than it was first
    /// asked for keeps the schedule of the steps that it has trained.
    #[serde(default)]
    pub steps: Option<u64>,
}

/// A learning rate over the steps of a run, as shares of the highest.
///
/// It has no state: a run that is rewound or resumed has the same rates again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Schedule {
    /// Its form.
    pub shape: Shape,
    /// Steps in which the rate first rises to its highest.
    pub warmup: u64,
    /// The last rate.
    pub floor: f64,
    /// Steps that it spans; from there on, the last rate applies.
    pub steps: u64,
}

impl ScheduleSpec {
    /// The schedule of a run of `steps` steps whose highest rate is `peak`.
    pub fn over(self, steps: u64, peak: f64) -> Schedule {
        let Self { shape, warmup, final_rate, .. } = self;
        let floor = final_rate.map_or(shape.floor(), |rate| rate / peak);
        Schedule { shape, warmup, floor, steps: self.steps.unwrap_or(steps) }
    }

    pub(super) fn validate(self) -> Result<(), ConfigError> {
        let Some(rate) = self.final_rate else { return Ok(()) };
        ensure(rate.is_finite() && rate >= 0.0, || {
            format!("--final-lr is {rate}: expected a finite number, 0 or more")
        })?;
        ensure(self.shape != Shape::Constant, || {
            "--final-lr is for a rate that changes: expected --schedule linear, cosine, one-cycle or step"
                .to_owned()
        })
    }
}

impl Schedule {
    /// The rate of a step (from 1) as a share of the highest: of each form with its warm-up that of
    /// `PyTorch`'s `LinearLR`, `CosineAnnealingLR`, `OneCycleLR` or `MultiStepLR`.
    pub fn factor(&self, step: u64) -> f64 {
        let Self { shape, warmup, floor, steps } = *self;
        let done = step.saturating_sub(1);
        if shape == Shape::OneCycle {
            return self.cycle(done.min(steps.saturating_sub(1)) as f64);
        }
        if done < warmup {
            return step.max(1) as f64 / warmup as f64;
        }
        let span = steps.saturating_sub(warmup).max(1);
        // Past the end every form stays where it has arrived.
        let (done, span) = ((done - warmup).min(span) as f64, span as f64);
        match shape {
            Shape::Constant | Shape::OneCycle => 1.0,
            Shape::Linear => 1.0 + (floor - 1.0) * done / span,
            Shape::Cosine => eased(1.0, floor, done / span),
            Shape::Step if done < (span / 2.0).floor() => 1.0,
            Shape::Step if done < (span * 0.75).floor() => floor.sqrt(),
            Shape::Step => floor,
        }
    }

    /// The one-cycle factor after `done` steps.
    fn cycle(&self, done: f64) -> f64 {
        let last = self.steps.saturating_sub(1) as f64;
        let rising = if self.warmup > 0 {
            self.warmup as f64 - 1.0
        } else {
            RISING * self.steps as f64 - 1.0
        };
        let rising = rising.clamp(0.0, last);
        if done < rising {
            eased(START, 1.0, done / rising)
        } else {
            eased(1.0, self.floor, (done - rising) / (last - rising).max(1.0))
        }
    }
}

/// From `from` to `to` along half a cosine.
fn eased(from: f64, to: f64, share: f64) -> f64 {
    to + (from - to) * (1.0 + (PI * share).cos()) / 2.0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn schedule(shape: Shape, warmup: u64) -> Schedule {
        ScheduleSpec { shape, warmup, ..ScheduleSpec::default() }.over(200, 0.01)
    }

    /// What `PyTorch` 2.15 sets for some of 200 steps, and the sum of all, at a highest rate of 1:
    /// tests/fixtures/torch/optimizers.py.
    #[rustfmt::skip]
    #[expect(clippy::type_complexity, reason = "a table")]
    const PYTORCH: &[(Shape, u64, [(u64, f64); 5], f64)] = &[
        (Shape::Constant, 0, [(1, 1.0), (15, 1.0), (61, 1.0), (130, 1.0), (200, 1.0)], 200.0),
        (Shape::Constant, 20, [(1, 0.05), (15, 0.75), (61, 1.0), (130, 1.0), (200, 1.0)], 190.5),
        (Shape::Linear, 0, [(1, 1.0), (15, 0.93), (61, 0.7), (130, 0.355), (200, 0.005)], 100.5),
        (Shape::Linear, 20, [(1, 0.05), (15, 0.75), (61, 0.777_777_777_8), (130, 0.394_444_444_4), (200, 0.005_555_555_6)], 101.0),
        (Shape::Cosine, 0, [(1, 1.0), (15, 0.987_958_381), (61, 0.793_892_626_1), (130, 0.280_030_415_1), (200, 0.000_061_683_8)], 100.5),
        (Shape::Cosine, 20, [(1, 0.05), (15, 0.75), (61, 0.883_022_221_6), (130, 0.337_215_922_8), (200, 0.000_076_152_4)], 101.0),
        (Shape::Step, 0, [(1, 1.0), (15, 1.0), (61, 1.0), (130, 0.1), (200, 0.01)], 105.5),
        (Shape::Step, 20, [(1, 0.05), (15, 0.75), (61, 1.0), (130, 0.1), (200, 0.01)], 105.45),
        (Shape::OneCycle, 0, [(1, 0.04), (15, 0.167_308_407_6), (61, 0.999_874_118), (130, 0.500_002), (200, 0.000_004)], 100.700_282),
    ];

    #[test]
    fn rates_are_those_of_pytorch_over_200_steps() {
        assert_eq!(PYTORCH.len(), 9);
        for &(shape, warmup, points, sum) in PYTORCH {
            let schedule = schedule(shape, warmup);
            for (step, expected) in points {
                let found = schedule.factor(step);
                assert!((found - expected).abs() < 1e-9, "{schedule:?} at {step}: {found}");
            }
            let found: f64 = (1..=200).map(|step| schedule.factor(step)).sum();
            assert!((found - sum).abs() < 1e-8, "{schedule:?}: {found} for {sum}");
        }
    }

    #[test]
    fn a_final_rate_is_where_a_schedule_ends_and_stays() {
        for shape in [Shape::Linear, Shape::Cosine, Shape::OneCycle, Shape::Step] {
            let spec = ScheduleSpec { shape, final_rate: Some(0.002), ..ScheduleSpec::default() };
            let schedule = spec.over(100, 0.01);
            let ends = [101, 1_000_000].map(|step| schedule.factor(step));
            assert!(ends.iter().all(|end| (end - 0.2).abs() < 1e-12), "{schedule:?}: {ends:?}");
        }
        let further =
            ScheduleSpec { shape: Shape::Linear, steps: Some(50), ..ScheduleSpec::default() };
        assert_eq!(further.over(100, 0.01).factor(51), 0.0);
    }

    #[test]
    fn a_final_rate_needs_a_schedule_and_must_be_a_rate() {
        let refused = |shape, rate| {
            let spec = ScheduleSpec { shape, final_rate: Some(rate), ..ScheduleSpec::default() };
            spec.validate().expect_err("refused").to_string()
        };
        assert!(refused(Shape::Constant, 0.1).starts_with("--final-lr is for a rate that changes"));
        assert!(refused(Shape::Cosine, -0.1).starts_with("--final-lr is -0.1"));
        assert!(refused(Shape::Step, f64::NAN).starts_with("--final-lr is NaN"));
    }

    proptest! {
        #[test]
        fn every_factor_is_a_number_between_nothing_and_the_highest(
            shape in prop::sample::select(Shape::ALL.to_vec()),
            (warmup, steps, step) in (0_u64..50, 0_u64..50, any::<u64>()),
            near in 0_u64..60,
        ) {
            let spec = ScheduleSpec { shape, warmup, ..ScheduleSpec::default() };
            let schedule = spec.over(steps, 0.5);
            for step in [step, near] {
                let factor = schedule.factor(step);
                prop_assert!((-1e-12..=1.0 + 1e-12).contains(&factor), "{schedule:?} at {step}: {factor}");
            }
        }
    }
}
