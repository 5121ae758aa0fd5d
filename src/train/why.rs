//! Explanations of what the network does, computed in slices beside the training.
//!
//! A computation works on a copy of the weights, so that the training goes on meanwhile and its bits
//! do not depend on what is looked at.

mod arithmetic;
mod attribution;
mod calibration;
mod distributions;
mod landscape;
mod projection;
mod trajectory;

use std::time::{Duration, Instant};

use candle_core::{Result, Tensor};

use self::{
    attribution::Attribute,
    distributions::{Changed, Distribute},
    landscape::{Explore, Plane},
    projection::Project,
    trajectory::Follow,
};
use super::{results::Results, sets::Sets, step::Change};
use crate::{
    nn::{explain::Frozen, model::Model},
    protocol::{Answer, Content, ImageSet, Question, Subject, Trajectory},
};

pub(super) use self::projection::Memory;

/// What is computed for a view takes one part of the time while training runs, and the training this many.
pub(super) const SHARE: u32 = 128;
/// A question is answered again no sooner than this while training runs.
const PERIOD: Duration = Duration::from_millis(250);

/// A computation in slices of some milliseconds.
trait Job {
    /// Computes the next slice.
    fn slice(&mut self, sets: &Sets, memory: &mut Memory) -> Result<Found>;
}

/// What a slice has found.
enum Found {
    /// More is to be done before anything can be told.
    Nothing,
    /// Something that can be shown meanwhile.
    Part(Content),
    /// An answer that leaves out what takes long, until nothing is trained.
    Brief(Content),
    /// The answer.
    All(Content),
}

/// An image that a question is about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Image<'a> {
    /// Where it is from; `None` if drawn.
    pub(super) place: Option<(ImageSet, u32)>,
    /// Its grey values, `[channels, rows, columns]`.
    pub(super) pixels: &'a [u8],
    /// True class, if known.
    pub(super) label: Option<u8>,
}

impl<'a> Image<'a> {
    /// The image that is meant after `step`; `None` for a drawing of another size.
    pub(super) fn of(
        subject: &'a Subject,
        sets: &'a Sets,
        results: &Results,
        step: u64,
    ) -> Option<Self> {
        let (set, index) = match subject {
            Subject::Drawn(pixels) => {
                let fits = pixels.len() == sets.test.pixels();
                return fits.then_some(Self { place: None, pixels, label: None });
            }
            Subject::Image { set, index } => (*set, *index),
            // Before the first evaluation no image is the hardest.
            Subject::Hardest => results.hardest(step).unwrap_or_default(),
        };
        let data = sets.images(set);
        let index = index.min(data.len().checked_sub(1)? as u32);
        let (pixels, label) = (data.image(index as usize), data.label(index as usize));
        Some(Self { place: Some((set, index)), pixels, label: Some(label) })
    }
}

/// What a computation is made of.
pub(super) struct Moment<'a> {
    /// Steps trained.
    pub(super) step: u64,
    /// Whether nothing is trained meanwhile.
    pub(super) stands: bool,
    /// The network as it is.
    pub(super) model: &'a Model,
    /// The run's seed.
    pub(super) seed: u64,
    /// The images.
    pub(super) sets: &'a Sets,
    /// The last evaluations.
    pub(super) results: &'a Results,
    /// The weights of at most this many of the run's snapshots, evenly spread, with their steps.
    pub(super) snapshots: &'a dyn Fn(usize) -> Vec<(u64, Tensor)>,
}

/// The question that is open, and the computation for it.
pub(super) struct Explainer {
    question: Option<Question>,
    /// The computation in progress, and the step whose weights it works on.
    job: Option<(u64, Box<dyn Job>)>,
    /// Step of the last answer to this question.
    answered: Option<u64>,
    /// Whether that answer left something out.
    is_brief: bool,
    /// When training makes room for the next slice.
    due: Instant,
    /// What watching a step for the next slice took.
    watching: Duration,
    memory: Memory,
}

impl Explainer {
    /// Without a question.
    pub(super) fn new(now: Instant) -> Self {
        Self {
            question: None,
            job: None,
            answered: None,
            is_brief: false,
            due: now,
            watching: Duration::ZERO,
            memory: Memory::default(),
        }
    }

    /// Goes over to another question, or to none.
    pub(super) fn ask(&mut self, question: Option<Question>, now: Instant) {
        if question.is_none() || question != self.question {
            self.job = None;
        }
        self.question = question;
        self.answered = None;
        if !self.wants_change() {
            self.memory.changed = None;
        }
        self.due = self.due.min(now + PERIOD / 8);
    }

    /// Answers again, since the weights are others.
    pub(super) fn renew(&mut self) {
        self.answered = None;
        self.job = None;
    }

    /// Completes the answer, since nothing is trained any more.
    pub(super) fn stand(&mut self) {
        if std::mem::take(&mut self.is_brief) {
            self.answered = None;
        }
    }

    /// Makes a slice due at `now` at the latest.
    pub(super) fn due_at(&mut self, now: Instant) {
        self.due = self.due.min(now);
    }

    /// Whether training should make room for a slice.
    pub(super) fn is_due(&self, step: u64, now: Instant) -> bool {
        let waits = self.question.as_ref().is_none_or(is_landscape);
        !waits && now >= self.due && self.has_work(step)
    }

