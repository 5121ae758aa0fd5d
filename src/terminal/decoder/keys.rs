//! The control sequences that keys and the mouse send.

use crossterm::event::{
    Event, KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};

/// The key or mouse report of `CSI parameters last`; `None` for replies and all else.
pub(super) fn of_sequence(parameters: &[u8], last: u8) -> Option<Event> {
    if let Some(parameters) = parameters.strip_prefix(b"<") {
        let [button, column, row] = numbers(parameters)?[..] else { return None };
        return match last {
            b'M' => mouse(button.0, column.0, row.0, false),
            b'm' => mouse(button.0, column.0, row.0, true),
            _ => None,
        };
    }
    let numbers = numbers(parameters)?;
    let (first, second) = match numbers[..] {
        [] => ((1, None), (1, None)),
        [first] => (first, (1, None)),
        [first, second] => (first, second),
        [(button, _), (column, _), (row, _)] if last == b'M' => {
            return mouse(button.checked_sub(32)?, column, row, false);
        }
        [(27, _), modifiers, key] if last == b'~' => return unicode(key, modifiers),
        _ => return None,
    };
    if last == b'u' {
        return unicode(first, second);
    }
    let code = match (last, first.0) {
        (b'~', number) => of_number(number)?,
        (b'Z', _) => KeyCode::BackTab,
        (_, 1) => of_letter(last)?,
        _ => return None,
    };
    key(code, second)
}

/// The key of `ESC O last`.
pub(super) fn of_shifted(last: u8) -> Option<KeyCode> {
    match last {
        b'M' => Some(KeyCode::Enter),
        b'R' => Some(KeyCode::F(3)),
        _ => of_letter(last),
    }
}

/// A report of three bytes, each 32 more than it means.
pub(super) fn old_mouse(bytes: &[u8]) -> Option<Event> {
    let [button, column, row] = *bytes else { return None };
    let plain = |byte: u8| byte.checked_sub(32).map(u16::from);
    mouse(plain(button)?, plain(column)?, plain(row)?, false)
}

/// Parameters with their first subparameters; `None` where there is something else among them.
fn numbers(parameters: &[u8]) -> Option<Vec<(u16, Option<u16>)>> {
    if parameters.is_empty() {
        return Some(Vec::new());
    }
    let number = |digits: &str| match digits {
        "" => Some(1),
        digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.parse().ok(),
        _ => None,
    };
    let parameter = |text: &str| {
        let mut parts = text.split(':');
        let first = number(parts.next()?)?;
        let second = parts.next().map(number);
        Some((first, second.flatten()))
    };
    str::from_utf8(parameters).ok()?.split(';').map(parameter).collect()
}

/// Letters of `ESC O` and `CSI`. A cursor's place, which ends in R, looks like F3 with modifiers.
fn of_letter(letter: u8) -> Option<KeyCode> {
    Some(match letter {
        b'A' => KeyCode::Up,
        b'B' => KeyCode::Down,
        b'C' => KeyCode::Right,
        b'D' => KeyCode::Left,
        b'F' => KeyCode::End,
        b'H' => KeyCode::Home,
        b'P' => KeyCode::F(1),
        b'Q' => KeyCode::F(2),
        b'S' => KeyCode::F(4),
        _ => return None,
    })
}

fn of_number(number: u16) -> Option<KeyCode> {
    Some(match number {
        1 | 7 => KeyCode::Home,
        2 => KeyCode::Insert,
        3 => KeyCode::Delete,
        4 | 8 => KeyCode::End,
        5 => KeyCode::PageUp,
        6 => KeyCode::PageDown,
        11..=15 => KeyCode::F(number as u8 - 10),
        17..=21 => KeyCode::F(number as u8 - 11),
        23..=24 => KeyCode::F(number as u8 - 12),
        _ => return None,
    })
}

/// A key reported as the code of its character, which some terminals can be configured to do.
fn unicode((code, shifted): (u16, Option<u16>), modifiers: (u16, Option<u16>)) -> Option<Event> {
    let with_shift = modifiers.0.checked_sub(1)? & 1 == 1;
    let code = match char::from_u32(u32::from(code))? {
        '\u{1b}' => KeyCode::Esc,
        '\r' => KeyCode::Enter,
        '\t' if with_shift => KeyCode::BackTab,
        '\t' => KeyCode::Tab,
        '\u{8}' | '\u{7f}' => KeyCode::Backspace,
        c if with_shift => match shifted {
            Some(shifted) => KeyCode::Char(char::from_u32(u32::from(shifted))?),
            None => KeyCode::Char(c.to_ascii_uppercase()),
        },
        // In the private use area there are keys without a character.
        '\u{e000}'..='\u{f8ff}' => return None,
        c if c.is_control() => return None,
        c => KeyCode::Char(c),
    };
    key(code, modifiers)
}

/// A key with modifiers as xterm counts them; none where it is let go, or with modifiers that the
/// program has no use for.
fn key(code: KeyCode, (modifiers, event): (u16, Option<u16>)) -> Option<Event> {
    const RELEASED: u16 = 3;
    /// Caps and number lock.
    const LOCKS: u16 = 64 | 128;
    let bits = modifiers.checked_sub(1)? & !LOCKS;
    let bits = u8::try_from(bits).ok().filter(|bits| *bits < 8)?;
    let mut modifiers = KeyModifiers::NONE;
    modifiers.set(KeyModifiers::SHIFT, bits & 1 != 0);
    modifiers.set(KeyModifiers::ALT, bits & 2 != 0);
    modifiers.set(KeyModifiers::CONTROL, bits & 4 != 0);
    (event != Some(RELEASED)).then(|| Event::Key(KeyEvent::new(code, modifiers)))
}

/// A mouse report; columns and rows count from 1.
fn mouse(bits: u16, column: u16, row: u16, released: bool) -> Option<Event> {
    const MOVES: u16 = 32;
    let button = match bits & !MOVES & !0b1_1100 {
        0 => Some(MouseButton::Left),
        1 => Some(MouseButton::Middle),
        2 => Some(MouseButton::Right),
        3 => None,
        _ => return None,
    };
    let kind = match (button, bits & MOVES != 0, released) {
        (Some(button), _, true) => MouseEventKind::Up(button),
        (Some(button), true, false) => MouseEventKind::Drag(button),
        (Some(button), false, false) => MouseEventKind::Down(button),
        (None, true, _) => MouseEventKind::Moved,
        // The oldest form does not say which button was let go.
        (None, false, _) => MouseEventKind::Up(MouseButton::Left),
    };
    let (column, row) = (column.checked_sub(1)?, row.checked_sub(1)?);
    Some(Event::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE }))
}
