//! The difference of two confusion matrices.

use crate::metrics::Confusion;

/// How many images more or fewer each true class was predicted as each class by a second network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    classes: usize,
    counts: Vec<(u32, u32)>,
}

/// A cell that differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// True class.
    pub truth: usize,
    /// Predicted class.
    pub predicted: usize,
    /// The count of the first network.
    pub before: u32,
    /// The count of the second.
    pub after: u32,
}

impl Change {
    /// The second count less the first.
    pub fn delta(self) -> i64 {
        i64::from(self.after) - i64::from(self.before)
    }

    /// Whether the second network does better in this cell: more hits or fewer errors.
    pub fn is_better(self) -> bool {
        (self.delta() > 0) == (self.truth == self.predicted)
    }
}

impl Difference {
    /// The second matrix less the first.
    pub fn between(before: &Confusion, after: &Confusion) -> Self {
        let classes = before.classes().max(after.classes());
        let cells = (0..classes * classes).map(|cell| (cell / classes, cell % classes));
        let counts = cells.map(|(truth, predicted)| {
            (before.count(truth, predicted), after.count(truth, predicted))
        });
        Self { classes, counts: counts.collect() }
    }

    /// Rows and columns.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// The cell of a true and a predicted class.
    ///
    /// # Panics
    /// If a class is not below [`classes`](Self::classes).
    pub fn change(&self, truth: usize, predicted: usize) -> Change {
        let (before, after) = self.counts[truth * self.classes + predicted];
        Change { truth, predicted, before, after }
    }

    /// The errors that differ, the largest difference first.
    pub fn errors(&self) -> Vec<Change> {
        let cells = (0..self.counts.len()).map(|cell| (cell / self.classes, cell % self.classes));
        let mut errors: Vec<Change> = cells
            .filter(|(truth, predicted)| truth != predicted)
            .map(|(truth, predicted)| self.change(truth, predicted))
            .filter(|change| change.delta() != 0)
            .collect();
        errors.sort_by_key(|change| std::cmp::Reverse(change.delta().abs()));
        errors
    }
}
