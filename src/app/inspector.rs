//! The last step's batch, and which of its images is chosen.

use super::Direction;
use crate::protocol::Inspection;

/// What the step view shows.
#[derive(Debug, Default)]
pub struct Inspector {
    /// What the last step did; `None` while training runs.
    pub inspection: Option<Inspection>,
    /// Place of the chosen image in [`Inspection::digits`].
    pub selected: usize,
}

impl Inspector {
    pub(super) fn show(&mut self, inspection: Inspection) {
        self.selected = 0;
        self.inspection = Some(inspection);
    }

    pub(super) fn select(&mut self, direction: Direction) {
        let _ = direction;
    }
}
