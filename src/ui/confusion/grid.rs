//! The matrix itself and the figures of each class at its sides.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use crate::{
    data::CLASSES,
    metrics,
    ui::{format, table, theme::Theme},
};

/// Columns left of the matrix, for the true digit.
const LABEL: u16 = 2;
/// Columns for a per-class figure.
const FIGURE: u16 = 4;
/// Columns for a per-class figure with decimals.
const LONG_FIGURE: u16 = 7;
/// Rows besides the matrix's own: predicted digits above, precision below.
const HEADINGS: u16 = 2;
/// Rows below a matrix that has rows to spare: what the cursor is on and the figures of all.
const FIGURES: u16 = 5;
/// Widths of a matrix cell, best first.
const CELLS: [u16; 5] = [10, 8, 6, 5, 3];
/// Cells below this width have no room for the counts of a whole class.
const ROOMY: u16 = 5;

/// Where the matrix and its headings stand.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grid {
    x: u16,
    y: u16,
    cell: u16,
    rows_per_class: u16,
    /// Whether a table of per-class figures stands at its right.
    pub(super) has_table: bool,
}

impl Grid {
    /// The largest matrix that fits, `with_table` beside it if that fits too; `None` if none does.
    pub(super) fn fit(area: Rect, with_table: bool) -> Option<Self> {
        let classes = CLASSES as u16;
        let fits_beside = |cell: u16| LABEL + classes * cell + 4 * LONG_FIGURE <= area.width;
        let fits = |cell: u16| {
            LABEL + classes * cell + if cell < ROOMY { 0 } else { FIGURE } <= area.width
        };
        let beside = CELLS.into_iter().find(|&cell| with_table && fits_beside(cell));
        let cell = beside.or_else(|| CELLS.into_iter().find(|&cell| fits(cell)))?;
        if area.height < classes + HEADINGS {
            return None;
        }
        let rows = (area.height.saturating_sub(HEADINGS + FIGURES) / classes).clamp(1, 3);
        let rows_per_class = if cell < ROOMY { 1 } else { rows.min(cell / 3) };
        Some(Self { x: area.x, y: area.y, cell, rows_per_class, has_table: beside.is_some() })
    }

    /// Whether its diagonal shows shares in place of counts.
    pub(super) fn is_narrow(self) -> bool {
        self.cell < ROOMY
    }

    fn right(self) -> u16 {
        self.x + LABEL + CLASSES as u16 * self.cell
    }

    /// The row below the matrix.
    pub(super) fn bottom(self) -> u16 {
        self.y + 1 + CLASSES as u16 * self.rows_per_class
    }

    /// The row of a class that carries its text.
    pub(super) fn row(self, class: usize) -> u16 {
        self.y + 1 + class as u16 * self.rows_per_class + (self.rows_per_class - 1) / 2
    }

    /// The end of a class's column.
    pub(super) fn column_end(self, class: usize) -> u16 {
        self.x + LABEL + (class as u16 + 1) * self.cell
    }

    /// The cells of the screen for one of the matrix.
    pub(super) fn place(self, truth: usize, predicted: usize) -> Rect {
        Rect {
            x: self.column_end(predicted) - self.cell,
            y: self.y + 1 + truth as u16 * self.rows_per_class,
            width: self.cell,
            height: self.rows_per_class,
        }
    }

    pub(super) fn draw(self, confusion: &metrics::Confusion, buf: &mut Buffer, theme: &Theme) {
        for class in 0..CLASSES {
            self.draw_names(class, class, theme.muted, buf);
        }
        for truth in 0..CLASSES {
            for predicted in 0..CLASSES {
                self.draw_cell(confusion, (truth, predicted), buf, theme);
            }
        }
        if self.has_table {
            self.draw_table(confusion, buf, theme);
        } else {
            self.draw_margins(confusion, buf, theme);
        }
    }

    /// Names of a row and of a column.
    pub(super) fn draw_names(self, truth: usize, predicted: usize, style: Style, buf: &mut Buffer) {
        table::left(buf, self.x, self.row(truth), &truth.to_string(), LABEL, style);
        table::right(buf, self.column_end(predicted), self.y, &predicted.to_string(), style);
    }

    fn draw_cell(
        self,
        confusion: &metrics::Confusion,
        (truth, predicted): (usize, usize),
        buf: &mut Buffer,
        theme: &Theme,
    ) {
        let count = confusion.count(truth, predicted);
        // The cube root spreads the few errors over the palette beside the many hits.
        let share = f64::from(count) / f64::from(confusion.support(truth).max(1));
        let style = match theme.heat(share.cbrt()) {
            Some(heat) if count > 0 => heat,
            _ if truth == predicted => theme.figure,
            _ if count > 0 => Style::new(),
            _ => theme.rule,
        };
        if count > 0 {
            buf.set_style(self.place(truth, predicted).intersection(buf.area), style);
        }
        let text = cell_text(confusion, truth, predicted, self.cell);
        table::right(buf, self.column_end(predicted), self.row(truth), &text, style);
    }

    /// Precision below the matrix and, unless the diagonal shows it, recall at its right; in percent.
    fn draw_margins(self, confusion: &metrics::Confusion, buf: &mut Buffer, theme: &Theme) {
        let style = theme.muted;
        table::left(buf, self.x, self.bottom(), "pr", LABEL, style);
        for class in 0..CLASSES {
            let precision = percent(confusion.precision(class));
            table::right(buf, self.column_end(class), self.bottom(), &precision, style);
        }
        if self.is_narrow() {
            return;
        }
        let end = self.right() + FIGURE;
        table::right(buf, end, self.y, "rec", style);
        for class in 0..CLASSES {
            table::right(buf, end, self.row(class), &percent(confusion.recall(class)), style);
        }
    }

    /// Precision, recall and F1 in percent and number of images for each class, right of the matrix.
    fn draw_table(self, confusion: &metrics::Confusion, buf: &mut Buffer, theme: &Theme) {
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
            for class in 0..CLASSES {
                table::right(buf, end, self.row(class), &text(class), Style::new());
            }
        }
    }
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
