//! A matrix of many classes as a map of shades, where there is no room for its counts.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::{Color, Style},
    text::{Line, Span},
    widgets::Widget,
};

use super::grid::heat;
use crate::{
    app::{Action, View},
    keymap, metrics,
    ui::theme::Theme,
};

/// Fewer columns or rows of shades show nothing.
const LEAST: u16 = 3;
/// Rows that are left below: the accuracy and a line of pairs.
const LEAST_BELOW: u16 = 2;

/// Counts of neighbouring classes taken together.
struct Groups {
    /// Classes of each.
    size: usize,
    /// Groups in a row.
    count: usize,
    counts: Vec<u32>,
    /// Images of each row's classes.
    support: Vec<u32>,
}

impl Groups {
    fn of(confusion: &metrics::Confusion, most: usize) -> Self {
        let size = confusion.classes().div_ceil(most.max(1));
        let count = confusion.classes().div_ceil(size);
        let (mut counts, mut support) = (vec![0; count * count], vec![0; count]);
        for cell in confusion.cells() {
            let (row, column) = (cell.truth / size, cell.predicted / size);
            counts[row * count + column] += cell.count;
            support[row] += cell.count;
        }
        Self { size, count, counts, support }
    }

    /// Count and images of a row's group; none outside.
    fn at(&self, row: usize, column: usize) -> (u32, u32) {
        if row < self.count {
            (self.counts[row * self.count + column], self.support[row])
        } else {
            (0, 0)
        }
    }
}

/// Draws the matrix in shades, one class or more a dot, and below what a dot is; gives the rows used,
/// 0 if there is no room. It leaves `below` rows, or fewer where that saves taking classes together.
pub(super) fn draw(
    confusion: &metrics::Confusion,
    area: Rect,
    below: u16,
    buf: &mut Buffer,
    theme: &Theme,
) -> u16 {
    let rows = |below: u16| area.height.saturating_sub(1 + below);
    let dots = |below: u16| usize::from(area.width.min(2 * rows(below)));
    let size = |below: u16| confusion.classes().div_ceil(dots(below).max(1));
    let ways = (below.min(LEAST_BELOW)..=below).rev();
    let below = ways.min_by_key(|&below| size(below)).unwrap_or(below);
    let rows = rows(below);
    if rows < LEAST || area.width < LEAST {
        return 0;
    }
    let groups = Groups::of(confusion, dots(below));
    let count = groups.count as u16;
    // Twice as large where there is room.
    let is_double = area.width >= 2 * count && rows >= count;
    let (width, height) = if is_double { (2 * count, count) } else { (count, count.div_ceil(2)) };
    for (x, y) in (0..height).flat_map(|y| (0..width).map(move |x| (x, y))) {
        let (column, upper, lower) = if is_double { (x / 2, y, y) } else { (x, 2 * y, 2 * y + 1) };
        let at = |row: u16| groups.at(row.into(), column.into());
        let (symbol, style) = dot(at(upper), at(lower), theme);
        if let Some(cell) = buf.cell_mut((area.x + x, area.y + y)) {
            cell.set_symbol(symbol).set_style(style);
        }
    }
    let size = groups.size;
    let dots = if size == 1 {
        format!("one dot: a pair of {} classes", confusion.classes())
    } else {
        format!("one dot: {size}×{size} of {} classes", confusion.classes())
    };
    let mut line = Line::styled(dots, theme.muted);
    if let Some((key, _)) = keymap::hint(Action::Show(View::Confusion)) {
        let hint = [
            Span::styled(" · ", theme.muted),
            Span::styled(key, theme.key),
            Span::styled(" shows counts", theme.muted),
        ];
        if line.width() + hint.iter().map(Span::width).sum::<usize>() <= usize::from(area.width) {
            line.spans.extend(hint);
        }
    }
    line.render(Rect { y: area.y + height, height: 1, ..area }, buf);
    height + 1
}

/// Two cells above each other, each given as a count and the images of its row.
fn dot(upper: (u32, u32), lower: (u32, u32), theme: &Theme) -> (&'static str, Style) {
    /// From none to all, where there are no shades.
    const LEVELS: [&str; 5] = ["·", "░", "▒", "▓", "█"];
    let shade = |(count, support)| -> Option<Color> {
        if count > 0 { heat(count, support, theme)?.bg } else { None }
    };
    match (shade(upper), shade(lower)) {
        (Some(upper), Some(lower)) if upper == lower => (" ", Style::new().bg(upper)),
        (Some(upper), Some(lower)) => ("▀", Style::new().fg(upper).bg(lower)),
        (Some(upper), None) => ("▀", Style::new().fg(upper)),
        (None, Some(lower)) => ("▄", Style::new().fg(lower)),
        (None, None) => {
            let share = |(count, support): (u32, u32)| f64::from(count) / f64::from(support.max(1));
            let share = share(upper).max(share(lower)).cbrt();
            let level = (share * 4.0).ceil().clamp(0.0, 4.0) as usize;
            (LEVELS[level], if level == 0 { theme.rule } else { Style::new() })
        }
    }
}
