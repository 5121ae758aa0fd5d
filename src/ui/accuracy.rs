//! Accuracy after each epoch.

use ratatui::{buffer::Buffer, layout::Rect, text::Line, widgets::Widget};

use super::{
    axis::Axis,
    chart::{self, Chart},
    format, pane,
    raster::Raster,
    theme::Theme,
};
use crate::{
    app::{App, Range},
    protocol::EvalPoint,
};

/// The accuracy chart.
#[derive(Debug)]
pub(super) struct Accuracy<'a> {
    app: &'a App,
    theme: &'a Theme,
}

impl<'a> Accuracy<'a> {
    pub(super) fn new(app: &'a App, theme: &'a Theme) -> Self {
        Self { app, theme }
    }

    fn best(&self) -> Option<&EvalPoint> {
        let points = self.app.curves.evaluations.iter();
        points.max_by(|a, b| a.accuracy.total_cmp(&b.accuracy))
    }
}

impl Widget for &Accuracy<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let note = self.best().map_or_else(Line::default, |best| {
            let share = format::percent(f64::from(best.accuracy));
            Line::styled(format!("best {share}"), self.theme.muted)
        });
        let inner = pane::titled(area, buf, self.theme, "Accuracy after each epoch", [note]);
        let curves = &self.app.curves;
        let points = &curves.evaluations;
        let shown = points.iter().chain(curves.past_evaluations());
        let Some(lowest) = shown.map(|point| point.accuracy).reduce(f32::min) else {
            let text = "The first point appears after the first epoch.";
            return pane::empty(inner, buf, self.theme, text);
        };
        let axis = Axis::below(f64::from(lowest), 1.0);
        let span = self.app.curves.span(Range::WholeRun);
        let Some(chart) = Chart::draw(inner, buf, self.theme, axis, span, chart::percent) else {
            return;
        };
        let mut raster = Raster::new(chart.plot.width, chart.plot.height);
        for (&from, &to) in points.iter().zip(points.iter().skip(1)) {
            draw_line(&mut raster, &chart, from, to);
        }
        raster.render(chart.plot, buf, &[self.theme.band]);
        for point in curves.past_evaluations() {
            chart.mark(buf, point.step, f64::from(point.accuracy), "◇", self.theme.past);
        }
        for point in points.iter() {
            chart.mark(buf, point.step, f64::from(point.accuracy), "◆", self.theme.evaluation);
        }
    }
}

fn draw_line(raster: &mut Raster, chart: &Chart, from: EvalPoint, to: EvalPoint) {
    let (first, last) = (chart.column(from.step), chart.column(to.step));
    let row = |column: u32| {
        let share =
            if last > first { f64::from(column - first) / f64::from(last - first) } else { 1.0 };
        let (low, high) = (f64::from(from.accuracy), f64::from(to.accuracy));
        chart.row(low + share * (high - low))
    };
    for column in first..=last {
        if let (Some(row), Some(next)) = (row(column), row((column + 1).min(last))) {
            raster.vertical(column, row, next, 1);
        }
    }
}
