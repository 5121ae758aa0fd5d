//! How much of a matrix fits, how wide its cells are, and the names of its rows and columns.

use std::ops::Range;

use ratatui::layout::Rect;

use super::{
    grid::{Grid, HEADINGS, Side},
    history,
};
use crate::ui::names::{Names, cut};

/// Rows below a matrix that has rows to spare: the cursor's line and the figures of all.
const FIGURES: u16 = 5;
/// Rows below a part of a matrix: its position, the cursor's line and the accuracy.
const BELOW_PART: u16 = 3;
/// Fewer rows or columns of a matrix say nothing.
const LEAST_PART: u16 = 4;
/// Widths of a matrix cell.
const CELLS: [u16; 6] = [10, 8, 6, 5, 4, 3];
/// The narrowest of them.
const NARROWEST: u16 = 3;
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
    /// The most images of a class: the largest count that a cell can have.
    pub(super) support: u32,
    /// True and predicted class of the chosen cell.
    pub(super) cursor: (usize, usize),
}

/// Widths that all columns of a matrix fit with.
#[derive(Clone, Copy, Debug)]
struct Fit {
    cell: u16,
    side: Side,
}

impl Layout<'_> {
    /// Whether columns of this width are headed by numbers, since names cut that short would not
    /// differ or say nothing.
    fn is_numbered(self, cell: u16) -> bool {
        self.names.abbreviations(usize::from(cell) - 1).is_none()
    }

    /// Fewest, enough and most columns of the rows' names.
    fn label(self, cell: u16) -> [u16; 3] {
        let widest = self.names.widest();
        let label = if self.is_numbered(cell) {
            let number = (self.classes - 1).to_string().len() + 1;
            let name = |most: usize| (number + widest + 1).min(most);
            [name(number + LEAST_LABEL - 1), name(number + ENOUGH_LABEL), name(MOST_LABEL)]
        } else if widest == 1 {
            [2; 3]
        } else {
            [LEAST_LABEL, ENOUGH_LABEL, MOST_LABEL].map(|most| (widest + 1).min(most))
        };
        label.map(|columns| columns as u16)
    }

    /// Columns that a count of a whole class takes with a gap.
    fn roomy(self) -> u16 {
        (self.support.max(1).ilog10() as u16 + 2).clamp(NARROWEST, 6)
    }

    /// Columns to spare when the names of rows take `label` of them; `None` where they do not fit.
    fn spare(self, width: u16, label: u16, Fit { cell, side }: Fit) -> Option<u16> {
        width.checked_sub(label + self.classes as u16 * cell + side.columns())
    }

    /// The best cells with which all columns fit: with room for every count, then for the most
    /// important figures and for names, then for all figures, a history and wide columns.
    fn fit(self, width: u16, in_full: bool) -> Option<Fit> {
        let sides: &[Side] = if in_full { &Side::IN_FULL } else { &Side::IN_PART };
        let all =
            CELLS.into_iter().flat_map(|cell| sides.iter().map(move |&side| Fit { cell, side }));
        let fitting = all.filter(|&fit| {
            let [least, ..] = self.label(fit.cell);
            self.spare(width, least, fit).is_some()
        });
        fitting.max_by_key(|&fit| {
            let Fit { cell, side } = fit;
            let [_, enough, _] = self.label(cell);
            let spare = self.spare(width, enough, fit);
            let has_history = in_full && spare >= Some(history::LEAST_COLUMNS);
            let is_named = spare.is_some() && !self.is_numbered(cell);
            let key = (cell.min(self.roomy()), side.min(Side::Table(2)), spare.is_some(), is_named);
            (key, side, has_history, cell)
        })
    }

    /// The largest matrix that fits, `in_full` with a table at its side if that fits too; `None` if
    /// none does.
    pub(super) fn whole(self, area: Rect, in_full: bool) -> Option<Grid> {
        let classes = self.classes as u16;
        let fit = self.fit(area.width, in_full)?;
        if area.height < classes + HEADINGS {
            return None;
        }
        let rows = (area.height.saturating_sub(HEADINGS + FIGURES) / classes).clamp(1, 3);
        let rows_per_class = rows.min(fit.cell / 3);
        let all = 0..self.classes;
        Some(self.grid(area, fit, rows_per_class, all.clone(), all))
    }

    /// The part of the matrix about the cursor that fits; `None` if it would say nothing.
    pub(super) fn part(self, area: Rect) -> Option<Grid> {
        let narrow = Fit { cell: self.roomy(), side: Side::Nothing };
        let fit = self.fit(area.width, true).unwrap_or(narrow);
        let [least, enough, _] = self.label(fit.cell);
        let room = area.width.checked_sub(fit.side.columns())?;
        let all = self.classes as u16 * fit.cell;
        let label = if least + all <= room { least } else { enough };
        let rows = area.height.checked_sub(HEADINGS + BELOW_PART)?;
        let columns = room.checked_sub(label)? / fit.cell;
        if rows.min(columns) < LEAST_PART.min(self.classes as u16) {
            return None;
        }
        let rows = around(self.cursor.0, rows.into(), self.classes);
        let columns = around(self.cursor.1, columns.into(), self.classes);
        Some(self.grid(area, fit, 1, rows, columns))
    }

    fn grid(
        self,
        area: Rect,
        Fit { cell, side }: Fit,
        rows_per_class: u16,
        rows: Range<usize>,
        columns: Range<usize>,
    ) -> Grid {
        let [least, enough, most] = self.label(cell);
        let fit = Fit { cell, side };
        let spare = |label: u16| self.spare(area.width, label, fit).unwrap_or(0);
        let label = if columns.len() < self.classes {
            enough
        } else if let Some(more) = spare(enough).checked_sub(history::LEAST_COLUMNS) {
            most.min(enough + more)
        } else {
            most.min(least + spare(least))
        };
        let heads = self.heads(cell);
        let labels = self.labels(cell, label);
        let classes = self.classes;
        let (x, y) = (area.x, area.y);
        Grid { x, y, label, cell, rows_per_class, side, classes, rows, columns, heads, labels }
    }

    fn heads(self, cell: u16) -> Vec<String> {
        self.named(self.names.short(usize::from(cell) - 1))
    }

    /// The names of the rows, each after its number where columns have only that.
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
                    let names = Names::new(&names);
                    let layout = Layout { names, classes, support: 1_000, cursor };
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
        let names = Names::new(&names);
        let layout = Layout { names, classes: 10, support: 1_135, cursor: (0, 0) };
        let grid = |width| layout.whole(Rect::new(0, 0, width, 34), true).expect("it fits");
        let shape = |grid: &Grid| (grid.label, grid.cell, grid.side);
        assert_eq!(shape(&grid(120)), (2, 6, Side::Table(4)), "the rest is the history's");
        assert_eq!(shape(&grid(80)), (2, 5, Side::Table(4)));
        assert_eq!(shape(&grid(60)), (2, 5, Side::Errors));
        assert_eq!(shape(&grid(37)), (2, 3, Side::Errors));
    }

    #[test]
    fn counts_of_named_classes_keep_a_gap_before_the_table_is_whole() {
        let names = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"];
        let names: Vec<String> = names.iter().cycle().take(10).map(|&name| name.into()).collect();
        let names: Vec<String> = (0..).zip(names).map(|(n, name)| format!("{n}{name}")).collect();
        let layout =
            Layout { names: Names::new(&names), classes: 10, support: 1_000, cursor: (0, 0) };
        let grid = layout.whole(Rect::new(0, 0, 80, 18), true).expect("it fits");
        assert_eq!((grid.cell, grid.side), (5, Side::Table(2)));
    }
}
