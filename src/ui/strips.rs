//! Learning rate, length of the gradient and size of the update, in low charts under the others.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Style,
    text::{Line, Span},
};

use super::{
    axis::Axis,
    chart::{self, Chart, End, Frame},
    format, layout, loss, pane,
    raster::Raster,
    theme::Theme,
};
use crate::app::{App, curves};

/// Values so far apart are shown on a logarithmic axis.
const TWO_DECADES: f64 = 100.0;

/// What a strip shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Quantity {
    LearningRate,
    GradientNorm,
    UpdateRatio,
}

impl Quantity {
    /// Those that this many strips show.
    fn shown(strips: usize) -> &'static [Self] {
        match strips {
            0 => &[],
            1 => &[Self::GradientNorm],
            2 => &[Self::GradientNorm, Self::UpdateRatio],
            _ => &[Self::LearningRate, Self::GradientNorm, Self::UpdateRatio],
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::LearningRate => "Learning rate",
            Self::GradientNorm => "Gradient norm",
            Self::UpdateRatio => "Update / weights",
        }
    }

    fn text(self, value: f64) -> String {
        match self {
            Self::LearningRate => format::learning_rate(value),
            Self::GradientNorm => format::loss(value),
            Self::UpdateRatio => format::scientific(value),
        }
    }

    fn style(self, theme: &Theme) -> Style {
        match self {
            Self::LearningRate => theme.accent,
            Self::GradientNorm => theme.smooth,
            Self::UpdateRatio => theme.evaluation,
        }
    }

    /// The lowest and the highest value of a span.
    fn of(self, span: &curves::Span) -> (f64, f64) {
        let (low, high) = match self {
            Self::LearningRate => (f32::NAN, f32::NAN),
            Self::GradientNorm => span.gradient_norm,
            Self::UpdateRatio => span.update_ratio,
        };
        (low.into(), high.into())
    }

    /// Steps with their values; neighbours that were joined have their lowest at the first of their steps
    /// and their highest at the last.
    fn points(self, curves: &curves::Curves) -> Vec<(u64, f64)> {
        let mut points = Vec::new();
        let mut add = |first: u64, low: f64, last: u64, high: f64| {
            points.push((first, low));
            if last > first {
                points.push((last, high));
            }
        };
        if self == Self::LearningRate {
            let mut before = 0;
            for &(last, rate) in curves.rates.stretches() {
                add(before + 1, rate, last, rate);
                before = last;
            }
        } else {
            for span in curves.measures.spans() {
                let (low, high) = self.of(span);
                add(span.first, low, span.last, high);
            }
        }
        points.retain(|(_, value)| value.is_finite());
        points
    }

    /// The newest value, finite or not.
    fn latest(self, curves: &curves::Curves) -> Option<f64> {
        match self {
            Self::LearningRate => curves.rates.stretches().last().map(|(_, rate)| *rate),
            _ => curves.measures.spans().last().map(|span| self.of(span).1),
        }
    }

    /// The value at a step, or the last one before it.
    fn at(self, curves: &curves::Curves, step: u64) -> Option<f64> {
        match self {
            Self::LearningRate => curves.rates.at(step.max(1)),
            _ => curves.measures.up_to(step).map(|span| self.of(span).1),
        }
    }
}

/// A strip of each quantity that there is room for.
#[derive(Debug)]
pub(super) struct Strips<'a> {
    app: &'a App,
    theme: &'a Theme,
}

impl<'a> Strips<'a> {
    pub(super) fn new(app: &'a App, theme: &'a Theme) -> Self {
        Self { app, theme }
    }

    /// Draws them from the top of `area` down, the steps below the last.
    pub(super) fn render(&self, area: Rect, buf: &mut Buffer) {
        let strips = layout::strips(area);
        for (place, (quantity, area)) in
            Quantity::shown(strips.len()).iter().zip(&strips).enumerate()
        {
            let frame = Frame { names_steps: place + 1 == strips.len(), ..frame() };
            self.strip(*quantity, frame, *area, buf);
        }
    }

