//! Logits and probabilities of the ten classes as bars.

use ratatui::{
    buffer::Buffer,
    layout::{Constraint, Layout, Rect},
    style::{Modifier, Style},
    text::{Line, Span},
};

use super::super::{cells::Scale, format, pane, table, theme::Theme};
use crate::protocol::Insides;

/// Rows of all classes.
const CLASSES: u16 = 10;
/// Columns of the mark and the class.
const NAME: u16 = 4;
/// Columns of a logit with its gap.
const LOGIT: u16 = 7;
/// Columns of a probability with its gap.
const PERCENT: u16 = 9;
/// Columns from which logits and probabilities stand side by side.
const SIDE_BY_SIDE: u16 = 40;
/// Columns of all that but the bars: enough where they do not fit one below the other.
const FIGURES: u16 = NAME + LOGIT + 2 + PERCENT;

/// The ten classes.
#[derive(Debug)]
pub(super) struct Classes<'a> {
    pub(super) insides: &'a Insides,
    pub(super) theme: &'a Theme,
    /// Stands at the title's right.
    pub(super) hint: Span<'static>,
}

/// The class of the highest probability, the first of equals; what is not a number is passed over.
pub(super) fn likeliest(insides: &Insides) -> u8 {
    let mut best = (0, f32::NEG_INFINITY);
    for (class, &probability) in (0..).zip(&insides.probabilities) {
        if probability > best.1 {
            best = (class, probability);
        }
    }
    best.0
}

impl Classes<'_> {
    /// Logits and probabilities side by side, else one below the other, else the probabilities.
    pub(super) fn draw(&self, area: Rect, buf: &mut Buffer) {
        let stacked = area.height >= 2 * CLASSES + 3;
        let least = if stacked { SIDE_BY_SIDE } else { FIGURES };
        if area.width >= least && area.height >= CLASSES {
            let long = "fc 10: logits and probabilities";
            let fits = long.len() < usize::from(area.width);
            let inner = self.titled(if fits { long } else { "fc 10: logits, softmax" }, area, buf);
            let bars = inner.width - FIGURES;
            // Of logits the figures go before the bars of probabilities.
            let logit_bar = if bars < 10 { 0 } else { bars / 2 };
            for (class, row) in rows_of(inner) {
                let logit = Rect { x: row.x + NAME, width: logit_bar, ..row };
                let end = logit.right() + LOGIT;
                let probability = Rect { x: end + 2, width: bars - logit_bar, ..row };
                self.name(class, row, buf);
                self.logit(class, logit, end, buf);
                self.probability(class, probability, row.right(), buf);
            }
        } else if stacked {
            let [logits, probabilities] = Layout::vertical([
                Constraint::Length(CLASSES + 1),
                Constraint::Length(CLASSES + 1),
            ])
            .spacing(1)
            .areas(area);
            self.draw_logits(logits, buf);
            self.draw_probabilities(probabilities, buf);
        } else {
            self.draw_probabilities(area, buf);
        }
    }

    /// The logits under their title.
    pub(super) fn draw_logits(&self, area: Rect, buf: &mut Buffer) {
        let inner = self.titled("fc 10: logits", area, buf);
        let width = inner.width.saturating_sub(NAME + LOGIT).min(61);
        for (class, row) in rows_of(inner) {
            let bar = Rect { x: row.x + NAME, width, ..row };
            self.name(class, row, buf);
            self.logit(class, bar, bar.right() + LOGIT, buf);
        }
    }

    /// The probabilities under their title.
    pub(super) fn draw_probabilities(&self, area: Rect, buf: &mut Buffer) {
        let inner = self.titled("softmax: probabilities", area, buf);
        self.rows(inner, buf);
    }

    /// The probabilities, in two columns where there is no row for each.
    pub(super) fn rows(&self, area: Rect, buf: &mut Buffer) {
        let columns = if area.height < CLASSES { 2 } else { 1 };
        let places = Layout::horizontal(vec![Constraint::Fill(1); columns]).spacing(1).split(area);
        let each = CLASSES / columns as u16;
        for class in 0..CLASSES {
            let column = places[usize::from(class / each)];
            let row = Rect { y: column.y + class % each, height: 1, ..column };
            if row.y >= area.bottom() {
                continue;
            }
            let class = usize::from(class);
            self.name(class, row, buf);
            let x = row.x + NAME.min(row.width);
            if columns == 1 {
                let width = row.width.saturating_sub(NAME + PERCENT);
                self.probability(class, Rect { x, width, ..row }, row.right(), buf);
            } else {
                let share = f64::from(self.insides.probabilities[class]);
                let text = format!("{} %", format::short_percent(share));
                table::right(buf, row.right(), row.y, &text, self.emphasis(class));
            }
        }
    }

    /// A title where it takes no class's row.
    fn titled(&self, title: &str, area: Rect, buf: &mut Buffer) -> Rect {
        if area.height <= CLASSES {
            return area;
        }
        pane::titled(area, buf, self.theme, title, [Line::from(self.hint.clone())])
    }

    fn is_likeliest(&self, class: usize) -> bool {
        class == usize::from(likeliest(self.insides))
    }

    fn is_true(&self, class: usize) -> bool {
        self.insides.label.map(usize::from) == Some(class)
    }

    /// Mark and digit: ✓ or ✗ at what it is taken for, an arrow at what it is instead.
    fn name(&self, class: usize, row: Rect, buf: &mut Buffer) {
        let (mark, style) = match (self.is_likeliest(class), self.is_true(class)) {
            (true, true) => ("✓", self.theme.right),
            (true, false) if self.insides.label.is_some() => ("✗", self.theme.wrong),
            (false, true) => ("→", self.theme.right),
            (true, false) => (" ", self.theme.accent),
            (false, false) => (" ", self.theme.muted),
        };
        let width = row.width.min(NAME);
        table::left(buf, row.x, row.y, &format!("{mark} {class}"), width, style);
    }

    fn emphasis(&self, class: usize) -> Style {
        if self.is_likeliest(class) { self.theme.figure } else { self.theme.muted }
    }

    /// A bar from the left and its figure, which ends before column `end`.
    fn probability(&self, class: usize, bar: Rect, end: u16, buf: &mut Buffer) {
        let style = match (self.is_likeliest(class), self.is_true(class)) {
            (_, true) => self.theme.right,
            (true, false) if self.insides.label.is_some() => self.theme.wrong,
            (true, false) => self.theme.accent,
            (false, false) => self.theme.band,
        };
        let share = self.insides.probabilities[class];
        draw_right(bar, buf, share, style.remove_modifier(Modifier::BOLD));
        let text = format::percent(f64::from(share));
        table::right(buf, end, bar.y, &text, self.emphasis(class));
    }

    /// A bar from the middle, to the left below 0, and its figure, which ends before column `end`.
    fn logit(&self, class: usize, bar: Rect, end: u16, buf: &mut Buffer) {
        let logit = self.insides.logits[class];
        let half = bar.width.saturating_sub(1) / 2;
        let most = Scale::of_signed(&self.insides.logits).most().max(f32::MIN_POSITIVE);
        let axis = bar.x + half;
        if bar.width > 0 {
            table::left(buf, axis, bar.y, "│", 1, self.theme.rule);
        }
        let color = self.theme.signed(if logit < 0.0 { -3 } else { 3 });
        let style = Style { fg: color, ..Style::new() };
        if logit < 0.0 {
            draw_left(Rect { width: half, ..bar }, buf, -logit / most, style);
        } else {
            draw_right(Rect { x: axis + 1, width: half, ..bar }, buf, logit / most, style);
        }
        table::right(buf, end, bar.y, &number(logit), self.emphasis(class));
    }
}

