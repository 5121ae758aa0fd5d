//! The view shown as a file: text with colours, a picture, or its data.

mod ansi;
mod csv;
mod svg;
#[cfg(test)]
mod tests;

use ratatui::{buffer::Buffer, layout::Rect, widgets::Widget};

use super::{Dashboard, theme::Theme};
use crate::app::{App, ExportFormat};

/// The contents of a file with what the screen of this area shows.
///
/// # Errors
/// With a sentence for the person where the view has no data.
pub fn export(
    app: &App,
    theme: &Theme,
    area: Rect,
    ascii: bool,
    format: ExportFormat,
) -> Result<String, String> {
    let screen = || {
        let mut buf = Buffer::empty(area);
        Dashboard::new(app, theme).in_ascii(ascii).render(area, &mut buf);
        buf
    };
    match format {
        ExportFormat::Text => Ok(ansi::text(&screen())),
        ExportFormat::Svg => Ok(svg::picture(&screen())),
        ExportFormat::Csv => {
            csv::table(app).ok_or_else(|| format!("the {} view has no data yet", app.view.name()))
        }
    }
}

/// The cells of a row that begin a character, each with its column: a wide one covers the next cell.
fn cells(buf: &Buffer, y: u16) -> impl Iterator<Item = (u16, &ratatui::buffer::Cell)> {
    let mut covered = 0;
    (buf.area.left()..buf.area.right()).filter_map(move |x| {
        let cell = &buf[(x, y)];
        if covered > 0 {
            covered -= 1;
            return None;
        }
        covered = super::table::width(cell.symbol()).saturating_sub(1);
        Some((x, cell))
    })
}
