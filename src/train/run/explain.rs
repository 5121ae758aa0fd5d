//! Questions about the network, answered beside the training.

use std::{sync::Arc, time::Instant};

use super::Run;
use crate::{
    protocol::{Event, Question},
    train::{error::TrainError, why::Moment},
};

impl Run<'_> {
    /// Answers another question from now on, or none.
    pub(super) fn explain(&mut self, question: Option<Question>) {
        self.explainer.ask(question, Instant::now());
    }

    /// Computes a slice while training runs, where it is time for one.
    pub(super) fn explain_if_due(&mut self, now: Instant) {
        if self.explainer.is_due(self.at.step, now) {
            self.explain_slice(false);
        }
    }

    /// Computes a slice where nothing is trained; whether there is more to compute.
    pub(super) fn explain_again(&mut self) -> Result<bool, TrainError> {
        self.explainer.stand();
        if self.explainer.lacks_change(self.at.step) && self.at.step > 0 {
            self.watch_again()?;
        }
        if self.explainer.has_work(self.at.step) {
            self.explain_slice(true);
        }
        Ok(self.explainer.has_work(self.at.step))
    }

    fn explain_slice(&mut self, stands: bool) {
        let (moments, now) = (&self.moments, self.at.step);
        let snapshots = |most: usize| {
            let spread = moments.spread_up_to(now, most).into_iter();
            spread.map(|(step, it)| (step, it.learned.product().clone())).collect()
        };
        let moment = Moment {
            step: self.at.step,
            stands,
            model: self.learner.product(),
            seed: self.config.seed,
            sets: &self.sets,
            results: &self.results,
            snapshots: &snapshots,
        };
        if let Some(answer) = self.explainer.slice(&moment) {
            self.outbox.send(&Event::Explained(Arc::new(answer)));
        }
        self.outbox.deliver();
    }
}
