//! The cell chosen in the confusion matrix, and lists of the images of a cell or of all.

use super::{App, Direction, Matrix, Tiles, View};
use crate::protocol::{Found, ImageHistory, List, Query, RankedDigit};

/// State of the confusion and mistakes views.
#[derive(Debug, Default)]
pub struct Mistakes {
    /// True and predicted class of the chosen cell.
    pub cursor: (u8, u8),
    /// The cell whose images are shown; all images otherwise.
    pub cell: Option<(u8, u8)>,
    /// Which images are listed.
    pub list: List,
    /// The newest answer.
    pub found: Option<Found>,
    /// Place of the chosen image among those found.
    pub selected: usize,
}

impl Mistakes {
    /// The question of the mistakes view about an evaluation.
    pub(super) fn query(&self, of: Matrix<'_>) -> Query {
        Query { step: of.step, set: of.evaluation.set, cell: self.cell, list: self.list }
    }

    /// Takes an answer; the chosen image stays chosen if it is there again.
    pub(super) fn show(&mut self, found: Found) {
        let before = self.found.as_ref().and_then(|found| {
            let Query { cell, list, .. } = found.query;
            Some(((found.set, cell, list), found.digits.get(self.selected)?.index))
        });
        let of = (found.set, found.query.cell, found.query.list);
        self.selected = before
            .filter(|&(before, _)| before == of)
            .and_then(|(_, index)| found.digits.iter().position(|it| it.index == index))
            .unwrap_or(0);
        self.found = Some(found);
    }

    /// The answer for the list and the cell that are to be shown; `None` until it is here.
    pub fn list(&self) -> Option<&Found> {
        let is_shown = |query: Query| (query.list, query.cell) == (self.list, self.cell);
        self.found.as_ref().filter(|found| is_shown(found.query))
    }

    /// The chosen image; `None` where there are none.
    pub fn chosen(&self) -> Option<&RankedDigit> {
        self.list()?.digits.get(self.selected)
    }

    /// The steps of the chosen image's history, and what was made of it after each; `None` where nothing
    /// is known of its past.
    pub fn history(&self) -> Option<(&[u64], &ImageHistory)> {
        let found = self.list()?;
        let history = found.histories.get(self.selected)?;
        (!found.steps.is_empty()).then_some((&found.steps, history))
    }

    /// Moves over a matrix of `classes` classes. A page goes to the first or the last row, home and end
    /// to the sides.
    pub(super) fn move_cursor(&mut self, direction: Direction, classes: usize) {
        let last = classes.saturating_sub(1).min(usize::from(u8::MAX)) as u8;
        let (truth, predicted) = &mut self.cursor;
        match direction {
            Direction::Up => *truth = truth.saturating_sub(1),
            Direction::Down => *truth = (*truth + 1).min(last),
            Direction::Left => *predicted = predicted.saturating_sub(1),
            Direction::Right => *predicted = (*predicted + 1).min(last),
            Direction::PageUp => *truth = 0,
            Direction::PageDown => *truth = last,
            Direction::Home => *predicted = 0,
            Direction::End => *predicted = last,
        }
    }

    pub(super) fn select(&mut self, direction: Direction, tiles: Tiles) {
        let images = self.list().map_or(0, |found| found.digits.len());
        self.selected = tiles.moved(self.selected, images, direction);
    }
}

impl App {
    pub(super) fn move_cursor(&mut self, direction: Direction) {
        let classes = self
            .matrix()
            .map_or(self.run.set().classes.len(), |matrix| matrix.evaluation.confusion.classes());
        self.mistakes.move_cursor(direction, classes);
    }

    /// Opens what is chosen: a cell's images, an image in the network view, or a pixel of a feature map there.
    pub(super) fn open_chosen(&mut self) {
        match self.view {
            View::Confusion if self.matrix().is_some() => {
                self.mistakes.cell = Some(self.mistakes.cursor);
                self.view = View::Mistakes;
            }
            View::Mistakes => {
                let Some(set) = self.mistakes.list().map(|found| found.set) else { return };
                let Some(index) = self.mistakes.chosen().map(|chosen| chosen.index) else { return };
                self.network.open(set, index);
                self.view = View::Network;
            }
            View::Network => self.enter_map(),
            View::Why => self.open_explained(),
            _ => {}
        }
    }

    fn enter_map(&mut self) {
        let is_open = self.network.pixel.is_some() || self.network.insides().is_none();
        if !is_open && !self.network.enter_map() {
            self.messages.inform("This network has no convolution to look into.");
        }
    }

    /// Goes back from a pixel to its network, from a cell's images to all, from another list to the hardest, from those to the matrix, and from an older matrix to
    /// the newest.
    pub(super) fn close_chosen(&mut self) {
        match self.view {
            View::Mistakes if self.mistakes.cell.is_some() => self.mistakes.cell = None,
            View::Mistakes if self.mistakes.list != List::Hardest => {
                self.mistakes.list = List::Hardest;
            }
            View::Mistakes => self.view = View::Confusion,
            View::Overview | View::Confusion => self.unpin(),
            View::Network => self.network.pixel = None,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
