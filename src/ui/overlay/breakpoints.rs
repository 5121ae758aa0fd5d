//! The conditions that pause the run, to add and remove some.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Modifier,
    text::{Line, Span},
    widgets::Widget,
};

use super::{Theme, framed};
use crate::{app::App, protocol::Breakpoint};

/// Columns of the longest condition that people write.
const CONDITION: usize = 14;
/// Columns of the list.
const WIDTH: u16 = 50;

/// The list with the chosen one.
pub(super) fn render(app: &App, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let points = &app.breakpoints;
    let most = area.height.saturating_sub(2);
    let rows = (points.list.len().max(1) as u16).min(most);
    let width = WIDTH.min(area.width.saturating_sub(4));
    let inner = framed(area, buf, "Breakpoints", theme.accent, (width, rows));
    if points.list.is_empty() {
        Line::styled("None: the run pauses only when asked.", theme.muted).render(inner, buf);
        return;
    }
    let shown = usize::from(inner.height);
    let room = usize::from(inner.width).saturating_sub(CONDITION + 4);
    let first = (points.selected + 1).saturating_sub(shown);
    let places = (first..points.list.len()).zip(inner.rows());
    for (place, row) in places {
        let breakpoint = points.list[place];
        let hit = points.hit.as_ref().is_some_and(|hit| hit.breakpoint == breakpoint);
        let chosen = place == points.selected;
        let sign = match (chosen, hit) {
            (_, true) => "■",
            (true, false) => "▸",
            (false, false) => " ",
        };
        let style = if chosen { theme.accent.add_modifier(Modifier::REVERSED) } else { theme.key };
        let condition = breakpoint.to_string();
        let line = Line::from(vec![
            Span::styled(format!("{sign} "), if hit { theme.alert } else { theme.accent }),
            Span::styled(format!("{condition:<CONDITION$}"), style),
            Span::styled(format!("  {}", meaning(breakpoint, room)), theme.muted),
        ]);
        line.render(row, buf);
    }
}

/// When it pauses the run, in so many columns if it can be said in them.
fn meaning(breakpoint: Breakpoint, room: usize) -> &'static str {
    let (full, short) = match breakpoint {
        Breakpoint::Epoch => ("after every epoch", "after every epoch"),
        Breakpoint::Step(_) => ("after this step", "after this step"),
        Breakpoint::LossAbove(_) => ("at a batch loss above this", "at a higher loss"),
        Breakpoint::Spike(_) => ("at a loss far above recent ones", "at a jump in loss"),
        Breakpoint::NotFinite => ("at a NaN or infinite value", "at NaN or infinity"),
        Breakpoint::Accuracy(_) => ("once an epoch reaches this", "once it is reached"),
    };
    if full.len() <= room { full } else { short }
}
