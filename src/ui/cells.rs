//! Grids of values in block characters, and the scales that say what their shades mean.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::{Color, Style},
    text::{Line, Span},
    widgets::Widget,
};

use super::{picture::QUADRANTS, theme::Theme};

/// Which shade a value has: the largest magnitude, rounded up to a number that reads well and stays
/// for a while, has the last one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Scale {
    most: f32,
    signed: bool,
    finite: bool,
}

impl Scale {
    /// From 0 to the largest value.
    pub(super) fn of_activations(values: &[f32]) -> Self {
        Self::new(values, false)
    }

    /// From the largest magnitude below 0 to the same above.
    pub(super) fn of_signed(values: &[f32]) -> Self {
        Self::new(values, true)
    }

    fn new(values: &[f32], signed: bool) -> Self {
        let most = values
            .iter()
            .filter(|value| value.is_finite())
            .fold(0.0, |most: f32, value| most.max(if signed { value.abs() } else { *value }));
        let finite = values.iter().all(|value| value.is_finite());
        Self { most: round_up(most), signed, finite }
    }

    /// The value that has the last shade; 0 if all are 0.
    pub(super) fn most(self) -> f32 {
        self.most
    }

    fn last(self) -> i8 {
        if self.signed { Theme::LEVELS.1 } else { Theme::LEVELS.0 }
    }

    /// NaN, and everything on a scale of zeros, has the level of 0.
    fn level(self, value: f32) -> i8 {
        if self.most == 0.0 {
            return 0;
        }
        let first = if self.signed { -1.0 } else { 0.0 };
        let share = (value / self.most).clamp(first, 1.0);
        (share * f32::from(self.last())).round() as i8
    }

    fn color(self, level: i8, theme: &Theme) -> Option<Color> {
        if self.signed { theme.signed(level) } else { theme.activation(level) }
    }

    /// Stands for a level where there are no shades.
    fn symbol(self, level: i8) -> &'static str {
        const ACTIVATIONS: [&str; 8] = [" ", "░", "░", "▒", "▒", "▓", "▓", "█"];
        const SIGNED: [&str; 9] = ["=", "=", "-", "-", " ", "+", "+", "#", "#"];
        let (symbols, place) = if self.signed {
            (&SIGNED[..], level + self.last())
        } else {
            (&ACTIVATIONS[..], level)
        };
        symbols.get(place as usize).copied().unwrap_or(" ")
    }

    /// The shades between the least and the greatest value.
    pub(super) fn legend(self, theme: &Theme) -> Line<'static> {
        let mut spans = Vec::new();
        if self.most == 0.0 {
            spans.push(Span::styled("all 0", theme.muted));
        } else {
            let most = number(self.most);
            let low = if self.signed { format!("−{most} ") } else { "0 ".to_owned() };
            spans.push(Span::styled(low, theme.muted));
            let first = if self.signed { -self.last() } else { 0 };
            for level in first..=self.last() {
                let text = if level == 0 && self.signed { "0" } else { " " };
                spans.push(match self.color(level, theme) {
                    Some(color) => Span::styled(text, Style::new().fg(TEXT).bg(color)),
                    None if text == "0" => Span::raw(text),
                    None => Span::raw(self.symbol(level)),
                });
            }
            spans.push(Span::styled(format!(" {most}"), theme.muted));
        }
        if !self.finite {
            spans.push(Span::styled(" not finite", theme.alert));
        }
        Line::from(spans)
    }
}

/// On the dark middle of the signed colours.
const TEXT: Color = Color::Indexed(255);

/// The next number of few digits, at most a third above.
fn round_up(value: f32) -> f32 {
    const STEPS: [f64; 11] = [1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0];
    if value <= 0.0 {
        return 0.0;
    }
    let value = f64::from(value);
    let decade = 10_f64.powf(value.log10().floor());
    let step = STEPS.into_iter().find(|step| step * decade >= value * (1.0 - 1e-6));
    (step.unwrap_or(10.0) * decade) as f32
}

fn number(value: f32) -> String {
    if (0.009..999.0).contains(&value) {
        let text = format!("{value:.3}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        format!("{value:.1e}")
    }
}

/// How much room a value takes. All forms are square to the eye, a cell being twice as high as wide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// A quarter of a column and an eighth of a row, where 2×4 values share a shade.
    Tiny,
    /// Half a column and a quarter of a row, where two values above each other share a shade.
    Small,
    /// A column and half a row.
    Half,
    /// Two columns and a row.
    Whole,
    /// Four columns and two rows.
    Double,
}

impl Form {
    /// Columns and rows of a grid of values.
    pub(super) fn size(self, height: u16, width: u16) -> (u16, u16) {
        match self {
            Self::Tiny => (width.div_ceil(4), height.div_ceil(8)),
            Self::Small => (width.div_ceil(2), height.div_ceil(4)),
            Self::Half => (width, height.div_ceil(2)),
            Self::Whole => (width.saturating_mul(2), height),
            Self::Double => (width.saturating_mul(4), height.saturating_mul(2)),
        }
    }
}

