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
/// ... where other columns have to give way for it, and at most.
const ENOUGH_LABEL: usize = 11;
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
        self.names.abbreviations(usize::from(cell) - 1).is_none()
    }

    /// Fewest, enough and most columns of the rows' names.
    fn label(self, cell: u16) -> [u16; 3] {
        let widest = self.names.widest();
        let label = if self.is_numbered(cell) {
            let number = (self.classes - 1).to_string().len() + 1;
            let name = |most: usize| (number + widest + 1).min(most);
            [number, name(number + ENOUGH_LABEL), name(MOST_LABEL)]
        } else if widest == 1 {
            [2; 3]
        } else {
            [LEAST_LABEL, ENOUGH_LABEL, MOST_LABEL].map(|most| (widest + 1).min(most))
        };
        label.map(|columns| columns as u16)
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
            let [label, ..] = self.label(cell);
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
        let [least, enough, _] = self.label(cell);
        let room = area.width.checked_sub(Self::beside(cell, has_table))?;
        let all = self.classes as u16 * cell;
        let label = if least + all <= room { least } else { enough };
        let rows = area.height.checked_sub(HEADINGS + BELOW_PART)?;
        let columns = room.checked_sub(label)? / cell;
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
        let [least, enough, most] = self.label(cell);
        let cells = columns.len() as u16 * cell;
        let spare = area.width.saturating_sub(least + cells + Self::beside(cell, has_table));
        let is_part = columns.len() < self.classes;
        let label = if is_part { enough } else { most.min(least + spare) };
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
        let short = self.names.abbreviations(columns.saturating_sub(digits + 1));
        let short = |class: usize| short.as_ref().and_then(|names| names.get(class)).cloned();
        let name = |class: usize| {
            let name = short(class).unwrap_or_else(|| self.names.full(class).into_owned());
            cut(&format!("{class:>digits$} {name}"), columns)
        };
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cursor_is_on_the_screen_in_every_cell_and_all_cells_lie_within_it() {
        for classes in [3, 10, 26, 47, 100] {
            let names: Vec<String> = (0..classes).map(|class| format!("kind {class}")).collect();
            for (width, height) in [(40, 15), (80, 18), (120, 34), (200, 54), (330, 120)] {
                let area = Rect::new(3, 5, width, height);
                for cursor in (0..classes).map(|truth| (truth, (truth * 7 + 3) % classes)) {
                    let layout = Layout { names: Names::new(&names), classes, cursor };
                    let grid = layout.whole(area, true).or_else(|| layout.part(area));
                    let grid = grid.unwrap_or_else(|| panic!("{classes} at {width}×{height}"));
                    let place = grid.place(cursor.0, cursor.1).expect("the cursor's cell is shown");
                    assert_eq!(place.intersection(area), place, "{classes} at {width}×{height}");
                    let last = grid.place(grid.rows.end - 1, grid.columns.end - 1);
                    let last = last.expect("the last cell of a part is in it");
                    assert_eq!(last.intersection(area), last, "{classes} at {width}×{height}");
                    assert_eq!(
                        grid.part().is_none(),
                        grid.rows.len().min(grid.columns.len()) == classes
                    );
                }
            }
        }
    }

    #[test]
    fn a_matrix_of_digits_has_no_more_room_for_names_than_they_need() {
        let names: Vec<String> = (0..10).map(|class| class.to_string()).collect();
        let layout = Layout { names: Names::new(&names), classes: 10, cursor: (0, 0) };
        let grid = layout.whole(Rect::new(0, 0, 120, 34), true).expect("it fits");
        assert_eq!((grid.label, grid.cell, grid.has_table), (2, 8, true));
    }
}
