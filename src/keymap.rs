//! Which key does what: one table that maps keys, fills the help screen and the bottom line.

mod layout;

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use crate::app::{Action, Direction, Focus, Unbound, View};

/// A line of the help screen.
#[derive(Clone, Copy, Debug)]
pub struct Binding {
    /// Keys that do the same.
    pub keys: &'static [Key],
    /// What they do.
    pub action: Action,
    /// Which part of the help they stand in.
    pub group: Group,
    /// The only place they mean this in; `None` for all.
    pub focus: Option<Focus>,
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
    /// What an open dialog takes.
    Dialog,
    /// Help and leaving.
    Program,
}

impl Group {
    /// All parts in order.
    pub const ALL: [Self; 5] =
        [Self::Training, Self::View, Self::Choice, Self::Dialog, Self::Program];

    /// Heading.
    pub fn name(self) -> &'static str {
        match self {
            Self::Training => "Training",
            Self::View => "View",
            Self::Choice => "In the view",
            Self::Dialog => "In the dialog",
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
            KeyCode::Up => "↑".to_owned(),
            KeyCode::Down => "↓".to_owned(),
            KeyCode::Left => "←".to_owned(),
            KeyCode::Right => "→".to_owned(),
            KeyCode::PageUp => "pgup".to_owned(),
            KeyCode::PageDown => "pgdn".to_owned(),
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
    Binding { keys, action, group, focus: None, short, help }
}

const fn in_view(
    view: View,
    keys: &'static [Key],
    action: Action,
    short: &'static str,
    help: &'static str,
) -> Binding {
    in_place(Focus::View(view), keys, action, short, help)
}

const fn in_place(
    focus: Focus,
    keys: &'static [Key],
    action: Action,
    short: &'static str,
    help: &'static str,
) -> Binding {
    Binding { keys, action, group: Group::Choice, focus: Some(focus), short, help }
}

const fn in_dialog(
    focus: Focus,
    keys: &'static [Key],
    action: Action,
    short: &'static str,
    help: &'static str,
) -> Binding {
    Binding { group: Group::Dialog, ..in_place(focus, keys, action, short, help) }
}

/// Every binding. Neighbours with the same help stand in one line there.
#[rustfmt::skip]
pub const BINDINGS: &[Binding] = &[
    binding(&[Key::char(' '), Key::char('p')], Action::TogglePause, Group::Training,
        "pause", "pause or resume"),
    binding(&[Key::char('s')], Action::Step(1), Group::Training,
        "one batch", "train one batch, or ten"),
    binding(&[Key::char('S')], Action::Step(10), Group::Training,
        "ten", "train one batch, or ten"),
    binding(&[Key::char('b')], Action::Back(1), Group::Training,
        "back", "rewind one batch"),
    binding(&[Key::char('e')], Action::FinishEpoch, Group::Training,
        "to epoch's end", "to the epoch's end or start"),
    binding(&[Key::char('E')], Action::BackEpoch, Group::Training,
        "epoch back", "to the epoch's end or start"),
    binding(&[Key::char('g')], Action::AskStep, Group::Training,
        "go to step", "go to any step"),
    binding(&[Key::char('R')], Action::Recover, Group::Training,
        "rewind, lower rate", "undo a divergence"),
    binding(&[Key::char('+'), Key::char('=')], Action::RaiseRate, Group::Training,
        "rate up", "learning rate: ×, ÷, enter"),
    binding(&[Key::char('-')], Action::LowerRate, Group::Training,
        "rate down", "learning rate: ×, ÷, enter"),
    binding(&[Key::char('L')], Action::AskRate, Group::Training,
        "learning rate", "learning rate: ×, ÷, enter"),
    binding(&[Key::char('f'), Key::char('>')], Action::Quicken, Group::Training,
        "faster", "pace: faster, slower"),
    binding(&[Key::char('F'), Key::char('<')], Action::Slow, Group::Training,
        "slower", "pace: faster, slower"),
    binding(&[Key::char('B')], Action::EditBreakpoints, Group::Training,
        "breakpoints", "breakpoints"),
    binding(&[Key::char('v')], Action::Evaluate, Group::Training,
        "evaluate", "evaluate now"),
    binding(&[Key::char('w')], Action::Keep, Group::Training,
        "save", "save a checkpoint"),
    binding(&[Key::code(KeyCode::Tab)], Action::NextView, Group::View,
        "next view", "next, previous view"),
    binding(&[Key::code(KeyCode::BackTab)], Action::PreviousView, Group::View,
        "back", "next, previous view"),
    binding(&[Key::char('1')], Action::Show(View::Overview), Group::View,
        "overview", "views"),
    binding(&[Key::char('2')], Action::Show(View::Loss), Group::View,
        "loss", "views"),
    binding(&[Key::char('3')], Action::Show(View::Step), Group::View,
        "step", "views"),
    binding(&[Key::char('4')], Action::Show(View::Confusion), Group::View,
        "confusion", "views"),
    binding(&[Key::char('5')], Action::Show(View::Network), Group::View,
        "network", "views"),
    binding(&[Key::char('6')], Action::Show(View::Mistakes), Group::View,
        "mistakes", "views"),
    binding(&[Key::char('7')], Action::Show(View::Draw), Group::View,
        "draw", "views"),
    binding(&[Key::char('8')], Action::Show(View::Why), Group::View,
        "why", "views"),
    binding(&[Key::char('9')], Action::Show(View::Machine), Group::View,
        "machine", "views"),
    binding(&[Key::char('y')], Action::ToggleLogScale, Group::View,
        "log axis", "log or linear axis"),
    binding(&[Key::char('r')], Action::ToggleRange, Group::View,
        "steps shown", "so far, all, recent"),
    binding(&[Key::char(',')], Action::OlderMatrix, Group::View,
        "older", "other epochs"),
    binding(&[Key::char('.')], Action::NewerMatrix, Group::View,
        "newer", "other epochs"),
    binding(&[Key::char('x')], Action::Export, Group::View,
        "save", "save view to a file"),
    binding(&[Key::char('i')], Action::LookInside, Group::View,
        "look inside", "inside the network"),
    binding(&[Key::code(KeyCode::Left), Key::char('h')], Action::Move(Direction::Left), Group::Choice, "left", "move"),
    binding(&[Key::code(KeyCode::Down), Key::char('j')], Action::Move(Direction::Down), Group::Choice, "down", "move"),
    binding(&[Key::code(KeyCode::Up), Key::char('k')], Action::Move(Direction::Up), Group::Choice, "up", "move"),
    binding(&[Key::code(KeyCode::Right), Key::char('l')], Action::Move(Direction::Right), Group::Choice, "right", "move"),
    binding(&[Key::code(KeyCode::PageUp)], Action::Move(Direction::PageUp), Group::Choice, "page up", "page up, down"),
    binding(&[Key::code(KeyCode::PageDown)], Action::Move(Direction::PageDown), Group::Choice, "page down", "page up, down"),
    binding(&[Key::code(KeyCode::Home)], Action::Move(Direction::Home), Group::Choice, "first", "first, last"),
    binding(&[Key::code(KeyCode::End)], Action::Move(Direction::End), Group::Choice, "last", "first, last"),
    in_view(View::Overview, &[Key::char('o')], Action::ShowOriginals,
        "originals", "unaugmented images"),
    in_view(View::Step, &[Key::char('J')], Action::NextParameter,
        "next parameter", "scroll parameters"),
    in_view(View::Step, &[Key::char('K')], Action::PreviousParameter,
        "parameter before", "scroll parameters"),
    in_view(View::Step, &[Key::char('z')], Action::Enlarge,
        "enlarge", "enlarge images"),
    in_view(View::Mistakes, &[Key::char('z')], Action::Enlarge,
        "enlarge", "enlarge images"),
    in_view(View::Mistakes, &[Key::char('n')], Action::NextList,
        "next list", "next list"),
    in_place(Focus::Crosshair, &[Key::char('+'), Key::char('=')], Action::Zoom { closer: true },
        "zoom", "zoom in, out"),
    in_place(Focus::Crosshair, &[Key::char('-')], Action::Zoom { closer: false },
        "zoom out", "zoom in, out"),
    in_view(View::Network, &[Key::char('m')], Action::Hardest,
        "worst mistake", "the worst mistake"),
    in_view(View::Network, &[Key::char('t')], Action::SwitchSet,
        "other set", "test or training"),
    in_view(View::Draw, &[Key::char(' ')], Action::Pen,
        "pen", "pen down or up"),
    in_view(View::Draw, &[Key::char('c')], Action::Clear,
        "clear", "clear the pad"),
    in_view(View::Draw, &[Key::char('z'), Key::code(KeyCode::Backspace)], Action::Undo,
        "undo", "undo a stroke"),
    in_view(View::Draw, &[Key::char('m')], Action::Centre,
        "centre", "centre as in MNIST"),
    in_view(View::Confusion, &[Key::char('a')], Action::Explain,
        "calibration", "calibration, matrix"),
    in_view(View::Network, &[Key::char('a')], Action::Explain,
        "pixels that matter", "pixels that matter"),
    in_view(View::Network, &[Key::char('C')], Action::ExplainNextClass,
        "for class", "pixels that matter"),
    in_view(View::Mistakes, &[Key::char('a')], Action::Explain,
        "pixels that matter", "pixels that matter"),
    in_view(View::Mistakes, &[Key::char('C')], Action::ExplainNextClass,
        "for class", "pixels that matter"),
    in_view(View::Draw, &[Key::char('a')], Action::Explain,
        "pixels that matter", "pixels that matter"),
    in_view(View::Draw, &[Key::char('C')], Action::ExplainNextClass,
        "for class", "pixels that matter"),
    in_view(View::Why, &[Key::char('a')], Action::Explain,
        "next tab", "next explanation"),
    in_view(View::Why, &[Key::char('t')], Action::SwitchPlane,
        "trajectory", "other directions"),
    in_dialog(Focus::Breakpoints, &[Key::char(' '), Key::code(KeyCode::Enter)], Action::ToggleBreakpoint,
        "on, off", "breakpoint on or off"),
    in_dialog(Focus::Breakpoints, &[Key::char('a')], Action::AddBreakpoint,
        "add", "add a breakpoint"),
    in_dialog(Focus::Breakpoints, &[Key::char('x'), Key::code(KeyCode::Delete)], Action::RemoveBreakpoint,
        "remove", "remove the breakpoint"),
    in_dialog(Focus::Breakpoints, &[Key::code(KeyCode::Esc), Key::char('B')], Action::Dismiss,
        "close", "close"),
    in_dialog(Focus::Confirmation, &[Key::char('y'), Key::code(KeyCode::Enter)], Action::Confirm,
        "yes", "answer yes"),
    in_dialog(Focus::Confirmation, &[Key::char('n'), Key::code(KeyCode::Esc)], Action::Dismiss,
        "no", "answer no"),
    in_place(Focus::Standings, &[Key::char('s')], Action::SortByNext,
        "sort", "sort by next column"),
    in_place(Focus::Standings, &[Key::char('S'), Key::char('r')], Action::ReverseOrder,
        "reverse", "reverse the order"),
    binding(&[Key::control('z')], Action::Suspend, Group::Program,
        "suspend", "suspend, redraw"),
    binding(&[Key::control('l')], Action::Redraw, Group::Program,
        "redraw", "suspend, redraw"),
    binding(&[Key::char('?'), Key::code(KeyCode::F(1))], Action::ToggleHelp, Group::Program,
        "help", "this help"),
    binding(&[Key::char('q'), Key::control('c')], Action::Quit, Group::Program,
        "quit", "quit; may ask first"),
    binding(&[Key::code(KeyCode::Enter)], Action::Confirm, Group::Program,
        "open", "open, close"),
    binding(&[Key::code(KeyCode::Esc)], Action::Dismiss, Group::Program,
        "close", "open, close"),
];

/// What a key press asks for; `None` where the key means nothing.
pub fn action(event: KeyEvent, focus: Focus) -> Option<Action> {
    let key = pressed(event)?;
    if focus == Focus::Question {
        return typed(key);
    }
    let general = || bound(key, None).filter(|binding| reaches(binding, focus));
    bound(key, Some(focus)).or_else(general).map(|binding| binding.action)
}

/// Whether a binding of all places means something in this one: an open dialog takes no keys but its
/// own, those that move, and those that leave or redraw.
fn reaches(binding: &Binding, focus: Focus) -> bool {
    let everywhere = [Action::Quit, Action::Suspend, Action::Redraw];
    !focus.is_dialog()
        || everywhere.contains(&binding.action)
        || matches!(binding.action, Action::Move(_))
}

/// How a key that means nothing is explained, if it is one of a character.
pub fn unbound_key(event: KeyEvent, focus: Focus) -> Option<Unbound> {
    let key = pressed(event).filter(|key| !key.control)?;
    let KeyCode::Char(c) = key.code else { return None };
    if focus == Focus::Question || focus.is_dialog() || action(event, focus).is_some() {
        return None;
    }
    if !c.is_ascii() {
        return Some(Unbound::Foreign);
    }
    let lower = KeyEvent::new(KeyCode::Char(c.to_ascii_lowercase()), KeyModifiers::NONE);
    let is_upper = c.is_ascii_uppercase() && action(lower, focus).is_some();
    Some(if is_upper { Unbound::CapsLock(c) } else { Unbound::Ascii(c) })
}

/// The key that was pressed, whatever the layout; none where it was let go or pressed with alt.
fn pressed(event: KeyEvent) -> Option<Key> {
    // Shift shows in the character itself; other modifiers make another key.
    let has_alt = event.modifiers.contains(KeyModifiers::ALT);
    let code = match event.code {
        KeyCode::Char(c) => KeyCode::Char(layout::latin(c).unwrap_or(c)),
        code => code,
    };
    let control = event.modifiers.contains(KeyModifiers::CONTROL);
    (event.kind != KeyEventKind::Release && !has_alt).then_some(Key { code, control })
}

/// What a key is bound to, in one place or in all.
fn bound(key: Key, focus: Option<Focus>) -> Option<&'static Binding> {
    BINDINGS.iter().find(|binding| binding.focus == focus && binding.keys.contains(&key))
}

