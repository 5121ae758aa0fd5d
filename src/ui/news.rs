//! What there is to tell, over the figures of the moment.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::Line,
    widgets::{Clear, Widget},
};

use super::{format, theme::Theme};
use crate::{
    app::{Action, App, View},
    keymap,
    protocol::Breakpoint,
};

/// A notice, or why the run was paused; nothing where there is neither.
#[derive(Debug)]
pub(super) struct News<'a> {
    app: &'a App,
    theme: &'a Theme,
}

impl<'a> News<'a> {
    pub(super) fn new(app: &'a App, theme: &'a Theme) -> Self {
        Self { app, theme }
    }

    /// The text, and which key leads on from it.
    fn text(&self) -> Option<(String, String)> {
        if let Some(notice) = &self.app.notice {
            return Some((notice.clone(), "(esc)".to_owned()));
        }
        let hit = self.app.breakpoints.news()?;
        let batch = match hit.breakpoint {
            Breakpoint::LossAbove(_) | Breakpoint::Spike(_) | Breakpoint::NotFinite => {
                keymap::hint(Action::Show(View::Step))
            }
            Breakpoint::Epoch | Breakpoint::Step(_) | Breakpoint::Accuracy(_) => None,
        };
        let batch = batch.filter(|_| self.app.view != View::Step);
        let hint =
            batch.map_or_else(|| "(esc)".to_owned(), |(key, _)| format!("({key} shows the batch)"));
        Some((format!("■ {}", hit.reason), hint))
    }

    /// Draws it from the last row of `progress` upwards and, where it takes more, on into the rows
    /// below; what does not fit into `area`, which holds both, is cut.
    pub(super) fn render(&self, progress: Rect, area: Rect, buf: &mut Buffer) {
        let Some((text, hint)) = self.text() else { return };
        let width = usize::from(area.width);
        let mut lines = format::wrap(&text, width);
        let rows = usize::from(area.height).max(1);
        if lines.len() > rows {
            lines.truncate(rows);
            lines[rows - 1].push('…');
        }
        // The hint stands behind the text, if need be in its place.
        let room = width.saturating_sub(hint.chars().count() + 1);
        let is_full = lines.len() == rows;
        match lines.last_mut() {
            Some(last) if is_full || last.chars().count() <= room => {
                *last = format!("{} {hint}", format::cut(last, room));
            }
            _ => lines.push(hint),
        }
        let height = lines.len() as u16;
        let y = progress.bottom().saturating_sub(height).max(progress.y);
        let place = Rect { y, height, ..area }.intersection(area);
        Clear.render(place, buf);
        for (line, row) in lines.into_iter().zip(place.rows()) {
            Line::styled(line, self.theme.alert).render(row, buf);
        }
    }
}
