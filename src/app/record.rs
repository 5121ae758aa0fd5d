//! What a run reports becomes what is shown.

use super::{App, Curves, MATRIX_DWELL, Overlay, SAMPLE_DWELL, View, held::Held};
use crate::printable::{printable, thousands};
use crate::protocol::{
    Breakpoint, EpochRecord, Epochs, Evaluation, Event, Hardware, Inspection, Progress, Rewound,
    RunState, Sample, Subject,
};

/// Digits of a batch that are shown outside of the step view.
const SAMPLE_DIGITS: usize = 24;

impl App {
    pub(super) fn take(&mut self, event: Event) {
        self.record(event);
        // What changes quickly keeps still for a moment; once the run stands still it is exact.
        let stands_still = match self.run.state {
            RunState::Loading | RunState::Paused | RunState::Done | RunState::Failed => true,
            RunState::Training | RunState::Evaluating => self.run.is_stepping(),
        };
        let now = self.run.clock.elapsed();
        self.run.refresh_figures(self.curves.loss.smooth(), stands_still);
        self.curves.refresh(now, stands_still);
        self.sample.refresh(now, stands_still);
        self.inspector.refresh(now, stands_still);
        self.matrix.refresh(now, stands_still);
        self.release_lost_pin();
        self.network.refresh(now, stands_still);
    }

    fn record(&mut self, event: Event) {
        match event {
            Event::Started(info) => {
                self.pad.fit(&info.set);
                // A resumed run already has its past.
                if self.run.info.is_none() {
                    self.curves = Curves::new(&info);
                }
                self.run.start(info);
            }
            Event::State(state) => {
                self.run.set_state(state);
                if state == RunState::Training {
                    self.breakpoints.hit.clear();
                }
            }
            Event::Progress(progress) => {
                self.curves.extend(&progress.losses);
                self.advance(progress);
            }
            Event::Epoch(record) => self.epoch_ended(record),
            Event::Evaluated(record) => self.evaluated(record),
            Event::Epochs(epochs) => {
                let Epochs { losses, reached, brief, whole } = *epochs;
                self.run.note_losses(self.run.step + 1, &losses);
                self.curves.extend(&losses);
                if let Some(reached) = reached {
                    self.advance(reached);
                }
                for point in brief {
                    self.curves.evaluations.push(point);
                }
                for record in whole {
                    self.epoch_ended(record);
                }
            }
            Event::Hardware(Hardware { step, reading }) => {
                self.curves.machine.push(step, &reading);
                self.machine = Some(Box::new(reading));
            }
            Event::Checkpoint(_) => {}
            Event::Notice(notice) => {
                // It may answer a request to rewind that cannot be met.
                self.run.stays();
                self.messages.alert(printable(&notice));
            }
            Event::Rewound(to) => self.go_back(&to),
            Event::LearningRate(change) => {
                self.curves.rate_changed(&change);
                if change.branch {
                    self.inspector.forget_after(change.step);
                }
                self.run.follow_rate(change.step, change.learning_rate);
            }
            Event::Break(mut hit) => {
                hit.reason = printable(&hit.reason);
                self.curves.broke(&hit);
                if hit.breakpoint == Breakpoint::NotFinite {
                    self.run.diverged.get_or_insert(hit.step);
                }
                self.breakpoints.show(hit);
            }
            Event::Inspected(inspection) => {
                let is_new =
                    self.sample.shown().is_none_or(|sample| sample.step != inspection.step);
                if is_new && !self.looks_on {
                    self.sample.offer(sample_of(&inspection));
                }
                self.inspector.show(inspection);
            }
            Event::Insides(insides) => {
                let drawn = matches!(insides.subject, Subject::Drawn(_));
                if !drawn || self.view == View::Network && insides.subject == self.network.subject {
                    self.network.show(insides);
                } else {
                    self.pad.show(insides);
                }
            }
            Event::Explained(answer) => self.why.show(answer),
            Event::Found(found) => {
                if self.asked.query == Some(found.query) {
                    self.mistakes.show(found);
                }
            }
            Event::Finished(summary) => {
                self.run.finish(summary);
                self.ended();
            }
            Event::Failed(mut failure) => {
                failure.message = printable(&failure.message);
                self.messages.alert(format!("Training failed: {}", failure.message));
                self.run.fail(failure);
                self.ended();
                self.prompt = None;
                self.overlay = Some(Overlay::Failure);
            }
        }
    }

