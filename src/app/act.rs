//! What each action does.

use std::mem;

use super::{Action, App, Direction, Overlay, Prompt, PromptKind, RATE_FACTOR, Target, View};
use crate::{
    printable::thousands,
    protocol::{Command, ImageSet, RunState},
};

impl App {
    pub(super) fn act(&mut self, action: Action) -> Vec<Command> {
        if action.is_about_the_run() && self.only_watches() {
            return Vec::new();
        }
        self.why.stop_exploring();
        if !self.has_use(action) {
            return Vec::new();
        }
        match action {
            // The session sees to it; only a sweep has tables to sort.
            Action::Suspend | Action::Redraw | Action::SortByNext | Action::ReverseOrder => {}
            Action::TogglePause => return self.run.toggle_pause().into_iter().collect(),
            Action::Step(batches) => return self.run.step(batches).into_iter().collect(),
            Action::FinishEpoch => return self.run.finish_epoch().into_iter().collect(),
            Action::Evaluate => return self.evaluate(),
            Action::Keep => {
                self.asked.checkpoint = true;
                return vec![Command::Checkpoint];
            }
            Action::Back(batches) => {
                return self.run.go_back(Command::Back(batches)).into_iter().collect();
            }
            Action::BackEpoch => return self.run.go_back(Command::BackEpoch).into_iter().collect(),
            Action::RaiseRate => return self.scale_rate(RATE_FACTOR),
            Action::LowerRate => return self.scale_rate(1.0 / RATE_FACTOR),
            Action::Quicken => return self.run.change_pace(true).into_iter().collect(),
            Action::Slow => return self.run.change_pace(false).into_iter().collect(),
            Action::Recover => return self.recover(),
            Action::AskStep => self.ask(PromptKind::Step),
            Action::AskRate => self.ask_rate(),
            Action::EditBreakpoints => self.toggle(Overlay::Breakpoints),
            Action::AddBreakpoint => self.ask(PromptKind::Breakpoint),
            Action::ToggleBreakpoint => return self.toggle_breakpoint(),
            Action::RemoveBreakpoint => return self.remove_breakpoint(),
            Action::Move(direction) => self.go(direction),
            Action::Choose(target) => self.choose(target),
            Action::Point(step) => self.point_at(step),
            Action::Zoom { closer } => self.zoom(closer),
            Action::OlderMatrix => self.pin_older(),
            Action::NewerMatrix => self.pin_newer(),
            Action::NextParameter => self.inspector.select_parameter(true),
            Action::PreviousParameter => self.inspector.select_parameter(false),
            Action::Enlarge => self.tile_size = self.tile_size.other(),
            Action::SwitchPlane => self.switch_plane(),
            Action::NextList => self.mistakes.list = self.mistakes.list.next(),
            Action::LookInside => self.look_inside(),
            Action::Hardest => self.network.hardest(),
            Action::Explain => self.explain(),
            Action::Export => self.prompt = Some(Prompt::new(PromptKind::Export)),
            Action::ExplainNextClass => self.explain_next_class(),
            Action::SwitchSet => self.network.switch_set(self.run.info.as_ref()),
            Action::Pen => self.pad.toggle_pen(),
            Action::Stroke { x, y, drag } => self.pad.stroke(x, y, drag),
            Action::EndStroke => self.pad.end_stroke(),
            Action::Clear => self.pad.clear(),
            Action::Undo => self.pad.undo(),
            Action::Centre => self.pad.centre(),
            Action::Type(c) => self.prompt.iter_mut().for_each(|prompt| prompt.type_in(c)),
            Action::Erase => self.prompt.iter_mut().for_each(Prompt::erase),
            Action::Show(view) => self.show(view),
            Action::NextView | Action::PreviousView => {
                let views: Vec<View> = self.views().collect();
                let by = if action == Action::NextView { 1 } else { views.len() - 1 };
                self.show(self.view.shifted(by, &views));
            }
            Action::ToggleLogScale => self.toggle_log_scale(),
            Action::ToggleRange => self.next_range(),
            Action::ShowOriginals => self.shows_originals = !self.shows_originals,
            Action::ToggleHelp => {
                self.help_page = 0;
                self.toggle(Overlay::Help);
            }
            Action::Dismiss => self.dismiss(),
            Action::Confirm => return self.confirm(),
            Action::Quit => {
                self.prompt = None;
                let at_work = matches!(
                    self.run.state,
                    RunState::Training | RunState::Evaluating | RunState::Paused
                );
                if at_work
                    && !self.looks_on
                    && !self.run.is_stopping()
                    && self.overlay != Some(Overlay::ConfirmQuit)
                {
                    self.overlay = Some(Overlay::ConfirmQuit);
                } else {
                    return self.quit();
                }
            }
        }
        Vec::new()
    }

    /// Evaluates now, unless the network as it is was evaluated before.
    fn evaluate(&mut self) -> Vec<Command> {
        let step = self.run.step;
        let stands = matches!(self.run.state, RunState::Paused | RunState::Done);
        if stands && !self.run.is_going_back() && self.epochs.at(step).is_some() {
            self.messages.inform(format!("Step {} is already evaluated.", thousands(step)));
            return Vec::new();
        }
        let command = self.run.evaluate();
        self.asked.evaluation |= command.is_some();
        command.into_iter().collect()
    }

