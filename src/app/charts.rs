//! How the charts are shown: which steps, on which axis.

use super::{
    App,
    curves::{Range, Sight, Values},
};

/// What a person has chosen for the charts.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Charts {
    /// Which steps they show.
    pub range: Range,
    /// Whether their value axes are logarithmic, where a person has decided that.
    log: Option<bool>,
}

impl App {
    /// The steps that the charts show.
    pub fn sight(&self) -> Sight {
        self.curves.sight(self.charts.range)
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
}
