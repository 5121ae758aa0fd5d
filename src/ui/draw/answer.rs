//! The network's answer to the drawing: a headline and a bar for each class.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
    widgets::Widget,
};

use super::super::{format, names::Names, table, theme::Theme};
use crate::{app::App, metrics::arg_max, protocol::Insides};

/// Most classes that have a row of their own below the pad.
const MOST_BELOW: usize = 10;
/// Columns next to the name where there is no bar: mark, space and percent.
const FIGURES: u16 = 7;
/// Columns from which there are bars and decimals.
const ROOMY: u16 = 16;
/// Columns before a bar next to the name: mark and spaces.
const BEFORE: u16 = 3;
/// Columns of a share after a bar: `100.0 %` and a space.
const AFTER: u16 = 8;

/// The probabilities.
#[derive(Debug)]
pub(super) struct Answer<'a> {
    insides: Option<&'a Insides>,
    names: Names<'a>,
    /// The headline while there is no answer, in long and in short.
    waiting: [&'a str; 2],
    theme: &'a Theme,
}

/// Rows of an answer below the pad: a headline and one for each class, if those are not too many.
pub(super) fn rows(app: &App) -> u16 {
    1 + app.run.set().classes.len().min(MOST_BELOW) as u16
}

/// Fewest columns of an answer: a label and its share.
pub(super) fn least_columns(app: &App) -> u16 {
    FIGURES + app.run.set().classes.len().saturating_sub(1).to_string().len() as u16
}

impl<'a> Answer<'a> {
    pub(super) fn new(
        insides: Option<&'a Insides>,
        names: Names<'a>,
        waiting: [&'a str; 2],
        theme: &'a Theme,
    ) -> Self {
        Self { insides, names, waiting, theme }
    }

    fn headline(&self, width: usize) -> Line<'a> {
        let Some(insides) = self.insides else {
            let text = self.waiting.into_iter().find(|text| text.len() <= width);
            return Line::styled(text.unwrap_or_default(), self.theme.muted);
        };
        let (class, share) = top(&insides.probabilities);
        let figure = |text| Span::styled(text, self.theme.figure);
        let step = format!("   after step {}", format::thousands(insides.step));
        if share.is_nan() {
            return Line::from(vec![
                Span::styled("—", self.theme.figure),
                Span::raw("   not a number"),
            ]);
        }
        let name = self.names.full(class);
        let answer = format!("{name}   {}", format::percent(share));
        let long = Line::from(vec![figure(answer.clone()), Span::styled(step, self.theme.muted)]);
        if long.width() <= width {
            return long;
        }
        if self.names.widest() > 1 && table::width(&answer) <= width {
            return Line::from(figure(answer));
        }
        let share = format!(" {:>3} %", format::short_percent(share));
        let name = self.names.shortened(class, width.saturating_sub(table::width(&share)));
        Line::from(figure(name + &share))
    }

    /// Columns of the names.
    fn name_columns(&self, width: u16) -> u16 {
        let widest = self.names.widest().min(usize::from(u16::MAX)) as u16;
        let most = if width >= ROOMY { width / 3 } else { width.saturating_sub(FIGURES) };
        widest.min(most.max(1))
    }

    fn bar(&self, class: usize, name: &str, area: Rect, buf: &mut Buffer) {
        let theme = self.theme;
        let share = self.insides.map(|insides| f64::from(insides.probabilities[class]));
        let is_top = self.insides.is_some_and(|insides| top(&insides.probabilities).0 == class)
            && share.is_some_and(|share| !share.is_nan());
        let [mark, label, bar] = if is_top {
            [theme.accent, theme.figure, theme.accent]
        } else {
            [theme.muted, theme.muted, theme.band]
        };
        if is_top {
            table::left(buf, area.x, area.y, "▸", area.width, mark);
        }
        table::left(buf, area.x + 1, area.y, name, area.width, label);
        let roomy = area.width >= ROOMY;
        let text = match share {
            None => "–".to_owned(),
            Some(share) if roomy && !share.is_nan() => format!("{:.1} %", 100.0 * share),
            Some(share) => format!("{} %", format::short_percent(share)),
        };
        let style = if is_top { theme.figure } else { theme.muted };
        table::right(buf, area.right(), area.y, &text, style);
        if roomy {
            let before = BEFORE + self.name_columns(area.width);
            let length = area.width.saturating_sub(before + AFTER);
            let text = eighths(share.unwrap_or(0.0), length);
            table::left(buf, area.x + before - 1, area.y, &text, length, bar);
        }
    }

    /// The classes that have a bar in this many rows: all by label, or else the likeliest first.
    fn shown(&self, rows: usize) -> Vec<usize> {
        let count = self.insides.map_or(self.names.count(), |insides| insides.probabilities.len());
        let mut classes: Vec<usize> = (0..count).collect();
        if count > rows {
            if let Some(insides) = self.insides {
                let share = |class: usize| insides.probabilities[class];
                classes.sort_by(|&a, &b| share(b).total_cmp(&share(a)));
            }
            classes.truncate(rows.saturating_sub(1));
        }
        classes
    }
}

/// The likeliest class and its probability.
fn top(probabilities: &[f32]) -> (usize, f64) {
    let class = arg_max(probabilities);
    (class, probabilities.get(class).copied().map_or(0.0, f64::from))
}

/// A bar of at most `columns`, in steps of an eighth of one.
fn eighths(share: f64, columns: u16) -> String {
    const PARTS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = (share.clamp(0.0, 1.0) * f64::from(columns) * 8.0).round() as usize;
    format!("{}{}", "█".repeat(eighths / 8), PARTS[eighths % 8])
}

impl Widget for &Answer<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let area = area.intersection(buf.area);
        if area.is_empty() {
            return;
        }
        self.headline(usize::from(area.width)).render(Rect { height: 1, ..area }, buf);
        let count = self.insides.map_or(self.names.count(), |insides| insides.probabilities.len());
        // An empty line below the headline where there is one to spare.
        let first = 1 + usize::from(usize::from(area.height) > count + 1);
        let mut rows = area.rows().skip(first);
        let shown = self.shown(usize::from(area.height).saturating_sub(first));
        let mut names = self.names.short(self.name_columns(area.width).into());
        names.extend((names.len()..count).map(|label| label.to_string()));
        for (&class, row) in shown.iter().zip(&mut rows) {
            self.bar(class, &names[class], row, buf);
        }
        if let Some(row) = rows.next().filter(|_| shown.len() < count) {
            let text = format!(" … {} more", count - shown.len());
            table::left(buf, row.x, row.y, &text, row.width, self.theme.muted);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_grow_by_eighths_and_never_beyond_their_columns() {
        assert_eq!([0.0, 0.0625, 0.5, 1.0].map(|share| eighths(share, 2)), ["", "▏", "█", "██"]);
        assert_eq!([-1.0, f64::NAN, 7.0].map(|share| eighths(share, 1)), ["", "", "█"]);
        assert_eq!(eighths(1.0, 0), "");
    }
}
