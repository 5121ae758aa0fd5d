//! What a screen shows of many things, and moving over images that stand in rows.

use super::Direction;

/// How many images the view shows side by side and below each other, and on how many screens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tiles {
    /// Images in a row.
    pub columns: usize,
    /// Rows of a screen; of the distributions, the layers that have room.
    pub rows: usize,
    /// Screens that the chosen stage of the network takes.
    pub parts: usize,
}

/// How large the images of a view of many are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TileSize {
    /// As many as there is room for.
    #[default]
    Small,
    /// Few, pixel by pixel.
    Large,
}

impl TileSize {
    /// The other one.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Small => Self::Large,
            Self::Large => Self::Small,
        }
    }
}

impl Default for Tiles {
    /// Those of a terminal of 80×24 cells.
    fn default() -> Self {
        Self { columns: 5, rows: 2, parts: 1 }
    }
}

impl Tiles {
    /// The place of the image in `direction` from the one at `place`, of `count` images.
    ///
    /// Up and down keep the column; only the last row may have none there.
    pub(super) fn moved(self, place: usize, count: usize, direction: Direction) -> usize {
        let Some(last) = count.checked_sub(1) else { return 0 };
        let (columns, place) = (self.columns.max(1), place.min(last));
        let page = columns * self.rows.max(1);
        let up = |by: usize| if place < by { place % columns } else { place - by };
        let down = |by: usize| {
            let in_last_row = place / columns == last / columns;
            if in_last_row { place } else { (place + by).min(last) }
        };
        match direction {
            Direction::Up => up(columns),
            Direction::Down => down(columns),
            Direction::Left => place.saturating_sub(1),
            Direction::Right => (place + 1).min(last),
            Direction::PageUp => up(page),
            Direction::PageDown => down(page),
            Direction::Home => 0,
            Direction::End => last,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_and_pages_are_as_long_as_the_screen_has_them() {
        use Direction::{Down, End, Home, Left, PageDown, PageUp, Right, Up};

        let tiles = Tiles { columns: 4, rows: 3, parts: 1 };
        let mut place = 5;
        let mut go = |direction| {
            place = tiles.moved(place, 30, direction);
            place
        };
        let moves = [Up, Left, Up, Left, Down, Right, PageDown, PageDown, PageDown, Down, PageUp];
        assert_eq!(moves.map(&mut go), [1, 0, 0, 0, 4, 5, 17, 29, 29, 29, 17]);
        assert_eq!([End, Right, Home].map(go), [29, 29, 0]);
    }

    #[test]
    fn nothing_is_chosen_among_no_images_whatever_the_size() {
        for tiles in [Tiles { columns: 0, rows: 0, parts: 0 }, Tiles::default()] {
            assert_eq!(tiles.moved(7, 0, Direction::Down), 0);
            assert_eq!(tiles.moved(7, 3, Direction::Right), 2);
        }
    }
}
