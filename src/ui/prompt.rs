//! A question that is answered by typing, in place of the bottom line.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Modifier,
    text::{Line, Span},
    widgets::{Clear, Widget},
};

use super::{format, theme::Theme};
use crate::app::{App, PromptKind};

/// The open question: what was typed on the footer's row, what may be typed above it.
#[derive(Debug)]
pub(super) struct Prompt<'a> {
    app: &'a App,
    theme: &'a Theme,
}

impl<'a> Prompt<'a> {
    pub(super) fn new(app: &'a App, theme: &'a Theme) -> Self {
        Self { app, theme }
    }

    fn label(&self, kind: PromptKind) -> String {
        match kind {
            PromptKind::Step => "go to step".to_owned(),
            PromptKind::Rate => "learning rate".to_owned(),
            PromptKind::Image => format!("{} image", self.app.network.set().name()),
            PromptKind::Breakpoint => "pause at".to_owned(),
            PromptKind::Export => "save as".to_owned(),
        }
    }

    fn allowed(&self, kind: PromptKind) -> String {
        let run = &self.app.run;
        match kind {
            PromptKind::Step => {
                let last = run.info.as_ref().map_or(0, |info| info.total_steps);
                let here = format::thousands(run.step);
                format!("0 to {}; the run is at step {here}", format::thousands(last))
            }
            PromptKind::Rate => {
                let now = run.learning_rate.map(format::learning_rate);
                now.map_or_else(String::new, |now| format!("now {now}; from the next step on"))
            }
            PromptKind::Image => {
                let images = run.images_of(self.app.network.set()).unwrap_or(0);
                format!("0 to {}", format::thousands(images.saturating_sub(1)))
            }
            PromptKind::Export => {
                "NAME.txt (text with colours), NAME.svg (picture) or NAME.csv (data)".to_owned()
            }
            PromptKind::Breakpoint => {
                "epoch, step=N, loss>X, spike, spike=N, nan or accuracy>=X".to_owned()
            }
        }
    }
}

impl Widget for &Prompt<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let Some(prompt) = &self.app.prompt else { return };
        let Some(row) = area.rows().next_back() else { return };
        let (above, style) = match &prompt.error {
            Some(error) => (format!("✗ {error}"), self.theme.alert),
            None => (self.allowed(prompt.kind), self.theme.muted),
        };
        let lines = format::wrap(&above, usize::from(area.width));
        let rows = (lines.len() as u16).min(area.height - 1);
        let place = Rect { y: row.y - rows, height: rows + 1, ..area };
        Clear.render(place, buf);
        for (line, row) in lines.into_iter().zip(place.rows()) {
            if row.y < place.bottom() - 1 {
                Line::styled(line, style).render(row, buf);
            }
        }
        let verb = match prompt.kind {
            PromptKind::Step => " go",
            PromptKind::Rate => " set",
            PromptKind::Image => " show",
            PromptKind::Breakpoint => " add",
            PromptKind::Export => " save",
        };
        let line = Line::from(vec![
            Span::styled(format!("{} ", self.label(prompt.kind)), self.theme.accent),
            Span::styled(prompt.text.clone(), self.theme.figure),
            Span::styled(" ", self.theme.accent.add_modifier(Modifier::REVERSED)),
            Span::styled("   enter", self.theme.key),
            Span::styled(verb, self.theme.muted),
            Span::styled("   esc", self.theme.key),
            Span::styled(" close", self.theme.muted),
        ]);
        line.render(row, buf);
    }
}
