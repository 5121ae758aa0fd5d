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
            assert!(seen.insert((binding.focus, key)), "{} is bound twice", key.name());
        }
    }
}

#[test]
fn every_binding_has_keys_and_texts_and_every_view_a_key() {
    for binding in BINDINGS {
        assert!(!binding.keys.is_empty() && !binding.short.is_empty());
        assert!(!binding.help.is_empty() && binding.help.chars().count() <= 27, "{}", binding.help);
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
    assert_eq!(action(event, Focus::View(View::Overview)), None);
}

#[test]
fn the_list_of_breakpoints_has_keys_of_its_own_beside_those_of_all_views() {
    let press = |code| action(KeyEvent::new(code, KeyModifiers::NONE), Focus::Breakpoints);
    for key in [KeyCode::Char('a'), KeyCode::Enter] {
        assert_eq!(press(key), Some(Action::AddBreakpoint));
    }
    for key in [KeyCode::Char('x'), KeyCode::Delete] {
        assert_eq!(press(key), Some(Action::RemoveBreakpoint));
    }
    assert_eq!(press(KeyCode::Char('B')), Some(Action::EditBreakpoints));
    assert_eq!(press(KeyCode::Char(' ')), Some(Action::TogglePause));
    assert_eq!(press(KeyCode::Down), Some(Action::Move(Direction::Down)));
}

#[test]
fn letters_are_typed_while_a_question_is_open() {
    let press = |code, modifiers| action(KeyEvent::new(code, modifiers), Focus::Question);
    assert_eq!(press(KeyCode::Char('q'), KeyModifiers::NONE), Some(Action::Type('q')));
    assert_eq!(press(KeyCode::Char('c'), KeyModifiers::CONTROL), Some(Action::Quit));
    assert_eq!(press(KeyCode::Backspace, KeyModifiers::NONE), Some(Action::Erase));
}

#[test]
fn a_key_is_hinted_at_where_it_means_that() {
    let key = |focus, action| hint_in(focus, action).map(|(key, _)| key);
    assert_eq!(key(Focus::View(View::Loss), Action::TogglePause).as_deref(), Some("space"));
    assert_eq!(key(Focus::View(View::Draw), Action::TogglePause).as_deref(), Some("p"));
    assert_eq!(key(Focus::View(View::Draw), Action::Hardest), None);
    assert_eq!(key(Focus::Breakpoints, Action::AddBreakpoint).as_deref(), Some("a"));
}

#[test]
fn a_key_with_alt_means_nothing_whatever_it_means_without() {
    for binding in BINDINGS {
        for key in binding.keys {
            let focus = binding.focus.unwrap_or(Focus::View(View::Overview));
            let control = if key.control { KeyModifiers::CONTROL } else { KeyModifiers::NONE };
            let event = KeyEvent::new(key.code, control);
            assert_eq!(action(event, focus), Some(binding.action), "{}", key.name());
            let with_alt = KeyEvent::new(key.code, control | KeyModifiers::ALT);
            assert_eq!(action(with_alt, focus), None, "alt-{}", key.name());
            assert_eq!(unbound_key(with_alt, focus), None, "alt-{}", key.name());
        }
    }
}

#[test]
fn keys_of_other_layouts_mean_what_stands_in_their_place() {
    for (c, expected) in [
        ('ㅔ', Action::TogglePause),
        ('з', Action::TogglePause),
        ('ｐ', Action::TogglePause),
        ('ㄴ', Action::Step(1)),
        ('Ы', Action::Step(10)),
        ('？', Action::ToggleHelp),
    ] {
        assert_eq!(press(KeyCode::Char(c), KeyModifiers::NONE), Some(expected), "{c}");
    }
    let typed = KeyEvent::new(KeyCode::Char('４'), KeyModifiers::NONE);
    assert_eq!(action(typed, Focus::Question), Some(Action::Type('4')));
}

#[test]
fn a_character_that_means_nothing_is_told_of() {
    let unbound = |code, modifiers, focus| unbound_key(KeyEvent::new(code, modifiers), focus);
    let (none, view) = (KeyModifiers::NONE, Focus::View(View::Overview));
    for (c, expected) in [
        ('v', Some(Unbound::Ascii('v'))),
        ('8', Some(Unbound::Ascii('8'))),
        ('V', Some(Unbound::Ascii('V'))),
        ('P', Some(Unbound::CapsLock('P'))),
        ('é', Some(Unbound::Foreign)),
        ('네', Some(Unbound::Foreign)),
        ('p', None),
        ('S', None),
        ('з', None),
    ] {
        assert_eq!(unbound(KeyCode::Char(c), none, view), expected, "{c}");
    }
    assert_eq!(unbound(KeyCode::Char('v'), KeyModifiers::CONTROL, view), None);
    assert_eq!(unbound(KeyCode::F(9), none, view), None);
    assert_eq!(unbound(KeyCode::Char('v'), none, Focus::Question), None);
}
