//! Runs that failed, by their messages.

use crate::printable::thousands;

/// Runs in a row that fail with the same message before the rest is given up.
const MOST_ALIKE: usize = 8;

/// The messages of failed runs, each reported once.
#[derive(Debug, Default)]
pub(super) struct Failures {
    /// Messages, the first run that failed with each, and how many others did.
    messages: Vec<(String, String, usize)>,
    /// Runs in a row that failed with the last of the messages that came.
    alike: usize,
    last: usize,
}

impl Failures {
    /// Notes that a run failed; whether its message is a new one.
    pub(super) fn add(&mut self, run: &str, message: &str) -> bool {
        let known = self.messages.iter().position(|(known, ..)| known == message);
        let place = known.unwrap_or(self.messages.len());
        self.alike = if place == self.last { self.alike + 1 } else { 1 };
        self.last = place;
        match known {
            Some(place) => self.messages[place].2 += 1,
            None => self.messages.push((message.to_owned(), run.to_owned(), 0)),
        }
        known.is_none()
    }

    /// Notes that a run ended in another way.
    pub(super) fn end_series(&mut self) {
        self.alike = 0;
    }

    /// Whether so many runs failed alike in a row that the rest would most likely fail, too.
    pub(super) fn are_hopeless(&self) -> bool {
        self.alike >= MOST_ALIKE
    }

    /// A sentence for each message that came more than once.
    pub(super) fn repeated(&self) -> impl Iterator<Item = String> {
        let repeated = self.messages.iter().filter(|(.., others)| *others > 0);
        repeated.map(|(_, run, others)| {
            let runs = if *others == 1 {
                "1 more run".to_owned()
            } else {
                format!("{} more runs", thousands(*others as u64))
            };
            format!("{runs} failed with the same error as run {run}")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_all_runs_is_told_once_and_ends_the_sweep() {
        let mut failures = Failures::default();
        assert!(failures.add("0001", "no data"));
        for run in 2..MOST_ALIKE {
            assert!(!failures.add(&format!("{run:04}"), "no data"));
        }
        assert!(!failures.are_hopeless());
        assert!(failures.add("0010", "no room"), "another error");
        failures.add("0011", "no data");
        assert!(!failures.are_hopeless());
        failures.end_series();
        for _ in 0..MOST_ALIKE {
            failures.add("0012", "no room");
        }
        assert!(failures.are_hopeless());
        assert_eq!(
            failures.repeated().collect::<Vec<_>>(),
            [
                "7 more runs failed with the same error as run 0001",
                "8 more runs failed with the same error as run 0010"
            ]
        );
    }
}
