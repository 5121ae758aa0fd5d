//! When frames are drawn: as often as wanted, and no more than the link to the terminal should carry.

use std::time::{Duration, Instant};

/// Bytes a second that frames take in the long run. With what a few large frames take at once, a screen
/// gets less than 10 KB/s.
const BYTES_PER_SECOND: f64 = 7_000.0;
/// Frames come this often while the bytes of a large one are still being paid off.
const SLOW: Duration = Duration::from_millis(250);
/// Only so much is owed when the next frame is drawn.
const CREDIT: Duration = Duration::from_millis(500);
/// No more than this is owed after a frame, however large it is.
const MOST_OWED: Duration = Duration::from_secs(4);

/// Spaces frames by their size.
#[derive(Debug)]
pub(super) struct Pacer {
    /// Least time between two frames.
    frame_time: Duration,
    drawn: Instant,
    /// When the next frame that nobody waits for is due.
    due: Instant,
    /// When all bytes are paid off.
    paid: Instant,
}

impl Pacer {
    /// Frames no closer together than `frame_time`.
    pub(super) fn new(frame_time: Duration, now: Instant) -> Self {
        Self { frame_time, drawn: now, due: now, paid: now }
    }

    /// Records a frame of `bytes` bytes.
    pub(super) fn drawn(&mut self, now: Instant, bytes: u64) {
        let cost = Duration::from_secs_f64(bytes as f64 / BYTES_PER_SECOND);
        self.paid = (self.paid.max(now) + cost).min(now + MOST_OWED);
        let owed = self.paid - now;
        let wait = owed.min(SLOW).max(owed.saturating_sub(CREDIT));
        (self.drawn, self.due) = (now, now + wait.max(self.frame_time));
    }

    /// When the next frame may be drawn; sooner if a person waits for it.
    pub(super) fn due(&self, is_urgent: bool) -> Instant {
        if is_urgent { self.drawn + self.frame_time } else { self.due }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Duration = Duration::from_millis(66);

    /// Bytes and frames that a constantly changing screen takes in this many seconds.
    fn sent(seconds: u64, size: impl Fn(u64) -> u64) -> (u64, u64) {
        let start = Instant::now();
        let mut pacer = Pacer::new(FRAME, start);
        let (mut now, mut bytes, mut frames) = (start, 0, 0);
        while now < start + Duration::from_secs(seconds) {
            bytes += size(frames);
            pacer.drawn(now, size(frames));
            frames += 1;
            now = pacer.due(false);
        }
        (bytes, frames)
    }

    #[test]
    fn small_frames_come_as_often_as_wanted() {
        assert_eq!(sent(10, |_| 400).1, 152);
    }

    #[test]
    fn no_size_of_frames_takes_ten_kilobytes_a_second() {
        for size in [700, 1_500, 4_000, 9_000] {
            for seconds in [5, 10, 60] {
                let (bytes, _) = sent(seconds, |_| size);
                assert!(bytes < 10_000 * seconds + size, "{bytes} in {seconds} s by {size}");
            }
            let (bytes, _) = sent(60, |_| size);
            assert!(bytes > 6_000 * 60, "{bytes} by {size}: the link is used");
        }
    }

    #[test]
    fn a_large_frame_slows_those_after_it_down_and_stops_none() {
        let start = Instant::now();
        let mut pacer = Pacer::new(FRAME, start);
        pacer.drawn(start, 5_000);
        assert_eq!(pacer.due(false) - start, SLOW);
        pacer.drawn(start, 1_000_000);
        assert_eq!(pacer.due(false) - start, MOST_OWED.saturating_sub(CREDIT));
        assert_eq!(pacer.due(true) - start, FRAME, "a person waits");
    }
}
