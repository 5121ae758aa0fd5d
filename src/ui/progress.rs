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

    /// Label and value of each figure, the most important first.
    fn figures(&self) -> Vec<(&'static str, &'static str, String)> {
        let run = &self.app.run;
        let mut figures = Vec::new();
        if let Some(loss) = run.figures().loss {
            figures.push(("training loss", "loss", format::loss(f64::from(loss))));
        }
        if let Some(record) = self.app.newest_matrix() {
            let name = record.evaluation.set.name();
            let long = if name == "test" { "test loss" } else { "validation loss" };
            let short = if name == "test" { "test" } else { "valid" };
            figures.push((long, short, format::loss(record.evaluation.loss)));
            figures.push(("accuracy", "acc", format::percent(record.evaluation.accuracy())));
        }
        if let Some(rate) = run.figures().images_per_second {
            let rate = format::thousands(rate.round() as u64);
            figures.push(("images/s", "img/s", format!("{rate:>7}")));
        }
        if let Some(rate) = run.learning_rate {
            figures.push(("learning rate", "lr", format::learning_rate(rate)));
        }
        if let Some(info) = &run.info {
            figures.push(("", "", info.device.clone()));
        }
        figures
    }

    fn line(&self, figures: &[(&'static str, &'static str, String)], long: bool) -> Line<'static> {
        let mut spans = Vec::new();
        for (place, (full, short, value)) in figures.iter().enumerate() {
            let label = if long { *full } else { *short };
            if place > 0 {
                spans.push(Span::raw(if long { "   " } else { "  " }));
            }
            let style = if full.is_empty() { self.theme.muted } else { self.theme.figure };
            // A unit stands behind its figure, a name before it.
            if label.contains('/') {
                spans.push(Span::styled(value.clone(), style));
                spans.push(Span::styled(format!(" {label}"), self.theme.muted));
            } else {
                if !label.is_empty() {
                    spans.push(Span::styled(format!("{label} "), self.theme.muted));
                }
                let style = if value == "NaN" { self.theme.alert } else { style };
                spans.push(Span::styled(value.clone(), style));
            }
        }
        Line::from(spans)
    }

    fn figures_line(&self, width: u16) -> Line<'static> {
        if let Some(notice) = &self.app.notice {
            // An overlay tells it in full.
            if self.app.overlay.is_none() {
                let notice = format::cut(&format!("{notice} (esc)"), usize::from(width));
                return Line::styled(notice, self.theme.alert);
            }
        }
        let mut figures = self.figures();
        let full = self.line(&figures, true);
        if full.width() <= usize::from(width) {
            return full;
        }
        loop {
            let line = self.line(&figures, false);
            if line.width() <= usize::from(width) || figures.pop().is_none() {
                return line;
            }
        }
    }
}

/// A thin bar whose end moves by half columns.
fn draw_bar(area: Rect, buf: &mut Buffer, share: f64, theme: &Theme) {
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
