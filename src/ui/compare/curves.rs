//! The curves of all runs in one chart, and their main figures.

use ratatui::{
    buffer::Buffer,
    layout::{Constraint, Layout, Rect},
    style::Style,
    text::{Line, Span},
};

use super::{letter, style};
use crate::{
    compare::{Browser, Comparison, StoredRun},
    protocol::EvalPoint,
    ui::{
        axis::Axis,
        chart::{self, Chart, End, Frame},
        error_rate, format, loss, pane,
        raster::Raster,
        table,
        theme::Theme,
    },
};

/// Rows that charts have at least before the figures below get any.
const CHART: u16 = 8;
/// Rows from which there are two charts.
const TWO_CHARTS: u16 = 14;
/// Columns for the letter and the value at the end of a line.
const TAIL: u16 = loss::TAIL + 2;
/// Columns from one letter on a line to the next.
const APART: u16 = 12;
/// The share of a run's steps whose training loss, falling fast, may leave the chart.
const FIRST: usize = 20;
/// Columns of a run's name.
const NAME: usize = 20;

pub(super) fn render(browser: &Browser, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let runs = browser.comparison.runs.len() as u16;
    let figures = (runs + 2).min(area.height.saturating_sub(CHART));
    let figures = if figures < 3 { 0 } else { figures };
    let [charts, below] =
        Layout::vertical([Constraint::Fill(1), Constraint::Length(figures)]).areas(area);
    let curves = Curves::new(browser, theme);
    if charts.height < TWO_CHARTS {
        curves.losses(charts, buf);
    } else {
        let [errors, losses] =
            Layout::vertical([Constraint::Fill(1), Constraint::Fill(1)]).areas(charts);
        curves.errors(errors, buf);
        curves.losses(losses, buf);
    }
    if figures > 0 {
        render_figures(browser, theme, below, buf);
    }
}

/// The charts of all runs.
struct Curves<'a> {
    runs: &'a [StoredRun],
    theme: &'a Theme,
    is_log: bool,
    shows_training: bool,
    /// Whether runs are compared by images instead of steps, since their batches differ.
    by_images: bool,
    /// Where the axis of steps ends.
    to: u64,
}

impl<'a> Curves<'a> {
    fn new(browser: &'a Browser, theme: &'a Theme) -> Self {
        let runs = &browser.comparison.runs;
        let by_images = runs.iter().any(|run| run.config.batch_size != runs[0].config.batch_size);
        let mut curves = Self {
            runs,
            theme,
            is_log: browser.is_log,
            shows_training: browser.shows_training,
            by_images,
            to: 1,
        };
        let ends = runs.iter().map(|run| run.steps.saturating_mul(curves.scale(run)));
        curves.to = ends.max().unwrap_or(1).max(1);
        curves
    }

    /// Units of the axis in a step of a run.
    fn scale(&self, run: &StoredRun) -> u64 {
        if self.by_images { run.config.batch_size.max(1) as u64 } else { 1 }
    }

    fn points(
        &self,
        run: &'a StoredRun,
        value: fn(&EvalPoint) -> f64,
    ) -> impl Iterator<Item = (u64, f64)> + Clone {
        let scale = self.scale(run);
        // Before training all runs are alike, and far from where they differ.
        let is_drawn = move |point: &&EvalPoint| point.step > 0 || run.steps == 0;
        let points = run.curves.evaluations.iter().filter(is_drawn);
        points.map(move |point| (point.step.saturating_mul(scale), value(point)))
    }

    /// The evaluation error in percent.
    fn errors(&self, area: Rect, buf: &mut Buffer) {
        let value = error_rate::evaluated;
        let inner = pane::titled(area, buf, self.theme, &self.title("Error"), [Line::default()]);
        let frame = Frame {
            label: chart::percent,
            tail: TAIL,
            gutter: chart::GUTTER,
            names_steps: false,
            unit: self.unit(),
        };
        self.draw(inner, buf, frame, value, false, error_rate::percent);
    }

    /// The evaluation loss, and dashed the training loss.
    fn losses(&self, area: Rect, buf: &mut Buffer) {
        let title = self.title("Loss");
        let inner = pane::titled(area, buf, self.theme, &title, [self.legend()]);
        let frame = Frame {
            label: chart::plain,
            tail: TAIL,
            gutter: chart::GUTTER,
            names_steps: true,
            unit: self.unit(),
        };
        let value = |point: &EvalPoint| f64::from(point.loss);
        self.draw(inner, buf, frame, value, self.shows_training, format::loss);
    }

