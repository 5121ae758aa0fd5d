//! The matrix itself and the figures of each class at its sides.

use std::ops::Range;

use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
    style::Style,
};

use crate::{
    metrics,
    ui::{format, table, theme::Theme},
};

/// Columns for a count of errors.
const ERRORS: u16 = 5;
/// Columns for a per-class figure with decimals.
const FIGURE: u16 = 7;
/// Rows besides the matrix's own: predicted classes above, errors below.
pub(super) const HEADINGS: u16 = 2;

/// The figures of each class right of the matrix, from least to most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Side {
    /// None.
    Nothing,
    /// Images of the row that were predicted as another class.
    Errors,
    /// The first of precision, recall, F1 and number of images.
    Table(u8),
}

impl Side {
    /// All sides of a matrix that has a view of its own.
    pub(super) const IN_FULL: [Self; 5] =
        [Self::Nothing, Self::Errors, Self::Table(2), Self::Table(3), Self::Table(4)];

    /// The same for a matrix next to other panes.
    pub(super) const IN_PART: [Self; 2] = [Self::Nothing, Self::Errors];

    /// Columns of the screen that it takes.
    pub(super) fn columns(self) -> u16 {
        match self {
            Self::Nothing => 0,
            Self::Errors => ERRORS,
            Self::Table(figures) => u16::from(figures) * FIGURE,
        }
    }
}

/// The position of the matrix and its headings, and the part of it that is shown.
#[derive(Clone, Debug)]
pub(super) struct Grid {
    pub(super) x: u16,
    pub(super) y: u16,
    /// Columns left of the matrix, for the true classes.
    pub(super) label: u16,
    pub(super) cell: u16,
    pub(super) rows_per_class: u16,
    pub(super) side: Side,
    pub(super) classes: usize,
    /// True classes that have a row, and predicted classes that have a column.
    pub(super) rows: Range<usize>,
    pub(super) columns: Range<usize>,
    /// Names of all columns and of all rows.
    pub(super) heads: Vec<String>,
    pub(super) labels: Vec<String>,
}

impl Grid {
    /// Whether errors are counted at its sides, in place of a table.
    pub(super) fn has_errors(&self) -> bool {
        matches!(self.side, Side::Nothing | Side::Errors)
    }

    /// Which part is shown, if it is not the whole: `rows 5–17 of 26 classes`.
    pub(super) fn part(&self) -> Option<String> {
        let part = |name: &str, shown: &Range<usize>| {
            let is_part = shown.len() < self.classes;
            is_part.then(|| format!("{name} {}–{}", shown.start + 1, shown.end))
        };
        let parts = [part("rows", &self.rows), part("columns", &self.columns)];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        (!parts.is_empty()).then(|| format!("{} of {} classes", parts.join(", "), self.classes))
    }

    /// The column after the matrix.
    fn cells_end(&self) -> u16 {
        self.x + self.label + self.columns.len() as u16 * self.cell
    }

    /// The column after the matrix and the figures at its side.
    pub(super) fn right(&self) -> u16 {
        self.cells_end() + self.side.columns()
    }

    /// The row below the matrix.
    pub(super) fn bottom(&self) -> u16 {
        self.y + 1 + self.rows.len() as u16 * self.rows_per_class
    }

    /// The row of a class that carries its text.
    pub(super) fn row(&self, class: usize) -> u16 {
        let place = (class - self.rows.start) as u16;
        self.y + 1 + place * self.rows_per_class + (self.rows_per_class - 1) / 2
    }

    /// The end of a class's column.
    pub(super) fn column_end(&self, class: usize) -> u16 {
        self.x + self.label + ((class - self.columns.start) as u16 + 1) * self.cell
    }

    /// The cells of the screen for one of the matrix; `None` if it is not in the part shown.
    pub(super) fn place(&self, truth: usize, predicted: usize) -> Option<Rect> {
        let is_shown = self.rows.contains(&truth) && self.columns.contains(&predicted);
        is_shown.then(|| Rect {
            x: self.column_end(predicted) - self.cell,
            y: self.y + 1 + (truth - self.rows.start) as u16 * self.rows_per_class,
            width: self.cell,
            height: self.rows_per_class,
        })
    }

    /// True and predicted class of the cell at this place of the screen.
    pub(super) fn cell_at(&self, at: Position) -> Option<(usize, usize)> {
        let mut cells = self
            .rows
            .clone()
            .flat_map(|truth| self.columns.clone().map(move |predicted| (truth, predicted)));
        cells.find(|&(truth, predicted)| {
            self.place(truth, predicted).is_some_and(|place| place.contains(at))
        })
    }

    pub(super) fn draw(&self, confusion: &metrics::Confusion, buf: &mut Buffer, theme: &Theme) {
        for truth in self.rows.clone() {
            self.draw_label(truth, theme.muted, buf);
        }
        for predicted in self.columns.clone() {
            self.draw_head(predicted, theme.muted, buf);
        }
        for truth in self.rows.clone() {
            let support = confusion.support(truth);
            for predicted in self.columns.clone() {
                self.draw_cell(confusion, support, (truth, predicted), buf, theme);
            }
        }
        if let Side::Table(figures) = self.side {
            self.draw_table(confusion, figures, buf, theme);
        } else {
            self.draw_errors(confusion, buf, theme);
        }
    }

