//! Whether a breakpoint is met.

use super::losses::Losses;
use crate::{
    printable::thousands,
    protocol::{Break, Breakpoint, Evaluation},
};

/// Steps whose losses say what is usual.
const RECENT: usize = 100;
/// Fewer say nothing yet.
const FEWEST: usize = 50;

/// The breakpoints of a run.
///
/// Conditions on a loss or an accuracy count when they begin to hold, so that a run that goes on
/// from one is not paused again at once. All is decided by the losses of the run up to the step: a
/// run that went back is paused at the same places again.
#[derive(Debug)]
pub(super) struct Watch {
    breakpoints: Vec<Breakpoint>,
    /// Steps of evaluations, and the accuracy in each.
    accuracies: Vec<(u64, f64)>,
}

impl Watch {
    pub(super) fn new(breakpoints: Vec<Breakpoint>) -> Self {
        Self { breakpoints, accuracies: Vec::new() }
    }

    /// Watches for these from now on.
    pub(super) fn set(&mut self, breakpoints: Vec<Breakpoint>) {
        self.breakpoints = breakpoints;
    }

    /// The breakpoints that `step` meets, whose loss is known. `finite` tells of its gradient.
    pub(super) fn after_step(&self, step: u64, losses: &Losses, finite: bool) -> Vec<Break> {
        let Some(loss) = losses.at(step) else { return Vec::new() };
        let before = step.checked_sub(1).and_then(|step| losses.at(step));
        let hit = |&breakpoint: &Breakpoint| {
            let reason = match breakpoint {
                Breakpoint::Step(at) => {
                    (at == step).then(|| format!("step {} was reached", thousands(step)))
                }
                Breakpoint::NotFinite => not_finite(loss, before, finite, step),
                Breakpoint::LossAbove(limit) => {
                    let above = |loss: f32| f64::from(loss) > limit;
                    (above(loss) && !before.is_some_and(above)).then(|| {
                        let step = thousands(step);
                        format!("the loss of step {step} is {loss:.4}, above {limit}")
                    })
                }
                Breakpoint::Spike(deviations) => {
                    let recent = losses.up_to(step.saturating_sub(1), RECENT);
                    spike(loss, recent, deviations, step)
                }
                Breakpoint::Epoch | Breakpoint::Accuracy(_) => None,
            };
            reason.map(|reason| Break { breakpoint, step, reason })
        };
        self.breakpoints.iter().filter_map(hit).collect()
    }

    /// The breakpoints that the evaluation of an epoch after `step` meets. `is_finite` says whether
    /// the running statistics are, or that it is known already that the run has diverged.
    pub(super) fn after_epoch(
        &mut self,
        (epoch, step): (u32, u64),
        evaluation: &Evaluation,
        is_finite: bool,
    ) -> Vec<Break> {
        let accuracy = evaluation.accuracy();
        let before = self.accuracies.last().map(|&(_, accuracy)| accuracy);
        self.accuracies.push((step, accuracy));
        let hit = |&breakpoint: &Breakpoint| {
            let reason = match breakpoint {
                Breakpoint::Epoch => Some(format!("epoch {epoch} was evaluated")),
                Breakpoint::Accuracy(share) => {
                    let reached = |accuracy: f64| accuracy >= share;
                    (reached(accuracy) && !before.is_some_and(reached)).then(|| {
                        let (set, percent) = (evaluation.set.name(), 100.0 * accuracy);
                        format!("the {set} accuracy of epoch {epoch} is {percent:.2} %")
                    })
                }
                Breakpoint::NotFinite => (!is_finite).then(|| {
                    format!("the running statistics of batch normalisation after epoch {epoch} are not finite")
                }),
                Breakpoint::Step(_) | Breakpoint::LossAbove(_) | Breakpoint::Spike(_) => None,
            };
            reason.map(|reason| Break { breakpoint, step, reason })
        };
        self.breakpoints.iter().filter_map(hit).collect()
    }

    /// Forgets the evaluations after `step`.
    pub(super) fn go_back(&mut self, step: u64) {
        self.accuracies.retain(|&(evaluated, _)| evaluated <= step);
    }
}

fn not_finite(loss: f32, before: Option<f32>, finite: bool, step: u64) -> Option<String> {
    if before.is_some_and(|before| !before.is_finite()) {
        return None;
    }
    if !loss.is_finite() {
        return Some(format!("the loss of step {} is not finite ({loss})", thousands(step)));
    }
    (!finite).then(|| format!("the gradient of step {} is not finite", thousands(step)))
}