/// The keys of a binding that mean it in this place: none of those that it has for another purpose,
/// nor any if the binding is of another place.
pub fn keys_in(binding: &Binding, focus: Focus) -> Vec<Key> {
    let keys = binding.keys.iter().copied();
    match binding.focus {
        Some(own) if own == focus => keys.collect(),
        Some(_) => Vec::new(),
        None if !reaches(binding, focus) => Vec::new(),
        None => keys.filter(|&key| bound(key, Some(focus)).is_none()).collect(),
    }
}

/// What a key means to a question that is answered by typing.
fn typed(key: Key) -> Option<Action> {
    match key.code {
        KeyCode::Char(_) if key.control => bound(key, None).map(|binding| binding.action),
        KeyCode::Char(c) => Some(Action::Type(c)),
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
    let mut of_action = BINDINGS.iter().filter(|binding| binding.action == action);
    // A dialog's own key means something else outside of it.
    let binding = of_action.clone().find(|one| one.focus.is_none()).or_else(|| of_action.next())?;
    Some((binding.keys.first()?.name(), binding.short))
}

/// The first key that means an action in this place, and the action's short name.
pub fn hint_in(focus: Focus, action: Action) -> Option<(String, &'static str)> {
    if let Action::Move(_) = action {
        return Some(("arrows".to_owned(), "move"));
    }
    let key = |binding: &&Binding| keys_in(binding, focus).first().copied();
    let mut of_action = BINDINGS.iter().filter(|binding| binding.action == action);
    let (binding, key) = of_action.find_map(|binding| Some((binding, key(&binding)?)))?;
    Some((key.name(), binding.short))
}

#[cfg(test)]
mod tests;
