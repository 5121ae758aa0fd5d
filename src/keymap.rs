//! Which key does what: one table that maps keys, fills the help screen and the bottom line.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use crate::app::{Action, View};

/// A line of the help screen.
#[derive(Clone, Copy, Debug)]
pub struct Binding {
    /// Keys that do the same.
    pub keys: &'static [Key],
    /// What they do.
    pub action: Action,
    /// Which part of the help they stand in.
    pub group: Group,
    /// One or two words for the bottom line.
    pub short: &'static str,
    /// What they do, for the help.
    pub help: &'static str,
}

/// Parts of the help screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// What the worker does.
    Training,
    /// What is shown.
    View,
    /// Help and leaving.
    Program,
}

impl Group {
    /// All parts in order.
    pub const ALL: [Self; 3] = [Self::Training, Self::View, Self::Program];

    /// Heading.
    pub fn name(self) -> &'static str {
        match self {
            Self::Training => "Training",
            Self::View => "View",
            Self::Program => "Program",
        }
    }
}

/// A key with its modifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    code: KeyCode,
    control: bool,
}

impl Key {
    const fn char(c: char) -> Self {
        Self { code: KeyCode::Char(c), control: false }
    }

    const fn control(c: char) -> Self {
        Self { code: KeyCode::Char(c), control: true }
    }

    const fn code(code: KeyCode) -> Self {
        Self { code, control: false }
    }

    /// The key's name as people write it.
    pub fn name(self) -> String {
        let name = match self.code {
            KeyCode::Char(' ') => "space".to_owned(),
            KeyCode::Char(c) => c.to_string(),
            KeyCode::BackTab => "shift-tab".to_owned(),
            KeyCode::F(n) => format!("f{n}"),
            other => format!("{other:?}").to_lowercase(),
        };
        if self.control { format!("ctrl-{name}") } else { name }
    }
}

const fn binding(
    keys: &'static [Key],
    action: Action,
    group: Group,
    short: &'static str,
    help: &'static str,
) -> Binding {
    Binding { keys, action, group, short, help }
}

/// Every binding.
#[rustfmt::skip]
pub const BINDINGS: &[Binding] = &[
    binding(&[Key::char(' ')], Action::TogglePause, Group::Training,
        "pause", "pause before the next batch, or train on"),
    binding(&[Key::char('s')], Action::Step(1), Group::Training,
        "one batch", "train one batch, then pause"),
    binding(&[Key::char('S')], Action::Step(10), Group::Training,
        "ten", "train ten batches, then pause"),
    binding(&[Key::char('e')], Action::FinishEpoch, Group::Training,
        "to epoch's end", "train to the end of the epoch, evaluate, then pause"),
    binding(&[Key::code(KeyCode::Tab)], Action::NextView, Group::View,
        "next view", "show the next view"),
    binding(&[Key::code(KeyCode::BackTab)], Action::PreviousView, Group::View,
        "back", "show the previous view"),
    binding(&[Key::char('1')], Action::Show(View::Overview), Group::View,
        "overview", "everything on one screen"),
    binding(&[Key::char('2')], Action::Show(View::Loss), Group::View,
        "loss", "loss and accuracy in large"),
    binding(&[Key::char('3')], Action::Show(View::Digits), Group::View,
        "digits", "the current batch's digits in large"),
    binding(&[Key::char('4')], Action::Show(View::Confusion), Group::View,
        "confusion", "confusion matrix with all its figures"),
    binding(&[Key::char('l')], Action::ToggleLogScale, Group::View,
        "log scale", "loss axis linear or logarithmic"),
    binding(&[Key::char('r')], Action::ToggleRange, Group::View,
        "recent", "loss of the whole run or of the last 1,000 steps"),
    binding(&[Key::char('?'), Key::char('h'), Key::code(KeyCode::F(1))], Action::ToggleHelp, Group::Program,
        "help", "show or hide this help"),
    binding(&[Key::char('q'), Key::control('c')], Action::Quit, Group::Program,
        "quit", "leave; asks once while training"),
    binding(&[Key::char('y'), Key::code(KeyCode::Enter)], Action::Confirm, Group::Program,
        "yes", "answer a question with yes"),
    binding(&[Key::code(KeyCode::Esc), Key::char('n')], Action::Dismiss, Group::Program,
        "close", "close what is open, or answer with no"),
];

/// What a key press asks for; `None` where the key means nothing.
pub fn action(event: KeyEvent) -> Option<Action> {
    if event.kind == KeyEventKind::Release {
        return None;
    }
    // Shift shows in the character itself; other modifiers make another key.
    let control = event.modifiers.contains(KeyModifiers::CONTROL);
    if event.modifiers.contains(KeyModifiers::ALT) {
        return None;
    }
    let key = Key { code: event.code, control };
    BINDINGS.iter().find(|binding| binding.keys.contains(&key)).map(|binding| binding.action)
}

/// The first key and the short name of an action.
pub fn hint(action: Action) -> Option<(String, &'static str)> {
    let binding = BINDINGS.iter().find(|binding| binding.action == action)?;
    Some((binding.keys.first()?.name(), binding.short))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn press(code: KeyCode, modifiers: KeyModifiers) -> Option<Action> {
        action(KeyEvent::new(code, modifiers))
    }

    #[test]
    fn no_key_has_two_meanings() {
        let mut seen = HashSet::new();
        for key in BINDINGS.iter().flat_map(|binding| binding.keys) {
            assert!(seen.insert(key), "{} is bound twice", key.name());
        }
    }

    #[test]
    fn every_binding_has_keys_and_texts_and_every_view_a_key() {
        for binding in BINDINGS {
            assert!(!binding.keys.is_empty() && !binding.short.is_empty());
            assert!(!binding.help.is_empty() && binding.help.len() <= 52, "{}", binding.help);
        }
        for view in View::ALL {
            assert!(hint(Action::Show(view)).is_some(), "{}", view.name());
        }
    }

    #[test]
    fn letters_differ_by_case_and_control() {
        assert_eq!(press(KeyCode::Char('s'), KeyModifiers::NONE), Some(Action::Step(1)));
        assert_eq!(press(KeyCode::Char('S'), KeyModifiers::SHIFT), Some(Action::Step(10)));
        assert_eq!(press(KeyCode::Char('c'), KeyModifiers::CONTROL), Some(Action::Quit));
        assert_eq!(press(KeyCode::Char('c'), KeyModifiers::NONE), None);
        assert_eq!(press(KeyCode::Char('s'), KeyModifiers::CONTROL), None);
        assert_eq!(press(KeyCode::Char('q'), KeyModifiers::ALT), None);
    }

    #[test]
    fn a_released_key_means_nothing() {
        let mut event = KeyEvent::new(KeyCode::Char('q'), KeyModifiers::NONE);
        event.kind = KeyEventKind::Release;
        assert_eq!(action(event), None);
    }
}
