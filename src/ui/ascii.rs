//! The screen in ASCII, for terminals and fonts that have nothing else.

use ratatui::{
    buffer::{Buffer, Cell},
    layout::Rect,
    style::Color,
};

/// Whether the locale has no signs but those of ASCII: one is set (`LC_ALL`, `LC_CTYPE` or `LANG`, the
/// first of them that is not empty) and its encoding is not UTF-8.
pub fn is_wanted(variable: impl Fn(&str) -> Option<String>) -> bool {
    let set = |name: &&str| variable(name).filter(|value| !value.is_empty());
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(set);
    locale.is_some_and(|locale| {
        let locale = locale.to_lowercase();
        !locale.contains("utf-8") && !locale.contains("utf8")
    })
}

/// From no ink to most.
const RAMP: [&str; 10] = [" ", ".", ":", "-", "=", "+", "*", "#", "%", "@"];

/// Replaces every sign on the screen by an ASCII one that stands for it.
pub(super) fn translate(area: Rect, buf: &mut Buffer) {
    for position in area.intersection(*buf.area()).positions() {
        if let Some(cell) = buf.cell_mut(position) {
            translate_cell(cell);
        }
    }
}

fn translate_cell(cell: &mut Cell) {
    let Some(sign) = cell.symbol().chars().next() else { return };
    if sign.is_ascii() && (sign != ' ' || !is_ink(cell.bg)) {
        return;
    }
    if let Some(share) = filled(sign)
        && let Some(ink) = ink(cell, share)
    {
        cell.set_symbol(RAMP[(ink * (RAMP.len() - 1) as f32).round() as usize]);
        cell.set_fg(Color::Reset).set_bg(Color::Reset);
    } else {
        cell.set_symbol(plain(sign).unwrap_or("?"));
    }
}

/// The share of its cell that a block fills; `None` for other signs.
fn filled(sign: char) -> Option<f32> {
    Some(match sign {
        ' ' => 0.0,
        '▘' | '▝' | '▖' | '▗' => 0.25,
        '▀' | '▄' | '▌' | '▐' | '▞' | '▚' => 0.5,
        '▛' | '▜' | '▙' | '▟' => 0.75,
        '█' => 1.0,
        _ => return None,
    })
}

/// How bright a cell of a picture is, in 0..=1: one that has the greys of ink.
fn ink(cell: &Cell, filled: f32) -> Option<f32> {
    if !is_ink(cell.bg) {
        return None;
    }
    let back = luma(cell.bg);
    let front = if filled == 0.0 { back } else { luma(cell.fg) };
    Some((filled * front + (1.0 - filled) * back).clamp(0.0, 1.0))
}

/// Whether a background is part of a picture.
fn is_ink(color: Color) -> bool {
    matches!(color, Color::Indexed(232..=255))
}

/// The share of full light, with black at the darkest ink.
fn luma(color: Color) -> f32 {
    match color {
        Color::Indexed(grey @ 232..=255) => f32::from(grey.saturating_sub(233)) / 22.0,
        Color::Rgb(r, g, b) => {
            (0.2126 * f32::from(r) + 0.7152 * f32::from(g) + 0.0722 * f32::from(b)) / 255.0
        }
        _ => 0.5,
    }
}

