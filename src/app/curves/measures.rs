//! Norms of gradients and updates, in memory that does not grow with the steps.

use super::spans::{self, Span as _};
use crate::protocol::Measure;

/// What was measured of neighbouring steps: the lowest and the highest value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Span {
    /// The first of the steps that were measured.
    pub first: u64,
    /// The last of them.
    pub last: u64,
    /// Norms of the gradient.
    pub gradient_norm: (f32, f32),
    /// Norms of the update, divided by those of the weights.
    pub update_ratio: (f32, f32),
}

impl Span {
    fn of(measure: Measure) -> Self {
        let Measure { step, gradient_norm, update_ratio } = measure;
        Self {
            first: step,
            last: step,
            gradient_norm: (gradient_norm, gradient_norm),
            update_ratio: (update_ratio, update_ratio),
        }
    }

    fn is_finite(&self) -> bool {
        self.gradient_norm.1.is_finite() && self.update_ratio.1.is_finite()
    }
}

impl spans::Span for Span {
    fn steps(&self) -> (u64, u64) {
        (self.first, self.last)
    }

    fn join(self, later: Self) -> Self {
        let both = |a: (f32, f32), b: (f32, f32)| (a.0.min(b.0), a.1.max(b.1));
        Self {
            first: self.first,
            last: later.last,
            gradient_norm: both(self.gradient_norm, later.gradient_norm),
            update_ratio: both(self.update_ratio, later.update_ratio),
        }
    }
}

/// What was measured of the run, by rising step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Measures {
    spans: Vec<Span>,
    /// Steps that a span covers before another one begins: 1 until there are too many of them.
    shortest: u64,
}

impl Measures {
    /// Most spans that are kept: more than the columns of a wide chart.
    const MOST: usize = 2_048;

    /// Adds what was measured of a later step.
    pub(in crate::app) fn push(&mut self, measure: Measure) {
        let new = Span::of(measure);
        match self.spans.last_mut() {
            Some(last) if last.last >= new.first => {}
            // A value that is not finite would disappear among others.
            Some(last)
                if new.first - last.first < self.shortest
                    && last.is_finite() == new.is_finite() =>
            {
                *last = last.join(new);
            }
            _ => self.spans.push(new),
        }
        if self.spans.len() > Self::MOST {
            self.shortest = spans::halve(&mut self.spans, Self::MOST).unwrap_or(self.shortest);
        }
    }

    /// Forgets the steps after `step`, and those before it that were joined with one of them.
    pub(super) fn go_back(&mut self, step: u64) {
        self.spans.retain(|span| span.last <= step);
    }

    /// What was measured, oldest first.
    pub fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// What was measured last up to a step.
    pub fn up_to(&self, step: u64) -> Option<&Span> {
        self.spans[..self.spans.partition_point(|span| span.first <= step)].last()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measure(step: u64, value: f32) -> Measure {
        Measure { step, gradient_norm: value, update_ratio: value / 1e3 }
    }

    #[test]
    fn what_is_measured_of_later_steps_is_forgotten_with_them() {
        let mut measures = Measures::default();
        for step in [10, 20, 20, 15, 30] {
            measures.push(measure(step, step as f32));
        }
        let steps: Vec<u64> = measures.spans().iter().map(|span| span.last).collect();
        assert_eq!(steps, [10, 20, 30]);
        let at = |step| measures.up_to(step).map(|span| span.gradient_norm.0);
        assert_eq!((at(9), at(29), at(99)), (None, Some(20.0), Some(30.0)));
        measures.go_back(25);
        assert_eq!(measures.spans().len(), 2);
        measures.push(measure(26, 1.0));
        assert_eq!(measures.up_to(26).map(|span| span.update_ratio), Some((1e-3, 1e-3)));
    }

    #[test]
    fn what_was_joined_with_steps_that_are_given_up_goes_with_them() {
        let mut measures = Measures::default();
        (1..=5_000).for_each(|step| measures.push(measure(step, 0.5)));
        let joined = *measures.spans().iter().find(|span| span.last > span.first).expect("some");
        measures.go_back(joined.first);
        assert!(measures.spans().iter().all(|span| span.last <= joined.first));
        measures.push(measure(joined.first + 1, 7.0));
        let last = measures.up_to(u64::MAX).expect("the new one");
        assert_eq!((last.first, last.gradient_norm), (joined.first + 1, (7.0, 7.0)));
    }

    #[test]
    fn memory_is_bounded_and_no_extreme_is_lost() {
        let mut measures = Measures::default();
        for step in 1..=100_000 {
            measures.push(measure(step, if step == 4_321 { 9.0 } else { 0.5 }));
        }
        let spans = measures.spans();
        assert!(spans.len() <= Measures::MOST, "{}", spans.len());
        assert!(spans.iter().any(|span| span.gradient_norm.1 == 9.0));
        assert!(spans.iter().all(|span| span.last - span.first < 200));
        assert_eq!(spans.last().map(|span| span.last), Some(100_000));
    }
}
