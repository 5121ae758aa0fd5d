//! What the machine does: figures of the moment, charts over the steps, energy of the epochs.

mod epochs;
mod gauge;
mod now;

use ratatui::{
    buffer::Buffer,
    layout::{Constraint, Layout, Position, Rect},
    text::{Line, Span},
    widgets::Widget,
};

use super::{
    axis::Axis,
    chart::{Chart, Frame},
    format, pane,
    strips::{self, Strip},
    theme::Theme,
};
use crate::app::{App, curves::Gauge};
pub(super) use now::{Now, below};

/// Rows that a chart has at least, with its title, and where there are many rows.
const LOWEST: u16 = 4;
const COMFORTABLE: u16 = 5;
const MANY: u16 = 24;
/// ... and at most.
const HIGHEST: u16 = 12;
/// Columns from which the table of epochs stands at the right.
const WIDE: u16 = 110;
/// Columns of that table.
const TABLE: u16 = 46;

/// The view of the machine.
#[derive(Debug)]
pub(super) struct Machine<'a> {
    app: &'a App,
    theme: &'a Theme,
}

/// Parts of the view.
struct Parts {
    now: Rect,
    charts: Vec<(Gauge, Rect)>,
    epochs: Option<Rect>,
    readout: Rect,
}

/// Figures with a chart each from the top down, those first that a person wants first.
fn parts(app: &App, body: Rect) -> Parts {
    let [above, readout] =
        Layout::vertical([Constraint::Fill(1), Constraint::Length(1)]).areas(body);
    let (left, right) = if body.width < WIDE {
        (above, None)
    } else {
        let columns = [Constraint::Fill(1), Constraint::Length(TABLE)];
        let [left, right] = Layout::horizontal(columns).spacing(2).areas(above);
        (left, Some(right))
    };
    let rows = [Constraint::Length(now::rows(app)), Constraint::Fill(1)];
    let [now, charts] = Layout::vertical(rows).areas(left);
    let gauges: Vec<Gauge> =
        Gauge::ALL.into_iter().filter(|&gauge| app.curves.machine.has(gauge)).collect();
    // The row of the steps is below the last chart.
    let room = charts.height.saturating_sub(1);
    let lowest = if room < MANY { LOWEST } else { COMFORTABLE };
    let count = usize::from(room / lowest).min(gauges.len());
    let height = (room / (count as u16).max(1)).min(HIGHEST);
    let charts = gauges.into_iter().take(count).zip(0..).map(|(gauge, place)| {
        let is_last = usize::from(place) + 1 == count;
        let y = charts.y + place * height;
        (gauge, Rect { y, height: height + u16::from(is_last), ..charts })
    });
    Parts { now, charts: charts.collect(), epochs: right, readout }
}

impl<'a> Machine<'a> {
    pub(super) fn new(app: &'a App, theme: &'a Theme) -> Self {
        Self { app, theme }
    }

    fn chart(&self, gauge: Gauge, frame: Frame, area: Rect, buf: &mut Buffer) {
        let readings = &self.app.curves.machine;
        let mut points = Vec::new();
        for span in readings.spans() {
            let Some((low, high)) = span.range(gauge) else { continue };
            points.push((span.first, low));
            if span.last > span.first {
                points.push((span.last, high));
            }
        }
        Strip {
            title: gauge::title(gauge),
            points,
            style: gauge::style(gauge, self.theme),
            at: &|step| readings.up_to(step)?.range(gauge).map(|(_, high)| high),
            text: &|value| gauge::text(gauge, value),
            end: &|value| gauge::number(gauge, value),
            axis,
            missing: "This appears with the first reading, within a second.",
        }
        .render(self.app, self.theme, frame, area, buf);
    }

    /// The figures at the crosshair: `step 8,412 · 231 W · 63 °C · 41 %`.
    fn readout(&self, step: u64, width: u16) -> Line<'static> {
        let mut line = Line::from(Span::styled(
            format!("step {}", format::thousands(step)),
            self.theme.figure,
        ));
        let before = step.saturating_sub(1);
        let bucket = self.app.curves.steps(&self.app.sight().finely(), before, step);
        if let Some(loss) = bucket.map(|bucket| bucket.smooth).filter(|loss| loss.is_finite()) {
            let text = format!(" · loss {}", format::loss(f64::from(loss)));
            line.push_span(Span::styled(text, self.theme.smooth));
        }
        for part in at(self.app, step) {
            if line.width() + part.chars().count() + 3 > usize::from(width) {
                break;
            }
            line.push_span(Span::styled(" · ", self.theme.muted));
            line.push_span(Span::styled(part, self.theme.figure));
        }
        line
    }
}

/// Figures of the machine at a step, with their units, those of the GPU first.
pub(super) fn at(app: &App, step: u64) -> Vec<String> {
    let Some(span) = app.curves.machine.up_to(step) else { return Vec::new() };
    let shown = [
        Gauge::Power,
        Gauge::Temperature,
        Gauge::Utilization,
        Gauge::GpuMemory,
        Gauge::GpuClock,
        Gauge::Program,
        Gauge::Resident,
    ];
    let part = |gauge| span.range(gauge).map(|(_, high)| gauge::text(gauge, high));
    shown.into_iter().filter_map(part).collect()
}

/// The step that a place of the view shows; `None` beside the charts.
pub(super) fn step_at(app: &App, theme: &Theme, body: Rect, at: Position) -> Option<u64> {
    let parts = parts(app, body);
    let (_, area) = parts.charts.iter().find(|(_, area)| area.contains(at))?;
    let mut unseen = Buffer::empty(*area);
    let inner = pane::titled(*area, &mut unseen, theme, "", [Line::default()]);
    let (sight, axis) = (app.sight(), Axis::linear(0.0, 1.0));
    let chart =
        Chart::draw(inner, &mut unseen, theme, axis, (sight.from, sight.to), strips::frame())?;
    chart.step_at(at.x)
}

/// An axis from zero that holds these values.
fn axis(values: &[f64]) -> Option<Axis> {
    let high = values.iter().copied().reduce(f64::max)?;
    Some(Axis::linear(0.0, if high > 0.0 { high } else { 1.0 }))
}

impl Widget for &Machine<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        if self.app.machine.is_none() {
            let text = if self.app.looks_on {
                "This run has not recorded what its machine did."
            } else {
                "The first figures of this machine appear within a second of the start."
            };
            return pane::empty(area, buf, self.theme, text);
        }
        let Parts { now, charts, epochs, readout } = parts(self.app, area);
        Now::new(self.app, self.theme).render(now, buf);
        let count = charts.len();
        for (place, (gauge, area)) in charts.into_iter().enumerate() {
            let frame = Frame { names_steps: place + 1 == count, ..strips::frame() };
            self.chart(gauge, frame, area, buf);
        }
        if let Some(area) = epochs {
            epochs::Epochs::new(self.app, self.theme).render(area, buf);
        }
        if let Some(step) = self.app.crosshair() {
            self.readout(step, readout.width).render(readout, buf);
        }
    }
}
