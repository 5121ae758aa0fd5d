//! Which steps the charts show.

/// Which steps the charts show, unless a person has zoomed in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Range {
    /// Those trained so far.
    #[default]
    SoFar,
    /// All of the run, those to come included.
    WholeRun,
    /// The last [`Curves::RECENT`](super::Curves::RECENT).
    Recent,
}

impl Range {
    /// The next choice.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::SoFar => Self::WholeRun,
            Self::WholeRun => Self::Recent,
            Self::Recent => Self::SoFar,
        }
    }

    /// The last step of an axis over `steps` steps of a run of `expected`: a round number, so that the axis
    /// grows seldom.
    pub fn end_so_far(steps: u64, expected: u64) -> u64 {
        end_so_far(steps, expected)
    }
}

/// Fewest steps that the axis of the steps so far spans.
const FEWEST: u64 = 100;
/// Ends of that axis, times powers of ten. The chart is drawn anew at each, and at least three fifths of
/// it are then in use.
const ENDS: [u64; 5] = [10, 15, 25, 40, 60];

/// The last step of an axis over `steps` steps of a run of `expected`: the first round number that is
/// not below, and no more than the run has.
pub(super) fn end_so_far(steps: u64, expected: u64) -> u64 {
    let wanted = steps.max(FEWEST);
    let mut power: u64 = 1;
    let round = loop {
        if let Some(end) =
            ENDS.iter().map(|end| end.saturating_mul(power)).find(|&end| end >= wanted)
        {
            break end;
        }
        power = power.saturating_mul(10);
    };
    if (steps.max(1)..round).contains(&expected) { expected } else { round }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_axis_grows_in_round_steps_and_ends_with_the_run() {
        let ends = [0, 100, 101, 2_900, 8_001, 11_000].map(|steps| end_so_far(steps, 12_000));
        assert_eq!(ends, [100, 100, 150, 4_000, 10_000, 12_000]);
        assert_eq!(end_so_far(13_000, 12_000), 15_000);
        assert_eq!(end_so_far(3, 40), 40);
        assert_eq!(end_so_far(0, 0), 100);
    }

    proptest! {
        #[test]
        fn an_axis_holds_its_steps_and_is_never_mostly_empty(
            steps in prop_oneof![0u64..10_000, any::<u64>()], expected in prop_oneof![0u64..10_000, any::<u64>()],
        ) {
            let end = end_so_far(steps, expected);
            prop_assert!(end >= steps && end > 0);
            prop_assert!(end <= steps.max(FEWEST).saturating_add(steps / 3 * 2 + 2), "{end}");
        }
    }
}
