//! Many steps at once, for a GPU that trains them in one launch.

use std::time::{Duration, Instant};

use super::Run;
use crate::{
    gpu::Launch,
    train::{
        error::TrainError,
        history::{Noted, UNKNOWN},
        step::Steps,
    },
};

/// How long a launch should take: commands are obeyed between launches.
const CHUNK: Duration = Duration::from_millis(15);
/// ... and one with many runs, whose parameters all come and go with it, and that nobody attends.
const SHARED_CHUNK: Duration = Duration::from_millis(150);
/// Steps of the first launch, when nothing is known of their speed.
const FIRST: usize = 16;
/// Fewest steps of a launch: of one alone nothing would be learned any more.
const FEWEST: usize = 2;

/// The steps that a launch should have.
#[derive(Debug)]
pub(super) struct ChunkSize(usize);

impl Default for ChunkSize {
    fn default() -> Self {
        Self(FIRST)
    }
}

impl ChunkSize {
    /// Most of the next launch.
    pub(super) fn steps(&self) -> usize {
        self.0
    }

    /// Adapts to a launch of `steps` steps that took `time` and should have taken `goal`.
    fn took(&mut self, steps: usize, time: Duration, goal: Duration) {
        let fitting = steps as f64 * goal.as_secs_f64() / time.as_secs_f64().max(1e-9);
        // A launch has a price of its own, which few steps overstate, and the process may have been stopped
        // during one.
        self.0 = (fitting as usize).clamp(steps / 4, 4 * steps.max(FIRST)).max(FEWEST);
    }
}

impl Run<'_> {
    /// Trains as many steps as should go together: one, unless a GPU trains and nobody looks at each.
    pub(super) fn train_some(&mut self, total_steps: u64) -> Result<(), TrainError> {
        if !self.learner.prefers_chunks() {
            return self.train_batch();
        }
        self.begin_epoch_if_due()?;
        let steps = self.steps_together(total_steps, Instant::now());
        if steps <= 1 { self.train_batch() } else { self.train_chunk(steps) }
    }

    fn steps_together(&self, total_steps: u64, now: Instant) -> usize {
        let is_watched = self.agenda.inspect.is_some_and(|due| now >= due)
            || self.explainer.watches_step(now)
            || (self.tools.attended || self.tools.recorded) && now >= self.agenda.measure;
        if is_watched
            || self.tools.panics_at.is_some()
            || self.control.is_single_stepping()
            || !self.pace.is_unlimited()
        {
            return 1;
        }
        let in_epoch = self.batches.count() - self.at.batch;
        let wanted = self.control.steps_wanted(self.at.step).min(total_steps - self.at.step);
        let most = in_epoch.min(usize::try_from(wanted).unwrap_or(usize::MAX)).min(self.chunk.0);
        // A person's change of the rate is reported before the step that it begins with.
        let step = self.at.step;
        let same = |ahead: &u64| self.rates.set_after(step + ahead) == self.rate;
        (0..most as u64).take_while(same).count()
    }

    fn train_chunk(&mut self, steps: usize) -> Result<(), TrainError> {
        let start = Instant::now();
        self.pace.begin(start);
        let before = self.learner.snapshot()?;
        let mut trained = self.launch(steps)?;
        // Whether a breakpoint is hit depends on the losses up to its step alone.
        let mut hits = Vec::new();
        let mut kept = 0;
        while kept < steps && hits.is_empty() {
            self.losses.append(trained.losses[kept]);
            kept += 1;
            let step = self.at.step + kept as u64;
            hits = self.watch.after_step(step, &self.losses, trained.finite[kept - 1]);
        }
        if kept < steps {
            self.learner.go_back(&before)?;
            trained = self.launch(kept)?;
        }
        self.count(kept, &trained);
        let now = Instant::now();
        match trained.shared {
            // All runs learn the same, so that their chunks become equally long.
            Some(Launch { images, time }) => {
                self.chunk.took(images.div_ceil(self.config.batch_size), time, SHARED_CHUNK);
            }
            None => self.chunk.took(steps, now - start, CHUNK),
        }
        self.clock.trained(now);
        self.keep_moment_if_due(false)?;
        if now >= self.agenda.hand_over {
            self.hand_over(now)?;
        }
        self.pause_on(hits)?;
        self.look_inside_if_due(now)?;
        self.explain_if_due(now);
        Ok(())
    }

    /// Trains the next `steps` steps of the epoch, without counting them.
    pub(super) fn launch(&mut self, steps: usize) -> Result<Steps, TrainError> {
        let order = self.batches.range(self.at.batch, steps);
        let step = self.at.step;
        let rates: Vec<f64> =
            (step..step + steps as u64).map(|step| self.rates.after(step)).collect();
        let seen = self.sets.seen(self.config, self.at.epoch);
        let batches = (order, self.config.batch_size);
        let trained = self.learner.train_chunk(seen, batches, &rates, self.key())?;
        if let Some(&rate) = rates.last() {
            self.learner.set_learning_rate(rate);
        }
        Ok(trained)
    }

    /// Counts steps that were trained together, and what was predicted in them.
    fn count(&mut self, steps: usize, trained: &Steps) {
        let order = self.batches.range(self.at.batch, steps);
        let labels = self.sets.train.labels();
        let predicted = order.chunks(self.config.batch_size);
        let answers = trained.answers.chunks(self.config.batch_size);
        for (step, (batch, answers)) in (self.at.step + 1..).zip(predicted.zip(answers)) {
            let right = batch
                .iter()
                .zip(answers)
                .filter(|(index, ([class, _], _))| labels[**index as usize] == *class);
            self.corrects.push(step, Some(right.count() as u32));
        }
        let noted = |(&index, &([class, confidence], loss)): (&u32, &([u8; 2], f32))| Noted {
            index,
            prediction: if loss.is_nan() { UNKNOWN } else { class },
            probability: f32::from(confidence) / 255.0,
            loss,
        };
        if self.tools.attended {
            let (epoch_end, images) = (self.epoch_end(), self.sets.train.len());
            let noted = order.iter().zip(&trained.answers).map(noted);
            self.histories.trained(epoch_end, images, noted);
        }
        for _ in 0..steps {
            self.unkept += self.batches.batch(self.at.batch).len() as u64;
            self.advance();
            self.rates.trained(self.at.step);
            self.control.after_batch(self.at.step);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn launches_grow_to_the_time_that_they_may_take() {
        let mut size = ChunkSize::default();
        size.took(16, Duration::from_micros(200), CHUNK);
        assert_eq!(size.0, 64, "at most four times as many as before");
        size.took(1_000, Duration::from_millis(10), CHUNK);
        assert_eq!(size.0, 1_500);
        size.took(1_500, Duration::from_secs(3), CHUNK);
        assert_eq!(size.0, 375, "a process that was stopped says little");
        for _ in 0..9 {
            size.took(size.0, Duration::from_secs(3), CHUNK);
        }
        assert_eq!(size.0, FEWEST);
        size.took(FEWEST, Duration::from_micros(30), CHUNK);
        assert_eq!(size.0, 64, "and it grows again");
    }
}
