//! The pad and the network's answer to the drawing.

mod answer;
mod maps;
mod places;

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::{Modifier, Style},
    text::Line,
    widgets::{Block, BorderType, Widget},
};

use super::{
    digits::SMALL_ROWS,
    names::Names,
    pane,
    theme::{SHADES, Theme},
    why::Heat,
};
use crate::app::{App, Pad};
use answer::Answer;
use places::{Places, Scale, least_rows};

/// Ink from which a pixel counts as set where there are no shades.
const INK: u8 = 100;

/// The pad and the network's answer to the drawing.
#[derive(Debug)]
pub(super) struct Draw<'a> {
    app: &'a App,
    theme: &'a Theme,
}

/// Column and row of the pixel of the pad that a cell shows, in a view that fills `body`; `None`
/// beside the pad.
pub(super) fn pixel(app: &App, body: Rect, column: u16, row: u16) -> Option<(u8, u8)> {
    Places::within(body, app)?.pixel(column, row)
}

impl<'a> Draw<'a> {
    pub(super) fn new(app: &'a App, theme: &'a Theme) -> Self {
        Self { app, theme }
    }

    fn waiting(&self) -> [&'static str; 2] {
        if self.app.pad.is_empty() {
            ["Nothing is drawn yet.", "empty"]
        } else if self.app.run.info.is_none() {
            ["Waiting for the network…", "…"]
        } else {
            ["…", "…"]
        }
    }

    /// The pixels' part in the answer, in place of the feature maps or below the answer.
    fn draw_heat(&self, places: &Places, buf: &mut Buffer) {
        let (theme, answer) = (self.theme, places.answer);
        let heat = Heat::of(self.app, theme);
        if let (Some(area), Some(method)) = (places.maps, self.app.why.method) {
            let inner = pane::titled(area, buf, theme, method.name(), []);
            return match heat {
                Some(heat) => heat.render(inner, buf),
                None => {
                    pane::empty(inner, buf, theme, "The pixels that matter for it appear here.");
                }
            };
        }
        let rows = SMALL_ROWS - 1;
        let used = 2 + Names::of(self.app).count() as u16;
        if let Some(heat) = heat.filter(|_| answer.height >= used + rows) {
            let y = answer.bottom() - rows;
            heat.render(Rect { y, height: rows, ..answer }, buf);
        }
    }

    fn instructions(&self, pad: Rect, buf: &mut Buffer) {
        let text = "Draw with the mouse, or with the arrow keys: space puts the pen down.";
        // Above the cursor, which starts in the middle.
        let above = Rect { height: pad.height / 2 - 1, ..pad };
        pane::empty(above, buf, self.theme, text);
    }
}

impl Widget for &Draw<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let (theme, pad) = (self.theme, &self.app.pad);
        let Some(places) = Places::within(area, self.app) else {
            let inner = pane::titled(area, buf, theme, "Draw", []);
            let least = least_rows(self.app);
            let text = if area.height < least {
                format!("The pad needs {} more rows.", least - area.height)
            } else {
                "The pad needs more columns.".to_owned()
            };
            return pane::empty(inner, buf, theme, &text);
        };
        let mut pen = if pad.pen {
            Line::styled("pen down", theme.evaluation)
        } else {
            Line::styled("pen up", theme.muted)
        };
        if let Scale::Reduced(_) = places.scale {
            // The cursor's place on the screen stands for several pixels.
            pen.push_span(format!(" at {}, {}", pad.cursor.0, pad.cursor.1));
        }
        pane::titled(places.pane, buf, theme, "Draw", [pen]);
        if let Some(frame) = places.frame {
            let border = Block::bordered().border_type(BorderType::Rounded);
            border.border_style(theme.rule).render(frame, buf);
        }
        draw_pixels(pad, &places, buf, theme);
        if pad.is_empty() {
            self.instructions(places.pad, buf);
        }
        draw_cursor(pad, &places, buf, theme);
        let insides = pad.insides.as_deref();
        Answer::new(insides, Names::of(self.app), self.waiting(), theme).render(places.answer, buf);
        self.draw_heat(&places, buf);
        if let Some(area) = places.maps.filter(|_| self.app.why.method.is_none()) {
            maps::render(insides, self.app.run.network(), area, buf, theme);
        }
    }
}

