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
fn an_open_dialog_takes_every_key_that_a_view_has() {
    for focus in [Focus::Breakpoints, Focus::Confirmation] {
        let press = |code| action(KeyEvent::new(code, KeyModifiers::NONE), focus);
        for c in "psSbeEgLfFRw1234567,.r+-?iv".chars() {
            assert_eq!(press(KeyCode::Char(c)), None, "{c} in {focus:?}");
            let event = KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE);
            assert_eq!(unbound_key(event, focus), None, "{c} in {focus:?}");
        }
        assert_eq!(press(KeyCode::Esc), Some(Action::Dismiss));
        assert_eq!(press(KeyCode::Char('q')), Some(Action::Quit));
        assert_eq!(press(KeyCode::Char('j')), Some(Action::Move(Direction::Down)));
    }
    let press = |code| action(KeyEvent::new(code, KeyModifiers::NONE), Focus::Breakpoints);
    for (keys, expected) in [
        ([KeyCode::Char(' '), KeyCode::Enter], Action::ToggleBreakpoint),
        ([KeyCode::Char('x'), KeyCode::Delete], Action::RemoveBreakpoint),
        ([KeyCode::Char('B'), KeyCode::Esc], Action::Dismiss),
    ] {
        assert_eq!(keys.map(press), [Some(expected); 2]);
    }
}

#[test]
fn y_answers_a_question_and_toggles_the_axis_elsewhere() {
    let press = |focus| action(KeyEvent::new(KeyCode::Char('y'), KeyModifiers::NONE), focus);
    assert_eq!(press(Focus::Confirmation), Some(Action::Confirm));
    assert_eq!(press(Focus::View(View::Loss)), Some(Action::ToggleLogScale));
}

/// The table of keys as the README has it.
fn markdown() -> String {
    let mut rows: Vec<(Vec<String>, &str, Option<Focus>)> = Vec::new();
    for group in Group::ALL {
        for binding in BINDINGS.iter().filter(|binding| binding.group == group) {
            let keys = binding.keys.iter().map(|key| format!("`{}`", key.name()));
            match rows.last_mut() {
                Some((before, help, focus)) if (*help, *focus) == (binding.help, binding.focus) => {
                    before.extend(keys);
                }
                _ => rows.push((keys.collect(), binding.help, binding.focus)),
            }
        }
    }
    let lines = rows.into_iter().map(|(keys, help, focus)| {
        let place = match focus {
            Some(Focus::View(view)) => view.name(),
            Some(Focus::Breakpoints) => "breakpoints",
            Some(Focus::Confirmation) => "question",
            Some(Focus::Crosshair) => "crosshair",
            Some(Focus::Standings) => "sweep",
            Some(Focus::Question) | None => "",
        };
        format!("| {} | {help} | {place} |\n", keys.join(" "))
    });
    format!("| key | does | only in |\n|---|---|---|\n{}", lines.collect::<String>())
}

#[test]
fn the_readme_has_the_table_of_keys() {
    let readme = include_str!("../../README.md");
    let table = markdown();
    assert!(readme.contains(&table), "the README's table of keys should be:\n\n{table}");
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
fn a_character_that_means_nothing_is_explained() {
    let unbound = |code, modifiers, focus| unbound_key(KeyEvent::new(code, modifiers), focus);
    let (none, view) = (KeyModifiers::NONE, Focus::View(View::Overview));
    for (c, expected) in [
        (';', Some(Unbound::Ascii(';'))),
        ('0', Some(Unbound::Ascii('0'))),
        (':', Some(Unbound::Ascii(':'))),
        ('P', Some(Unbound::CapsLock('P'))),
        ('é', Some(Unbound::Foreign)),
        ('네', Some(Unbound::Foreign)),
        ('p', None),
        ('S', None),
        ('з', None),
    ] {
        assert_eq!(unbound(KeyCode::Char(c), none, view), expected, "{c}");
    }
    assert_eq!(unbound(KeyCode::Char('x'), KeyModifiers::CONTROL, view), None);
    assert_eq!(unbound(KeyCode::F(9), none, view), None);
    assert_eq!(unbound(KeyCode::Char('x'), none, Focus::Question), None);
}
