use std::collections::BTreeSet;

use super::*;
use crate::{
    app::Direction,
    protocol::{Event, RunState},
    ui::{
        Depth,
        tests::{act, feed, finished, projected, text, trained},
    },
};

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (200, 60)];

fn clicked(app: &App, (width, height): (u16, u16), at: (u16, u16)) -> Option<Action> {
    action_at(app, &Theme::new(Depth::True), Rect::new(0, 0, width, height), at.into())
}

/// Every action that some place of the screen has.
fn all(app: &App, (width, height): (u16, u16)) -> BTreeSet<String> {
    let places = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    let actions = places.filter_map(|at| clicked(app, (width, height), at));
    actions.map(|action| format!("{action:?}")).collect()
}

/// Where a text stands on the screen.
fn place_of(app: &App, (width, height): (u16, u16), wanted: &str) -> (u16, u16) {
    let shown = text(app, width, height);
    let mut rows = (0..).zip(shown.lines());
    let found = rows.find_map(|(y, row)| {
        let (before, _) = row.trim_start_matches('"').split_once(wanted)?;
        Some((before.chars().count() as u16, y))
    });
    found.unwrap_or_else(|| panic!("no {wanted} in {shown}"))
}

#[test]
fn tabs_show_their_views_at_every_size() {
    let app = trained(2_900);
    for size in SIZES {
        for (key, view) in (1..).zip(app.views()) {
            let at = place_of(&app, size, &format!("{key} "));
            assert_eq!(clicked(&app, size, at), Some(Action::Show(view)), "{size:?}");
        }
        assert_eq!(clicked(&app, size, (size.0 - 1, 0)), None, "the state is no tab");
    }
    assert_eq!(all(&app, (30, 5)), BTreeSet::new());
}

#[test]
fn a_click_on_a_cell_chooses_it_and_another_opens_its_images() {
    let mut app = trained(7_300);
    for size in SIZES {
        let at = place_of(&app, size, "Confusion");
        let actions = all(&app, size);
        assert!(actions.contains("Choose(Cell(9, 0))"), "{size:?}: {actions:?}");
        assert_eq!(clicked(&app, size, at), None, "a title is no cell");
    }
    act(&mut app, Action::Show(View::Confusion));
    for size in SIZES {
        let cells = all(&app, size).into_iter().filter(|action| action.starts_with("Choose"));
        assert_eq!(cells.count(), 100, "{size:?}");
    }
    act(&mut app, Action::Show(View::Overview));
    act(&mut app, Action::Choose(Target::Cell(4, 9)));
    assert_eq!((app.view, app.mistakes.cursor), (View::Confusion, (4, 9)));
    act(&mut app, Action::Choose(Target::Cell(4, 8)));
    assert_eq!((app.view, app.mistakes.cursor), (View::Confusion, (4, 8)));
    act(&mut app, Action::Choose(Target::Cell(4, 8)));
    assert_eq!((app.view, app.mistakes.cell), (View::Mistakes, Some((4, 8))));
}

#[test]
fn the_cell_that_is_clicked_is_the_one_that_the_cursor_marks() {
    let mut app = trained(7_300);
    act(&mut app, Action::Show(View::Confusion));
    act(&mut app, Action::Move(Direction::Down));
    for size in SIZES {
        let terminal = crate::ui::tests::screen(&app, size.0, size.1, Depth::True);
        let buf = terminal.backend().buffer();
        let reversed =
            |at: &(u16, u16)| buf[*at].modifier.contains(ratatui::style::Modifier::REVERSED);
        let places = (5..size.1).flat_map(|y| (0..size.0).map(move |x| (x, y)));
        let marked: Vec<_> = places.filter(reversed).collect();
        assert!(!marked.is_empty());
        for at in marked {
            let expected = Some(Action::Choose(Target::Cell(1, 0)));
            assert_eq!(clicked(&app, size, at), expected, "{size:?} {at:?}");
        }
    }
}

#[test]
fn digits_of_the_overview_lead_to_the_step_and_nothing_lies_below_a_question() {
    let mut app = trained(2_900);
    let at = place_of(&app, (80, 24), "Digits of step");
    assert_eq!(clicked(&app, (80, 24), at), Some(Action::Show(View::Step)));
    act(&mut app, Action::Quit);
    assert_eq!(clicked(&app, (80, 24), at), None);
    let mut done = finished();
    feed(&mut done, Event::State(RunState::Done));
    act(&mut done, Action::AskStep);
    assert!(all(&done, (80, 24)).iter().all(|action| action.starts_with("Show")));
}

#[test]
fn a_click_on_a_chart_puts_the_crosshair_on_that_step() {
    let mut app = trained(2_900);
    act(&mut app, Action::Show(View::Loss));
    for size in SIZES {
        let steps = all(&app, size).into_iter().filter(|action| action.starts_with("Point("));
        assert!(steps.count() > 10, "{size:?}");
    }
}

#[test]
fn a_click_chooses_a_point_of_the_projection_and_another_one_opens_it() {
    let mut app = projected();
    for size in SIZES {
        let points = app.why.projection().expect("it is known").0.points.len();
        let shown = all(&app, size);
        let chosen = shown.iter().filter(|action| action.contains("Point(")).count();
        assert!((50..=points).contains(&chosen), "{size:?}: {shown:?}");
    }
    act(&mut app, Action::Choose(Target::Point(2)));
    assert_eq!((app.why.point, app.view), (2, View::Why));
    act(&mut app, Action::Choose(Target::Point(2)));
    assert_eq!(app.view, View::Network);
}
