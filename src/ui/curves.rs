//! The loss view: charts over the same steps, above each other.

use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
    widgets::Widget,
};

use super::{error_rate::ErrorRate, layout, loss::Loss, readout::Readout, theme::Theme};
use crate::app::App;

/// The loss view.
#[derive(Debug)]
pub(super) struct Curves<'a> {
    app: &'a App,
    theme: &'a Theme,
}

impl<'a> Curves<'a> {
    pub(super) fn new(app: &'a App, theme: &'a Theme) -> Self {
        Self { app, theme }
    }
}

impl Widget for &Curves<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let panes = layout::curves(area);
        let loss = Loss::new(self.app, self.theme).with_steps(panes.error.is_none());
        loss.render(panes.loss, buf);
        if let Some(area) = panes.error {
            ErrorRate::new(self.app, self.theme).render(area, buf);
        }
        Readout::new(self.app, self.theme).render(panes.readout, buf);
    }
}

/// The step that a place of the loss view shows; `None` beside the charts.
pub(super) fn step_at(app: &App, theme: &Theme, body: Rect, at: Position) -> Option<u64> {
    let panes = layout::curves(body);
    // All charts have the same columns.
    let is_chart = panes.loss.contains(at) || panes.error.is_some_and(|area| area.contains(at));
    is_chart.then(|| Loss::new(app, theme).step_at(panes.loss, at.x))?
}
