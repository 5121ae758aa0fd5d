//! What the views show of them.

use ratatui::layout::Position;

use super::*;
use crate::app::Direction;

pub(super) fn moved(mut app: App, directions: &[Direction]) -> App {
    for &direction in directions {
        act(&mut app, Action::Move(direction));
    }
    app
}

/// Snapshots of a view at some sizes, each with a name of its own.
fn assert_screens(name: &str, app: &App, sizes: &[(u16, u16)]) {
    for &(width, height) in sizes {
        insta::assert_snapshot!(format!("{name} {width}x{height}"), text(app, width, height));
    }
}

const SMALL: (u16, u16) = (80, 24);
const MIDDLE: (u16, u16) = (120, 40);
const LARGE: (u16, u16) = (200, 60);

#[test]
fn classes_are_named_in_every_view() {
    let kind = fashion();
    assert_screens("fashion overview", &kind.showing(View::Overview), &[SMALL]);
    assert_screens("fashion mistakes", &kind.showing(View::Mistakes), &[SMALL, MIDDLE]);
    assert_screens("fashion confusion", &kind.showing(View::Confusion), &[SMALL, MIDDLE]);
    assert_screens("fashion draw", &kind.showing(View::Draw), &[SMALL]);
}

#[test]
fn a_network_of_nine_stages_is_paged_through() {
    let app = fashion().showing(View::Network);
    assert_screens("fashion network", &app, &[SMALL]);
    let app = moved(app, &[Direction::Down; 3]);
    assert_screens("fashion network further", &app, &[SMALL, MIDDLE, LARGE]);
    let app = moved(app, &[Direction::Down; 20]);
    assert!(text(&app, 80, 24).contains("11/11"), "the last page is the last");
    let app = moved(app, &[Direction::Up]);
    assert!(text(&app, 80, 24).contains("flatten1 · 1,600 values "), "{}", text(&app, 80, 24));
}

#[test]
fn a_long_table_of_parameters_scrolls_and_says_where_it_is() {
    let mut app = fashion().showing(View::Step);
    for _ in 0..8 {
        act(&mut app, Action::NextParameter);
    }
    assert_screens("fashion step", &app, &[SMALL]);
    let mut app = hundred().showing(View::Step);
    assert!(text(&app, 80, 24).contains("1–6 of 92 J K"), "{}", text(&app, 80, 24));
    for _ in 0..200 {
        act(&mut app, Action::NextParameter);
    }
    assert_screens("hundred step", &app, &[MIDDLE]);
    act(&mut app, Action::PreviousParameter);
    assert_eq!(app.inspector.parameter, 90);
}

#[test]
fn letters_are_condensed_in_the_overview_and_scroll_in_their_own_view() {
    let kind = letters();
    assert_screens("letters overview", &kind.showing(View::Overview), &[SMALL]);
    let app = kind.showing(View::Confusion);
    assert_screens("letters confusion", &app, &[MIDDLE]);
    let app = moved(app, &[Direction::PageDown, Direction::End]);
    assert_screens("letters confusion scrolled", &app, &[SMALL]);
}

#[test]
fn the_likeliest_letters_come_first_where_not_all_fit() {
    let kind = letters();
    assert_screens("letters network", &kind.showing(View::Network), &[SMALL, MIDDLE]);
    assert_screens("letters draw", &kind.showing(View::Draw), &[SMALL]);
    let shown = text(&kind.showing(View::Network), 80, 24);
    let place = |text: &str| shown.find(text).unwrap_or_else(|| panic!("no {text} in {shown}"));
    assert!(place("✗ G ") < place("  Q "), "{shown}");
    assert!(place("→ Z ") < place("less likely"), "the true class is among them: {shown}");
}

#[test]
fn no_view_draws_over_the_keys() {
    for kind in [fashion(), letters(), hundred()] {
        for view in View::ALL {
            let app = kind.showing(view);
            for height in 12..60 {
                let shown = text(&app, 80, height);
                let last = shown.lines().last().unwrap_or_default();
                assert!(last.trim_end_matches([' ', '"']).ends_with("q quit"), "{view:?}: {shown}");
            }
        }
    }
}

#[test]
fn a_hundred_classes_of_large_images() {
    let kind = hundred();
    assert_screens("hundred overview", &kind.showing(View::Overview), &[SMALL]);
    let cell = [Direction::PageDown, Direction::Up, Direction::End, Direction::Left];
    let app = moved(kind.showing(View::Confusion), &cell);
    assert_screens("hundred confusion", &app, &[SMALL, LARGE]);
    assert_screens("hundred network", &kind.showing(View::Network), &[SMALL]);
    assert_screens("hundred mistakes", &kind.showing(View::Mistakes), &[SMALL]);
    assert_screens("hundred draw", &kind.showing(View::Draw), &[SMALL, MIDDLE]);
}

#[test]
fn a_drawing_on_a_large_pad_is_where_the_mouse_was() {
    for size in [SMALL, MIDDLE, LARGE] {
        let area = Rect::new(0, 0, size.0, size.1);
        let mut app = hundred().showing(View::Draw);
        let on_pad = |app: &App| -> Vec<(Position, (u8, u8))> {
            let pixel = |at: Position| Some((at, pad_position(app, area, at.x, at.y)?));
            area.positions().filter_map(pixel).collect()
        };
        for (at, (x, y)) in on_pad(&app).into_iter().step_by(41) {
            act(&mut app, Action::Clear);
            act(&mut app, Action::Stroke { x, y, drag: false });
            act(&mut app, Action::EndStroke);
            // Out of the way.
            app.pad.cursor = (x / 2, (y + 32) % 64);
            let terminal = screen(&app, size.0, size.1, Depth::True);
            let cell = &terminal.backend().buffer()[at];
            let dark = Theme::new(Depth::True).ink(0).expect("24 bits have shades");
            assert!(
                cell.bg != dark || cell.symbol() != " ",
                "{size:?}: no ink of {x}, {y} at {at}"
            );
        }
    }
}

#[test]
fn names_that_command_a_terminal_are_spelled_out() {
    let mut kind = fashion();
    kind.set.classes[0] = "\u{1b}[2J".into();
    kind.network.stages[0].name = "\n".into();
    let app = kind.app();
    assert_eq!(app.run.set().classes[0], "\\u{1b}[2J");
    assert_eq!(app.run.network().stages[0].name, "\\n");
}
