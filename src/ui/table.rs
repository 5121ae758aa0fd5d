//! Cells of text set one by one, for tables whose columns must not move.

use ratatui::{buffer::Buffer, style::Style, text::Span};

/// Columns that `text` takes.
pub(super) fn width(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { Span::raw(text).width() }
}

/// `text` with blanks up to `columns`.
pub(super) fn padded(mut text: String, columns: usize) -> String {
    text.extend(std::iter::repeat_n(' ', columns.saturating_sub(width(&text))));
    text
}

/// Writes `text` so that it ends just before column `right`.
pub(super) fn right(buf: &mut Buffer, right: u16, y: u16, text: &str, style: Style) {
    let width = width(text);
    let x = right.saturating_sub(width as u16);
    if buf.area.contains((x, y).into()) {
        buf.set_stringn(x, y, text, width, style);
    }
}

/// Writes `text` from column `x` on, up to `width` columns.
pub(super) fn left(buf: &mut Buffer, x: u16, y: u16, text: &str, width: u16, style: Style) {
    if buf.area.contains((x, y).into()) {
        buf.set_stringn(x, y, text, usize::from(width), style);
    }
}
