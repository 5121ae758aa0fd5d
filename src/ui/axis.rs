//! Axes with round numbers.

/// A value axis, linear or logarithmic.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Axis {
    low: f64,
    high: f64,
    log: bool,
}

/// The longest span a logarithmic axis shows: below, curves run along its floor.
const DECADES: f64 = 6.0;
/// The largest value that an axis can end on; far beyond it, round numbers overflow.
const LARGEST: f64 = 1e300;

impl Axis {
    /// A linear axis from `low` up to the first round number that is not below `high`.
    pub(super) fn linear(low: f64, high: f64) -> Self {
        let low = if low.is_finite() { low } else { 0.0 };
        let high = high.min(LARGEST);
        let span = if high.is_finite() && high > low { high - low } else { 1.0 };
        let step = round_step(span / 8.0);
        Self { low, high: low + (span / step - 1e-9).ceil() * step, log: false }
    }

    /// A linear axis from the last round number that is not above `low`, nor below 0, up to `high`.
    pub(super) fn below(low: f64, high: f64) -> Self {
        let span = if low.is_finite() && low < high { high - low } else { high / 10.0 };
        let step = round_step(span / 4.0);
        Self { low: (high - (span / step - 1e-9).ceil() * step).max(0.0), high, log: false }
    }

    /// A logarithmic axis over the whole decades that hold `low` and `high`.
    pub(super) fn logarithmic(low: f64, high: f64) -> Self {
        let high = if high.is_finite() && high > 0.0 { high } else { 1.0 };
        let high = high.clamp(1.0 / LARGEST, LARGEST);
        let top = (high.log10() - 1e-9).ceil();
        let low = if low.is_finite() && low > 0.0 { low } else { high / 10.0 };
        let bottom = (low.log10() + 1e-9).floor().clamp(top - DECADES, top - 1.0);
        Self { low: 10f64.powf(bottom), high: 10f64.powf(top), log: true }
    }

    /// Where a value stands: 0 at the bottom, 1 at the top, values outside on the nearer end; `None`
    /// for NaN.
    pub(super) fn place(self, value: f64) -> Option<f64> {
        let share = if self.log {
            let span = self.high.log10() - self.low.log10();
            (value.max(self.low).log10() - self.low.log10()) / span
        } else {
            (value - self.low) / (self.high - self.low)
        };
        (!value.is_nan() && !share.is_nan()).then(|| share.clamp(0.0, 1.0))
    }

    /// Round values, lowest first, at most `most` of them.
    pub(super) fn ticks(self, most: usize) -> Vec<f64> {
        let most = most.max(2);
        if self.log {
            let (bottom, top) = (self.low.log10().round() as i32, self.high.log10().round() as i32);
            let every = ((top - bottom) as usize).div_ceil(most - 1).max(1);
            return (bottom..=top).step_by(every).map(|power| 10f64.powi(power)).collect();
        }
        let span = self.high - self.low;
        // Both ends are labelled, and between them the most values that stay round.
        let parts = (2..most).rev().find(|&parts| is_round(span / parts as f64)).unwrap_or(1);
        (0..=parts).map(|part| self.low + span * part as f64 / parts as f64).collect()
    }
}

fn is_round(step: f64) -> bool {
    (round_step(step * (1.0 - 1e-6)) / step - 1.0).abs() < 1e-6
}

/// The smallest of 1, 2, 2.5 and 5 times a power of ten that is not below `least`.
pub(super) fn round_step(least: f64) -> f64 {
    let power = 10f64.powf(least.log10().floor());
    let factors = [1.0, 2.0, 2.5, 5.0, 10.0];
    let factor = factors.into_iter().find(|factor| factor * power >= least * (1.0 - 1e-9));
    factor.unwrap_or(10.0) * power
}

/// A tick's text, without digits it does not need.
pub(super) fn label(value: f64) -> String {
    if value != 0.0 && value.abs() < 0.001 {
        return format!("{value:.0e}");
    }
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_loss_axis_ends_on_a_round_number() {
        let axis = Axis::linear(0.0, 2.41);
        assert_eq!(axis.ticks(6), [0.0, 0.5, 1.0, 1.5, 2.0, 2.5]);
        assert_eq!(axis.place(0.0), Some(0.0));
        assert_eq!(axis.place(99.0), Some(1.0));
        assert_eq!(axis.place(f64::NAN), None);
    }

    #[test]
    fn a_logarithmic_axis_spans_whole_decades() {
        let axis = Axis::logarithmic(0.03, 2.4);
        assert_eq!(
            axis.ticks(9).iter().map(|&tick| label(tick)).collect::<Vec<_>>(),
            ["0.01", "0.1", "1", "10"]
        );
        assert_eq!(axis.place(0.0), Some(0.0));
        assert!((axis.place(0.1).expect("a number") - 1.0 / 3.0).abs() < 1e-9);
    }

    #[test]
    fn both_ends_of_an_accuracy_axis_are_labelled_and_none_is_beyond_all() {
        let ticks = |low, most| Axis::below(low, 1.0).ticks(most);
        let percent = |low, most| {
            ticks(low, most).iter().map(|tick| label(100.0 * tick)).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(percent(0.968, 6), "96 97 98 99 100");
        assert_eq!(percent(0.968, 3), "96 98 100");
        assert_eq!(percent(0.968, 2), "96 100");
        assert_eq!(percent(0.11, 6), "0 20 40 60 80 100");
        assert_eq!(percent(0.0, 3), "0 50 100");
        assert_eq!(percent(1.0, 2), "90 100");
    }

    #[test]
    fn steps_are_round() {
        assert_eq!([0.3, 1.0, 1.1, 2.2, 2.6, 7.0].map(round_step), [0.5, 1.0, 2.0, 2.5, 5.0, 10.0]);
    }

    proptest! {
        #[test]
        fn every_axis_holds_its_values_and_its_ticks(
            low in prop::num::f64::ANY, high in prop::num::f64::ANY, most in 0usize..20, log: bool,
        ) {
            let axis = if log { Axis::logarithmic(low, high) } else { Axis::linear(0.0, high) };
            let share = Axis::below(low, 1.0);
            prop_assert!(share.ticks(most).iter().all(|tick| (0.0..=1.0).contains(tick)));
            let ticks = axis.ticks(most);
            prop_assert!(ticks.len() <= most.max(2));
            for tick in ticks {
                prop_assert!(axis.place(tick).is_some_and(|place| (0.0..=1.0).contains(&place)));
            }
        }
    }
}
