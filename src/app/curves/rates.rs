//! The learning rate of each step.

/// Learning rates by step, in bounded memory: a schedule may change them with every step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LearningRates {
    /// The last step of a stretch and the rate of that step; steps rise, and neighbours differ.
    stretches: Vec<(u64, f64)>,
    /// Fewest steps of a stretch: 0 until there are too many of them.
    shortest: u64,
}

impl LearningRates {
    /// Most stretches that are kept: more than the columns of a wide chart.
    const MOST: usize = 2_048;

    /// Notes that the steps up to this one, from the last one noted on, have had `rate`.
    pub(in crate::app) fn push(&mut self, step: u64, rate: f64) {
        if !rate.is_finite() {
            return;
        }
        let before = self.stretches.len().checked_sub(2).map_or(0, |place| self.stretches[place].0);
        match self.stretches.last_mut() {
            Some((last, _)) if *last >= step => {}
            Some((last, known)) if *known == rate => *last = step,
            Some(last) if step - before < self.shortest => *last = (step, rate),
            _ => self.stretches.push((step, rate)),
        }
        if self.stretches.len() > Self::MOST {
            self.join();
        }
    }

    /// Leaves about half as many stretches, all about as long.
    fn join(&mut self) {
        let Some(&last) = self.stretches.last() else { return };
        self.shortest = last.0.div_ceil(Self::MOST as u64 / 2);
        let mut before = 0;
        self.stretches.retain(|&(step, _)| {
            let is_kept = step - before >= self.shortest || step == last.0;
            if is_kept {
                before = step;
            }
            is_kept
        });
    }

    /// Forgets the steps after `step`.
    pub(super) fn go_back(&mut self, step: u64) {
        let kept = self.stretches.partition_point(|&(last, _)| last < step);
        self.stretches.truncate(kept + 1);
        if let Some((last, _)) = self.stretches.last_mut() {
            *last = (*last).min(step);
        }
        self.stretches.retain(|&(last, _)| last > 0);
    }

    /// The rate of a step; `None` after the last one.
    pub fn at(&self, step: u64) -> Option<f64> {
        let place = self.stretches.partition_point(|&(last, _)| last < step);
        self.stretches.get(place).map(|&(_, rate)| rate)
    }

    /// The last steps of stretches with their rates, oldest first.
    pub fn stretches(&self) -> &[(u64, f64)] {
        &self.stretches
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_step_has_the_rate_that_was_noted_for_it_or_after_it() {
        let mut rates = LearningRates::default();
        for (step, rate) in [(100, 0.1), (200, 0.1), (260, 0.05), (260, 0.05), (300, f64::NAN)] {
            rates.push(step, rate);
        }
        assert_eq!(rates.stretches(), [(200, 0.1), (260, 0.05)]);
        assert_eq!(
            [1, 200, 201, 260, 261].map(|step| rates.at(step)),
            [Some(0.1), Some(0.1), Some(0.05), Some(0.05), None]
        );
        rates.go_back(150);
        assert_eq!(rates.stretches(), [(150, 0.1)]);
        rates.push(170, 0.2);
        assert_eq!((rates.at(150), rates.at(151)), (Some(0.1), Some(0.2)));
        rates.go_back(0);
        assert_eq!(rates.stretches(), []);
    }

    #[test]
    fn a_schedule_that_changes_with_every_step_takes_bounded_memory() {
        let mut rates = LearningRates::default();
        (1..=100_000).for_each(|step| rates.push(step, 1.0 / step as f64));
        assert!(rates.stretches().len() <= LearningRates::MOST);
        let found = rates.at(50_000).expect("a rate");
        assert!((found * 50_000.0 - 1.0).abs() < 0.1, "{found}");
        assert_eq!(rates.at(100_000), Some(1e-5));
    }
}
