//! Dots in braille characters, two by four to a cell, in layers.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

/// A grid of dots over a block of cells.
///
/// Each cell shows the dots of its topmost layer, since a cell has one colour.
#[derive(Debug)]
pub(super) struct Raster {
    width: u16,
    height: u16,
    cells: Vec<(u8, u8)>,
}

/// Bits of a braille pattern by row and column, Unicode 2800–28FF.
const BITS: [[u8; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];

impl Raster {
    /// An empty grid over `width` × `height` cells.
    pub(super) fn new(width: u16, height: u16) -> Self {
        Self { width, height, cells: vec![(0, 0); usize::from(width) * usize::from(height)] }
    }

    /// Dots from left to right.
    pub(super) fn columns(&self) -> u32 {
        2 * u32::from(self.width)
    }

    /// Dots from top to bottom.
    pub(super) fn rows(&self) -> u32 {
        4 * u32::from(self.height)
    }

    /// Sets the dots of a column between two rows, both included; rows count from the top.
    pub(super) fn vertical(&mut self, column: u32, a: u32, b: u32, layer: u8) {
        if column >= self.columns() || self.height == 0 {
            return;
        }
        let (top, bottom) = (a.min(b), a.max(b).min(self.rows() - 1));
        for row in top..=bottom {
            let place = (row / 4 * u32::from(self.width) + column / 2) as usize;
            let cell = &mut self.cells[place];
            if cell.1 < layer {
                *cell = (0, layer);
            }
            if cell.1 == layer {
                cell.0 |= BITS[(row % 4) as usize][(column % 2) as usize];
            }
        }
    }

    /// Continues a line into the next column, without a gap from the row `before`.
    pub(super) fn join(&mut self, column: u32, before: Option<u32>, row: u32, layer: u8) {
        let start = match before {
            Some(last) if row > last => last + 1,
            Some(last) if row < last => last - 1,
            _ => row,
        };
        self.vertical(column, start, row, layer);
    }

    /// Draws a straight line between two dots.
    pub(super) fn line(&mut self, from: (u32, u32), to: (u32, u32), layer: u8) {
        let span = i64::from(to.0.saturating_sub(from.0).max(1));
        let mut before = None;
        for column in from.0..=to.0 {
            let rise = (i64::from(to.1) - i64::from(from.1)) * i64::from(column - from.0);
            let row = (i64::from(from.1) + (2 * rise + rise.signum() * span) / (2 * span)) as u32;
            self.join(column, before, row, layer);
            before = Some(row);
        }
    }

    /// Sets a block of dots around one, two wide and three high: its middle shows the exact row. A hollow
    /// one lacks the middle.
    pub(super) fn bead(&mut self, (column, row): (u32, u32), hollow: bool, layer: u8) {
        for column in [column & !1, column | 1] {
            for row in [row.checked_sub(1), (!hollow).then_some(row), Some(row + 1)] {
                if let Some(row) = row.filter(|&row| row < self.rows()) {
                    self.vertical(column, row, row, layer);
                }
            }
        }
    }

    /// Draws the cells that have dots; `styles[layer - 1]` colours them.
    pub(super) fn render(&self, area: Rect, buf: &mut Buffer, styles: &[Style]) {
        for (place, &(dots, layer)) in self.cells.iter().enumerate() {
            let (x, y) = (place % usize::from(self.width), place / usize::from(self.width));
            let style = styles.get(usize::from(layer).wrapping_sub(1));
            if let (Some(style), true) = (style, dots != 0)
                && let Some(cell) = buf.cell_mut((area.x + x as u16, area.y + y as u16))
            {
                if matches!(cell.symbol(), "▀" | "▄") {
                    // The half of a cell that is filled becomes the ground of the dots.
                    cell.bg = cell.fg;
                }
                let pattern = char::from_u32(0x2800 + u32::from(dots)).unwrap_or(' ');
                cell.set_char(pattern).set_style(*style);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(raster: &Raster, width: u16, height: u16) -> String {
        let area = Rect::new(0, 0, width, height);
        let mut buf = Buffer::empty(area);
        raster.render(area, &mut buf, &[Style::new(), Style::new()]);
        buf.content().iter().map(|cell| cell.symbol().to_owned()).collect()
    }

    #[test]
    fn dots_fall_where_braille_has_them() {
        let mut raster = Raster::new(2, 1);
        raster.vertical(0, 0, 3, 1);
        raster.vertical(3, 3, 3, 1);
        assert_eq!(drawn(&raster, 2, 1), "⡇⢀");
    }

    #[test]
    fn a_higher_layer_takes_the_whole_cell_and_a_lower_one_adds_nothing() {
        let mut raster = Raster::new(1, 1);
        raster.vertical(0, 0, 3, 1);
        raster.vertical(1, 0, 0, 2);
        raster.vertical(0, 3, 3, 1);
        assert_eq!(drawn(&raster, 1, 1), "⠈");
    }

    #[test]
    fn a_line_has_no_gaps_and_ends_on_its_dots() {
        let mut raster = Raster::new(2, 2);
        raster.line((0, 7), (3, 0), 1);
        assert_eq!(drawn(&raster, 2, 2), " ⡜⡰⠁");
        let mut flat = Raster::new(2, 1);
        flat.line((0, 1), (3, 1), 1);
        assert_eq!(drawn(&flat, 2, 1), "⠒⠒");
    }

    #[test]
    fn a_bead_is_centred_on_its_row_and_cut_at_the_edge() {
        for (row, hollow, expected) in [
            (1, false, "⠿⠀"),
            (2, false, "⣶⠀"),
            (1, true, "⠭⠀"),
            (0, false, "⠛⠀"),
            (3, false, "⣤⠉"),
        ] {
            let mut raster = Raster::new(1, 2);
            raster.bead((1, row), hollow, 1);
            assert_eq!(drawn(&raster, 1, 2).replace(' ', "⠀"), expected, "row {row}");
        }
    }

    #[test]
    fn a_half_filled_cell_becomes_the_ground_of_the_dots() {
        use ratatui::style::Color;
        let area = Rect::new(0, 0, 1, 1);
        let mut buf = Buffer::empty(area);
        buf[(0, 0)].set_symbol("▄").set_fg(Color::Blue);
        let mut raster = Raster::new(1, 1);
        raster.vertical(0, 0, 0, 1);
        raster.render(area, &mut buf, &[Style::new().fg(Color::White)]);
        assert_eq!((buf[(0, 0)].fg, buf[(0, 0)].bg), (Color::White, Color::Blue));
    }

    #[test]
    fn dots_outside_are_left_out() {
        let mut raster = Raster::new(1, 1);
        raster.vertical(2, 0, 3, 1);
        raster.vertical(0, 3, 900, 1);
        assert_eq!(drawn(&raster, 1, 1), "⡀");
        let mut nothing = Raster::new(0, 0);
        nothing.vertical(0, 0, 0, 1);
        assert_eq!(drawn(&nothing, 0, 0), "");
    }
}
