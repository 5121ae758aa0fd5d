//! A running mean that forgets.

/// An exponential average that follows its first values quickly.
///
/// It weighs the first value fully and then averages over about the last tenth of the values, until
/// that is as many as its window: neither a start from zero nor the first values bias it.
#[derive(Clone, Copy, Debug)]
pub struct Smoother {
    window: f64,
    average: f64,
    /// Finite values so far.
    count: u64,
    last: Option<f32>,
}

/// The share of the values so far that the average covers while they are few.
const SHARE: f64 = 0.1;

impl Smoother {
    /// Averages over about `window` values, at least one.
    pub fn new(window: f64) -> Self {
        Self { window: window.max(1.0), average: 0.0, count: 0, last: None }
    }

    /// Takes the next value; one that is not finite leaves the average as it is.
    pub fn push(&mut self, value: f32) {
        self.last = Some(value);
        if value.is_finite() {
            let window = (1.0 + SHARE * self.count as f64).min(self.window);
            self.average += (f64::from(value) - self.average) / window;
            self.count += 1;
        }
    }

    /// The last value.
    pub fn last(&self) -> Option<f32> {
        self.last
    }

    /// The average: NaN if the last value was not finite, `None` before any finite one.
    pub fn value(&self) -> Option<f32> {
        if !self.last?.is_finite() {
            return Some(f32::NAN);
        }
        (self.count > 0).then_some(self.average as f32)
    }

    /// The average before any value.
    #[must_use]
    pub fn cleared(self) -> Self {
        Self::new(self.window)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_average_follows_a_fall_at_the_start_within_a_third() {
        let falling = |step: u32| 2.3 / (1.0 + step as f32 / 5.0);
        let mut smoother = Smoother::new(1_000.0);
        for step in 0..500 {
            smoother.push(falling(step));
            let share = smoother.value().expect("values came") / falling(step);
            assert!((1.0..1.5).contains(&share), "step {step}: {share}");
        }
    }

    #[test]
    fn a_long_average_forgets_at_the_pace_of_its_window() {
        let mut smoother = Smoother::new(100.0);
        (0..10_000).for_each(|_| smoother.push(0.0));
        (0..100).for_each(|_| smoother.push(1.0));
        let found = smoother.value().expect("values came");
        assert!((found - (1.0 - (-1.0_f32).exp())).abs() < 0.01, "{found}");
    }
}
