//! The frame that curves are drawn in: a value axis at the left, steps below.

mod band;
mod crosshair;
mod ends;
mod points;
mod rates;

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

pub(super) use band::sample;
pub(super) use ends::End;

use super::{
    axis::{Axis, fine_label, label, round_step},
    format,
    theme::Theme,
};

/// A value axis, the steps it is drawn over, and the cells that are left for the curves.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chart {
    pub(super) plot: Rect,
    axis: Axis,
    from: u64,
    to: u64,
    /// The last column, exclusive, that a label at the end of a line may fill.
    right: u16,
}

/// What surrounds a chart's plot. Charts with the same columns and the same steps line up.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    /// Text of a value label.
    pub(super) label: fn(f64) -> String,
    /// Columns right of the plot, for the labels at the ends of its lines.
    pub(super) tail: u16,
    /// Columns of the value labels; more only where a label is longer.
    pub(super) gutter: u16,
    /// Whether the steps are named below: only the lowest of charts above each other needs that.
    pub(super) names_steps: bool,
    /// What the steps are called there.
    pub(super) unit: &'static str,
}

/// Rows from one value label to the next.
const ROWS_PER_TICK: u16 = 2;
/// Columns from one step label to the next.
const COLUMNS_PER_TICK: u16 = 9;
/// Columns of the value labels, and of those of charts above each other of which some have longer labels.
pub(super) const GUTTER: u16 = 5;
pub(super) const WIDE_GUTTER: u16 = 6;
/// Columns that a plot has at least.
const NARROWEST: u16 = 10;

impl Chart {
    /// Draws the axes over the steps after `from`, up to `to`; `None` where there is no room.
    pub(super) fn draw(
        area: Rect,
        buf: &mut Buffer,
        theme: &Theme,
        axis: Axis,
        (from, to): (u64, u64),
        frame: Frame,
    ) -> Option<Self> {
        let below = u16::from(frame.names_steps);
        if area.width < GUTTER + 1 + NARROWEST || area.height < 2 + below || from >= to {
            return None;
        }
        let height = area.height - below;
        let ticks = axis.ticks(usize::from(height.div_ceil(ROWS_PER_TICK)));
        let labels = labels(&ticks, frame.label);
        let longest = labels.iter().map(|(_, label)| label.chars().count()).max().unwrap_or(0);
        let gutter = (longest as u16).max(frame.gutter);
        let room = area.width.checked_sub(gutter + 1 + NARROWEST)?;
        let plot = Rect {
            x: area.x + gutter + 1,
            y: area.y,
            width: NARROWEST + room - frame.tail.min(room),
            height,
        };
        let chart = Self { plot, axis, from, to, right: area.right() };
        for row in plot.rows() {
            buf.set_string(plot.x - 1, row.y, "│", theme.rule);
        }
        let mut free = plot.bottom();
        for (value, label) in labels {
            let row = plot.y + (chart.row(value).unwrap_or(0) / 4) as u16;
            // Labels are drawn from the bottom up; a second one on the same row is left out.
            if row < free {
                let padded = format!("{label:>width$}", width = usize::from(gutter));
                buf.set_stringn(area.x, row, padded, usize::from(gutter), theme.muted);
                buf.set_string(plot.x - 1, row, "┤", theme.rule);
                free = row;
            }
        }
        if frame.names_steps {
            chart.draw_steps(buf, theme, frame.unit);
        }
        Some(chart)
    }

    /// The highest value that is shown.
    pub(super) fn high(&self) -> f64 {
        self.axis.high()
    }

    fn draw_steps(&self, buf: &mut Buffer, theme: &Theme, unit: &str) {
        let row = self.plot.bottom();
        let most = f64::from((self.plot.width / COLUMNS_PER_TICK).max(1));
        let step = (round_step((self.to - self.from) as f64 / most) as u64).max(1);
        let mut free_from = self.plot.x;
        let first = self.from.next_multiple_of(step);
        let ticks = || (first..=self.to).step_by(usize::try_from(step).unwrap_or(usize::MAX));
        let are_short = ticks().all(format::is_short_count_exact);
        for tick in ticks() {
            let column = self.plot.x + (self.column(tick) / 2) as u16;
            // Short labels of a fine axis would repeat, or name other steps.
            let text = if are_short { format::short_count(tick) } else { format::thousands(tick) };
            let width = text.chars().count() as u16;
            // The label stands under its step, moved in at the right end.
            let x = column
                .saturating_sub(width / 2)
                .max(self.plot.x)
                .min(self.plot.right() - width.min(self.plot.width));
            if x >= free_from {
                buf.set_string(x, row, &text, theme.muted);
                free_from = x + width + 2;
            }
        }
        let x = self.plot.right().saturating_sub(unit.len() as u16);
        if x > free_from {
            buf.set_string(x, row, unit, theme.muted);
        }
    }

