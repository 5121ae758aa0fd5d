//! The cell chosen in the confusion matrix, and the images of a cell or of all, hardest first.

use super::Direction;
use crate::protocol::{EpochRecord, Found, Query};

/// What the confusion and mistakes views show beside the matrix itself.
#[derive(Debug, Default)]
pub struct Mistakes {
    /// True and predicted class of the chosen cell.
    pub cursor: (u8, u8),
    /// The cell whose images are shown; all images otherwise.
    pub cell: Option<(u8, u8)>,
    /// The newest answer.
    pub found: Option<Found>,
    /// Place of the chosen image among those found.
    pub selected: usize,
}

impl Mistakes {
    /// What the mistakes view wants to know of an evaluation.
    pub(super) fn query(&self, record: &EpochRecord) -> Query {
        Query { step: record.step, set: record.evaluation.set, cell: self.cell }
    }

    pub(super) fn show(&mut self, found: Found) {
        self.found = Some(found);
    }

    pub(super) fn move_cursor(&mut self, direction: Direction) {
        let _ = direction;
    }

    pub(super) fn select(&mut self, direction: Direction) {
        let _ = direction;
    }
}
