//! Confusion matrix of the last evaluation, with the figures it gives.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::{Modifier, Style},
    text::{Line, Span},
    widgets::Widget,
};

use super::{format, pane, table, theme::Theme};
use crate::{
    app::App,
    metrics::{self, confusion::CLASSES},
    protocol::Evaluation,
};

/// Columns left of the matrix, for the true digit.
const LABEL: u16 = 2;
/// Columns for a per-class figure.
const FIGURE: u16 = 4;
/// Columns for a per-class figure with decimals.
const LONG_FIGURE: u16 = 7;
/// Rows besides the matrix's own: predicted digits above, precision below.
const HEADINGS: u16 = 2;
/// Widths of a matrix cell, best first.
const CELLS: [u16; 5] = [10, 8, 6, 5, 3];
/// Cells below this width have no room for the counts of a whole class.
const ROOMY: u16 = 5;

/// Most lines of confused pairs.
const PAIR_LINES: u16 = 3;

/// The matrix and its figures.
#[derive(Debug)]
pub(super) struct Confusion<'a> {
    app: &'a App,
    theme: &'a Theme,
    full: bool,
    history: bool,
}

impl<'a> Confusion<'a> {
    pub(super) fn new(app: &'a App, theme: &'a Theme) -> Self {
        Self { app, theme, full: false, history: false }
    }

    /// With a table of per-class figures beside the matrix where it fits.
    pub(super) fn in_full(self) -> Self {
        Self { full: true, ..self }
    }

    /// With the accuracy of the last epochs as a row of bars, where it has no chart of its own.
    pub(super) fn with_history(self, history: bool) -> Self {
        Self { history, ..self }
    }

    /// The last evaluation made: the one on the test set that ends a run with validation images, or
    /// the last epoch's.
    fn latest(&self) -> Option<(&'a Evaluation, String)> {
        let last = self.app.matrix();
        let end = self.app.run.test();
        match (end, last) {
            (Some(test), Some(record)) if test.set != record.evaluation.set => {
                Some((test, "test, at the end".to_owned()))
            }
            (_, Some(record)) => {
                let set = record.evaluation.set.name();
                Some((&record.evaluation, format!("{set}, epoch {}", record.epoch)))
            }
            (test, None) => test.map(|test| (test, "test, at the end".to_owned())),
        }
    }

    fn draw_history(&self, area: Rect, buf: &mut Buffer) {
        let all = self.app.curves.evaluations.iter().map(|point| f64::from(point.accuracy));
        let (low, high) = all.clone().fold((1.0, 0.0), |(low, high): (f64, f64), accuracy| {
            (low.min(accuracy), high.max(accuracy))
        });
        let label = Span::styled("accuracy ", self.theme.muted);
        let range = format!(" {:.1}–{:.1} %", 100.0 * low, 100.0 * high);
        let range = Span::styled(range, self.theme.muted);
        let room = usize::from(area.width).saturating_sub(label.width() + range.width());
        let skipped = all.len().saturating_sub(room);
        let bars: String = all.skip(skipped).map(|accuracy| bar(accuracy, low, high)).collect();
        Line::from(vec![label, Span::styled(bars, self.theme.smooth), range]).render(area, buf);
    }

    fn figures(&self, evaluation: &Evaluation, area: Rect, buf: &mut Buffer) {
        let mut y = area.y;
        let line = Line::from(vec![
            Span::styled(format::percent(evaluation.accuracy()), self.theme.figure),
            Span::styled(
                format!(
                    " right: {} of {}",
                    format::thousands(evaluation.correct),
                    format::thousands(evaluation.total)
                ),
                self.theme.muted,
            ),
        ]);
        if y < area.bottom() {
            line.render(Rect { y, height: 1, ..area }, buf);
            y += 1;
        }
        let pairs = evaluation.confusion.most_confused();
        let mut line = Line::styled("confused ", self.theme.muted);
        let rows = usize::from(area.bottom().saturating_sub(y));
        let mut lines = Vec::new();
        for pair in pairs {
            let text = format!("{}→{}", pair.truth, pair.predicted);
            let count = format!(" ×{:<3} ", pair.count);
            if line.width() + text.chars().count() + count.chars().count() > usize::from(area.width)
            {
                lines.push(std::mem::take(&mut line));
                if lines.len() == rows.min(usize::from(PAIR_LINES)) {
                    break;
                }
                line = Line::raw("         ");
            }
            line.push_span(Span::styled(text, self.theme.wrong.remove_modifier(Modifier::BOLD)));
            line.push_span(Span::styled(count, self.theme.muted));
        }
        if lines.len() < rows.min(usize::from(PAIR_LINES)) && line.spans.len() > 1 {
            lines.push(line);
        }
        for line in lines {
            line.render(Rect { y, height: 1, ..area }, buf);
            y += 1;
        }
    }
}

/// An eighth of a cell for the lowest value up to a whole one for the highest.
fn bar(value: f64, low: f64, high: f64) -> char {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let share = if high > low { (value - low) / (high - low) } else { 1.0 };
    BARS[((share * 7.0).round() as usize).min(7)]
}

/// Where the matrix and its headings stand.
#[derive(Clone, Copy)]
struct Grid {
    x: u16,
    y: u16,
    cell: u16,
    rows_per_class: u16,
}

impl Grid {
    fn right(self) -> u16 {
        self.x + LABEL + CLASSES as u16 * self.cell
    }

