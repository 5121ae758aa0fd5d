//! Steps at which something was changed or found.

/// Changes of the learning rate, and losses that broke the run off.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Marks {
    /// Learning rate of the first step.
    initial_rate: f64,
    /// Steps after which another rate applies, with that rate; steps rise and neighbours differ.
    rates: Vec<(u64, f64)>,
    /// Steps whose loss met a breakpoint, rising.
    breaks: Vec<u64>,
}

impl Marks {
    pub(super) fn new(initial_rate: f64) -> Self {
        Self { initial_rate, ..Self::default() }
    }

    /// `rate` applies after `step`, and what was noted beyond does not happen any more.
    pub(super) fn set_rate(&mut self, step: u64, rate: f64) {
        self.rates.retain(|&(at, _)| at < step);
        // Being told again what applies anyway is no change.
        let before = self.rates.last().map_or(self.initial_rate, |&(_, rate)| rate);
        if rate != before {
            self.rates.push((step, rate));
        }
    }

    pub(super) fn add_break(&mut self, step: u64) {
        if self.breaks.last().is_none_or(|&last| last < step) {
            self.breaks.push(step);
        }
    }

    pub(super) fn go_back(&mut self, step: u64, rate: f64) {
        self.set_rate(step, rate);
        self.breaks.retain(|&at| at <= step);
    }

    /// Steps after which another learning rate applies, with that rate.
    pub fn rates(&self) -> &[(u64, f64)] {
        &self.rates
    }

    /// Steps whose loss met a breakpoint.
    pub fn breaks(&self) -> &[u64] {
        &self.breaks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_changes_of_the_rate_are_marked() {
        let mut marks = Marks::new(0.001);
        marks.set_rate(10, 0.002);
        marks.set_rate(10, 0.004);
        marks.set_rate(20, 0.004);
        assert_eq!(marks.rates(), [(10, 0.004)]);
        marks.set_rate(10, 0.001);
        assert_eq!(marks.rates(), []);
    }

    #[test]
    fn going_back_takes_off_what_comes_later() {
        let mut marks = Marks::new(0.001);
        marks.set_rate(10, 0.002);
        marks.set_rate(20, 0.003);
        marks.add_break(12);
        marks.add_break(12);
        marks.add_break(19);
        marks.go_back(12, 0.002);
        assert_eq!((marks.rates(), marks.breaks()), (&[(10, 0.002)][..], &[12][..]));
        marks.go_back(10, 0.002);
        assert_eq!(marks.rates(), [(10, 0.002)], "it applies from the next step on");
        marks.go_back(9, 0.001);
        assert_eq!(marks.rates(), []);
    }
}
