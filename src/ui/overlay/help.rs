//! The keys that mean something in the view shown.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Style,
    text::{Line, Span},
    widgets::Widget,
};

use super::{Theme, framed};
use crate::{
    app::{App, Focus},
    keymap::{self, BINDINGS, Binding, Group},
};

/// Columns between two columns of keys.
const GAP: u16 = 3;
/// The order in which groups fill the columns.
const ORDER: [Group; 4] = [Group::Training, Group::View, Group::Choice, Group::Program];

/// The keys, on as many pages as they need.
pub(super) fn render(app: &App, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let focus = if app.crosshair().is_some() { Focus::Crosshair } else { Focus::View(app.view) };
    let mut groups: Vec<_> =
        ORDER.into_iter().map(|group| group_lines(group, focus, app, theme)).collect();
    // A heading alone says nothing.
    groups.retain(|lines| lines.len() > 1);
    let (width, height) = (area.width.saturating_sub(4), area.height.saturating_sub(2));
    let columns = arrange(&groups, width, height);
    let pages = paged(&columns, width);
    let page = app.help_page % pages.len().max(1);
    let Some(shown) = pages.get(page) else { return };
    let rows = columns.iter().map(Vec::len).max().unwrap_or(0) as u16;
    let widths: Vec<u16> = shown.iter().map(column_width).collect();
    let all = widths.iter().sum::<u16>() + GAP * (widths.len() as u16).saturating_sub(1);
    let title = match pages.len() {
        1 => "Keys".to_owned(),
        all => format!("Keys · page {} of {all}, ↓ turns", page + 1),
    };
    let inner = framed(area, buf, &title, theme.accent, (all.min(width), rows.min(height)));
    let mut x = inner.x;
    for (column, width) in shown.iter().zip(widths) {
        for (line, y) in column.iter().zip(inner.y..inner.bottom()) {
            line.render(Rect { x, y, width, height: 1 }.intersection(inner), buf);
        }
        x = x.saturating_add(width + GAP);
    }
}

/// A group's heading and keys; neighbours with the same help in one line.
fn group_lines(group: Group, focus: Focus, app: &App, theme: &Theme) -> Column {
    let mut rows: Vec<(String, &'static str)> = Vec::new();
    let offered = |binding: &&Binding| binding.group == group && app.offers(binding.action);
    for binding in BINDINGS.iter().filter(offered) {
        let keys: Vec<String> =
            keymap::keys_in(binding, focus).into_iter().map(keymap::Key::name).collect();
        if keys.is_empty() {
            continue;
        }
        let keys = keys.join(" ");
        match rows.last_mut().filter(|(_, help)| *help == binding.help) {
            Some((before, _)) => {
                // The digits of the views would make the widest column with blanks between them.
                let are_digits = [before.as_str(), &keys].iter().all(|text| is_digits(text));
                *before += if are_digits { "" } else { " " };
                *before += &keys;
            }
            None => rows.push((keys, binding.help)),
        }
    }
    let width = rows.iter().map(|(keys, _)| keys.chars().count()).max().unwrap_or(0);
    let mut lines = vec![Line::styled(group.name(), theme.accent)];
    lines.extend(rows.into_iter().map(|(keys, help)| {
        let keys = Span::styled(format!("{keys:<width$}  "), theme.key);
        Line::from(vec![keys, Span::styled(help, Style::new())])
    }));
    lines
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

type Column = Vec<Line<'static>>;

fn column_width(column: &Column) -> u16 {
    column.iter().map(Line::width).max().unwrap_or(0) as u16
}

/// Rows of a column that is still easy to look through.
const EASY: u16 = 22;

/// The groups below each other in columns of at most `height` rows: of fewer, and with a row between
/// the groups, if all then still fit side by side.
fn arrange(groups: &[Column], width: u16, height: u16) -> Vec<Column> {
    let easy = height.min(EASY);
    let mut ways = [(easy, true), (easy, false), (height, true)]
        .map(|(rows, spaced)| stacked(groups, rows, spaced))
        .into_iter();
    ways.find(|columns| paged(columns, width).len() <= 1)
        .unwrap_or_else(|| stacked(groups, height, false))
}

fn stacked(groups: &[Column], height: u16, spaced: bool) -> Vec<Column> {
    let height = usize::from(height.max(1));
    let mut columns: Vec<Column> = vec![Vec::new()];
    for group in groups {
        let used = columns.last().map_or(0, Vec::len);
        let gap = usize::from(spaced && used > 0);
        // A group that fits into no column is broken; others stay whole.
        if used > 0 && used + gap + group.len() > height {
            columns.push(Vec::new());
        } else if let (Some(column), 1) = (columns.last_mut(), gap) {
            column.push(Line::default());
        }
        for line in group {
            if columns.last().is_none_or(|column| column.len() == height) {
                columns.push(Vec::new());
            }
            if let Some(column) = columns.last_mut() {
                column.push(line.clone());
            }
        }
    }
    columns
}

/// As many columns a page as fit side by side, at least one.
fn paged(columns: &[Column], width: u16) -> Vec<&[Column]> {
    let mut pages = Vec::new();
    let (mut from, mut used) = (0, 0);
    for (place, column) in columns.iter().enumerate() {
        let needed = column_width(column);
        let gap = if place > from { GAP } else { 0 };
        if place > from && used + gap + needed > width {
            pages.push(&columns[from..place]);
            (from, used) = (place, needed);
        } else {
            used += gap + needed;
        }
    }
    pages.push(&columns[from..]);
    pages
}
