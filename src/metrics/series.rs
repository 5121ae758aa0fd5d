//! A curve over training steps that stays small and never hides a spike.

/// Steps that share one place on the curve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bucket {
    /// Smallest finite value.
    pub min: f32,
    /// Largest finite value.
    pub max: f32,
    /// Smoothed value after the bucket's last step.
    pub smooth: f32,
    /// Steps seen.
    pub steps: u32,
    /// Steps whose value was NaN or infinite.
    pub non_finite: u32,
}

impl Bucket {
    const EMPTY: Self = Self {
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

    fn record(&mut self, value: f32, smooth: f32) {
        self.steps += 1;
        self.smooth = smooth;
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

/// Values of consecutive steps, the first being step 1, in at most [`Series::CAPACITY`] buckets.
///
/// All buckets span the same number of steps. When they run out, neighbours are merged and the span
/// doubles: minimum and maximum of every bucket stay exact, however long the run.
#[derive(Clone, Debug)]
pub struct Series {
    buckets: Vec<Bucket>,
    span: u64,
    steps: u64,
    decay: f64,
    average: f64,
    weight: f64,
    last: Option<f32>,
}

impl Series {
    /// Most buckets that are kept: several for each of the columns of a very wide chart.
    pub const CAPACITY: usize = 4096;

    /// An empty curve that expects `expected` steps and smooths over about `window` of them.
    ///
    /// A curve that gets no more than it expects never merges, so that what was drawn stays put.
    pub fn new(expected: u64, window: f64) -> Self {
        Self {
            buckets: Vec::new(),
            span: expected.div_ceil(Self::CAPACITY as u64).max(1),
            steps: 0,
            decay: 1.0 - 1.0 / window.max(1.0),
            average: 0.0,
            weight: 0.0,
            last: None,
        }
    }

    /// Adds the value of the next step.
    pub fn push(&mut self, value: f32) {
        if self.steps / self.span >= Self::CAPACITY as u64 {
            self.halve();
        }
        let place = (self.steps / self.span) as usize;
        if place == self.buckets.len() {
            self.buckets.push(Bucket::EMPTY);
        }
        self.steps += 1;
        self.last = Some(value);
        if value.is_finite() {
            // Exponential average with the start-up bias divided out, as in Adam (Kingma & Ba 2015).
            self.average = self.decay * self.average + (1.0 - self.decay) * f64::from(value);
            self.weight = self.decay * self.weight + (1.0 - self.decay);
        }
        let smooth = self.smooth().unwrap_or(f32::NAN);
        self.buckets[place].record(value, smooth);
    }

    fn halve(&mut self) {
        let pairs = self.buckets.chunks(2);
        self.buckets =
            pairs.filter_map(|pair| pair.iter().copied().reduce(Bucket::merge)).collect();
        self.span *= 2;
    }

    /// Steps recorded.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// The value of the last step.
    pub fn last(&self) -> Option<f32> {
        self.last
    }

    /// The smoothed value after the last step: NaN if that step's was not finite, `None` before any
    /// finite value.
    pub fn smooth(&self) -> Option<f32> {
        let last = self.last?;
        if !last.is_finite() {
            return Some(f32::NAN);
        }
        (self.weight > 0.0).then(|| (self.average / self.weight) as f32)
    }

    /// Steps in a full bucket.
    pub fn span(&self) -> u64 {
        self.span
    }

    /// What is known of the steps after `from`, up to `to`, widened to whole buckets; `None` if none of
    /// them was recorded.
    pub fn range(&self, from: u64, to: u64) -> Option<Bucket> {
        if from >= to.min(self.steps) {
            return None;
        }
        let first = usize::try_from(from / self.span).ok()?;
        let end = usize::try_from(to.div_ceil(self.span)).unwrap_or(usize::MAX);
        let found = self.buckets.get(first..end.min(self.buckets.len()))?;
        found.iter().copied().reduce(Bucket::merge)
    }

    /// All buckets, oldest first. Bucket `i` holds the steps after `i * span`, up to `(i + 1) * span`.
    pub fn buckets(&self) -> &[Bucket] {
        &self.buckets
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn whole(series: &Series) -> Bucket {
        series.buckets().iter().copied().reduce(Bucket::merge).expect("steps were pushed")
    }

    #[test]
    fn one_spike_in_a_hundred_thousand_steps_stays_visible() {
        for expected in [100_000, 1] {
            let mut series = Series::new(expected, 50.0);
            for step in 0..100_000 {
                series.push(if step == 77_777 { 9.5 } else { 0.1 });
            }
            let spikes: Vec<_> =
                series.buckets().iter().filter(|bucket| bucket.max > 9.0).collect();
            assert_eq!(spikes.len(), 1);
            assert_eq!((spikes[0].min, spikes[0].max), (0.1, 9.5));
        }
    }

    #[test]
    fn memory_does_not_grow_with_the_run() {
        let mut series = Series::new(0, 10.0);
        for step in 0..1_000_000 {
            series.push(step as f32);
        }
        assert!(series.buckets().len() <= Series::CAPACITY);
        assert_eq!(series.steps(), 1_000_000);
        assert_eq!(series.span(), 256);
    }

    #[test]
    fn an_expected_length_is_never_merged() {
        let mut series = Series::new(12_000, 10.0);
        let span = series.span();
        for _ in 0..12_000 {
            series.push(1.0);
        }
        assert_eq!((series.span(), series.buckets().len()), (span, 4_000));
    }

    #[test]
    fn a_range_covers_its_steps_and_ends_with_the_record() {
        let mut series = Series::new(2 * Series::CAPACITY as u64, 1.0);
        assert_eq!(series.range(0, 10), None);
        for step in 1..=100 {
            series.push(step as f32);
        }
        let range = series.range(10, 20).expect("recorded");
        assert_eq!((range.min, range.max, range.steps), (11.0, 20.0, 10));
        let widened = series.range(11, 13).expect("recorded");
        assert_eq!((widened.min, widened.max), (11.0, 14.0));
        assert_eq!(series.range(90, 5_000).expect("recorded").max, 100.0);
        assert_eq!(series.range(100, 5_000), None);
        assert_eq!(series.range(20, 20), None);
    }

    #[test]
    fn the_smoothed_value_of_a_constant_is_that_constant_from_the_first_step() {
        let mut series = Series::new(10, 50.0);
        for _ in 0..10 {
            series.push(2.5);
            assert_eq!(series.smooth(), Some(2.5));
        }
    }

    #[test]
    fn values_that_are_not_finite_are_counted_and_never_drawn() {
        let mut series = Series::new(4, 2.0);
        series.push(f32::NAN);
        assert!(!series.buckets()[0].is_drawable());
        assert!(series.smooth().is_some_and(f32::is_nan));
        series.push(f32::INFINITY);
        series.push(1.0);
        let all = whole(&series);
        assert_eq!((all.min, all.max, all.smooth, all.non_finite), (1.0, 1.0, 1.0, 2));
    }

    proptest! {
        #[test]
        fn merging_loses_no_step_and_no_extreme(
            values in prop::collection::vec(-1e3f32..1e3, 1..20_000), expected in 0u64..30_000,
        ) {
            let mut series = Series::new(expected, 7.0);
            for &value in &values {
                series.push(value);
            }
            let all = whole(&series);
            prop_assert_eq!(all.steps as usize, values.len());
            prop_assert_eq!(all.min, values.iter().copied().fold(f32::INFINITY, f32::min));
            prop_assert_eq!(all.max, values.iter().copied().fold(f32::NEG_INFINITY, f32::max));
            prop_assert!(series.buckets().len() <= Series::CAPACITY);
            for (place, bucket) in series.buckets().iter().enumerate() {
                let from = place * series.span() as usize;
                let to = (from + series.span() as usize).min(values.len());
                let max = values[from..to].iter().copied().fold(f32::NEG_INFINITY, f32::max);
                prop_assert_eq!(bucket.max, max);
            }
        }
    }
}
