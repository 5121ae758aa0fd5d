//! What a run's events amount to.

use super::{
    plan::Planned,
    row::{Row, State},
};
use crate::{
    printable::thousands,
    protocol::{EpochRecord, EvalSet, Evaluation, Event, Failure, RateChange, Summary},
};

/// Follows a run of a sweep to its result.
#[derive(Clone, Debug)]
pub struct Follower {
    run: String,
    seed: u64,
    /// The learning rate that is planned.
    rate: f64,
    /// Learning rates that a person has set, by the step after which they apply.
    rates: Vec<(u64, f64)>,
    set: EvalSet,
    epochs: u32,
    seconds: f64,
    /// The evaluation that counts: on validation images the best, on test images the last.
    evaluation: Option<Measured>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Measured {
    correct: u64,
    total: u64,
    loss: f64,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq)]
pub enum End {
    /// It has a result.
    Row(Row),
    /// It was stopped before its last step.
    Stopped,
    /// It failed.
    Failed(String),
    /// Another program trains it.
    Busy,
}

impl Follower {
    /// At the start of a run.
    pub fn of(run: &Planned) -> Self {
        Self {
            run: run.name.clone(),
            seed: run.config.seed,
            rate: run.config.learning_rate,
            rates: Vec::new(),
            set: EvalSet::default(),
            epochs: 0,
            seconds: 0.0,
            evaluation: None,
        }
    }

    /// The first step that was trained with another learning rate than planned, if there is one.
    pub fn deviates_at(&self) -> Option<u64> {
        let other = self.rates.iter().find(|(_, rate)| *rate != self.rate);
        other.map(|(step, _)| step + 1)
    }

    /// Takes an event into account; gives how the run ended with the last one.
    pub fn update(&mut self, event: &Event) -> Option<End> {
        match event {
            Event::Started(info) => self.set = info.eval_set,
            Event::LearningRate(RateChange { step, learning_rate, .. }) => {
                // What was trained after this step before is given up.
                self.rates.retain(|(earlier, _)| earlier < step);
                self.rates.push((*step, *learning_rate));
            }
            Event::Epoch(EpochRecord { epoch, evaluation, clock, .. }) => {
                self.epochs = *epoch;
                self.seconds = clock.training;
                self.measured(evaluation);
            }
            Event::Finished(summary) if summary.stopped => return Some(End::Stopped),
            Event::Finished(Summary { diverged: Some(_), steps, clock, .. }) => {
                self.seconds = clock.training;
                return Some(self.end(*steps, State::Diverged));
            }
            Event::Finished(Summary { steps, test, clock, .. }) => {
                self.seconds = clock.training;
                if let Some(test) = test.as_ref().filter(|test| test.set == self.set) {
                    self.measured(test);
                }
                return Some(self.end(*steps, State::Done));
            }
            Event::Failed(Failure { diverged: Some(step), .. }) => {
                return Some(self.end(*step, State::Diverged));
            }
            Event::Failed(failure) => return Some(End::Failed(failure.message.clone())),
            Event::Progress(progress) => self.seconds = progress.clock.training,
            _ => {}
        }
        None
    }

    fn measured(&mut self, evaluation: &Evaluation) {
        let Evaluation { set, correct, total, loss, .. } = *evaluation;
        let is_better = self.evaluation.is_none_or(|best| correct > best.correct);
        if set == self.set && (set == EvalSet::Test || is_better && !loss.is_nan()) {
            self.evaluation = Some(Measured { correct, total, loss });
        }
    }

    fn end(&self, steps: u64, state: State) -> End {
        if let Some(step) = self.deviates_at().filter(|&step| step <= steps) {
            return End::Failed(deviation(step));
        }
        let measured = self.evaluation.filter(|_| state == State::Done);
        End::Row(Row {
            seed: self.seed,
            epochs: self.epochs,
            steps,
            correct: measured.map(|one| one.correct),
            total: measured.map(|one| one.total),
            accuracy: measured.map(|one| one.correct as f64 / one.total.max(1) as f64),
            loss: measured.map(|one| one.loss).filter(|loss| loss.is_finite()),
            train_seconds: (self.seconds * 1e3).round() / 1e3,
            run: self.run.clone(),
            set: self.set,
            state,
        })
    }
}

