//! What was made of each image, and questions for images.

use super::Run;
use crate::{
    data::augment::Seen,
    protocol::{Digit, Event, Found, ImageSet, List, Query, RankedDigit},
    train::{
        error::TrainError,
        history::{Noted, Suspect, UNKNOWN},
        results::ImageResult,
        rough,
        step::{arg_max, tensors},
    },
};

impl Run<'_> {
    /// The step that completes the epoch in progress.
    pub(super) fn epoch_end(&self) -> u64 {
        self.at.step + (self.batches.count() - self.at.batch) as u64
    }

    /// Notes what the network made of the batch that was just trained.
    pub(super) fn note_answers(&mut self) {
        let batch = self.batches.batch(self.at.batch - 1);
        let (sets, step) = (&self.sets, self.at.step);
        if !self.tools.attended {
            return self
                .corrects
                .push(step, self.learner.correct(&sets.train, batch, |_, _, _| {}));
        }
        let mut answers = Vec::with_capacity(batch.len());
        let correct = self.learner.correct(&sets.train, batch, |index, prediction, logits| {
            let label = logits.get(usize::from(sets.train.label(index as usize)));
            let (probability, loss) =
                rough::softmax(logits, logits[prediction], label.copied().unwrap_or(f32::NAN));
            let prediction = if probability.is_nan() { UNKNOWN } else { prediction as u8 };
            answers.push(Noted { index, prediction, probability, loss });
        });
        self.corrects.push(step, correct);
        // Other devices keep the logits to themselves.
        if correct.is_none() {
            return;
        }
        self.histories.trained(self.epoch_end(), self.sets.train.len(), answers.into_iter());
    }

    /// Answers a question for images.
    pub(super) fn find(&mut self, query: Query) -> Result<(), TrainError> {
        let step = query.step;
        let (evaluated, data) = self.sets.evaluation();
        let labels = data.labels();
        let mut found = match query.list {
            List::Hardest => self.results.find(query, self.sets.of(query.set)),
            List::Forgotten => {
                let forgotten = self.histories.evaluation.forgotten(labels, step);
                // Where the test set ends a run with validation images, these are what has a history.
                let of_kept = Query { set: evaluated, ..query };
                Found { query, ..self.results.forgotten(of_kept, data, &forgotten) }
            }
            List::Suspected => self.suspected(query)?,
        };
        let (history, data) = match found.set {
            ImageSet::Train => (&self.histories.training, &*self.sets.train),
            _ => (&self.histories.evaluation, data),
        };
        if found.set == evaluated.into() || found.set == ImageSet::Train {
            found.steps = history.steps(step);
            let of = |it: &RankedDigit| {
                let label = data.label(it.index as usize);
                history.of(it.index, label, it.digit.prediction, step)
            };
            found.histories = found.digits.iter().map(of).collect();
        }
        self.outbox.send(&Event::Found(found));
        Ok(())
    }

    /// The training images whose labels may be wrong, with what the network makes of them now.
    fn suspected(&self, query: Query) -> Result<Found, TrainError> {
        let data = &self.sets.train;
        let mut found = Found { set: ImageSet::Train, ..Found::unknown(query) };
        if self.histories.training.steps(query.step).len() < List::EPOCHS {
            return Ok(found);
        }
        let mut suspects = self.histories.training.suspected(data.labels(), query.step);
        suspects.retain(|it| {
            query.cell.is_none_or(|cell| cell == (data.label(it.index as usize), it.class))
        });
        found.total = Some(suspects.len() as u64);
        suspects.truncate(Found::MOST);
        if suspects.is_empty() {
            return Ok(found);
        }
        let indices: Vec<u32> = suspects.iter().map(|it| it.index).collect();
        let (images, _) = tensors(Seen::plain(data), &indices, &self.device)?;
        let logits = self.learner.product().logits(&images)?.to_vec2::<f32>()?;
        let ranked = |(suspect, logits): (Suspect, Vec<f32>)| {
            let (index, class) = (suspect.index, suspect.class);
            let label = data.label(index as usize);
            let loss = ImageResult::of(&logits, label, arg_max(&logits)).loss;
            let probability = (-ImageResult::of(&logits, class, arg_max(&logits)).loss).exp();
            let pixels = data.image(index as usize).to_vec();
            RankedDigit {
                index,
                digit: Digit { pixels, label, prediction: class, probability },
                loss,
            }
        };
        found.digits = suspects.into_iter().zip(logits).map(ranked).collect();
        Ok(found)
    }
}
