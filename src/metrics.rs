//! What is measured during training, kept in bounded memory.

pub mod calibration;
pub mod confusion;
pub mod directions;
pub mod eigen;
pub mod histogram;
pub mod pca;
pub mod rate;
pub mod series;

pub use calibration::Calibration;
pub use confusion::Confusion;
pub use eigen::eigen;
pub use histogram::Histogram;
pub use pca::Pca;
pub use rate::Rate;
pub use series::{Bucket, Series, Smoother};

/// The place of the largest value, the first of equals. NaN is passed over; 0 if all are NaN.
pub fn arg_max(values: &[f32]) -> usize {
    let mut best = 0;
    for (place, &value) in values.iter().enumerate() {
        if value > values[best] || values[best].is_nan() && !value.is_nan() {
            best = place;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_equals_the_first_is_the_largest_and_nan_never_is() {
        for (values, place) in [
            (&[0.1, 0.1, 0.1][..], 0),
            (&[0.1, 0.7, 0.7], 1),
            (&[f32::NAN, -2.0, f32::NAN], 1),
            (&[f32::NAN, f32::NAN], 0),
            (&[], 0),
        ] {
            assert_eq!(arg_max(values), place, "{values:?}");
        }
    }
}
