//! What a run had trained beyond the step that it has gone back to.

use std::collections::VecDeque;

use super::{Curves, Evaluations, LearningRates, Measures, Readings};
use crate::metrics::Series;

/// A curve that the run has left.
#[derive(Clone, Debug)]
pub struct Past {
    /// Training loss of every step, those before the leave included.
    pub loss: Series,
    /// Evaluations, oldest first.
    pub evaluations: Evaluations,
    /// The learning rates of its steps.
    pub rates: LearningRates,
    /// Norms of its gradients and updates.
    pub measures: Measures,
    /// What the machine did in them.
    pub machine: Readings,
    /// Step that the run went on from another way; meaningless while it may still go this way.
    from: u64,
    /// A letter, once it was given up.
    pub name: Option<char>,
}

/// Curves that the run has left, in bounded memory.
#[derive(Debug, Default)]
pub struct Pasts {
    /// What is trained again as it was, unless the learning rate is changed before.
    ahead: Option<Past>,
    /// What was given up, oldest first.
    abandoned: VecDeque<Past>,
    /// Curves that were given up so far.
    count: u8,
}

impl Past {
    /// The curve of the run as it stands.
    pub(super) fn of(curves: &Curves) -> Self {
        Self {
            loss: curves.loss.clone(),
            evaluations: curves.evaluations.clone(),
            rates: curves.rates.clone(),
            measures: curves.measures.clone(),
            machine: curves.machine.clone(),
            from: 0,
            name: None,
        }
    }

    /// Step that the run went on from another way.
    pub(super) fn from(&self) -> u64 {
        self.from
    }
}

impl Pasts {
    /// Curves that are kept of those given up.
    const MOST: usize = 4;

    /// Whether a curve of this many steps is longer than the one ahead. Only the longest is kept: the others are
    /// parts of it.
    pub(super) fn is_longest(&self, steps: u64) -> bool {
        self.ahead.as_ref().is_none_or(|ahead| ahead.loss.steps() < steps)
    }

    /// The run has left the end of this curve for an earlier step.
    pub(super) fn leave(&mut self, past: Past) {
        self.ahead = Some(past);
    }

    /// The run stands at `step`: nothing is ahead of its end.
    pub(super) fn reach(&mut self, step: u64) {
        self.ahead.take_if(|ahead| ahead.loss.steps() <= step);
    }

    /// The run goes on from `step` in another way.
    pub(super) fn branch(&mut self, step: u64) {
        if let Some(past) = self.ahead.take() {
            if self.abandoned.len() == Self::MOST {
                self.abandoned.pop_front();
            }
            let name = Some(char::from(b'A' + self.count % 26));
            self.count = self.count.wrapping_add(1) % 26;
            self.abandoned.push_back(Past { from: step, name, ..past });
        }
    }

    /// What was trained beyond the step where the run stands and is still to be trained that way.
    pub fn ahead(&self) -> Option<&Past> {
        self.ahead.as_ref()
    }

    /// Each curve to draw under that of the run, which stands at `step`, from where it leaves it.
    pub fn drawn(&self, step: u64) -> impl Iterator<Item = (u64, &Past)> {
        let abandoned = self.abandoned.iter().map(|past| (past.from, past));
        abandoned.chain(self.ahead.iter().map(move |past| (step, past)))
    }

    /// The curves that were given up, the newest first.
    pub fn abandoned(&self) -> impl Iterator<Item = &Past> {
        self.abandoned.iter().rev()
    }

    /// Whether nothing was left.
    pub fn is_empty(&self) -> bool {
        self.ahead.is_none() && self.abandoned.is_empty()
    }
}
