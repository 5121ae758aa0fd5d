//! Digits of the current batch, in block characters, with what the network takes them for.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::{Color, Style},
    text::{Line, Span},
    widgets::Widget,
};

use super::{format, pane, theme::Theme};
use crate::{app::App, protocol::Digit};

/// Pixels along each side of an image.
const SIDE: usize = 28;
/// Columns of a small digit: two pixels each.
pub(super) const SMALL_COLUMNS: u16 = 14;
/// Rows of a small digit, four pixels each, and its caption.
pub(super) const SMALL_ROWS: u16 = 8;
/// Columns of a large digit: one pixel each.
pub(super) const LARGE_COLUMNS: u16 = 28;
/// Rows of a large digit, two pixels each, and its caption.
pub(super) const LARGE_ROWS: u16 = 15;
/// Columns of a huge digit.
pub(super) const HUGE_COLUMNS: u16 = 56;
/// Rows of a huge digit and its caption.
pub(super) const HUGE_ROWS: u16 = 29;
/// So many large digits are better than more small ones.
const ENOUGH_LARGE: u16 = 4;
/// Ink from which a pixel counts as set where there are no shades.
const INK: u8 = 100;

/// The digits of the batch.
#[derive(Debug)]
pub(super) struct Digits<'a> {
    app: &'a App,
    theme: &'a Theme,
}

impl<'a> Digits<'a> {
    pub(super) fn new(app: &'a App, theme: &'a Theme) -> Self {
        Self { app, theme }
    }
}

impl Widget for &Digits<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let Some(sample) = self.app.sample() else {
            let inner = pane::titled(area, buf, self.theme, "Digits", []);
            let text = if self.app.looks_on {
                "Digits are not kept: a run that is watched has none."
            } else if self.app.run.ended_before_training() {
                "No batch was trained."
            } else {
                "The first digits appear here, with what the network takes them for."
            };
            return pane::empty(inner, buf, self.theme, text);
        };
        let step = format::thousands(sample.step);
        let wrong = [
            Span::styled("✗", self.theme.wrong),
            Span::styled(" true→taken for", self.theme.muted),
        ];
        let right =
            [Span::styled("✓", self.theme.right), Span::styled(" right  ", self.theme.muted)];
        let full: Vec<_> = right.into_iter().chain(wrong.clone()).collect();
        let notes = [Line::from(full), Line::from(wrong.to_vec())];
        let title = format!("Digits of step {step}");
        let inner = pane::titled(area, buf, self.theme, &title, notes);
        let (columns, rows) = (inner.width / LARGE_COLUMNS, inner.height / LARGE_ROWS);
        let large = columns * rows >= ENOUGH_LARGE;
        let (width, height) =
            if large { (LARGE_COLUMNS, LARGE_ROWS) } else { (SMALL_COLUMNS, SMALL_ROWS) };
        let (columns, rows) = (inner.width / width, inner.height / height);
        if rows == 0 {
            let text = format!("Digits need {} more rows here.", height - inner.height);
            return pane::empty(inner, buf, self.theme, &text);
        }
        // What is left over is spread between the columns, up to four cells each.
        let gap = (inner.width - columns * width)
            .checked_div(columns.saturating_sub(1))
            .unwrap_or(0)
            .min(4);
        let places = (0..rows).flat_map(|row| (0..columns).map(move |column| (column, row)));
        for ((column, row), digit) in places.zip(&sample.digits) {
            let place = Rect {
                x: inner.x + column * (width + gap),
                y: inner.y + row * height,
                width,
                height: height - 1,
            };
            if large {
                draw_large(digit, place, buf, self.theme);
            } else {
                draw_small(digit, place, buf, self.theme);
            }
            caption(digit, self.theme).render(Rect { y: place.bottom(), height: 1, ..place }, buf);
        }
    }
}

/// Right or wrong, true class and what it was taken for, with that answer's probability.
pub(super) fn caption(digit: &Digit, theme: &Theme) -> Line<'static> {
    let percent = format::short_percent(f64::from(digit.probability));
    if digit.is_right() {
        Line::from(vec![
            Span::styled(format!(" ✓ {}  ", digit.label), theme.right),
            Span::styled(format!(" {percent:>3} %"), theme.muted),
        ])
    } else {
        Line::from(vec![
            Span::styled(format!(" ✗ {}→{}", digit.label, digit.prediction), theme.wrong),
            Span::styled(format!(" {percent:>3} %"), theme.muted),
        ])
    }
}

