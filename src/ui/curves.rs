//! The loss view: charts over the same steps, above each other.

use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
    widgets::Widget,
};

use super::{
    error_rate::ErrorRate, layout, loss::Loss, readout::Readout, strips::Strips, theme::Theme,
};
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
        let (app, theme, panes) = (self.app, self.theme, layout::curves(area));
        let has_strips = !panes.strips.is_empty();
        loss(app, theme, &panes).render(panes.loss, buf);
        if let Some(area) = panes.error {
            ErrorRate::new(app, theme).above_strips(has_strips).render(area, buf);
        }
        Strips::new(app, theme).render(panes.strips, buf);
        Readout::new(app, theme).render(panes.readout, buf);
    }
}

fn loss<'a>(app: &'a App, theme: &'a Theme, panes: &layout::Curves) -> Loss<'a> {
    let loss = Loss::new(app, theme).with_steps(panes.error.is_none());
    loss.above_strips(!panes.strips.is_empty())
}

/// The step that a place of the loss view shows; `None` beside the charts.
pub(super) fn step_at(app: &App, theme: &Theme, body: Rect, at: Position) -> Option<u64> {
    let panes = layout::curves(body);
    // All charts have the same columns.
    let charts = [Some(panes.loss), panes.error, Some(panes.strips)];
    let is_chart = charts.into_iter().flatten().any(|area| area.contains(at));
    is_chart.then(|| loss(app, theme, &panes).step_at(panes.loss, at.x))?
}
