//! The way back from a run that diverged.

use super::App;
use crate::protocol::{Command, LEARNING_RATES};

/// Steps before the divergence that are trained again: weights grow for a while before they overflow.
const STEPS_BEFORE: u64 = 100;
/// What the learning rate is divided by.
const DIVISOR: f64 = 10.0;

/// Where to try again, and how.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Recovery {
    /// The step from which on losses or weights are not finite.
    pub diverged: u64,
    /// The step to rewind to.
    pub step: u64,
    /// The learning rate from there.
    pub learning_rate: f64,
}

impl App {
    /// What can be done about a run that has diverged; `None` where it has not, or nothing can.
    pub fn recovery(&self) -> Option<Recovery> {
        let (diverged, rate) = (self.run.diverged?, self.run.learning_rate?);
        let can_rewind = self.run.is_attended() && !self.looks_on && diverged <= self.run.step;
        can_rewind.then(|| Recovery {
            diverged,
            step: diverged.saturating_sub(STEPS_BEFORE),
            learning_rate: (rate / DIVISOR).max(LEARNING_RATES.0),
        })
    }

    /// The same, until the person dismisses the offer.
    pub fn recovery_offer(&self) -> Option<Recovery> {
        self.recovery().filter(|recovery| self.declined != Some(recovery.diverged))
    }

    /// Rewinds a run that diverged and lowers its learning rate.
    pub(super) fn recover(&mut self) -> Vec<Command> {
        let Some(Recovery { step, learning_rate, .. }) = self.recovery() else {
            self.messages.inform("The run has not diverged.");
            return Vec::new();
        };
        self.declined = None;
        let back = self.run.go_back(Command::GoTo(step));
        let rate = self.run.set_rate(learning_rate);
        back.into_iter().chain(rate).collect()
    }
}
