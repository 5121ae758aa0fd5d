//! A step's losses and what it did to each parameter.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Style,
    text::{Line, Span},
    widgets::Widget,
};

use crate::{
    app::App,
    protocol::{Inspection, ParameterUpdate},
    ui::{format, pane, progress::draw_bar, table, theme::Theme},
};

/// Columns below which figures would be cut.
pub(super) const LEAST_COLUMNS: u16 = 40;
/// Columns of a name, without the `layer` that all have in common in the narrowest table.
const NAME: u16 = 18;
/// The tables from wide to narrow.
const TABLES: [Table; 4] = [
    Table {
        shape: true,
        ends: [39, 49, 64],
        headings: ["‖gradient‖", "‖weight‖", "update/weight"],
    },
    Table { shape: true, ends: [37, 47, 57], headings: ["‖grad‖", "‖weight‖", "ratio"] },
    Table { shape: false, ends: [26, 35, 44], headings: ["‖grad‖", "‖weight‖", "ratio"] },
    Table { shape: false, ends: [22, 31, 40], headings: ["‖grad‖", "‖weight‖", "ratio"] },
];
/// Columns before the bar that pictures a ratio, and the least and the most of it.
const BAR: (u16, u16, u16) = (3, 12, 30);
/// Powers of ten that the bar spans, up to 1.
const DECADES: f64 = 6.0;

/// Where the figures of a table end, and what stands above them.
struct Table {
    shape: bool,
    ends: [u16; 3],
    headings: [&'static str; 3],
}

/// The table of a step.
pub(super) struct Parameters<'a> {
    inspection: &'a Inspection,
    app: &'a App,
    theme: &'a Theme,
}

impl<'a> Parameters<'a> {
    pub(super) fn new(inspection: &'a Inspection, app: &'a App, theme: &'a Theme) -> Self {
        Self { inspection, app, theme }
    }

    /// Rows that the whole table takes, with its title, losses and heading.
    pub(super) fn rows(&self) -> u16 {
        3 + self.inspection.parameters.len() as u16
    }

    /// Loss before and after the update, and whether that is what the update was for.
    fn losses(&self) -> Vec<Span<'static>> {
        let (before, after) = (self.inspection.loss_before, self.inspection.loss_after);
        let (sign, style) = if !before.is_finite() || !after.is_finite() {
            ("✗ not finite", self.theme.wrong)
        } else if after < before {
            ("✓ lower", self.theme.right)
        } else if after > before {
            ("✗ higher", self.theme.wrong)
        } else {
            ("· the same", self.theme.muted)
        };
        let figure = |loss: f32| Span::styled(format::loss(f64::from(loss)), self.theme.figure);
        vec![
            figure(before),
            Span::styled(" → ", self.theme.muted),
            figure(after),
            Span::styled(format!(" {sign}"), style),
        ]
    }

    /// The losses, and behind them what there is room for.
    fn summary(&self, width: u16) -> Line<'static> {
        let mut spans = vec![Span::styled("loss ", self.theme.muted)];
        spans.extend(self.losses());
        let rate = format::learning_rate(self.inspection.learning_rate);
        let images = format::thousands(self.inspection.images);
        for (names, value) in [(&["learning rate", "lr"][..], rate), (&["images"], images)] {
            let used: usize = spans.iter().map(Span::width).sum();
            let room = usize::from(width).saturating_sub(used + 4 + value.len());
            let Some(name) = names.iter().find(|name| name.len() <= room) else { break };
            spans.push(Span::styled(format!("   {name} "), self.theme.muted));
            spans.push(Span::styled(value, self.theme.figure));
        }
        Line::from(spans)
    }

    /// Step, epoch and batch, as much of it as there is room for.
    fn title(&self, width: u16) -> String {
        let Inspection { step, epoch, batch, .. } = *self.inspection;
        let (step, batch) = (format::thousands(step), format::thousands(batch));
        let all = self.app.run.info.as_ref().map_or(0, |info| info.steps_per_epoch);
        let short = format!("Step {step} · epoch {epoch}, batch {batch}");
        let full = format!("{short} of {}", format::thousands(all));
        if full.chars().count() < usize::from(width) { full } else { short }
    }

    fn table(&self, area: Rect, buf: &mut Buffer) {
        let fits = |table: &&Table| table.ends[2] <= area.width;
        let table = TABLES.iter().find(fits).unwrap_or(&TABLES[TABLES.len() - 1]);
        let ends = table.ends.map(|end| area.x + end);
        let rest = area.right().saturating_sub(ends[2] + BAR.0);
        let bar = Rect { x: ends[2] + BAR.0, width: rest.min(BAR.2), ..area };
        let bar = (table.ends == TABLES[0].ends && rest >= BAR.1).then_some(bar);
        let muted = self.theme.muted;
        let mut rows = area.rows();
        let Some(heading) = rows.next() else { return };
        table::left(buf, area.x, heading.y, "parameter", NAME, muted);
        if table.shape {
            table::left(buf, area.x + NAME + 1, heading.y, "shape", 8, muted);
        }
        for (text, end) in table.headings.into_iter().zip(ends) {
            table::right(buf, end, heading.y, text, muted);
        }
        if let Some(bar) = bar {
            table::left(buf, bar.x, heading.y, "1e-6", bar.width, muted);
            table::right(buf, bar.right(), heading.y, "1", muted);
        }
        for (parameter, row) in self.inspection.parameters.iter().zip(rows) {
            let name = parameter.name.as_str();
            let short = name.strip_prefix("layer").filter(|_| table.ends[0] < NAME + 8);
            table::left(buf, row.x, row.y, short.unwrap_or(name), NAME, Style::new());
            if table.shape {
                let shape: Vec<String> = parameter.shape.iter().map(u32::to_string).collect();
                table::left(buf, row.x + NAME + 1, row.y, &shape.join("×"), 8, muted);
            }
            for (value, end) in figures(parameter).into_iter().zip(ends) {
                table::right(buf, end, row.y, &value, self.style(&value));
            }
            if let Some(bar) = bar {
                let place = Rect { y: row.y, height: 1, ..bar };
                draw_bar(place, buf, share(parameter.update_ratio), self.theme);
            }
        }
    }

    fn style(&self, value: &str) -> Style {
        if value == "NaN" || value.contains("inf") { self.theme.alert } else { Style::new() }
    }
}

/// Norms of gradient and weights, and the update's share of the latter.
fn figures(parameter: &ParameterUpdate) -> [String; 3] {
    [
        format::scientific(f64::from(parameter.gradient_norm)),
        format::loss(f64::from(parameter.weight_norm)),
        format::scientific(f64::from(parameter.update_ratio)),
    ]
}

/// Where a ratio stands on a logarithmic scale up to 1.
fn share(ratio: f32) -> f64 {
    let share = 1.0 + f64::from(ratio).log10() / DECADES;
    if share.is_nan() { 0.0 } else { share }
}

impl Widget for &Parameters<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        // Where rows are short the losses stand beside the title.
        let short = area.height < self.rows();
        let (title, note) = if short {
            let step = format::thousands(self.inspection.step);
            (format!("Step {step}"), Line::from(self.losses()))
        } else {
            (self.title(area.width), Line::default())
        };
        let inner = pane::titled(area, buf, self.theme, &title, [note]);
        let table = if short {
            inner
        } else {
            self.summary(inner.width).render(inner, buf);
            Rect { y: inner.y + 1, height: inner.height.saturating_sub(1), ..inner }
        };
        self.table(table, buf);
    }
}
