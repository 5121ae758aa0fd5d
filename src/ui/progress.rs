//! Gauges and the figures of the moment.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
    widgets::Widget,
};

use super::{format, theme::Theme};
use crate::{app::App, protocol::RunState};

/// How far epoch and run are, and how well and how quickly it goes.
#[derive(Debug)]
pub(super) struct Progress<'a> {
    app: &'a App,
    theme: &'a Theme,
}

/// Columns of a gauge's label.
const LABEL: u16 = 15;
/// Columns for what stands behind a gauge.
const BEHIND: u16 = 31;
/// Columns of the percentage.
const PERCENT: u16 = 6;

impl<'a> Progress<'a> {
    pub(super) fn new(app: &'a App, theme: &'a Theme) -> Self {
        Self { app, theme }
    }

    fn epoch(&self) -> (String, String) {
        let run = &self.app.run;
        let Some(info) = &run.info else {
            return ("epoch".into(), String::new());
        };
        let all = info.epochs.to_string();
        let label = format!("epoch {:>width$}/{all}", run.epoch, width = all.len());
        let steps = format::thousands(info.steps_per_epoch);
        let batch = format::thousands(run.batch);
        (label, format!("batch {batch:>width$}/{steps}", width = steps.len()))
    }

    fn run(&self) -> (String, String) {
        let run = &self.app.run;
        let elapsed = format::duration(run.clock.elapsed());
        let behind = match (run.state, run.figures().seconds_left) {
            (RunState::Loading, _) => "reading the data".into(),
            (_, Some(left)) => format!("{elapsed} elapsed, {} left", format::duration(left)),
            _ => format!("{elapsed} elapsed"),
        };
        ("run".into(), behind)
    }

    fn gauge(&self, area: Rect, buf: &mut Buffer, label: &str, share: f64, behind: &str) {
        let behind_width = if area.width >= LABEL + PERCENT + BEHIND + 8 { BEHIND } else { 0 };
        let label_width = LABEL.min(area.width / 3);
        buf.set_stringn(area.x, area.y, label, usize::from(label_width), self.theme.muted);
        let bar = area.width.saturating_sub(label_width + PERCENT + behind_width);
        let x = area.x + label_width;
        draw_bar(Rect { x, width: bar, ..area }, buf, share, self.theme);
        let percent = format!("{:>4} %", format::short_percent(share));
        buf.set_stringn(x + bar, area.y, percent, usize::from(PERCENT), self.theme.figure);
        if behind_width > 0 {
            let x = area.right() - behind_width + 3;
            buf.set_stringn(x, area.y, behind, usize::from(behind_width - 3), self.theme.muted);
        }
    }

    fn figures(&self) -> Vec<Figure> {
        let run = &self.app.run;
        let figure = |full, short, rank, value| Figure { full, short, value, rank };
        let mut figures = Vec::new();
        if let Some(known) = self.app.known_steps() {
            let (step, known) = (format::thousands(run.step), format::thousands(known));
            let value = format!("{step:>width$} of {known} known", width = known.len());
            figures.push(figure("went back: step", "step", 1, value));
        }
        if let Some(loss) = run.figures().loss {
            figures.push(figure("training loss", "loss", 0, format::loss(f64::from(loss))));
        }
        if let Some(record) = self.app.newest_matrix() {
            let name = record.evaluation.set.name();
            let long = if name == "test" { "test loss" } else { "validation loss" };
            let short = if name == "test" { "test" } else { "valid" };
            figures.push(figure(long, short, 3, format::loss(record.evaluation.loss)));
            let accuracy = format::percent(record.evaluation.accuracy());
            figures.push(figure("accuracy", "acc", 2, accuracy));
        }
        if let Some(rate) = run.figures().images_per_second {
            let rate = format::thousands(rate.round() as u64);
            figures.push(figure("images/s", "img/s", 6, format!("{rate:>7}")));
        }
        if let Some(rate) = run.learning_rate {
            figures.push(figure("learning rate", "lr", 4, format::learning_rate(rate)));
        }
        if let Some(pace) = run.pace {
            figures.push(figure("batches/s", "batch/s", 5, format!("≤{pace}")));
        }
        if let Some(info) = &run.info {
            figures.push(figure("", "", 7, info.device.clone()));
        }
        figures
    }

    fn line(&self, figures: &[Figure], long: bool) -> Line<'static> {
        let mut spans = Vec::new();
        for (place, figure) in figures.iter().enumerate() {
            let label = if long { figure.full } else { figure.short };
            if place > 0 {
                spans.push(Span::raw(if long { "   " } else { "  " }));
            }
            let style = match figure.value.as_str() {
                _ if label.is_empty() => self.theme.muted,
                "NaN" => self.theme.alert,
                _ => self.theme.figure,
            };
            let value = Span::styled(figure.value.clone(), style);
            // A unit stands behind its figure, a name before it.
            if label.contains('/') {
                spans.extend([value, Span::styled(format!(" {label}"), self.theme.muted)]);
            } else {
                if !label.is_empty() {
                    spans.push(Span::styled(format!("{label} "), self.theme.muted));
                }
                spans.push(value);
            }
        }
        Line::from(spans)
    }

    fn figures_line(&self, width: u16) -> Line<'static> {
        let mut figures = self.figures();
        let full = self.line(&figures, true);
        if full.width() <= usize::from(width) {
            return full;
        }
        loop {
            let line = self.line(&figures, false);
            let least = (0..figures.len()).max_by_key(|&place| figures[place].rank);
            match least {
                Some(least) if line.width() > usize::from(width) => drop(figures.remove(least)),
                _ => return line,
            }
        }
    }
}

/// A figure with its name or unit.
struct Figure {
    full: &'static str,
    short: &'static str,
    value: String,
    /// Place by importance, 0 the most.
    rank: u8,
}

/// A thin bar whose end moves by half columns.
pub(super) fn draw_bar(area: Rect, buf: &mut Buffer, share: f64, theme: &Theme) {
    let halves = (share.clamp(0.0, 1.0) * f64::from(area.width) * 2.0).floor() as u16;
    for column in 0..area.width {
        let (symbol, style) = match halves.saturating_sub(2 * column) {
            0 => ("─", theme.rule),
            1 => ("╸", theme.accent),
            _ => ("━", theme.accent),
        };
        buf.set_string(area.x + column, area.y, symbol, style);
    }
}

impl Widget for &Progress<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let run = &self.app.run;
        let (epoch, run_row) = (self.epoch(), self.run());
        for (place, row) in area.rows().enumerate() {
            match (place, area.height) {
                (0, _) => self.gauge(row, buf, &epoch.0, run.epoch_share(), &epoch.1),
                (1, 3..) => self.gauge(row, buf, &run_row.0, run.run_share(), &run_row.1),
                _ => self.figures_line(row.width).render(row, buf),
            }
        }
    }
}
