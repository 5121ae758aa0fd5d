//! A step's losses and what it did to each parameter.

use std::ops::Range;

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Style,
    text::{Line, Span},
    widgets::Widget,
};

use crate::{
    app::{Action, App, Focus, View},
    keymap,
    protocol::{Inspection, ParameterUpdate},
    ui::{
        format,
        names::{cut, without_middle},
        pane,
        progress::draw_bar,
        table,
        theme::Theme,
    },
};

/// Columns below which figures would be cut.
pub(super) const LEAST_COLUMNS: u16 = 40;
/// Columns with which nothing is left out.
pub(super) const ENOUGH_COLUMNS: u16 = TABLES[0].ends[2] + BAR.0 + BAR.1;
/// Columns of a name.
const NAME: u16 = 18;
/// Columns of the first figure with a gap before it.
const FIGURE: u16 = 8;
/// Rows of a table that is long enough to be scrolled.
pub(super) const LEAST_ROWS: u16 = 9;
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

/// The columns at which the figures of a table end, and their headings.
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

    /// The parameters shown in this many rows: those about the chosen one if not all fit.
    fn shown(&self, rows: u16) -> Range<usize> {
        let all = self.inspection.parameters.len();
        let rows = usize::from(rows).min(all);
        let first = self.app.inspector.parameter.saturating_sub(rows / 2).min(all - rows);
        first..first + rows
    }

    /// Which parameters are shown, if not all, and the keys for the others.
    fn position(&self, rows: u16) -> Option<Line<'static>> {
        let (shown, all) = (self.shown(rows), self.inspection.parameters.len());
        if shown.len() == all {
            return None;
        }
        let focus = Focus::View(View::Step);
        let keys = [Action::NextParameter, Action::PreviousParameter]
            .map(|action| keymap::hint_in(focus, action).map_or_else(String::new, |(key, _)| key));
        let place = format!("{}–{} of {all} ", shown.start + 1, shown.end);
        let spans =
            [Span::styled(place, self.theme.accent), Span::styled(keys.join(" "), self.theme.key)];
        Some(Line::from(spans.to_vec()))
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
        let of_checkpoint = [
            format!("{short}, from the last checkpoint"),
            format!("Step {step}, from the last checkpoint"),
        ];
        let wordings = if self.app.looks_on { &of_checkpoint[..] } else { &[full] };
        let fits = |title: &&String| title.chars().count() < usize::from(width);
        wordings.iter().find(fits).cloned().unwrap_or(short)
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
        let shown = self.shown(area.height.saturating_sub(1));
        let is_part = shown.len() < self.inspection.parameters.len();
        let room = usize::from(if table.shape { NAME } else { table.ends[0] - FIGURE });
        // Where it takes too much room, a word that only numbers follow goes.
        let long = shown.clone().map(|place| &self.inspection.parameters[place].name);
        let common = long.into_iter().find(|name| table::width(name) > room).map(|name| word(name));
        for (place, row) in shown.zip(rows) {
            let parameter = &self.inspection.parameters[place];
            let is_chosen = is_part && place == self.app.inspector.parameter;
            let style = if is_chosen { self.theme.accent } else { Style::new() };
            let name = common.and_then(|word| numbered(&parameter.name, word));
            let name = without_middle(name.unwrap_or(&parameter.name), room);
            table::left(buf, row.x, row.y, &name, NAME, style);
            if table.shape {
                let shape: Vec<String> = parameter.shape.iter().map(u32::to_string).collect();
                // As far as there is room before the first figure.
                let room = usize::from(table.ends[0].saturating_sub(NAME + 1 + FIGURE));
                let shape = cut(&shape.join("×"), room);
                table::left(buf, row.x + NAME + 1, row.y, &shape, room as u16, muted);
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

/// Rows that the whole table takes, with its title, losses and heading.
pub(super) fn rows(inspection: &Inspection) -> u16 {
    3 + inspection.parameters.len() as u16
}

/// The letters that a name begins with.
fn word(name: &str) -> &str {
    name.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default()
}

/// The rest of a name after a word, if it begins with a number.
fn numbered<'a>(name: &'a str, word: &str) -> Option<&'a str> {
    name.strip_prefix(word).filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

/// Norms of gradient and weights, and the update's share of the latter.
fn figures(parameter: &ParameterUpdate) -> [String; 3] {
    [
        format::scientific(f64::from(parameter.gradient_norm)),
        format::loss(f64::from(parameter.weight_norm)),
        // Of values that were all zero an update has no share.
        if parameter.weight_norm == 0.0 {
            "—".to_owned()
        } else {
            format::scientific(f64::from(parameter.update_ratio))
        },
    ]
}

/// The position of a ratio on a logarithmic scale up to 1.
fn share(ratio: f32) -> f64 {
    let share = 1.0 + f64::from(ratio).log10() / DECADES;
    if share.is_nan() { 0.0 } else { share }
}

impl Widget for &Parameters<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        // Where there are few rows the losses go next to the title.
        let short = area.height < rows(self.inspection).min(LEAST_ROWS);
        let position = self.position(area.height.saturating_sub(if short { 2 } else { 3 }));
        let (title, note) = if short {
            let step = format::thousands(self.inspection.step);
            (format!("Step {step}"), Line::from(self.losses()))
        } else {
            (self.title(area.width), Line::default())
        };
        // Next to the title there is room for the losses, the position, or both.
        let notes = match position {
            Some(position) if short => {
                let mut both = note.clone();
                both.push_span("  ");
                both.spans.extend(position.spans.clone());
                [both, position, note]
            }
            Some(position) => [position, Line::default(), Line::default()],
            None => [note, Line::default(), Line::default()],
        };
        let inner = pane::titled(area, buf, self.theme, &title, notes);
        let table = if short {
            inner
        } else {
            self.summary(inner.width).render(inner, buf);
            Rect { y: inner.y + 1, height: inner.height.saturating_sub(1), ..inner }
        };
        self.table(table, buf);
    }
}
