//! The steps in sight, and what is known of them.

use super::{Curves, Range, range::end_so_far};
use crate::metrics::Bucket;

/// Steps that charts show: those after `from`, up to `to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sight {
    /// The step that the axis begins with.
    pub from: u64,
    /// The step that it ends with.
    pub to: u64,
    source: Source,
}

/// Where the values of the steps in sight come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    /// The curve of the whole run. Columns that are drawn change only when its buckets are merged.
    Whole,
    /// The same, and the last steps one by one.
    Fine,
    /// The last steps as they were some time ago: they change as a whole once in a while.
    Held,
}

impl Sight {
    /// Steps that a person has chosen.
    pub fn zoomed(from: u64, to: u64) -> Self {
        Self { from, to, source: Source::Fine }
    }

    /// The same, with the last steps one by one.
    #[must_use]
    pub fn finely(self) -> Self {
        Self { source: Source::Fine, ..self }
    }
}

impl Curves {
    /// The steps that charts of a range show.
    pub fn sight(&self, range: Range) -> Sight {
        let (from, to) = match range {
            Range::SoFar => (0, end_so_far(self.known(), self.expected)),
            Range::WholeRun => (0, self.expected.max(self.known()).max(1)),
            Range::Recent => {
                let shown = self.shown.shown();
                let last = shown.map_or(0, |recent| recent.first + recent.steps.len() as u64);
                let end = last.next_multiple_of(Self::RECENT_SHIFT).max(Self::RECENT);
                (end - Self::RECENT, end)
            }
        };
        let source = if range == Range::Recent { Source::Held } else { Source::Whole };
        Sight { from, to, source }
    }

    /// What is known of the steps after `from`, up to `to`; `None` if none of them is at hand.
    pub fn steps(&self, sight: &Sight, from: u64, to: u64) -> Option<Bucket> {
        if sight.source == Source::Held {
            let recent = self.shown.shown()?;
            return within(&recent.steps, recent.first, from, to);
        }
        let first = self.loss.steps() - (self.recent.len() as u64).min(self.loss.steps());
        if sight.source == Source::Fine && from >= first {
            let (head, tail) = self.recent.as_slices();
            let middle = first + head.len() as u64;
            let parts = [within(head, first, from, to), within(tail, middle, from, to)];
            return parts.into_iter().flatten().reduce(Bucket::merge);
        }
        self.loss.range(from, to)
    }
}

/// All of the steps after `from`, up to `to`, of which `steps` has those after `first`.
fn within(steps: &[Bucket], first: u64, from: u64, to: u64) -> Option<Bucket> {
    let place = |step: u64| (step.saturating_sub(first) as usize).min(steps.len());
    let (from, to) = (place(from), place(to));
    steps.get(from.min(to)..to)?.iter().copied().reduce(Bucket::merge)
}