/// The ink of a square of the screen, the mean of all pixels that share it; 0 outside.
fn ink(pad: &Pad, scale: Scale, square: (u16, u16)) -> u8 {
    let (width, height) = pad.size();
    let pixel = |x: u16, y: u16| {
        let is_inside = x < width.into() && y < height.into();
        let place = usize::from(y) * usize::from(width) + usize::from(x);
        is_inside.then(|| pad.pixels.get(place).copied()).flatten()
    };
    match scale {
        Scale::Magnified(times) => pixel(square.0 / times, square.1 / times).unwrap_or(0),
        Scale::Reduced(by) => {
            let (x, y) = (square.0 * by, square.1 * by);
            let places = (y..y + by).flat_map(|y| (x..x + by).map(move |x| (x, y)));
            let (sum, count) = places
                .filter_map(|(x, y)| pixel(x, y))
                .fold((0, 0), |(sum, count), ink| (sum + u32::from(ink), count + 1));
            sum.checked_div(count).unwrap_or(0) as u8
        }
    }
}

fn draw_pixels(pad: &Pad, places: &Places, buf: &mut Buffer, theme: &Theme) {
    let scale = places.scale;
    for position in places.pad.intersection(buf.area).positions() {
        let (x, y) = (position.x - places.pad.x, 2 * (position.y - places.pad.y));
        let upper = ink(pad, scale, (x, y));
        let (symbol, style) = if scale.is_even() {
            whole(upper, theme)
        } else {
            halves(upper, ink(pad, scale, (x, y + 1)), theme)
        };
        buf[position].set_symbol(symbol).set_style(style);
    }
}

/// A cell that shows one pixel.
fn whole(ink: u8, theme: &Theme) -> (&'static str, Style) {
    match theme.ink(ink) {
        Some(shade) => (" ", Style::new().bg(shade)),
        None => (SHADES[usize::from(ink).div_ceil(64)], Style::new()),
    }
}

/// A cell that shows two pixels.
fn halves(upper: u8, lower: u8, theme: &Theme) -> (&'static str, Style) {
    const HALVES: [&str; 4] = [" ", "▀", "▄", "█"];
    match (theme.ink(upper), theme.ink(lower)) {
        (Some(upper), Some(lower)) if upper == lower => (" ", Style::new().bg(upper)),
        (Some(upper), Some(lower)) => ("▀", Style::new().fg(upper).bg(lower)),
        _ => {
            let bits = usize::from(upper >= INK) | usize::from(lower >= INK) << 1;
            (HALVES[bits], Style::new())
        }
    }
}

/// Marks the cursor's pixel: with brackets where it has two cells or more, else by its half of the
/// cell or, without shades, by a triangle that points to that half.
fn draw_cursor(pad: &Pad, places: &Places, buf: &mut Buffer, theme: &Theme) {
    let scale = places.scale;
    let square @ (column, row) = scale.square((pad.cursor.0.into(), pad.cursor.1.into()));
    let style = if pad.pen { theme.evaluation } else { theme.accent };
    let style = style.add_modifier(Modifier::BOLD);
    let under = ink(pad, scale, square);
    // Without shades, ink is the terminal's own foreground.
    let plain = if under >= INK { style.add_modifier(Modifier::REVERSED) } else { style };
    let is_lower = row % 2 == 1;
    let (symbols, width, style) = if let Scale::Magnified(times @ 2..) = scale {
        (["[", "]"], times, theme.ink(under).map_or(plain, |shade| style.bg(shade)))
    } else {
        match theme.ink(ink(pad, scale, (column, row ^ 1))) {
            Some(other) => ([if is_lower { "▄" } else { "▀" }, ""], 1, style.bg(other)),
            None => ([if is_lower { "▾" } else { "▴" }, ""], 1, plain),
        }
    };
    // In the middle of the pixel's rows, at both ends of its columns.
    let row = u16::midpoint(row, (width - 1) / 2);
    let ends = [(symbols[0], 0), (symbols[1], width - 1)];
    for (symbol, place) in ends.into_iter().filter(|(symbol, _)| !symbol.is_empty()) {
        let position = (places.pad.x + column + place, places.pad.y + row);
        if let Some(cell) = buf.cell_mut(position) {
            cell.set_symbol(symbol).set_style(style);
        }
    }
}
