//! The conditions that pause the run, to turn on and off.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Modifier,
    text::{Line, Span},
    widgets::Widget,
};

use super::{Theme, format, framed};
use crate::{
    app::{App, Row},
    protocol::Breakpoint,
};

/// Columns of the sign that says whether it is on.
const SIGN: usize = 2;
/// Columns of the longest condition that people write.
const CONDITION: usize = 14;
/// Columns of one with a note that it is an example.
const EXAMPLE: usize = 19;
/// Columns between condition and description.
const GAP: usize = 2;
/// Columns of the number of hits.
const HITS: usize = 9;
/// Columns of the list.
const WIDTH: u16 = 66;

/// Every condition, with the chosen one.
pub(super) fn render(app: &App, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let points = &app.breakpoints;
    let all = points.rows();
    let most = area.height.saturating_sub(2);
    let width = WIDTH.min(area.width.saturating_sub(4));
    let size = (width, (all.len() as u16).min(most));
    let inner = framed(area, buf, "Breakpoints: the run pauses", theme.accent, size);
    let shown = usize::from(inner.height);
    let first = (points.selected + 1).saturating_sub(shown);
    for ((place, row), line) in all.iter().enumerate().skip(first).zip(inner.rows()) {
        let is_hit = points.hit.iter().any(|hit| hit.breakpoint == row.breakpoint);
        let is_chosen = place == points.selected;
        list_line(row, is_hit, is_chosen, usize::from(inner.width), theme).render(line, buf);
    }
}

fn list_line(
    row: &Row,
    is_hit: bool,
    is_chosen: bool,
    width: usize,
    theme: &Theme,
) -> Line<'static> {
    let is_on = row.is_on == Some(true);
    let sign = match is_on {
        _ if is_hit => Span::styled("■ ", theme.alert),
        true => Span::styled("● ", theme.accent),
        false => Span::styled("○ ", theme.muted),
    };
    let style = match (is_chosen, is_on) {
        (true, _) => theme.accent.add_modifier(Modifier::REVERSED),
        (false, true) => theme.key,
        (false, false) => theme.muted,
    };
    let has_hits = width >= SIGN + EXAMPLE + GAP + LONGEST + HITS;
    let is_example = has_hits && row.is_on.is_none() && needs_value(row.breakpoint);
    let columns = if has_hits { EXAMPLE } else { CONDITION };
    let example = if is_example { "e.g. " } else { "" };
    let condition = format!("{:<columns$}", format!("{example}{}", row.breakpoint));
    let room = width.saturating_sub(SIGN + condition.chars().count() + GAP);
    let hits = match row.hits {
        0 => String::new(),
        1 => "1 hit".to_owned(),
        hits => format!("{} hits", format::thousands(hits)),
    };
    let room = if has_hits { room.saturating_sub(HITS) } else { room };
    let meaning = format!("{:<room$}", meaning(row.breakpoint, room));
    let mut spans = vec![
        sign,
        Span::styled(condition, style),
        Span::styled(format!("  {meaning}"), theme.muted),
    ];
    if has_hits {
        spans.push(Span::styled(format!("{hits:>HITS$}"), theme.figure));
    }
    Line::from(spans)
}

fn needs_value(breakpoint: Breakpoint) -> bool {
    matches!(breakpoint, Breakpoint::Step(_) | Breakpoint::LossAbove(_) | Breakpoint::Accuracy(_))
}

/// Columns of the longest description.
const LONGEST: usize = 34;

/// When it pauses the run, shortened to the given columns where that is possible.
fn meaning(breakpoint: Breakpoint, room: usize) -> &'static str {
    let (full, short) = match breakpoint {
        Breakpoint::Epoch => ("after every epoch", "after every epoch"),
        Breakpoint::Step(_) => ("after this step", "after this step"),
        Breakpoint::LossAbove(_) => ("when a batch's loss is above this", "at a higher loss"),
        Breakpoint::Spike(_) => ("when the loss is far above recent", "at a jump in loss"),
        Breakpoint::NotFinite => ("at NaN or infinity", "at NaN or infinity"),
        Breakpoint::Accuracy(_) => ("when an evaluation reaches this", "once it is reached"),
    };
    if full.len() <= room { full } else { short }
}
