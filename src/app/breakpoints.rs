//! The conditions that pause the run: which are on, which were hit, and the list of all there are.

use super::Direction;
use crate::protocol::{Break, Breakpoint};

/// A condition that a person has set, on or off.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Entry {
    breakpoint: Breakpoint,
    is_on: bool,
}

/// A line of the list.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Row {
    /// The condition, or an example of a kind of which none is set.
    pub breakpoint: Breakpoint,
    /// Whether it pauses the run; `None` for an example.
    pub is_on: Option<bool>,
    /// How often it has paused the run.
    pub hits: u64,
}

/// What a toggled line asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Toggled {
    /// Others are on now.
    Changed,
    /// A value, which is typed after this text.
    NeedsValue(&'static str),
}

/// Breakpoints as the dashboard knows them.
#[derive(Debug, Default)]
pub struct Breakpoints {
    entries: Vec<Entry>,
    hits: Vec<(Breakpoint, u64)>,
    /// Place of the chosen one in [`Breakpoints::rows`].
    pub selected: usize,
    /// Those that paused the run, all at one step, until it resumes.
    pub hit: Vec<Break>,
    /// Whether the person has dismissed the message about the hit.
    pub dismissed: bool,
}

/// A condition of each kind, in the order of the list.
const EXAMPLES: [Breakpoint; 6] = [
    Breakpoint::NotFinite,
    Breakpoint::Spike(crate::protocol::SPIKE),
    Breakpoint::LossAbove(2.0),
    Breakpoint::Epoch,
    Breakpoint::Accuracy(0.98),
    Breakpoint::Step(300),
];

impl Breakpoints {
    /// These, all of them on.
    pub(crate) fn new(breakpoints: Vec<Breakpoint>) -> Self {
        let on = |breakpoint| Entry { breakpoint, is_on: true };
        Self { entries: breakpoints.into_iter().map(on).collect(), ..Self::default() }
    }

    /// Those that pause the run, in the order they were added.
    pub fn on(&self) -> Vec<Breakpoint> {
        self.entries.iter().filter(|entry| entry.is_on).map(|entry| entry.breakpoint).collect()
    }

    /// Every kind of condition: those that are set, or an example where none is.
    pub fn rows(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        for example in EXAMPLES {
            let before = rows.len();
            let of_kind = self.entries.iter().filter(|entry| is_alike(entry.breakpoint, example));
            rows.extend(of_kind.map(|entry| Row {
                breakpoint: entry.breakpoint,
                is_on: Some(entry.is_on),
                hits: self.hits_of(entry.breakpoint),
            }));
            if rows.len() == before {
                rows.push(Row { breakpoint: example, is_on: None, hits: self.hits_of(example) });
            }
        }
        rows
    }

    fn hits_of(&self, breakpoint: Breakpoint) -> u64 {
        self.hits.iter().find(|(hit, _)| *hit == breakpoint).map_or(0, |(_, hits)| *hits)
    }

    /// The hits that are still news.
    pub fn news(&self) -> &[Break] {
        if self.dismissed { &[] } else { &self.hit }
    }

    pub(super) fn show(&mut self, hit: Break) {
        match self.hits.iter_mut().find(|(breakpoint, _)| *breakpoint == hit.breakpoint) {
            Some((_, hits)) => *hits += 1,
            None => self.hits.push((hit.breakpoint, 1)),
        }
        if self.hit.first().is_some_and(|first| first.step != hit.step) {
            self.hit.clear();
        }
        self.hit.push(hit);
        self.dismissed = false;
    }

    pub(super) fn select(&mut self, direction: Direction) {
        let last = self.rows().len().saturating_sub(1);
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
    /// Says in one sentence why it cannot be added.
    pub(super) fn add(&mut self, text: &str) -> Result<(), String> {
        let new: Breakpoint = text.parse()?;
        match self.entries.iter_mut().find(|entry| entry.breakpoint == new) {
            Some(entry) if entry.is_on => return Err(format!("{new} is already on")),
            Some(entry) => entry.is_on = true,
            None => self.entries.push(Entry { breakpoint: new, is_on: true }),
        }
        let place = self.rows().iter().position(|row| row.breakpoint == new);
        self.selected = place.unwrap_or(self.selected);
        Ok(())
    }

    /// Turns the chosen one on or off, or asks for the value that it needs.
    pub(super) fn toggle(&mut self) -> Option<Toggled> {
        let row = self.rows().get(self.selected).copied()?;
        let mut entries = self.entries.iter_mut();
        if let Some(entry) = entries.find(|entry| entry.breakpoint == row.breakpoint) {
            entry.is_on = !entry.is_on;
            return Some(Toggled::Changed);
        }
        Some(match row.breakpoint {
            Breakpoint::Step(_) => Toggled::NeedsValue("step="),
            Breakpoint::LossAbove(_) => Toggled::NeedsValue("loss>"),
            Breakpoint::Accuracy(_) => Toggled::NeedsValue("accuracy>="),
            Breakpoint::Epoch | Breakpoint::Spike(_) | Breakpoint::NotFinite => {
                self.entries.push(Entry { breakpoint: row.breakpoint, is_on: true });
                Toggled::Changed
            }
        })
    }

    /// Removes the chosen one; whether it was on.
    pub(super) fn remove(&mut self) -> bool {
        let Some(row) = self.rows().get(self.selected).copied() else { return false };
        self.entries.retain(|entry| entry.breakpoint != row.breakpoint);
        self.select(Direction::Up);
        row.is_on == Some(true)
    }
}

/// Whether two conditions differ in their values alone.
fn is_alike(one: Breakpoint, other: Breakpoint) -> bool {
    std::mem::discriminant(&one) == std::mem::discriminant(&other)
}
