//! Where a value of an image lies, and in which order.

use std::ops::Range;

/// Scalars that kernels may read past the end of a value: two of the widest vectors.
pub(super) const SLACK: usize = 32;

/// Maps of one image, pixel after pixel with channels last, and a frame of zeros around them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Map {
    /// Where it begins among an image's values.
    pub(super) start: usize,
    pub(super) channels: usize,
    pub(super) height: usize,
    pub(super) width: usize,
    /// Pixels of the frame on each side.
    pub(super) frame: usize,
}

impl Map {
    /// Scalars, the frame included.
    pub(super) fn len(&self) -> usize {
        (self.height + 2 * self.frame) * self.row_step()
    }

    /// Scalars from one row to the next.
    pub(super) fn row_step(&self) -> usize {
        (self.width + 2 * self.frame) * self.channels
    }

    /// Where a pixel begins, from the map's start; rows and columns count from the frame's corner.
    pub(super) fn framed(&self, row: usize, column: usize) -> usize {
        row * self.row_step() + column * self.channels
    }

    /// Where a pixel begins, from the map's start.
    pub(super) fn pixel(&self, row: usize, column: usize) -> usize {
        self.framed(row + self.frame, column + self.frame)
    }

    /// Scalars of a row without its frame.
    pub(super) fn row_len(&self) -> usize {
        self.width * self.channels
    }

    /// The places of each row without its frame, from the map's start.
    pub(super) fn rows(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        let map = *self;
        // Without a frame all rows are one.
        let (rows, len) = if map.frame == 0 { (1, map.len()) } else { (map.height, map.row_len()) };
        (0..rows).map(move |row| {
            let start = map.pixel(row, 0);
            start..start + len
        })
    }

    /// The rows of two maps of the same size, whose frames may differ.
    pub(super) fn rows_with(
        &self,
        other: &Self,
    ) -> impl Iterator<Item = (Range<usize>, Range<usize>)> + use<> {
        let (map, other) = (*self, *other);
        let (rows, len) = if map.frame == 0 && other.frame == 0 {
            (1, map.len())
        } else {
            (map.height, map.row_len())
        };
        (0..rows).map(move |row| {
            let (from, to) = (map.pixel(row, 0), other.pixel(row, 0));
            (from..from + len, to..to + len)
        })
    }
}

/// An earlier value to read and a later one to write.
pub(super) fn forth<'a>(values: &'a mut [f32], from: &Map, to: &Map) -> (&'a [f32], &'a mut [f32]) {
    let (head, tail) = values.split_at_mut(to.start);
    (&head[from.start..], &mut tail[..to.len() + SLACK])
}

/// A later value to read and an earlier one to write.
pub(super) fn back<'a>(values: &'a mut [f32], from: &Map, to: &Map) -> (&'a [f32], &'a mut [f32]) {
    let (head, tail) = values.split_at_mut(from.start);
    (&tail[..from.len() + SLACK], &mut head[to.start..])
}
