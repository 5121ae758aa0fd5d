//! From the bytes that a terminal sends to keys, mouse reports and pasted text: a pure state machine.
//!
//! A terminal mixes three things in one stream: keys, replies to queries (also of programs that ran
//! before, late and cut anywhere), and pasted text. Only keys may command the program, so whatever
//! begins with an escape and is not the encoding of a key or the mouse is dropped as a whole:
//! control sequences, control strings up to their end, and keys with alt.

mod keys;
mod reply;
mod text;

use std::{mem, time::Duration};

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};

pub use reply::ASK_BACKGROUND;
use text::Text;

/// How long an escape waits for the rest of its sequence before it is the esc key.
const ESCAPE: Duration = Duration::from_millis(75);
/// How long after an esc key an introducer may still belong to a sequence that was cut behind its
/// escape.
const CUT: Duration = Duration::from_millis(400);
/// How long the rest of a sequence or control string may take before it is given up.
const SEQUENCE: Duration = Duration::from_secs(1);
/// How long the rest of a bracketed paste may take.
const PASTE: Duration = Duration::from_secs(2);
/// Bytes kept of a sequence's parameters: more than any key has.
const PARAMETERS: usize = 32;
/// Bytes kept of a control string: more than a colour has.
const STRING: usize = 64;
/// Bytes kept of a paste, of which a prompt takes the first line.
const PASTED: usize = 1_024;

const ESC: u8 = 0x1b;
const BEL: u8 = 0x07;
/// Ctrl-c.
const INTERRUPT: u8 = 0x03;
const CANCEL: u8 = 0x18;
const SUBSTITUTE: u8 = 0x1a;
const END_OF_PASTE: &[u8] = b"\x1b[201~";

/// Where in the stream the next byte stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Ground,
    /// After an escape, or after two of them.
    Escape { twice: bool },
    /// After an escape that was decoded as the esc key.
    AfterKey,
    /// After an introducer that followed such an escape.
    Late(u8),
    /// Within an escape sequence with intermediate bytes.
    Intermediate,
    /// Within a character that came with alt.
    AltCharacter,
    /// Within a control sequence.
    Control { ignored: bool },
    /// Before the letter of the Linux console's function keys, `ESC [ [ A`.
    Console,
    /// After `ESC O`.
    Shifted { ignored: bool },
    /// Within a mouse report in its oldest form, with this many bytes to come.
    Mouse(u8),
    /// Within a control string.
    String { eight_bit: bool },
    /// After an escape in one.
    StringEscape,
    /// Within a bracketed paste, with this many bytes of its end marker matched.
    Paste { matched: usize },
}

/// Decodes what a terminal sends, in pieces that may be cut anywhere.
///
/// It has no clock. Its caller reports quiet times through [`idle`](Self::idle), since only
/// time tells the esc key from the start of a sequence, and one key from the start of a paste.
#[derive(Debug, Default)]
pub struct Decoder {
    state: State,
    /// Parameters and intermediate bytes of the sequence under way.
    parameters: Vec<u8>,
    /// The first bytes of a character that is not complete, or of a control string's.
    character: Vec<u8>,
    pasted: Vec<u8>,
    /// The introducer of the control string under way and its first bytes.
    string: Vec<u8>,
    background: Option<(u8, u8, u8)>,
    text: Text,
}

impl Decoder {
    /// Decodes the bytes of one read.
    ///
    /// Several different characters of text in one read, or shortly after each other, are a paste;
    /// one that is repeated is a key that is held down.
    pub fn feed(&mut self, read: &[u8]) -> Vec<Event> {
        let mut events = Vec::new();
        self.text.begin_read(&mut events);
        // The end of a paste may be lost, and ctrl-c has to work all the same.
        if read == [INTERRUPT] && matches!(self.state, State::Paste { .. }) {
            self.state = State::Ground;
        }
        for &byte in read {
            self.take(byte, &mut events);
        }
        events
    }

    /// The background colour in the last reply to [`ASK_BACKGROUND`], given once.
    pub fn take_background(&mut self) -> Option<(u8, u8, u8)> {
        self.background.take()
    }

    /// Whether a sequence or a control string is open.
    pub fn is_in_sequence(&self) -> bool {
        !matches!(
            self.state,
            State::Ground | State::Escape { .. } | State::AfterKey | State::Paste { .. }
        )
    }

    /// Drops a sequence or a control string whose end does not come.
    pub fn abandon_sequence(&mut self) {
        if self.is_in_sequence() {
            self.state = State::Ground;
            self.character.clear();
        }
    }

