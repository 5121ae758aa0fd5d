//! The message row: an alert, a report of success, or why the run was paused.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Style,
    text::Line,
    widgets::{Clear, Widget},
};

use super::{format, theme::Theme};
use crate::{
    app::{Action, App, Recovery, View},
    keymap,
    protocol::{Breakpoint, diverged_at},
};

/// The message to show; nothing where there is none.
#[derive(Debug)]
pub(super) struct News<'a> {
    app: &'a App,
    theme: &'a Theme,
}

/// A sentence, the key that leads on from it, and how it looks.
struct Text {
    sentence: String,
    hint: Option<String>,
    style: Style,
}

impl<'a> News<'a> {
    pub(super) fn new(app: &'a App, theme: &'a Theme) -> Self {
        Self { app, theme }
    }

    fn text(&self) -> Option<Text> {
        if let Some(message) = self.app.messages.shown() {
            let (hint, style) = if message.is_alert {
                (Some("(esc)".to_owned()), self.theme.alert)
            } else {
                (None, Style::new())
            };
            return Some(Text { sentence: message.text.clone(), hint, style });
        }
        let hits = self.app.breakpoints.news();
        if let Some(Recovery { diverged, step, learning_rate }) = self.app.recovery_offer() {
            let reason = hits.iter().find(|hit| hit.breakpoint == Breakpoint::NotFinite);
            let reason = reason.map_or_else(String::new, |hit| format!(": {}", hit.reason));
            let key = keymap::hint(Action::Recover).map_or_else(String::new, |(key, _)| key);
            let step = format::thousands(step);
            let rate = format::learning_rate(learning_rate);
            return Some(Text {
                sentence: format!("{}{reason}.", diverged_at(diverged)),
                hint: Some(format!("({key} rewinds to step {step} and sets lr {rate})")),
                style: self.theme.alert,
            });
        }
        if hits.is_empty() {
            return None;
        }
        let is_of_batch = hits.iter().any(|hit| match hit.breakpoint {
            Breakpoint::LossAbove(_) | Breakpoint::Spike(_) | Breakpoint::NotFinite => true,
            Breakpoint::Epoch | Breakpoint::Step(_) | Breakpoint::Accuracy(_) => false,
        });
        let step = keymap::hint(Action::Show(View::Step));
        let is_shown = is_of_batch && self.app.view != View::Step && !self.app.looks_on;
        let step = step.filter(|_| is_shown);
        let hint = step.map_or_else(|| "(esc)".to_owned(), |(key, _)| format!("({key} shows it)"));
        let reasons: Vec<&str> = hits.iter().map(|hit| hit.reason.as_str()).collect();
        let sentence = format!("■ {}", reasons.join("; "));
        Some(Text { sentence, hint: Some(hint), style: self.theme.alert })
    }

    /// The rows of the message in this many columns: at most `most`, of which the last says that there is
    /// more.
    fn lines(&self, width: u16, most: u16) -> Option<(Vec<String>, Style)> {
        let Text { sentence, hint, style } = self.text()?;
        let (width, rows) = (usize::from(width), usize::from(most).max(1));
        let mut lines = format::wrap(&sentence, width);
        if lines.len() > rows {
            lines.truncate(rows);
            lines[rows - 1].push('…');
        }
        if let Some(hint) = hint {
            // Behind the text, or in place of its end where there is no room for it.
            let room = width.saturating_sub(hint.chars().count() + 1);
            let is_full = lines.len() == rows;
            match lines.last_mut() {
                Some(last) if is_full || last.chars().count() <= room => {
                    *last = format!("{} {hint}", format::cut(last, room));
                }
                _ => lines.push(hint),
            }
        }
        Some((lines, style))
    }

    /// Rows that it needs, of at most `most`.
    pub(super) fn rows(&self, width: u16, most: u16) -> u16 {
        self.lines(width, most).map_or(0, |(lines, _)| lines.len() as u16)
    }

    /// Draws it from the top of `area` down.
    pub(super) fn render(&self, area: Rect, buf: &mut Buffer) {
        let Some((lines, style)) = self.lines(area.width, area.height) else { return };
        let place = Rect { height: lines.len() as u16, ..area }.intersection(area);
        Clear.render(place, buf);
        for (line, row) in lines.into_iter().zip(place.rows()) {
            Line::styled(line, style).render(row, buf);
        }
    }
}
