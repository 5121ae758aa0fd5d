//! The share of images that the network gets wrong, after each epoch.

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
    format, loss, pane,
    raster::Raster,
    theme::Theme,
};
use crate::{
    app::{App, Sight},
    protocol::{EvalPoint, EvalSet},
};

/// The chart of the error, of the evaluated and of the training images.
#[derive(Debug)]
pub(super) struct ErrorRate<'a> {
    app: &'a App,
    theme: &'a Theme,
    has_strips: bool,
}

// Layers, the lowest first.
const TRAINING: u8 = 1;
const TRAINING_POINT: u8 = 2;
const PAST_POINT: u8 = 3;
const EVALUATIONS: u8 = 4;
const POINT: u8 = 5;
/// Error in percent that a logarithmic axis shows for zero where there is no other value.
const NEARLY_NONE: f64 = 0.01;

/// A logarithmic axis goes no further below the lowest error of an evaluation than this.
const BELOW_EVALUATION: f64 = 20.0;
/// Error in percent that an axis without any points goes up to.
const ALL: f64 = 100.0;

/// Percent of images of the evaluation that are wrong.
pub(super) fn evaluated(point: &EvalPoint) -> f64 {
    100.0 * (1.0 - f64::from(point.accuracy))
}

/// Percent of the epoch's training images that were wrong, if that is known.
pub(super) fn trained(point: &EvalPoint) -> Option<f64> {
    point.train_accuracy.map(|accuracy| 100.0 * (1.0 - f64::from(accuracy)))
}

impl<'a> ErrorRate<'a> {
    pub(super) fn new(app: &'a App, theme: &'a Theme) -> Self {
        Self { app, theme, has_strips: false }
    }

    /// The same in line with strips below, the last of which names the steps.
    pub(super) fn above_strips(self, has_strips: bool) -> Self {
        Self { has_strips, ..self }
    }

    /// The best evaluation since training began.
    fn best(&self) -> Option<&EvalPoint> {
        let points = self.app.curves.evaluations.iter().filter(|point| point.step > 0);
        points.max_by(|a, b| a.accuracy.total_cmp(&b.accuracy))
    }

    fn training(&self) -> Style {
        self.theme.smooth
    }

    /// The best accuracy with the meaning of the lines, and with less of it.
    fn notes(&self) -> [Line<'static>; 2] {
        let curves = &self.app.curves;
        let set = self.app.run.info.as_ref().map_or(EvalSet::Test, |info| info.eval_set);
        if curves.evaluations.is_empty() {
            return [Line::default(), Line::default()];
        }
        let best = self.best().map_or_else(String::new, |best| {
            format!("best accuracy {}", format::percent(f64::from(best.accuracy)))
        });
        let muted = |text: String| Span::styled(text, self.theme.muted);
        let gap = if best.is_empty() { "" } else { "  " };
        let mut full = Line::from(muted(format!("{best}{gap}")));
        if curves.evaluations.iter().any(|point| point.train_accuracy.is_some()) {
            full.push_span(Span::styled(loss::BEAD, self.training()));
            full.push_span(muted(" training  ".to_owned()));
        }
        full.push_span(Span::styled(loss::BEAD, self.theme.evaluation));
        full.push_span(muted(format!(" {}", set.name())));
        [full, Line::from(muted(best))]
    }

    fn axis(&self, sight: &Sight) -> Axis {
        let curves = &self.app.curves;
        let in_sight = |point: &&EvalPoint| (sight.from..=sight.to).contains(&point.step);
        let points = || curves.evaluations.iter().chain(curves.past_evaluations()).filter(in_sight);
        // Before training nearly all are wrong: that point alone would take most of the axis.
        let settled = points().any(|point| point.step > 0);
        let points = || points().filter(move |point| point.step > 0 || !settled);
        let high = points().flat_map(|point| [Some(evaluated(point)), trained(point)]);
        let high = high.flatten().reduce(f64::max).unwrap_or(ALL);
        if self.app.error_is_log() {
            let lowest = |errors: &mut dyn Iterator<Item = f64>| {
                errors.filter(|&error| error > 0.0).reduce(f64::min)
            };
            let low = lowest(&mut points().map(evaluated)).unwrap_or(NEARLY_NONE);
            // Training images may all be learnt by heart.
            let training = lowest(&mut points().filter_map(trained)).unwrap_or(low);
            let low = training.max(low / BELOW_EVALUATION).min(low);
            Axis::logarithmic(low, high.max(low))
        } else {
            Axis::linear(0.0, high)
        }
    }

