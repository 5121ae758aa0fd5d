//! The table of a sweep: a line for each point, or for each value of a setting.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::{Modifier, Style},
    text::Line,
};

use crate::{
    printable::printable,
    standings::{self, Board, Column, Table},
    ui::{format, pane, table, theme::Theme},
};

/// Widest cell of a setting.
const WIDEST: usize = 28;
/// Columns of the numbers: runs, mean, half of the interval.
const RUNS: u16 = 11;
const MEAN: u16 = 9;
const HALF: u16 = 8;
/// Columns of the picture of an interval, at least and at most.
const PICTURE: (u16, u16) = (20, 60);
/// Columns that a verdict has beside such a picture.
const VERDICT: u16 = 28;

/// Lines of the table shown in this area.
pub(super) fn rows(area: Rect) -> usize {
    usize::from(area.height.saturating_sub(2))
}

pub(super) fn render(board: &Board, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let lines = board.lines();
    let Some(table) = board.table().filter(|_| !lines.is_empty()) else {
        let inner = pane::titled(area, buf, theme, "Results", [Line::default()]);
        let text = "The results of runs appear here as soon as one has ended.";
        return pane::empty(inner, buf, theme, text);
    };
    let set = &board.standings.set;
    let chosen = board.chosen(&lines);
    let rows = rows(area).max(1);
    // The chosen line stays in the middle where there are lines on both sides.
    let first = chosen.saturating_sub(rows / 2).min(lines.len().saturating_sub(rows));
    let shown = &lines[first..(first + rows).min(lines.len())];
    let drawn = Drawn { table, lines: shown, chosen: Some(chosen - first), order: board.order() };
    let mut next = drawn.render(set, theme, area, buf);
    for table in board.others() {
        let lines: Vec<_> = table.lines.iter().collect();
        let left = Rect { y: next + 1, height: area.bottom().saturating_sub(next + 1), ..area };
        if lines.is_empty() || usize::from(left.height) < lines.len() + 2 {
            break;
        }
        let drawn = Drawn { table, lines: &lines, chosen: None, order: (Column::Rank, false) };
        next = drawn.render(set, theme, left, buf);
    }
}

/// A table that is drawn, with the lines of it that there is room for.
struct Drawn<'a> {
    table: &'a Table,
    lines: &'a [&'a standings::Line],
    chosen: Option<usize>,
    order: (Column, bool),
}

impl Drawn<'_> {
    /// Draws it; gives the row after the last one.
    fn render(&self, set: &str, theme: &Theme, area: Rect, buf: &mut Buffer) -> u16 {
        let (first, rest) = self.table.title.split_at(1.min(self.table.title.len()));
        let title = printable(&format!("{}{rest}", first.to_uppercase()));
        let note = Line::styled(format!("accuracy on the {set} images in %"), theme.muted);
        let inner = pane::titled(area, buf, theme, &title, [note]);
        if inner.is_empty() {
            return inner.y;
        }
        let columns = Columns::fit(self, inner);
        columns.head(self, theme, inner.y, buf);
        let body = Rect { y: inner.y + 1, height: inner.height - 1, ..inner };
        for (place, (row, line)) in body.rows().zip(self.lines).enumerate() {
            columns.line(line, self.chosen == Some(place), theme, row, buf);
        }
        body.y + self.lines.len() as u16
    }
}

/// Where the columns of a table are.
struct Columns {
    /// First column and width of each setting.
    settings: Vec<(u16, u16)>,
    /// Where the numbers end.
    runs: u16,
    mean: u16,
    half: u16,
    /// The pictures of intervals, and the numbers that their edges stand for.
    picture: Option<(Rect, (f64, f64))>,
    verdict: u16,
}

impl Columns {
    fn fit(drawn: &Drawn, area: Rect) -> Self {
        let shown = drawn.lines;
        let numbers = RUNS + MEAN + HALF;
        let mut x = area.x + 2;
        let end = area.right().saturating_sub(numbers);
        let mut settings = Vec::new();
        for (place, head) in drawn.table.columns.iter().enumerate() {
            let cells = shown.iter().filter_map(|line| line.cells.get(place));
            let cells = cells.map(|cell| table::width(&printable(cell)));
            // A sign for the order follows a heading.
            let width = cells.max().unwrap_or(0).max(head.chars().count() + 2).min(WIDEST) as u16;
            let width = width.min(end.saturating_sub(x));
            settings.push((x, width));
            x = (x + width + 2).min(end);
        }
        let runs = x + RUNS - 2;
        let (mean, half) = (runs + MEAN, runs + MEAN + HALF);
        let verdict = half + 2;
        let room = area.right().saturating_sub(verdict + VERDICT + 2);
        let range = range(shown).filter(|_| room >= PICTURE.0);
        let picture =
            range.map(|range| (Rect { x: verdict, width: room.min(PICTURE.1), ..area }, range));
        let verdict = picture.map_or(verdict, |(picture, _)| picture.right() + 2);
        Self { settings, runs, mean, half, picture, verdict }
    }

