//! Evaluations on the charts, in memory that does not grow with their number.

use crate::protocol::EvalPoint;

/// Evaluations, oldest first: all of them up to [`Evaluations::GROUPS`], then of each group of so
/// many neighbours those with the lowest and the highest loss and accuracy, and always the last.
///
/// All groups hold as many evaluations. When they run out, neighbours are joined: no extreme is ever
/// lost, however long the run.
#[derive(Clone, Debug)]
pub struct Evaluations {
    /// With the number of evaluations before.
    points: Vec<(u64, EvalPoint)>,
    /// Evaluations in a whole group.
    span: u64,
}

impl Default for Evaluations {
    fn default() -> Self {
        Self { points: Vec::new(), span: 1 }
    }
}

impl Evaluations {
    /// Most groups: more than the columns of a wide chart.
    pub const GROUPS: u64 = 1_024;

    /// Adds an evaluation, in place of those at its step or later, since the run has gone back.
    pub(in crate::app) fn push(&mut self, point: EvalPoint) {
        self.points.truncate(self.points.partition_point(|(_, old)| old.step < point.step));
        let number = self.points.last().map_or(0, |(number, _)| number + 1);
        let group = number / self.span;
        let start = self.points.partition_point(|(number, _)| number / self.span < group);
        keep_extremes(&mut self.points, start);
        self.points.push((number, point));
        if group == Self::GROUPS {
            self.join();
        }
    }

    fn join(&mut self) {
        self.span *= 2;
        let mut joined = Vec::new();
        for group in self.points.chunk_by(|a, b| a.0 / self.span == b.0 / self.span) {
            let start = joined.len();
            joined.extend_from_slice(group);
            keep_extremes(&mut joined, start);
        }
        let last = self.points.last().filter(|last| joined.last() != Some(last));
        joined.extend(last);
        self.points = joined;
    }

    /// Forgets the evaluations after `step`.
    pub(super) fn go_back(&mut self, step: u64) {
        self.points.truncate(self.points.partition_point(|(_, point)| point.step <= step));
    }

    /// The evaluations that are kept, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &EvalPoint> + ExactSizeIterator + Clone {
        self.points.iter().map(|(_, point)| point)
    }

    /// How many are kept.
    pub fn len(&self) -> usize {
        self.points.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.points.is_empty()
    }
}

/// Leaves of the points from `start` on those that no other exceeds, at most four.
fn keep_extremes(points: &mut Vec<(u64, EvalPoint)>, start: usize) {
    let by: [fn(&EvalPoint) -> f32; 2] = [|point| point.loss, |point| point.accuracy];
    let extremes: Vec<u64> = by
        .into_iter()
        .flat_map(|value| {
            let points = points[start..].iter();
            let order =
                |a: &&(u64, EvalPoint), b: &&(u64, EvalPoint)| value(&a.1).total_cmp(&value(&b.1));
            [points.clone().min_by(order), points.max_by(order)]
        })
        .flatten()
        .map(|&(number, _)| number)
        .collect();
    let mut place = 0;
    points.retain(|(number, _)| {
        place += 1;
        place <= start || extremes.contains(number)
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Noise in loss and accuracy, with one spike of each.
    fn point(number: u64) -> EvalPoint {
        let noise = (number * 7_919 % 101) as f32 / 1_000.0;
        let loss = if number == 4_321 { 9.0 } else { 0.5 - noise };
        let accuracy = if number == 71_234 { 0.99 } else { 0.8 + noise };
        EvalPoint { step: 10 * (number + 1), loss, accuracy, train_accuracy: None }
    }

    fn evaluated(count: u64) -> Evaluations {
        let mut evaluations = Evaluations::default();
        (0..count).for_each(|number| evaluations.push(point(number)));
        evaluations
    }

    #[test]
    fn no_evaluation_of_a_long_run_is_missing() {
        let evaluations = evaluated(Evaluations::GROUPS);
        assert!(evaluations.iter().copied().eq((0..Evaluations::GROUPS).map(point)));
    }

    #[test]
    fn memory_is_bounded_and_neither_extremes_nor_the_last_are_lost() {
        for count in [100_000, 100_001, 131_072, 131_073] {
            let evaluations = evaluated(count);
            assert!(evaluations.len() as u64 <= 5 * Evaluations::GROUPS, "{}", evaluations.len());
            let found = |wanted| evaluations.iter().any(|found| *found == point(wanted));
            assert!(found(4_321) && found(71_234), "a spike is missing of {count}");
            assert_eq!(evaluations.iter().last(), Some(&point(count - 1)));
            let steps: Vec<u64> = evaluations.iter().map(|point| point.step).collect();
            let widest = steps.windows(2).map(|pair| pair[1] - pair[0]).max();
            assert!(widest <= Some(10 * 512), "{widest:?}");
        }
    }

    #[test]
    fn going_back_and_on_again_gives_the_same_extremes() {
        let whole = evaluated(5_000);
        let mut again = evaluated(5_000);
        again.go_back(10 * 3_000);
        assert!(again.iter().all(|point| point.step <= 10 * 3_000));
        (3_000..5_000).for_each(|number| again.push(point(number)));
        let extremes = |evaluations: &Evaluations| {
            let losses = || evaluations.iter().map(|point| point.loss);
            (losses().fold(9.9, f32::min), losses().fold(0.0, f32::max))
        };
        assert_eq!(extremes(&again), extremes(&whole));
        again.push(point(17));
        assert_eq!(again.iter().last(), Some(&point(17)));
    }
}