    fn bottom(self) -> u16 {
        self.y + 1 + CLASSES as u16 * self.rows_per_class
    }

    /// The row of a class that carries its text.
    fn row(self, class: usize) -> u16 {
        self.y + 1 + class as u16 * self.rows_per_class + (self.rows_per_class - 1) / 2
    }

    /// The end of a class's column.
    fn column_end(self, class: usize) -> u16 {
        self.x + LABEL + (class as u16 + 1) * self.cell
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

fn draw_matrix(grid: Grid, confusion: &metrics::Confusion, buf: &mut Buffer, theme: &Theme) {
    for class in 0..CLASSES {
        let name = class.to_string();
        table::right(buf, grid.column_end(class), grid.y, &name, theme.muted);
        table::left(buf, grid.x, grid.row(class), &name, LABEL, theme.muted);
    }
    for truth in 0..CLASSES {
        for predicted in 0..CLASSES {
            let count = confusion.count(truth, predicted);
            // The cube root spreads the few errors over the palette beside the many hits.
            let share = f64::from(count) / f64::from(confusion.support(truth).max(1));
            let style = match theme.heat(share.cbrt()) {
                Some(heat) if count > 0 => heat,
                _ if truth == predicted => theme.figure,
                _ if count > 0 => Style::new(),
                _ => theme.rule,
            };
            let x = grid.column_end(predicted) - grid.cell;
            let y = grid.y + 1 + truth as u16 * grid.rows_per_class;
            let area = Rect { x, y, width: grid.cell, height: grid.rows_per_class };
            if count > 0 {
                buf.set_style(area.intersection(buf.area), style);
            }
            let text = cell_text(confusion, truth, predicted, grid.cell);
            table::right(buf, grid.column_end(predicted), grid.row(truth), &text, style);
        }
    }
}

/// Precision below the matrix and, unless the diagonal shows it, recall at its right; in percent.
fn draw_margins(grid: Grid, confusion: &metrics::Confusion, buf: &mut Buffer, theme: &Theme) {
    let style = theme.muted;
    table::left(buf, grid.x, grid.bottom(), "pr", LABEL, style);
    for class in 0..CLASSES {
        let precision = percent(confusion.precision(class));
        table::right(buf, grid.column_end(class), grid.bottom(), &precision, style);
    }
    if grid.cell < ROOMY {
        return;
    }
    let end = grid.right() + FIGURE;
    table::right(buf, end, grid.y, "rec", style);
    for class in 0..CLASSES {
        table::right(buf, end, grid.row(class), &percent(confusion.recall(class)), style);
    }
}

/// Precision, recall and F1 in percent and number of images for each class, right of the matrix.
fn draw_table(grid: Grid, confusion: &metrics::Confusion, buf: &mut Buffer, theme: &Theme) {
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
        let end = grid.right() + (place as u16 + 1) * LONG_FIGURE;
        table::right(buf, end, grid.y, name, theme.muted);
        for class in 0..CLASSES {
            table::right(buf, end, grid.row(class), &text(class), Style::new());
        }
    }
}

impl Widget for &Confusion<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let Some((evaluation, what)) = self.latest() else {
            let inner = pane::titled(area, buf, self.theme, "Confusion", []);
            let text = if self.app.run.is_under_way() {
                "How often each digit is taken for which appears here after the first epoch."
            } else {
                "No epoch was completed."
            };
            return pane::empty(inner, buf, self.theme, text);
        };
        let note = |text| Line::styled(text, self.theme.muted);
        let notes = [note("rows: true digit, columns: taken for"), note("true ↓ →taken for")];
        let inner = pane::titled(area, buf, self.theme, &format!("Confusion · {what}"), notes);
        let table = 4 * LONG_FIGURE;
        let classes = CLASSES as u16;
        let beside = |cell| LABEL + classes * cell + table <= inner.width && self.full;
        let fits = |cell: u16| {
            LABEL + classes * cell + if cell < ROOMY { 0 } else { FIGURE } <= inner.width
        };
        let cell = CELLS
            .into_iter()
            .find(|&cell| beside(cell))
            .or_else(|| CELLS.into_iter().find(|&cell| fits(cell)));
        let Some(cell) = cell.filter(|_| inner.height >= classes + HEADINGS) else {
            return self.figures(evaluation, inner, buf);
        };
        let figures = HEADINGS + 5;
        let rows = (inner.height.saturating_sub(figures) / classes).clamp(1, 3);
        let rows_per_class = if cell < ROOMY { 1 } else { rows.min(cell / 3) };
        let grid = Grid { x: inner.x, y: inner.y, cell, rows_per_class };
        draw_matrix(grid, &evaluation.confusion, buf, self.theme);
        let mut below = grid.bottom() + 1;
        if beside(cell) {
            draw_table(grid, &evaluation.confusion, buf, self.theme);
        } else {
            draw_margins(grid, &evaluation.confusion, buf, self.theme);
            if self.history && below < inner.bottom() {
                self.draw_history(Rect { y: below, height: 1, ..inner }, buf);
            }
            below += 1;
        }
        let height = inner.bottom().saturating_sub(below);
        self.figures(evaluation, Rect { y: below.min(inner.bottom()), height, ..inner }, buf);
        if cell < ROOMY && height > PAIR_LINES + 1 {
            let text = "in %: diagonal recall, pr precision";
            table::left(buf, inner.x, inner.bottom() - 1, text, inner.width, self.theme.muted);
        }
    }
}
