//! Text from outside as a terminal may get it.
//!
//! Names of files, and what journals and other programs say, may hold characters that command a
//! terminal, turn the direction of what follows, or do not show at all.

use std::{
    io::{self, Write},
    path::Path,
};

/// `text` with everything spelled out that would not show as what it is: control characters, line
/// ends, marks of direction, blanks other than the space, what has no width, and what no version of
/// Unicode known here has assigned. Accents and other marks stay with the letter before them.
pub fn printable(text: &str) -> String {
    let mut printed = String::with_capacity(text.len());
    for c in text.chars() {
        if shows(c) {
            printed.push(c);
        } else {
            printed.extend(c.escape_default());
        }
    }
    printed
}

/// Whether a character shows as what it is, behind a letter.
fn shows(c: char) -> bool {
    match c {
        ' '..='~' => true,
        // Joins graphemes and fills places in Hangul, without a sign of its own.
        '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' => false,
        // The standard library has the table: it escapes no sign that prints, and a mark only where
        // nothing is before it.
        _ => String::from_iter(['a', c]).escape_debug().eq(['a', c]),
    }
}

/// A name as a terminal may get it.
pub trait Shown {
    /// The name, [`printable`]; what is no UTF-8 as U+FFFD.
    fn shown(&self) -> String;
}

impl Shown for Path {
    fn shown(&self) -> String {
        printable(&self.to_string_lossy())
    }
}

/// Writes a number of bytes as `312 MiB` or `7.8 GiB`.
pub fn bytes(bytes: u64) -> String {
    let mebibytes = bytes as f64 / f64::from(1 << 20);
    if mebibytes < 1_023.5 {
        return format!("{mebibytes:.0} MiB");
    }
    let tenths = (mebibytes / 102.4).round() as u64;
    format!("{}.{} GiB", thousands(tenths / 10), tenths % 10)
}

/// Writes `98304` as `98,304`.
pub fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number of things: `1 run`, `2,000 runs`.
pub fn counted(n: u64, thing: &str) -> String {
    let plural = if n == 1 { "" } else { "s" };
    format!("{} {thing}{plural}", thousands(n))
}

/// Writes a line to stderr: what it is, such as `error`, and the [`printable`] message.
pub fn complain(kind: &str, message: &str) {
    // Not `eprintln!`, which panics where stderr is closed.
    let _ = writeln!(io::stderr(), "{kind}: {}", printable(message));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_have_the_unit_that_keeps_them_short() {
        let mebibytes = |count: u64| bytes(count << 20);
        assert_eq!([0, 312, 1_023].map(mebibytes), ["0 MiB", "312 MiB", "1023 MiB"]);
        assert_eq!([1_024, 8_141, 81_920].map(mebibytes), ["1.0 GiB", "8.0 GiB", "80.0 GiB"]);
        assert_eq!(bytes((1 << 30) - 1), "1.0 GiB");
        assert_eq!(bytes(u64::MAX), "17,179,869,184.0 GiB");
    }

    #[test]
    fn what_commands_a_terminal_is_spelled_out() {
        assert_eq!(printable("7\u{1b}[31m\n\t\u{7f}\u{9b}"), "7\\u{1b}[31m\\n\\t\\u{7f}\\u{9b}");
    }

    #[test]
    fn what_turns_or_hides_text_is_spelled_out() {
        let marks = [
            '\u{202a}',
            '\u{202e}',
            '\u{2066}',
            '\u{2069}',
            '\u{200e}',
            '\u{200f}',
            '\u{61c}',
            '\u{200b}',
            '\u{200c}',
            '\u{200d}',
            '\u{2060}',
            '\u{feff}',
            '\u{ad}',
            '\u{2028}',
            '\u{2029}',
            '\u{85}',
            '\u{a0}',
            '\u{e0001}',
            '\u{e0041}',
            '\u{fff9}',
            '\u{180e}',
            '\u{115f}',
            '\u{3164}',
            '\u{34f}',
            '\u{e000}',
            '\u{10ffff}',
        ];
        for mark in marks {
            let escape = mark.escape_default();
            assert_eq!(printable(&format!("a{mark}b")), format!("a{escape}b"));
        }
    }

    #[test]
    fn what_people_write_stays_as_it_is() {
        for text in [
            "it's \"7\" \\ {}~",
            "café",
            "cafe\u{301}",
            "손글씨",
            "手書き",
            "цифра",
            "שבע",
            "سبعة",
            "हिन्दी",
            "7️⃣",
            "👍🏽",
            "–…×",
            "\u{fffd}",
        ] {
            assert_eq!(printable(text), text);
        }
    }

    #[test]
    fn a_text_that_was_spelled_out_stays() {
        let once = printable("a\u{202e}\u{1b}");
        assert_eq!(printable(&once), once);
    }

    #[cfg(unix)]
    #[test]
    fn a_name_that_is_no_text_shows_where() {
        use std::{ffi::OsStr, os::unix::ffi::OsStrExt};
        assert_eq!(Path::new(OsStr::from_bytes(b"w\xff\n")).shown(), "w\u{fffd}\\n");
    }
}
