//! How many batches a second are trained at most.

use std::time::{Duration, Instant};

/// Spaces batches evenly; as fast as possible unless a pace is set.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    interval: Duration,
    next: Instant,
}

/// From this many milliseconds between batches on, each of them is shown by itself.
const WATCHABLE: Duration = Duration::from_millis(33);

impl Pace {
    /// No limit.
    pub(super) fn unlimited(now: Instant) -> Self {
        Self { interval: Duration::ZERO, next: now }
    }

    /// Limits the batches per second from `now` on.
    pub(super) fn set(&mut self, batches_per_second: Option<u32>, now: Instant) {
        self.interval = match batches_per_second {
            Some(pace) if pace > 0 => Duration::from_secs(1) / pace,
            _ => Duration::ZERO,
        };
        self.next = now;
    }

    /// Whether there is no limit.
    pub(super) fn is_unlimited(&self) -> bool {
        self.interval.is_zero()
    }

    /// When the next batch is due; `None` if that is now.
    pub(super) fn due(&self, now: Instant) -> Option<Instant> {
        (now < self.next).then_some(self.next)
    }

    /// Notes that a batch begins. Time that was lost is not made up for.
    pub(super) fn begin(&mut self, now: Instant) {
        self.next = (self.next + self.interval).max(now);
    }

    /// Whether batches are far enough apart to be looked at one by one.
    pub(super) fn is_watchable(&self) -> bool {
        self.interval >= WATCHABLE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_are_spaced_and_lost_time_is_not_made_up_for() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut pace = Pace::unlimited(start);
        pace.begin(start);
        assert_eq!(pace.due(start), None);
        pace.set(Some(10), start);
        assert!(pace.is_watchable());
        pace.begin(start);
        assert_eq!(pace.due(at(40)), Some(at(100)));
        assert_eq!(pace.due(at(100)), None);
        pace.begin(at(130));
        assert_eq!(pace.due(at(150)), Some(at(200)), "the next one is on time again");
        pace.begin(at(900));
        assert_eq!(pace.due(at(900)), None, "the one after a long wait is due at once");
        pace.begin(at(900));
        assert_eq!(pace.due(at(901)), Some(at(1_000)));
        pace.set(None, at(901));
        assert_eq!(pace.due(at(901)), None);
        assert!(!pace.is_watchable());
    }
}
