//! The latest values, at the ends of their lines.

use ratatui::{
    buffer::Buffer,
    style::{Color, Style},
};

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

/// Rows that a label may be away from the end of its line, nearest first.
const OFFSETS: [i32; 5] = [0, -1, 1, -2, 2];

impl Chart {
    /// Prints each text next to the end of its line: on the nearest row that is blank there, else on the
    /// line's own. Earlier ones go first; one whose row is taken by another is left out.
    pub(in crate::ui) fn print_ends(&self, buf: &mut Buffer, ends: &[End]) {
        let mut taken: Vec<(u16, u16, u16)> = Vec::new();
        for end in ends.iter().filter(|end| (self.from..=self.to).contains(&end.step)) {
            let Some(row) = self.row(end.value) else { continue };
            let width = end.text.chars().count() as u16;
            let column = self.plot.x + (self.column(end.step) / 2) as u16;
            let Some(last) = self.right.checked_sub(width) else { continue };
            let x = (column + 2).min(last);
            let is_free = |y: u16| {
                !taken.iter().any(|&(row, from, to)| row == y && x < to && from < x + width)
            };
            let is_blank = |y: u16| {
                (x.saturating_sub(1)..(x + width).min(self.right)).all(|x| {
                    buf.cell((x, y))
                        .is_some_and(|cell| cell.symbol() == " " && cell.bg == Color::Reset)
                })
            };
            let rows = OFFSETS.iter().filter_map(|offset| {
                let row = u16::try_from((row / 4) as i32 + offset).ok()?;
                (row < self.plot.height).then_some(self.plot.y + row)
            });
            let free = rows.filter(|&y| is_free(y));
            let found = free.clone().find(|&y| is_blank(y)).or_else(|| free.clone().next());
            if let Some(y) = found {
                buf.set_string(x, y, &end.text, end.style);
                taken.push((y, x.saturating_sub(1), x + width + 1));
            }
        }
    }
}