    /// How long after the last read [`idle`](Self::idle) has something to tell, if at all.
    pub fn patience(&self) -> Option<Duration> {
        let state = match self.state {
            State::Ground => None,
            // No reply has intermediate bytes behind its escape: they are keys with alt.
            State::Escape { .. } | State::Late(_) | State::Intermediate => Some(ESCAPE),
            State::AfterKey => Some(CUT),
            State::Paste { .. } => Some(PASTE),
            _ => Some(SEQUENCE),
        };
        state.into_iter().chain(self.text.patience()).min()
    }

    /// Decides what was open when nothing has come for this long after the last read.
    pub fn idle(&mut self, since_read: Duration) -> Vec<Event> {
        let mut events = Vec::new();
        while let Some(patience) = self.patience()
            && patience <= since_read
        {
            if self.text.patience() == Some(patience) {
                self.text.idle(&mut events);
                continue;
            }
            self.state = match self.state {
                State::Escape { twice } => {
                    for _ in 0..=usize::from(twice) {
                        self.text.key(press(KeyCode::Esc), &mut events);
                    }
                    State::AfterKey
                }
                State::Late(introducer) => {
                    self.text.push(char::from(introducer));
                    // Nothing followed within the time that it had.
                    self.text.idle(&mut events);
                    State::Ground
                }
                _ => State::Ground,
            };
        }
        events
    }

    fn take(&mut self, byte: u8, events: &mut Vec<Event>) {
        // No reply has this byte, and a person who presses ctrl-c means it.
        if byte == INTERRUPT {
            self.abandon_sequence();
        }
        match self.state {
            State::Ground => self.ground(byte, events),
            State::Escape { twice } => self.escape(byte, twice),
            State::AfterKey => {
                self.state = match byte {
                    b'[' | b'O' | b']' | b'P' | b'X' | b'^' | b'_' => State::Late(byte),
                    _ => State::Ground,
                };
                // A string's end may be cut behind its escape as well.
                if self.state == State::Ground && byte != b'\\' {
                    self.ground(byte, events);
                }
            }
            State::Late(introducer) => {
                self.escape(introducer, false);
                self.take(byte, events);
            }
            State::Intermediate => match byte {
                0x20..=0x2f => {}
                ESC => self.state = State::Escape { twice: false },
                _ => self.state = State::Ground,
            },
            State::AltCharacter => {
                if !(0x80..=0xbf).contains(&byte) {
                    self.state = State::Ground;
                    self.ground(byte, events);
                }
            }
            State::Control { ignored } => self.control(byte, ignored, events),
            State::Console => {
                self.state = State::Ground;
                let number = byte.wrapping_sub(b'A');
                if number < 5 {
                    self.text.key(press(KeyCode::F(number + 1)), events);
                }
            }
            State::Shifted { ignored } => self.shifted(byte, ignored, events),
            State::Mouse(left) => {
                self.parameters.push(byte);
                self.state = if left > 1 { State::Mouse(left - 1) } else { State::Ground };
                if left == 1
                    && let Some(mouse) = keys::old_mouse(&self.parameters)
                {
                    self.text.key(mouse, events);
                }
            }
            State::String { eight_bit } => self.string(byte, eight_bit),
            State::StringEscape => match byte {
                b'\\' => self.end_string(),
                ESC => {}
                _ => self.escape(byte, false),
            },
            State::Paste { matched } => self.paste(byte, matched, events),
        }
    }

    fn ground(&mut self, byte: u8, events: &mut Vec<Event>) {
        if !self.character.is_empty() {
            if (0x80..=0xbf).contains(&byte) {
                return self.continue_character(byte);
            }
            // It was cut: the byte begins something else.
            self.character.clear();
        }
        match byte {
            ESC => self.state = State::Escape { twice: false },
            b'\r' | b'\n' | b'\t' | 0x20..=0x7e => self.text.push(char::from(byte)),
            0x08 | 0x7f => self.text.key(press(KeyCode::Backspace), events),
            0x00 => self.text.key(control(' '), events),
            0x01..=0x1a => self.text.key(control(char::from(byte - 1 + b'a')), events),
            0x1c..=0x1f => self.text.key(control(char::from(byte - 0x1c + b'4')), events),
            0x80..=0x9f => self.eight_bit_control(byte),
            0xc2..=0xf4 => self.character.push(byte),
            _ => {}
        }
    }

    fn continue_character(&mut self, byte: u8) {
        self.character.push(byte);
        let length = match self.character[0] {
            ..0xe0 => 2,
            0xe0..0xf0 => 3,
            _ => 4,
        };
        if self.character.len() < length {
            return;
        }
        let character = mem::take(&mut self.character);
        match str::from_utf8(&character).ok().and_then(|one| one.chars().next()) {
            Some(c @ '\u{80}'..='\u{9f}') => self.encoded_control(c),
            Some(c) => self.text.push(c),
            None => {}
        }
    }

