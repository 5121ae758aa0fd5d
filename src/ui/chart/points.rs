//! Few values with steps between them: points on a line.

use super::Chart;
use crate::ui::raster::Raster;

/// Columns that each point gets at least; where there are more points, only the last is one.
const COLUMNS_PER_POINT: usize = 3;

impl Chart {
    /// Whether a step is among those in sight.
    pub(in crate::ui) fn shows(&self, step: u64) -> bool {
        (self.from..=self.to).contains(&step)
    }

    /// Draws points, of rising steps, and the line through them. Values that are not numbers interrupt it.
    pub(in crate::ui) fn draw_points(
        &self,
        raster: &mut Raster,
        points: impl Iterator<Item = (u64, f64)> + Clone,
        line: u8,
        bead: u8,
    ) {
        self.draw_line(raster, points.clone(), line);
        let rows = points.map(|(step, value)| (step, self.row(value)));
        let shown = rows.filter(|&(step, _)| self.shows(step));
        let count = shown.clone().count();
        let crowded = count * COLUMNS_PER_POINT > usize::from(self.plot.width);
        let skipped = if crowded { count - 1 } else { 0 };
        for (step, row) in shown.skip(skipped) {
            if let Some(row) = row {
                raster.bead((self.column(step), row), false, bead);
            }
        }
    }

    /// Draws the line through points of rising steps.
    pub(in crate::ui) fn draw_line(
        &self,
        raster: &mut Raster,
        points: impl Iterator<Item = (u64, f64)> + Clone,
        line: u8,
    ) {
        let rows = points.map(|(step, value)| (step, self.row(value)));
        for (from, to) in rows.clone().zip(rows.skip(1)) {
            if let ((first, Some(a)), (last, Some(b))) = (from, to)
                && let Some((from, to)) = self.cut((first, a), (last, b))
            {
                raster.line(from, to, line);
            }
        }
    }

    /// The part of a line in sight, as dots; its ends are steps and rows.
    fn cut(&self, from: (u64, u32), to: (u64, u32)) -> Option<((u32, u32), (u32, u32))> {
        if to.0 < self.from || from.0 > self.to || from.0 >= to.0 {
            return None;
        }
        let row = |step: u64| {
            let share = (step - from.0) as f64 / (to.0 - from.0) as f64;
            (f64::from(from.1) + share * (f64::from(to.1) - f64::from(from.1))).round() as u32
        };
        let (first, last) = (from.0.max(self.from), to.0.min(self.to));
        Some(((self.column(first), row(first)), (self.column(last), row(last))))
    }
}
