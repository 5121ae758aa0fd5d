//! The evaluation whose confusion matrix is shown: the newest, or an older one that is pinned.

use super::{App, Epochs};
use crate::protocol::{EpochRecord, EvalSet, Evaluation, RunState};

/// An evaluation and when it was made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Matrix<'a> {
    /// Steps trained before it.
    pub step: u64,
    /// The epoch that it followed; `None` for the one on the test set that ends a run with
    /// validation images.
    pub epoch: Option<u32>,
    /// Whether the epoch had not ended.
    pub is_partial: bool,
    /// Its figures.
    pub evaluation: &'a Evaluation,
}

/// Identifies an evaluation: steps trained before it, and its set.
pub(super) type Pin = (u64, EvalSet);

impl<'a> Matrix<'a> {
    fn of_epoch(record: &'a EpochRecord, epochs: &Epochs) -> Self {
        let EpochRecord { epoch, step, evaluation, .. } = record;
        let is_partial = epochs.is_partial(*step);
        Self { step: *step, epoch: Some(*epoch), is_partial, evaluation }
    }

    fn pin(self) -> Pin {
        (self.step, self.evaluation.set)
    }
}

impl App {
    /// The evaluation whose confusion matrix is to be shown; `None` before the first.
    pub fn matrix(&self) -> Option<Matrix<'_>> {
        self.pinned().or_else(|| self.newest_matrix())
    }

    /// The newest evaluation, held for some seconds while others follow quickly; `None` before the first.
    pub fn newest_matrix(&self) -> Option<Matrix<'_>> {
        self.closing().or_else(|| {
            let held = self.matrix.shown().and_then(|&step| self.epochs.at(step));
            let record = held.or(self.epochs.last());
            record.map(|record| Matrix::of_epoch(record, &self.epochs))
        })
    }

    /// The highest accuracy on `set` since training began; `None` before the first evaluation.
    pub fn best_accuracy(&self, set: EvalSet) -> Option<f64> {
        let trained = self.epochs.iter().filter(|record| record.step > 0);
        let of_set = trained.map(|record| &record.evaluation).filter(|one| one.set == set);
        let kept = of_set.map(Evaluation::accuracy).reduce(f64::max)?;
        // Of a long run the charts know evaluations whose matrices are gone, in fewer decimals.
        let points = self.curves.evaluations.iter().filter(|point| point.step > 0);
        let best = points.map(|point| f64::from(point.accuracy)).reduce(f64::max);
        Some(best.filter(|&best| best > kept + f64::from(f32::EPSILON)).unwrap_or(kept))
    }

    /// The evaluation that was made on `set` after `step`, if there is one.
    pub fn matrix_at(&self, step: u64, set: EvalSet) -> Option<Matrix<'_>> {
        let epoch = self.epochs.at(step).map(|record| Matrix::of_epoch(record, &self.epochs));
        epoch.into_iter().chain(self.closing()).find(|matrix| matrix.pin() == (step, set))
    }

    /// Whether the matrix shown stays while newer ones come.
    pub fn is_pinned(&self) -> bool {
        self.pin.is_some()
    }

    /// All evaluations whose matrices are kept, oldest first.
    fn matrices(&self) -> impl Iterator<Item = Matrix<'_>> {
        let epochs = self.epochs.iter().map(|record| Matrix::of_epoch(record, &self.epochs));
        epochs.chain(self.closing())
    }

    /// The evaluation on the test set that ends a run whose epochs are evaluated on another.
    fn closing(&self) -> Option<Matrix<'_>> {
        if self.run.state != RunState::Done {
            return None;
        }
        let (summary, test) = (self.run.summary.as_ref()?, self.run.test()?);
        let after_epoch = self.epochs.last().is_some_and(|last| last.evaluation.set == test.set);
        (!after_epoch).then_some(Matrix {
            step: summary.steps,
            epoch: None,
            is_partial: false,
            evaluation: test,
        })
    }

    fn pinned(&self) -> Option<Matrix<'_>> {
        let (step, set) = self.pin?;
        self.matrix_at(step, set)
    }

    /// Pins the evaluation before the one shown, if there is one.
    pub(super) fn pin_older(&mut self) {
        let Some(shown) = self.matrix().map(Matrix::pin) else { return };
        let older = self.matrices().map(Matrix::pin).take_while(|&pin| pin != shown).last();
        self.pin = older.or(self.pin);
    }

    /// Pins the evaluation after the one pinned; after the last one the newest is followed again.
    pub(super) fn pin_newer(&mut self) {
        let Some(pinned) = self.pin else { return };
        let newer = self.matrices().map(Matrix::pin).skip_while(|&pin| pin != pinned).nth(1);
        self.pin = newer;
    }

    /// Follows the newest evaluation again.
    pub(super) fn unpin(&mut self) {
        self.pin = None;
    }

    /// Follows the newest evaluation again once the one pinned is no longer part of the run.
    pub(super) fn release_lost_pin(&mut self) {
        if self.pinned().is_none() {
            self.unpin();
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use crate::{
        app::{Action, App, Msg},
        metrics::Confusion,
        protocol::{Clock, EpochRecord, EvalSet, Evaluation, Event, RunInfo, RunState, Summary},
    };

    fn evaluation(set: EvalSet) -> Evaluation {
        Evaluation {
            set,
            loss: 0.1,
            correct: 9,
            total: 10,
            seconds: 0.1,
            confusion: Confusion::new(10),
        }
    }

    pub(in crate::app) fn record(epoch: u32, set: EvalSet) -> EpochRecord {
        EpochRecord {
            epoch,
            step: u64::from(epoch) * 12,
            batches: 12,
            train_loss: 0.3,
            train_accuracy: None,
            train_seconds: 1.2,
            images_per_second: 500.0,
            evaluation: evaluation(set),
            clock: Clock { training: f64::from(epoch) * 10.0, evaluating: 0.0 },
        }
    }

    pub(in crate::app) fn feed(app: &mut App, event: Event) {
        let _ = app.update(event.into());
    }

    /// A run that has evaluated `epochs` epochs.
    pub(in crate::app) fn evaluated(epochs: u32, set: EvalSet) -> App {
        let mut app = App::default();
        feed(&mut app, Event::Started(RunInfo::example()));
        feed(&mut app, Event::State(RunState::Training));
        for epoch in 1..=epochs {
            feed(&mut app, Event::Epoch(record(epoch, set)));
        }
        app
    }

    pub(in crate::app) fn act(app: &mut App, action: Action) {
        let _ = app.update(Msg::Action(action));
    }

    /// The epoch shown and whether it is pinned.
    fn shown(app: &App) -> (Option<u32>, bool) {
        (app.matrix().and_then(|matrix| matrix.epoch), app.is_pinned())
    }

    #[test]
    fn an_older_matrix_stays_while_epochs_go_by() {
        let mut app = evaluated(3, EvalSet::Test);
        assert_eq!(shown(&app), (Some(3), false));
        act(&mut app, Action::OlderMatrix);
        feed(&mut app, Event::Epoch(record(4, EvalSet::Test)));
        assert_eq!(shown(&app), (Some(2), true));
        assert_eq!(app.newest_matrix().and_then(|matrix| matrix.epoch), Some(4));
    }

    #[test]
    fn going_beyond_the_newest_follows_it_again() {
        let mut app = evaluated(2, EvalSet::Test);
        act(&mut app, Action::NewerMatrix);
        assert_eq!(shown(&app), (Some(2), false), "there is nothing newer to go to");
        for _ in 0..5 {
            act(&mut app, Action::OlderMatrix);
        }
        assert_eq!(shown(&app), (Some(1), true), "the first is the oldest");
        act(&mut app, Action::NewerMatrix);
        assert_eq!(shown(&app), (Some(2), true));
        act(&mut app, Action::NewerMatrix);
        assert_eq!(shown(&app), (Some(2), false));
        feed(&mut app, Event::Epoch(record(3, EvalSet::Test)));
        assert_eq!(shown(&app), (Some(3), false));
    }

    #[test]
    fn a_run_without_or_with_one_evaluation_has_nothing_to_go_back_to() {
        for epochs in [0, 1] {
            let mut app = evaluated(epochs, EvalSet::Test);
            act(&mut app, Action::OlderMatrix);
            act(&mut app, Action::NewerMatrix);
            assert_eq!(shown(&app), ((epochs > 0).then_some(1), false));
        }
    }

    #[test]
    fn a_pin_on_an_epoch_that_is_given_up_is_released() {
        let mut app = evaluated(4, EvalSet::Test);
        act(&mut app, Action::OlderMatrix);
        assert_eq!(shown(&app), (Some(3), true));
        app.epochs.go_back(24);
        feed(&mut app, Event::State(RunState::Paused));
        assert_eq!(shown(&app), (Some(2), false));
        // Trained again, the epoch is another one than was pinned.
        feed(&mut app, Event::Epoch(record(3, EvalSet::Test)));
        assert_eq!(shown(&app), (Some(3), false));
        app.epochs.go_back(0);
        assert_eq!(shown(&app), (None, false));
    }

    #[test]
    fn the_test_set_at_the_end_of_a_run_with_validation_images_is_the_newest() {
        let mut app = evaluated(2, EvalSet::Validation);
        let test = Some(evaluation(EvalSet::Test));
        let (steps, clock) = (24, Clock::default());
        feed(
            &mut app,
            Event::Finished(Summary {
                steps,
                images: 0,
                clock,
                test,
                best: None,
                stopped: false,
                saved: None,
                diverged: None,
            }),
        );
        let set = |app: &App| app.matrix().map(|matrix| (matrix.step, matrix.evaluation.set));
        assert_eq!(set(&app), Some((24, EvalSet::Test)));
        act(&mut app, Action::OlderMatrix);
        assert_eq!((set(&app), shown(&app)), (Some((24, EvalSet::Validation)), (Some(2), true)));
        act(&mut app, Action::NewerMatrix);
        assert_eq!((set(&app), shown(&app)), (Some((24, EvalSet::Test)), (None, true)));
        // Going back from the end leaves no final evaluation.
        feed(&mut app, Event::State(RunState::Paused));
        assert_eq!(shown(&app), (Some(2), false));
    }
}
