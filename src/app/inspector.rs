//! The last step's batch, and which of its images is chosen.

use std::sync::Arc;

use super::Direction;
use crate::protocol::{Inspection, RankedDigit};

/// What the step view shows.
#[derive(Debug, Default)]
pub struct Inspector {
    /// What a step did, as last reported.
    pub inspection: Option<Arc<Inspection>>,
    /// Place of the chosen image in [`Inspection::digits`].
    pub selected: usize,
    /// Place of the chosen parameter in [`Inspection::parameters`].
    pub parameter: usize,
}

impl Inspector {
    /// Images in a row of the view, whatever its width.
    pub const COLUMNS: usize = 5;
    /// Images that a screen up or down passes over.
    const PAGE: usize = 3 * Self::COLUMNS;

    pub(super) fn show(&mut self, inspection: Arc<Inspection>) {
        self.selected = 0;
        self.inspection = Some(inspection);
    }

    /// Drops what a step after this one did, which the run may do in another way.
    pub(super) fn forget_after(&mut self, step: u64) {
        self.inspection.take_if(|inspection| inspection.step > step);
    }

    /// Chooses the parameter below, or the one above.
    pub(super) fn select_parameter(&mut self, below: bool) {
        let parameters = self.inspection.as_ref().map_or(0, |one| one.parameters.len());
        let next = if below { self.parameter + 1 } else { self.parameter.saturating_sub(1) };
        self.parameter = next.min(parameters.saturating_sub(1));
    }

    /// The chosen image.
    pub fn chosen(&self) -> Option<&RankedDigit> {
        self.inspection.as_ref()?.digits.get(self.selected)
    }

    pub(super) fn select(&mut self, direction: Direction) {
        let digits = self.inspection.as_ref().map_or(0, |inspection| inspection.digits.len());
        let last = digits.saturating_sub(1);
        let down = |by: usize| if self.selected + by <= last { self.selected + by } else { last };
        self.selected = match direction {
            Direction::Left => self.selected.saturating_sub(1),
            Direction::Right => down(1),
            // In the first row there is no row above, nor one below in the last.
            Direction::Up => self.selected.checked_sub(Self::COLUMNS).unwrap_or(self.selected),
            Direction::Down if self.selected / Self::COLUMNS == last / Self::COLUMNS => {
                self.selected
            }
            Direction::Down => down(Self::COLUMNS),
            Direction::PageUp => self.selected.saturating_sub(Self::PAGE),
            Direction::PageDown => down(Self::PAGE),
            Direction::Home => 0,
            Direction::End => last,
        };
    }
}
