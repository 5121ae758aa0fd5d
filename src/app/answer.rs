//! Questions that are answered by typing: opening them, and what the answers do.

use super::{App, Export, Prompt, PromptKind, breakpoints::Toggled};
use crate::protocol::{Command, RunState};

impl App {
    pub(super) fn ask(&mut self, kind: PromptKind) {
        // A run that has failed goes nowhere, but what is known of it can be looked at. Of one that is watched
        // the checkpoint answers.
        if self.run.state != RunState::Failed || self.looks_on {
            self.prompt = Some(Prompt::new(kind));
        }
    }

    /// Does what the open question was answered with, or says why not.
    pub(super) fn answer(&mut self) -> Vec<Command> {
        let Some(mut prompt) = self.prompt.take() else { return Vec::new() };
        let taken = match prompt.kind {
            PromptKind::Step => prompt.number().and_then(|step| self.run.go_to(step)),
            PromptKind::Rate => prompt.rate().map(|rate| self.run.set_rate(rate)),
            PromptKind::Image => {
                self.network.choose(&prompt.text, self.run.info.as_ref()).map(|()| None)
            }
            PromptKind::Export => Export::named(&prompt.text).map(|export| {
                self.export = Some(export);
                None
            }),
            PromptKind::Breakpoint => {
                self.breakpoints.add(&prompt.text).map(|()| Some(self.set_breakpoints()))
            }
        };
        match taken {
            Ok(command) => command.into_iter().collect(),
            Err(error) => {
                prompt.error = Some(error);
                self.prompt = Some(prompt);
                Vec::new()
            }
        }
    }

    pub(super) fn remove_breakpoint(&mut self) -> Vec<Command> {
        if self.run.is_attended() && self.breakpoints.remove() {
            vec![self.set_breakpoints()]
        } else {
            Vec::new()
        }
    }

    pub(super) fn toggle_breakpoint(&mut self) -> Vec<Command> {
        if !self.run.is_attended() {
            return Vec::new();
        }
        match self.breakpoints.toggle() {
            None => Vec::new(),
            Some(Toggled::Changed) => vec![self.set_breakpoints()],
            Some(Toggled::NeedsValue(condition)) => {
                self.ask(PromptKind::Breakpoint);
                if let Some(prompt) = &mut self.prompt {
                    prompt.paste(condition);
                }
                Vec::new()
            }
        }
    }

    fn set_breakpoints(&self) -> Command {
        Command::SetBreakpoints(self.breakpoints.on())
    }
}
