//! Time spent training and evaluating, pauses left out.

use std::time::{Duration, Instant};

use crate::protocol::Clock;

/// Sums up the time between moments it is given. Exact, since durations are whole nanoseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stopwatch {
    mark: Instant,
    training: Duration,
    evaluating: Duration,
}

impl Stopwatch {
    /// Starts at `now` with nothing spent.
    pub(super) fn start(now: Instant) -> Self {
        Self { mark: now, training: Duration::ZERO, evaluating: Duration::ZERO }
    }

    /// Starts at `now` with what was spent before.
    pub(super) fn resume(now: Instant, spent: Clock) -> Self {
        let duration = |seconds| Duration::try_from_secs_f64(seconds).unwrap_or_default();
        Self {
            mark: now,
            training: duration(spent.training),
            evaluating: duration(spent.evaluating),
        }
    }

    /// Counts the time since the last moment as training.
    pub(super) fn trained(&mut self, now: Instant) {
        let lap = self.lap(now);
        self.training += lap;
    }

    /// Counts the time since the last moment as evaluation.
    pub(super) fn evaluated(&mut self, now: Instant) -> Duration {
        let lap = self.lap(now);
        self.evaluating += lap;
        lap
    }

    /// Leaves out the time since the last moment.
    pub(super) fn skip(&mut self, now: Instant) {
        self.lap(now);
    }

    fn lap(&mut self, now: Instant) -> Duration {
        let lap = now.saturating_duration_since(self.mark);
        self.mark = now;
        lap
    }

    /// Both sums in seconds.
    pub(super) fn read(&self) -> Clock {
        Clock { training: self.training.as_secs_f64(), evaluating: self.evaluating.as_secs_f64() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_are_left_out_and_evaluations_kept_apart() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut watch = Stopwatch::start(start);
        watch.trained(at(3));
        watch.skip(at(100));
        watch.trained(at(101));
        assert_eq!(watch.evaluated(at(103)), Duration::from_secs(2));
        assert_eq!(watch.read(), Clock { training: 4.0, evaluating: 2.0 });
    }
}
