//! Training loss over steps, with the evaluation loss of each epoch.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Style,
    text::{Line, Span},
    widgets::Widget,
};

use super::{
    axis::Axis,
    chart::{self, Chart, End, Frame},
    format, pane,
    raster::Raster,
    theme::Theme,
};
use crate::{
    app::{App, Range, Sight, curves::Values},
    metrics::Bucket,
    protocol::EvalSet,
};

/// The loss chart.
#[derive(Debug)]
pub(super) struct Loss<'a> {
    app: &'a App,
    theme: &'a Theme,
    names_steps: bool,
    gutter: u16,
}

// Layers, the lowest first.
const PAST: u8 = 1;
const EVALUATIONS: u8 = 2;
const SMOOTH: u8 = 3;
const PAST_POINT: u8 = 4;
const POINT: u8 = 5;
/// A sample of the line that the run has left.
const DASHES: &str = "⠒ ⠒";
/// A sample of an evaluation.
pub(super) const BEAD: &str = "⠶";
/// Losses of the first steps above this multiple of the largest later loss are clipped.
const OUTLIER: f64 = 1.5;
/// Columns for the latest values.
pub(super) const TAIL: u16 = 7;

impl<'a> Loss<'a> {
    pub(super) fn new(app: &'a App, theme: &'a Theme) -> Self {
        Self { app, theme, names_steps: true, gutter: chart::GUTTER }
    }

    /// The same, with the names of the steps or without.
    pub(super) fn with_steps(self, names_steps: bool) -> Self {
        Self { names_steps, ..self }
    }

    /// The same in line with strips below.
    pub(super) fn above_strips(self, has_strips: bool) -> Self {
        let gutter = if has_strips { chart::WIDE_GUTTER } else { chart::GUTTER };
        Self { gutter, ..self }
    }

    fn title(&self, is_log: bool) -> String {
        let range = match self.app.charts.range {
            _ if self.app.is_zoomed() => "zoomed in",
            Range::SoFar => "so far",
            Range::WholeRun => "whole run",
            Range::Recent => "last 1,000 steps",
        };
        let scale = match (is_log, self.app.axis_is_chosen()) {
            (true, _) => " · log",
            (false, true) => " · linear",
            (false, false) => "",
        };
        format!("Loss · {range}{scale}")
    }

    /// What the chart's signs mean: in full, and with less and less of it.
    fn legends(&self) -> [Line<'static>; 4] {
        let curves = &self.app.curves;
        if curves.loss.last().is_some_and(|loss| !loss.is_finite()) {
            let warning = || Line::styled("✗ loss not finite", self.theme.alert);
            return [(); 4].map(|()| warning());
        }
        let set = self.app.run.info.as_ref().map_or(EvalSet::Test, |info| info.eval_set);
        let (sign, style) = chart::sample(self.theme);
        let band = Some((sign, style, "min–max"));
        let smooth = Some(("⠒", self.theme.smooth, "smoothed"));
        let evaluation = Some((BEAD, self.theme.evaluation, set.name()));
        let past = |name| (!curves.pasts.is_empty()).then_some((DASHES, self.theme.past, name));
        let rate = (!curves.marks.rates().is_empty()).then_some(("▴", self.theme.accent, "rate"));
        let legend = |entries: &[Option<(&'static str, Style, &'static str)>]| {
            let mut spans = Vec::new();
            for &(sign, style, name) in entries.iter().flatten() {
                let gap = if spans.is_empty() { "" } else { "  " };
                spans.extend([Span::raw(gap), Span::styled(sign, style)]);
                spans.push(Span::styled(format!(" {name}"), self.theme.muted));
            }
            Line::from(spans)
        };
        [
            legend(&[past("before rewinding"), rate, band, smooth, evaluation]),
            legend(&[
                past("before"),
                Some((sign, style, "range")),
                Some(("⠒", self.theme.smooth, "smooth")),
                evaluation,
            ]),
            legend(&[past("before"), smooth, evaluation]),
            legend(&[past("before"), evaluation]),
        ]
    }

    /// Draws the axes.
    fn chart(
        &self,
        sight: &Sight,
        values: &Values,
        inner: Rect,
        buf: &mut Buffer,
    ) -> Option<Chart> {
        let axis = axis(values, self.app.loss_is_log(values));
        let (gutter, names_steps) = (self.gutter, self.names_steps);
        let frame = Frame { label: chart::plain, tail: TAIL, gutter, names_steps, unit: "steps" };
        Chart::draw(inner, buf, self.theme, axis, (sight.from, sight.to), frame)
    }

    /// The step that a column of the chart in this area shows.
    pub(super) fn step_at(&self, area: Rect, column: u16) -> Option<u64> {
        let mut unseen = Buffer::empty(area);
        let inner = pane::titled(area, &mut unseen, self.theme, "", [Line::default()]);
        let sight = self.app.sight();
        let values = self.app.curves.values(&sight);
        self.chart(&sight, &values, inner, &mut unseen)?.step_at(column)
    }

    /// Draws the curves that the run has left: dashed, so that they differ without colours.
    fn draw_pasts(&self, chart: &Chart, raster: &mut Raster) {
        let curves = &self.app.curves;
        for (from, past) in curves.pasts.drawn(curves.loss.steps()) {
            let mut before = None;
            for column in 0..raster.columns() {
                let (first, last) = chart.steps(column);
                let bucket = past.loss.range(first, last).filter(|_| first >= from);
                let row = bucket.and_then(|bucket| chart.row(f64::from(bucket.smooth)));
                // A cell with a dash, a cell without.
                if let Some(row) = row.filter(|_| column / 2 % 2 == 0) {
                    raster.join(column, before, row, PAST);
                }
                before = row;
            }
        }
        for point in curves.past_evaluations().filter(|point| chart.shows(point.step)) {
            if let Some(row) = chart.row(f64::from(point.loss)) {
                raster.bead((chart.column(point.step), row), true, PAST_POINT);
            }
        }
    }