/// A logit in at most six characters.
fn number(logit: f32) -> String {
    let text = match logit.abs() {
        // Bounds are those of the rounded value.
        v if v < 99.995 => format!("{logit:.2}"),
        v if v < 99_999.5 => format!("{logit:.0}"),
        v if v.is_finite() => format!("{logit:.0e}"),
        _ => logit.to_string(),
    };
    text.replace('-', "−")
}

/// A bar of a share of the row, whose end moves by eighths of a column.
fn draw_right(row: Rect, buf: &mut Buffer, share: f32, style: Style) {
    const EIGHTHS: [&str; 8] = [" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = (share.clamp(0.0, 1.0) * 8.0 * f32::from(row.width)).round() as u16;
    for column in 0..row.width {
        let symbol = match eighths.saturating_sub(8 * column) {
            0 => break,
            rest @ 1..8 => EIGHTHS[usize::from(rest)],
            _ => "█",
        };
        table::left(buf, row.x + column, row.y, symbol, 1, style);
    }
}

/// The same from the right, by half columns.
fn draw_left(row: Rect, buf: &mut Buffer, share: f32, style: Style) {
    let halves = (share.clamp(0.0, 1.0) * 2.0 * f32::from(row.width)).round() as u16;
    for column in 0..row.width {
        let symbol = match halves.saturating_sub(2 * column) {
            0 => break,
            1 => "▐",
            _ => "█",
        };
        table::left(buf, row.right() - 1 - column, row.y, symbol, 1, style);
    }
}

/// Each class that has a row.
fn rows_of(area: Rect) -> impl Iterator<Item = (usize, Rect)> {
    (0..usize::from(CLASSES)).zip(area.rows())
}
