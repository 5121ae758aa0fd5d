//! Bars that end between columns.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use super::table;

/// Draws a share of a row, whose end moves by eighths of a column.
pub(super) fn draw(row: Rect, buf: &mut Buffer, share: f64, style: Style) {
    let eighths = (share.clamp(0.0, 1.0) * 8.0 * f64::from(row.width)).round() as u16;
    draw_eighths(row, buf, eighths, style);
}

/// The same, with any share above 0 visible.
pub(super) fn draw_visibly(row: Rect, buf: &mut Buffer, share: f64, style: Style) {
    let eighths = (share.clamp(0.0, 1.0) * 8.0 * f64::from(row.width)).round() as u16;
    draw_eighths(row, buf, eighths.max(u16::from(share > 0.0)), style);
}

fn draw_eighths(row: Rect, buf: &mut Buffer, eighths: u16, style: Style) {
    const EIGHTHS: [&str; 8] = [" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    for column in 0..row.width {
        let symbol = match eighths.saturating_sub(8 * column) {
            0 => break,
            rest @ 1..8 => EIGHTHS[usize::from(rest)],
            _ => "█",
        };
        table::left(buf, row.x + column, row.y, symbol, 1, style);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_that_is_too_small_for_a_sign_is_seen_where_that_is_wanted() {
        let area = Rect::new(0, 0, 4, 1);
        let drawn = |draw: fn(Rect, &mut Buffer, f64, Style), share| {
            let mut buf = Buffer::empty(area);
            draw(area, &mut buf, share, Style::new());
            (0..4).map(|x| buf[(x, 0)].symbol()).collect::<String>()
        };
        assert_eq!([0.0, 1e-4].map(|share| drawn(draw, share)), ["    ", "    "]);
        assert_eq!([0.0, 1e-4].map(|share| drawn(draw_visibly, share)), ["    ", "▏   "]);
        assert_eq!([0.625, 9.0].map(|share| drawn(draw, share)), ["██▌ ", "████"]);
    }
}