    fn strip(&self, quantity: Quantity, frame: Frame, area: Rect, buf: &mut Buffer) {
        let curves = &self.app.curves;
        Strip {
            title: quantity.name(),
            points: quantity.points(curves),
            style: quantity.style(self.theme),
            at: &|step| quantity.at(curves, step),
            text: &|value| quantity.text(value),
            end: &|value| match quantity.latest(curves).filter(|latest| !latest.is_finite()) {
                Some(latest) => latest.to_string(),
                None => quantity.text(value),
            },
            axis,
            missing: "Nothing was measured in this run.",
        }
        .render(self.app, self.theme, frame, area, buf);
    }
}

/// One low chart.
pub(super) struct Strip<'a> {
    pub(super) title: &'a str,
    /// Steps with their values.
    pub(super) points: Vec<(u64, f64)>,
    pub(super) style: Style,
    /// The value at a step, or the last one before it.
    pub(super) at: &'a dyn Fn(u64) -> Option<f64>,
    /// A value as it is written in the title.
    pub(super) text: &'a dyn Fn(f64) -> String,
    /// The latest value as it is written at the end of the line, in [`loss::TAIL`] columns.
    pub(super) end: &'a dyn Fn(f64) -> String,
    /// An axis for values, of which there is at least one.
    pub(super) axis: fn(&[f64]) -> Option<Axis>,
    /// What to say in place of a chart without points.
    pub(super) missing: &'a str,
}

impl Strip<'_> {
    pub(super) fn render(
        self,
        app: &App,
        theme: &Theme,
        frame: Frame,
        area: Rect,
        buf: &mut Buffer,
    ) {
        let Self { points, at, style, .. } = self;
        let note = app.crosshair().and_then(|step| {
            let value = (self.text)(at(step)?);
            let muted = Span::styled(format!("at step {}: ", format::thousands(step)), theme.muted);
            Some(Line::from(vec![muted, Span::styled(value, theme.figure)]))
        });
        let notes = [note.unwrap_or_default()];
        let inner = pane::titled(area, buf, theme, self.title, notes);
        let sight = app.sight();
        // What a zoom has left out still holds at both ends.
        let ends = [sight.from, sight.to].map(|step| at(step).map(|it| (step, it)));
        let ends = ends.into_iter().flatten().filter(|(_, value)| value.is_finite());
        let seen = points.iter().copied().chain(ends);
        let seen = seen.filter(|(step, _)| (sight.from..=sight.to).contains(step));
        let seen: Vec<f64> = seen.map(|(_, value)| value).collect();
        let Some(axis) = (self.axis)(&seen) else {
            let text = match (app.curves.loss.steps(), points.is_empty()) {
                (0, _) => "This appears as soon as training starts.",
                (_, true) => self.missing,
                (_, false) => "Nothing was measured in this range.",
            };
            return pane::empty(inner, buf, theme, text);
        };
        let span = (sight.from, sight.to);
        let Some(chart) = Chart::draw(inner, buf, theme, axis, span, frame) else { return };
        let mut raster = Raster::new(chart.plot.width, chart.plot.height);
        chart.draw_line(&mut raster, points.iter().copied(), 1);
        raster.render(chart.plot, buf, &[style]);
        if let Some(&(step, value)) = points.last() {
            chart.print_ends(buf, &[End { step, value, text: (self.end)(value), style }]);
        }
        if frame.names_steps {
            chart.mark_rates(buf, &app.curves.marks, theme);
        }
        if let Some(step) = app.crosshair() {
            chart.draw_crosshair(buf, step, theme);
        }
    }
}

/// What surrounds charts that stand above each other, so that their columns line up.
pub(super) fn frame() -> Frame {
    Frame {
        label: chart::plain,
        tail: loss::TAIL,
        gutter: chart::WIDE_GUTTER,
        names_steps: false,
        unit: "steps",
    }
}

/// An axis that holds these values; `None` where there is none above zero.
fn axis(values: &[f64]) -> Option<Axis> {
    let high = values.iter().copied().reduce(f64::max)?;
    let low = values.iter().copied().filter(|&value| value > 0.0).reduce(f64::min)?;
    Some(if high >= TWO_DECADES * low {
        Axis::logarithmic(low, high)
    } else {
        Axis::linear(0.0, high)
    })
}
