//! The chosen cell of the matrix, marked and in words.

use ratatui::{
    buffer::Buffer,
    style::{Modifier, Style},
    text::{Line, Span},
};

use super::grid::Grid;
use crate::{
    app::Action,
    keymap,
    metrics::Confusion,
    ui::{format, theme::Theme},
};

/// Turns the chosen cell's colours round, puts brackets about its text where there is room, and
/// brings out the names of its row and column.
pub(super) fn mark(grid: Grid, cursor: (u8, u8), buf: &mut Buffer, theme: &Theme) {
    let (truth, predicted) = (usize::from(cursor.0), usize::from(cursor.1));
    grid.draw_names(truth, predicted, theme.accent, buf);
    let place = grid.place(truth, predicted);
    let style = Style::new().add_modifier(Modifier::REVERSED | Modifier::BOLD);
    buf.set_style(place.intersection(buf.area), style);
    let row = grid.row(truth);
    let blank = |buf: &Buffer, x: u16| buf.cell((x, row)).is_some_and(|cell| cell.symbol() == " ");
    if let Some(open) = (place.x..place.right()).take_while(|&x| blank(buf, x)).last() {
        buf.set_string(open, row, "[", style);
    }
    if blank(buf, place.right()) {
        buf.set_string(place.right(), row, "]", theme.figure);
    }
}

/// What the cursor is on: `4 taken for 9: 12 of 982`, and how to see those images if `width` columns
/// have room for that.
pub(super) fn line(
    confusion: &Confusion,
    (truth, predicted): (u8, u8),
    width: u16,
    theme: &Theme,
) -> Line<'static> {
    let count = confusion.count(usize::from(truth), usize::from(predicted));
    let of = confusion.support(usize::from(truth));
    let [few, all] = [count, of].map(|n| format::thousands(u64::from(n)));
    let what = if truth == predicted {
        Span::styled(format!("{truth} recognised"), theme.right)
    } else {
        Span::styled(format!("{truth} taken for {predicted}"), theme.wrong)
    };
    let mut line = Line::from(vec![what, Span::raw(format!(": {few} of {all}"))]);
    let Some((key, _)) = keymap::hint(Action::Confirm).filter(|_| count > 0) else { return line };
    let hint = [
        Span::styled(" · ", theme.muted),
        Span::styled(key, theme.key),
        Span::styled(if count == 1 { " shows it" } else { " shows them" }, theme.muted),
    ];
    let room = usize::from(width).saturating_sub(line.width());
    if hint.iter().map(Span::width).sum::<usize>() <= room {
        line.spans.extend(hint);
    }
    line
}
