//! The values at the crosshair, or what a branch has brought, below the charts.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Style,
    text::{Line, Span},
    widgets::Widget,
};

use super::{error_rate, format, theme::Theme};
use crate::{
    app::{
        App,
        curves::{Comparison, Gauge},
    },
    metrics::Bucket,
    protocol::{EvalPoint, EvalSet},
};

/// The line below the charts.
#[derive(Debug)]
pub(super) struct Readout<'a> {
    app: &'a App,
    theme: &'a Theme,
}

/// A part of the line: what it is, and its value.
type Part = (String, String, Style);

impl<'a> Readout<'a> {
    pub(super) fn new(app: &'a App, theme: &'a Theme) -> Self {
        Self { app, theme }
    }

    fn set(&self) -> &'static str {
        self.app.run.info.as_ref().map_or(EvalSet::Test, |info| info.eval_set).name()
    }

    /// The values at a step, the most wanted first.
    fn values(&self, step: u64) -> Vec<Part> {
        let curves = &self.app.curves;
        let figure = self.theme.figure;
        let part = |name: &str, value: String| (name.to_owned(), value, figure);
        let mut parts = vec![part("step", format::thousands(step))];
        let before = step.saturating_sub(1);
        let bucket = curves.steps(&self.app.sight().finely(), before, step);
        let bucket = bucket.or_else(|| curves.pasts.ahead()?.loss.range(before, step));
        if let Some(bucket) = bucket {
            parts.push(part("loss", loss(&bucket)));
            if bucket.smooth.is_finite() {
                parts.push(part("smoothed", format::loss(f64::from(bucket.smooth))));
            }
        }
        if let Some(rate) = curves.rates.at(step.max(1)) {
            parts.push(part("lr", format::learning_rate(rate)));
        }
        if let Some(point) = curves.evaluations.iter().rev().find(|point| point.step <= step) {
            parts.extend(self.evaluation(point, step));
        }
        if let Some(span) = curves.measures.up_to(step) {
            let [gradient, update] =
                [span.gradient_norm, span.update_ratio].map(|(_, high)| f64::from(high));
            parts.push(part("gradient", format::loss(gradient)));
            parts.push(part("update/weights", format::scientific(update)));
        }
        let power = curves.machine.up_to(step).and_then(|span| span.range(Gauge::Power));
        if let Some((_, watts)) = power {
            parts.push(part("power", format!("{watts:.0} W")));
        }
        parts
    }

    fn evaluation(&self, point: &EvalPoint, step: u64) -> Vec<Part> {
        let (set, style) = (self.set(), self.theme.evaluation);
        let error = error_rate::percent(error_rate::evaluated(point));
        let since = if point.step == step {
            String::new()
        } else {
            format!(" at {}", format::thousands(point.step))
        };
        let mut parts = vec![(format!("{set} error"), format!("{error}{since}"), style)];
        if let Some(error) = error_rate::trained(point) {
            let error = error_rate::percent(error);
            parts.push(("training".to_owned(), error, self.theme.smooth));
        }
        parts.push((format!("{set} loss"), format::loss(f64::from(point.loss)), style));
        parts
    }

    /// What a branch has brought, with signs and colours for better and worse.
    fn comparison(&self, found: Comparison) -> Vec<Part> {
        let sign = |better: bool| if better { self.theme.right } else { self.theme.wrong };
        let Comparison { name, step, loss, accuracy } = found;
        let points = 100.0 * accuracy;
        let set = self.set();
        vec![
            ("compared with".to_owned(), name.to_string(), self.theme.past),
            ("at step".to_owned(), format::thousands(step), self.theme.figure),
            (format!("{set} loss"), format!("{loss:+.4}"), sign(loss <= 0.0)),
            ("accuracy".to_owned(), format!("{points:+.2} points"), sign(points >= 0.0)),
        ]
    }
}

/// The loss of a step, or of the steps around it where they are no longer told apart.
fn loss(bucket: &Bucket) -> String {
    let [min, max] = [bucket.min, bucket.max].map(|value| format::loss(f64::from(value)));
    if !bucket.is_drawable() {
        "not finite".to_owned()
    } else if min == max {
        min
    } else {
        format!("{min}–{max}")
    }
}

impl Widget for &Readout<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let parts = match (self.app.crosshair(), self.app.curves.comparison()) {
            (Some(step), _) => self.values(step),
            (None, Some(found)) => self.comparison(found),
            (None, None) => return,
        };
        let mut line = Line::default();
        for (name, value, style) in parts {
            let gap = if line.spans.is_empty() { "" } else { " · " };
            let width = [gap, &name, &value].map(|text| text.chars().count());
            // The last parts go first where there is no room.
            if line.width() + width.iter().sum::<usize>() + 1 > usize::from(area.width) {
                break;
            }
            line.push_span(Span::styled(format!("{gap}{name} "), self.theme.muted));
            line.push_span(Span::styled(value, style));
        }
        line.render(area, buf);
    }
}
