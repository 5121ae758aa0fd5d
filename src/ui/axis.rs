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

    /// A linear axis between round numbers that hold `low` and `high`.
    pub(super) fn around(low: f64, high: f64) -> Self {
        let (low, high) = (low.clamp(-LARGEST, LARGEST), high.clamp(-LARGEST, LARGEST));
        if !(low.is_finite() && high.is_finite()) || high <= low {
            return Self::linear(0.0, high);
        }
        let step = round_step((high - low) / 4.0);
        let [bottom, top] = [(low / step + 1e-9).floor(), (high / step - 1e-9).ceil()];
        Self { low: bottom * step, high: top * step, log: false }
    }

    /// A logarithmic axis between round numbers that hold `low` and `high`: 1, 2 or 5 times a power of
    /// ten.
    pub(super) fn logarithmic(low: f64, high: f64) -> Self {
        let high = if high.is_finite() && high > 0.0 { high } else { 1.0 };
        let high = high.clamp(1.0 / LARGEST, LARGEST);
        let low = if low.is_finite() && low > 0.0 { low.min(high) } else { high / 10.0 };
        let low = low.max(high / 10f64.powf(DECADES));
        let top = rounds(high / 2.0, high * 5.1).find(|round| *round >= high * (1.0 - 1e-9));
        let bottom =
            rounds(low / 5.1, low * 2.0).filter(|round| *round <= low * (1.0 + 1e-9)).last();
        let (top, bottom) = (top.unwrap_or(high), bottom.unwrap_or(low));
        // At least as much as from one round number to the next but one.
        let bottom = if top / bottom < 3.0 { bottom.min(top / 5.0) } else { bottom };
        Self { low: bottom, high: top, log: true }
    }

    /// The highest value.
    pub(super) fn high(self) -> f64 {
        self.high
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
            let all: Vec<f64> = rounds(self.low * (1.0 - 1e-9), self.high * (1.0 + 1e-9)).collect();
            let is_decade = |value: &&f64| (value.log10() - value.log10().round()).abs() < 1e-9;
            let decades: Vec<f64> = all.iter().filter(is_decade).copied().collect();
            // Few decades say little of what lies between them.
            let shown = if all.len() > most && decades.len() > 2 { decades } else { all };
            return shown.iter().copied().step_by(shown.len().div_ceil(most).max(1)).collect();
        }
        let span = self.high - self.low;
        // Both ends are labelled, and between them the most values that stay round.
        let parts = (2..most).rev().find(|&parts| is_round(span / parts as f64)).unwrap_or(1);
        (0..=parts).map(|part| self.low + span * part as f64 / parts as f64).collect()
    }
}

/// 1, 2 and 5 times each power of ten between two positive values, lowest first.
fn rounds(low: f64, high: f64) -> impl Iterator<Item = f64> {
    let powers = low.log10().floor() as i32..=high.log10().ceil() as i32;
    powers
        .flat_map(|power| {
            // A negative power is divided by, so that 0.2 is the nearest number to that.
            let times = move |factor: f64| {
                if power < 0 { factor / 10f64.powi(-power) } else { factor * 10f64.powi(power) }
            };
            [1.0, 2.0, 5.0].map(times)
        })
        .filter(move |value| (low..=high).contains(value))
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
    if value != 0.0 && !(0.000_999_9..99_999.5).contains(&value.abs()) {
        let short = format!("{value:.0e}");
        let is_whole = short.parse().is_ok_and(|short: f64| (short / value - 1.0).abs() < 1e-6);
        return if is_whole { short } else { format!("{value:.1e}") };
    }
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// The same with as many decimals as neighbours on a narrow axis need.
pub(super) fn fine_label(value: f64) -> String {
    let text = format!("{value:.6}");
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

    fn labels(axis: Axis, most: usize) -> String {
        axis.ticks(most).iter().map(|&tick| label(tick)).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_logarithmic_axis_ends_on_round_numbers() {
        let axis = Axis::logarithmic(0.03, 2.4);
        assert_eq!(labels(axis, 9), "0.02 0.05 0.1 0.2 0.5 1 2 5");
        assert_eq!(labels(axis, 7), "0.02 0.1 0.5 2");
        assert_eq!(labels(Axis::logarithmic(0.003, 7.0), 7), "0.01 0.1 1 10");
        assert_eq!(axis.place(0.0), Some(0.0));
        assert_eq!(axis.place(axis.high()), Some(1.0));
        assert_eq!(labels(Axis::logarithmic(1e-5, 3.0), 4), "1e-5 0.001 0.1");
        assert_eq!(labels(Axis::logarithmic(0.02, 0.4), 3), "0.02 0.1 0.5");
        assert_eq!(labels(Axis::logarithmic(1.0, 1.0), 9), "0.2 0.5 1");
        assert_eq!(labels(Axis::logarithmic(1e-30, 1.0), 9), "1e-6 1e-5 1e-4 0.001 0.01 0.1 1");
    }

    #[test]
    fn an_axis_around_values_leaves_out_what_is_far_below_them() {
        assert_eq!(labels(Axis::around(0.512, 0.587), 9), "0.5 0.52 0.54 0.56 0.58 0.6");
        assert_eq!(labels(Axis::around(0.5, 0.5), 3), "0 0.25 0.5");
    }

    #[test]
    fn labels_are_short() {
        let texts = [0.0, 0.002, 2.5e-4, 2e-4, 1_200.0, 1e5, 1e30].map(label);
        assert_eq!(texts, ["0", "0.002", "2.5e-4", "2e-4", "1200", "1e5", "1e30"]);
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
            for axis in [axis, Axis::around(low, high)] {
                let ticks = axis.ticks(most);
                prop_assert!(ticks.len() <= most.max(2), "{axis:?} {ticks:?}");
                for tick in ticks {
                    let place = axis.place(tick);
                    prop_assert!(place.is_some_and(|place| (0.0..=1.0).contains(&place)));
                }
            }
        }
    }
}
