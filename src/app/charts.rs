//! How the charts are shown: which steps, on which axis, and the step under the crosshair.

mod crosshair;

use super::{
    App,
    curves::{Range, Sight, Values},
};

/// What a person has chosen for the charts.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Charts {
    /// Which steps they show, where nobody has zoomed in.
    pub range: Range,
    /// Whether their value axes are logarithmic, where a person has decided that.
    log: Option<bool>,
    /// The step that a person reads.
    crosshair: Option<u64>,
    /// First and last step in sight, where a person has zoomed in.
    zoom: Option<(u64, u64)>,
}

impl App {
    /// The steps that the charts show. In the overview that is never a part that was zoomed in on.
    pub fn sight(&self) -> Sight {
        let zoom = self.charts.zoom.filter(|_| self.view.has_crosshair());
        zoom.map_or_else(
            || self.curves.sight(self.charts.range),
            |(from, to)| Sight::zoomed(from, to),
        )
    }

    /// Whether the axis of the loss is logarithmic: where `values` are wide, unless a person has decided.
    pub fn loss_is_log(&self, values: &Values) -> bool {
        self.charts.log.unwrap_or_else(|| values.are_wide())
    }

    /// Whether the axis of the error is logarithmic.
    pub fn error_is_log(&self) -> bool {
        self.charts.log.unwrap_or(true)
    }

    /// Whether a person has decided for one kind of axis.
    pub fn axis_is_chosen(&self) -> bool {
        self.charts.log.is_some()
    }

    /// Changes between the axis that fits the loss and the other one.
    pub(super) fn toggle_log_scale(&mut self) {
        let values = self.curves.values(&self.sight());
        let (fitting, shown) = (values.are_wide(), self.loss_is_log(&values));
        self.charts.log = Some(!shown).filter(|&log| log != fitting);
    }

    /// Shows the next range of steps, as a whole.
    pub(super) fn next_range(&mut self) {
        self.charts.range = self.charts.range.next();
        self.charts.zoom = None;
    }
}