    fn head(&self, drawn: &Drawn, theme: &Theme, y: u16, buf: &mut Buffer) {
        let (column, is_reversed) = drawn.order;
        let sign = if is_reversed { " ↑" } else { " ↓" };
        let named = |text: &str, own: Column| {
            if own == column { format!("{text}{sign}") } else { text.to_owned() }
        };
        let style = |own: Column| if own == column { theme.accent } else { theme.muted };
        let heads = &drawn.table.columns;
        for (place, (head, &(x, width))) in heads.iter().zip(&self.settings).enumerate() {
            let own = Column::Setting(place);
            table::left(buf, x, y, &named(&printable(head), own), width, style(own));
        }
        table::right(buf, self.runs, y, &named("runs", Column::Runs), style(Column::Runs));
        table::right(buf, self.mean, y, &named("mean", Column::Rank), style(Column::Rank));
        table::right(buf, self.half, y, "± 95 %", theme.muted);
        if let Some((picture, (low, high))) = self.picture {
            table::left(buf, picture.x, y, &format!("{low:.2}"), picture.width, theme.muted);
            table::right(buf, picture.right(), y, &format!("{high:.2}"), theme.muted);
        }
    }

    fn line(
        &self,
        line: &standings::Line,
        is_chosen: bool,
        theme: &Theme,
        row: Rect,
        buf: &mut Buffer,
    ) {
        let y = row.y;
        if is_chosen {
            table::left(buf, row.x, y, "▸", 1, theme.accent);
        }
        let style = if is_chosen { theme.accent } else { Style::new() };
        for (cell, &(x, width)) in line.cells.iter().zip(&self.settings) {
            let cell = format::cut(&printable(cell), width.into());
            table::left(buf, x, y, &cell, width, style);
        }
        let (ended, planned) = line.runs;
        let runs = [ended, planned].map(|runs| format::thousands(runs as u64)).join("/");
        table::right(buf, self.runs, y, &runs, theme.muted);
        let number = |number: Option<f64>| {
            number.map_or_else(|| "–".to_owned(), |number| format!("{number:.2}"))
        };
        let mean = theme.figure.add_modifier(Modifier::BOLD);
        table::right(buf, self.mean, y, &number(line.mean), mean);
        table::right(buf, self.half, y, &number(line.half), theme.muted);
        if let (Some((picture, range)), Some(mean)) = (self.picture, line.mean) {
            draw(Rect { y, height: 1, ..picture }, mean, line.half, range, theme, buf);
        }
        let room = row.right().saturating_sub(self.verdict);
        let verdict = if line.mean.is_none() && ended == 0 { "in training" } else { &line.verdict };
        let best = line.verdict.starts_with("best");
        let style = if best { theme.right } else { theme.muted };
        table::left(buf, self.verdict, y, &format::cut(verdict, room.into()), room, style);
    }
}

/// The lowest and the highest number that the intervals of these lines reach.
fn range(lines: &[&standings::Line]) -> Option<(f64, f64)> {
    let ends = lines.iter().filter_map(|line| {
        let (mean, half) = (line.mean?, line.half.unwrap_or(0.0));
        Some(((mean - half).max(0.0), (mean + half).min(100.0)))
    });
    let (low, high) = ends.reduce(|(low, high), (a, b)| (low.min(a), high.max(b)))?;
    (high > low).then_some((low, high))
}

/// Draws a mean and its interval in a row.
fn draw(
    row: Rect,
    mean: f64,
    half: Option<f64>,
    (low, high): (f64, f64),
    theme: &Theme,
    buf: &mut Buffer,
) {
    let last = f64::from(row.width.saturating_sub(1));
    let column =
        |value: f64| row.x + ((value.clamp(low, high) - low) / (high - low) * last).round() as u16;
    if let Some(half) = half {
        for x in column(mean - half)..=column(mean + half) {
            table::left(buf, x, row.y, "─", 1, theme.band);
        }
    }
    table::left(buf, column(mean), row.y, "●", 1, theme.evaluation);
}
