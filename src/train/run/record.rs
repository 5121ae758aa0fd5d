//! Checkpoints out of a run and into one.

use std::{sync::Arc, time::Instant};

use super::{Moment, Position, Run, initial_weights};
use crate::{
    nn::{model::Weights, optim::OptimizerState},
    protocol::{
        Best, EvalSet, Evaluation, Event, Slot, StoredWeights, TrainingProgress, TrainingState,
    },
    train::{
        clock::Stopwatch,
        error::TrainError,
        losses::Losses,
        rates::Rates,
        resume::{self, Unfit},
        step::Learner,
    },
};

impl Run<'_> {
    /// Hands over all that is needed to go on from here, where that is recorded.
    pub(super) fn checkpoint(&mut self) -> Result<(), TrainError> {
        if !self.tools.recorded {
            return Ok(());
        }
        self.hand_over(Instant::now())?;
        let (weights, optimiser) = (self.learner.model.weights()?, self.learner.optimiser()?);
        if !are_finite(&weights, &optimiser) {
            let notice =
                "No checkpoint was saved: weights or the optimiser's state are not finite.";
            self.outbox.send(&Event::Notice(notice.to_owned()));
            return Ok(());
        }
        let average = self.learner.averaged()?.map(stored);
        let Weights { trained, running } = weights;
        let OptimizerState { step, slots } = optimiser;
        let names = self.config.optimizer.slots().iter().map(|&name| name.to_owned());
        let slots = names.zip(slots).map(|(name, values)| Slot { name, values }).collect();
        let kept = self.at.batch.max(TrainingState::LOSSES);
        let state = TrainingState {
            progress: TrainingProgress {
                epoch: self.at.epoch,
                batch: self.at.batch as u64,
                step: self.at.step,
                images: self.at.images,
                optimiser_step: step,
                rates: self.rates.up_to(self.at.step),
                clock: self.clock.read(),
                epoch_seconds: self.clock.read().training - self.epoch_start,
                evaluated: self.evaluated.clone(),
                best: self.bests.last().copied(),
            },
            weights: trained,
            running,
            slots,
            average,
            best: self.best_weights.last().map(|(_, weights)| stored(weights.clone())),
            losses: self.losses.up_to(self.at.step, kept).to_vec(),
            set: self.sets.info.clone(),
        };
        self.checkpointed = Some(self.at.step);
        self.outbox.send(&Event::Checkpoint(Arc::new(state)));
        Ok(())
    }

    /// [`checkpoint`](Self::checkpoint)s unless the last one was of this step, or nothing was trained.
    pub(super) fn checkpoint_if_new(&mut self) -> Result<(), TrainError> {
        if self.checkpointed == Some(self.at.step) || self.at.step == 0 {
            return Ok(());
        }
        self.checkpoint()
    }

    /// Notes an evaluation that is better than all before it, and with validation images the weights.
    pub(super) fn note_best(&mut self, evaluation: &Evaluation) -> Result<(), TrainError> {
        let (accuracy, step) = (evaluation.accuracy(), self.at.step);
        // A NaN loss never counts as the best.
        if evaluation.loss.is_nan()
            || self.bests.last().is_some_and(|best| accuracy <= best.accuracy)
        {
            return Ok(());
        }
        self.bests.push(Best { epoch: self.at.epoch, step, accuracy });
        if evaluation.set == EvalSet::Validation {
            if !self.tools.attended {
                self.best_weights.clear();
            }
            self.best_weights.push((step, self.learner.product().weights()?));
        }
        Ok(())
    }

    /// Goes on from where a state was taken.
    pub(super) fn resume(&mut self, state: &TrainingState) -> Result<(), TrainError> {
        let progress = &state.progress;
        let images = self.sets.train.len();
        resume::check_place(progress, self.config, images)?;
        let optimiser = OptimizerState {
            step: progress.optimiser_step,
            slots: state.slots.iter().map(|slot| slot.values.clone()).collect(),
        };
        self.learner.resume(&optimiser, state.average.clone().map(weights).as_ref())?;
        let schedule = self.config.schedule(images);
        self.rates = Rates::resume(&progress.rates, schedule, progress.step).ok_or(Unfit::Rates)?;
        self.rate = self.rates.set_after(progress.step);
        self.learner.set_learning_rate(self.rates.after(progress.step));
        self.losses = Losses::resume(progress.step, &state.losses);
        self.clock = Stopwatch::resume(Instant::now(), progress.clock);
        self.epoch_start = progress.clock.training - progress.epoch_seconds;
        self.at = Position {
            epoch: progress.epoch,
            batch: progress.batch as usize,
            step: progress.step,
            images: progress.images,
        };
        self.batches = self.batches_of(self.at.epoch);
        self.agenda.sampled = self.at.step;
        self.evaluated.clone_from(&progress.evaluated);
        self.bests = progress.best.into_iter().collect();
        let best = progress.best.zip(state.best.clone());
        self.best_weights =
            best.map(|(best, kept)| (best.step, weights(kept))).into_iter().collect();
        self.checkpointed = Some(self.at.step);
        self.keep_moment(true)?;
        self.keep_beginning()
    }

    /// Keeps the run's first moment, so that steps before the one it was resumed at can be computed
    /// again. Weights that it started from may be gone.
    fn keep_beginning(&mut self) -> Result<(), TrainError> {
        if !self.tools.attended || self.tools.read_only || self.at.step == 0 {
            return Ok(());
        }
        let plan = self.learner.model.plan();
        if let Ok((weights, _)) = initial_weights(self.config, plan) {
            let learned = Learner::new(Arc::clone(plan), &weights, &self.device, self.config)?;
            let learned = learned.snapshot()?;
            let at = Position { epoch: 1, ..Position::default() };
            self.moments.keep(0, true, Moment { at, learned, epoch_seconds: 0.0 });
        }
        Ok(())
    }
}

/// Whether nothing of a state has overflowed: moments do so before the weights that they move.
pub(super) fn are_finite(weights: &Weights, optimiser: &OptimizerState) -> bool {
    let weights = weights.trained.iter().chain(&weights.running);
    weights.chain(optimiser.slots.iter().flatten()).all(|value| value.is_finite())
}

fn stored(weights: Weights) -> StoredWeights {
    let Weights { trained, running } = weights;
    StoredWeights { trained, running }
}

fn weights(stored: StoredWeights) -> Weights {
    let StoredWeights { trained, running } = stored;
    Weights { trained, running }
}
