//! What lies over the panes: keys, questions, failures.

use ratatui::{
    buffer::Buffer,
    layout::{Constraint, Layout, Rect},
    style::Style,
    text::{Line, Span},
    widgets::{Block, BorderType, Clear, Paragraph, Widget},
};

use super::{format, pane, theme::Theme};
use crate::{
    app::{App, Overlay},
    keymap::{BINDINGS, Binding, Group},
};

/// Draws an overlay in the middle of `area`.
pub(super) fn render(overlay: Overlay, app: &App, theme: &Theme, area: Rect, buf: &mut Buffer) {
    match overlay {
        Overlay::Help => help(theme, area, buf),
        Overlay::Breakpoints => {}
        Overlay::ConfirmQuit => confirm_quit(app, theme, area, buf),
        Overlay::Failure => failure(app, theme, area, buf),
    }
}

/// A cleared, framed block of at most this size inside; gives the inside.
fn framed(
    area: Rect,
    buf: &mut Buffer,
    title: &str,
    style: Style,
    (width, height): (u16, u16),
) -> Rect {
    let place = pane::middle(area, width + 4, height + 2);
    let block = Block::bordered()
        .border_type(BorderType::Rounded)
        .border_style(style)
        .title(Line::styled(format!(" {title} "), style));
    Clear.render(place, buf);
    let inner = block.inner(place);
    block.render(place, buf);
    Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner }
}

fn binding_line(binding: &Binding, keys_width: usize, theme: &Theme) -> Line<'static> {
    let keys: Vec<String> = binding.keys.iter().map(|key| key.name()).collect();
    let keys = keys.join(" ");
    Line::from(vec![
        Span::styled(format!("{keys:<keys_width$}  "), theme.key),
        Span::styled(binding.help, Style::new()),
    ])
}

fn group_lines(group: Group, theme: &Theme) -> Vec<Line<'static>> {
    let of_group = BINDINGS.iter().filter(|binding| binding.group == group);
    let mut lines = vec![Line::styled(group.name(), theme.accent)];
    lines.extend(of_group.map(|binding| binding_line(binding, 10, theme)));
    lines
}

/// Keys and their short names in two columns, for small screens.
fn short_help(theme: &Theme, area: Rect, buf: &mut Buffer) {
    let rows = BINDINGS.len().div_ceil(2) as u16;
    let inner = framed(area, buf, "Keys", theme.accent, (2 * SHORT_HELP, rows));
    for (place, binding) in BINDINGS.iter().enumerate() {
        let (column, row) = (place as u16 / rows, place as u16 % rows);
        let key = binding.keys.first().map_or_else(String::new, |key| key.name());
        let line = Line::from(vec![
            Span::styled(key, theme.key),
            Span::styled(format!(" {}", binding.short), theme.muted),
        ]);
        let place = Rect {
            x: inner.x + column * SHORT_HELP,
            y: inner.y + row,
            width: SHORT_HELP,
            height: 1,
        };
        line.render(place.intersection(inner), buf);
    }
}

/// Columns for a key and its short name.
const SHORT_HELP: u16 = 18;

fn help(theme: &Theme, area: Rect, buf: &mut Buffer) {
    let groups: Vec<Vec<Line<'static>>> =
        Group::ALL.into_iter().map(|group| group_lines(group, theme)).collect();
    let lines = groups.iter().map(Vec::len).sum::<usize>() as u16;
    let gaps = groups.len() as u16 - 1;
    let width = groups.iter().flatten().map(Line::width).max().unwrap_or(0) as u16;
    if lines + 2 > area.height || width + 4 > area.width {
        return short_help(theme, area, buf);
    }
    // Gaps between the groups go first where rows are short.
    let gap = u16::from(lines + gaps + 2 <= area.height);
    let inner = framed(area, buf, "Keys", theme.accent, (width, lines + gap * gaps));
    let heights = groups.iter().map(|lines| Constraint::Length(lines.len() as u16));
    let places = Layout::vertical(heights).spacing(gap).split(inner);
    for (lines, place) in groups.into_iter().zip(places.iter()) {
        Paragraph::new(lines).render(*place, buf);
    }
}

fn confirm_quit(app: &App, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let saves = app.run.saves();
    let text = if saves {
        "Training is under way. End it, save the weights and leave?"
    } else {
        "Training is under way. End it and leave? Nothing is saved without --save."
    };
    let width = 44.min(area.width.saturating_sub(4));
    let mut lines: Vec<Line<'_>> =
        format::wrap(text, usize::from(width)).into_iter().map(Line::raw).collect();
    lines.push(Line::raw(""));
    lines.push(Line::from(vec![
        Span::styled("y", theme.key),
        Span::styled(" yes, leave   ", theme.muted),
        Span::styled("n", theme.key),
        Span::styled(" no, train on", theme.muted),
    ]));
    let inner = framed(area, buf, "Quit?", theme.alert, (width, lines.len() as u16));
    Paragraph::new(lines).render(inner, buf);
}

fn failure(app: &App, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let Some(failure) = &app.run.failure else { return };
    let width = 64.min(area.width.saturating_sub(4));
    let lines: Vec<Line<'_>> =
        format::wrap(&failure.message, usize::from(width)).into_iter().map(Line::raw).collect();
    let inner = framed(area, buf, "Training failed", theme.alert, (width, lines.len() as u16));
    Paragraph::new(lines).render(inner, buf);
}
