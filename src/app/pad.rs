//! A pad of 28×28 pixels to draw on.

use super::Direction;
use crate::protocol::Insides;

/// What the draw view shows.
#[derive(Debug)]
pub struct Pad {
    /// 28 rows of 28 grey values, 255 the ink.
    pub pixels: Vec<u8>,
    /// Column and row of the cursor.
    pub cursor: (u8, u8),
    /// Whether the cursor leaves ink behind.
    pub pen: bool,
    /// What the network makes of the drawing.
    pub insides: Option<Insides>,
}

impl Default for Pad {
    fn default() -> Self {
        Self { pixels: vec![0; 28 * 28], cursor: (14, 14), pen: false, insides: None }
    }
}

impl Pad {
    pub(super) fn show(&mut self, insides: Insides) {
        self.insides = Some(insides);
    }

    pub(super) fn select(&mut self, direction: Direction) {
        let _ = direction;
    }
}
