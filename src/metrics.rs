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
    let (mut best, mut largest) = (0, f32::NAN);
    for (place, &value) in values.iter().enumerate() {
        if value > largest || largest.is_nan() && !value.is_nan() {
            (best, largest) = (place, value);
        }
    }
    best
}

/// The scalar product of two rows, summed up in several lanes of f64.
pub fn dot(a: &[f32], b: &[f32]) -> f64 {
    let ((a, rest_a), (b, rest_b)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    let mut sums = [0.0; 8];
    for (a, b) in a.iter().zip(b) {
        for lane in 0..8 {
            sums[lane] += f64::from(a[lane]) * f64::from(b[lane]);
        }
    }
    let rest = rest_a.iter().zip(rest_b).map(|(&a, &b)| f64::from(a) * f64::from(b));
    sums.into_iter().chain(rest).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_counts_whole_chunks_and_the_rest() {
        for len in [0, 1, 8, 19] {
            let row: Vec<f32> = (0..len).map(|it| it as f32).collect();
            let expected: f64 = (0..len).map(|it| f64::from(it as f32 * (it as f32 + 1.0))).sum();
            let next: Vec<f32> = row.iter().map(|it| it + 1.0).collect();
            assert_eq!(dot(&row, &next), expected);
        }
    }

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
