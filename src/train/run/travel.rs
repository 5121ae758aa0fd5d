//! Going back to earlier steps, and rates that change.
//!
//! A step between two moments that were kept is computed again from the one before it: batches,
//! rates and arithmetic are the same, so that weights and losses are the same to the bit.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use candle_core::Tensor;

use super::{Moment, Position, Run};
use crate::{
    protocol::{Event, Inspection, LEARNING_RATES, RateChange, Rewound},
    train::{
        error::TrainError,
        inspect::{self, Norms, Place},
        why::SHARE,
    },
};

/// Images between moments that are kept while training runs: few enough to be computed again within
/// a frame, many enough that copying to fresh memory costs nothing beside training.
const IMAGES_BETWEEN: u64 = 5_000;
/// Steps before the one gone back to whose moments are kept, since the next wish is often one more.
const KEPT_BEFORE: u64 = 16;
/// Steps that are computed again between looks for a wish to stop.
const STEPS_BETWEEN_LOOKS: u64 = 64;
/// Between steps that are inspected while training runs and a person looks on.
const INSPECT: Duration = Duration::from_millis(500);

impl Run<'_> {
    /// Goes to an earlier step, or stays, and pauses there.
    pub(super) fn go_back(&mut self, step: u64) -> Result<(), TrainError> {
        self.control.pause();
        if !self.tools.attended || step >= self.at.step {
            return Ok(());
        }
        if self.moments.up_to(self.at.step - 1).is_none() {
            self.tell_start();
            return Ok(());
        }
        self.hand_over(Instant::now())?;
        let wanted = step;
        let inspection = self.stand_at(step)?;
        let step = self.at.step;
        self.losses.go_back(step, &self.recomputed);
        self.corrects.go_back(step);
        self.watch.go_back(step);
        self.agenda.sampled = step;
        self.agenda.inspected = 0;
        self.look.is_new = true;
        self.explainer.renew();
        // What was kept and measured may be of a course that is given up next.
        self.checkpointed = None;
        self.bests.retain(|best| best.step <= step);
        self.best_weights.retain(|(best, _)| *best <= step);
        self.evaluated.take_if(|(evaluated, _)| *evaluated > step);
        // The time belongs to no course.
        self.clock.skip(Instant::now());
        self.outbox.send(&Event::Rewound(Rewound {
            step,
            epoch: self.at.epoch,
            batch: self.at.batch as u64,
            images: self.at.images,
            learning_rate: self.rate,
            clock: self.clock.read(),
            tail: self.losses.up_to(step, Rewound::TAIL).to_vec(),
        }));
        if step > wanted && !self.remote.is_stopping() {
            self.tell_start();
        }
        self.tell_inspection(inspection);
        Ok(())
    }

    /// Says that nothing before this step can be had.
    fn tell_start(&mut self) {
        let step = self.at.step;
        let notice = format!("The run can go back no further: it was resumed at step {step}.");
        self.outbox.send(&Event::Notice(notice));
    }

    /// Reports what the last step did, unless that was done, by doing it again.
    pub(super) fn inspect(&mut self) -> Result<(), TrainError> {
        if !self.tools.attended || self.at.step == 0 || self.agenda.inspected == self.at.step {
            return Ok(());
        }
        self.watch_again()
    }

    /// Does the last step again and reports what it did. Where a wish to stop comes meanwhile, the run
    /// ends where it was.
    pub(super) fn watch_again(&mut self) -> Result<(), TrainError> {
        let (learned, at, epoch_start) = (self.learner.snapshot()?, self.at, self.epoch_start);
        let inspection = self.stand_at(at.step)?;
        if self.at.step != at.step {
            self.learner.go_back(&learned)?;
            self.learner.set_learning_rate(self.rates.after(at.step));
            self.rate = self.rates.set_after(at.step);
            (self.at, self.epoch_start) = (at, epoch_start);
            self.batches = self.batches_of(at.epoch);
        }
        self.tell_inspection(inspection);
        Ok(())
    }

    /// Reports what the next step would do, and leaves everything as it was: a checkpoint that is only looked
    /// at holds nothing of the step before it. After the last step, that is the first of one more epoch.
    pub(super) fn preview(&mut self) -> Result<(), TrainError> {
        let (learned, at) = (self.learner.snapshot()?, self.at);
        if self.at.batch == self.batches.count() {
            self.at = Position { epoch: at.epoch + 1, batch: 0, ..at };
            self.batches = self.batches_of(self.at.epoch);
        }
        let (_, inspection, _) = self.train_watched(false)?;
        self.learner.go_back(&learned)?;
        self.learner.set_learning_rate(self.rates.after(at.step));
        self.at = at;
        self.batches = self.batches_of(at.epoch);
        self.outbox.send(&Event::Inspected(Arc::new(inspection)));
        Ok(())
    }

    pub(super) fn tell_inspection(&mut self, inspection: Option<Inspection>) {
        if let Some(inspection) = inspection {
            self.agenda.inspected = inspection.step;
            let wait = INSPECT.max(self.agenda.watching * SHARE);
            self.agenda.inspect = self.agenda.inspect.map(|_| Instant::now() + wait);
            self.outbox.send(&Event::Inspected(Arc::new(inspection)));
        }
    }

    /// Makes model, optimiser and position those after `step`, which was trained before, and says what
    /// that step did; those of an earlier step where a wish to stop comes.
    fn stand_at(&mut self, step: u64) -> Result<Option<Inspection>, TrainError> {
        let before = step.saturating_sub(1);
        if self.moments.up_to(before).is_none() {
            self.recompute(step)?;
            return Ok(None);
        }
        self.recompute(before)?;
        let inspection = if step > 0 && self.at.step == before {
            Some(self.train_watched(false)?.1)
        } else {
            None
        };
        self.learner.set_learning_rate(self.rates.after(self.at.step));
        self.rate = self.rates.set_after(self.at.step);
        Ok(inspection)
    }

    /// Makes model, optimiser and position those after `step`, or the first that can be had, without
    /// telling anybody.
    fn recompute(&mut self, step: u64) -> Result<(), TrainError> {
        let Some(moment) = self.moments.up_to(step).or_else(|| self.moments.first()) else {
            return Ok(());
        };
        self.recomputed.clear();
        self.learner.go_back(&moment.learned)?;
        self.epoch_start = self.clock.read().training - moment.epoch_seconds;
        let epoch = self.at.epoch;
        self.at = moment.at;
        if self.at.epoch != epoch {
            self.batches = self.batches_of(self.at.epoch);
        }
        while self.at.step < step {
            let is_due = self.at.step.is_multiple_of(STEPS_BETWEEN_LOOKS);
            if is_due || self.learner.prefers_chunks() {
                self.remote.pull();
                if self.remote.is_stopping() {
                    break;
                }
            }
            self.begin_epoch_if_due()?;
            if self.recompute_together(step)? {
                continue;
            }
            self.learner.set_learning_rate(self.rates.after(self.at.step));
            let batch = self.batches.batch(self.at.batch);
            let loss = self.learner.train(
                self.sets.seen(self.config, self.at.epoch),
                batch,
                self.key(),
            )?;
            self.unkept += batch.len() as u64;
            self.advance();
            self.note_recomputed(step, loss.to_scalar()?);
            if step - self.at.step < KEPT_BEFORE || self.unkept >= IMAGES_BETWEEN {
                self.keep_moment(false)?;
            }
        }
        Ok(())
    }

    /// Trains many steps again in one launch where a GPU does that, but for the last before `step`, of which
    /// each is kept.
    fn recompute_together(&mut self, step: u64) -> Result<bool, TrainError> {
        let ahead = (step - self.at.step).saturating_sub(KEPT_BEFORE) as usize;
        let steps = ahead.min(self.batches.count() - self.at.batch).min(self.chunk.steps());
        if steps < 2 || !self.learner.prefers_chunks() {
            return Ok(false);
        }
        let trained = self.launch(steps)?;
        for loss in trained.losses {
            self.unkept += self.batches.batch(self.at.batch).len() as u64;
            self.advance();
            self.note_recomputed(step, loss);
        }
        if self.unkept >= IMAGES_BETWEEN {
            self.keep_moment(false)?;
        }
        Ok(true)
    }

    /// Keeps the loss of a step that was computed again on the way to `step`, unless it is known: the losses
    /// before the step that a run was resumed at are not.
    fn note_recomputed(&mut self, step: u64, loss: f32) {
        let is_known = self.losses.at(self.at.step).is_some();
        if !is_known && step - self.at.step < Rewound::TAIL as u64 {
            self.recomputed.push(loss);
        }
    }

    /// Trains the next batch and gives its loss and what it changed: of each parameter, and, if it
    /// `measures` that, of all together.
    pub(super) fn train_watched(
        &mut self,
        measures: bool,
    ) -> Result<(Tensor, Inspection, Option<Norms>), TrainError> {
        self.begin_epoch_if_due()?;
        let learning_rate = self.rates.after(self.at.step);
        self.learner.set_learning_rate(learning_rate);
        let batch = self.batches.batch(self.at.batch);
        let seen = self.sets.seen(self.config, self.at.epoch);
        let change = self.learner.train_watched(seen, batch, self.key())?;
        let start = Instant::now();
        self.explainer.note_change(self.at.step + 1, &change)?;
        if self.losses.at(self.at.step + 1).is_none() {
            self.recomputed.push(change.loss.to_scalar()?);
        }
        let place = Place {
            step: self.at.step + 1,
            epoch: self.at.epoch,
            batch: self.at.batch as u64 + 1,
            learning_rate,
        };
        let inspection =
            inspect::inspection(self.learner.model.plan(), &change, seen, batch, place)?;
        let norms = measures
            .then(|| Norms::of(&change.gradient, &change.before, &change.after, Duration::ZERO))
            .transpose()?;
        self.agenda.watching = change.took + start.elapsed();
        self.advance();
        Ok((change.loss, inspection, norms))
    }

    pub(super) fn keep_moment_if_due(&mut self, stepping: bool) -> Result<(), TrainError> {
        if stepping || self.unkept >= IMAGES_BETWEEN { self.keep_moment(false) } else { Ok(()) }
    }

    /// Keeps the present moment to go back to, if anybody may want that.
    pub(super) fn keep_moment(&mut self, pinned: bool) -> Result<(), TrainError> {
        self.unkept = 0;
        if self.tools.attended && (pinned || !self.moments.has(self.at.step)) {
            let epoch_seconds = self.clock.read().training - self.epoch_start;
            let learned = self.learner.snapshot()?;
            self.moments.keep(self.at.step, pinned, Moment { at: self.at, learned, epoch_seconds });
        }
        Ok(())
    }

    /// Sets the learning rate of the next step. Listeners are informed where the run repeats steps
    /// before which a person changed it; the schedule they know.
    pub(super) fn apply_rate(&mut self) -> Result<(), TrainError> {
        let step = self.at.step;
        let learning_rate = self.rates.set_after(step);
        if learning_rate != self.rate {
            return self.change_rate(RateChange { step, learning_rate, branch: false });
        }
        self.learner.set_learning_rate(self.rates.after(step));
        Ok(())
    }

    /// Sets the learning rate and reports it, after the losses of all steps before the change.
    fn change_rate(&mut self, change: RateChange) -> Result<(), TrainError> {
        self.hand_over(Instant::now())?;
        self.rate = change.learning_rate;
        self.learner.set_learning_rate(self.rates.after(change.step));
        self.outbox.send(&Event::LearningRate(change));
        Ok(())
    }

    /// The rate on the ladder of quarters up and down from the run's first one, where it is close to one
    /// of them: up and down again is then the same rate to the bit.
    fn on_ladder(&self, rate: f64) -> f64 {
        let rung = (rate / self.config.learning_rate).log(1.25);
        if (rung - rung.round()).abs() < 1e-6 {
            self.config.learning_rate * 1.25_f64.powi(rung.round() as i32)
        } else {
            rate
        }
    }

    /// Multiplies the learning rate.
    pub(super) fn scale_rate(&mut self, factor: f64) -> Result<(), TrainError> {
        self.set_rate(self.on_ladder(self.rate * factor))
    }

    /// Sets the learning rate. Behind the furthest step, what was trained ahead is given up.
    pub(super) fn set_rate(&mut self, rate: f64) -> Result<(), TrainError> {
        if !rate.is_finite() {
            return Ok(());
        }
        let now = self.rate;
        // A rate that was beyond from the start stays where it is.
        let (lowest, highest) = (LEARNING_RATES.0.min(now), LEARNING_RATES.1.max(now));
        let learning_rate = rate.clamp(lowest, highest);
        let step = self.at.step;
        self.checkpointed = None;
        let branch = self.rates.change(step, learning_rate);
        if branch {
            self.moments.forget_after(step);
            self.results.forget_after(step);
            self.histories.forget_after(step, self.epoch_end());
        }
        self.change_rate(RateChange { step, learning_rate, branch })
    }
}
