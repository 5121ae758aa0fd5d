//! The keys that matter now.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
    widgets::Widget,
};

use super::theme::Theme;
use crate::{
    app::{Action, App, Direction, Overlay, View},
    keymap,
    protocol::RunState,
};

/// The bottom line.
#[derive(Debug)]
pub(super) struct Footer<'a> {
    app: &'a App,
    theme: &'a Theme,
}

impl<'a> Footer<'a> {
    pub(super) fn new(app: &'a App, theme: &'a Theme) -> Self {
        Self { app, theme }
    }

    /// Actions, most useful first, with another name where the key table's does not fit the state.
    fn actions(&self) -> Vec<(Action, Option<&'static str>)> {
        match self.app.overlay {
            Some(Overlay::ConfirmQuit) => {
                return vec![(Action::Confirm, None), (Action::Dismiss, Some("no, train on"))];
            }
            Some(Overlay::Help | Overlay::Failure | Overlay::Breakpoints) => {
                return vec![(Action::Dismiss, None), (Action::Quit, None)];
            }
            None => {}
        }
        let run = &self.app.run;
        let mut actions = match run.state {
            RunState::Paused => vec![
                (Action::TogglePause, Some("train on")),
                (Action::Step(1), None),
                (Action::Step(10), None),
                (Action::FinishEpoch, None),
            ],
            RunState::Training | RunState::Evaluating if !run.is_stopping() => vec![
                (Action::TogglePause, if run.is_pausing() { Some("train on") } else { None }),
                (Action::Step(1), None),
                (Action::FinishEpoch, None),
            ],
            _ => Vec::new(),
        };
        if matches!(run.state, RunState::Done | RunState::Failed) {
            actions.push((Action::Quit, None));
        }
        // What the view is for comes right after what the run needs most.
        let own = actions.len().min(1);
        actions.splice(own..own, self.of_view());
        if matches!(self.app.view, View::Overview | View::Loss) {
            actions.push((Action::ToggleLogScale, self.app.log_scale.then_some("linear scale")));
        }
        actions.push((Action::NextView, None));
        actions.push((Action::ToggleHelp, None));
        if !matches!(run.state, RunState::Done | RunState::Failed) {
            actions.push((Action::Quit, None));
        }
        actions
    }

    /// Actions that only this view has, most useful first.
    fn of_view(&self) -> Vec<(Action, Option<&'static str>)> {
        match self.app.view {
            View::Network => vec![
                (Action::Move(Direction::Left), Some("image")),
                (Action::Move(Direction::Up), Some("stage")),
                (Action::Hardest, Some("worst")),
                (Action::SwitchSet, Some("set")),
                (Action::LookInside, Some("index")),
            ],
            _ => Vec::new(),
        }
    }
}

impl Widget for &Footer<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let mut hints: Vec<(String, &'static str)> = self
            .actions()
            .into_iter()
            .filter_map(|(action, name)| {
                let (key, short) = match action {
                    Action::Move(Direction::Left) => ("←→".to_owned(), ""),
                    Action::Move(Direction::Up) => ("↑↓".to_owned(), ""),
                    _ => keymap::hint(action)?,
                };
                Some((key, name.unwrap_or(short)))
            })
            .collect();
        // The last two, help and quit, stay longest.
        while width(&hints) > usize::from(area.width) && hints.len() > 2 {
            hints.remove(hints.len() - 3);
        }
        let mut line = Line::default();
        for (key, name) in hints {
            line.push_span(Span::styled(key, self.theme.key));
            line.push_span(Span::styled(format!(" {name}{GAP}"), self.theme.muted));
        }
        line.render(area, buf);
    }
}

const GAP: &str = "   ";

fn width(hints: &[(String, &'static str)]) -> usize {
    let each = hints.iter().map(|(key, name)| key.chars().count() + 1 + name.chars().count());
    each.sum::<usize>() + GAP.len() * hints.len().saturating_sub(1)
}
