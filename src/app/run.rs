//! Where the run stands, and what it was asked to do.

mod ask;
mod info;

use super::held::Held;
use crate::{
    metrics::Rate,
    protocol::{
        Clock, EpochRecord, EvalSet, Evaluation, Failure, ImageSet, Progress, Rewound, RunInfo,
        RunState, Summary,
    },
};

/// What the worker was last asked for and has not yet done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Asked {
    #[default]
    Nothing,
    /// To pause before the next batch.
    Pause,
    /// To pause after some batches.
    Steps,
    /// To pause after the epoch.
    EpochEnd,
    /// To pause after this step.
    GoTo(u64),
    /// To end the run.
    Stop,
}

/// Figures that move with every batch, each shown long enough to be read.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Figures {
    /// Smoothed training loss.
    pub loss: Option<f32>,
    /// Images per second over the last seconds of training.
    pub images_per_second: Option<f64>,
    /// Seconds of training and evaluation still to come.
    pub seconds_left: Option<f64>,
}

/// Seconds that [`Figures`] stay while training goes on.
const FIGURES_DWELL: f64 = 0.4;

/// Where the run stands.
#[derive(Debug)]
pub struct Run {
    /// What the run is; `None` until the data is read.
    pub info: Option<RunInfo>,
    /// What the worker is doing.
    pub state: RunState,
    /// Epoch under way, from 1; 0 before the first batch.
    pub epoch: u32,
    /// Batches trained in it.
    pub batch: u64,
    /// Steps trained in all.
    pub step: u64,
    /// Images trained on in all.
    pub images: u64,
    /// Learning rate of the last step, or of the next where it was changed since.
    pub learning_rate: Option<f64>,
    /// Most batches a second; `None` for as many as possible.
    pub pace: Option<u32>,
    /// Time since the start.
    pub clock: Clock,
    /// How the run ended, if it ended as asked.
    pub summary: Option<Summary>,
    /// How the run ended, if it failed.
    pub failure: Option<Failure>,
    /// The step from which on losses or weights are not finite.
    pub diverged: Option<u64>,
    /// Step of the last checkpoint.
    pub kept: Option<u64>,
    /// Why the run cannot be gone on with from its last step, if so.
    pub record_failure: Option<String>,
    /// Whether nothing more is kept of a run that was to be kept.
    pub record_ended: bool,
    /// Why the run log is incomplete, if it is.
    pub log_failure: Option<String>,
    rate: Rate,
    figures: Held<Figures>,
    evaluations: u32,
    eval_seconds: Option<f64>,
    asked: Asked,
    /// Whether the worker was asked for an earlier step and has not answered.
    goes_back: bool,
    /// Images per second before the pace was limited, the most that were seen.
    unpaced: Option<f64>,
}

impl Default for Run {
    fn default() -> Self {
        Self {
            info: None,
            state: RunState::default(),
            epoch: 0,
            batch: 0,
            step: 0,
            images: 0,
            learning_rate: None,
            pace: None,
            clock: Clock::default(),
            summary: None,
            failure: None,
            diverged: None,
            kept: None,
            record_failure: None,
            record_ended: false,
            log_failure: None,
            rate: Rate::default(),
            figures: Held::new(FIGURES_DWELL),
            evaluations: 0,
            eval_seconds: None,
            asked: Asked::default(),
            goes_back: false,
            unpaced: None,
        }
    }
}

/// An evaluation goes about this much faster than training on as many images, having no backward
/// pass: the guess until the first evaluation was timed.
const EVALUATION_SPEEDUP: f64 = 2.5;

impl Run {
    pub(super) fn start(&mut self, mut info: RunInfo) {
        info::clean(&mut info);
        if self.info.is_none() {
            self.learning_rate = Some(info.learning_rate_at(1, &[]));
            self.epoch = 1;
        }
        self.summary = None;
        self.failure = None;
        self.diverged = None;
        self.info = Some(info);
    }

    pub(super) fn set_state(&mut self, state: RunState) {
        self.state = state;
        if state == RunState::Paused {
            if self.asked != Asked::Stop {
                self.asked = Asked::Nothing;
            }
            // A run that pauses after its end has gone back.
            self.summary = None;
        }
    }

    /// Notes from which step on no loss is finite; the first of them is that of `step`.
    pub(super) fn note_losses(&mut self, step: u64, losses: &[f32]) {
        for (step, loss) in (step..).zip(losses) {
            self.diverged = if loss.is_finite() { None } else { self.diverged.or(Some(step)) };
        }
    }

    pub(super) fn advance(&mut self, progress: &Progress) {
        self.note_losses(progress.first_step, &progress.losses);
        self.epoch = progress.epoch;
        self.batch = progress.last_batch();
        self.step = progress.last_step();
        self.images = progress.images;
        self.learning_rate = Some(progress.learning_rate);
        self.clock = progress.clock;
        self.rate.update(progress.clock.training, progress.images);
    }

    /// Another learning rate, before the schedule, applies after `step`.
    pub(super) fn follow_rate(&mut self, step: u64, rate: f64) {
        let info = self.info.as_ref();
        let rate = info.map_or(rate, |info| info.scheduled(rate, step.saturating_add(1)));
        self.learning_rate = Some(rate);
    }