/// Why a run has no place in the results whose learning rate a person has changed.
pub(super) fn deviation(step: u64) -> String {
    format!(
        "its learning rate was changed by hand at step {}: move its folder away to train it as planned",
        thousands(step)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        metrics::Confusion,
        protocol::{Clock, RunInfo},
        sweep::plan::tests::plan_of,
    };

    fn evaluation(set: EvalSet, correct: u64, loss: f64) -> Evaluation {
        Evaluation { set, loss, correct, total: 100, seconds: 0.1, confusion: Confusion::new(10) }
    }

    fn epoch(epoch: u32, evaluation: Evaluation) -> Event {
        Event::Epoch(EpochRecord {
            epoch,
            step: 10 * u64::from(epoch),
            batches: 10,
            train_loss: 0.5,
            train_accuracy: None,
            train_seconds: 1.0,
            images_per_second: 1.0,
            evaluation,
            clock: Clock { training: f64::from(epoch), evaluating: 0.0 },
        })
    }

    fn finished(test: Option<Evaluation>, diverged: Option<u64>) -> Event {
        Event::Finished(Summary {
            steps: 30,
            images: 300,
            clock: Clock { training: 3.000_49, evaluating: 1.0 },
            test,
            best: None,
            stopped: false,
            saved: None,
            diverged,
        })
    }

    fn end(set: EvalSet, events: &[Event]) -> End {
        let plan = plan_of(&[("lr", "0.1,1e-3")], 2);
        let mut follower = Follower::of(&plan.run(1).expect("it is planned"));
        let started = Event::Started(RunInfo { eval_set: set, ..RunInfo::example() });
        assert_eq!(follower.update(&started), None);
        let ends: Vec<End> = events.iter().filter_map(|event| follower.update(event)).collect();
        <[End; 1]>::try_from(ends).expect("one end")[0].clone()
    }

    fn row(set: EvalSet, events: &[Event]) -> Row {
        match end(set, events) {
            End::Row(row) => row,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn on_test_images_the_last_evaluation_counts() {
        let of = |correct, loss| evaluation(EvalSet::Test, correct, loss);
        let events =
            [epoch(1, of(90, 0.3)), epoch(2, of(80, 0.4)), finished(Some(of(80, 0.4)), None)];
        let row = row(EvalSet::Test, &events);
        assert_eq!((row.correct, row.accuracy, row.loss), (Some(80), Some(0.8), Some(0.4)));
        assert_eq!((row.epochs, row.steps, row.train_seconds), (2, 30, 3.0));
    }

    #[test]
    fn on_validation_images_the_best_counts_and_test_images_do_not() {
        let of = |correct, loss| evaluation(EvalSet::Validation, correct, loss);
        let events = [
            epoch(1, of(80, 0.4)),
            epoch(2, of(90, 0.3)),
            epoch(3, of(85, 0.2)),
            finished(Some(evaluation(EvalSet::Test, 99, 0.1)), None),
        ];
        let row = row(EvalSet::Validation, &events);
        assert_eq!((row.correct, row.loss, row.set), (Some(90), Some(0.3), EvalSet::Validation));
    }

    #[test]
    fn a_run_that_diverged_has_a_row_without_figures_and_one_that_was_stopped_has_none() {
        let of = |correct, loss| evaluation(EvalSet::Test, correct, loss);
        let failure = Failure { diverged: Some(17), ..Failure::new("not finite") };
        for last in [finished(Some(of(9, f64::NAN)), Some(4)), Event::Failed(failure)] {
            let row = row(EvalSet::Test, &[epoch(1, of(9, f64::NAN)), last]);
            assert_eq!((row.state, row.correct, row.loss), (State::Diverged, None, None));
            assert!(String::from_utf8(row.csv(&[])).expect("text").contains(",,,,,"));
        }
        let Event::Finished(summary) = finished(None, None) else { unreachable!() };
        let stopped = Event::Finished(Summary { stopped: true, ..summary });
        assert_eq!(end(EvalSet::Test, &[stopped]), End::Stopped);
        let failed = Event::Failed(Failure::new("no room"));
        assert_eq!(end(EvalSet::Test, &[failed]), End::Failed("no room".to_owned()));
    }
    #[test]
    fn a_run_whose_learning_rate_a_person_changed_has_no_row() {
        let of = evaluation(EvalSet::Test, 98, 0.1);
        let change = |step, learning_rate, branch| {
            Event::LearningRate(RateChange { step, learning_rate, branch })
        };
        let done = || finished(Some(of.clone()), None);
        let End::Failed(message) = end(EvalSet::Test, &[change(4, 0.5, false), done()]) else {
            panic!("a result of other settings");
        };
        assert!(
            message.starts_with("its learning rate was changed by hand at step 5"),
            "{message}"
        );
        // Rewound to before the change, the planned rate applies again.
        let undone = [change(4, 0.5, false), change(3, 1e-3, true), done()];
        assert_eq!(row(EvalSet::Test, &undone).state, State::Done);
        let late = [change(30, 0.5, false), done()];
        assert_eq!(row(EvalSet::Test, &late).state, State::Done, "no step had that rate");
    }
}
