//! Questions that are answered by typing: opening them, and what the answers do.

use super::{App, Prompt, PromptKind};
use crate::protocol::{Command, ImageSet, RunState, Subject};

impl App {
    pub(super) fn ask(&mut self, kind: PromptKind) {
        // A run that has failed goes nowhere, but what is known of it can be looked at.
        if self.run.state != RunState::Failed {
            self.prompt = Some(Prompt::new(kind));
        }
    }

    /// Does what the open question was answered with, or says why not.
    pub(super) fn answer(&mut self) -> Vec<Command> {
        let Some(mut prompt) = self.prompt.take() else { return Vec::new() };
        let taken = match prompt.kind {
            PromptKind::Step => prompt.number().and_then(|step| self.run.go_to(step)),
            PromptKind::Image => {
                prompt.number().and_then(|index| self.look_at(index)).map(|()| None)
            }
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

    fn set_breakpoints(&self) -> Command {
        Command::SetBreakpoints(self.breakpoints.list.clone())
    }

    /// The set that the network view takes images from.
    pub fn image_set(&self) -> ImageSet {
        match self.network.subject {
            Subject::Image { set, .. } => set,
            Subject::Hardest | Subject::Drawn(_) => ImageSet::default(),
        }
    }

    /// Shows an image of the set that the network view is at.
    fn look_at(&mut self, index: u64) -> Result<(), String> {
        let set = self.image_set();
        let images = self.run.images_of(set).ok_or("the data is not read yet")?;
        match u32::try_from(index) {
            Ok(index) if u64::from(index) < images => {
                self.network.subject = Subject::Image { set, index };
                Ok(())
            }
            _ => Err(format!("there are only {images} {} images, counted from 0", set.name())),
        }
    }
}
