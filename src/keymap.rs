//! Which key does what: one table that maps keys, fills the help screen and the bottom line.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use crate::app::{Action, Direction, Focus, View};

/// A line of the help screen.
#[derive(Clone, Copy, Debug)]
pub struct Binding {
    /// Keys that do the same.
    pub keys: &'static [Key],
    /// What they do.
    pub action: Action,
    /// Which part of the help they stand in.
    pub group: Group,
    /// The only view they mean this in; `None` for all.
    pub view: Option<View>,
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
    /// What is chosen in the view.
    Choice,
    /// Help and leaving.
    Program,
}

impl Group {
    /// All parts in order.
    pub const ALL: [Self; 4] = [Self::Training, Self::View, Self::Choice, Self::Program];

    /// Heading.
    pub fn name(self) -> &'static str {
        match self {
            Self::Training => "Training",
            Self::View => "View",
            Self::Choice => "In the view",
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
    Binding { keys, action, group, view: None, short, help }
}

const fn in_view(
    view: View,
    keys: &'static [Key],
    action: Action,
    short: &'static str,
    help: &'static str,
) -> Binding {
    Binding { keys, action, group: Group::Choice, view: Some(view), short, help }
}

/// Every binding.
#[rustfmt::skip]
pub const BINDINGS: &[Binding] = &[
    binding(&[Key::char(' '), Key::char('p')], Action::TogglePause, Group::Training,
        "pause", "pause before the next batch, or train on"),
    binding(&[Key::char('s'), Key::char(']')], Action::Step(1), Group::Training,
        "one batch", "train one batch, then pause"),
    binding(&[Key::char('S')], Action::Step(10), Group::Training,
        "ten", "train ten batches, then pause"),
    binding(&[Key::char('b'), Key::char('[')], Action::Back(1), Group::Training,
        "back", "go back one batch and pause"),
    binding(&[Key::char('e'), Key::char('}')], Action::FinishEpoch, Group::Training,
        "to epoch's end", "train to the end of the epoch, then pause"),
    binding(&[Key::char('E'), Key::char('{')], Action::BackEpoch, Group::Training,
        "epoch back", "go back to the start of the epoch"),
    binding(&[Key::char('g')], Action::AskStep, Group::Training,
        "go to step", "go to a step, forth or back"),
    binding(&[Key::char('u'), Key::char('+'), Key::char('=')], Action::RaiseRate, Group::Training,
        "rate up", "learning rate times 1.25"),
    binding(&[Key::char('d'), Key::char('-')], Action::LowerRate, Group::Training,
        "rate down", "learning rate by 1.25"),
    binding(&[Key::char('f'), Key::char('>')], Action::Quicken, Group::Training,
        "faster", "more batches a second"),
    binding(&[Key::char('F'), Key::char('<')], Action::Slow, Group::Training,
        "slower", "fewer batches a second"),
    binding(&[Key::char('B')], Action::EditBreakpoints, Group::Training,
        "breakpoints", "what pauses the run"),
    binding(&[Key::code(KeyCode::Tab)], Action::NextView, Group::View,
        "next view", "show the next view"),
    binding(&[Key::code(KeyCode::BackTab)], Action::PreviousView, Group::View,
        "back", "show the previous view"),
    binding(&[Key::char('1')], Action::Show(View::Overview), Group::View,
        "overview", "everything on one screen"),
    binding(&[Key::char('2')], Action::Show(View::Loss), Group::View,
        "loss", "loss and accuracy in large"),
    binding(&[Key::char('3')], Action::Show(View::Step), Group::View,
        "step", "what the last batch did"),
    binding(&[Key::char('4')], Action::Show(View::Confusion), Group::View,
        "confusion", "confusion matrix with all its figures"),
    binding(&[Key::char('5')], Action::Show(View::Network), Group::View,
        "network", "an image's way through the network"),
    binding(&[Key::char('6')], Action::Show(View::Mistakes), Group::View,
        "mistakes", "the hardest images"),
    binding(&[Key::char('7')], Action::Show(View::Draw), Group::View,
        "draw", "a pad to draw on"),
    binding(&[Key::char('l')], Action::ToggleLogScale, Group::View,
        "log scale", "loss axis linear or logarithmic"),
    binding(&[Key::char('r')], Action::ToggleRange, Group::View,
        "recent", "loss of the whole run or of the last 1,000 steps"),
    binding(&[Key::char('j'), Key::char('(')], Action::OlderMatrix, Group::View,
        "older", "matrix of the epoch before"),
    binding(&[Key::char('k'), Key::char(')')], Action::NewerMatrix, Group::View,
        "newer", "matrix of the epoch after"),
    binding(&[Key::char('i')], Action::LookInside, Group::View,
        "look inside", "send the chosen image through the network"),
    binding(&[Key::code(KeyCode::Up)], Action::Move(Direction::Up), Group::Choice, "up", "choose"),
    binding(&[Key::code(KeyCode::Down)], Action::Move(Direction::Down), Group::Choice, "down", "choose"),
    binding(&[Key::code(KeyCode::Left)], Action::Move(Direction::Left), Group::Choice, "left", "choose"),
    binding(&[Key::code(KeyCode::Right)], Action::Move(Direction::Right), Group::Choice, "right", "choose"),
    binding(&[Key::code(KeyCode::PageUp)], Action::Move(Direction::PageUp), Group::Choice, "page up", "a screen up"),
    binding(&[Key::code(KeyCode::PageDown)], Action::Move(Direction::PageDown), Group::Choice, "page down", "a screen down"),
    binding(&[Key::code(KeyCode::Home)], Action::Move(Direction::Home), Group::Choice, "first", "the first"),
    binding(&[Key::code(KeyCode::End)], Action::Move(Direction::End), Group::Choice, "last", "the last"),
    in_view(View::Network, &[Key::char('m')], Action::Hardest,
        "worst mistake", "the image with the highest loss"),
    in_view(View::Network, &[Key::char('t')], Action::SwitchSet,
        "other set", "test or training images"),
    in_view(View::Draw, &[Key::char(' ')], Action::Pen,
        "pen", "put the pen down, or lift it"),
    in_view(View::Draw, &[Key::char('c')], Action::Clear,
        "clear", "clear the pad"),
    in_view(View::Draw, &[Key::char('z'), Key::code(KeyCode::Backspace)], Action::Undo,
        "undo", "take the last stroke back"),
    in_view(View::Draw, &[Key::char('m')], Action::Centre,
        "centre", "fit and centre it as MNIST does"),
    binding(&[Key::char('?'), Key::char('h'), Key::code(KeyCode::F(1))], Action::ToggleHelp, Group::Program,
        "help", "show or hide this help"),
    binding(&[Key::char('q'), Key::control('c')], Action::Quit, Group::Program,
        "quit", "leave; asks once while training"),
    binding(&[Key::code(KeyCode::Enter), Key::char('y')], Action::Confirm, Group::Program,
        "yes", "open what is chosen, or answer with yes"),
    binding(&[Key::code(KeyCode::Esc), Key::char('n')], Action::Dismiss, Group::Program,
        "close", "close what is open, or answer with no"),
];

/// What a key press asks for; `None` where the key means nothing.
pub fn action(event: KeyEvent, focus: Focus) -> Option<Action> {
    if event.kind == KeyEventKind::Release {
        return None;
    }
    // Shift shows in the character itself; other modifiers make another key.
    let control = event.modifiers.contains(KeyModifiers::CONTROL);
    if event.modifiers.contains(KeyModifiers::ALT) {
        return None;
    }
    let key = Key { code: event.code, control };
    let view = match focus {
        Focus::View(view) => view,
        Focus::Question => return typed(key),
    };
    meaning(key, view)
}

/// What a key means in a view, where its own meaning goes before the general one.
fn meaning(key: Key, view: View) -> Option<Action> {
    let bound = |to: Option<View>| {
        BINDINGS.iter().find(|binding| binding.view == to && binding.keys.contains(&key))
    };
    bound(Some(view)).or_else(|| bound(None)).map(|binding| binding.action)
}

/// What a key means to a question that is answered by typing.
fn typed(key: Key) -> Option<Action> {
    match key.code {
        KeyCode::Char('c') if key.control => Some(Action::Quit),
        KeyCode::Char(c) if !key.control => Some(Action::Type(c)),
        KeyCode::Backspace => Some(Action::Erase),
        KeyCode::Enter => Some(Action::Confirm),
        KeyCode::Esc => Some(Action::Dismiss),
        KeyCode::Up => Some(Action::Move(Direction::Up)),
        KeyCode::Down => Some(Action::Move(Direction::Down)),
        _ => None,
    }
}

/// The first key and the short name of an action.
pub fn hint(action: Action) -> Option<(String, &'static str)> {
    let binding = BINDINGS.iter().find(|binding| binding.action == action)?;
    Some((binding.keys.first()?.name(), binding.short))
}

/// The first key that means an action in this view, and the action's short name.
pub fn hint_in(view: View, action: Action) -> Option<(String, &'static str)> {
    BINDINGS.iter().filter(|binding| binding.action == action).find_map(|binding| {
        let key = binding.keys.iter().find(|key| meaning(**key, view) == Some(action))?;
        Some((key.name(), binding.short))
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn press(code: KeyCode, modifiers: KeyModifiers) -> Option<Action> {
        action(KeyEvent::new(code, modifiers), Focus::View(View::Overview))
    }

    #[test]
    fn no_key_has_two_meanings() {
        let mut seen = HashSet::new();
        for binding in BINDINGS {
            for key in binding.keys {
                assert!(seen.insert((binding.view, key)), "{} is bound twice", key.name());
            }
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
    fn a_hint_names_a_key_that_means_it_in_the_view() {
        let key = |view| hint_in(view, Action::TogglePause).map(|(key, _)| key);
        assert_eq!(key(View::Overview).as_deref(), Some("space"));
        assert_eq!(key(View::Draw).as_deref(), Some("p"), "space is the pen there");
        assert_eq!(hint_in(View::Overview, Action::Centre), None);
    }

    #[test]
    fn a_released_key_means_nothing() {
        let mut event = KeyEvent::new(KeyCode::Char('q'), KeyModifiers::NONE);
        event.kind = KeyEventKind::Release;
        assert_eq!(action(event, Focus::View(View::Overview)), None);
    }
}
