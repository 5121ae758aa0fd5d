//! Speed over the last seconds, and the time that is left.

use std::collections::VecDeque;

/// Images per second over a sliding window of training time.
///
/// Time is training time: pauses and evaluations do not count, so a pause does not slow the figure.
#[derive(Clone, Debug, Default)]
pub struct Rate {
    /// (training seconds, images trained in them), oldest first.
    marks: VecDeque<(f64, u64)>,
    /// Images of the run where it stands.
    at: u64,
}

/// Training seconds that the speed is averaged over.
const WINDOW: f64 = 3.0;
/// Marks closer together than this share one place, which bounds memory.
const SPACING: f64 = WINDOW / 64.0;

impl Rate {
    /// Takes the totals so far: training seconds and images.
    pub fn update(&mut self, seconds: f64, images: u64) {
        if self.marks.is_empty() {
            self.marks.push_back((0.0, 0));
        }
        let trained = self.marks.back().map_or(0, |&(_, trained)| trained);
        let trained = trained.saturating_add(images.saturating_sub(self.at));
        self.at = images;
        let len = self.marks.len();
        if len > 2 && seconds - self.marks[len - 2].0 < SPACING {
            self.marks.pop_back();
        }
        self.marks.push_back((seconds, trained));
        while self.marks.len() > 2 && seconds - self.marks[1].0 >= WINDOW {
            self.marks.pop_front();
        }
    }

    /// Takes the images of an earlier step that the run has gone back to: the speed stays.
    pub fn went_back(&mut self, images: u64) {
        self.at = images;
    }

    /// Images per second; `None` before any time has passed.
    pub fn images_per_second(&self) -> Option<f64> {
        let (&(from, before), &(to, after)) = (self.marks.front()?, self.marks.back()?);
        let seconds = to - from;
        (seconds > 0.0).then(|| after.saturating_sub(before) as f64 / seconds)
    }

    /// Seconds until `images` more are trained; `None` while the speed is unknown.
    pub fn seconds_for(&self, images: u64) -> Option<f64> {
        let rate = self.images_per_second()?;
        (rate > 0.0).then(|| images as f64 / rate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_speed_is_reported_as_it_is() {
        let mut rate = Rate::default();
        assert_eq!(rate.images_per_second(), None);
        for second in 1..=10 {
            rate.update(f64::from(second), 500 * second as u64);
        }
        assert_eq!(rate.images_per_second(), Some(500.0));
        assert_eq!(rate.seconds_for(1_000), Some(2.0));
    }

    #[test]
    fn old_speed_is_forgotten() {
        let mut rate = Rate::default();
        rate.update(1.0, 1_000);
        for tenth in 1..=60 {
            rate.update(1.0 + f64::from(tenth) / 10.0, 1_000 + 10 * tenth as u64);
        }
        let speed = rate.images_per_second().expect("time has passed");
        assert!((speed - 100.0).abs() < 1.0, "{speed}");
    }

    #[test]
    fn going_back_does_not_change_the_speed() {
        let mut rate = Rate::default();
        for second in 1..=5 {
            rate.update(f64::from(second), 500 * second as u64);
        }
        rate.went_back(700);
        assert_eq!(rate.images_per_second(), Some(500.0));
        rate.update(6.0, 1_200);
        rate.update(7.0, 1_700);
        assert_eq!(rate.images_per_second(), Some(500.0));
    }

    #[test]
    fn memory_is_bounded_and_a_standing_clock_gives_no_speed() {
        let mut rate = Rate::default();
        rate.update(0.0, 50);
        assert_eq!(rate.images_per_second(), None);
        for step in 0..100_000_u64 {
            rate.update(step as f64 * 1e-4, step);
        }
        assert!(rate.marks.len() <= 130, "{}", rate.marks.len());
    }
}