    /// Marks what lies above the axis: the evaluation before training.
    fn mark_clipped(&self, chart: &Chart, buf: &mut Buffer) {
        let Some(first) = self.app.curves.evaluations.iter().next() else { return };
        let error = evaluated(first);
        if chart.shows(first.step) && error > chart.high() {
            let column = [chart.column(first.step)];
            chart.mark_clipped(buf, &column, &percent(error), self.theme.muted);
        }
    }

    fn draw_lines(&self, chart: &Chart, buf: &mut Buffer) {
        let curves = &self.app.curves;
        let mut raster = Raster::new(chart.plot.width, chart.plot.height);
        let points = curves.evaluations.iter();
        let training = points.clone().filter_map(|point| Some((point.step, trained(point)?)));
        chart.draw_points(&mut raster, training, TRAINING, TRAINING_POINT);
        let evaluations = points.map(|point| (point.step, evaluated(point)));
        chart.draw_points(&mut raster, evaluations, EVALUATIONS, POINT);
        for point in curves.past_evaluations().filter(|point| chart.shows(point.step)) {
            if let Some(row) = chart.row(evaluated(point)) {
                raster.bead((chart.column(point.step), row), true, PAST_POINT);
            }
        }
        let Theme { past, evaluation, .. } = *self.theme;
        let styles = [self.training(), self.training(), past, evaluation, evaluation];
        raster.render(chart.plot, buf, &styles);
    }

    /// The latest values, where the curve of the loss ends.
    fn ends(&self) -> Vec<End> {
        let curves = &self.app.curves;
        let Some(last) = curves.evaluations.iter().next_back() else { return Vec::new() };
        let step = curves.loss.steps();
        let end = |value: f64, style| End { step, value, text: percent(value), style };
        let evaluation = end(evaluated(last), self.theme.evaluation);
        let training = trained(last).map(|error| end(error, self.training()));
        std::iter::once(evaluation).chain(training).collect()
    }
}

/// Percent in at most six characters.
pub(super) fn percent(value: f64) -> String {
    if value < 9.995 { format!("{value:.2} %") } else { format!("{value:.1} %") }
}

impl Widget for &ErrorRate<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let scale = if self.app.error_is_log() { "log" } else { "linear" };
        let title = format!("Error after each epoch · {scale}");
        let inner = pane::titled(area, buf, self.theme, &title, self.notes());
        let sight = self.app.sight();
        let gutter = if self.has_strips { chart::WIDE_GUTTER } else { chart::GUTTER };
        let names_steps = !self.has_strips;
        let (label, unit) = (chart::percent, "steps");
        let frame = Frame { label, tail: loss::TAIL, gutter, names_steps, unit };
        let (axis, span) = (self.axis(&sight), (sight.from, sight.to));
        let curves = &self.app.curves;
        if curves.loss.steps() > 0
            && let Some(chart) = Chart::draw(inner, buf, self.theme, axis, span, frame)
        {
            self.draw_lines(&chart, buf);
            self.mark_clipped(&chart, buf);
            if names_steps {
                chart.mark_rates(buf, &curves.marks, self.theme);
            }
            chart.print_ends(buf, &self.ends());
            if let Some(step) = self.app.crosshair() {
                chart.draw_crosshair(buf, step, self.theme);
            }
        }
        if curves.evaluations.is_empty() && curves.past_evaluations().next().is_none() {
            pane::empty(inner, buf, self.theme, "The first point appears after the first epoch.");
        }
    }
}