    fn draw_band(&self, sight: &Sight, chart: &Chart, buf: &mut Buffer) {
        chart.fill(buf, self.theme, |from, to| {
            let bucket = self.app.curves.steps(sight, from, to).filter(Bucket::is_drawable)?;
            Some((f64::from(bucket.min), f64::from(bucket.max)))
        });
    }

    /// Marks the columns whose losses exceed the axis or are not finite.
    fn mark_columns(&self, sight: &Sight, chart: &Chart, buf: &mut Buffer) {
        let (mut clipped, mut largest) = (Vec::new(), 0.0_f32);
        for column in (0..2 * u32::from(chart.plot.width)).step_by(2) {
            let (from, to) = (chart.steps(column).0, chart.steps(column + 1).1);
            let Some(bucket) = self.app.curves.steps(sight, from, to) else { continue };
            if bucket.is_drawable() && f64::from(bucket.max) > chart.high() {
                clipped.push(column);
                largest = largest.max(bucket.max);
            }
            if bucket.non_finite > 0 {
                chart.mark_top(buf, column, "✗", self.theme.alert);
            }
        }
        let largest = format::short_loss(f64::from(largest));
        chart.mark_clipped(buf, &clipped, &largest, self.theme.muted);
    }

    fn draw_lines(&self, sight: &Sight, chart: &Chart, buf: &mut Buffer) {
        let curves = &self.app.curves;
        let mut raster = Raster::new(chart.plot.width, chart.plot.height);
        self.draw_pasts(chart, &mut raster);
        let points = curves.evaluations.iter().map(|point| (point.step, f64::from(point.loss)));
        chart.draw_points(&mut raster, points, EVALUATIONS, POINT);
        let mut before = None;
        for column in 0..raster.columns() {
            let (from, to) = chart.steps(column);
            let Some(bucket) = curves.steps(sight, from, to) else { continue };
            let row = chart.row(f64::from(bucket.smooth));
            if let Some(row) = row {
                raster.join(column, before, row, SMOOTH);
            }
            before = row;
        }
        let Theme { past, evaluation, smooth, .. } = *self.theme;
        raster.render(chart.plot, buf, &[past, evaluation, smooth, past, evaluation]);
    }

    /// The latest values, below each other at the end of the curve.
    fn ends(&self) -> Vec<End> {
        let curves = &self.app.curves;
        let past = curves.pasts.drawn(curves.loss.steps()).filter_map(|(_, past)| {
            let value = f64::from(past.loss.smooth().filter(|loss| loss.is_finite())?);
            let name = past.name.map_or_else(|| "ahead".to_owned(), String::from);
            let text = format!("{name} {}", format::loss(value));
            Some(End { step: past.loss.steps(), value, text, style: self.theme.past })
        });
        let smooth = curves.loss.smooth().map(|loss| (loss, self.theme.smooth));
        let last = curves.evaluations.iter().next_back();
        let evaluation = last.map(|point| (point.loss, self.theme.evaluation));
        let shown = smooth.into_iter().chain(evaluation).filter(|(loss, _)| loss.is_finite());
        let step = curves.loss.steps();
        let here = shown.map(|(loss, style)| {
            let value = f64::from(loss);
            End { step, value, text: format::loss(value), style }
        });
        here.chain(past).collect()
    }
}

/// The axis that shows `values` best, logarithmic or not.
fn axis(values: &Values, is_log: bool) -> Axis {
    let or_nan = |value: Option<f64>| value.unwrap_or(f64::NAN);
    let (min, max, settled) = (or_nan(values.min), or_nan(values.max), or_nan(values.settled));
    if is_log {
        return Axis::logarithmic(or_nan(values.low), max);
    }
    let high = if max > OUTLIER * settled { settled } else { max };
    // Where all values are far from 0, and from each other, it is left out.
    let is_far = min > 0.5 * high && high - min > 0.02 * high;
    if is_far { Axis::around(min, high) } else { Axis::linear(0.0, high) }
}

impl Widget for &Loss<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let sight = self.app.sight();
        let values = self.app.curves.values(&sight);
        let is_log = self.app.loss_is_log(&values);
        let inner = pane::titled(area, buf, self.theme, &self.title(is_log), self.legends());
        if self.app.curves.loss.steps() == 0 {
            let text = if self.app.run.ended_before_training() {
                "No batch was trained."
            } else {
                "The loss of every batch appears here as soon as training starts."
            };
            return pane::empty(inner, buf, self.theme, text);
        }
        let Some(chart) = self.chart(&sight, &values, inner, buf) else { return };
        self.draw_band(&sight, &chart, buf);
        self.draw_lines(&sight, &chart, buf);
        self.mark_columns(&sight, &chart, buf);
        let curves = &self.app.curves;
        for &step in curves.marks.breaks() {
            chart.mark_break(buf, step, self.theme.alert);
        }
        if self.names_steps {
            chart.mark_rates(buf, &curves.marks, self.theme);
        }
        chart.print_ends(buf, &self.ends());
        if let Some(step) = self.app.crosshair() {
            chart.draw_crosshair(buf, step, self.theme);
        }
    }
}