/// What stands for a sign; `None` for one that is nowhere on the screen.
#[expect(clippy::match_same_arms, reason = "signs of one kind stand together")]
fn plain(sign: char) -> Option<&'static str> {
    Some(match sign {
        ' ' => " ",
        '─' | '╌' | '┄' | '–' | '—' | '−' => "-",
        '━' | '╸' | '╺' => "=",
        '│' | '┃' | '▏' | '▕' | '‖' | '╎' => "|",
        '┌' | '┐' | '└' | '┘' | '├' | '┤' | '┬' | '┴' | '┼' | '╭' | '╮' | '╰' | '╯' | '╴' | '╶'
        | '╵' | '╷' => "+",
        '✓' => "v",
        '✗' | '×' => "x",
        '◆' | '●' => "*",
        '○' => "o",
        '■' => "#",
        '▶' | '▸' | '→' | '›' | '»' => ">",
        '◀' | '◂' | '←' | '‹' | '«' => "<",
        '↑' | '▲' | '▴' => "^",
        '↓' | '▼' | '▾' => "v",
        '↵' | '⏎' => "/",
        '↔' | '↕' => "+",
        '÷' => "/",
        '±' => "~",
        '≥' => ">",
        '≤' => "<",
        '…' | '·' => ".",
        '°' => "'",
        '▁' | '▂' | '▖' | '▗' => ".",
        '▃' | '▄' | '▅' => "=",
        '▆' | '▇' | '█' | '▛' | '▜' | '▙' | '▟' => "#",
        '▀' | '▘' | '▝' | '▔' => "'",
        '▉' | '▊' | '▋' | '▌' | '▍' | '▎' => "|",
        '▐' => "|",
        '▞' => "/",
        '▚' => "\\",
        '░' => ".",
        '▒' => "+",
        '▓' => "*",
        // A point of a line, which is not to look like the line.
        '⠶' | '⠿' => "o",
        '\u{2800}'..='\u{28ff}' => braille(sign),
        _ => return None,
    })
}

/// Rows of the dots of a braille sign, by bit.
const ROWS: [u32; 8] = [0, 1, 2, 0, 1, 2, 3, 3];

/// A sign with its ink at about the height of the dots.
fn braille(sign: char) -> &'static str {
    let bits = sign as u32 - 0x2800;
    let rows = (0..8).filter(|bit| bits >> bit & 1 == 1).map(|bit| ROWS[bit as usize]);
    let (count, sum) = rows.clone().fold((0, 0), |(count, sum), row| (count + 1, sum + row));
    let (top, bottom) = (rows.clone().min().unwrap_or(0), rows.max().unwrap_or(0));
    match (count, bottom - top) {
        (0, _) => " ",
        (7.., _) => "#",
        (_, 2..) => "|",
        _ if sum < count => "'",
        _ if sum < 2 * count => "-",
        _ => ".",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn translated(text: &str) -> String {
        let mut buf = Buffer::with_lines([text]);
        let area = *buf.area();
        translate(area, &mut buf);
        buf.content().iter().map(Cell::symbol).collect()
    }

    #[test]
    fn frames_curves_and_signs_have_their_like() {
        assert_eq!(translated("╭─┤▶ 4→9 ✗"), "+-+> 4>9 x");
        assert_eq!(translated("⠉⠒⣀⡇⣿⠀"), "'-.|# ");
        assert_eq!(translated("plain text 100 %"), "plain text 100 %");
        assert_eq!(translated("☃"), "?");
    }

    #[test]
    fn a_locale_that_is_not_utf_8_wants_ascii() {
        let wanted = |set: &[(&str, &str)]| {
            is_wanted(|name| {
                set.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
            })
        };
        assert!(!wanted(&[]), "nothing is known");
        assert!(!wanted(&[("LANG", "ko_KR.UTF-8")]) && !wanted(&[("LANG", "C.utf8")]));
        assert!(wanted(&[("LANG", "C")]) && wanted(&[("LC_ALL", "POSIX"), ("LANG", "C.UTF-8")]));
        assert!(!wanted(&[("LC_ALL", ""), ("LC_CTYPE", "C.UTF-8"), ("LANG", "C")]));
    }

    #[test]
    fn a_picture_keeps_its_brightness() {
        let mut buf = Buffer::empty(Rect::new(0, 0, 4, 1));
        for (x, (sign, fg, bg)) in
            [(" ", 233, 233), (" ", 255, 255), ("▀", 255, 233), ("▛", 255, 233)]
                .into_iter()
                .enumerate()
        {
            let cell = &mut buf[(x as u16, 0)];
            cell.set_symbol(sign).set_fg(Color::Indexed(fg)).set_bg(Color::Indexed(bg));
        }
        translate(Rect::new(0, 0, 9, 9), &mut buf);
        let signs: String = buf.content().iter().map(Cell::symbol).collect();
        assert_eq!(signs, " @+#");
        assert!(buf.content().iter().all(|cell| cell.bg == Color::Reset));
    }
}
