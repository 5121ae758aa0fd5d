//! The epochs that were evaluated, in memory that does not grow with their number.

use std::{collections::BTreeSet, ops::Deref};

use crate::protocol::{self, EpochRecord};

/// Figures and matrices of epochs, oldest first: all of the last [`Epochs::RECENT`], and of those
/// before some, evenly spaced, with the first and the best.
#[derive(Debug, Default)]
pub struct Epochs {
    records: Vec<EpochRecord>,
    /// Steps of evaluations in the middle of an epoch.
    partial: BTreeSet<u64>,
}

impl Epochs {
    /// The last epochs, of which every one is kept: as many as a screen gets whole.
    pub const RECENT: usize = protocol::Epochs::WHOLE;
    /// Roughly how many of the earlier epochs are kept.
    const OLDER: usize = 512;

    /// Adds an epoch, in place of those that were evaluated at its step or later, since the run has
    /// gone back. Epochs whose step is to be `kept` outlive others of their age.
    pub(super) fn push(&mut self, record: EpochRecord, kept: impl Fn(u64) -> bool) {
        if let Some(before) = record.step.checked_sub(1) {
            self.go_back(before);
        } else {
            self.records.clear();
            self.partial.clear();
        }
        self.records.push(record);
        if self.records.len() > Self::RECENT + 2 * Self::OLDER {
            self.thin(kept);
        }
    }

    /// Adds an evaluation on request, as [`push`](Self::push) an epoch's.
    pub(super) fn push_partial(&mut self, record: EpochRecord, kept: impl Fn(u64) -> bool) {
        let step = record.step;
        self.push(record, kept);
        self.partial.insert(step);
    }

    /// Whether the evaluation at `step` was made in the middle of an epoch.
    pub fn is_partial(&self, step: u64) -> bool {
        self.partial.contains(&step)
    }

    /// Epochs that have ended and were evaluated.
    pub(super) fn ended(&self) -> u32 {
        let whole = self.records.iter().rfind(|record| !self.is_partial(record.step));
        whole.map_or(0, |record| record.epoch)
    }

    /// Leaves about [`OLDER`](Self::OLDER) of the older ones.
    fn thin(&mut self, kept: impl Fn(u64) -> bool) {
        let older = &self.records[..self.records.len() - Self::RECENT];
        let (Some(first), Some(last)) = (older.first(), older.last()) else { return };
        let (first, last, recent) = (first.step, last.step, older.len());
        let accuracy = |record: &EpochRecord| record.evaluation.accuracy();
        let best = older.iter().max_by(|a, b| accuracy(a).total_cmp(&accuracy(b)));
        let best = best.map_or(first, |best| best.step);
        let apart = ((last - first) / Self::OLDER as u64).max(1);
        let (mut place, mut next) = (0, first);
        self.records.retain(|record| {
            place += 1;
            let is_due = record.step >= next;
            if is_due {
                next = record.step + apart + 1;
            }
            place > recent || is_due || record.step == best || kept(record.step)
        });
    }

    /// Forgets the epochs that ended after `step`.
    pub(super) fn go_back(&mut self, step: u64) {
        self.partial.retain(|&partial| partial <= step);
        self.records.truncate(self.records.partition_point(|record| record.step <= step));
    }

    /// The epoch that was evaluated at `step`, if it is kept.
    pub fn at(&self, step: u64) -> Option<&EpochRecord> {
        let place = self.records.binary_search_by_key(&step, |record| record.step).ok()?;
        self.records.get(place)
    }

    #[cfg(test)]
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut EpochRecord> {
        self.records.iter_mut()
    }
}

impl Deref for Epochs {
    type Target = [EpochRecord];

    fn deref(&self) -> &[EpochRecord] {
        &self.records
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{app::matrix::tests::record, protocol::EvalSet};

    fn trained(epochs: u32, kept: u64) -> Epochs {
        let mut found = Epochs::default();
        for epoch in 1..=epochs {
            let mut record = record(epoch, EvalSet::Test);
            record.evaluation.correct = if epoch == 77 { 10 } else { 9 };
            found.push(record, |step| step == kept);
        }
        found
    }

    #[test]
    fn no_epoch_of_a_long_run_is_missing() {
        let epochs = trained(2_000, 0);
        assert!(epochs.iter().map(|record| record.epoch).eq(1..=2_000));
    }

    #[test]
    fn memory_is_bounded_and_what_is_kept_of_old_epochs_is_spread_evenly() {
        let epochs = trained(100_000, 60_001 * 12);
        assert!(epochs.len() <= Epochs::RECENT + 2 * Epochs::OLDER);
        let numbers: Vec<u32> = epochs.iter().map(|record| record.epoch).collect();
        let (older, recent) = numbers.split_at(numbers.len() - Epochs::RECENT);
        assert!(recent.iter().copied().eq(100_001 - Epochs::RECENT as u32..=100_000));
        for wanted in [1, 77, 60_001] {
            assert!(older.contains(&wanted), "{wanted} is not kept");
        }
        let widest = older.windows(2).map(|pair| pair[1] - pair[0]).max();
        assert!(widest < Some(1_000), "{widest:?}");
        assert_eq!(epochs.at(77 * 12).map(|record| record.epoch), Some(77));
        assert!(epochs.at(78 * 12).is_none());
    }

    #[test]
    fn an_epoch_that_is_evaluated_again_takes_the_place_of_the_one_before() {
        let mut epochs = trained(9, 0);
        epochs.push(record(4, EvalSet::Test), |_| false);
        assert!(epochs.iter().map(|record| record.epoch).eq(1..=4));
        epochs.go_back(30);
        assert!(epochs.iter().map(|record| record.epoch).eq(1..=2));
    }
}