    /// The run has been rewound to another step and is paused, after this many evaluations.
    pub(super) fn rewound(&mut self, to: &Rewound, evaluations: u32) {
        self.epoch = to.epoch;
        self.batch = to.batch;
        self.step = to.step;
        self.images = to.images;
        self.follow_rate(to.step, to.learning_rate);
        self.clock = to.clock;
        self.evaluations = evaluations;
        self.rate.went_back(to.images);
        self.diverged.take_if(|step| *step > to.step);
        self.goes_back = false;
        // What was asked for since comes next.
        let asked = self.asked;
        self.set_state(RunState::Paused);
        self.asked = asked;
    }

    /// The run goes nowhere, should it have been asked to go back.
    pub(super) fn stays(&mut self) {
        self.goes_back = false;
    }

    /// An epoch was evaluated.
    pub(super) fn epoch_ended(&mut self, record: &EpochRecord) {
        self.clock = record.clock;
        self.evaluations = record.epoch;
        self.eval_seconds = Some(record.evaluation.seconds);
    }

    /// An evaluation was made in the middle of an epoch.
    pub(super) fn evaluated(&mut self, record: &EpochRecord) {
        self.clock = record.clock;
        self.eval_seconds = Some(record.evaluation.seconds);
    }

    pub(super) fn finish(&mut self, summary: Summary) {
        self.state = RunState::Done;
        self.clock = summary.clock;
        self.diverged = summary.diverged;
        self.summary = Some(summary);
    }

    pub(super) fn fail(&mut self, failure: Failure) {
        self.state = RunState::Failed;
        self.goes_back = false;
        self.diverged = failure.diverged.or(self.diverged);
        self.failure = Some(failure);
    }

    /// The figures to show.
    pub fn figures(&self) -> Figures {
        self.figures.shown().copied().unwrap_or_default()
    }

    /// Brings the figures up to date if they have stood long enough, or `at_once`.
    pub(super) fn refresh_figures(&mut self, loss: Option<f32>, at_once: bool) {
        self.figures.offer(Figures {
            loss,
            images_per_second: self.rate.images_per_second(),
            seconds_left: self.seconds_left(),
        });
        // Figures that are all unknown are not worth holding.
        let known = self.figures().loss.is_some();
        self.figures.refresh(self.clock.elapsed(), at_once || !known);
    }

    /// Share of the epoch's batches that are trained, in 0..=1.
    pub fn epoch_share(&self) -> f64 {
        self.info.as_ref().map_or(0.0, |info| share(self.batch, info.steps_per_epoch))
    }

    /// Share of the run's steps that are trained, in 0..=1.
    pub fn run_share(&self) -> f64 {
        self.info.as_ref().map_or(0.0, |info| share(self.step, info.total_steps))
    }

    fn seconds_left(&self) -> Option<f64> {
        let info = self.info.as_ref()?;
        if !self.is_under_way() {
            return None;
        }
        let whole_epochs = info.total_steps / info.steps_per_epoch.max(1);
        let rest = info.total_steps % info.steps_per_epoch.max(1);
        let images = whole_epochs
            .saturating_mul(info.train_images)
            .saturating_add(rest.saturating_mul(info.batch_size));
        let training = self.rate.seconds_for(images.saturating_sub(self.images))?;
        let after_epochs = whole_epochs + u64::from(rest > 0);
        let per_image = match self.eval_seconds {
            Some(seconds) => seconds / info.eval_images.max(1) as f64,
            // A limited pace says nothing of evaluations, which know no pace.
            None => self.full_speed().map_or(0.0, |speed| 1.0 / (speed * EVALUATION_SPEEDUP)),
        };
        let test_at_the_end = match info.eval_set {
            EvalSet::Test => 0,
            EvalSet::Validation => info.test_images,
        };
        let evaluations = after_epochs.saturating_sub(u64::from(self.evaluations));
        let eval_images =
            evaluations.saturating_mul(info.eval_images).saturating_add(test_at_the_end);
        Some(training + per_image * eval_images as f64)
    }

    /// Images per second of training as quick as possible; `None` while that is unknown.
    fn full_speed(&self) -> Option<f64> {
        let now = self.rate.images_per_second().filter(|_| self.pace.is_none());
        // Just after a limit was lifted, what was seen before is nearer.
        now.into_iter().chain(self.unpaced).reduce(f64::max).filter(|&speed| speed > 0.0)
    }

    /// The final figures on the test set, once the run is done.
    pub fn test(&self) -> Option<&Evaluation> {
        self.summary.as_ref()?.test.as_ref()
    }

    /// Whether the weights are saved when the run ends.
    pub fn saves(&self) -> bool {
        self.info.as_ref().is_some_and(|info| info.saves)
    }

    /// Whether the run ended without training a batch.
    pub fn ended_before_training(&self) -> bool {
        !self.is_under_way() && self.step == 0
    }

    /// Images of a set; `None` until the data is read.
    pub fn images_of(&self, set: ImageSet) -> Option<u64> {
        let info = self.info.as_ref()?;
        Some(match set {
            ImageSet::Train => info.train_images,
            ImageSet::Test => info.test_images,
            ImageSet::Validation if info.eval_set == EvalSet::Validation => info.eval_images,
            ImageSet::Validation => 0,
        })
    }

    /// Whether batches are trained or may be.
    pub fn is_under_way(&self) -> bool {
        !matches!(self.state, RunState::Done | RunState::Failed)
    }

    /// Whether the run is kept, to be resumed where it ends.
    pub fn is_recorded(&self) -> bool {
        !self.record_ended && self.info.as_ref().is_some_and(|info| info.recorded)
    }
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { (part as f64 / whole as f64).min(1.0) }
}
