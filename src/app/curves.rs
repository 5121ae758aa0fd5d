//! Loss and accuracy over time.

mod comparison;
mod evaluations;
mod marks;
mod measures;
mod past;
mod range;
mod rates;
mod readings;
mod sight;
mod spans;
mod values;

use std::collections::VecDeque;

use super::held::Held;
use crate::{
    metrics::{Bucket, Series},
    protocol::{
        Break, Breakpoint, EpochRecord, EvalPoint, Evaluation, RateChange, Rewound, RunInfo,
    },
};

pub use comparison::Comparison;
pub use evaluations::Evaluations;
pub use marks::Marks;
pub use measures::{Measures, Span};
pub use past::{Past, Pasts};
pub use range::Range;
pub use rates::LearningRates;
pub use readings::{Gauge, ReadingSpan, Readings};
pub use sight::Sight;
pub use values::Values;

/// The run's curves, in memory that grows with neither its steps nor its epochs.
#[derive(Debug)]
pub struct Curves {
    /// Training loss of every step.
    pub loss: Series,
    /// Evaluations, oldest first.
    pub evaluations: Evaluations,
    /// Learning rate of every step.
    pub rates: LearningRates,
    /// Norms of gradients and updates.
    pub measures: Measures,
    /// What the machine did.
    pub machine: Readings,
    /// Steps that the run will have.
    pub expected: u64,
    /// Curves that the run has left by rewinding.
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
    /// That chart's axis advances by this many steps at a time.
    pub const RECENT_SHIFT: u64 = 200;

    /// Empty curves for a run.
    pub fn new(info: &RunInfo) -> Self {
        let window = (SMOOTHED_IMAGES / info.batch_size.max(1) as f64).max(SMOOTHED_STEPS);
        Self { marks: Marks::new(info.learning_rate), ..Self::sized(info.total_steps, window) }
    }

    fn sized(expected: u64, window: f64) -> Self {
        Self {
            loss: Series::new(window),
            evaluations: Evaluations::default(),
            rates: LearningRates::default(),
            measures: Measures::default(),
            machine: Readings::default(),
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
        if self.pasts.is_longest(self.loss.steps()) {
            self.pasts.leave(Past::of(self));
        }
        if let Some(ahead) = self.pasts.ahead().filter(|_| to.step > self.loss.steps()) {
            self.loss = ahead.loss.clone();
            self.evaluations.clone_from(&ahead.evaluations);
            self.rates.clone_from(&ahead.rates);
            self.measures.clone_from(&ahead.measures);
            self.machine.take_over(&ahead.machine);
        }
        self.loss.go_back(to.step, &to.tail);
        self.evaluations.go_back(to.step);
        self.rates.go_back(to.step);
        self.measures.go_back(to.step);
        self.machine.go_back(to.step);
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

    /// Adds the evaluation of an epoch.
    pub fn epoch_ended(&mut self, record: &EpochRecord) {
        self.evaluations.push(EvalPoint::of_epoch(record));
    }

    /// Evaluations that the run has left by rewinding.
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

    /// The last step that is known, ahead of where the run is or on a branch that it has left.
    pub(super) fn known(&self) -> u64 {
        let pasts = self.pasts.drawn(self.loss.steps()).map(|(_, past)| past.loss.steps());
        pasts.fold(self.loss.steps(), u64::max)
    }
}

#[cfg(test)]
mod tests;
