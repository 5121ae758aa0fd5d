//! Conditions that pause a run.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A condition that pauses the run once it is met. Reads and prints as people write it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Breakpoint {
    /// `epoch`: an epoch was evaluated.
    Epoch,
    /// `step=N`: the step was trained.
    Step(u64),
    /// `loss>X`: a batch's mean loss is above X.
    LossAbove(f64),
    /// `spike` or `spike=N`: a batch's mean loss is more than N standard deviations above its recent mean.
    Spike(f64),
    /// `nan`: a loss or a gradient is not finite.
    NotFinite,
    /// `accuracy>=X`: an evaluation recognises at least this share, in 0..=1.
    Accuracy(f64),
}

/// Standard deviations that `spike` alone stands for.
pub const SPIKE: f64 = 6.0;

const EXPECTED: &str = "expected epoch, step=N, loss>X, spike, spike=N, nan or accuracy>=X";

impl FromStr for Breakpoint {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        let text = text.to_lowercase();
        match text.as_str() {
            "epoch" => return Ok(Self::Epoch),
            "spike" => return Ok(Self::Spike(SPIKE)),
            "nan" => return Ok(Self::NotFinite),
            _ => {}
        }
        if let Some(step) = text.strip_prefix("step=") {
            return match step.parse() {
                Ok(step) if step > 0 => Ok(Self::Step(step)),
                _ => Err(format!("step={step}: expected a whole number of at least 1")),
            };
        }
        if let Some(loss) = text.strip_prefix("loss>").filter(|rest| !rest.starts_with('=')) {
            return positive(loss)
                .map(Self::LossAbove)
                .ok_or_else(|| format!("loss>{loss}: expected a number above 0"));
        }
        if let Some(deviations) = text.strip_prefix("spike=") {
            return positive(deviations).map(Self::Spike).ok_or_else(|| {
                format!("spike={deviations}: expected a number of standard deviations above 0")
            });
        }
        if let Some(share) = text.strip_prefix("accuracy>=") {
            let given = match share.strip_suffix('%') {
                Some(percent) => positive(percent).map(|percent| percent / 100.0),
                None => positive(share),
            };
            return given.filter(|&share| share <= 1.0).map(Self::Accuracy).ok_or_else(|| {
                format!("accuracy>={share}: expected a share up to 1, or percent, such as 98%")
            });
        }
        Err(EXPECTED.to_owned())
    }
}

fn positive(text: &str) -> Option<f64> {
    text.parse().ok().filter(|value: &f64| value.is_finite() && *value > 0.0)
}

impl fmt::Display for Breakpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Epoch => f.write_str("epoch"),
            Self::Step(step) => write!(f, "step={step}"),
            Self::LossAbove(loss) => write!(f, "loss>{loss}"),
            Self::Spike(deviations) if *deviations == SPIKE => f.write_str("spike"),
            Self::Spike(deviations) => write!(f, "spike={deviations}"),
            Self::NotFinite => f.write_str("nan"),
            Self::Accuracy(share) => write!(f, "accuracy>={share}"),
        }
    }
}

impl From<Breakpoint> for String {
    fn from(breakpoint: Breakpoint) -> Self {
        breakpoint.to_string()
    }
}

impl TryFrom<String> for Breakpoint {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn breakpoints_read_as_they_print() {
        for text in ["epoch", "step=300", "loss>0.5", "spike", "spike=4.5", "nan", "accuracy>=0.98"]
        {
            assert_eq!(text.parse::<Breakpoint>().expect("valid").to_string(), text);
        }
        assert_eq!("accuracy >= 98%".parse(), Ok(Breakpoint::Accuracy(0.98)));
        assert_eq!("Loss > 2".parse(), Ok(Breakpoint::LossAbove(2.0)));
        assert_eq!("spike".parse(), Ok(Breakpoint::Spike(SPIKE)));
    }

    #[test]
    fn what_is_wrong_is_said_with_what_is_expected() {
        let refused = |text: &str| text.parse::<Breakpoint>().expect_err("not a breakpoint");
        assert!(refused("sometimes").contains("expected epoch, step=N"));
        assert!(refused("step=0").contains("at least 1"));
        assert!(refused("step=-3").contains("at least 1"));
        assert!(refused("loss>=1").contains("expected epoch"));
        for text in ["loss>", "loss>-1", "loss>nan", "loss>inf", "loss>1e999", "spike=0"] {
            assert!(refused(text).contains("expected a number"), "{text}");
        }
        for text in ["accuracy>=1.1", "accuracy>=98", "accuracy>=101%", "accuracy>=%"] {
            assert!(refused(text).contains("such as 98%"), "{text}");
        }
    }
}