    /// A control character of the upper half stands for escape and one of the lower half.
    fn eight_bit_control(&mut self, byte: u8) {
        self.escape(byte - 0x40, false);
        if matches!(self.state, State::String { .. }) {
            self.state = State::String { eight_bit: true };
        }
    }

    fn encoded_control(&mut self, c: char) {
        // Below U+00A0, so that it is one byte.
        self.escape(u8::try_from(c).unwrap_or(ESC) - 0x40, false);
    }

    fn escape(&mut self, byte: u8, twice: bool) {
        self.parameters.clear();
        self.state = match byte {
            ESC => State::Escape { twice: true },
            // Some terminals put an escape before a key's sequence where alt is held.
            b'[' => State::Control { ignored: twice },
            b'O' => State::Shifted { ignored: twice },
            b']' | b'P' | b'X' | b'^' | b'_' => {
                self.character.clear();
                self.string.clear();
                self.string.push(byte);
                State::String { eight_bit: false }
            }
            0x20..=0x2f => State::Intermediate,
            0xc2..=0xf4 => State::AltCharacter,
            _ => State::Ground,
        };
    }

    fn control(&mut self, byte: u8, ignored: bool, events: &mut Vec<Event>) {
        match byte {
            0x20..=0x3f if self.parameters.len() == PARAMETERS => {
                self.state = State::Control { ignored: true };
            }
            0x20..=0x3f => self.parameters.push(byte),
            b'[' if self.parameters.is_empty() => self.state = State::Console,
            b'M' if self.parameters.is_empty() => self.state = State::Mouse(3),
            b'~' if self.parameters == b"200" => {
                self.pasted.clear();
                self.state = State::Paste { matched: 0 };
            }
            0x40..=0x7e => {
                self.state = State::Ground;
                if !ignored && let Some(event) = keys::of_sequence(&self.parameters, byte) {
                    self.text.key(event, events);
                }
            }
            ESC => self.state = State::Escape { twice: false },
            CANCEL | SUBSTITUTE | 0x80.. => self.state = State::Ground,
            _ => {}
        }
    }

    fn shifted(&mut self, byte: u8, ignored: bool, events: &mut Vec<Event>) {
        // Old terminals put the modifiers before the letter.
        if byte.is_ascii_digit() && self.parameters.len() < PARAMETERS {
            self.parameters.push(byte);
            return;
        }
        self.state = if byte == ESC { State::Escape { twice: false } } else { State::Ground };
        if !ignored
            && self.parameters.is_empty()
            && let Some(code) = keys::of_shifted(byte)
        {
            self.text.key(press(code), events);
        }
    }

    /// Within a control string only its end counts. A byte of a character is none, whatever it is.
    fn string(&mut self, byte: u8, eight_bit: bool) {
        let continues = (0x80..=0xbf).contains(&byte) && !self.character.is_empty();
        if continues {
            self.character.push(byte);
            if self.character == [0xc2, 0x9c] {
                self.character.clear();
                self.end_string();
            } else if self.character.len() == 4 {
                self.character.clear();
            }
            return;
        }
        self.character.clear();
        match byte {
            BEL => self.end_string(),
            ESC => self.state = State::StringEscape,
            0x9c if eight_bit => self.end_string(),
            0xc2..=0xf4 => self.character.push(byte),
            _ if self.string.len() < STRING => self.string.push(byte),
            _ => {}
        }
    }

    /// Keeps a colour that was asked for; every other string is dropped.
    fn end_string(&mut self) {
        self.state = State::Ground;
        self.background = reply::background(&self.string).or(self.background);
        self.string.clear();
    }

    fn paste(&mut self, byte: u8, matched: usize, events: &mut Vec<Event>) {
        let matched = if byte == END_OF_PASTE[matched] {
            matched + 1
        } else {
            let rest = &END_OF_PASTE[..matched];
            let again = byte == END_OF_PASTE[0];
            let own = (!again).then_some(byte);
            let room = PASTED.saturating_sub(self.pasted.len());
            self.pasted.extend(rest.iter().copied().chain(own).take(room));
            usize::from(again)
        };
        self.state = State::Paste { matched };
        if matched == END_OF_PASTE.len() {
            self.state = State::Ground;
            let pasted = mem::take(&mut self.pasted);
            let pasted = String::from_utf8_lossy(&pasted);
            // Marked as pasted, a line end cannot be the enter key.
            let pasted = pasted.trim_end_matches(['\r', '\n']).to_owned();
            self.text.key(Event::Paste(pasted), events);
        }
    }
}

fn press(code: KeyCode) -> Event {
    Event::Key(KeyEvent::new(code, KeyModifiers::NONE))
}

fn control(c: char) -> Event {
    Event::Key(KeyEvent::new(KeyCode::Char(c), KeyModifiers::CONTROL))
}

#[cfg(test)]
mod tests;
