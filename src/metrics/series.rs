//! A curve over training steps that stays small and never hides a spike.

mod bucket;
mod smoother;

pub use bucket::Bucket;
pub use smoother::Smoother;

/// Values of consecutive steps, the first being step 1, in at most [`Series::CAPACITY`] buckets.
///
/// All buckets span the same number of steps. When they run out, neighbours are merged and the span
/// doubles: minimum and maximum of every bucket stay exact, however long the run.
#[derive(Clone, Debug)]
pub struct Series {
    buckets: Vec<Bucket>,
    span: u64,
    steps: u64,
    smoother: Smoother,
    /// The smoother after each bucket's last step, to rewind to.
    ends: Vec<Smoother>,
}

impl Series {
    /// Most buckets that are kept. At least half as many are in use once steps share a bucket: several
    /// for each column of a very wide chart.
    pub const CAPACITY: usize = 4096;

    /// An empty curve that smooths over about `window` steps.
    pub fn new(window: f64) -> Self {
        Self {
            buckets: Vec::new(),
            span: 1,
            steps: 0,
            smoother: Smoother::new(window),
            ends: Vec::new(),
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
            self.ends.push(self.smoother);
        }
        self.steps += 1;
        self.smoother.push(value);
        self.buckets[place].record(value, self.smoother.value().unwrap_or(f32::NAN));
        self.ends[place] = self.smoother;
    }

    fn halve(&mut self) {
        let pairs = self.buckets.chunks(2);
        self.buckets =
            pairs.filter_map(|pair| pair.iter().copied().reduce(Bucket::merge)).collect();
        self.ends = self.ends.chunks(2).filter_map(|pair| pair.last().copied()).collect();
        self.span *= 2;
    }

    /// Rewinds to `step` steps, whose last values are `tail`.
    ///
    /// Exact where the tail reaches back to the start of the bucket that is cut. Otherwise that
    /// bucket's extremes stand for its steps before the tail, and the smoothing passes over them.
    pub fn go_back(&mut self, step: u64, tail: &[f32]) {
        if step >= self.steps {
            return;
        }
        let place = (step / self.span) as usize;
        let start = place as u64 * self.span;
        let told = &tail[tail.len().saturating_sub((step - start) as usize)..];
        let untold = step - start - told.len() as u64;
        let cut = self.buckets[place];
        self.smoother = self.smoother_before(start);
        self.buckets.truncate(place);
        self.ends.truncate(place);
        self.steps = start + untold;
        if untold > 0 {
            let steps = u32::try_from(untold).unwrap_or(u32::MAX);
            self.buckets.push(Bucket { smooth: f32::NAN, non_finite: 0, steps, ..cut });
            self.ends.push(self.smoother);
        }
        for &value in told {
            self.push(value);
        }
    }

    /// The smoothing after the last whole bucket that ends at `step` or before.
    pub fn smoother_before(&self, step: u64) -> Smoother {
        let whole = (step.min(self.steps) / self.span) as usize;
        let end = whole.checked_sub(1).and_then(|place| self.ends.get(place));
        end.copied().unwrap_or_else(|| self.smoother.cleared())
    }

    /// Steps recorded.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// The value of the last step.
    pub fn last(&self) -> Option<f32> {
        self.smoother.last()
    }

    /// The smoothed value after the last step: NaN if that step's was not finite, `None` before any
    /// finite value.
    pub fn smooth(&self) -> Option<f32> {
        self.smoother.value()
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
mod tests;
