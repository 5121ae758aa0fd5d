//! Cells of text set one by one, for tables whose columns must not move.

use ratatui::{buffer::Buffer, style::Style};

/// Writes `text` so that it ends just before column `right`.
pub(super) fn right(buf: &mut Buffer, right: u16, y: u16, text: &str, style: Style) {
    let width = text.chars().count() as u16;
    let x = right.saturating_sub(width);
    if buf.area.contains((x, y).into()) {
        buf.set_stringn(x, y, text, usize::from(width), style);
    }
}

/// Writes `text` from column `x` on, up to `width` columns.
pub(super) fn left(buf: &mut Buffer, x: u16, y: u16, text: &str, width: u16, style: Style) {
    if buf.area.contains((x, y).into()) {
        buf.set_stringn(x, y, text, usize::from(width), style);
    }
}
