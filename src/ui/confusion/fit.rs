//! How much of a matrix fits, how wide its cells are, and what its rows and columns are called.

use std::ops::Range;

use ratatui::layout::Rect;

use super::grid::{FIGURE, Grid, HEADINGS, LONG_FIGURE, ROOMY};
use crate::ui::names::{Names, cut};

/// Rows below a matrix that has rows to spare: what the cursor is on and the figures of all.
const FIGURES: u16 = 5;
/// Rows below a part of a matrix: where it is, what the cursor is on and the accuracy.
const BELOW_PART: u16 = 3;
/// Fewer rows or columns of a matrix tell nothing.
const LEAST_PART: u16 = 4;
/// Widths of a matrix cell, best first.
const CELLS: [u16; 5] = [10, 8, 6, 5, 3];
/// Columns that a row's name has at least, with a gap, if it is that long.
const LEAST_LABEL: usize = 6;
/// ... and at most.
const MOST_LABEL: usize = 24;

/// A matrix to be laid out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout<'a> {
    pub(super) names: Names<'a>,
    pub(super) classes: usize,
    /// True and predicted class of the chosen cell.
    pub(super) cursor: (usize, usize),
}

impl Layout<'_> {
    /// Whether columns of this width are headed by labels, since names cut that short would not
    /// differ.
    fn is_numbered(self, cell: u16) -> bool {
        self.names.prefixes(usize::from(cell) - 1).is_none()
    }

    /// Fewest and most columns of the rows' names.
    fn label(self, cell: u16) -> (u16, u16) {
        let widest = self.names.widest();
        let (least, most) = if self.is_numbered(cell) {
            let number = (self.classes - 1).to_string().len() + 1;
            (number, (number + widest + 1).min(MOST_LABEL))
        } else if widest == 1 {
            (2, 2)
        } else {
            ((widest + 1).min(LEAST_LABEL), (widest + 1).min(MOST_LABEL))
        };
        (least as u16, most as u16)
    }

    /// Columns beside the names and the cells.
    fn beside(cell: u16, has_table: bool) -> u16 {
        match (has_table, cell < ROOMY) {
            (true, _) => 4 * LONG_FIGURE,
            (false, true) => 0,
            (false, false) => FIGURE,
        }
    }

    /// The widest cells with which all columns fit, with the table if that fits too.
    fn cell(self, width: u16, with_table: bool) -> Option<(u16, bool)> {
        let fits = |cell: u16, has_table: bool| {
            let (label, _) = self.label(cell);
            let cells = self.classes as u16 * cell;
            label + cells + Self::beside(cell, has_table) <= width
        };
        let beside = CELLS.into_iter().find(|&cell| with_table && fits(cell, true));
        let alone = || CELLS.into_iter().find(|&cell| fits(cell, false));
        beside.map(|cell| (cell, true)).or_else(|| Some((alone()?, false)))
    }

    /// The largest matrix that fits, `with_table` beside it if that fits too; `None` if none does.
    pub(super) fn whole(self, area: Rect, with_table: bool) -> Option<Grid> {
        let classes = self.classes as u16;
        let (cell, has_table) = self.cell(area.width, with_table)?;
        if area.height < classes + HEADINGS {
            return None;
        }
        let rows = (area.height.saturating_sub(HEADINGS + FIGURES) / classes).clamp(1, 3);
        let rows_per_class = if cell < ROOMY { 1 } else { rows.min(cell / 3) };
        let all = 0..self.classes;
        Some(self.grid(area, (cell, has_table), rows_per_class, all.clone(), all))
    }

    /// The part of the matrix about the cursor that fits; `None` if it would tell nothing.
    pub(super) fn part(self, area: Rect) -> Option<Grid> {
        let (cell, has_table) =
            self.cell(area.width, true).unwrap_or((CELLS[CELLS.len() - 1], false));
        let taken = self.label(cell).0 + Self::beside(cell, has_table);
        let rows = area.height.checked_sub(HEADINGS + BELOW_PART)?;
        let columns = area.width.checked_sub(taken)? / cell;
        if rows.min(columns) < LEAST_PART.min(self.classes as u16) {
            return None;
        }
        let rows = around(self.cursor.0, rows.into(), self.classes);
        let columns = around(self.cursor.1, columns.into(), self.classes);
        Some(self.grid(area, (cell, has_table), 1, rows, columns))
    }

    fn grid(
        self,
        area: Rect,
        (cell, has_table): (u16, bool),
        rows_per_class: u16,
        rows: Range<usize>,
        columns: Range<usize>,
    ) -> Grid {
        let (least, most) = self.label(cell);
        let cells = columns.len() as u16 * cell;
        let spare = area.width.saturating_sub(least + cells + Self::beside(cell, has_table));
        // Names do not take columns from cells that are shown only in part.
        let label = if columns.len() < self.classes { least } else { most.min(least + spare) };
        let heads = self.heads(cell);
        let labels = self.labels(cell, label);
        let classes = self.classes;
        let (x, y) = (area.x, area.y);
        Grid { x, y, label, cell, rows_per_class, has_table, classes, rows, columns, heads, labels }
    }

    fn heads(self, cell: u16) -> Vec<String> {
        self.named(self.names.short(usize::from(cell) - 1))
    }

    /// What rows are called: behind the label where columns have only that.
    fn labels(self, cell: u16, columns: u16) -> Vec<String> {
        let columns = usize::from(columns) - 1;
        if !self.is_numbered(cell) {
            return self.named(self.names.short(columns));
        }
        let digits = (self.classes - 1).to_string().len();
        let name = |class| cut(&format!("{class:>digits$} {}", self.names.full(class)), columns);
        (0..self.classes).map(name).collect()
    }

    /// With labels for classes that have no name.
    fn named(self, mut names: Vec<String>) -> Vec<String> {
        names.truncate(self.classes);
        names.extend((names.len()..self.classes).map(|label| label.to_string()));
        names
    }
}

/// As many places of `all` as fit, with the chosen one in the middle where that can be.
fn around(chosen: usize, fitting: usize, all: usize) -> Range<usize> {
    let fitting = fitting.min(all);
    let first = chosen.saturating_sub(fitting / 2).min(all - fitting);
    first..first + fitting
}