    fn unit(&self) -> &'static str {
        if self.by_images { "images" } else { "steps" }
    }

    fn title(&self, what: &str) -> String {
        format!("{what} · {}", if self.is_log { "log" } else { "linear" })
    }

    fn legend(&self) -> Line<'static> {
        let muted = |text: &'static str| Span::styled(text, self.theme.muted);
        let mut line = Line::from(vec![Span::raw("⠒⠒⠒"), muted(" evaluation")]);
        if self.shows_training {
            line.push_span(Span::raw("  ⠒ ⠒"));
            line.push_span(muted(" training"));
        }
        line
    }

    fn draw(
        &self,
        area: Rect,
        buf: &mut Buffer,
        frame: Frame,
        value: fn(&EvalPoint) -> f64,
        with_training: bool,
        text: fn(f64) -> String,
    ) {
        let is_empty = self.runs.iter().all(|run| {
            run.curves.evaluations.is_empty() && !(with_training && run.curves.loss.steps() > 0)
        });
        if is_empty {
            return pane::empty(area, buf, self.theme, "None of these runs was evaluated.");
        }
        let axis = self.axis(value, with_training);
        let Some(chart) = Chart::draw(area, buf, self.theme, axis, (0, self.to), frame) else {
            return;
        };
        self.draw_lines(&chart, buf, value, with_training);
        let mut ends = Vec::new();
        for (place, run) in self.runs.iter().enumerate() {
            let style = style(self.theme, place);
            self.draw_letters(&chart, buf, place, value);
            if let Some((step, value)) =
                self.points(run, value).last().filter(|(_, value)| value.is_finite())
            {
                let text = format!("{} {}", Comparison::letter(place), text(value));
                ends.push(End { step, value, text, style });
            }
        }
        chart.print_ends(buf, &ends);
    }

    fn axis(&self, value: fn(&EvalPoint) -> f64, with_training: bool) -> Axis {
        let evaluations = self.runs.iter().flat_map(|run| self.points(run, value));
        let mut values: Vec<f64> = evaluations.map(|(_, value)| value).collect();
        if with_training {
            let settled = self.runs.iter().flat_map(|run| {
                let buckets = run.curves.loss.buckets();
                &buckets[buckets.len() / FIRST..]
            });
            values.extend(settled.map(|bucket| f64::from(bucket.smooth)));
        }
        values.retain(|value| value.is_finite());
        let high = values.iter().copied().fold(f64::NAN, f64::max);
        if !self.is_log {
            return Axis::linear(0.0, high);
        }
        let above = values.into_iter().filter(|&value| value > 0.0);
        Axis::logarithmic(above.fold(f64::NAN, f64::min), high)
    }

    /// Draws the lines, those of evaluations above those of training.
    fn draw_lines(
        &self,
        chart: &Chart,
        buf: &mut Buffer,
        value: fn(&EvalPoint) -> f64,
        with_training: bool,
    ) {
        let count = self.runs.len();
        let mut raster = Raster::new(chart.plot.width, chart.plot.height);
        for (place, run) in self.runs.iter().enumerate() {
            let (training, line) = ((place + 1) as u8, (count + 1 + 2 * place) as u8);
            if with_training {
                self.draw_training(chart, &mut raster, run, training);
            }
            chart.draw_points(&mut raster, self.points(run, value), line, line + 1);
        }
        let styles: Vec<Style> = (0..count)
            .chain((0..count).flat_map(|run| [run, run]))
            .map(|run| style(self.theme, run))
            .collect();
        raster.render(chart.plot, buf, &styles);
    }

    /// Draws the smoothed training loss, dashed.
    fn draw_training(&self, chart: &Chart, raster: &mut Raster, run: &StoredRun, layer: u8) {
        let scale = self.scale(run);
        let mut before = None;
        for column in 0..raster.columns() {
            let (from, to) = chart.steps(column);
            let bucket = run.curves.loss.range(from / scale, to.div_ceil(scale));
            let row = bucket.and_then(|bucket| chart.row(f64::from(bucket.smooth)));
            // A cell with a dash, a cell without.
            if let Some(row) = row.filter(|_| column / 2 % 2 == 0) {
                raster.join(column, before, row, layer);
            }
            before = row;
        }
    }

    /// Writes a run's letter on its line, here and there and not where other runs have theirs.
    fn draw_letters(
        &self,
        chart: &Chart,
        buf: &mut Buffer,
        place: usize,
        value: fn(&EvalPoint) -> f64,
    ) {
        let apart = APART.max(3 * self.runs.len() as u16);
        let mut next = chart.plot.x + apart * place as u16 / self.runs.len().max(1) as u16;
        let last = self.runs[place].steps.saturating_mul(self.scale(&self.runs[place]));
        for (step, value) in self.points(&self.runs[place], value) {
            let x = chart.plot.x + (chart.column(step) / 2) as u16;
            let Some(row) = chart.row(value).filter(|_| x >= next && step < last) else { continue };
            let y = chart.plot.y + (row / 4) as u16;
            let letter = Comparison::letter(place).to_string();
            buf.set_string(x, y, letter, style(self.theme, place));
            next = x + apart;
        }
    }
}

/// The letters, names and figures of the runs: as many columns as fit.
fn render_figures(browser: &Browser, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let inner = pane::titled(area, buf, theme, "Runs", [Line::default()]);
    let comparison = &browser.comparison;
    let figures = comparison.figures();
    let longest = comparison.runs.iter().map(|run| table::width(&run.name)).max().unwrap_or(0);
    let name = longest.clamp("run".len(), NAME);
    let width = |column: usize| {
        let cells = figures.rows.iter().map(|row| table::width(&row[column]));
        cells.max().unwrap_or(0).max(figures.head[column].len()) as u16 + 2
    };
    let mut right = inner.x + 2 + name as u16;
    let mut ends = Vec::new();
    for column in 0..figures.head.len() {
        right += width(column);
        if right > inner.right() {
            break;
        }
        ends.push(right);
    }
    for (head, &end) in figures.head.iter().zip(&ends) {
        table::right(buf, end, inner.y, head, theme.muted);
    }
    for (place, (run, row)) in comparison.runs.iter().zip(&figures.rows).enumerate() {
        let y = inner.y + 1 + place as u16;
        if y >= inner.bottom() {
            break;
        }
        let letter = letter(theme, place);
        table::left(buf, inner.x, y, &letter.content, 1, letter.style);
        let text = format::cut(&run.name, name);
        table::left(buf, inner.x + 2, y, &text, name as u16, theme.figure);
        for (cell, &end) in row.iter().zip(&ends) {
            table::right(buf, end, y, cell, Style::new());
        }
    }
}
