//! The conditions that pause the run, and the one that did last.

use super::Direction;
use crate::protocol::{Break, Breakpoint};

/// Breakpoints as the dashboard knows them.
#[derive(Debug, Default)]
pub struct Breakpoints {
    /// Those that are set, in the order they were added.
    pub list: Vec<Breakpoint>,
    /// Place of the chosen one.
    pub selected: usize,
    /// The one that paused the run, until it goes on.
    pub hit: Option<Break>,
    /// Whether the person has put the news of the hit aside.
    pub dismissed: bool,
}

impl Breakpoints {
    /// The hit that is still news.
    pub fn news(&self) -> Option<&Break> {
        self.hit.as_ref().filter(|_| !self.dismissed)
    }

    pub(super) fn show(&mut self, hit: Break) {
        self.hit = Some(hit);
        self.dismissed = false;
    }

    pub(super) fn select(&mut self, direction: Direction) {
        let last = self.list.len().saturating_sub(1);
        self.selected = match direction {
            Direction::Up | Direction::Left => self.selected.saturating_sub(1),
            Direction::Down | Direction::Right => (self.selected + 1).min(last),
            Direction::PageUp | Direction::Home => 0,
            Direction::PageDown | Direction::End => last,
        };
    }

    /// Adds one and chooses it.
    ///
    /// # Errors
    ///
    /// Says in one sentence why it is not taken.
    pub(super) fn add(&mut self, text: &str) -> Result<(), String> {
        let new: Breakpoint = text.parse()?;
        if self.list.contains(&new) {
            return Err(format!("{new} is set already"));
        }
        self.selected = self.list.len();
        self.list.push(new);
        Ok(())
    }

    /// Removes the chosen one; whether there was any.
    pub(super) fn remove(&mut self) -> bool {
        if self.selected >= self.list.len() {
            return false;
        }
        self.list.remove(self.selected);
        self.selected = self.selected.min(self.list.len().saturating_sub(1));
        true
    }
}
