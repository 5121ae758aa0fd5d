//! What of a comparison is on the screen: a pure function of actions.

use super::{Comparison, Knowledge};
use crate::app::{Action, Direction, View};

/// A page of the comparison.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Page {
    /// Curves and figures.
    #[default]
    Curves,
    /// Settings that differ.
    Settings,
    /// The difference of two confusion matrices.
    Confusion,
    /// Images that one run of a pair classifies correctly and the other does not.
    Images,
}

impl Page {
    /// All pages in order.
    pub const ALL: [Self; 4] = [Self::Curves, Self::Settings, Self::Confusion, Self::Images];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Curves => "curves",
            Self::Settings => "settings",
            Self::Confusion => "confusion",
            Self::Images => "images",
        }
    }

    /// Whether it compares two runs.
    pub fn is_of_a_pair(self) -> bool {
        matches!(self, Self::Confusion | Self::Images)
    }

    fn after(self, steps: usize) -> Self {
        let place = Self::ALL.iter().position(|&page| page == self).unwrap_or(0);
        Self::ALL[(place + steps) % Self::ALL.len()]
    }
}

/// A comparison being read.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is switched by itself")]
pub struct Browser {
    /// The runs.
    pub comparison: Comparison,
    /// The page shown.
    pub page: Page,
    /// Whether axes are logarithmic.
    pub is_log: bool,
    /// Whether the training loss is drawn.
    pub shows_training: bool,
    /// Whether another screen comes back when this one is left.
    pub is_within: bool,
    /// Rows scrolled down.
    pub top: usize,
    pair: usize,
    leaves: bool,
}

impl Browser {
    /// The first page.
    pub fn new(comparison: Comparison) -> Self {
        Self {
            comparison,
            page: Page::default(),
            is_log: true,
            shows_training: true,
            is_within: false,
            top: 0,
            pair: 0,
            leaves: false,
        }
    }

    /// The two runs that are compared with each other.
    pub fn pair(&self) -> (usize, usize) {
        self.pairs().nth(self.pair).unwrap_or((0, 1))
    }

    /// All pairs of runs.
    fn pairs(&self) -> impl Iterator<Item = (usize, usize)> {
        let count = self.comparison.runs.len();
        (0..count).flat_map(move |one| (one + 1..count).map(move |other| (one, other)))
    }

    /// Whether the person has left.
    pub fn wants_to_leave(&self) -> bool {
        self.leaves
    }

    /// Takes in the predictions.
    pub fn learn(&mut self, predictions: Knowledge) {
        self.comparison.predictions = predictions;
    }

    /// Carries out an action, where a page of the screen has `rows` of `all`; whether something changed.
    pub fn act(&mut self, action: Action, rows: usize, all: usize) -> bool {
        let last = all.saturating_sub(rows);
        let pairs = self.pairs().count();
        let top = self.top.min(last);
        match action {
            Action::Quit | Action::Dismiss => self.leaves = true,
            Action::Show(view) => match page_of(view) {
                Some(page) => self.show(page),
                None => return false,
            },
            Action::NextView => self.show(self.page.after(1)),
            Action::PreviousView => self.show(self.page.after(Page::ALL.len() - 1)),
            Action::ToggleLogScale if self.page == Page::Curves => self.is_log = !self.is_log,
            Action::SwitchSet if self.page == Page::Curves => {
                self.shows_training = !self.shows_training;
            }
            Action::NewerMatrix if self.page.is_of_a_pair() && pairs > 1 => {
                self.turn_to((self.pair + 1) % pairs);
            }
            Action::OlderMatrix if self.page.is_of_a_pair() && pairs > 1 => {
                self.turn_to((self.pair + pairs - 1) % pairs);
            }
            Action::Move(direction) => {
                self.top = match direction {
                    Direction::Up => top.saturating_sub(1),
                    Direction::Down => (top + 1).min(last),
                    Direction::PageUp => top.saturating_sub(rows.max(1)),
                    Direction::PageDown => (top + rows.max(1)).min(last),
                    Direction::Home => 0,
                    Direction::End => last,
                    Direction::Left | Direction::Right => top,
                };
            }
            _ => return false,
        }
        true
    }

    fn show(&mut self, page: Page) {
        if page != self.page {
            self.page = page;
            self.top = 0;
        }
    }

    fn turn_to(&mut self, pair: usize) {
        self.pair = pair;
        self.top = 0;
    }
}

/// The page behind the key of a view of the dashboard.
fn page_of(view: View) -> Option<Page> {
    let place = View::ALL.iter().position(|&one| one == view)?;
    Page::ALL.get(place).copied()
}
