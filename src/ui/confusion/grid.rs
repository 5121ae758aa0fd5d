//! The matrix itself and the figures of each class at its sides.

use std::ops::Range;

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use crate::{
    metrics,
    ui::{format, table, theme::Theme},
};

/// Columns for a per-class figure.
pub(super) const FIGURE: u16 = 4;
/// Columns for a per-class figure with decimals.
pub(super) const LONG_FIGURE: u16 = 7;
/// Rows besides the matrix's own: predicted classes above, precision below.
pub(super) const HEADINGS: u16 = 2;
/// Cells below this width have no room for the counts of a whole class.
pub(super) const ROOMY: u16 = 5;

/// Where the matrix and its headings stand, and which part of it is shown.
#[derive(Clone, Debug)]
pub(super) struct Grid {
    pub(super) x: u16,
    pub(super) y: u16,
    /// Columns left of the matrix, for the true classes.
    pub(super) label: u16,
    pub(super) cell: u16,
    pub(super) rows_per_class: u16,
    /// Whether a table of per-class figures stands at its right.
    pub(super) has_table: bool,
    pub(super) classes: usize,
    /// True classes that have a row, and predicted classes that have a column.
    pub(super) rows: Range<usize>,
    pub(super) columns: Range<usize>,
    /// Names of all columns and of all rows.
    pub(super) heads: Vec<String>,
    pub(super) labels: Vec<String>,
}

impl Grid {
    /// Whether its diagonal shows shares in place of counts.
    pub(super) fn is_narrow(&self) -> bool {
        self.cell < ROOMY
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

    fn right(&self) -> u16 {
        self.x + self.label + self.columns.len() as u16 * self.cell
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
        if self.has_table {
            self.draw_table(confusion, buf, theme);
        } else {
            self.draw_margins(confusion, buf, theme);
        }
    }

    /// The name of a row that is shown.
    pub(super) fn draw_label(&self, truth: usize, style: Style, buf: &mut Buffer) {
        table::left(buf, self.x, self.row(truth), &self.labels[truth], self.label, style);
    }

    /// The name of a column that is shown.
    pub(super) fn draw_head(&self, predicted: usize, style: Style, buf: &mut Buffer) {
        table::right(buf, self.column_end(predicted), self.y, &self.heads[predicted], style);
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
        let text = cell_text(confusion, truth, predicted, self.cell);
        table::right(buf, self.column_end(predicted), self.row(truth), &text, style);
    }

    /// Precision below the matrix and, unless the diagonal shows it, recall at its right; in percent.
    fn draw_margins(&self, confusion: &metrics::Confusion, buf: &mut Buffer, theme: &Theme) {
        let style = theme.muted;
        table::left(buf, self.x, self.bottom(), "pr", self.label, style);
        for class in self.columns.clone() {
            let precision = percent(confusion.precision(class));
            table::right(buf, self.column_end(class), self.bottom(), &precision, style);
        }
        if self.is_narrow() {
            return;
        }
        let end = self.right() + FIGURE;
        table::right(buf, end, self.y, "rec", style);
        for class in self.rows.clone() {
            table::right(buf, end, self.row(class), &percent(confusion.recall(class)), style);
        }
    }

    /// Precision, recall and F1 in percent and number of images for each class, right of the matrix.
    fn draw_table(&self, confusion: &metrics::Confusion, buf: &mut Buffer, theme: &Theme) {
        let long = |share: Option<f64>| {
            share.map_or_else(|| "–".to_owned(), |share| format!("{:.2}", 100.0 * share))
        };
        let columns: [(&str, &dyn Fn(usize) -> String); 4] = [
            ("prec%", &|class| long(confusion.precision(class))),
            ("rec%", &|class| long(confusion.recall(class))),
            ("F1%", &|class| long(confusion.f1(class))),
            ("images", &|class| confusion.support(class).to_string()),
        ];
        for (place, (name, text)) in columns.iter().enumerate() {
            let end = self.right() + (place as u16 + 1) * LONG_FIGURE;
            table::right(buf, end, self.y, name, theme.muted);
            for class in self.rows.clone() {
                table::right(buf, end, self.row(class), &text(class), Style::new());
            }
        }
    }
}

/// The colours of a count out of its row's images; `None` where shades do not exist.
pub(super) fn heat(count: u32, support: u32, theme: &Theme) -> Option<Style> {
    // The cube root spreads the few errors over the palette beside the many hits.
    theme.heat((f64::from(count) / f64::from(support.max(1))).cbrt())
}

/// What stands in a matrix cell: how often, or in a narrow cell on the diagonal the share in percent.
fn cell_text(confusion: &metrics::Confusion, truth: usize, predicted: usize, width: u16) -> String {
    let count = confusion.count(truth, predicted);
    match count {
        0 => "·".to_owned(),
        _ if width < ROOMY && truth == predicted => percent(confusion.recall(truth)),
        1_000.. if width < ROOMY => format!("{}k", count / 1_000),
        10_000.. => format::short_count(u64::from(count)),
        _ => count.to_string(),
    }
}

/// A share in whole percent, or a dash where there is none.
fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "–".to_owned(), format::short_percent)
}
