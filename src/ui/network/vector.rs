//! The values of a stage without rows and columns, in lines that begin with the number of the first.

use ratatui::{buffer::Buffer, layout::Rect, widgets::Widget};

use super::super::{
    cells::{Form, Grid, Scale},
    table,
    theme::Theme,
};

/// Columns of a value.
const VALUE: u16 = 2;
/// Lines have a multiple of this many values where there is room.
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

    /// The number of lines of known values, of lines on a screen and of values in a line; `None` where
    /// there is no room.
    pub(super) fn screen(&self, area: Rect) -> Option<(usize, usize, usize)> {
        let len = usize::from(self.per_line(area.width)?);
        let all = self.values.len().min(self.count).div_ceil(len);
        let rows = usize::from(area.height);
        // Where some are left out, a row is for saying so.
        let is_part = all > rows || self.values.len() < self.count;
        let screen = if is_part { rows.saturating_sub(1).min(all) } else { all };
        Some((all, screen.max(1), len))
    }

    /// Draws the lines from the `first` on; gives the rows used and the values drawn.
    pub(super) fn draw(&self, first: usize, area: Rect, buf: &mut Buffer) -> (u16, usize) {
        let Some((_, screen, len)) = self.screen(area) else { return (0, 0) };
        let lines = self.values.chunks(len).enumerate().skip(first).take(screen);
        let (mut rows, mut shown) = (0, 0);
        for ((line, values), row) in lines.zip(area.rows()) {
            let number = (line * len).to_string();
            table::right(buf, row.x + self.number() - 1, row.y, &number, self.theme.muted);
            let place = Rect { x: row.x + self.number(), width: VALUE * len as u16, ..row };
            let (scale, theme) = (self.scale, self.theme);
            let width = values.len() as u16;
            Grid { values, height: 1, width, form: Form::Whole, scale, theme }.render(place, buf);
            rows += 1;
            shown += values.len();
        }
        (rows, shown)
    }
}
