//! Which characters are keys and which are pasted, on terminals that do not bracket what they paste.

use std::time::Duration;

use crossterm::event::{Event, KeyCode};

use super::{PASTED, control, press};

/// How long a character waits for others that would make it a paste: longer than between two reads of
/// one, and less than lies between two keys that a person presses, however quickly.
const HOLD: Duration = Duration::from_millis(8);
/// How long after its last character more of a paste may come.
const MORE: Duration = Duration::from_millis(150);
/// A key that repeats faster than [`HOLD`] is let through after this many reads.
const READS: u8 = 4;
/// More of one character at once is a paste, such as a line of dashes.
pub(super) const REPEATS: usize = 16;

/// Characters that were read and not yet told of.
#[derive(Debug, Default)]
pub(super) enum Text {
    /// None.
    #[default]
    Nothing,
    /// One and the same, over this many reads: keys, unless another follows at once.
    Keys { c: char, count: usize, reads: u8 },
    /// Pasted ones; the first are kept.
    Pasted(String),
}

impl Text {
    /// A read begins.
    pub(super) fn begin_read(&mut self, events: &mut Vec<Event>) {
        if let Self::Keys { reads, .. } = self {
            *reads += 1;
            if *reads > READS {
                self.idle(events);
            }
        }
    }

    /// Takes a character that can be part of a paste, line ends and tabs included.
    pub(super) fn push(&mut self, c: char) {
        match self {
            Self::Nothing => *self = Self::Keys { c, count: 1, reads: 1 },
            Self::Keys { c: held, count, .. } if *held == c && *count < REPEATS => *count += 1,
            Self::Keys { c: held, count, .. } => {
                let mut pasted = held.to_string().repeat(*count);
                pasted.push(c);
                *self = Self::Pasted(pasted);
            }
            Self::Pasted(pasted) => {
                if pasted.len() < PASTED {
                    pasted.push(c);
                }
            }
        }
    }

    /// Takes what cannot be part of a paste; within one, keys count for nothing.
    pub(super) fn key(&mut self, event: Event, events: &mut Vec<Event>) {
        match self {
            Self::Pasted(_) if matches!(event, Event::Key(_)) => return,
            Self::Keys { .. } => self.idle(events),
            Self::Pasted(_) | Self::Nothing => {}
        }
        events.push(event);
    }

    /// How long after a read it is settled what the characters were.
    pub(super) fn patience(&self) -> Option<Duration> {
        match self {
            Self::Nothing => None,
            Self::Keys { .. } => Some(HOLD),
            Self::Pasted(_) => Some(MORE),
        }
    }

    /// Tells of what was read; no more has come in time.
    pub(super) fn idle(&mut self, events: &mut Vec<Event>) {
        match std::mem::take(self) {
            Self::Nothing => {}
            Self::Keys { c, count, .. } => {
                events.extend(std::iter::repeat_n(key_of(c), count));
            }
            Self::Pasted(pasted) => events.push(Event::Paste(pasted)),
        }
    }
}

/// The key that a character comes from.
fn key_of(c: char) -> Event {
    match c {
        '\r' => press(KeyCode::Enter),
        '\n' => control('j'),
        '\t' => press(KeyCode::Tab),
        c => press(KeyCode::Char(c)),
    }
}
