//! The pad and what the network makes of the drawing.

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

use super::{pane, theme::Theme};
use crate::app::{App, Pad};
use answer::Answer;
use places::{LEAST_ROWS, Places, SIDE, Scale};

/// Ink from which a pixel counts as set where there are no shades.
const INK: u8 = 100;

/// The pad and what the network makes of the drawing.
#[derive(Debug)]
pub(super) struct Draw<'a> {
    app: &'a App,
    theme: &'a Theme,
}

/// Column and row of the pixel of the pad that a cell shows, in a view that fills `body`; `None`
/// beside the pad.
pub(super) fn pixel(body: Rect, column: u16, row: u16) -> Option<(u8, u8)> {
    Places::within(body)?.pixel(column, row)
}

impl<'a> Draw<'a> {
    pub(super) fn new(app: &'a App, theme: &'a Theme) -> Self {
        Self { app, theme }
    }

    fn waiting(&self) -> [&'static str; 2] {
        if self.app.pad.is_empty() {
            ["nothing drawn yet", "empty"]
        } else if self.app.run.info.is_none() {
            ["waits for the network", "…"]
        } else {
            ["…", "…"]
        }
    }

    fn instructions(&self, pad: Rect, buf: &mut Buffer) {
        let text = "Drag the mouse to draw, or move with the arrow keys: space puts the pen down.";
        // Above the cursor, which starts in the middle.
        let above = Rect { height: pad.height / 2 - 1, ..pad };
        pane::empty(above, buf, self.theme, text);
    }
}

impl Widget for &Draw<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let (theme, pad) = (self.theme, &self.app.pad);
        let Some(places) = Places::within(area) else {
            let inner = pane::titled(area, buf, theme, "Draw", []);
            let text = if area.height < LEAST_ROWS {
                format!("The pad needs {} more rows.", LEAST_ROWS - area.height)
            } else {
                "The pad needs more columns.".to_owned()
            };
            return pane::empty(inner, buf, theme, &text);
        };
        let pen = if pad.pen {
            Line::styled("pen down", theme.evaluation)
        } else {
            Line::styled("pen up", theme.muted)
        };
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
        let insides = pad.insides.as_ref();
        Answer::new(insides, self.waiting(), theme).render(places.answer, buf);
        if let Some(area) = places.maps {
            maps::render(insides, area, buf, theme);
        }
    }
}

fn ink(pad: &Pad, x: u16, y: u16) -> u8 {
    pad.pixels.get(usize::from(y * SIDE + x)).copied().unwrap_or(0)
}

fn draw_pixels(pad: &Pad, places: &Places, buf: &mut Buffer, theme: &Theme) {
    for position in places.pad.intersection(buf.area).positions() {
        let (x, y) = (position.x - places.pad.x, position.y - places.pad.y);
        let (symbol, style) = match places.scale {
            Scale::Large => whole(ink(pad, x / 2, y), theme),
            Scale::Small => halves(ink(pad, x, 2 * y), ink(pad, x, 2 * y + 1), theme),
        };
        buf[position].set_symbol(symbol).set_style(style);
    }
}

/// A cell that shows one pixel.
fn whole(ink: u8, theme: &Theme) -> (&'static str, Style) {
    const LEVELS: [&str; 5] = [" ", "░", "▒", "▓", "█"];
    match theme.ink(ink) {
        Some(shade) => (" ", Style::new().bg(shade)),
        None => (LEVELS[usize::from(ink).div_ceil(64)], Style::new()),
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

/// Marks the cursor's pixel: with brackets where it has two cells, else by its half of the cell or,
/// without shades, by a triangle that points to that half.
fn draw_cursor(pad: &Pad, places: &Places, buf: &mut Buffer, theme: &Theme) {
    let (column, row) = (u16::from(pad.cursor.0), u16::from(pad.cursor.1));
    let style = if pad.pen { theme.evaluation } else { theme.accent };
    let style = style.add_modifier(Modifier::BOLD);
    let under = ink(pad, column, row);
    // Without shades, ink is the terminal's own foreground.
    let plain = if under >= INK { style.add_modifier(Modifier::REVERSED) } else { style };
    let is_lower = row % 2 == 1;
    let (x, y, symbols, style) = match places.scale {
        Scale::Large => {
            let style = theme.ink(under).map_or(plain, |shade| style.bg(shade));
            (2 * column, row, "[]", style)
        }
        Scale::Small => match theme.ink(ink(pad, column, row ^ 1)) {
            Some(other) => (column, row / 2, if is_lower { "▄" } else { "▀" }, style.bg(other)),
            None => (column, row / 2, if is_lower { "▾" } else { "▴" }, plain),
        },
    };
    for (place, symbol) in symbols.chars().enumerate() {
        let position = (places.pad.x + x + place as u16, places.pad.y + y);
        if let Some(cell) = buf.cell_mut(position) {
            cell.set_char(symbol).set_style(style);
        }
    }
}
