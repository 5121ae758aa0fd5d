//! Whether a network's confidence says how often it is right.

use serde::{Deserialize, Serialize};

/// Predictions by their confidence, in bins of equal width from 0 to 1.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// The bins, from the least to the most confident.
    pub bins: Vec<Bin>,
    /// Predictions whose confidence is not a number, which are in no bin.
    pub not_finite: u64,
}

/// The predictions of a range of confidence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Bin {
    /// How many there are.
    pub count: u64,
    /// How many of them are right.
    pub right: u64,
    /// The sum of their confidences.
    pub confidence: f64,
}

impl Bin {
    /// Share of right predictions; `None` without any.
    pub fn accuracy(&self) -> Option<f64> {
        (self.count > 0).then(|| self.right as f64 / self.count as f64)
    }

    /// Mean confidence; `None` without any.
    pub fn mean_confidence(&self) -> Option<f64> {
        (self.count > 0).then(|| self.confidence / self.count as f64)
    }

    /// How much more confident than right the predictions are; 0 without any.
    pub fn gap(&self) -> f64 {
        let both = self.mean_confidence().zip(self.accuracy());
        both.map_or(0.0, |(confidence, accuracy)| confidence - accuracy)
    }
}

impl Calibration {
    /// Bins unless another number is wanted.
    pub const BINS: usize = 10;

    /// From each prediction's confidence, in 0..=1, and whether it is right.
    pub fn of(predictions: impl Iterator<Item = (f32, bool)>, bins: usize) -> Self {
        let mut found = Self { bins: vec![Bin::default(); bins], not_finite: 0 };
        for (confidence, is_right) in predictions {
            let place = (f64::from(confidence) * bins as f64) as usize;
            // A confidence of exactly 1 belongs to the last bin.
            let place = place.min(bins.saturating_sub(1));
            match found.bins.get_mut(place).filter(|_| confidence.is_finite()) {
                Some(bin) => {
                    bin.count += 1;
                    bin.right += u64::from(is_right);
                    bin.confidence += f64::from(confidence);
                }
                None => found.not_finite += 1,
            }
        }
        found
    }

    /// Predictions in the bins.
    pub fn count(&self) -> u64 {
        self.bins.iter().map(|bin| bin.count).sum()
    }

    /// The expected calibration error: the mean distance of confidence and accuracy, each bin by its
    /// share of the predictions (Guo et al., On Calibration of Modern Neural Networks, 2017).
    pub fn error(&self) -> f64 {
        let gaps = self.bins.iter().map(|bin| bin.gap().abs() * bin.count as f64);
        gaps.sum::<f64>() / self.count().max(1) as f64
    }

    /// Mean confidence of all predictions; 0 without any.
    pub fn mean_confidence(&self) -> f64 {
        self.bins.iter().map(|bin| bin.confidence).sum::<f64>() / self.count().max(1) as f64
    }

    /// Share of right predictions; 0 without any.
    pub fn accuracy(&self) -> f64 {
        self.bins.iter().map(|bin| bin.right).sum::<u64>() as f64 / self.count().max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_expected_calibration_error_is_the_one_worked_out_by_hand() {
        let predictions = [(0.95, true), (0.91, false), (0.55, true), (0.55, true), (1.0, true)];
        let found = Calibration::of(predictions.into_iter(), 10);
        let last = found.bins[9];
        assert_eq!((last.count, last.right), (3, 2));
        assert!((last.confidence - 2.86).abs() < 1e-6);
        assert_eq!((found.bins[5].count, found.bins[5].accuracy()), (2, Some(1.0)));
        // 3/5 · |2.86/3 − 2/3| + 2/5 · |0.55 − 1| = 0.172 + 0.18.
        assert!((found.error() - 0.352).abs() < 1e-6, "{}", found.error());
        assert!((found.mean_confidence() - 0.792).abs() < 1e-6);
        assert_eq!((found.accuracy(), found.count()), (0.8, 5));
    }

    #[test]
    fn confidences_on_a_bound_belong_to_the_bin_above_and_nan_to_none() {
        let found = Calibration::of([(0.5, true), (0.0, false), (f32::NAN, false)].into_iter(), 2);
        assert_eq!([found.bins[0].count, found.bins[1].count, found.not_finite], [1, 1, 1]);
        let nothing = Calibration::of(std::iter::empty(), 10);
        assert_eq!((nothing.error(), nothing.bins[0].gap()), (0.0, 0.0));
        assert_eq!(Calibration::of([(0.5, true)].into_iter(), 0).not_finite, 1);
    }
}