    fn scale_rate(&mut self, factor: f64) -> Vec<Command> {
        if !self.rate_can_change() {
            return Vec::new();
        }
        self.run.scale_rate(factor).into_iter().collect()
    }

    fn ask_rate(&mut self) {
        if self.rate_can_change() {
            self.ask(PromptKind::Rate);
        }
    }

    /// Whether another learning rate would apply to any step; says why where it would not.
    fn rate_can_change(&mut self) -> bool {
        let has_ended = self.run.is_at_its_end();
        if has_ended {
            self.messages.inform("The run has ended: rewind it before you change the rate.");
        }
        !has_ended
    }

    /// Moves what is chosen on top or, with nothing there, in the view.
    fn go(&mut self, direction: Direction) {
        match (&self.prompt, self.overlay) {
            (Some(_), _) => return,
            (None, Some(Overlay::Breakpoints)) => return self.breakpoints.select(direction),
            (None, Some(Overlay::Help)) => return self.turn_help(direction),
            (None, _) => {}
        }
        match self.view {
            View::Step => self.inspector.select(direction, self.tiles),
            View::Confusion => self.move_cursor(direction),
            View::Network => {
                self.network.select(direction, self.run.info.as_ref(), self.tiles.parts);
            }
            View::Mistakes => self.mistakes.select(direction, self.tiles),
            View::Draw => self.pad.select(direction),
            View::Why => self.select_explained(direction),
            View::Loss | View::Machine => self.move_crosshair(direction),
            View::Overview => {}
        }
    }

    /// Whether the run takes no commands from here, which a message then says.
    pub(super) fn only_watches(&mut self) -> bool {
        if self.looks_on {
            self.messages.inform("You are watching this run: another program controls it.");
        }
        self.looks_on
    }

    /// Chooses what was clicked, or opens it if it was chosen before.
    fn choose(&mut self, target: Target) {
        match target {
            Target::Cell(truth, predicted) => {
                let is_again =
                    self.view == View::Confusion && self.mistakes.cursor == (truth, predicted);
                self.mistakes.cursor = (truth, predicted);
                self.show(View::Confusion);
                if is_again {
                    self.open_chosen();
                }
            }
            Target::Image(place) if self.view == View::Mistakes => {
                if mem::replace(&mut self.mistakes.selected, place) == place {
                    self.open_chosen();
                }
            }
            Target::Image(place) => {
                if mem::replace(&mut self.inspector.selected, place) == place {
                    self.look_inside();
                }
            }
            Target::Stage(page) => self.network.show_stage(page),
            Target::Point(place) => {
                if mem::replace(&mut self.why.point, place) == place {
                    self.open_chosen();
                }
            }
        }
    }

    fn show(&mut self, view: View) {
        if view != self.view {
            self.why.leave();
        }
        self.view = view;
        if let Some(Overlay::Help | Overlay::Breakpoints) = self.overlay {
            self.overlay = None;
        }
    }

    fn toggle(&mut self, overlay: Overlay) {
        self.overlay = if self.overlay == Some(overlay) { None } else { Some(overlay) };
    }

    fn turn_help(&mut self, direction: Direction) {
        self.help_page = match direction {
            Direction::Down | Direction::Right | Direction::PageDown => self.help_page + 1,
            Direction::Up | Direction::Left | Direction::PageUp => self.help_page.saturating_sub(1),
            Direction::Home | Direction::End => 0,
        };
    }

    /// Closes what is on top.
    fn dismiss(&mut self) {
        if self.prompt.take().is_none() && self.overlay.take().is_none() && !self.messages.dismiss()
        {
            if let Some(offer) = self.recovery_offer() {
                self.declined = Some(offer.diverged);
                self.breakpoints.dismissed = true;
            } else if !self.breakpoints.news().is_empty() {
                self.breakpoints.dismissed = true;
            } else if !self.leave_crosshair() {
                self.close_chosen();
            }
        }
    }

    fn confirm(&mut self) -> Vec<Command> {
        if self.prompt.is_some() {
            return self.answer();
        }
        match self.overlay.take() {
            Some(Overlay::ConfirmQuit) => return self.quit(),
            None if self.crosshair().is_some() => return self.go_to_crosshair(),
            Some(_) => {}
            None => self.open_chosen(),
        }
        Vec::new()
    }

    /// Sends the chosen image to the network view, or asks there which one to show.
    fn look_inside(&mut self) {
        match self.view {
            View::Step if self.inspection().is_some() => {
                if let Some(chosen) = self.inspector.chosen() {
                    self.network.open(ImageSet::Train, chosen.index);
                    self.show(View::Network);
                }
            }
            View::Mistakes | View::Why => self.open_chosen(),
            View::Draw => {
                self.network.look_at_drawing(self.pad.pixels.clone());
                // The pad has the answer already, and the network view has not.
                self.asked.subject = None;
                self.show(View::Network);
            }
            View::Network => self.ask(PromptKind::Image),
            _ => {}
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