    /// The name of a row that is shown.
    pub(super) fn draw_label(&self, truth: usize, style: Style, buf: &mut Buffer) {
        table::left(buf, self.x, self.row(truth), &self.labels[truth], self.label, style);
    }

    /// The name of a column that is shown.
    pub(super) fn draw_head(&self, predicted: usize, style: Style, buf: &mut Buffer) {
        self.centred(predicted, self.y, &self.heads[predicted], true, style, buf);
    }

    /// Centres `text` in a column; what cannot be centred leans to the right or to the left.
    fn centred(
        &self,
        class: usize,
        y: u16,
        text: &str,
        lean: bool,
        style: Style,
        buf: &mut Buffer,
    ) {
        let spare = self.cell.saturating_sub(table::width(text) as u16);
        let x = self.column_end(class) - self.cell + spare.midpoint(u16::from(lean));
        table::left(buf, x, y, text, self.cell, style);
    }

    fn draw_cell(
        &self,
        confusion: &metrics::Confusion,
        support: u32,
        (truth, predicted): (usize, usize),
        buf: &mut Buffer,
        theme: &Theme,
    ) {
        let count = confusion.count(truth, predicted);
        let style = match heat(count, support, theme) {
            Some(heat) if count > 0 => heat,
            _ if truth == predicted => theme.figure,
            _ if count > 0 => Style::new(),
            _ => theme.rule,
        };
        if count > 0
            && let Some(place) = self.place(truth, predicted)
        {
            buf.set_style(place.intersection(buf.area), style);
        }
        // In narrow cells counts of two figures keep away from the diagonal, whose counts are the long
        // ones.
        let lean = self.cell.is_multiple_of(2) || predicted >= truth;
        let text = cell_text(count, self.cell);
        self.centred(predicted, self.row(truth), &text, lean, style, buf);
        let end = (self.column_end(predicted) - 1, self.row(truth));
        if count > 0
            && let Some(shade) = theme.shade(share(count, support))
            && let Some(cell) = buf.cell_mut(end).filter(|cell| cell.symbol() == " ")
        {
            cell.set_symbol(shade).set_style(theme.accent);
        }
    }

    /// Errors of each predicted class below the matrix and of each true class at its right.
    fn draw_errors(&self, confusion: &metrics::Confusion, buf: &mut Buffer, theme: &Theme) {
        let (style, bottom) = (theme.muted, self.bottom());
        table::left(buf, self.x, bottom, "✗", self.label, theme.wrong);
        for class in self.columns.clone() {
            let errors = confusion.predicted(class) - confusion.count(class, class);
            self.centred(class, bottom, &cell_text(errors, self.cell), true, style, buf);
        }
        if self.side == Side::Nothing {
            return;
        }
        table::right(buf, self.right(), self.y, "✗", theme.wrong);
        for class in self.rows.clone() {
            let errors = confusion.support(class) - confusion.count(class, class);
            let errors = cell_text(errors, ERRORS - 1);
            table::right(buf, self.right(), self.row(class), &errors, style);
        }
    }

    /// Precision, recall and F1 in percent and number of images for each class, right of the matrix.
    fn draw_table(
        &self,
        confusion: &metrics::Confusion,
        figures: u8,
        buf: &mut Buffer,
        theme: &Theme,
    ) {
        let long = |share: Option<f64>| {
            share.map_or_else(|| "–".to_owned(), |share| format!("{:.2}", 100.0 * share))
        };
        let columns: [(&str, &dyn Fn(usize) -> String); 4] = [
            ("prec%", &|class| long(confusion.precision(class))),
            ("rec%", &|class| long(confusion.recall(class))),
            ("F1%", &|class| long(confusion.f1(class))),
            ("images", &|class| format::thousands(confusion.support(class).into())),
        ];
        for (place, (name, text)) in columns.iter().enumerate().take(figures.into()) {
            let end = self.cells_end() + (place as u16 + 1) * FIGURE;
            table::right(buf, end, self.y, name, theme.muted);
            for class in self.rows.clone() {
                table::right(buf, end, self.row(class), &text(class), Style::new());
            }
        }
    }
}

/// The colours of a count out of its row's images; `None` where shades do not exist.
pub(super) fn heat(count: u32, support: u32, theme: &Theme) -> Option<Style> {
    theme.heat(share(count, support))
}

/// The place of a count on the scale of shades. The cube root spreads the few errors over it although
/// hits are many.
fn share(count: u32, support: u32) -> f64 {
    (f64::from(count) / f64::from(support.max(1))).cbrt()
}

/// A count in at most `width` columns, as exact as fits.
fn cell_text(count: u32, width: u16) -> String {
    let (exact, separated) = (count.to_string(), format::thousands(count.into()));
    match count {
        0 => "·".to_owned(),
        // With a gap to the neighbours.
        _ if separated.len() < usize::from(width) => separated,
        _ if exact.len() <= usize::from(width) => exact,
        1_000..1_000_000 if width < 4 => format!("{}k", count / 1_000),
        _ => format::short_count(count.into()),
    }
}
