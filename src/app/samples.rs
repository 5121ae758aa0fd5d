//! Which of the digits that arrive are shown: not so many a second that no one can look at them.

use crate::protocol::Sample;

/// Seconds of the run that digits stay while training goes on.
const DWELL: f64 = 2.0;

#[derive(Debug, Default)]
pub(super) struct Samples {
    shown: Option<Sample>,
    shown_at: f64,
    newest: Option<Sample>,
}

impl Samples {
    pub(super) fn shown(&self) -> Option<&Sample> {
        self.shown.as_ref()
    }

    /// Takes digits that arrived at `seconds`; `at_once` shows them whatever stands there.
    pub(super) fn take(&mut self, sample: Sample, seconds: f64, at_once: bool) {
        self.newest = Some(sample);
        if at_once || self.shown.is_none() || seconds - self.shown_at >= DWELL {
            self.shown_at = seconds;
            self.show_newest();
        }
    }

    /// Shows the last batch's digits, for a screen that stands still.
    pub(super) fn show_newest(&mut self) {
        if let Some(newest) = self.newest.take() {
            self.shown = Some(newest);
        }
    }
}
