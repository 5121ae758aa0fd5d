//! A running mean that forgets.

/// An exponential average with the start-up bias divided out, as in Adam (Kingma & Ba 2015).
#[derive(Clone, Copy, Debug)]
pub struct Smoother {
    decay: f64,
    average: f64,
    weight: f64,
    last: Option<f32>,
}

impl Smoother {
    /// Averages over about `window` values, at least one.
    pub fn new(window: f64) -> Self {
        Self { decay: 1.0 - 1.0 / window.max(1.0), average: 0.0, weight: 0.0, last: None }
    }

    /// Takes the next value; one that is not finite leaves the average as it is.
    pub fn push(&mut self, value: f32) {
        self.last = Some(value);
        if value.is_finite() {
            self.average = self.decay * self.average + (1.0 - self.decay) * f64::from(value);
            self.weight = self.decay * self.weight + (1.0 - self.decay);
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
        (self.weight > 0.0).then(|| (self.average / self.weight) as f32)
    }

    /// The average before any value.
    #[must_use]
    pub fn cleared(self) -> Self {
        Self { average: 0.0, weight: 0.0, last: None, ..self }
    }
}
