//! The settings that differ, each value with the runs that have it.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
    widgets::Widget,
};

use super::{letter, named};
use crate::{
    compare::Browser,
    ui::{format, pane, table, theme::Theme},
};

/// Columns of an option's name.
const OPTION: usize = 18;
/// Columns that a value has at least.
const VALUE: usize = 10;

pub(super) fn render(browser: &Browser, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let inner = pane::titled(area, buf, theme, "Settings that differ", [Line::default()]);
    let lines = lines(browser, theme, inner.width);
    let last = lines.len().saturating_sub(usize::from(inner.height));
    for (row, line) in inner.rows().zip(lines.into_iter().skip(browser.top.min(last))) {
        line.render(row, buf);
    }
}

/// Rows shown, and rows in all.
pub(super) fn rows(browser: &Browser, theme: &Theme, area: Rect) -> (usize, usize) {
    (usize::from(area.height.saturating_sub(1)), lines(browser, theme, area.width).len())
}

fn lines(browser: &Browser, theme: &Theme, width: u16) -> Vec<Line<'static>> {
    let comparison = &browser.comparison;
    let width = usize::from(width);
    let mut lines = Vec::new();
    let settings = comparison.settings();
    let groups = 2 * comparison.runs.len();
    let room = width.saturating_sub(OPTION + groups + 1).max(VALUE);
    for setting in &settings {
        for (place, (letters, value)) in setting.groups().into_iter().enumerate() {
            let option = if place == 0 { setting.option.as_str() } else { "" };
            for (piece, text) in format::wrap(value, room).into_iter().enumerate() {
                let option = if piece == 0 { option } else { "" };
                let mut line = Line::from(Span::raw(table::padded(option.to_owned(), OPTION)));
                let mut used = 0;
                for run in letters.split(' ').filter(|_| piece == 0) {
                    let run = usize::from(run.as_bytes()[0] - b'A');
                    line.push_span(letter(theme, run));
                    line.push_span(Span::raw(" "));
                    used += 2;
                }
                line.push_span(Span::raw(table::padded(String::new(), groups + 1 - used)));
                line.push_span(Span::styled(text, theme.figure));
                lines.push(line);
            }
        }
    }
    if settings.is_empty() {
        lines.push(Line::styled("The runs have the same settings.", theme.muted));
    }
    lines.push(Line::default());
    for run in 0..comparison.runs.len() {
        lines.push(Line::from(named(browser, theme, run, width).to_vec()));
    }
    for note in comparison.notes() {
        lines.push(Line::default());
        let wrapped = format::wrap(&note, width.min(100)).into_iter();
        lines.extend(wrapped.map(|line| Line::styled(line, theme.muted)));
    }
    lines
}
