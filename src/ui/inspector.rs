//! What the last step did: its losses, gradients and updates, and its digits.
//!
//! ```text
//! ┌ step ───────┐ ┌ digits ──────────┐   side by side, or below each other where that is too wide
//! │ parameters  │ │ worst first      │
//! ├ chosen ─────┤ │                  │   with room only
//! └─────────────┘ └──────────────────┘
//! ```

mod batch;
mod parameters;

use ratatui::{
    buffer::Buffer,
    layout::{Constraint, Layout, Rect},
    widgets::Widget,
};

use super::{digits, digits::Digits, theme::Theme};
use crate::app::{self, App};

/// The step view.
#[derive(Debug)]
pub(super) struct Inspector<'a> {
    app: &'a App,
    theme: &'a Theme,
}

/// Columns between the two panes.
const GAP: u16 = 2;
/// Digits in a row.
const COLUMNS: u16 = app::Inspector::COLUMNS as u16;

impl<'a> Inspector<'a> {
    pub(super) fn new(app: &'a App, theme: &'a Theme) -> Self {
        Self { app, theme }
    }
}

impl Widget for &Inspector<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let Some(inspection) = self.app.inspection() else {
            return Digits::new(self.app, self.theme).render(area, buf);
        };
        let parameters = parameters::Parameters::new(inspection, self.app, self.theme);
        let selected = self.app.inspector.selected;
        let batch = batch::Batch::new(inspection, selected, self.app, self.theme);
        let beside = [COLUMNS * digits::LARGE_COLUMNS, COLUMNS * (digits::SMALL_COLUMNS + 1) - 1]
            .map(|digits| digits + GAP)
            .into_iter()
            .find(|taken| area.width >= taken + parameters::LEAST_COLUMNS);
        let rows = parameters.rows();
        let Some(taken) = beside else {
            // Of a long table only a part is shown.
            let rows = rows.min((area.height / 2).max(parameters::LEAST_ROWS));
            let [top, bottom] =
                Layout::vertical([Constraint::Length(rows), Constraint::Fill(1)]).areas(area);
            parameters.render(top, buf);
            return batch.render(bottom, buf);
        };
        let [left, right] =
            Layout::horizontal([Constraint::Fill(1), Constraint::Length(taken - GAP)])
                .spacing(GAP)
                .areas(area);
        // Above the chosen image there is room for a part of a long table.
        let part = left.height.saturating_sub(digits::LARGE_ROWS + 3);
        let rows = if part < parameters::LEAST_ROWS { rows } else { rows.min(part) };
        let [top, bottom] = Layout::vertical([Constraint::Length(rows), Constraint::Fill(1)])
            .spacing(1)
            .areas(left);
        parameters.render(top, buf);
        batch.render_chosen(bottom, buf);
        batch.render(right, buf);
    }
}
