//! The range of values in each column, filled.

use ratatui::{buffer::Buffer, style::Style};

use super::Chart;
use crate::ui::theme::Theme;

impl Chart {
    /// Fills each column of cells between the lowest and the highest value that `range` gives for its
    /// steps, to half a row. Curves are drawn on it afterwards.
    pub(in crate::ui) fn fill(
        &self,
        buf: &mut Buffer,
        theme: &Theme,
        range: impl Fn(u64, u64) -> Option<(f64, f64)>,
    ) {
        for column in 0..self.plot.width {
            let left = 2 * u32::from(column);
            let (from, to) = (self.steps(left).0, self.steps(left + 1).1);
            let rows = range(from, to).and_then(|(low, high)| self.row(high).zip(self.row(low)));
            let Some((top, bottom)) = rows else { continue };
            // Halves of a row, both included.
            let (top, bottom) = ((top / 2) as u16, (bottom / 2) as u16);
            for row in top / 2..=bottom / 2 {
                let (upper, lower) = (2 * row >= top, 2 * row < bottom);
                let position = (self.plot.x + column, self.plot.y + row);
                let Some(cell) = buf.cell_mut(position) else { continue };
                match (theme.band_ground(), upper, lower) {
                    (None, ..) => cell.set_symbol("░").set_style(theme.band),
                    (Some(ground), true, true) => cell.set_symbol(" ").set_bg(ground),
                    (Some(ground), true, false) => cell.set_symbol("▀").set_fg(ground),
                    (Some(ground), false, _) => cell.set_symbol("▄").set_fg(ground),
                };
            }
        }
    }
}

/// A sample of a filled range, for a legend.
pub(in crate::ui) fn sample(theme: &Theme) -> (&'static str, Style) {
    match theme.band_ground() {
        Some(ground) => (" ", Style::new().bg(ground)),
        None => ("░", theme.band),
    }
}