fn pixel(digit: &Digit, x: usize, y: usize) -> u8 {
    digit.pixels.get(y * SIDE + x).copied().unwrap_or(0)
}

/// One pixel a column, two a row: the upper half block over a background.
pub(super) fn draw_large(digit: &Digit, area: Rect, buf: &mut Buffer, theme: &Theme) {
    for position in area.positions() {
        let (x, y) = (usize::from(position.x - area.x), 2 * usize::from(position.y - area.y));
        let (upper, lower) = (pixel(digit, x, y), pixel(digit, x, y + 1));
        let (symbol, style) = match (theme.ink(upper), theme.ink(lower)) {
            (Some(upper), Some(lower)) => shaded("▀", upper, lower),
            _ => (HALVES[usize::from(upper >= INK) | usize::from(lower >= INK) << 1], Style::new()),
        };
        put(buf, position.x, position.y, symbol, style);
    }
}

/// Two columns a pixel, one row.
pub(super) fn draw_huge(digit: &Digit, area: Rect, buf: &mut Buffer, theme: &Theme) {
    for position in area.positions() {
        let (x, y) = (usize::from(position.x - area.x) / 2, usize::from(position.y - area.y));
        let value = pixel(digit, x, y);
        let (symbol, style) = match theme.ink(value) {
            Some(ink) => shaded(" ", ink, ink),
            None => (HALVES[if value >= INK { 3 } else { 0 }], Style::new()),
        };
        put(buf, position.x, position.y, symbol, style);
    }
}

/// Upper half as bit 0, lower as bit 1.
const HALVES: [&str; 4] = [" ", "▀", "▄", "█"];

/// Quadrants as bits: upper left 0, upper right 1, lower left 2, lower right 3.
pub(super) const QUADRANTS: [&str; 16] =
    [" ", "▘", "▝", "▀", "▖", "▌", "▞", "▛", "▗", "▚", "▐", "▜", "▄", "▙", "▟", "█"];

/// Two by four pixels a cell: quadrants of one by two, in two shades.
pub(super) fn draw_small(digit: &Digit, area: Rect, buf: &mut Buffer, theme: &Theme) {
    for position in area.positions() {
        let (x, y) = (2 * usize::from(position.x - area.x), 4 * usize::from(position.y - area.y));
        let quadrant = |right: usize, down: usize| {
            let pair = [0, 1].map(|row| u16::from(pixel(digit, x + right, y + 2 * down + row)));
            u16::midpoint(pair[0], pair[1]) as u8
        };
        let values = [quadrant(0, 0), quadrant(1, 0), quadrant(0, 1), quadrant(1, 1)];
        let (symbol, style) = two_shades(values, theme);
        put(buf, position.x, position.y, symbol, style);
    }
}

/// The quadrant character that parts bright from dark, in the mean shades of both.
fn two_shades(values: [u8; 4], theme: &Theme) -> (&'static str, Style) {
    let (low, high) =
        (values.iter().min().copied().unwrap_or(0), values.iter().max().copied().unwrap_or(0));
    let bits = |threshold: u8| {
        values.iter().enumerate().fold(0, |bits, (i, &v)| bits | usize::from(v > threshold) << i)
    };
    if theme.ink(0).is_none() {
        return (QUADRANTS[bits(INK)], Style::new());
    }
    let middle = low + (high - low) / 2;
    let mean = |bright: bool| {
        let side = values.iter().filter(|&&v| (v > middle) == bright).map(|&v| u32::from(v));
        let (sum, n) = side.fold((0, 0), |(sum, n), v| (sum + v, n + 1));
        theme.ink(sum.checked_div(n).unwrap_or(0) as u8).unwrap_or(Color::Reset)
    };
    let (bright, dark) = (mean(true), mean(false));
    if high == low {
        shaded(" ", dark, dark)
    } else {
        shaded(QUADRANTS[bits(middle)], bright, dark)
    }
}

/// A cell of one shade is a space: it costs no foreground.
fn shaded(symbol: &'static str, fg: Color, bg: Color) -> (&'static str, Style) {
    if fg == bg { (" ", Style::new().bg(bg)) } else { (symbol, Style::new().fg(fg).bg(bg)) }
}

fn put(buf: &mut Buffer, x: u16, y: u16, symbol: &str, style: Style) {
    if let Some(cell) = buf.cell_mut((x, y)) {
        cell.set_symbol(symbol).set_style(style);
    }
}
