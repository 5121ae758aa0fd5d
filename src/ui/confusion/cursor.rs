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
    ui::{format, names::Names, table, theme::Theme},
};

/// Inverts the chosen cell and brings out the names of its row and column.
pub(super) fn mark(grid: &Grid, cursor: (usize, usize), buf: &mut Buffer, theme: &Theme) {
    let (truth, predicted) = cursor;
    let Some(place) = grid.place(truth, predicted) else { return };
    grid.draw_label(truth, theme.accent, buf);
    grid.draw_head(predicted, theme.accent, buf);
    let style = Style::new().add_modifier(Modifier::REVERSED | Modifier::BOLD);
    buf.set_style(place.intersection(buf.area), style);
}

/// The chosen cell in words: `4 predicted as 9: 12 of 982`, and how to see those images if `width`
/// columns have room for that.
pub(super) fn line(
    confusion: &Confusion,
    names: Names<'_>,
    (truth, predicted): (usize, usize),
    width: u16,
    theme: &Theme,
) -> Line<'static> {
    let count = confusion.count(truth, predicted);
    let [few, all] = [count, confusion.support(truth)].map(|n| format::thousands(u64::from(n)));
    let counts = format!(": {few} of {all}");
    let room = usize::from(width).saturating_sub(table::width(&counts));
    let style = if truth == predicted { theme.right } else { theme.wrong };
    let what = Span::styled(names.verdict_within(truth, predicted, room), style);
    let mut line = Line::from(vec![what, Span::raw(counts)]);
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
