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
    /// Prints each text next to the end of its line. Those on one row move apart, the larger value above.
    pub(in crate::ui) fn print_ends(&self, buf: &mut Buffer, ends: &[End]) {
        let shown = ends.iter().filter(|end| self.shows(end.step));
        let mut placed: Vec<(u16, &End)> =
            shown.filter_map(|end| Some(((self.row(end.value)? / 4) as u16, end))).collect();
        placed.sort_by(|(a, x), (b, y)| a.cmp(b).then(y.value.total_cmp(&x.value)));
        placed.truncate(usize::from(self.plot.height));
        let mut next = 0;
        for (row, _) in &mut placed {
            *row = next.max(*row);
            next = *row + 1;
        }
        let mut last = self.plot.height;
        for (row, end) in placed.into_iter().rev() {
            let row = row.min(last.saturating_sub(1));
            last = row;
            let width = end.text.chars().count() as u16;
            let column = self.plot.x + (self.column(end.step) / 2) as u16;
            if let Some(latest) = self.right.checked_sub(width) {
                buf.set_string((column + 2).min(latest), self.plot.y + row, &end.text, end.style);
            }
        }
    }
}
