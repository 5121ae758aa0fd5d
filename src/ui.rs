//! The dashboard: widgets as pure functions of the [`App`].

mod ascii;
mod axis;
mod background;
mod bar;
mod cells;
mod chart;
mod click;
mod compare;
mod confusion;
mod curves;
mod depth;
mod digits;
mod draw;
mod error_rate;
mod export;
mod figures;
mod footer;
mod format;
mod header;
mod inspector;
mod layout;
mod loss;
mod machine;
mod mistakes;
mod names;
mod network;
mod news;
mod overlay;
mod pane;
mod picture;
mod progress;
mod prompt;
mod raster;
mod readout;
mod strips;
mod sweep;
mod table;
pub mod theme;
mod why;

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::Line,
    widgets::{Paragraph, Widget},
};

pub use ascii::is_wanted as ascii_is_wanted;
pub use background::Background;
pub use click::action_at;
pub use compare::{Compare, focus as compare_focus};
pub use depth::Depth;
pub use export::export;
pub(crate) use format::thousands;
pub(crate) use layout::SMALLEST;
pub use sweep::SweepScreen;
pub use theme::Theme;

use crate::app::{App, Overlay, Tab, Tiles, View};

/// The whole screen.
#[derive(Debug)]
pub struct Dashboard<'a> {
    app: &'a App,
    theme: &'a Theme,
    ascii: bool,
}

impl<'a> Dashboard<'a> {
    /// The screen for this state in these colours.
    #[must_use]
    pub fn new(app: &'a App, theme: &'a Theme) -> Self {
        Self { app, theme, ascii: false }
    }

    /// The same in ASCII alone.
    #[must_use]
    pub fn in_ascii(self, ascii: bool) -> Self {
        Self { ascii, ..self }
    }

    fn overview(&self, area: Rect, buf: &mut Buffer) {
        let panes = layout::overview(area);
        let loss = loss::Loss::new(self.app, self.theme);
        if panes.strips.is_empty() {
            loss.render(panes.loss, buf);
        } else if self.app.curves.measures.spans().is_empty() {
            loss.render(panes.loss.union(panes.strips), buf);
        } else {
            loss.above_strips(true).render(panes.loss, buf);
            strips::Strips::new(self.app, self.theme).render(panes.strips, buf);
        }
        if let Some(area) = panes.digits {
            digits::Digits::new(self.app, self.theme).render(area, buf);
        }
        if let Some(area) = panes.confusion {
            let history = panes.accuracy.is_none();
            confusion::Confusion::new(self.app, self.theme).with_history(history).render(area, buf);
        }
        if let Some(mut area) = panes.accuracy {
            if let Some((above, below)) = machine::below(self.app, area) {
                machine::Now::new(self.app, self.theme).render(below, buf);
                area = above;
            }
            error_rate::ErrorRate::new(self.app, self.theme).render(area, buf);
        }
    }
}

/// The parts of the screen, with as much room for a message as it needs; `None` if it is too small for them.
fn parts(app: &App, theme: &Theme, area: Rect) -> Option<layout::Screen> {
    let parts = layout::screen(area)?;
    if app.overlay.is_some() {
        return Some(parts);
    }
    let rows = news::News::new(app, theme).rows(area.width, parts.most_message_rows());
    Some(parts.with_message(rows))
}

/// Column and row of the pixel of the pad that a cell of a screen of this area shows, the upper or the
/// middle of several, while [`View::Draw`] is shown; `None` beside the pad.
pub fn pad_position(app: &App, area: Rect, column: u16, row: u16) -> Option<(u8, u8)> {
    let parts = parts(app, &Theme::new(Depth::None), area)?;
    draw::pixel(app, why::above(app, parts.body), column, row)
}

/// How many images or stages the view shows on a screen of this area; `None` where it shows other
/// things.
pub fn tiles(app: &App, theme: &Theme, area: Rect) -> Option<Tiles> {
    let body = why::above(app, parts(app, theme, area)?.body);
    match app.view {
        View::Step => inspector::tiles(app, body),
        View::Mistakes => mistakes::tiles(app, body),
        View::Network => network::tiles(app, theme, body),
        View::Why if app.why.tab == Tab::Distributions => why::tiles(app, body),
        _ => None,
    }
}

impl Widget for &Dashboard<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        match parts(self.app, self.theme, area) {
            Some(parts) => self.screen(&parts, buf),
            None => render_too_small(area, buf, self.theme),
        }
        if self.ascii {
            ascii::translate(area, buf);
        }
    }
}

impl Dashboard<'_> {
    fn screen(&self, parts: &layout::Screen, buf: &mut Buffer) {
        let (app, theme) = (self.app, self.theme);
        header::Header::new(app, theme).render(parts.header, buf);
        figures::Figures::new(app, theme).render(parts.figures, buf);
        progress::Progress::new(app, theme).render(parts.progress, buf);
        let above = why::above(app, parts.body);
        match app.view {
            View::Overview => self.overview(parts.body, buf),
            View::Loss => curves::Curves::new(app, theme).render(parts.body, buf),
            View::Step => inspector::Inspector::new(app, theme).render(parts.body, buf),
            View::Confusion if app.why.calibration => {
                why::Calibration { app, theme }.render(parts.body, buf);
            }
            View::Confusion => {
                confusion::Confusion::new(app, theme).in_full().render(parts.body, buf);
            }
            View::Network => match app.network.pixel {
                Some(pixel) => why::Arithmetic { app, theme, pixel }.render(above, buf),
                None => network::Network::new(app, theme).render(above, buf),
            },
            View::Mistakes => mistakes::Mistakes::new(app, theme).render(above, buf),
            View::Draw => draw::Draw::new(app, theme).render(above, buf),
            View::Why => why::Why::new(app, theme).render(parts.body, buf),
            View::Machine => machine::Machine::new(app, theme).render(parts.body, buf),
        }
        why::explain_pixels(app, theme, parts.body, buf);
        footer::Footer::new(app, theme).render(parts.footer, buf);
        match app.overlay {
            Some(overlay) => {
                // Only the long list of keys needs the row of the figures too.
                let top = if overlay == Overlay::Help { parts.figures } else { parts.progress };
                overlay::render(overlay, app, theme, top.union(parts.body), buf);
            }
            None => news::News::new(app, theme).render(parts.message, buf),
        }
        if app.prompt.is_some() {
            prompt::Prompt::new(app, theme).render(parts.body.union(parts.footer), buf);
        }
    }
}

fn render_too_small(area: Rect, buf: &mut Buffer, theme: &Theme) {
    let (width, height) = layout::SMALLEST;
    let here = format!("{}×{}", area.width, area.height);
    let lines = [
        Line::styled("mnist-tui", theme.accent),
        Line::raw(format!("needs {width}×{height} cells,")),
        Line::raw(format!("this is {here}.")),
        Line::styled("q quits", theme.muted),
    ];
    let shown = lines.len().min(usize::from(area.height)) as u16;
    let top = area.y + (area.height - shown) / 2;
    let place = Rect { y: top, height: shown, ..area };
    // A terminal of one line says the most useful one.
    let lines = if area.height == 1 { lines[1..2].to_vec() } else { lines.to_vec() };
    Paragraph::new(lines).centered().render(place, buf);
}

#[cfg(test)]
mod tests;
