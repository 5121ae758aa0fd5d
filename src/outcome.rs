//! How the program ends.

use std::process::ExitCode;

use crate::protocol::{Failure, Summary, diverged_at};

/// How a run ended, with or without a screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// As asked.
    Done,
    /// Early, since a person or a closed pipe asked for it.
    Stopped,
    /// Early, by a signal of this number.
    Signal(i32),
    /// By an error.
    Failed(Failure),
    /// With errors in parts of the work, each of them told when it came.
    Incomplete,
}

impl Outcome {
    /// An end by an error that is no mistake in what was asked for.
    #[expect(clippy::needless_pass_by_value, reason = "takes errors and `format_args!` alike")]
    pub fn failure(message: impl ToString) -> Self {
        Self::Failed(Failure::new(message.to_string()))
    }

    /// An end by a mistake in what was asked for.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::Failed(Failure::usage(message))
    }

    /// How a run ended that was not cut short by an error.
    pub fn of(summary: &Summary) -> Self {
        match summary.diverged {
            _ if summary.stopped => Self::Stopped,
            Some(step) => Self::Failed(Failure {
                diverged: Some(step),
                ..Failure::new(format!("{}; try a lower --lr", diverged_at(step)))
            }),
            None => Self::Done,
        }
    }

    /// The status the program exits with: 0 as asked or stopped, 1 failed, 2 wrong usage, and
    /// 128 and its number for a signal, as shells have it.
    pub fn status(&self) -> u8 {
        match self {
            Self::Done | Self::Stopped => 0,
            Self::Signal(signal) => 128_u8.saturating_add(u8::try_from(*signal).unwrap_or(0)),
            Self::Failed(Failure { usage: true, .. }) => 2,
            Self::Incomplete | Self::Failed(_) => 1,
        }
    }
}

impl From<&Outcome> for ExitCode {
    fn from(outcome: &Outcome) -> Self {
        Self::from(outcome.status())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_way_to_end_has_its_status() {
        let usage = Failure::usage("");
        for (outcome, status) in [
            (Outcome::Done, 0),
            (Outcome::Stopped, 0),
            (Outcome::failure("disk full"), 1),
            (Outcome::Incomplete, 1),
            (Outcome::Failed(usage), 2),
            (Outcome::Signal(15), 143),
        ] {
            assert_eq!(outcome.status(), status, "{outcome:?}");
        }
    }
}
