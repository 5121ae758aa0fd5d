//! Which learning rate applies to which step.

use crate::config::Schedule;

/// The learning rates of a run, and how far it has come by them: those that a person sets, each times
/// what the schedule makes of a step.
///
/// While the run stands where it was before, the rates of the steps ahead are kept, so that it can
/// repeat them; another rate there makes a branch, and they are forgotten.
#[derive(Clone, Debug)]
pub(super) struct Rates {
    /// Steps before a change, and the rate that is set from the next step on; by rising step, from step 0
    /// on.
    changes: Vec<(u64, f64)>,
    schedule: Schedule,
    /// The furthest step that was trained by these rates.
    furthest: u64,
}

impl Rates {
    /// A schedule whose highest rate is `rate`.
    pub(super) fn new(rate: f64, schedule: Schedule) -> Self {
        Self { changes: vec![(0, rate)], schedule, furthest: 0 }
    }

    /// The rates of a run that goes on after `furthest` steps; none where they are not in order from
    /// step 0 on.
    pub(super) fn resume(
        changes: &[(u64, f64)],
        schedule: Schedule,
        furthest: u64,
    ) -> Option<Self> {
        let in_order = changes.windows(2).all(|pair| pair[0].0 < pair[1].0);
        let usable = changes.iter().all(|(_, rate)| rate.is_finite() && *rate > 0.0);
        let from_start = changes.first().is_some_and(|(step, _)| *step == 0);
        (in_order && usable && from_start).then(|| Self {
            changes: changes.to_vec(),
            schedule,
            furthest,
        })
    }

    /// Steps before each change up to `step`, and the rate from there on.
    pub(super) fn up_to(&self, step: u64) -> Vec<(u64, f64)> {
        self.changes.iter().copied().filter(|&(change, _)| change <= step).collect()
    }

    /// The rate of the step that follows `step`.
    pub(super) fn after(&self, step: u64) -> f64 {
        self.set_after(step) * self.schedule.factor(step + 1)
    }

    /// The rate that is set for the step that follows `step`, before the schedule.
    pub(super) fn set_after(&self, step: u64) -> f64 {
        let next = self.changes.partition_point(|&(change, _)| change <= step);
        self.changes[next.saturating_sub(1)].1
    }

    /// Notes that `step` was trained.
    pub(super) fn trained(&mut self, step: u64) {
        self.furthest = self.furthest.max(step);
    }

    /// Whether steps beyond `step` were trained.
    pub(super) fn is_behind(&self, step: u64) -> bool {
        step < self.furthest
    }

    /// Sets the rate of the steps after `step`; true if that makes a branch.
    pub(super) fn change(&mut self, step: u64, rate: f64) -> bool {
        let branch = self.is_behind(step);
        self.furthest = step;
        self.changes.retain(|&(change, _)| change < step);
        self.changes.push((step, rate));
        branch
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{ScheduleSpec, Shape};

    #[test]
    fn a_schedule_multiplies_the_rate_that_a_person_sets() {
        let spec = ScheduleSpec { shape: Shape::Linear, ..ScheduleSpec::default() };
        let mut rates = Rates::new(0.1, spec.over(10, 0.1));
        rates.change(4, 0.2);
        let close = |a: f64, b: f64| (a - b).abs() < 1e-15;
        assert!(close(rates.after(0), 0.1) && close(rates.after(3), 0.07));
        assert!(close(rates.after(4), 0.12) && close(rates.after(9), 0.02));
        assert_eq!(rates.up_to(9), [(0, 0.1), (4, 0.2)], "the schedule makes no changes");
    }

    #[test]
    fn a_rate_applies_from_the_step_after_its_change() {
        let mut rates = Rates::new(0.1, Schedule::default());
        rates.trained(5);
        assert!(!rates.change(5, 0.2), "nothing lies ahead");
        rates.trained(9);
        assert_eq!([0, 4, 5, 9].map(|step| rates.after(step)), [0.1, 0.1, 0.2, 0.2]);
        assert!(!rates.change(9, 0.3) && !rates.change(9, 0.4), "the last of several counts");
        assert_eq!((rates.after(8), rates.after(9)), (0.2, 0.4));
    }

    #[test]
    fn a_change_behind_the_furthest_step_makes_a_branch_and_drops_the_rates_ahead() {
        let mut rates = Rates::new(0.1, Schedule::default());
        rates.trained(10);
        rates.change(10, 0.2);
        rates.trained(20);
        assert!(rates.is_behind(4));
        assert!(rates.change(4, 0.05));
        assert_eq!((rates.after(3), rates.after(4), rates.after(15)), (0.1, 0.05, 0.05));
        assert!(!rates.is_behind(4));
        assert!(!rates.change(4, 0.04), "the branch has begun");
        assert!(rates.change(0, 0.01), "step 4 lies ahead");
        assert_eq!([0, 3, 4, 20].map(|step| rates.after(step)), [0.01; 4]);
    }
}
