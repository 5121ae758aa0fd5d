//! The values of a stage without rows and columns, in lines that begin with the place of the first.

use ratatui::{buffer::Buffer, layout::Rect, widgets::Widget};

use super::super::{
    cells::{Form, Grid, Scale},
    table,
    theme::Theme,
};

/// Columns of a value.
const VALUE: u16 = 2;
/// A line has a multiple of so many values, where there is room for that.
const ROUND: u16 = 10;

/// Values in lines.
#[derive(Clone, Copy, Debug)]
pub(super) struct Vector<'a> {
    pub(super) values: &'a [f32],
    /// How many there are, of which some may not be known.
    pub(super) count: usize,
    pub(super) scale: Scale,
    pub(super) theme: &'a Theme,
}

impl Vector<'_> {
    /// Columns of the number before a line.
    fn number(&self) -> u16 {
        self.count.saturating_sub(1).to_string().len() as u16 + 1
    }

    /// Values of a line.
    fn per_line(&self, width: u16) -> Option<u16> {
        let most = width.checked_sub(self.number())? / VALUE;
        let most = usize::from(most).min(self.count) as u16;
        let round = if usize::from(most) < self.count { most / ROUND * ROUND } else { most };
        Some(if round > 0 { round } else { most }).filter(|&line| line > 0)
    }

    /// Rows of all lines.
    pub(super) fn rows(&self, width: u16) -> Option<u16> {
        let line = usize::from(self.per_line(width)?);
        u16::try_from(self.count.div_ceil(line)).ok()
    }

    /// Columns and rows in as few columns as these rows allow.
    pub(super) fn narrowest(&self, width: u16, height: u16) -> Option<(u16, u16)> {
        let lines = (ROUND..).step_by(usize::from(ROUND)).map(|line| self.number() + VALUE * line);
        let mut widths = lines.take_while(|&columns| columns <= width);
        widths.find_map(|columns| Some((columns, self.rows(columns)?)).filter(|it| it.1 <= height))
    }

    /// Gives the rows used and the values drawn.
    pub(super) fn draw(&self, area: Rect, buf: &mut Buffer) -> (u16, usize) {
        let Some(line) = self.per_line(area.width) else { return (0, 0) };
        let lines = self.count.div_ceil(usize::from(line));
        // Where some are left out, a row is for saying so.
        let left_out = u16::from(lines > usize::from(area.height));
        let area = Rect { height: area.height - left_out.min(area.height), ..area };
        let chunks = self.values.chunks(usize::from(line));
        let (mut rows, mut shown) = (0, 0);
        for (values, row) in chunks.zip(area.rows()) {
            table::right(
                buf,
                row.x + self.number() - 1,
                row.y,
                &shown.to_string(),
                self.theme.muted,
            );
            let place = Rect { x: row.x + self.number(), width: VALUE * line, ..row };
            let (scale, theme) = (self.scale, self.theme);
            let width = values.len() as u16;
            Grid { values, height: 1, width, form: Form::Whole, scale, theme }.render(place, buf);
            rows += 1;
            shown += values.len();
        }
        (rows, shown)
    }
}
