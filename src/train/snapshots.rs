//! Moments of a run that it can go back to, in bounded memory.

/// Values by step: dense for the last steps, thinner the older they are.
#[derive(Debug)]
pub(super) struct Snapshots<T> {
    /// By rising step.
    kept: Vec<Snapshot<T>>,
    most: usize,
}

#[derive(Debug)]
struct Snapshot<T> {
    step: u64,
    /// Whether it outlives those around it.
    pinned: bool,
    value: T,
}

impl<T> Snapshots<T> {
    /// Keeps at most `most` values, but [`Snapshots::FEWEST`] at least, and always the first.
    pub(super) fn new(most: usize) -> Self {
        Self { kept: Vec::new(), most: most.max(Self::FEWEST) }
    }

    /// The first, and enough about where the run stands to go back a step quickly.
    const FEWEST: usize = 4;

    /// Keeps a value in place of any of the same step; a `pinned` one goes only after all others.
    pub(super) fn keep(&mut self, step: u64, pinned: bool, value: T) {
        let place = self.kept.partition_point(|snapshot| snapshot.step < step);
        match self.kept.get_mut(place).filter(|snapshot| snapshot.step == step) {
            Some(snapshot) => {
                snapshot.value = value;
                snapshot.pinned |= pinned;
            }
            None => self.kept.insert(place, Snapshot { step, pinned, value }),
        }
        while self.kept.len() > self.most
            && let Some(victim) = self.most_dispensable(step)
        {
            self.kept.remove(victim);
        }
    }

    /// The one whose absence is felt least: its neighbours' distance is smallest beside its age.
    fn most_dispensable(&self, now: u64) -> Option<usize> {
        let cost = |place: usize| {
            let before = self.kept[place - 1].step;
            let after = self.kept.get(place + 1).map_or(now, |next| next.step);
            let gap = after.saturating_sub(before).max(1);
            gap as f64 / (now.abs_diff(before) + 1) as f64
        };
        let places = 1..self.kept.len();
        let cheapest = |pinned: bool| {
            let places = places.clone().filter(move |&place| self.kept[place].pinned == pinned);
            // The newest is where the run stands: it goes last.
            let places = places.filter(|&place| self.kept[place].step != now);
            places.min_by(|&a, &b| cost(a).total_cmp(&cost(b)))
        };
        cheapest(false).or_else(|| cheapest(true)).or_else(|| places.last())
    }

    /// The earliest value.
    pub(super) fn first(&self) -> Option<&T> {
        self.kept.first().map(|snapshot| &snapshot.value)
    }

    /// The latest value up to `step`.
    pub(super) fn up_to(&self, step: u64) -> Option<&T> {
        let end = self.kept.partition_point(|snapshot| snapshot.step <= step);
        self.kept[..end].last().map(|snapshot| &snapshot.value)
    }

    /// At most `most` of the values up to `step`, evenly spread over them, with their steps, by rising step.
    pub(super) fn spread_up_to(&self, step: u64, most: usize) -> Vec<(u64, &T)> {
        let end = self.kept.partition_point(|snapshot| snapshot.step <= step);
        let (count, last) = (end.min(most), end.saturating_sub(1));
        let places = (0..count).map(|place| place * last / count.saturating_sub(1).max(1));
        places.map(|place| (self.kept[place].step, &self.kept[place].value)).collect()
    }

    /// Whether there is a value of this very step.
    pub(super) fn has(&self, step: u64) -> bool {
        self.kept.binary_search_by_key(&step, |snapshot| snapshot.step).is_ok()
    }

    /// Drops the values after `step`.
    pub(super) fn forget_after(&mut self, step: u64) {
        self.kept.retain(|snapshot| snapshot.step <= step);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn steps(snapshots: &Snapshots<u64>) -> Vec<u64> {
        snapshots.kept.iter().map(|snapshot| snapshot.step).collect()
    }

    #[test]
    fn the_latest_value_up_to_a_step_is_found() {
        let mut snapshots = Snapshots::new(10);
        for step in [0, 20, 40] {
            snapshots.keep(step, false, step);
        }
        assert_eq!(
            [0, 19, 20, 39, 99].map(|step| snapshots.up_to(step)),
            [0, 0, 20, 20, 40].map(Some).each_ref().map(|o| o.as_ref())
        );
        assert_eq!(snapshots.spread_up_to(39, 9), [(0, &0), (20, &20)]);
        assert_eq!(snapshots.spread_up_to(40, 2), [(0, &0), (40, &40)], "the first and the last");
        snapshots.forget_after(20);
        assert_eq!((snapshots.up_to(99), snapshots.has(40)), (Some(&20), false));
    }

    #[test]
    fn old_values_thin_out_while_the_last_steps_stay_dense() {
        let mut snapshots = Snapshots::new(64);
        for step in 0..10_000 {
            snapshots.keep(step, step % 2_000 == 0, step);
        }
        let kept = steps(&snapshots);
        assert_eq!(kept.len(), 64);
        for pinned in [0, 2_000, 4_000, 6_000, 8_000] {
            assert!(snapshots.has(pinned), "{pinned}");
        }
        assert!((9_996..10_000).all(|step| snapshots.has(step)), "{kept:?}");
        for pair in kept.windows(2) {
            let age = 10_000 - pair[0];
            assert!(pair[1] - pair[0] <= age / 4 + 2, "a gap at {pair:?} in {kept:?}");
        }
    }

    #[test]
    fn where_all_are_pinned_the_first_and_the_newest_stay() {
        for most in [0, 4] {
            let mut snapshots = Snapshots::new(most);
            for step in 0..50 {
                snapshots.keep(step, true, step);
            }
            let kept = steps(&snapshots);
            assert_eq!((kept.len(), kept[0], kept[3]), (4, 0, 49));
        }
    }

    proptest! {
        #[test]
        fn memory_is_bounded_and_the_first_value_never_goes(
            most in 1_usize..20,
            moves in prop::collection::vec((0_u64..200, any::<bool>(), any::<bool>()), 1..80),
        ) {
            let mut snapshots = Snapshots::new(most);
            snapshots.keep(0, true, 0);
            for (step, pinned, back) in moves {
                if back {
                    snapshots.forget_after(step);
                } else {
                    snapshots.keep(step, pinned, step);
                }
                let kept = steps(&snapshots);
                prop_assert!(kept.len() <= most.max(4));
                prop_assert!(kept.windows(2).all(|pair| pair[0] < pair[1]));
                prop_assert_eq!(kept[0], 0);
                prop_assert!(*snapshots.up_to(step).expect("the first is there") <= step);
            }
        }
    }
}
