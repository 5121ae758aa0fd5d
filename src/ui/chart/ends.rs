//! The latest values, at the ends of their lines.

use ratatui::{buffer::Buffer, style::Style};

use super::Chart;

/// The latest value of a line.
#[derive(Clone, Debug)]
pub(in crate::ui) struct End {
    /// The step that the line ends with.
    pub(in crate::ui) step: u64,
    /// The value there.
    pub(in crate::ui) value: f64,
    /// The value as people read it.
    pub(in crate::ui) text: String,
    pub(in crate::ui) style: Style,
}

impl Chart {
    /// Prints each text next to the end of its line. Those that overlap move apart, the larger value above.
    pub(in crate::ui) fn print_ends(&self, buf: &mut Buffer, ends: &[End]) {
        let shown = ends.iter().filter(|end| self.shows(end.step));
        let mut rows: Vec<(u16, &End)> =
            shown.filter_map(|end| Some(((self.row(end.value)? / 4) as u16, end))).collect();
        rows.sort_by(|(a, x), (b, y)| a.cmp(b).then(y.value.total_cmp(&x.value)));
        let mut placed: Vec<(u16, u16, u16, &End)> = Vec::new();
        for (row, end) in rows {
            let width = end.text.chars().count() as u16;
            let column = self.plot.x + (self.column(end.step) / 2) as u16;
            let Some(latest) = self.right.checked_sub(width) else { continue };
            let x = (column + 2).min(latest);
            let taken = |row: u16| {
                placed.iter().any(|&(y, from, to, _)| y == row && x <= to && from <= x + width)
            };
            let below = (row..self.plot.height).find(|&row| !taken(row));
            let free = below.or_else(|| (0..row).rev().find(|&row| !taken(row)));
            if let Some(row) = free {
                placed.push((row, x, x + width, end));
            }
        }
        for (row, x, _, end) in placed {
            buf.set_string(x, self.plot.y + row, &end.text, end.style);
        }
    }
}
