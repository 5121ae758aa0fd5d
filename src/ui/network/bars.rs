//! Bars and figures of logits and probabilities.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use super::super::table;

/// A logit in at most six characters.
pub(super) fn number(logit: f32) -> String {
    let text = match logit.abs() {
        // Bounds are those of the rounded value.
        v if v < 99.995 => format!("{logit:.2}"),
        v if v < 99_999.5 => format!("{logit:.0}"),
        v if v.is_finite() => format!("{logit:.0e}"),
        _ => logit.to_string(),
    };
    text.replace('-', "−")
}

/// A bar of a share of the row from the right, whose end moves by half columns.
pub(super) fn draw_left(row: Rect, buf: &mut Buffer, share: f32, style: Style) {
    let halves = (share.clamp(0.0, 1.0) * 2.0 * f32::from(row.width)).round() as u16;
    for column in 0..row.width {
        let symbol = match halves.saturating_sub(2 * column) {
            0 => break,
            1 => "▐",
            _ => "█",
        };
        table::left(buf, row.right() - 1 - column, row.y, symbol, 1, style);
    }
}