    fn advance(&mut self, mut progress: Progress) {
        if let Some(sample) = progress.sample.take() {
            self.sample.offer(sample);
        }
        self.curves.rates.push(progress.last_step(), progress.learning_rate);
        for &measure in &progress.measures {
            self.curves.measures.push(measure);
        }
        self.run.advance(&progress);
    }

    fn epoch_ended(&mut self, record: EpochRecord) {
        self.curves.epoch_ended(&record);
        self.run.epoch_ended(&record);
        self.matrix.offer(record.step);
        // A step that is evaluated again has other images among its hardest.
        self.asked.query.take_if(|query| query.step == record.step);
        self.why.evaluated(record.step);
        let shown = [self.pin.map(|(step, _)| step), self.matrix.shown().copied()];
        self.epochs.push(record, |step| shown.contains(&Some(step)));
    }

    /// An evaluation in the middle of an epoch, or before the first.
    fn evaluated(&mut self, record: EpochRecord) {
        self.curves.evaluated(record.step, &record.evaluation);
        self.run.evaluated(&record);
        self.matrix.offer(record.step);
        self.asked.query.take_if(|query| query.step == record.step);
        if std::mem::take(&mut self.asked.evaluation) {
            let Evaluation { set, loss, correct, total, .. } = &record.evaluation;
            let step = thousands(record.step);
            let (set, share) = (set.name(), 100.0 * *correct as f64 / (*total).max(1) as f64);
            self.messages.inform(format!(
                "Evaluated at step {step}: {set} loss {loss:.4}, accuracy {share:.2} %."
            ));
        }
        let shown = [self.pin.map(|(step, _)| step), self.matrix.shown().copied()];
        self.epochs.push_partial(record, |step| shown.contains(&Some(step)));
    }

    /// The run was rewound: what was seen of later steps no longer holds.
    fn go_back(&mut self, to: &Rewound) {
        self.curves.go_back(to);
        self.epochs.go_back(to.step);
        self.run.rewound(to, self.epochs.ended());
        self.breakpoints.hit.clear();
        self.matrix = Held::new(MATRIX_DWELL);
        if let Some(last) = self.epochs.last() {
            self.matrix.offer(last.step);
        }
        if self.sample.shown().is_some_and(|sample| sample.step > to.step) {
            self.sample = Held::new(SAMPLE_DWELL);
        }
        self.inspector.forget_after(to.step);
        self.why.forget_after(to.step);
        // The same step may be reached in another way, and its images are other ones then.
        self.asked.query.take_if(|query| query.step > to.step);
        self.mistakes.found.take_if(|found| found.query.step > to.step);
    }

    /// A question about ending what has ended is void; whoever already said yes is let go.
    fn ended(&mut self) {
        if self.overlay == Some(Overlay::ConfirmQuit) {
            self.overlay = None;
        }
        self.leave |= self.run.is_stopping();
    }
}

/// Some of a batch's digits, by their place in the set so that the bad ones do not come first.
fn sample_of(inspection: &Inspection) -> Sample {
    let mut digits: Vec<_> = inspection.digits.iter().collect();
    digits.sort_by_key(|ranked| ranked.index);
    let digits = digits.into_iter().take(SAMPLE_DIGITS).map(|ranked| ranked.digit.clone());
    Sample { step: inspection.step, digits: digits.collect(), originals: Vec::new() }
}