/// A loss far above the mean of the recent ones, in standard deviations of theirs.
fn spike(loss: f32, recent: &[f32], deviations: f64, step: u64) -> Option<String> {
    let known = || recent.iter().map(|&loss| f64::from(loss)).filter(|loss| loss.is_finite());
    let count = known().count();
    if count < FEWEST {
        return None;
    }
    let mean = known().sum::<f64>() / count as f64;
    let spread = (known().map(|loss| (loss - mean).powi(2)).sum::<f64>() / count as f64).sqrt();
    let above = (f64::from(loss) - mean) / spread;
    (above > deviations).then(|| {
        let step = thousands(step);
        format!(
            "the loss of step {step} is {loss:.4}, {above:.1} standard deviations above the recent \
             mean of {mean:.4}"
        )
    })
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Tensor};

    use super::*;
    use crate::{metrics::Confusion, protocol::EvalSet};

    fn losses(values: impl IntoIterator<Item = f32>) -> Losses {
        let mut losses = Losses::default();
        for value in values {
            losses.push(&Tensor::new(value, &Device::Cpu).expect("a scalar")).expect("a scalar");
        }
        losses
    }

    /// Steps of these losses that meet `breakpoint`.
    fn hits(breakpoint: &str, values: impl IntoIterator<Item = f32>) -> Vec<u64> {
        let watch = Watch::new(vec![breakpoint.parse().expect("a breakpoint")]);
        let losses = losses(values);
        (1..=losses.last_step())
            .filter(|&step| !watch.after_step(step, &losses, true).is_empty())
            .collect()
    }

    fn evaluation(correct: u64) -> Evaluation {
        Evaluation {
            set: EvalSet::Test,
            loss: 0.1,
            correct,
            total: 100,
            seconds: 0.0,
            confusion: Confusion::new(10),
        }
    }

    #[test]
    fn a_condition_on_the_loss_counts_when_it_begins_to_hold() {
        assert_eq!(hits("loss>1", [2.0, 1.5, 0.5, 1.2, 1.3, 1.0, 1.1]), [1, 4, 7]);
        assert_eq!(hits("nan", [1.0, f32::NAN, f32::NAN, 1.0, f32::INFINITY]), [2, 5]);
        assert_eq!(hits("step=3", [1.0; 5]), [3]);
        assert_eq!(hits("epoch", [1.0; 5]), [0; 0]);
    }

    #[test]
    fn a_gradient_that_is_not_finite_is_met_though_the_loss_is() {
        let watch = Watch::new(vec![Breakpoint::NotFinite]);
        let hits = watch.after_step(2, &losses([1.0, 1.0]), false);
        assert_eq!(hits[0].reason, "the gradient of step 2 is not finite");
    }

    #[test]
    fn running_statistics_that_are_not_finite_are_met_at_the_evaluation() {
        let mut watch = Watch::new(vec![Breakpoint::NotFinite]);
        assert_eq!(watch.after_epoch((1, 12), &evaluation(90), true), []);
        let hits = watch.after_epoch((2, 24), &evaluation(90), false);
        let [hit] = &hits[..] else { panic!("{hits:?}") };
        assert_eq!((hit.breakpoint, hit.step), (Breakpoint::NotFinite, 24));
        let reason = "the running statistics of batch normalisation after epoch 2 are not finite";
        assert_eq!(hit.reason, reason);
    }

    #[test]
    fn a_spike_stands_out_of_what_is_usual_and_only_once_that_is_known() {
        let noise = |step: u64| 0.3 + 0.1 * ((step * 7919) % 13) as f32 / 13.0;
        let with = |place: u64, value: f32| {
            (1..=200).map(move |step| if step == place { value } else { noise(step) })
        };
        assert_eq!(hits("spike", with(150, 2.0)), [150]);
        assert_eq!(hits("spike=100", with(150, 2.0)), [0; 0]);
        assert_eq!(hits("spike", with(20, 2.0)), [0; 0], "too early to tell");
        assert_eq!(hits("spike", with(150, f32::NAN)), [0; 0]);
        let watch = Watch::new(vec!["spike".parse().expect("a breakpoint")]);
        let losses = losses(with(150, 2.0));
        let reason = &watch.after_step(150, &losses, true)[0].reason;
        assert!(reason.starts_with("the loss of step 150 is 2.0000, 5"), "{reason}");
        assert!(
            reason.ends_with("standard deviations above the recent mean of 0.3468"),
            "{reason}"
        );
    }

    #[test]
    fn an_accuracy_is_met_when_it_is_first_reached_and_again_after_going_back() {
        let breakpoints = ["accuracy>=90%", "epoch"].map(|text| text.parse().expect("valid"));
        let mut watch = Watch::new(breakpoints[..1].to_vec());
        let mut met = |epoch: u32, correct| {
            !watch
                .after_epoch((epoch, u64::from(epoch) * 10), &evaluation(correct), true)
                .is_empty()
        };
        assert_eq!(
            [met(1, 80), met(2, 90), met(3, 95), met(4, 80), met(5, 91)],
            [false, true, false, false, true]
        );
        watch.go_back(15);
        watch.set(breakpoints.to_vec());
        let mut reasons = |epoch: u32, correct| {
            let step = u64::from(epoch) * 10;
            let hits = watch.after_epoch((epoch, step), &evaluation(correct), true);
            hits.into_iter().map(|hit| hit.reason).collect::<Vec<_>>()
        };
        let both = ["the test accuracy of epoch 2 is 90.00 %", "epoch 2 was evaluated"];
        assert_eq!(reasons(2, 90), both, "all that are met at one step");
        assert_eq!(reasons(3, 95), ["epoch 3 was evaluated"]);
    }
}
