//! The recall of each class after each epoch, as a row of bars next to the class.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use super::grid::Grid;
use crate::{
    app::App,
    ui::{table, theme::Theme},
};

/// Columns between the figures and the bars.
const GAP: u16 = 2;
/// Columns that the heading needs, with the gap.
pub(super) const LEAST_COLUMNS: u16 = GAP + 18;
/// Most columns of an epoch.
const WIDEST: usize = 3;

/// Draws the bars of the last epochs right of the matrix, with the epoch shown in another colour.
pub(super) fn draw(grid: &Grid, app: &App, right: u16, buf: &mut Buffer, theme: &Theme) {
    let x = grid.right() + GAP;
    let epochs: Vec<_> =
        app.epochs.iter().filter(|record| !app.epochs.is_partial(record.step)).collect();
    if right < grid.right() + LEAST_COLUMNS || epochs.is_empty() {
        return;
    }
    let room = usize::from(right - x);
    let all = app.run.info.as_ref().map_or(0, |info| info.epochs as usize);
    let wide = (room / all.max(epochs.len())).clamp(1, WIDEST);
    let last = &epochs[epochs.len().saturating_sub(room / wide)..];
    let recalls: Vec<_> = last.iter().map(|record| record.evaluation.confusion.recalls()).collect();
    let known =
        || recalls.iter().filter_map(|epoch| epoch.get(grid.rows.clone())).flatten().flatten();
    let low = known().copied().fold(1.0, f64::min);
    let high = known().copied().fold(0.0, f64::max);
    let range = format!("{:.1}–{:.1} %", 100.0 * low, 100.0 * high);
    let heading = [format!("recall by epoch, {range}"), format!("recall {range}")];
    if let Some(heading) = heading.iter().find(|heading| table::width(heading) <= room) {
        table::left(buf, x, grid.y, heading, room as u16, theme.muted);
    }
    let shown = app.matrix().map(|matrix| matrix.step);
    // Of three rows the first keeps bars apart.
    let rows = grid.rows_per_class.max(2) - 1;
    for class in grid.rows.clone() {
        for (place, (record, recalls)) in last.iter().zip(&recalls).enumerate() {
            let Some(&Some(recall)) = recalls.get(class) else { continue };
            let share = if high > low { (recall - low) / (high - low) } else { 1.0 };
            let width = if wide > 1 { wide - 1 } else { 1 };
            let style = if Some(record.step) == shown { theme.accent } else { theme.smooth };
            let (x, y) = (x + (place * wide) as u16, grid.row(class) + 1 - rows);
            let bar = Rect { x, y, width: width as u16, height: rows };
            draw_bar(bar, share, style, buf);
        }
    }
}

/// A bar from an eighth of a row up to the whole height.
fn draw_bar(area: Rect, share: f64, style: Style, buf: &mut Buffer) {
    const BARS: [&str; 9] = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];
    let most = 8 * area.height;
    let level = 1 + (share.clamp(0.0, 1.0) * f64::from(most - 1)).round() as u16;
    for (above, row) in (0..area.height).rev().zip(area.rows()) {
        let bar = BARS[usize::from(level.saturating_sub(8 * above).min(8))];
        for position in row.intersection(buf.area).positions() {
            buf[position].set_symbol(bar).set_style(style);
        }
    }
}
