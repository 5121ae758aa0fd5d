//! The step that a person reads, through all charts.

use ratatui::{buffer::Buffer, style::Modifier};

use super::Chart;
use crate::ui::theme::Theme;

impl Chart {
    /// Draws a line through a step, and inverts the cells of curves that it crosses.
    pub(in crate::ui) fn draw_crosshair(&self, buf: &mut Buffer, step: u64, theme: &Theme) {
        if !self.shows(step) {
            return;
        }
        let x = self.plot.x + (self.column(step) / 2) as u16;
        for y in self.plot.y..self.plot.bottom() {
            let Some(cell) = buf.cell_mut((x, y)) else { continue };
            if matches!(cell.symbol(), "▀" | "▄") {
                cell.bg = cell.fg;
            }
            if matches!(cell.symbol(), "▀" | "▄" | " " | "░") {
                cell.set_symbol("│").set_style(theme.accent);
            } else {
                cell.modifier.insert(Modifier::REVERSED);
            }
        }
    }

    /// A step that a column of cells shows.
    pub(in crate::ui) fn step_at(&self, column: u16) -> Option<u64> {
        let place = column.checked_sub(self.plot.x).filter(|&place| place < self.plot.width)?;
        Some(self.steps(2 * u32::from(place)).1)
    }
}
