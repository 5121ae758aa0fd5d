//! Breakpoints: setting them, and what is said of a hit.

use super::*;

#[test]
fn breakpoints_are_added_and_removed_and_the_worker_told_each_time() {
    let mut app = App::new(vec![Breakpoint::NotFinite]);
    feed(&mut app, [Event::Started(info()), Event::State(RunState::Training)]);
    let _ = act(&mut app, Action::EditBreakpoints);
    let _ = act(&mut app, Action::AddBreakpoint);
    let both = vec![Breakpoint::NotFinite, Breakpoint::LossAbove(2.5)];
    assert_eq!(answer(&mut app, "loss > 2.5"), [Command::SetBreakpoints(both.clone())]);
    assert_eq!(app.breakpoints.rows()[app.breakpoints.selected].breakpoint, both[1]);
    let _ = act(&mut app, Action::Move(Direction::Home));
    let left = vec![Breakpoint::LossAbove(2.5)];
    assert_eq!(act(&mut app, Action::RemoveBreakpoint), [Command::SetBreakpoints(left)]);
    assert!(act(&mut app, Action::RemoveBreakpoint).is_empty(), "it is but an example now");
    assert_eq!(app.breakpoints.rows().len(), 6, "all kinds are listed");
}

#[test]
fn a_breakpoint_is_turned_off_and_on_and_asks_for_the_value_that_it_needs() {
    let mut app = App::new(vec![Breakpoint::NotFinite]);
    feed(&mut app, [Event::Started(info()), Event::State(RunState::Training)]);
    let _ = act(&mut app, Action::EditBreakpoints);
    for on in [vec![], vec![Breakpoint::NotFinite]] {
        assert_eq!(act(&mut app, Action::ToggleBreakpoint), [Command::SetBreakpoints(on)]);
    }
    let _ = act(&mut app, Action::Move(Direction::Down));
    let both = vec![Breakpoint::NotFinite, Breakpoint::Spike(SPIKE)];
    assert_eq!(act(&mut app, Action::ToggleBreakpoint), [Command::SetBreakpoints(both)]);
    let _ = act(&mut app, Action::Move(Direction::Down));
    assert!(act(&mut app, Action::ToggleBreakpoint).is_empty());
    assert_eq!(app.prompt.as_ref().map(|prompt| prompt.text.as_str()), Some("loss>"));
    let [Command::SetBreakpoints(three)] = &answer(&mut app, "0.5")[..] else { panic!("set") };
    assert_eq!(three.last(), Some(&Breakpoint::LossAbove(0.5)));
}

#[test]
fn all_breakpoints_of_a_step_are_named_and_each_hit_is_counted() {
    let mut app = App::new(vec![Breakpoint::Epoch, Breakpoint::Step(12)]);
    feed(&mut app, [Event::Started(info()), Event::State(RunState::Training)]);
    let hit = |breakpoint, step| {
        Event::Break(Break { breakpoint, step, reason: format!("{breakpoint} at {step}") })
    };
    feed(&mut app, [hit(Breakpoint::Step(12), 12), hit(Breakpoint::Epoch, 12)]);
    let reasons = |app: &App| -> Vec<String> {
        app.breakpoints.news().iter().map(|hit| hit.reason.clone()).collect()
    };
    assert_eq!(reasons(&app), ["step=12 at 12", "epoch at 12"]);
    feed(&mut app, [hit(Breakpoint::Epoch, 24)]);
    assert_eq!(reasons(&app), ["epoch at 24"]);
    let hits = |breakpoint| {
        app.breakpoints.rows().iter().find(|row| row.breakpoint == breakpoint).map(|row| row.hits)
    };
    assert_eq!([hits(Breakpoint::Epoch), hits(Breakpoint::Step(12))], [Some(2), Some(1)]);
}

#[test]
fn what_is_no_breakpoint_or_set_already_is_refused_with_the_reason() {
    let mut app = App::new(vec![Breakpoint::Spike(SPIKE)]);
    let _ = act(&mut app, Action::AddBreakpoint);
    assert!(answer(&mut app, "spike").is_empty());
    assert_eq!(error(&app), Some("spike is already on"));
    assert!(answer(&mut app, "y").is_empty());
    assert!(error(&app).is_some_and(|error| error.starts_with("expected epoch")));
    assert_eq!(app.breakpoints.on().len(), 1);
}

#[test]
fn a_hit_is_news_until_it_is_put_aside_and_is_over_when_the_run_goes_on() {
    let mut app = halfway();
    feed(&mut app, [hit(Breakpoint::NotFinite), paused()]);
    assert!(!app.breakpoints.news().is_empty());
    assert_eq!(app.curves.marks.breaks(), [18]);
    let _ = act(&mut app, Action::Dismiss);
    assert!(app.breakpoints.news().is_empty() && !app.breakpoints.hit.is_empty());
    feed(&mut app, [hit(Breakpoint::Epoch)]);
    assert!(!app.breakpoints.news().is_empty(), "another hit is news again");
    assert_eq!(app.curves.marks.breaks(), [18], "an epoch's end is marked anyway");
    feed(&mut app, [Event::State(RunState::Training)]);
    assert_eq!(app.breakpoints.hit, []);
    feed(&mut app, [hit(Breakpoint::Epoch), rewound(3)]);
    assert_eq!(app.breakpoints.hit, []);
}
