//! GELU with the exact normal distribution function, x·Φ(x).

use std::f32::consts::{FRAC_1_SQRT_2, PI};

/// The density at `x` times √(2π), and Φ(x) to within 1e-7 (Abramowitz and Stegun, Handbook of
/// Mathematical Functions, 7.1.26).
fn normal(x: f32) -> (f32, f32) {
    const P: f32 = 0.327_591_1;
    #[expect(clippy::excessive_precision, reason = "as they are published")]
    const A: [f32; 5] =
        [0.254_829_592, -0.284_496_736, 1.421_413_741, -1.453_152_027, 1.061_405_429];
    let bell = (-0.5 * x * x).exp();
    let t = 1.0 / (1.0 + P * x.abs() * FRAC_1_SQRT_2);
    let series = A.iter().rev().fold(0.0, |sum, a| (sum + a) * t);
    let tail = 0.5 * series * bell;
    (bell, if x > 0.0 { 1.0 - tail } else { tail })
}

/// x·Φ(x).
pub(super) fn gelu(x: f32) -> f32 {
    let (_, below) = normal(x);
    x * below
}

/// The derivative, Φ(x) + x·φ(x).
pub(super) fn gelu_slope(x: f32) -> f32 {
    let (bell, below) = normal(x);
    below + x * bell / (2.0 * PI).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `PyTorch` 2.15:
    /// ```python
    /// x = torch.tensor([-3., -1., -.1, 0., .5, 2.], requires_grad=True)
    /// y = torch.nn.functional.gelu(x); y.sum().backward(); print(y, x.grad)
    /// ```
    #[test]
    fn values_and_slopes_are_those_of_pytorch() {
        for (x, value, slope) in [
            (-3.0, -0.004_049_69, -0.011_945_6),
            (-1.0, -0.158_655_26, -0.083_315_47),
            (-0.1, -0.046_017_22, 0.420_477_8),
            (0.0, 0.0, 0.5),
            (0.5, 0.345_731_23, 0.867_495_1),
            (2.0, 1.954_499_7, 1.085_231_9),
        ] {
            assert!((gelu(x) - value).abs() < 1e-6, "{x}: {}", gelu(x));
            assert!((gelu_slope(x) - slope).abs() < 1e-6, "{x}: {}", gelu_slope(x));
        }
        assert!(gelu(f32::NAN).is_nan());
    }
}
