//! A screen as text with ANSI sequences for its colours, as `cat` and `less -R` show it.

use ratatui::{
    buffer::{Buffer, Cell},
    style::{Color, Modifier},
};

use super::cells;

const MODIFIERS: [(Modifier, &str); 5] = [
    (Modifier::BOLD, "1"),
    (Modifier::DIM, "2"),
    (Modifier::ITALIC, "3"),
    (Modifier::UNDERLINED, "4"),
    (Modifier::REVERSED, "7"),
];

pub(super) fn text(buf: &Buffer) -> String {
    let mut text = String::new();
    for y in buf.area.top()..buf.area.bottom() {
        let mut style = String::new();
        let mut line = String::new();
        for (_, cell) in cells(buf, y) {
            let wanted = sequence(cell);
            if wanted != style {
                line.push_str("\x1b[0m");
                line.push_str(&wanted);
                style = wanted;
            }
            line.push_str(cell.symbol());
        }
        if style.is_empty() {
            text.push_str(line.trim_end());
        } else {
            text.push_str(&line);
            text.push_str("\x1b[0m");
        }
        text.push('\n');
    }
    text
}

/// What sets a cell's style, from the terminal's own; empty where it is that.
fn sequence(cell: &Cell) -> String {
    let mut codes: Vec<String> = MODIFIERS
        .iter()
        .filter(|(modifier, _)| cell.modifier.contains(*modifier))
        .map(|&(_, code)| code.to_owned())
        .collect();
    codes.extend(color(cell.fg, 30));
    codes.extend(color(cell.bg, 40));
    if codes.is_empty() { String::new() } else { format!("\x1b[{}m", codes.join(";")) }
}

/// The code of a colour, of which the terminal's own begin at `first`.
fn color(color: Color, first: u8) -> Option<String> {
    Some(match color {
        Color::Reset => return None,
        Color::Indexed(index) => format!("{};5;{index}", first + 8),
        Color::Rgb(r, g, b) => format!("{};2;{r};{g};{b}", first + 8),
        named => {
            let place = NAMED.iter().position(|&one| one == named).unwrap_or_default() as u8;
            // The bright ones are sixty further on.
            let code = if place < 8 { first + place } else { first + 60 + place - 8 };
            code.to_string()
        }
    })
}

/// The terminal's own sixteen in their order.
pub(super) const NAMED: [Color; 16] = [
    Color::Black,
    Color::Red,
    Color::Green,
    Color::Yellow,
    Color::Blue,
    Color::Magenta,
    Color::Cyan,
    Color::Gray,
    Color::DarkGray,
    Color::LightRed,
    Color::LightGreen,
    Color::LightYellow,
    Color::LightBlue,
    Color::LightMagenta,
    Color::LightCyan,
    Color::White,
];
