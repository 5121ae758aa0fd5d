//! Loss and accuracy over time.

mod evaluations;
mod marks;
mod past;

use std::collections::VecDeque;

use super::held::Held;
use crate::{
    metrics::{Bucket, Series},
    protocol::{Break, Breakpoint, EvalPoint, Evaluation, RateChange, Rewound, RunInfo},
};

pub use evaluations::Evaluations;
pub use marks::Marks;
pub use past::{Past, Pasts};

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

/// The run's curves, in memory that grows with neither its steps nor its epochs.
#[derive(Debug)]
pub struct Curves {
    /// Training loss of every step.
    pub loss: Series,
    /// Evaluations, oldest first.
    pub evaluations: Evaluations,
    /// Steps that the run will have.
    pub expected: u64,
    /// Curves that the run has left by going back.
    pub pasts: Pasts,
    /// What was changed and found on the way.
    pub marks: Marks,
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
        Self { marks: Marks::new(info.learning_rate), ..Self::sized(info.total_steps, window) }
    }

    fn sized(expected: u64, window: f64) -> Self {
        Self {
            loss: Series::new(expected, window),
            evaluations: Evaluations::default(),
            expected,
            pasts: Pasts::default(),
            marks: Marks::default(),
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
        self.pasts.reach(self.loss.steps());
    }

    /// Goes to another step of what was trained: what lies beyond is kept as what is ahead.
    pub(super) fn go_back(&mut self, to: &Rewound) {
        self.pasts.leave(&self.loss, &self.evaluations);
        if let Some(ahead) = self.pasts.ahead().filter(|_| to.step > self.loss.steps()) {
            self.loss = ahead.loss.clone();
            self.evaluations.clone_from(&ahead.evaluations);
        }
        self.loss.go_back(to.step, &to.tail);
        self.evaluations.go_back(to.step);
        self.marks.go_back(to.step, to.learning_rate);
        self.rebuild_recent(&to.tail);
        self.pasts.reach(self.loss.steps());
    }

    fn rebuild_recent(&mut self, tail: &[f32]) {
        // A journal that is damaged may tell of more losses than there were steps.
        let known = self.loss.steps().min(Self::RECENT) as usize;
        let tail = &tail[tail.len().saturating_sub(known)..];
        let first = self.loss.steps().saturating_sub(tail.len() as u64);
        let mut smoother = self.loss.smoother_before(first);
        let smoothed = tail.iter().map(|&loss| {
            smoother.push(loss);
            Bucket::of_step(loss, smoother.value())
        });
        self.recent = smoothed.collect();
        self.shown = Held::new(RECENT_DWELL);
    }

    /// Another learning rate applies: on a branch, what is ahead is given up.
    pub(super) fn rate_changed(&mut self, change: &RateChange) {
        self.marks.set_rate(change.step, change.learning_rate);
        if change.branch {
            self.pasts.branch(change.step);
        }
    }

    /// Notes a loss that has paused the run.
    pub(super) fn broke(&mut self, hit: &Break) {
        if let Breakpoint::LossAbove(_) | Breakpoint::Spike(_) | Breakpoint::NotFinite =
            hit.breakpoint
        {
            self.marks.add_break(hit.step);
        }
    }

    /// Adds an evaluation made after `step`.
    pub fn evaluated(&mut self, step: u64, evaluation: &Evaluation) {
        self.evaluations.push(EvalPoint::new(step, evaluation));
    }

    /// Evaluations that the run has left by going back.
    pub fn past_evaluations(&self) -> impl Iterator<Item = &EvalPoint> {
        self.pasts
            .drawn(self.loss.steps())
            .flat_map(|(from, past)| past.evaluations.iter().filter(move |point| point.step > from))
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
mod tests;
