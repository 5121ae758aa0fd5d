//! Time spent training and evaluating, pauses left out.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use crate::protocol::Clock;

/// A lap that may hold a stop of the process, where no other lap of its kind tells how long it takes.
const UNKNOWN: Duration = Duration::from_millis(1);

/// Sums up the time between moments it is given. Exact, since durations are whole nanoseconds.
///
/// While the process is stopped, as by SIGSTOP, nothing is trained. When that began no process can
/// know, only that it was continued: a lap that may hold a stop counts at most as long as the last one
/// of its kind that holds none.
#[derive(Debug)]
pub(super) struct Stopwatch {
    mark: Instant,
    training: Spent,
    evaluating: Spent,
    stops: Stops,
    /// Laps that may hold the last stop: a moment is taken just before it is given, and the process
    /// may be stopped between the two.
    doubtful: u8,
}

/// Time spent on one thing.
#[derive(Clone, Copy, Debug, Default)]
struct Spent {
    sum: Duration,
    /// The last lap without a stop.
    last: Option<Duration>,
}

impl Spent {
    fn of(seconds: f64) -> Self {
        Self { sum: Duration::try_from_secs_f64(seconds).unwrap_or_default(), last: None }
    }

    /// Adds a lap and gives what it counted.
    fn add(&mut self, lap: Duration, is_doubtful: bool) -> Duration {
        let counted = if is_doubtful {
            lap.min(self.last.unwrap_or(UNKNOWN))
        } else {
            self.last = Some(lap);
            lap
        };
        self.sum += counted;
        counted
    }
}

impl Stopwatch {
    /// Starts at `now` with nothing spent.
    pub(super) fn start(now: Instant) -> Self {
        Self::resume(now, Clock::default())
    }

    /// Starts at `now` with what was spent before.
    pub(super) fn resume(now: Instant, spent: Clock) -> Self {
        Self {
            mark: now,
            training: Spent::of(spent.training),
            evaluating: Spent::of(spent.evaluating),
            stops: Stops::watch(),
            doubtful: 0,
        }
    }

    /// Counts the time since the last moment as training.
    pub(super) fn trained(&mut self, now: Instant) {
        let (lap, is_doubtful) = self.lap(now);
        self.training.add(lap, is_doubtful);
    }

    /// Counts the time since the last moment as evaluation, and gives what it counted.
    pub(super) fn evaluated(&mut self, now: Instant) -> Duration {
        let (lap, is_doubtful) = self.lap(now);
        self.evaluating.add(lap, is_doubtful)
    }

    /// Leaves out the time since the last moment.
    pub(super) fn skip(&mut self, now: Instant) {
        self.lap(now);
    }

    /// The time since the last moment, and whether the process may have been stopped in it.
    fn lap(&mut self, now: Instant) -> (Duration, bool) {
        let lap = now.saturating_duration_since(self.mark);
        self.mark = now;
        if self.stops.ended_since_asked(lap) {
            self.doubtful = 2;
        }
        let is_doubtful = self.doubtful > 0;
        self.doubtful = self.doubtful.saturating_sub(1);
        (lap, is_doubtful)
    }

    /// Both sums in seconds.
    pub(super) fn read(&self) -> Clock {
        Clock {
            training: self.training.sum.as_secs_f64(),
            evaluating: self.evaluating.sum.as_secs_f64(),
        }
    }
}

/// Notes each SIGCONT, which ends every stop.
#[derive(Debug)]
struct Stops {
    continued: Arc<AtomicBool>,
    #[cfg(unix)]
    registered: Option<signal_hook::SigId>,
}

impl Stops {
    fn watch() -> Self {
        let continued = Arc::new(AtomicBool::new(false));
        #[cfg(unix)]
        let registered = {
            let flag = Arc::clone(&continued);
            // Without the handler stops count as before there was one.
            signal_hook::flag::register(signal_hook::consts::SIGCONT, flag).ok()
        };
        Self {
            continued,
            #[cfg(unix)]
            registered,
        }
    }

    /// Whether the process was continued since this was last asked, after a lap that took so long.
    fn ended_since_asked(&self, lap: Duration) -> bool {
        /// Longer than most laps: worth a look whether the signal is about to be handled, since
        /// another thread does that while this one already runs.
        const LONG: Duration = Duration::from_millis(500);
        const LOOKS: u32 = 5;
        const BETWEEN: Duration = Duration::from_millis(1);

        let mut looks = if cfg!(unix) && lap >= LONG { LOOKS } else { 0 };
        loop {
            if self.continued.swap(false, Ordering::SeqCst) {
                return true;
            }
            if looks == 0 {
                return false;
            }
            looks -= 1;
            thread::sleep(BETWEEN);
        }
    }
}

impl Drop for Stops {
    fn drop(&mut self) {
        #[cfg(unix)]
        if let Some(registered) = self.registered {
            signal_hook::low_level::unregister(registered);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_are_left_out_and_evaluations_kept_apart() {
        let start = Instant::now();
        let at = |milliseconds| start + Duration::from_millis(milliseconds);
        let mut watch = Stopwatch::start(start);
        watch.trained(at(300));
        watch.skip(at(700));
        watch.trained(at(800));
        assert_eq!(watch.evaluated(at(1_000)), Duration::from_millis(200));
        assert_eq!(watch.read(), Clock { training: 0.4, evaluating: 0.2 });
    }

    #[test]
    fn a_lap_in_which_the_process_was_continued_counts_as_long_as_the_one_before() {
        let start = Instant::now();
        let at = |milliseconds| start + Duration::from_millis(milliseconds);
        for late in [false, true] {
            let mut watch = Stopwatch::start(start);
            watch.trained(at(10));
            watch.evaluated(at(30));
            if late {
                // The moment of this lap is from before the stop.
                watch.stops.continued.store(true, Ordering::SeqCst);
                watch.trained(at(35));
            }
            watch.stops.continued.store(!late, Ordering::SeqCst);
            watch.trained(at(3_035));
            let before = if late { 0.015 } else { 0.010 };
            assert_eq!(watch.read().training, before + 0.010, "late: {late}");
            watch.trained(at(3_036));
            watch.trained(at(3_056));
            assert_eq!(watch.read().training, before + 0.031, "late: {late}");
        }
        let mut watch = Stopwatch::start(start);
        watch.stops.continued.store(true, Ordering::SeqCst);
        assert_eq!(watch.evaluated(at(3_000)), UNKNOWN, "there was none before");
    }
}