/// A grid of values, drawn from the area's upper left corner.
#[derive(Debug)]
pub(super) struct Grid<'a> {
    pub(super) values: &'a [f32],
    pub(super) height: u16,
    pub(super) width: u16,
    pub(super) form: Form,
    pub(super) scale: Scale,
    pub(super) theme: &'a Theme,
}

impl Grid<'_> {
    fn value(&self, x: u16, y: u16) -> Option<f32> {
        if x >= self.width {
            return None;
        }
        self.values.get(usize::from(y) * usize::from(self.width) + usize::from(x)).copied()
    }

    /// The mean of the values there are among `columns` × `rows`.
    fn mean(&self, x: u16, y: u16, columns: u16, rows: u16) -> Option<f32> {
        let places = (y..y + rows).flat_map(|y| (x..x + columns).map(move |x| (x, y)));
        let (sum, n) = places
            .filter_map(|(x, y)| self.value(x, y))
            .fold((0.0, 0_u8), |(sum, n), value| (sum + value, n + 1));
        (n > 0).then(|| sum / f32::from(n))
    }

    fn level(&self, x: u16, y: u16, columns: u16, rows: u16) -> Option<i8> {
        self.mean(x, y, columns, rows).map(|mean| self.scale.level(mean))
    }

    /// Symbol and style of a cell; `None` outside the grid.
    fn cell(&self, column: u16, row: u16) -> Option<(&'static str, Style)> {
        let (x, y, columns, rows) = match self.form {
            Form::Tiny => (4 * column, 8 * row, 4, 8),
            Form::Small => (2 * column, 4 * row, 2, 4),
            Form::Half => (column, 2 * row, 1, 2),
            Form::Whole => (column / 2, row, 1, 1),
            Form::Double => (column / 4, row / 2, 1, 1),
        };
        let color = |level| self.scale.color(level, self.theme);
        let whole = self.level(x, y, columns, rows)?;
        let Some(ground) = color(whole) else {
            return Some((self.scale.symbol(whole), Style::new()));
        };
        Some(match self.form {
            Form::Tiny | Form::Small => {
                let (across, down) = (columns / 2, rows / 2);
                let quadrants = [(x, y), (x + across, y), (x, y + down), (x + across, y + down)];
                let level = |(x, y)| self.level(x, y, across, down).unwrap_or(whole);
                self.two_shades(quadrants.map(level))
            }
            Form::Half => match (self.level(x, y, 1, 1), self.level(x, y + 1, 1, 1)) {
                (Some(upper), Some(lower)) => shaded("▀", color(upper), color(lower)),
                // A grid of an odd side ends in the middle of a cell.
                _ => ("▀", Style::new().fg(ground)),
            },
            Form::Whole | Form::Double => (" ", Style::new().bg(ground)),
        })
    }

    /// The quadrant character that parts high from low levels, in the mean shades of both.
    fn two_shades(&self, levels: [i8; 4]) -> (&'static str, Style) {
        let (low, high) = levels
            .into_iter()
            .fold((i8::MAX, i8::MIN), |(low, high), level| (low.min(level), high.max(level)));
        let middle = low + (high - low) / 2;
        let mean = |above: bool| {
            let side = levels.into_iter().filter(|&level| (level > middle) == above);
            let (sum, n) = side.fold((0, 0), |(sum, n), level| (sum + level, n + 1));
            // Where all are alike none is above.
            self.scale.color(if n == 0 { low } else { (2 * sum + n) / (2 * n) }, self.theme)
        };
        let bits = (0..4).filter(|&place| levels[place] > middle).map(|place| 1 << place).sum();
        shaded(symbol_of(bits), mean(true), mean(false))
    }
}

fn symbol_of(quadrants: usize) -> &'static str {
    QUADRANTS.get(quadrants).copied().unwrap_or(" ")
}

/// A cell of one shade is a space: it costs no foreground.
fn shaded(symbol: &'static str, fg: Option<Color>, bg: Option<Color>) -> (&'static str, Style) {
    let style = Style { bg, ..Style::new() };
    if fg == bg { (" ", style) } else { (symbol, Style { fg, ..style }) }
}

impl Widget for &Grid<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let (width, height) = self.form.size(self.height, self.width);
        let area = Rect { width: width.min(area.width), height: height.min(area.height), ..area };
        for position in area.intersection(buf.area).positions() {
            let (column, row) = (position.x - area.x, position.y - area.y);
            if let (Some((symbol, style)), Some(cell)) =
                (self.cell(column, row), buf.cell_mut(position))
            {
                cell.set_symbol(symbol).set_style(style);
            }
        }
    }
}

#[cfg(test)]
mod tests;
