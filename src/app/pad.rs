//! A pad as large as the images to draw on.

mod brush;

use std::sync::Arc;

use std::collections::VecDeque;

use super::Direction;
use crate::{
    data::{DataInfo, centre::centre_in},
    protocol::Insides,
};

/// Most strokes that can be taken back.
const UNDOS: usize = 100;

/// State of the draw view.
#[derive(Debug)]
pub struct Pad {
    /// Grey values, row after row, 255 the ink.
    pub pixels: Vec<u8>,
    /// Columns and rows.
    size: (u8, u8),
    /// Column and row of the cursor.
    pub cursor: (u8, u8),
    /// Whether the cursor leaves ink behind.
    pub pen: bool,
    /// The network's answer to the drawing; `None` while there is none.
    pub insides: Option<Arc<Insides>>,
    /// Whether the mouse is in the middle of a stroke.
    dragging: bool,
    /// Earlier drawings, the newest last.
    earlier: VecDeque<Vec<u8>>,
}

impl Default for Pad {
    fn default() -> Self {
        Self::for_images(&DataInfo::default())
    }
}

/// Columns and rows of images, as far as a drawing can have them.
fn size_of(images: &DataInfo) -> (u8, u8) {
    let length = |length: usize| length.clamp(1, usize::from(u8::MAX)) as u8;
    (length(images.width()), length(images.height()))
}

impl Pad {
    /// An empty pad of the size of these images.
    pub fn for_images(images: &DataInfo) -> Self {
        let size @ (width, height) = size_of(images);
        Self {
            pixels: vec![0; usize::from(width) * usize::from(height)],
            size,
            cursor: (width / 2, height / 2),
            pen: false,
            insides: None,
            dragging: false,
            earlier: VecDeque::new(),
        }
    }

    /// Takes the size of these images, without the drawing if that is another.
    pub(super) fn fit(&mut self, images: &DataInfo) {
        if self.size != size_of(images) {
            *self = Self::for_images(images);
        }
    }

    /// Columns and rows.
    pub fn size(&self) -> (u8, u8) {
        self.size
    }

    /// The last column and the last row.
    fn last(&self) -> (u8, u8) {
        (self.size.0 - 1, self.size.1 - 1)
    }

    /// Whether nothing is drawn.
    pub fn is_empty(&self) -> bool {
        self.pixels.iter().all(|&ink| ink == 0)
    }

    pub(super) fn show(&mut self, insides: Arc<Insides>) {
        // An answer may come after the drawing it is about was cleared.
        if !self.is_empty() {
            self.insides = Some(insides);
        }
    }

    /// Puts the pen down at the cursor, which leaves a dot there, or lifts it.
    pub(super) fn toggle_pen(&mut self) {
        self.pen = !self.pen;
        if self.pen {
            self.remember();
            self.draw(self.cursor, self.cursor);
        }
    }

    /// Moves the cursor, leaving ink behind if the pen is down.
    pub(super) fn select(&mut self, direction: Direction) {
        let (x, y) = self.cursor;
        let (right, bottom) = self.last();
        let to = match direction {
            Direction::Up => (x, y.saturating_sub(1)),
            Direction::Down => (x, (y + 1).min(bottom)),
            Direction::Left => (x.saturating_sub(1), y),
            Direction::Right => ((x + 1).min(right), y),
            Direction::PageUp => (x, 0),
            Direction::PageDown => (x, bottom),
            Direction::Home => (0, y),
            Direction::End => (right, y),
        };
        if self.pen {
            self.draw((x, y), to);
        }
        self.cursor = to;
    }

    /// Puts ink on a pixel, in a line from the last one within a stroke.
    pub(super) fn stroke(&mut self, x: u8, y: u8, drag: bool) {
        let (right, bottom) = self.last();
        let to = (x.min(right), y.min(bottom));
        let goes_on = drag && self.dragging;
        if !goes_on {
            self.remember();
        }
        self.dragging = true;
        let from = if goes_on { self.cursor } else { to };
        self.draw(from, to);
        self.cursor = to;
    }

    pub(super) fn end_stroke(&mut self) {
        self.dragging = false;
    }

    pub(super) fn clear(&mut self) {
        self.replace(vec![0; self.pixels.len()]);
    }

    /// Moves and scales the drawing as MNIST's images are.
    pub(super) fn centre(&mut self) {
        let size = (self.size.0.into(), self.size.1.into());
        self.replace(centre_in(&self.pixels, size.0, size));
    }

    /// Goes back to the drawing before the last change.
    pub(super) fn undo(&mut self) {
        self.lift();
        while let Some(earlier) = self.earlier.pop_back() {
            // A stroke that changed nothing needs no undo.
            if earlier != self.pixels {
                self.set(earlier);
                break;
            }
        }
    }

    fn replace(&mut self, pixels: Vec<u8>) {
        self.lift();
        self.remember();
        self.set(pixels);
    }

    fn set(&mut self, pixels: Vec<u8>) {
        self.pixels = pixels;
        if self.is_empty() {
            self.insides = None;
        }
    }

    /// Ends any stroke, so that the next ink can be taken back by itself.
    fn lift(&mut self) {
        self.pen = false;
        self.dragging = false;
    }

    fn draw(&mut self, from: (u8, u8), to: (u8, u8)) {
        brush::line(&mut self.pixels, self.size.0.into(), from, to);
    }

    fn remember(&mut self) {
        if self.earlier.back() == Some(&self.pixels) {
            return;
        }
        if self.earlier.len() == UNDOS {
            self.earlier.pop_front();
        }
        self.earlier.push_back(self.pixels.clone());
    }
}

#[cfg(test)]
mod tests;
