//! Values that change faster than they can be read.

/// A value that, once shown, stays for a while whatever newer ones arrive.
///
/// Time is the run's clock, so that a paused run leaves the screen as it is.
#[derive(Clone, Debug)]
pub(super) struct Held<T> {
    shown: Option<T>,
    newest: Option<T>,
    since: f64,
    dwell: f64,
}

impl<T> Held<T> {
    /// Holds values for `dwell` seconds each.
    pub(super) fn new(dwell: f64) -> Self {
        Self { shown: None, newest: None, since: 0.0, dwell }
    }

    /// The value to show; `None` before the first.
    pub(super) fn shown(&self) -> Option<&T> {
        self.shown.as_ref()
    }

    /// The newest value, shown or not.
    pub(super) fn newest(&self) -> Option<&T> {
        self.newest.as_ref().or(self.shown.as_ref())
    }

    /// Takes a newer value, to be shown when its time comes.
    pub(super) fn offer(&mut self, value: T) {
        self.newest = Some(value);
    }

    /// Whether the value shown has stood long enough, or may go `at_once`.
    pub(super) fn is_due(&self, now: f64, at_once: bool) -> bool {
        at_once || self.shown.is_none() || now - self.since >= self.dwell
    }

    /// Goes over to the newest value if the one shown has stood long enough, or `at_once`.
    pub(super) fn refresh(&mut self, now: f64, at_once: bool) {
        if self.newest.is_some() && self.is_due(now, at_once) {
            // The first value is seldom the most telling: it stays for a quarter of the time.
            self.since = if self.shown.is_none() { now - 0.75 * self.dwell } else { now };
            self.shown = self.newest.take();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_shown_for_their_time_and_the_first_one_for_a_quarter_of_it() {
        let mut held = Held::new(2.0);
        for (now, value, shown) in
            [(5.0, 'a', 'a'), (5.4, 'b', 'a'), (5.5, 'c', 'c'), (7.4, 'd', 'c'), (7.5, 'e', 'e')]
        {
            held.offer(value);
            held.refresh(now, false);
            assert_eq!(held.shown(), Some(&shown));
        }
    }

    #[test]
    fn a_value_that_waited_is_shown_when_its_time_comes() {
        let mut held = Held::new(2.0);
        held.offer('a');
        held.refresh(0.0, false);
        held.offer('b');
        held.refresh(0.4, false);
        held.refresh(2.5, false);
        assert_eq!(held.shown(), Some(&'b'));
        held.refresh(9.0, true);
        assert_eq!(held.shown(), Some(&'b'), "there is nothing newer");
    }
}
