//! The end of a run: its last evaluation, the file with the weights, and the summary.

use std::{sync::Arc, time::Instant};

use super::{Run, record};
use crate::{
    checkpoint,
    nn::model::{Model, Weights},
    protocol::{EvalSet, Summary},
    train::error::TrainError,
};

impl Run<'_> {
    /// What follows the last batch: the test set if it was not used before, and the weights' file.
    pub(super) fn finish(&mut self, all_done: bool) -> Result<Summary, TrainError> {
        self.hand_over(Instant::now())?;
        // An evaluation of other weights than these says nothing about them.
        let evaluated = self.evaluated.as_ref().filter(|(step, _)| *step == self.at.step);
        let best = self.best_model()?;
        let mut test = evaluated
            .map(|(_, evaluation)| evaluation.clone())
            .filter(|evaluation| evaluation.set == EvalSet::Test);
        if all_done && test.is_none() {
            test = self.evaluate(EvalSet::Test, best.as_ref())?;
        }
        let diverged = self.diverged()?;
        // A run stopped before its first step has nothing worth an older file's place, nor has one
        // that diverged.
        let is_of_use = self.at.step > 0 && (diverged.is_none() || best.is_some());
        let save = self.config.save.as_ref().filter(|_| is_of_use);
        if let Some(path) = save {
            let model = best.as_ref().unwrap_or(self.learner.product());
            let Weights { trained, running } = model.weights()?;
            checkpoint::save_weights(path, model.plan(), &self.sets.info, &trained, &running)?;
        }
        self.checkpoint_if_new()?;
        Ok(Summary {
            steps: self.at.step,
            images: self.at.images,
            clock: self.clock.read(),
            best: best.and(self.bests.last().copied()),
            stopped: !all_done || test.is_none(),
            test,
            saved: save.cloned(),
            diverged,
        })
    }

    /// The step from which on losses, weights or the optimiser's state are not finite, if they are not.
    fn diverged(&self) -> Result<Option<u64>, TrainError> {
        if let Some(step) = self.losses.diverged() {
            return Ok(Some(step));
        }
        let (weights, optimiser) = (self.learner.model.weights()?, self.learner.optimiser()?);
        Ok((!record::are_finite(&weights, &optimiser)).then_some(self.at.step))
    }

    /// The network with the weights of the best evaluation, in runs that hold validation images out; `None`
    /// where that was the last one.
    fn best_model(&self) -> Result<Option<Model>, TrainError> {
        let best = self.best_weights.last().filter(|(step, _)| *step != self.at.step);
        let Some((_, weights)) = best else { return Ok(None) };
        let plan = Arc::clone(self.learner.model.plan());
        Ok(Some(Model::new(plan, weights, &self.device)?))
    }
}
