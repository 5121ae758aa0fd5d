//! Name, views and state.

use std::borrow::Cow;

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Modifier,
    text::{Line, Span},
    widgets::Widget,
};

use super::{format, theme::Theme};
use crate::{
    app::{Action, App, Run, View},
    keymap,
    protocol::{RunState, diverged_at},
};

/// The top line.
#[derive(Debug)]
pub(super) struct Header<'a> {
    app: &'a App,
    theme: &'a Theme,
}

/// What there is room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// The program's name and those of all views.
    All,
    /// The names of all views.
    Views,
    /// The same with short names for one and for three of them.
    Short,
    Shortest,
    /// The program's name, the name of the view shown and the keys of the others.
    Keys,
}

fn short(view: View, form: Form) -> &'static str {
    match (view, form) {
        (View::Confusion, Form::Short | Form::Shortest) => "matrix",
        (View::Overview, Form::Shortest) => "all",
        (View::Network, Form::Shortest) => "net",
        _ => view.name(),
    }
}

impl<'a> Header<'a> {
    pub(super) fn new(app: &'a App, theme: &'a Theme) -> Self {
        Self { app, theme }
    }

    /// The views with their keys, each after the one before, and what stands before the first.
    fn views(&self, form: Form) -> (Vec<Span<'static>>, Vec<Span<'static>>) {
        let mut before = Vec::new();
        if matches!(form, Form::All | Form::Keys) {
            before = vec![Span::styled("mnist-tui", self.theme.figure), Span::raw("  ")];
        }
        let views = self.app.views().map(|view| {
            let key = keymap::hint(Action::Show(view)).map_or_else(String::new, |(key, _)| key);
            let shown = view == self.app.view;
            let style = if shown {
                self.theme.accent.add_modifier(Modifier::REVERSED)
            } else {
                self.theme.muted
            };
            let text = match form {
                Form::All => format!(" {key} {} ", view.name()),
                // With a row that is full, a colour parts them as well.
                Form::Views | Form::Short | Form::Shortest => {
                    format!("{key} {} ", short(view, form))
                }
                Form::Keys if shown => format!(" {key} {} ", view.name()),
                Form::Keys => format!(" {key} "),
            };
            Span::styled(text, style)
        });
        (before, views.collect())
    }

    /// The views in the best form that fits into `width` columns.
    fn fitting(&self, width: u16) -> Option<(Vec<Span<'static>>, Vec<Span<'static>>)> {
        let forms = [Form::All, Form::Views, Form::Short, Form::Shortest, Form::Keys]
            .map(|form| self.views(form));
        let columns = |spans: &[Span<'_>]| spans.iter().map(Span::width).sum::<usize>();
        let mut forms = forms.into_iter();
        forms.find(|(before, views)| columns(before) + columns(views) < usize::from(width))
    }

    fn state(&self) -> Line<'static> {
        let run = &self.app.run;
        let stands = matches!(run.state, RunState::Paused | RunState::Done | RunState::Failed);
        let diverged = run.diverged.filter(|_| stands && !run.is_going_back());
        let style = if run.state == RunState::Failed || diverged.is_some() {
            self.theme.alert
        } else {
            self.theme.accent
        };
        if let Some(step) = diverged {
            return Line::styled(diverged_at(step), style);
        }
        let text = match (&self.app.breakpoints.hit[..], run.goal()) {
            _ if run.is_going_back() => Cow::from(state_text(run)),
            (hits @ [_, ..], _) if run.state == RunState::Paused => {
                let hit: Vec<String> = hits.iter().map(|hit| hit.breakpoint.to_string()).collect();
                format!("■ break: {}", hit.join(", ")).into()
            }
            (_, Some(step)) if run.state == RunState::Training => {
                format!("▶ to step {}", format::thousands(step)).into()
            }
            _ => Cow::from(state_text(run)),
        };
        Line::styled(text, style)
    }
}

/// Sign and word for what the worker is doing.
fn state_text(run: &Run) -> &'static str {
    match run.state {
        RunState::Failed => "✗ failed",
        _ if run.is_going_back() && !run.is_stopping() => "◀ rewinding",
        RunState::Done if run.summary.as_ref().is_some_and(|summary| summary.stopped) => {
            "■ stopped"
        }
        RunState::Done => "✓ done",
        _ if run.is_stopping() => "■ stopping",
        RunState::Paused => "‖ paused",
        RunState::Loading => "… loading",
        RunState::Training if run.is_finishing_epoch() => "▶ to epoch's end",
        RunState::Training if run.is_pausing() && !run.is_stepping() => "▶ pausing",
        RunState::Training => "▶ training",
        RunState::Evaluating => "◆ evaluating",
    }
}

/// The view whose name or key stands at a column of the top line.
pub(super) fn view_at(app: &App, theme: &Theme, area: Rect, column: u16) -> Option<View> {
    let header = Header::new(app, theme);
    let width = area.width.saturating_sub(header.state().width() as u16);
    let (before, views) = header.fitting(width)?;
    let mut end = area.x + before.iter().map(Span::width).sum::<usize>() as u16;
    let begin = end;
    let mut places = app.views().zip(&views);
    let found = places.find(|(_, text)| {
        end += text.width() as u16;
        column < end
    });
    found.filter(|_| column >= begin).map(|(view, _)| view)
}

impl Widget for &Header<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let state = self.state();
        let width = (state.width() as u16).min(area.width);
        let right = Rect { x: area.right() - width, width, ..area };
        let left = Rect { width: area.width - width, ..area };
        if let Some((before, views)) = self.fitting(left.width) {
            let line: Line<'_> = before.into_iter().chain(views).collect();
            line.render(left, buf);
        } else {
            let name = Span::styled("mnist-tui", self.theme.figure);
            let view = Span::styled(format!("  {}", self.app.view.name()), self.theme.muted);
            Line::from(vec![name, view]).render(left, buf);
        }
        state.render(right, buf);
    }
}
