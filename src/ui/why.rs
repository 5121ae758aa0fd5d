//! Explanations of what the network does: the why view, and panes for other views.

mod arithmetic;
mod calibration;
mod distributions;
mod heat;
mod landscape;
mod projection;
pub(in crate::ui) mod symbols;

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
    widgets::Widget,
};

use super::{format, pane, theme::Theme};
use crate::app::{App, Tab, View};

pub(super) use arithmetic::Pane as Arithmetic;
pub(super) use calibration::Calibration;
pub(super) use distributions::tiles;
pub(super) use heat::{Heat, above, explain_pixels};
pub(super) use projection::point_at;

/// Rows of an area that is too low for an explanation.
const LEAST_ROWS: u16 = 2;

/// The view of explanations.
#[derive(Debug)]
pub(super) struct Why<'a> {
    app: &'a App,
    theme: &'a Theme,
}

impl<'a> Why<'a> {
    pub(super) fn new(app: &'a App, theme: &'a Theme) -> Self {
        Self { app, theme }
    }
}

impl Widget for &Why<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        match self.app.why.tab {
            Tab::Projection => {
                projection::Pane { app: self.app, theme: self.theme }.render(area, buf);
            }
            Tab::Distributions => {
                distributions::Pane { app: self.app, theme: self.theme }.render(area, buf);
            }
            Tab::Landscape => {
                landscape::Pane { app: self.app, theme: self.theme }.render(area, buf);
            }
        }
    }
}

/// The tabs, of which one is shown.
fn tabs(app: &App, theme: &Theme) -> Line<'static> {
    let mut line = Line::default();
    for tab in Tab::ALL {
        let style = if tab == app.why.tab { theme.accent } else { theme.muted };
        line.push_span(Span::styled(tab.name(), style));
        line.push_span(" ");
    }
    line.push_span(Span::styled("a", theme.key));
    line
}

/// Writes one line of explanation at the bottom of an area, in the first wording that fits, and gives the
/// rest of the area.
fn explained(area: Rect, buf: &mut Buffer, theme: &Theme, wordings: &[&str]) -> Rect {
    let Some(row) = area.rows().next_back().filter(|_| area.height > LEAST_ROWS) else {
        return area;
    };
    let width = usize::from(area.width);
    let fits = |wording: &&&str| wording.chars().count() <= width;
    let text = wordings.iter().find(fits).or(wordings.last()).copied().unwrap_or_default();
    Line::styled(format::cut(text, width), theme.muted).render(row, buf);
    Rect { height: area.height - 1, ..area }
}

/// Says in a pane with a title why it is empty.
fn empty(area: Rect, buf: &mut Buffer, app: &App, theme: &Theme, title: &str, waits_for: &str) {
    let notes = if app.view == View::Why { [tabs(app, theme)] } else { [Line::default()] };
    let inner = pane::titled(area, buf, theme, title, notes);
    let reason = match app.why.answer().map(|answer| &answer.content) {
        Some(crate::protocol::Content::Nothing(reason)) => reason,
        // Nothing is computed for the landscape before it is asked for.
        _ if app.looks_on && (app.view != View::Why || app.why.tab != Tab::Landscape) => {
            "This appears once the run has saved a checkpoint."
        }
        _ if app.run.failure.is_some() && !app.looks_on => {
            "The run has failed; its network is no longer available."
        }
        _ => waits_for,
    };
    pane::empty(inner, buf, theme, reason);
}
