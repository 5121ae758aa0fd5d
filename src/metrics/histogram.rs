//! How many of many values lie where.

use serde::{Deserialize, Serialize};

/// Counts of values in bins of one width over the middle 99 % of them; what lies beyond is in the first and the
/// last bin.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Histogram {
    /// Lower end of the first bin.
    pub low: f32,
    /// Upper end of the last bin; as low as [`low`](Self::low) where all values are the same.
    pub high: f32,
    /// Values in each bin.
    pub counts: Vec<u32>,
    /// Values that are not finite, which are in no bin.
    pub not_finite: u32,
}

impl Histogram {
    /// Bins.
    pub const BINS: usize = 48;
    /// Most values that are counted: of more, as many evenly spread ones.
    pub const MOST: usize = 1 << 15;
    /// Share of the values at each end that may lie beyond the bins.
    const BEYOND: f64 = 0.005;

    /// Counts values; `None` where none of them is finite.
    pub fn of(values: &[f32]) -> Option<Self> {
        let len = values.len().min(Self::MOST);
        let spread = (0..len).map(|place| values[place * values.len() / len]);
        let mut finite: Vec<f32> = spread.filter(|value| value.is_finite()).collect();
        let not_finite = (len - finite.len()) as u32;
        let last = finite.len().checked_sub(1)?;
        let beyond = (last as f64 * Self::BEYOND) as usize;
        let low = *finite.select_nth_unstable_by(beyond, f32::total_cmp).1;
        let high = *finite.select_nth_unstable_by(last - beyond, f32::total_cmp).1;
        let mut counts = vec![0; Self::BINS];
        let width = f64::from(high) - f64::from(low);
        for value in finite {
            let share = (f64::from(value) - f64::from(low)) / width;
            // Where all are the same, they are in the middle.
            let share = if width > 0.0 { share } else { 0.5 };
            let bin = (share.max(0.0) * Self::BINS as f64) as usize;
            counts[bin.min(Self::BINS - 1)] += 1;
        }
        Some(Self { low, high, counts, not_finite })
    }

    /// Values in all bins.
    pub fn total(&self) -> u64 {
        self.counts.iter().map(|&count| u64::from(count)).sum()
    }

    /// The share of the values in each of `rows` ranges of one width from `low` to `high`, where values are
    /// spread evenly over their bins.
    pub fn shares(&self, low: f64, high: f64, rows: usize) -> Vec<f64> {
        let mut shares = vec![0.0; rows];
        let (range, total) = (high - low, self.total() as f64);
        if rows == 0 || total == 0.0 || range <= 0.0 {
            return shares;
        }
        let width = (f64::from(self.high) - f64::from(self.low)) / self.counts.len() as f64;
        let row = |value: f64| (value - low) / range * rows as f64;
        for (bin, &count) in self.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            let from = row(f64::from(self.low) + bin as f64 * width);
            let to = row(f64::from(self.low) + (bin + 1) as f64 * width);
            let share = f64::from(count) / total;
            if to - from < 1e-9 || width <= 0.0 {
                let place = (row(f64::from(self.low)).max(0.0) as usize).min(rows - 1);
                shares[place] += share;
                continue;
            }
            let first = (from.max(0.0) as usize).min(rows - 1);
            let last = ((to.ceil() as usize).max(1) - 1).min(rows - 1);
            for (place, target) in shares.iter_mut().enumerate().take(last + 1).skip(first) {
                let overlap = to.min((place + 1) as f64) - from.max(place as f64);
                *target += share * (overlap / (to - from)).max(0.0);
            }
        }
        shares
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn values_are_counted_where_they_lie() {
        let values: Vec<f32> = (0..48_u8).map(|place| f32::from(place) + 0.5).collect();
        let even = Histogram::of(&values).expect("finite values");
        assert_eq!((even.low, even.high, even.total()), (0.5, 47.5, 48));
        // Bins of 47/48 over 0.5 to 47.5: each has one value, the last one is at its end.
        assert_eq!(even.counts, vec![1; 48]);
        let mut skewed = vec![0.0; 990];
        skewed.extend([f32::NAN, f32::INFINITY]);
        skewed.extend([1.0; 10]);
        let skewed = Histogram::of(&skewed).expect("finite values");
        assert_eq!((skewed.low, skewed.high, skewed.not_finite), (0.0, 1.0, 2));
        assert_eq!((skewed.counts[0], skewed.counts[47]), (990, 10));
        assert_eq!(Histogram::of(&[f32::NAN]), None);
        let same = Histogram::of(&[3.0; 7]).expect("finite values");
        assert_eq!((same.low, same.high, same.counts[24]), (3.0, 3.0, 7));
    }

    #[test]
    fn outliers_are_in_the_bins_at_the_ends() {
        let mut values: Vec<f32> = (0..1_000_u16).map(f32::from).collect();
        (values[0], values[999]) = (-1e9, 1e9);
        let found = Histogram::of(&values).expect("finite values");
        assert_eq!((found.low, found.high, found.total()), (4.0, 995.0, 1_000));
    }

    #[test]
    fn shares_are_of_the_rows_that_bins_overlap() {
        let two = Histogram { low: 0.0, high: 2.0, counts: vec![3, 1], not_finite: 0 };
        assert_eq!(two.shares(0.0, 2.0, 2), [0.75, 0.25]);
        assert_eq!(two.shares(-2.0, 2.0, 4), [0.0, 0.0, 0.75, 0.25]);
        assert_eq!(two.shares(0.0, 2.0, 4), [0.375, 0.375, 0.125, 0.125]);
        assert_eq!(two.shares(0.0, 1.0, 1), [0.75], "what lies beyond is not shown");
        let one = Histogram { low: 1.0, high: 1.0, counts: vec![0, 5], not_finite: 0 };
        assert_eq!(one.shares(0.0, 2.0, 4), [0.0, 0.0, 1.0, 0.0]);
        assert_eq!(one.shares(0.0, 2.0, 0), [0.0; 0]);
    }

    proptest! {
        #[test]
        fn every_finite_value_is_counted_once(
            values in prop::collection::vec(prop::num::f32::ANY, 1..200),
            rows in 1_usize..30,
        ) {
            let finite = values.iter().filter(|value| value.is_finite()).count() as u64;
            match Histogram::of(&values) {
                None => prop_assert_eq!(finite, 0),
                Some(found) => {
                    prop_assert_eq!(found.total(), finite);
                    let (low, high) = (f64::from(found.low), f64::from(found.high));
                    if high > low {
                        let sum: f64 = found.shares(low, high, rows).iter().sum();
                        prop_assert!((sum - 1.0).abs() < 1e-6, "{sum}");
                    }
                }
            }
        }
    }
}
