//! What each epoch took of the machine.

use ratatui::{buffer::Buffer, layout::Rect, style::Style, widgets::Widget};

use super::gauge;
use crate::{
    app::{App, curves::Gauge},
    protocol::EpochRecord,
    ui::{format, pane, table, theme::Theme},
};

/// The last epochs, the newest first, under the whole run.
#[derive(Debug)]
pub(super) struct Epochs<'a> {
    app: &'a App,
    theme: &'a Theme,
}

/// The right ends of the columns.
const COLUMNS: [u16; 4] = [7, 18, 29, 42];

impl<'a> Epochs<'a> {
    pub(super) fn new(app: &'a App, theme: &'a Theme) -> Self {
        Self { app, theme }
    }

    fn has_energy(&self) -> bool {
        self.app.curves.machine.energy_of(0, 0).is_some()
    }

    /// Energy, time and highest temperature of steps; or, without a GPU, time, processors and memory.
    fn figures(&self, (from, to): (u64, u64), seconds: f64) -> [String; 3] {
        let readings = &self.app.curves.machine;
        let most = |gauge: Gauge| {
            let range = readings.range(gauge, from, to);
            range.map_or_else(|| "—".to_owned(), |(_, high)| gauge::text(gauge, high))
        };
        let time = format!("{seconds:.1} s");
        if self.has_energy() {
            let energy = readings.energy_of(from, to);
            let energy = energy.map_or_else(|| "—".to_owned(), gauge::energy);
            [energy, time, most(Gauge::Temperature)]
        } else {
            let busy = readings.range(Gauge::Program, from, to);
            let busy = busy.map_or_else(|| "—".to_owned(), |(_, high)| format!("{high:.1}"));
            let memory = readings.range(Gauge::Resident, from, to);
            let memory = memory.map_or_else(
                || "—".to_owned(),
                |(_, high)| format!("{} MiB", gauge::number(Gauge::Resident, high)),
            );
            [time, busy, memory]
        }
    }

    fn row(buf: &mut Buffer, area: Rect, y: u16, cells: [&str; 4], style: Style) {
        for (cell, column) in cells.into_iter().zip(COLUMNS) {
            if area.x + column <= area.right() {
                table::right(buf, area.x + column, y, cell, style);
            }
        }
    }
}

impl Widget for &Epochs<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let (app, theme) = (self.app, self.theme);
        let inner = pane::titled(area, buf, theme, "Epochs", []);
        let ended: Vec<&EpochRecord> = app
            .epochs
            .iter()
            .filter(|record| record.step > 0 && !app.epochs.is_partial(record.step))
            .collect();
        if ended.is_empty() {
            return pane::empty(inner, buf, theme, "The first line appears after the first epoch.");
        }
        let heads = if self.has_energy() {
            ["epoch", "energy", "training", "hottest"]
        } else {
            ["epoch", "training", "most busy", "most memory"]
        };
        Epochs::row(buf, inner, inner.y, heads, theme.muted);
        let seconds = app.run.clock.training;
        let whole = self.figures((0, app.run.step), seconds);
        let mut rows = vec![("run".to_owned(), whole, theme.figure)];
        for record in ended.iter().rev().take(usize::from(inner.height)) {
            let from = record.step.saturating_sub(record.batches);
            let figures = self.figures((from, record.step), record.train_seconds);
            rows.push((format::thousands(record.epoch.into()), figures, Style::default()));
        }
        for ((name, [a, b, c], style), y) in rows.iter().zip(inner.y + 1..inner.bottom()) {
            Epochs::row(buf, inner, y, [name, a, b, c], *style);
        }
    }
}
