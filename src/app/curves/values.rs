//! What the values in sight are like: what an axis has to hold.

use super::{Curves, Sight};

/// The loss in sight.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Values {
    /// The smallest value above 0 that is worth its room on a logarithmic axis; `None` where there is
    /// none.
    pub low: Option<f64>,
    /// The smallest value.
    pub min: Option<f64>,
    /// The largest.
    pub max: Option<f64>,
    /// The largest once the first steps are over; the largest of all where those steps are not in sight.
    pub settled: Option<f64>,
}

/// Parts in which the steps in sight are searched for their extremes.
const SLICES: u64 = 256;
/// A logarithmic axis goes no further below the lowest point of a line than this: a single batch may
/// have nearly no loss.
const BELOW_LINE: f64 = 20.0;
/// The share of the steps in sight whose losses may be outliers, being the first of the run.
const FIRST: u64 = 10;
/// Values so far apart are shown on a logarithmic axis.
const TWO_DECADES: f64 = 100.0;

impl Values {
    /// Whether the values span two decades.
    pub fn are_wide(&self) -> bool {
        self.low.zip(self.max).is_some_and(|(low, max)| max >= TWO_DECADES * low)
    }

    /// Takes in a value of a line, or of the band around it.
    fn hold(&mut self, value: f32, settled: bool) {
        if value.is_finite() {
            let value = f64::from(value);
            self.min = self.min.map_or(Some(value), |min| Some(min.min(value)));
            self.max = self.max.map_or(Some(value), |max| Some(max.max(value)));
            if settled {
                self.settled = self.settled.map_or(Some(value), |max| Some(max.max(value)));
            }
        }
    }
}

impl Curves {
    /// What the loss is like in sight: that of the run, of its evaluations and of what is ahead.
    pub fn values(&self, sight: &Sight) -> Values {
        let Sight { from, to, .. } = *sight;
        let mut values = Values::default();
        let (mut line, mut band) = (f64::INFINITY, f64::INFINITY);
        let lower = |low: &mut f64, value: f32| {
            if value.is_finite() && value > 0.0 {
                *low = low.min(f64::from(value));
            }
        };
        let trained = to.min(self.known());
        let first = if from == 0 { trained / FIRST } else { 0 };
        // In slices, since a loss of exactly 0 would hide the other losses of its bucket from the search
        // for the smallest above it.
        let slice = (trained.saturating_sub(from)).div_ceil(SLICES).max(1);
        let mut start = from;
        while start < trained {
            let end = start + slice;
            let ahead = self.pasts.ahead().and_then(|ahead| ahead.loss.range(start, end));
            for bucket in self.steps(sight, start, end).into_iter().chain(ahead) {
                for value in [bucket.min, bucket.max, bucket.smooth] {
                    values.hold(value, start >= first);
                }
                lower(&mut band, bucket.min);
                lower(&mut line, bucket.smooth);
            }
            start = end;
        }
        for point in self.evaluations.iter().filter(|point| point.step > from && point.step <= to) {
            values.hold(point.loss, true);
            lower(&mut line, point.loss);
        }
        let low = band.max(line / BELOW_LINE).min(line);
        values.low = Some(low).filter(|low| low.is_finite());
        values.settled = values.settled.or(values.max);
        values
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::Range;

    fn of(losses: &[f32]) -> Values {
        let mut curves = Curves::sized(losses.len() as u64, 10.0);
        curves.extend(losses);
        curves.values(&curves.sight(Range::WholeRun))
    }

    #[test]
    fn values_span_two_decades_or_do_not() {
        let falling =
            |factor: f32| (0..1_000).map(|step| 2.0 * factor.powi(step)).collect::<Vec<_>>();
        assert!(!of(&falling(0.999)).are_wide());
        assert!(of(&falling(0.99)).are_wide());
        assert!(!of(&[]).are_wide() && !of(&[0.0, 0.0]).are_wide());
    }

    #[test]
    fn one_batch_without_loss_does_not_stretch_the_axis() {
        let mut losses = vec![0.5; 100];
        losses[50] = 1e-6;
        losses[60] = 0.0;
        let values = of(&losses);
        assert!(!values.are_wide());
        assert!(values.low.is_some_and(|low| low > 0.01), "{values:?}");
        assert_eq!(values.min, Some(0.0));
    }

    #[test]
    fn losses_of_the_first_steps_are_outliers() {
        let mut losses = vec![0.5; 1_000];
        losses[3] = 9.0;
        let values = of(&losses);
        assert_eq!((values.max, values.settled), (Some(9.0), Some(0.5)));
        losses[500] = 7.0;
        assert_eq!(of(&losses).settled, Some(7.0), "a later spike is none");
        assert_eq!(of(&[f32::NAN; 5]), Values::default());
    }
}
