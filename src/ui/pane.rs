//! A pane's title, and the text of a pane that has nothing to show yet.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Modifier,
    text::{Line, Span},
    widgets::{Paragraph, Widget},
};

use super::{format, theme::Theme};

/// Draws a pane's title with a rule and, at the right edge, the first of `notes` that there is room
/// for; gives the rest.
pub(super) fn titled<const N: usize>(
    area: Rect,
    buf: &mut Buffer,
    theme: &Theme,
    title: &str,
    notes: [Line<'_>; N],
) -> Rect {
    if area.is_empty() {
        return area;
    }
    let row = Rect { height: 1, ..area };
    let width = usize::from(row.width);
    buf.set_stringn(row.x, row.y, "─".repeat(width), width, theme.rule);
    let title = Span::styled(format!("{title} "), theme.muted.add_modifier(Modifier::BOLD));
    buf.set_stringn(row.x, row.y, &title.content, width, title.style);
    let room = width.saturating_sub(title.width() + 2);
    if let Some(note) = notes.into_iter().find(|note| (1..=room).contains(&note.width())) {
        let width = note.width() as u16;
        let place = Rect { x: row.right() - width, width, ..row };
        // Text without a colour of its own has the terminal's, not the rule's.
        for position in (Rect { x: place.x - 1, width: width + 1, ..place }).positions() {
            buf[position].reset();
        }
        note.render(place, buf);
    }
    Rect { y: area.y + 1, height: area.height - 1, ..area }
}

/// Writes in the middle of an empty pane what will appear there.
pub(super) fn empty(area: Rect, buf: &mut Buffer, theme: &Theme, text: &str) {
    let lines = format::wrap(text, usize::from(area.width.saturating_sub(2)).min(48));
    let height = lines.len() as u16;
    let lines: Vec<Line<'_>> =
        lines.into_iter().map(|line| Line::styled(line, theme.muted)).collect();
    Paragraph::new(lines).centered().render(middle(area, area.width, height), buf);
}

/// A block of at most `width` × `height` cells in the middle.
pub(super) fn middle(area: Rect, width: u16, height: u16) -> Rect {
    let (width, height) = (width.min(area.width), height.min(area.height));
    Rect {
        x: area.x + (area.width - width) / 2,
        y: area.y + (area.height - height) / 2,
        width,
        height,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::Depth;

    #[test]
    fn a_note_does_not_take_the_colour_of_the_rule_behind_it() {
        let (theme, area) = (Theme::new(Depth::True), Rect::new(0, 0, 20, 2));
        let mut buf = Buffer::empty(area);
        let rest = titled(area, &mut buf, &theme, "Title", [Line::styled("note", theme.figure)]);
        assert_eq!(rest, Rect::new(0, 1, 20, 1));
        let row: String = (0..20).map(|x| buf[(x, 0)].symbol().to_owned()).collect();
        assert_eq!(row, "Title ───────── note");
        assert_eq!(buf[(16, 0)].fg, ratatui::style::Color::Reset);
        assert_eq!(Some(buf[(8, 0)].fg), theme.rule.fg);
    }
}
