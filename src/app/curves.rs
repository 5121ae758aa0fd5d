//! Loss and accuracy over time.

use std::collections::VecDeque;

use super::held::Held;
use crate::{
    metrics::{Bucket, Series},
    protocol::{Evaluation, RunInfo},
};

/// Which steps the loss chart shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Range {
    /// All of them, those to come included.
    #[default]
    WholeRun,
    /// The last [`Curves::RECENT`].
    Recent,
}

impl Range {
    /// The other choice.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::WholeRun => Self::Recent,
            Self::Recent => Self::WholeRun,
        }
    }
}

/// An evaluation's place on the curves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EvalPoint {
    /// Steps trained before it.
    pub step: u64,
    /// Mean cross-entropy.
    pub loss: f32,
    /// Share of images recognised, in 0..=1.
    pub accuracy: f32,
}

/// The run's curves, in memory that does not grow with its steps.
#[derive(Debug)]
pub struct Curves {
    /// Training loss of every step.
    pub loss: Series,
    /// Evaluations, oldest first.
    pub evaluations: Vec<EvalPoint>,
    /// Steps that the run will have.
    pub expected: u64,
    recent: VecDeque<Bucket>,
    /// What the chart of recent steps shows of them.
    shown: Held<Recent>,
}

/// The last steps at some moment, one bucket each.
#[derive(Clone, Debug)]
struct Recent {
    first: u64,
    steps: Vec<Bucket>,
}

/// Seconds that the chart of recent steps stays while training goes on: it changes as a whole.
const RECENT_DWELL: f64 = 2.0;

impl Default for Curves {
    fn default() -> Self {
        Self::sized(0, 1.0)
    }
}

/// The smoothed line averages over about this many images, whatever the batch size.
const SMOOTHED_IMAGES: f64 = 2_500.0;
/// ... but over no fewer steps than this.
const SMOOTHED_STEPS: f64 = 10.0;

impl Curves {
    /// Steps that the chart of recent steps spans.
    pub const RECENT: u64 = 1_000;
    /// That chart's axis moves on by so many steps at a time.
    pub const RECENT_SHIFT: u64 = 200;

    /// Empty curves for a run.
    pub fn new(info: &RunInfo) -> Self {
        let window = (SMOOTHED_IMAGES / info.batch_size.max(1) as f64).max(SMOOTHED_STEPS);
        Self::sized(info.total_steps, window)
    }

    fn sized(expected: u64, window: f64) -> Self {
        Self {
            loss: Series::new(expected, window),
            evaluations: Vec::new(),
            expected,
            recent: VecDeque::new(),
            shown: Held::new(RECENT_DWELL),
        }
    }

    /// Adds the losses of the next steps.
    pub fn extend(&mut self, losses: &[f32]) {
        for &loss in losses {
            self.loss.push(loss);
            if self.recent.len() as u64 == Self::RECENT {
                self.recent.pop_front();
            }
            self.recent.push_back(Bucket::of_step(loss, self.loss.smooth()));
        }
    }

    /// Adds an evaluation made after `step`.
    pub fn evaluated(&mut self, step: u64, evaluation: &Evaluation) {
        self.evaluations.push(EvalPoint {
            step,
            loss: evaluation.loss as f32,
            accuracy: evaluation.accuracy() as f32,
        });
    }

    /// Brings the chart of recent steps up to date if it has stood long enough, or `at_once`.
    pub(super) fn refresh(&mut self, now: f64, at_once: bool) {
        if self.shown.is_due(now, at_once) && !self.recent.is_empty() {
            let first = self.loss.steps() - self.recent.len() as u64;
            self.shown.offer(Recent { first, steps: self.recent.iter().copied().collect() });
            self.shown.refresh(now, at_once);
        }
    }

    /// First and last step (exclusive, inclusive) of the chart's horizontal axis.
    pub fn span(&self, range: Range) -> (u64, u64) {
        match range {
            Range::WholeRun => (0, self.expected.max(self.loss.steps()).max(1)),
            Range::Recent => {
                let shown = self.shown.shown();
                let last = shown.map_or(0, |recent| recent.first + recent.steps.len() as u64);
                let end = last.next_multiple_of(Self::RECENT_SHIFT).max(Self::RECENT);
                (end - Self::RECENT, end)
            }
        }
    }

    /// What is known of the steps after `from`, up to `to`; `None` if none of them is at hand.
    pub fn steps(&self, range: Range, from: u64, to: u64) -> Option<Bucket> {
        match range {
            Range::WholeRun => self.loss.range(from, to),
            Range::Recent => {
                let recent = self.shown.shown()?;
                let place = |step: u64| {
                    (step.saturating_sub(recent.first) as usize).min(recent.steps.len())
                };
                let steps = recent.steps[place(from).min(place(to))..place(to)].iter().copied();
                steps.reduce(Bucket::merge)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recent_steps_are_kept_one_by_one_and_older_ones_dropped() {
        let mut curves = Curves::sized(5_000_000, 10.0);
        curves.extend(&(1..=5_300).map(|step| step as f32).collect::<Vec<_>>());
        curves.refresh(1.0, true);
        assert_eq!(curves.span(Range::Recent), (4_400, 5_400));
        let one = curves.steps(Range::Recent, 5_000, 5_001).expect("recent");
        assert_eq!((one.min, one.max), (5_001.0, 5_001.0));
        assert_eq!(curves.steps(Range::Recent, 5_300, 5_301), None);
        assert_eq!(curves.steps(Range::Recent, 0, 4_300), None);
    }

    #[test]
    fn the_whole_run_spans_the_steps_to_come() {
        let mut curves = Curves::sized(12_000, 10.0);
        curves.extend(&[2.3, 2.2]);
        assert_eq!(curves.span(Range::WholeRun), (0, 12_000));
        assert_eq!(curves.steps(Range::WholeRun, 6_000, 12_000), None);
    }

    #[test]
    fn the_first_recent_steps_start_at_zero() {
        let mut curves = Curves::sized(12_000, 10.0);
        curves.extend(&[2.3, 2.2]);
        curves.refresh(1.0, false);
        assert_eq!(curves.span(Range::Recent), (0, 1_000));
        assert_eq!(curves.steps(Range::Recent, 1, 2).map(|bucket| bucket.max), Some(2.2));
    }
}
