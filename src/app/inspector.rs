//! A step's effects, and the chosen image of its batch.

use std::sync::Arc;

use super::{Direction, Held, Tiles};
use crate::protocol::{Inspection, RankedDigit};

/// Seconds that a batch's images stay while training. Figures change more often, but images take many
/// more bytes.
const BATCH_DWELL: f64 = 3.0;

/// State of the step view.
#[derive(Debug)]
pub struct Inspector {
    /// The last step that was reported.
    pub inspection: Option<Arc<Inspection>>,
    /// The one whose images are shown.
    batch: Held<Arc<Inspection>>,
    /// Place of the chosen image in [`Inspection::digits`].
    pub selected: usize,
    /// Place of the chosen parameter in [`Inspection::parameters`].
    pub parameter: usize,
}

impl Default for Inspector {
    fn default() -> Self {
        Self { inspection: None, batch: Held::new(BATCH_DWELL), selected: 0, parameter: 0 }
    }
}

impl Inspector {
    pub(super) fn show(&mut self, inspection: Arc<Inspection>) {
        self.batch.offer(Arc::clone(&inspection));
        self.inspection = Some(inspection);
    }

    /// Switches to the newest images once those shown have been up long enough, or `at_once`, and then
    /// selects the worst.
    pub(super) fn refresh(&mut self, now: f64, at_once: bool) {
        let before = self.batch().map(|batch| batch.step);
        self.batch.refresh(now, at_once);
        if at_once && self.batch().map(|batch| batch.step) != before {
            self.selected = 0;
        }
    }

    /// The step whose images are shown.
    pub fn batch(&self) -> Option<&Inspection> {
        self.batch.shown().map(AsRef::as_ref)
    }

    /// Drops what a step after this one did, which the run may do in another way.
    pub(super) fn forget_after(&mut self, step: u64) {
        self.inspection.take_if(|inspection| inspection.step > step);
        if self.batch().is_some_and(|batch| batch.step > step) {
            self.batch = Held::new(BATCH_DWELL);
            if let Some(inspection) = &self.inspection {
                self.batch.offer(Arc::clone(inspection));
            }
        }
    }

    /// Chooses the parameter below, or the one above.
    pub(super) fn select_parameter(&mut self, below: bool) {
        let parameters = self.inspection.as_ref().map_or(0, |one| one.parameters.len());
        let next = if below { self.parameter + 1 } else { self.parameter.saturating_sub(1) };
        self.parameter = next.min(parameters.saturating_sub(1));
    }

    /// The chosen image.
    pub fn chosen(&self) -> Option<&RankedDigit> {
        self.batch()?.digits.get(self.selected)
    }

    pub(super) fn select(&mut self, direction: Direction, tiles: Tiles) {
        let digits = self.batch().map_or(0, |batch| batch.digits.len());
        self.selected = tiles.moved(self.selected, digits, direction);
    }
}
