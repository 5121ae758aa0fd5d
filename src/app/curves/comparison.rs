//! The run next to what it has given up.

use super::{Curves, Past};
use crate::protocol::EvalPoint;

/// What a branch has brought, at the last step at which both were evaluated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Comparison {
    /// The curve that was given up.
    pub name: char,
    /// The step.
    pub step: u64,
    /// Loss of the evaluation, less the one that was given up.
    pub loss: f64,
    /// Accuracy in 0..=1, less the one that was given up.
    pub accuracy: f64,
}

impl Curves {
    /// The run next to the newest of the curves that it can be compared with.
    pub fn comparison(&self) -> Option<Comparison> {
        self.pasts.abandoned().find_map(|past| self.compare(past))
    }

    fn compare(&self, past: &Past) -> Option<Comparison> {
        let name = past.name?;
        let later = |point: &&EvalPoint| point.step > past.from();
        let mut here = self.evaluations.iter().rev().take_while(later);
        let there = |step: u64| past.evaluations.iter().find(|evaluation| evaluation.step == step);
        let (here, there) = here.find_map(|point| Some((point, there(point.step)?)))?;
        let less = |here: f32, there: f32| f64::from(here) - f64::from(there);
        Some(Comparison {
            name,
            step: here.step,
            loss: less(here.loss, there.loss),
            accuracy: less(here.accuracy, there.accuracy),
        })
    }
}
