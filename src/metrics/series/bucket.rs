//! What is known of a few steps together.

/// Steps that share one place on the curve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bucket {
    /// Smallest finite value.
    pub min: f32,
    /// Largest finite value.
    pub max: f32,
    /// Smoothed value after the bucket's last finite value; NaN if there is none.
    pub smooth: f32,
    /// Steps seen.
    pub steps: u32,
    /// Steps whose value was NaN or infinite.
    pub non_finite: u32,
}

impl Bucket {
    pub(super) const EMPTY: Self = Self {
        min: f32::INFINITY,
        max: f32::NEG_INFINITY,
        smooth: f32::NAN,
        steps: 0,
        non_finite: 0,
    };

    /// One step's value, with the smoothed value after it.
    pub fn of_step(value: f32, smooth: Option<f32>) -> Self {
        let mut bucket = Self::EMPTY;
        bucket.record(value, smooth.unwrap_or(f32::NAN));
        bucket
    }

    pub(super) fn record(&mut self, value: f32, smooth: f32) {
        self.steps += 1;
        if !smooth.is_nan() {
            self.smooth = smooth;
        }
        if value.is_finite() {
            self.min = self.min.min(value);
            self.max = self.max.max(value);
        } else {
            self.non_finite += 1;
        }
    }

    /// Whether the bucket holds a finite value.
    pub fn is_drawable(&self) -> bool {
        self.min <= self.max
    }

    /// Both buckets as one; `later` follows `self`.
    #[must_use]
    pub fn merge(self, later: Self) -> Self {
        Self {
            min: self.min.min(later.min),
            max: self.max.max(later.max),
            smooth: if later.smooth.is_nan() { self.smooth } else { later.smooth },
            steps: self.steps + later.steps,
            non_finite: self.non_finite + later.non_finite,
        }
    }
}