    /// The dot column in which a step ends.
    pub(super) fn column(&self, step: u64) -> u32 {
        let columns = u64::from(self.plot.width) * 2;
        let share = u128::from(step.saturating_sub(self.from)) * u128::from(columns)
            / u128::from(self.to - self.from);
        (share as u32).min(columns.saturating_sub(1) as u32)
    }

    /// The steps that a dot column stands for: after the first, up to the second.
    pub(super) fn steps(&self, column: u32) -> (u64, u64) {
        let columns = u128::from(self.plot.width) * 2;
        let at = |column: u32| {
            let span = u128::from(self.to - self.from);
            self.from + (u128::from(column) * span).div_ceil(columns) as u64
        };
        let (first, last) = (at(column), at(column + 1));
        // With fewer steps than columns, a step fills several.
        if first == last { (first.saturating_sub(1), last) } else { (first, last) }
    }

    /// The dot row of a value, from the top.
    pub(super) fn row(&self, value: f64) -> Option<u32> {
        let rows = f64::from(self.plot.height) * 4.0 - 1.0;
        let place = self.axis.place(value)?;
        Some(((1.0 - place) * rows).round() as u32)
    }

    /// Puts a mark on the top row, in the cell of a dot column.
    pub(super) fn mark_top(&self, buf: &mut Buffer, column: u32, symbol: &str, style: Style) {
        buf.set_string(self.plot.x + (column / 2) as u16, self.plot.y, symbol, style);
    }

    /// Marks with arrows the columns whose values go beyond the axis, and names the largest of them.
    pub(super) fn mark_clipped(
        &self,
        buf: &mut Buffer,
        columns: &[u32],
        largest: &str,
        style: Style,
    ) {
        for &column in columns {
            self.mark_top(buf, column, "↑", style);
        }
        let Some(last) = columns.last() else { return };
        let x = self.plot.x + (last / 2) as u16 + 2;
        if x + largest.chars().count() as u16 <= self.plot.right() {
            buf.set_string(x, self.plot.y, largest, style);
        }
    }

    /// Marks a step at the top where nothing graver is marked.
    pub(super) fn mark_break(&self, buf: &mut Buffer, step: u64, style: Style) {
        let column = self.plot.x + (self.column(step) / 2) as u16;
        if step > self.from
            && step <= self.to
            && let Some(cell) = buf.cell_mut((column, self.plot.y))
            && cell.symbol() != "✗"
        {
            cell.set_symbol("▼").set_style(style);
        }
    }

    /// Marks what changes after a step among the step labels, in words if there is room for them; on
    /// the plot's last row where there is none for the mark.
    pub(super) fn mark_below(&self, buf: &mut Buffer, step: u64, text: &str, style: Style) {
        if step < self.from || step > self.to {
            return;
        }
        let (x, y) = (self.plot.x + (self.column(step) / 2) as u16, self.plot.bottom());
        let blank = |width: u16| {
            let cells = x.saturating_sub(1)..=x + width;
            cells.filter(|&x| x < self.plot.right()).all(|x| buf[(x, y)].symbol() == " ")
        };
        let width = text.chars().count() as u16 + 1;
        let in_words = x + width <= self.plot.right() && blank(width);
        let row = if in_words || buf[(x, y)].symbol() == " " { y } else { y - 1 };
        buf.set_string(x, row, "▴", style);
        if in_words {
            buf.set_string(x + 1, row, text, style);
        }
    }
}

/// The labels of values: with more decimals where short ones would repeat.
fn labels(ticks: &[f64], label: fn(f64) -> String) -> Vec<(f64, String)> {
    let labels: Vec<String> = ticks.iter().map(|&tick| label(tick)).collect();
    let repeats = labels.windows(2).any(|pair| pair[0] == pair[1]);
    let fine = |tick: f64| {
        let suffix = if label(tick).ends_with('%') { "%" } else { "" };
        format!("{}{suffix}", fine_label(tick))
    };
    let labelled = ticks.iter().copied().zip(labels);
    labelled.map(|(tick, label)| (tick, if repeats { fine(tick) } else { label })).collect()
}

/// A value axis's label.
pub(super) fn plain(value: f64) -> String {
    label(value)
}

/// A label for percent.
pub(super) fn percent(value: f64) -> String {
    format!("{}%", label(value))
}