    /// Whether there is anything to compute at this step.
    pub(super) fn has_work(&self, step: u64) -> bool {
        match self.question {
            None => false,
            // An evaluation stays what it is.
            Some(Question::Calibration { .. }) => self.answered.is_none(),
            Some(_) => self.job.is_some() || self.answered != Some(step),
        }
    }

    /// Whether the next step is to be watched, since the answer says what it does.
    pub(super) fn watches_step(&self, now: Instant) -> bool {
        self.wants_change() && self.job.is_none() && now >= self.due
    }

    /// Whether the answer says what the step before `step` did, and that is not known.
    pub(super) fn lacks_change(&self, step: u64) -> bool {
        let known = self.memory.changed.as_ref().map(|changed| changed.step);
        let begins = self.job.is_none() && self.answered != Some(step);
        self.wants_change() && begins && known != Some(step)
    }

    fn wants_change(&self) -> bool {
        self.question == Some(Question::Distributions)
    }

    /// Takes note of what `step` did, where a question is about it.
    ///
    /// # Errors
    /// Those of candle on reading from a device.
    pub(super) fn note_change(&mut self, step: u64, change: &Change) -> Result<()> {
        if self.wants_change() {
            let start = Instant::now();
            self.memory.changed = Some(Changed::of(step, change)?);
            self.watching = change.took + start.elapsed();
        }
        Ok(())
    }

    /// Computes a slice; gives the answer once it is complete. What cannot be computed is no error of the
    /// run, but said in the answer.
    pub(super) fn slice(&mut self, moment: &Moment) -> Option<Answer> {
        let question = self.question.clone()?;
        let start = Instant::now();
        // What was begun before the run went on is of other weights.
        let begun =
            self.job.take().filter(|(step, _)| !is_landscape(&question) || *step == moment.step);
        let (step, mut job) = match begun {
            Some(job) => job,
            None => match begin(&question, moment) {
                Ok(Begun::Job(job)) => (moment.step, job),
                Ok(Begun::Answer(content)) => {
                    return Some(self.answer(question, moment.step, content));
                }
                Err(error) => return Some(self.answer(question, moment.step, nothing(&error))),
            },
        };
        let content = job.slice(moment.sets, &mut self.memory);
        // The first answer is waited for.
        let share = if self.answered.is_some() { SHARE } else { 1 };
        let took = start.elapsed() + std::mem::take(&mut self.watching);
        self.due = Instant::now() + took * share;
        match content {
            Ok(Found::Nothing) => {
                self.job = Some((step, job));
                None
            }
            Ok(Found::Part(content)) => {
                self.job = Some((step, job));
                Some(Answer { question, step, content })
            }
            Ok(Found::Brief(content)) => {
                let answer = self.answer(question, step, content);
                self.is_brief = true;
                Some(answer)
            }
            Ok(Found::All(content)) => Some(self.answer(question, step, content)),
            Err(error) => Some(self.answer(question, step, nothing(&error))),
        }
    }

    fn answer(&mut self, question: Question, step: u64, content: Content) -> Answer {
        (self.answered, self.is_brief) = (Some(step), false);
        self.due = self.due.max(Instant::now() + PERIOD);
        Answer { question, step, content }
    }
}

/// Whether a question is about a plane, which takes all there is for seconds.
fn is_landscape(question: &Question) -> bool {
    matches!(question, Question::Landscape | Question::Trajectory)
}

enum Begun {
    Job(Box<dyn Job>),
    Answer(Content),
}

fn begin(question: &Question, moment: &Moment) -> Result<Begun> {
    Ok(match question {
        Question::Attribution { subject, method, class } => {
            match Image::of(subject, moment.sets, moment.results, moment.step) {
                Some(image) => {
                    let frozen = Frozen::of(moment.model)?;
                    Begun::Job(Box::new(Attribute::new(frozen, image, *method, *class)?))
                }
                None => Begun::Answer(Content::Nothing("There is no such image.".to_owned())),
            }
        }
        &Question::Arithmetic { ref subject, stage, place } => {
            match Image::of(subject, moment.sets, moment.results, moment.step) {
                Some(image) => {
                    let frozen = Frozen::of(moment.model)?;
                    Begun::Answer(arithmetic::of(&frozen, image, stage, place)?)
                }
                None => Begun::Answer(Content::Nothing("There is no such image.".to_owned())),
            }
        }
        &Question::Calibration { step, set } => {
            let found = calibration::of(moment.results, moment.sets.of(set), step, set);
            Begun::Answer(Content::Calibration(found))
        }
        Question::Projection => {
            let frozen = Frozen::of(moment.model)?;
            Begun::Job(Box::new(Project::new(frozen, moment.sets)))
        }
        Question::Distributions => {
            let frozen = Frozen::of(moment.model)?;
            Begun::Job(Box::new(Distribute::new(frozen, moment)))
        }
        Question::Landscape => {
            let frozen = Frozen::of(moment.model)?;
            let plane = Plane::random(&frozen, moment.seed);
            Begun::Job(Box::new(Explore::new(&frozen, moment.sets, plane)?))
        }
        Question::Trajectory => {
            let frozen = Frozen::of(moment.model)?;
            let snapshots = (moment.snapshots)(Trajectory::MOST - 1);
            Begun::Job(Box::new(Follow::new(frozen, moment.step, snapshots)?))
        }
    })
}

fn nothing(error: &candle_core::Error) -> Content {
    Content::Nothing(format!("This cannot be computed: {error}."))
}

#[cfg(test)]
mod tests;
