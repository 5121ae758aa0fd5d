//! Gauges: how far the epoch and the run are.

use ratatui::{
    buffer::Buffer,
    layout::{Constraint, Layout, Rect},
    widgets::Widget,
};

use super::{format, theme::Theme};
use crate::{app::App, protocol::RunState};

/// The epoch's gauge and the run's, side by side.
#[derive(Debug)]
pub(super) struct Progress<'a> {
    app: &'a App,
    theme: &'a Theme,
}

/// A gauge with its texts.
struct Gauge {
    label: String,
    share: f64,
    /// Behind the bar, from the least room to the most.
    behind: [String; 3],
}

/// Columns from which texts are of the second and of the third size.
const ROOMY: [u16; 2] = [34, 56];
/// Columns from which both gauges are shown.
const TWO: u16 = 60;
/// Columns between them.
const GAP: u16 = 3;
/// Columns below which a bar shows nothing.
const SHORTEST_BAR: u16 = 4;

impl<'a> Progress<'a> {
    pub(super) fn new(app: &'a App, theme: &'a Theme) -> Self {
        Self { app, theme }
    }

    fn epoch(&self) -> Gauge {
        let run = &self.app.run;
        let share = run.epoch_share();
        let Some(info) = &run.info else {
            return Gauge { label: "epoch".to_owned(), share, behind: Default::default() };
        };
        let all = format::thousands(info.epochs.into());
        let epoch = format::thousands(run.epoch.into());
        let label = format!("epoch {epoch:>width$}/{all}", width = all.len());
        let steps = format::thousands(info.steps_per_epoch);
        let batch =
            format!("batch {:>width$}/{steps}", format::thousands(run.batch), width = steps.len());
        let percent = percent(share);
        let long = format!("{percent}  {batch}");
        Gauge { label, share, behind: [percent, batch, long] }
    }

    fn run(&self) -> Gauge {
        let run = &self.app.run;
        let share = run.run_share();
        let percent = percent(share);
        let elapsed = format::duration(run.clock.elapsed());
        let (short, long) = match (run.state, run.figures().seconds_left, self.app.known_steps()) {
            (RunState::Loading, ..) => ("reading the data".to_owned(), None),
            (.., Some(known)) => {
                let known = format::thousands(known);
                let step = format::thousands(run.step);
                let step = format!("step {step:>width$} of {known}", width = known.len());
                (step.clone(), Some(format!("rewound to {step}")))
            }
            (_, Some(left), None) => {
                let left = format!("{} left", format::duration(left));
                (left.clone(), Some(format!("{elapsed} elapsed, {left}")))
            }
            (_, None, None) => (format!("{elapsed} elapsed"), None),
        };
        let behind = |text: &str| format!("{percent}  {text}");
        let long = behind(long.as_deref().unwrap_or(&short));
        Gauge { label: "run".to_owned(), share, behind: [percent.clone(), behind(&short), long] }
    }

    fn gauge(&self, area: Rect, buf: &mut Buffer, gauge: &Gauge) {
        let size = ROOMY.iter().filter(|&&columns| area.width >= columns).count();
        let fits = |text: &&String, bar: u16| {
            let texts = gauge.label.len() + 1 + text.chars().count() + 1;
            texts + usize::from(bar) <= usize::from(area.width)
        };
        // A figure is worth more than its bar.
        let figure = Some(&gauge.behind[1]).filter(|text| size > 0 && fits(text, 0));
        let mut roomy = gauge.behind[..=size].iter().rev().take(size);
        let behind = roomy.find(|text| fits(text, SHORTEST_BAR)).or(figure);
        let behind = behind.or(Some(&gauge.behind[0]).filter(|text| fits(text, SHORTEST_BAR)));
        let behind = behind.map_or("", String::as_str);
        let columns =
            [&gauge.label, behind].map(|text| Constraint::Length(text.chars().count() as u16));
        let [label, bar, text] = Layout::horizontal([columns[0], Constraint::Fill(1), columns[1]])
            .spacing(1)
            .areas(area);
        buf.set_stringn(label.x, label.y, &gauge.label, label.width.into(), self.theme.muted);
        draw_bar(bar, buf, gauge.share, self.theme);
        buf.set_stringn(text.x, text.y, behind, text.width.into(), self.theme.muted);
    }
}

fn percent(share: f64) -> String {
    format!("{:>3} %", format::short_percent(share))
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
        if area.width < TWO {
            return self.gauge(area, buf, &self.epoch());
        }
        let [epoch, run] =
            Layout::horizontal([Constraint::Fill(1), Constraint::Fill(1)]).spacing(GAP).areas(area);
        self.gauge(epoch, buf, &self.epoch());
        self.gauge(run, buf, &self.run());
    }
}
