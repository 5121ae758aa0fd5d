//! What each action does.

use super::{Action, App, Overlay, Prompt, PromptKind, RATE_FACTOR, View};
use crate::protocol::{Command, RunState};

impl App {
    pub(super) fn act(&mut self, action: Action) -> Vec<Command> {
        match action {
            Action::TogglePause => return self.run.toggle_pause().into_iter().collect(),
            Action::Step(batches) => return self.run.step(batches).into_iter().collect(),
            Action::FinishEpoch => return self.run.finish_epoch().into_iter().collect(),
            Action::Back(batches) => return vec![Command::Back(batches)],
            Action::BackEpoch => return vec![Command::BackEpoch],
            Action::RaiseRate => return vec![Command::ScaleLearningRate(RATE_FACTOR)],
            Action::LowerRate => return vec![Command::ScaleLearningRate(1.0 / RATE_FACTOR)],
            Action::AskStep => self.prompt = Some(Prompt::new(PromptKind::Step)),
            Action::Quicken | Action::Slow => {}
            Action::EditBreakpoints => self.overlay = Some(Overlay::Breakpoints),
            Action::Move(direction) => match self.view {
                View::Step => self.inspector.select(direction),
                View::Confusion => self.mistakes.move_cursor(direction),
                View::Network => self.network.select(direction, self.run.info.as_ref()),
                View::Mistakes => self.mistakes.select(direction),
                View::Draw => self.pad.select(direction),
                View::Overview | View::Loss => {}
            },
            Action::OlderMatrix | Action::NewerMatrix => {}
            Action::LookInside if self.view == View::Network => {
                self.prompt = Some(Prompt::new(PromptKind::Image));
            }
            Action::LookInside if self.view == View::Draw => {
                self.network.look_at_drawing(self.pad.pixels.clone());
                self.show(View::Network);
            }
            Action::LookInside => {}
            Action::Hardest => self.network.hardest(),
            Action::SwitchSet => self.network.switch_set(self.run.info.as_ref()),
            Action::Pen
            | Action::Stroke { .. }
            | Action::EndStroke
            | Action::Clear
            | Action::Undo
            | Action::Centre => {}
            Action::Type(_) | Action::Erase => {}
            Action::Show(view) => self.show(view),
            Action::NextView => self.show(self.view.shifted(1)),
            Action::PreviousView => self.show(self.view.shifted(View::ALL.len() - 1)),
            Action::ToggleLogScale => self.log_scale = !self.log_scale,
            Action::ToggleRange => self.range = self.range.other(),
            Action::ToggleHelp => {
                self.overlay =
                    if self.overlay == Some(Overlay::Help) { None } else { Some(Overlay::Help) };
            }
            Action::Dismiss => {
                if self.prompt.take().is_none() && self.overlay.take().is_none() {
                    self.notice = None;
                }
            }
            Action::Confirm => {
                if let Some(prompt) = self.prompt.take_if(|prompt| prompt.kind == PromptKind::Image)
                {
                    self.look_at_typed(prompt);
                } else if self.overlay.take() == Some(Overlay::ConfirmQuit) {
                    return self.quit();
                }
            }
            Action::Quit => {
                let at_work = matches!(
                    self.run.state,
                    RunState::Training | RunState::Evaluating | RunState::Paused
                );
                if at_work && !self.run.is_stopping() && self.overlay != Some(Overlay::ConfirmQuit)
                {
                    self.overlay = Some(Overlay::ConfirmQuit);
                } else {
                    return self.quit();
                }
            }
        }
        Vec::new()
    }

    fn show(&mut self, view: View) {
        self.view = view;
        if self.overlay == Some(Overlay::Help) {
            self.overlay = None;
        }
    }

    /// Looks at the image whose index was typed, or says why there is none and goes on asking.
    fn look_at_typed(&mut self, mut prompt: Prompt) {
        if let Err(error) = self.network.choose(&prompt.text, self.run.info.as_ref()) {
            prompt.error = Some(error);
            self.prompt = Some(prompt);
        }
    }

    /// Ends a run under way, and the session with it once the worker has answered; a second wish, or
    /// one with no run under way, ends the session at once.
    fn quit(&mut self) -> Vec<Command> {
        self.overlay = None;
        if self.run.is_under_way() && !self.run.is_stopping() {
            self.run.stop();
            return vec![Command::Stop];
        }
        self.leave = true;
        vec![Command::Stop]
    }
}
