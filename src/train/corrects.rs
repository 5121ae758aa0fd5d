//! How many images of each batch were recognised.

/// Counts of consecutive steps of the run.
#[derive(Debug, Default)]
pub(super) struct Corrects {
    counts: Vec<u32>,
    /// Steps before the first of them.
    forgotten: u64,
}

impl Corrects {
    /// Takes the count of a step, `None` where the device keeps it to itself. Only counts without a gap
    /// are of use.
    pub(super) fn push(&mut self, step: u64, count: Option<u32>) {
        let follows = self.forgotten + self.counts.len() as u64 + 1 == step;
        let Some(count) = count else { return self.forget(step) };
        if !follows {
            self.forget(step - 1);
        }
        self.counts.push(count);
    }

    /// The images recognised in the `steps` steps up to `step`; `None` if one of them is not known.
    pub(super) fn sum(&self, step: u64, steps: u64) -> Option<u64> {
        let place = |step: u64| usize::try_from(step.checked_sub(self.forgotten)?).ok();
        let counts = self.counts.get(place(step.checked_sub(steps)?)?..place(step)?)?;
        Some(counts.iter().map(|&count| u64::from(count)).sum())
    }

    /// Forgets the counts of the steps after `step`.
    pub(super) fn go_back(&mut self, step: u64) {
        if step < self.forgotten {
            self.forget(step);
        } else {
            self.counts.truncate((step - self.forgotten) as usize);
        }
    }

    /// Forgets the counts up to `step`, which is the last, in a run that nobody goes back in.
    pub(super) fn forget(&mut self, step: u64) {
        self.counts.clear();
        self.forgotten = step;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_is_counted_if_all_its_steps_are() {
        let mut corrects = Corrects::default();
        (1..=6).for_each(|step| corrects.push(step, Some(step as u32)));
        assert_eq!(
            (corrects.sum(6, 3), corrects.sum(3, 3), corrects.sum(7, 3)),
            (Some(15), Some(6), None)
        );
        corrects.go_back(4);
        corrects.push(5, Some(50));
        assert_eq!(corrects.sum(5, 2), Some(54));
        // Resumed elsewhere, the steps before are not known.
        corrects.push(11, Some(1));
        corrects.push(12, Some(2));
        assert_eq!(
            (corrects.sum(12, 2), corrects.sum(12, 3), corrects.sum(5, 2)),
            (Some(3), None, None)
        );
        corrects.push(13, None);
        corrects.push(14, Some(4));
        assert_eq!((corrects.sum(14, 1), corrects.sum(14, 2)), (Some(4), None));
        corrects.go_back(3);
        assert_eq!(corrects.sum(3, 1), None);
    }
}
