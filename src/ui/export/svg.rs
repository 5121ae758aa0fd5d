//! A screen as an SVG picture.

use std::fmt::Write;

use ratatui::{
    buffer::{Buffer, Cell},
    style::{Color, Modifier},
};

use super::{ansi::NAMED, cells};
use crate::ui::depth::rgb_of;

/// Columns and rows of a cell in pixels, and how far below its top letters stand.
const WIDTH: u32 = 9;
const HEIGHT: u32 = 18;
const BASE: u32 = 14;
const GROUND: &str = "#101014";
const INK: &str = "#d8d8d8";
/// Half blocks, which letters of a font seldom fill whole: top and height in halves of a cell.
const BLOCKS: [(&str, u32, u32); 3] = [("█", 0, 2), ("▀", 0, 1), ("▄", 1, 1)];

pub(super) fn picture(buf: &Buffer) -> String {
    let (width, height) = (u32::from(buf.area.width) * WIDTH, u32::from(buf.area.height) * HEIGHT);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 \
         {width} {height}\">\n<rect width=\"{width}\" height=\"{height}\" fill=\"{GROUND}\"/>\n<g \
         font-family=\"DejaVu Sans Mono, Menlo, Consolas, monospace\" font-size=\"15\" \
         xml:space=\"preserve\" shape-rendering=\"crispEdges\">\n"
    );
    for row in buf.area.top()..buf.area.bottom() {
        let y = u32::from(row - buf.area.y) * HEIGHT;
        for (column, cell) in cells(buf, row) {
            // Writing to a string never fails.
            let _ = draw(&mut svg, cell, (u32::from(column - buf.area.x) * WIDTH, y));
        }
    }
    svg.push_str("</g>\n</svg>\n");
    svg
}

fn draw(svg: &mut String, cell: &Cell, (x, y): (u32, u32)) -> std::fmt::Result {
    let (mut ink, mut ground) = (color(cell.fg), color(cell.bg));
    if cell.modifier.contains(Modifier::REVERSED) {
        (ink, ground) =
            (ground.or_else(|| Some(GROUND.to_owned())), ink.or_else(|| Some(INK.to_owned())));
    }
    let columns = super::super::table::width(cell.symbol()).max(1) as u32;
    let width = WIDTH * columns;
    if let Some(ground) = ground {
        writeln!(
            svg,
            "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{HEIGHT}\" fill=\"{ground}\"/>"
        )?;
    }
    let ink = ink.as_deref().unwrap_or(INK);
    if let Some(&(_, top, halves)) = BLOCKS.iter().find(|(block, ..)| *block == cell.symbol()) {
        let (y, height) = (y + top * HEIGHT / 2, halves * HEIGHT / 2);
        return writeln!(
            svg,
            "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" fill=\"{ink}\"/>"
        );
    }
    if cell.symbol().trim().is_empty() {
        return Ok(());
    }
    let weight = if cell.modifier.contains(Modifier::BOLD) { " font-weight=\"bold\"" } else { "" };
    let y = y + BASE;
    let text = escaped(cell.symbol());
    writeln!(
        svg,
        "<text x=\"{x}\" y=\"{y}\" textLength=\"{width}\" fill=\"{ink}\"{weight}>{text}</text>"
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// `None` for the terminal's own.
fn color(color: Color) -> Option<String> {
    let named = match color {
        Color::Indexed(index @ ..16) => NAMED[usize::from(index)],
        other => other,
    };
    rgb_of(named).map(|(r, g, b)| format!("#{r:02x}{g:02x}{b:02x}"))
}
