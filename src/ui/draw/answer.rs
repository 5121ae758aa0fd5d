//! What the network takes the drawing for: a headline and ten bars.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
    widgets::Widget,
};

use super::super::{format, table, theme::Theme};
use crate::{metrics::arg_max, protocol::Insides};

/// Rows: a headline and one for each digit.
pub(super) const ROWS: u16 = 11;
/// Fewest columns: mark, digit and percent.
pub(super) const LEAST_COLUMNS: u16 = 8;
/// Columns from which there are bars and decimals.
const ROOMY: u16 = 16;
/// Columns before a bar: mark, digit and spaces.
const BEFORE: u16 = 4;
/// Columns of a share after a bar: `100.0 %` and a space.
const AFTER: u16 = 8;

/// The ten probabilities.
#[derive(Debug)]
pub(super) struct Answer<'a> {
    insides: Option<&'a Insides>,
    /// What the headline says while there is no answer, in long and in short.
    waiting: [&'a str; 2],
    theme: &'a Theme,
}

impl<'a> Answer<'a> {
    pub(super) fn new(
        insides: Option<&'a Insides>,
        waiting: [&'a str; 2],
        theme: &'a Theme,
    ) -> Self {
        Self { insides, waiting, theme }
    }

    fn headline(&self, width: usize) -> Line<'a> {
        let Some(insides) = self.insides else {
            let text = self.waiting.into_iter().find(|text| text.len() <= width);
            return Line::styled(text.unwrap_or_default(), self.theme.muted);
        };
        let (digit, share) = top(&insides.probabilities);
        let figure = |text| Span::styled(text, self.theme.figure);
        let step = format!("   after step {}", format::thousands(insides.step));
        let long = Line::from(vec![
            figure(format!("{digit}   {}", format::percent(share))),
            Span::styled(step, self.theme.muted),
        ]);
        if long.width() <= width {
            return long;
        }
        Line::from(figure(format!("{digit} {:>3} %", format::short_percent(share))))
    }

    fn bar(&self, digit: usize, area: Rect, buf: &mut Buffer) {
        let theme = self.theme;
        let share = self.insides.map(|insides| f64::from(insides.probabilities[digit]));
        let is_top = self.insides.is_some_and(|insides| top(&insides.probabilities).0 == digit);
        let [mark, name, bar] = if is_top {
            [theme.accent, theme.figure, theme.accent]
        } else {
            [theme.muted, theme.muted, theme.band]
        };
        if is_top {
            table::left(buf, area.x, area.y, "▸", area.width, mark);
        }
        table::left(buf, area.x + 1, area.y, &digit.to_string(), area.width, name);
        let roomy = area.width >= ROOMY;
        let text = match share {
            None => "–".to_owned(),
            Some(share) if roomy => format!("{:.1} %", 100.0 * share),
            Some(share) => format!("{} %", format::short_percent(share)),
        };
        let style = if is_top { theme.figure } else { theme.muted };
        table::right(buf, area.right(), area.y, &text, style);
        if roomy {
            let length = area.width - BEFORE - AFTER;
            let text = eighths(share.unwrap_or(0.0), length);
            table::left(buf, area.x + BEFORE - 1, area.y, &text, length, bar);
        }
    }
}

/// The likeliest digit and its probability.
fn top(probabilities: &[f32]) -> (usize, f64) {
    let digit = arg_max(probabilities);
    (digit, f64::from(probabilities[digit]))
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
        // An empty line below the headline where there is one to spare.
        let first = 1 + u16::from(area.height > ROWS);
        for (digit, row) in area.rows().skip(usize::from(first)).take(10).enumerate() {
            self.bar(digit, row, buf);
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
