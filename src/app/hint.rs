//! What is told of keys that do nothing.

use super::{App, Unbound};

/// Which hints were given; each is given once.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Hinted {
    ascii: bool,
    caps_lock: bool,
    foreign: bool,
}

impl App {
    /// Says once which keys work, unless there is something else to tell.
    pub(super) fn hint(&mut self, key: Unbound) {
        if self.notice.is_some() {
            return;
        }
        let hinted = match key {
            Unbound::Ascii(_) => &mut self.hinted.ascii,
            Unbound::CapsLock(_) => &mut self.hinted.caps_lock,
            Unbound::Foreign => &mut self.hinted.foreign,
        };
        if std::mem::replace(hinted, true) {
            return;
        }
        self.pass(match key {
            Unbound::Ascii(c) => format!("{c} does nothing here: press ? for the keys that work."),
            Unbound::CapsLock(c) => {
                let lower = c.to_ascii_lowercase();
                format!("{c} does nothing here, but {lower} does: caps lock may be on.")
            }
            Unbound::Foreign => {
                "The keys are Latin letters, digits and signs: press ? for a list.".to_owned()
            }
        });
    }

    /// Gives pasted text to the open question; without one it does nothing.
    pub(super) fn paste(&mut self, text: &str) {
        if let Some(prompt) = &mut self.prompt {
            prompt.paste(text);
        }
    }
}
