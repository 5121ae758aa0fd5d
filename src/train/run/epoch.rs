//! The batches of an epoch and its evaluation.

use std::time::{Duration, Instant};

use super::Run;
use crate::{
    config::RunConfig,
    data::batches::Batches,
    nn::{engine::Key, model::Model},
    protocol::{
        Break, Breakpoint, EpochRecord, EvalSet, Evaluation, Event, Hardware, Measure, RunState,
    },
    train::{error::TrainError, evaluate::evaluate, inspect::Norms},
};

/// Measuring a step may take this share of the training, as one over it.
const MEASURE_SHARE: u32 = 200;
/// Least time between two steps that are measured.
const MEASURE_TIME: Duration = Duration::from_millis(33);

impl Run<'_> {
    /// Goes over to the next epoch.
    pub(super) fn begin_epoch(&mut self) -> Result<(), TrainError> {
        self.at.epoch += 1;
        self.at.batch = 0;
        self.batches = self.batches_of(self.at.epoch);
        self.epoch_start = self.clock.read().training;
        self.keep_moment(true)
    }

    pub(super) fn batches_of(&self, epoch: u32) -> Batches {
        let RunConfig { batch_size, seed, shuffle, .. } = *self.config;
        let images = self.sets.train.len();
        if shuffle {
            Batches::shuffled(images, batch_size, seed, u64::from(epoch))
        } else {
            Batches::in_order(images, batch_size)
        }
    }

    pub(super) fn begin_epoch_if_due(&mut self) -> Result<(), TrainError> {
        if self.at.batch == self.batches.count() { self.begin_epoch() } else { Ok(()) }
    }

    pub(super) fn train_batch(&mut self) -> Result<(), TrainError> {
        self.begin_epoch_if_due()?;
        assert!(self.tools.panics_at != Some(self.at.step + 1), "as the test wants");
        self.apply_rate()?;
        let now = Instant::now();
        self.pace.begin(now);
        let stepping = self.control.is_single_stepping() || self.pace.is_watchable();
        let is_due = self.agenda.inspect.is_some_and(|due| now >= due);
        let is_measured =
            (self.tools.attended || self.tools.recorded) && now >= self.agenda.measure;
        let is_asked = self.explainer.watches_step(now);
        let watched = self.control.is_last_step() || self.pace.is_watchable() || is_due || is_asked;
        let (loss, inspection) = if watched && self.tools.attended {
            let (loss, inspection, norms) = self.train_watched(is_measured)?;
            self.note_measure(norms, now);
            (loss, Some(inspection))
        } else {
            let batch = self.batches.batch(self.at.batch);
            let (seen, key) = (self.sets.seen(self.config, self.at.epoch), self.key());
            let (loss, norms) = if is_measured {
                self.learner.train_measured(seen, batch, key)?
            } else {
                (self.learner.train(seen, batch, key)?, None)
            };
            self.advance();
            self.note_measure(norms, now);
            (loss, None)
        };
        self.losses.push(&loss)?;
        self.note_answers();
        self.rates.trained(self.at.step);
        let now = Instant::now();
        self.clock.trained(now);
        self.control.after_batch(self.at.step);
        self.unkept += self.batches.batch(self.at.batch - 1).len() as u64;
        self.keep_moment_if_due(stepping)?;
        if stepping {
            self.agenda.sample = now;
        }
        if stepping || now >= self.agenda.hand_over {
            self.hand_over(now)?;
        }
        self.tell_inspection(inspection);
        if self.device.is_cpu() {
            self.check(self.at.step)?;
        }
        self.look_inside_if_due(now)?;
        self.explain_if_due(now);
        Ok(())
    }

    /// Keeps what was measured of the last step, for the next hand-over.
    pub(super) fn note_measure(&mut self, norms: Option<Norms>, now: Instant) {
        let Some(Norms { gradient, update_ratio, took }) = norms else { return };
        let step = self.at.step;
        self.measures.push(Measure { step, gradient_norm: gradient, update_ratio });
        self.agenda.measure = now + (took * MEASURE_SHARE).max(MEASURE_TIME);
    }

    /// By what everything random in the next step is drawn.
    pub(super) fn key(&self) -> Key {
        Key { seed: self.config.seed, epoch: u64::from(self.at.epoch), step: self.at.step + 1 }
    }

    /// Counts the batch that was just trained.
    pub(super) fn advance(&mut self) {
        self.at.images += self.batches.batch(self.at.batch).len() as u64;
        self.at.batch += 1;
        self.at.step += 1;
    }

    /// Pauses on a breakpoint that `step` meets; its loss must be known. In a run that nobody attends,
    /// that is an error.
    pub(super) fn check(&mut self, step: u64) -> Result<(), TrainError> {
        let finite = self.learner.gradient_was_finite();
        let hits = self.watch.after_step(step, &self.losses, finite);
        self.pause_on(hits)
    }

    pub(super) fn pause_on(&mut self, hits: Vec<Break>) -> Result<(), TrainError> {
        if hits.is_empty() {
            return Ok(());
        }
        self.hand_over(Instant::now())?;
        for hit in hits {
            if !self.tools.attended && hit.breakpoint == Breakpoint::NotFinite {
                return Err(TrainError::NotFinite { reason: hit.reason, step: hit.step });
            }
            self.control.pause();
            self.outbox.send(&Event::Break(hit));
        }
        Ok(())
    }

    /// Evaluates the epoch and reports it; false where a wish to stop came first.
    pub(super) fn end_epoch(&mut self) -> Result<bool, TrainError> {
        self.agenda.sample = Instant::now();
        self.hand_over(self.agenda.sample)?;
        self.clock.trained(Instant::now());
        let (set, _) = self.sets.evaluation();
        let Some(evaluation) = self.evaluate(set, None)? else { return Ok(false) };
        let record = self.epoch_record(evaluation.clone());
        self.outbox.send(&Event::Epoch(record));
        self.control.after_epoch();
        let is_finite = self.losses.diverged().is_some() || self.learner.running_is_finite()?;
        let hits = self.watch.after_epoch((self.at.epoch, self.at.step), &evaluation, is_finite);
        self.note_best(&evaluation)?;
        self.evaluated = Some((self.at.step, evaluation));
        self.checkpoint()?;
        if !self.tools.attended {
            self.losses.forget_told();
            self.corrects.forget(self.at.step);
        }
        self.pause_on(hits)?;
        Ok(true)
    }

    /// Evaluates before the first step, or on request, and reports it. It is never the best evaluation,
    /// and no breakpoint: those are about whole epochs.
    pub(super) fn evaluate_now(&mut self) -> Result<(), TrainError> {
        let is_known = self.evaluated.as_ref().is_some_and(|(step, _)| *step == self.at.step);
        // A run that was resumed knows the figures, but not what they say of each image.
        if is_known && (!self.tools.attended || self.results.has(self.at.step)) {
            return Ok(());
        }
        let before = self.state;
        let now = Instant::now();
        self.hand_over(now)?;
        if before == RunState::Training {
            self.clock.trained(now);
        } else {
            self.clock.skip(now);
        }
        let (set, _) = self.sets.evaluation();
        if let Some(evaluation) = self.evaluate(set, None)? {
            let record = self.epoch_record(evaluation);
            self.outbox.send(&Event::Evaluated(record));
        }
        if before != RunState::Loading {
            self.enter(before);
        }
        Ok(())
    }

    /// The epoch so far, with an evaluation made now.
    fn epoch_record(&self, evaluation: Evaluation) -> EpochRecord {
        let (batches, batch_size) = (self.at.batch, self.config.batch_size);
        let images = (batches * batch_size).min(self.sets.train.len());
        let last = batches.checked_sub(1).map_or(0, |last| self.batches.batch(last).len());
        let correct = self.corrects.sum(self.at.step, batches as u64);
        let train_seconds = self.clock.read().training - self.epoch_start;
        EpochRecord {
            epoch: if self.at.step == 0 { 0 } else { self.at.epoch },
            step: self.at.step,
            batches: batches as u64,
            train_loss: self.losses.mean(batches, batch_size, last),
            train_accuracy: correct.map(|correct| correct as f64 / images as f64),
            train_seconds,
            images_per_second: images as f64 / train_seconds,
            evaluation,
            clock: self.clock.read(),
        }
    }

    /// Measures the network, or another `model`, on a set; `None` where a wish to stop came first.
    pub(super) fn evaluate(
        &mut self,
        set: EvalSet,
        model: Option<&Model>,
    ) -> Result<Option<Evaluation>, TrainError> {
        self.enter(RunState::Evaluating);
        self.control.before_evaluation();
        let mut results = Vec::new();
        let wanted = self.tools.attended.then_some(&mut results);
        let is_of_the_epoch = model.is_none() && set == self.sets.evaluation().0;
        let step = self.at.step;
        let Self { sets, learner, remote, outbox, device, monitor, .. } = self;
        let (product, gpu) = learner.evaluated();
        let networks = (model.unwrap_or(product), gpu);
        let mut evaluation = evaluate(networks, sets.of(set), set, device, wanted, || {
            remote.pull();
            if let Some(reading) = monitor.as_mut().and_then(|monitor| monitor.take(true)) {
                outbox.send(&Event::Hardware(Hardware { step, reading }));
            }
            outbox.deliver();
            !remote.is_stopping()
        })?;
        let counted = self.clock.evaluated(Instant::now()).as_secs_f64();
        if let Some(evaluation) = &mut evaluation {
            // The process may have been stopped meanwhile.
            evaluation.seconds = evaluation.seconds.min(counted);
        }
        if evaluation.is_some() && self.tools.attended {
            if is_of_the_epoch {
                self.histories.evaluated(self.at.step, &results);
            }
            self.results.keep(self.at.step, set, results);
            self.explainer.due_at(Instant::now());
        }
        Ok(evaluation)
    }
}
