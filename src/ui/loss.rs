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
    chart::{self, Chart},
    format, pane,
    raster::Raster,
    theme::Theme,
};
use crate::{
    app::{App, Range},
    protocol::EvalSet,
};

/// The loss chart.
#[derive(Debug)]
pub(super) struct Loss<'a> {
    app: &'a App,
    theme: &'a Theme,
}

const BAND: u8 = 1;
const PAST: u8 = 2;
const SMOOTH: u8 = 3;
/// A sample of the line that the run has left.
const DASHES: &str = "⠒ ⠒";
/// Parts in which the steps in sight are searched for their extremes.
const SLICES: u64 = 256;

impl<'a> Loss<'a> {
    pub(super) fn new(app: &'a App, theme: &'a Theme) -> Self {
        Self { app, theme }
    }

    fn title(&self) -> String {
        let range = match self.app.range {
            Range::WholeRun => "whole run",
            Range::Recent => "last 1,000 steps",
        };
        let scale = if self.app.log_scale { ", log" } else { "" };
        format!("Loss · {range}{scale}")
    }

    /// What the chart's signs mean: in full, and with less and less of it.
    fn legends(&self) -> [Line<'static>; 3] {
        let curves = &self.app.curves;
        if curves.loss.last().is_some_and(|loss| !loss.is_finite()) {
            let warning = || Line::styled("✗ loss not finite", self.theme.alert);
            return [warning(), warning(), warning()];
        }
        let set = self.app.run.info.as_ref().map_or(EvalSet::Test, |info| info.eval_set);
        let band = Some(("⣿", self.theme.band, "min–max"));
        let smooth = Some(("⠒", self.theme.smooth, "smoothed"));
        let evaluation = Some(("◆", self.theme.evaluation, set.name()));
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
            legend(&[past("before going back"), rate, band, smooth, evaluation]),
            legend(&[past("before"), smooth, evaluation]),
            legend(&[past("before"), evaluation]),
        ]
    }

    /// An axis that holds everything in sight, but for what was given up where that lies higher.
    fn axis(&self, (from, to): (u64, u64)) -> Axis {
        let curves = &self.app.curves;
        let points =
            curves.evaluations.iter().filter(|point| point.step > from && point.step <= to);
        let mut values: Vec<f32> = points.map(|point| point.loss).collect();
        // In slices, since a loss of exactly 0 would hide the other losses of its bucket from the
        // search for the smallest that a logarithmic axis can show.
        let slice = (to - from).div_ceil(SLICES).max(1);
        for start in (from..to).step_by(usize::try_from(slice).unwrap_or(usize::MAX)) {
            let here = curves.steps(self.app.range, start, start + slice);
            let ahead = curves.pasts.ahead();
            let ahead = ahead.and_then(|ahead| ahead.loss.range(start, start + slice));
            let buckets = here.into_iter().chain(ahead);
            values.extend(buckets.flat_map(|bucket| [bucket.min, bucket.max, bucket.smooth]));
        }
        let finite = || values.iter().copied().filter(|value| value.is_finite());
        let high = f64::from(finite().fold(f32::NEG_INFINITY, f32::max));
        if self.app.log_scale {
            let low = finite().filter(|&value| value > 0.0).fold(f32::INFINITY, f32::min);
            Axis::logarithmic(f64::from(low), high)
        } else {
            Axis::linear(0.0, high)
        }
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
                    raster.vertical(column, joined(before, row), row, PAST);
                }
                before = row;
            }
        }
    }

    fn draw_steps(&self, chart: &Chart, buf: &mut Buffer) {
        let mut raster = Raster::new(chart.plot.width, chart.plot.height);
        self.draw_pasts(chart, &mut raster);
        let mut before = None;
        let mut marks = Vec::new();
        for column in 0..raster.columns() {
            let (from, to) = chart.steps(column);
            let Some(bucket) = self.app.curves.steps(self.app.range, from, to) else {
                continue;
            };
            if bucket.is_drawable()
                && let (Some(top), Some(bottom)) =
                    (chart.row(f64::from(bucket.max)), chart.row(f64::from(bucket.min)))
            {
                raster.vertical(column, top, bottom, BAND);
                marks.extend([(column, top), (column, bottom)]);
            }
            let row = chart.row(f64::from(bucket.smooth));
            if let Some(row) = row {
                raster.vertical(column, joined(before, row), row, SMOOTH);
            }
            before = row;
            if bucket.non_finite > 0 {
                chart.mark_top(buf, column, "✗", self.theme.alert);
            }
        }
        for (column, row) in marks {
            raster.mark(column, row);
        }
        let styles = [self.theme.band, self.theme.past, self.theme.smooth];
        raster.render(chart.plot, buf, &styles);
    }
}

/// Where a line with a dot in `row` starts in its column: just before the last column's dot, so that
/// it has no gaps.
fn joined(before: Option<u32>, row: u32) -> u32 {
    match before {
        Some(last) if row > last => last + 1,
        Some(last) if row < last => last - 1,
        _ => row,
    }
}

impl Widget for &Loss<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let inner = pane::titled(area, buf, self.theme, &self.title(), self.legends());
        if self.app.curves.loss.steps() == 0 {
            let text = if self.app.run.ended_before_training() {
                "No batch was trained."
            } else {
                "The loss of every batch appears here as soon as training starts."
            };
            return pane::empty(inner, buf, self.theme, text);
        }
        let span = self.app.curves.span(self.app.range);
        let Some(chart) = Chart::draw(inner, buf, self.theme, self.axis(span), span, chart::plain)
        else {
            return;
        };
        self.draw_steps(&chart, buf);
        let curves = &self.app.curves;
        for point in curves.past_evaluations() {
            chart.mark(buf, point.step, f64::from(point.loss), "◇", self.theme.past);
        }
        for point in curves.evaluations.iter() {
            chart.mark(buf, point.step, f64::from(point.loss), "◆", self.theme.evaluation);
        }
        for &step in curves.marks.breaks() {
            chart.mark_break(buf, step, self.theme.alert);
        }
        for &(step, rate) in curves.marks.rates() {
            chart.mark_below(buf, step, &format::learning_rate(rate), self.theme.accent);
        }
    }
}
