//! Hints about keys that do nothing.

use super::{App, Unbound};

/// Which hints were given; each is given once.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Hinted {
    ascii: bool,
    caps_lock: bool,
    foreign: bool,
}

impl App {
    /// Says once which keys work, in the bottom line and until another key is pressed.
    pub(super) fn unbound(&mut self, key: Unbound) {
        let hinted = match key {
            Unbound::Ascii(_) => &mut self.hinted.ascii,
            Unbound::CapsLock(_) => &mut self.hinted.caps_lock,
            Unbound::Foreign => &mut self.hinted.foreign,
        };
        if std::mem::replace(hinted, true) {
            return;
        }
        self.hint = Some(match key {
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

    /// Gives pasted text to the open question; without one it does nothing but to say so. Whether the
    /// text answers the question: an answer that was typed quickly may arrive as one text with its line end.
    pub(super) fn paste(&mut self, text: &str) -> bool {
        let Some(prompt) = &mut self.prompt else {
            // Keys that a slow connection delivers at once must not vanish without a word.
            let hint = "Pasted text does nothing here; keys pressed at once count as pasted.";
            self.hint = Some(hint.to_owned());
            return false;
        };
        prompt.paste(text);
        text.find(['\r', '\n']).is_some_and(|end| end > 0 && end + 1 == text.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::{Action, Msg, PromptKind};

    #[test]
    fn a_key_that_does_nothing_is_told_of_once_and_quietly() {
        let mut app = App::default();
        for (key, text) in [
            (Unbound::Ascii('v'), "v does nothing here"),
            (Unbound::CapsLock('P'), "caps lock"),
            (Unbound::Foreign, "Latin letters"),
        ] {
            assert!(app.update(Msg::UnboundKey(key)).is_empty());
            assert!(app.hint.as_deref().is_some_and(|hint| hint.contains(text)), "{:?}", app.hint);
            let _ = app.update(Msg::Action(Action::ToggleLogScale));
            assert_eq!(app.hint, None, "another key was pressed");
            let _ = app.update(Msg::UnboundKey(key));
            assert_eq!(app.hint, None, "{key:?} was told of");
        }
        assert_eq!(app.messages.shown(), None);
    }

    #[test]
    fn pasted_text_goes_to_a_question_alone_and_stops_at_the_end_of_the_line() {
        let mut app = App::default();
        assert!(app.update(Msg::Paste("quickly\r".to_owned())).is_empty());
        assert!(!app.wants_to_leave() && app.overlay.is_none() && app.prompt.is_none());
        assert!(app.hint.as_deref().is_some_and(|hint| hint.starts_with("Pasted text")));
        let _ = app.update(Msg::Action(Action::AskStep));
        let _ = app.update(Msg::Paste("1\u{1b}2\t3 steps\n4\rq".to_owned()));
        let prompt = app.prompt.expect("the question stays open");
        assert_eq!((prompt.kind, prompt.text.as_str()), (PromptKind::Step, "123"));
    }

    #[test]
    fn an_answer_that_arrives_at_once_with_its_line_end_is_given() {
        let mut app = App::default();
        let _ = app.update(Msg::Action(Action::EditBreakpoints));
        let _ = app.update(Msg::Action(Action::AddBreakpoint));
        let commands = app.update(Msg::Paste("step=7\r".to_owned()));
        assert_eq!(app.prompt.as_ref().map(|prompt| prompt.text.as_str()), None);
        assert!(!commands.is_empty());
    }
}
