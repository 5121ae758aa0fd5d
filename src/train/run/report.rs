//! What the listeners are told while the run goes on.

use std::time::{Duration, Instant};

use super::Run;
use crate::{
    protocol::{Event, Progress, Query, Sample, Subject},
    train::error::TrainError,
};

/// Listeners hear of trained batches no more often than this: twice for each frame of a screen.
const HAND_OVER: Duration = Duration::from_millis(33);
/// Digits are read from the device and copied no more often than this while training runs.
const SAMPLE: Duration = Duration::from_millis(250);

impl Run<'_> {
    /// Gives the listeners the losses since the last time, and the last batch's digits if it is
    /// time for those.
    pub(super) fn hand_over(&mut self, now: Instant) -> Result<(), TrainError> {
        let sample = self.sample(now)?;
        self.agenda.hand_over = now + HAND_OVER;
        if self.losses.are_told() && sample.is_none() {
            self.outbox.deliver();
            return Ok(());
        }
        let losses = self.losses.tell()?;
        let new = losses.len() as u64;
        let first_step = self.losses.last_step() + 1 - new;
        self.outbox.send(&Event::Progress(Progress {
            epoch: self.at.epoch,
            first_step,
            first_batch: self.at.batch as u64 + 1 - new,
            losses,
            images: self.at.images,
            learning_rate: self.learner.learning_rate(),
            clock: self.clock.read(),
            sample,
        }));
        if !self.device.is_cpu() {
            // Elsewhere losses become known here, some steps late.
            for step in first_step..first_step + new {
                self.check(step)?;
            }
        }
        Ok(())
    }

    fn sample(&mut self, now: Instant) -> Result<Option<Sample>, TrainError> {
        let due = now >= self.agenda.sample && self.at.step != self.agenda.sampled;
        if !due || self.at.batch == 0 {
            return Ok(None);
        }
        let batch = self.batches.batch(self.at.batch - 1);
        let digits = self.learner.digits(&self.sets.train, batch)?;
        self.agenda.sampled = self.at.step;
        self.agenda.sample = now + SAMPLE;
        Ok(Some(Sample { step: self.at.step, digits }))
    }

    pub(super) fn look_at(&mut self, subject: Option<Subject>) -> Result<(), TrainError> {
        let _ = subject;
        Ok(())
    }

    pub(super) fn look_inside_if_due(&mut self, now: Instant) -> Result<(), TrainError> {
        let _ = now;
        Ok(())
    }

    pub(super) fn look_inside_again(&mut self) -> Result<(), TrainError> {
        Ok(())
    }

    /// Answers a question for images of an evaluation.
    pub(super) fn find(&mut self, query: Query) {
        let found = self.results.find(query, self.sets.of(query.set));
        self.outbox.send(&Event::Found(found));
    }
}
