//! The draw view: pad, answer and feature maps.

use std::sync::Arc;

use ratatui::{layout::Position, style::Modifier};

use super::*;
use crate::{
    app::Direction,
    protocol::{FeatureMaps, Insides, Subject},
    ui::draw::Draw,
};

/// A run that shows the pad.
fn blank() -> App {
    let mut app = trained(2_900);
    act(&mut app, Action::Show(View::Draw));
    app
}

fn stroke(app: &mut App, places: &[(u8, u8)]) {
    for (number, &(x, y)) in places.iter().enumerate() {
        act(app, Action::Stroke { x, y, drag: number > 0 });
    }
    act(app, Action::EndStroke);
}

/// The values of `[channels, side, side]` that a function gives.
fn maps(channels: u16, side: u16, value: impl Fn(u16, u16, u16) -> f32) -> FeatureMaps {
    let values = (0..channels)
        .flat_map(|map| (0..side).flat_map(move |y| (0..side).map(move |x| (map, x, y))))
        .map(|(map, x, y)| value(map, x, y))
        .collect();
    let [channels, side] = [channels, side].map(usize::from);
    FeatureMaps { channels, height: side, width: side, values }
}

/// Answers that the drawing is a seven. Maps show the slopes of the drawing in several directions,
/// so that each differs from the next and all from their mirror images.
fn answer(app: &mut App) {
    let pixels = app.pad.pixels.clone();
    let ink = |x: u16, y: u16| f32::from(pixels[usize::from(y.min(27) * 28 + x.min(27))]) / 255.0;
    let slope = |map: u16, x: u16, y: u16| {
        let (dx, dy) = [(1, 0), (0, 1), (1, 1), (2, 0), (0, 2), (2, 1)][usize::from(map % 6)];
        let slope = ink(x + 2 + dx, y + 2 + dy) - ink(x + 2, y + 2);
        if map < 8 { slope.max(0.0) } else { (-slope).max(0.0) }
    };
    let stages = vec![
        maps(6, 24, slope),
        maps(6, 12, |map, x, y| slope(map, 2 * x, 2 * y).max(slope(map, 2 * x + 1, 2 * y))),
        maps(16, 8, |map, x, y| slope(map, 3 * x, 3 * y)),
        maps(16, 4, |map, x, y| slope(map, 6 * x, 6 * y)),
    ];
    let mut probabilities = vec![0.001; 10];
    probabilities[7] = 0.92;
    probabilities[2] = 0.06;
    probabilities[9] = 0.012;
    let subject = Subject::Drawn(pixels.clone());
    let insides = Insides {
        subject,
        image: None,
        step: 2_900,
        label: None,
        pixels: pixels.clone(),
        filters: Vec::new(),
        stages,
        logits: vec![0.0; 10],
        probabilities,
    };
    feed(app, Event::Insides(Arc::new(insides)));
}

/// A seven that the network has answered to.
fn seven() -> App {
    let mut app = blank();
    stroke(&mut app, &[(7, 6), (20, 6), (13, 22)]);
    stroke(&mut app, &[(11, 14), (19, 14)]);
    answer(&mut app);
    app
}

#[test]
fn an_empty_pad_says_how_to_draw() {
    insta::assert_snapshot!(text(&blank(), 80, 24));
}

#[test]
fn a_drawing_and_its_answer_at_80_by_24() {
    insta::assert_snapshot!(text(&seven(), 80, 24));
}

#[test]
fn a_drawing_and_its_feature_maps_at_120_by_40() {
    insta::assert_snapshot!(text(&seven(), 120, 40));
}

#[test]
fn a_drawing_and_its_feature_maps_at_200_by_60() {
    insta::assert_snapshot!(text(&seven(), 200, 60));
}

#[test]
fn an_empty_pad_at_200_by_60() {
    insta::assert_snapshot!(text(&blank(), 200, 60));
}

#[test]
fn a_large_pad_in_a_terminal_that_is_high_but_not_wide() {
    insta::assert_snapshot!(text(&seven(), 100, 40));
}

#[test]
fn a_drawing_without_colours() {
    let mut app = seven();
    act(&mut app, Action::Pen);
    for (name, width, height) in [("small, no colours", 80, 24), ("large, no colours", 200, 60)] {
        let screen = screen(&app, width, height, Depth::None);
        insta::assert_snapshot!(name, screen.backend().to_string());
    }
}

#[test]
fn a_drawing_in_a_narrow_terminal() {
    insta::assert_snapshot!(text(&seven(), 40, 20));
}

#[test]
fn a_terminal_without_room_for_the_pad_says_so() {
    insta::assert_snapshot!(text(&seven(), 40, 12));
}

#[test]
fn a_drawing_before_the_network_is_there_waits() {
    let mut app = App::default();
    act(&mut app, Action::Show(View::Draw));
    stroke(&mut app, &[(7, 6), (20, 6)]);
    assert!(text(&app, 80, 24).contains("Waiting for the network"));
}

/// Cells that look different after an action.
fn changed(
    app: &mut App,
    action: Action,
    (width, height): (u16, u16),
    depth: Depth,
) -> Vec<(u16, u16)> {
    let before = screen(app, width, height, depth).backend().buffer().clone();
    act(app, action);
    let after = screen(app, width, height, depth).backend().buffer().clone();
    before.diff(&after).into_iter().map(|(x, y, _)| (x, y)).collect()
}

#[test]
fn what_the_mouse_points_at_is_where_ink_appears() {
    for size in [(80, 24), (40, 20), (100, 40), (120, 40), (200, 60)] {
        let area = Rect::new(0, 0, size.0, size.1);
        let app = blank();
        let pixel = |at: Position| Some((at, pad_position(&app, area, at.x, at.y)?));
        let pixels: Vec<_> = area.positions().filter_map(pixel).collect();
        assert!(pixels.len() >= 28 * 14, "{size:?}");
        for (at, (x, y)) in pixels.into_iter().step_by(37) {
            let mut app = blank();
            // Something is drawn already, and the cursor is out of the way.
            stroke(&mut app, &[((x + 14) % 28, (y + 14) % 28), (x / 2, (y + 14) % 28)]);
            let ink = Action::Stroke { x, y, drag: false };
            let cells = changed(&mut app, ink, size, Depth::True);
            assert!(cells.contains(&(at.x, at.y)), "{size:?}: {at} is not pixel {x}, {y}");
        }
    }
}

#[test]
fn the_cursor_shows_in_every_pixel_with_and_without_colours() {
    for depth in [Depth::None, Depth::Basic, Depth::Indexed, Depth::True] {
        for size in [(80, 24), (100, 40)] {
            for pen in [false, true] {
                let mut app = seven();
                act(&mut app, Action::Move(Direction::Home));
                act(&mut app, Action::Move(Direction::PageUp));
                for _ in 0..27 {
                    if pen {
                        act(&mut app, Action::Pen);
                    }
                    for direction in [Direction::Down, Direction::Right] {
                        let cells = changed(&mut app, Action::Move(direction), size, depth);
                        assert!(!cells.is_empty(), "{size:?} {depth:?} {:?}", app.pad.cursor);
                    }
                    if pen {
                        act(&mut app, Action::Pen);
                    }
                }
            }
        }
    }
}

#[test]
fn ink_is_bright_on_a_ground_that_stands_out_from_the_screen() {
    let theme = Theme::new(Depth::True);
    let app = seven();
    let terminal = screen(&app, 100, 40, Depth::True);
    let buf = terminal.backend().buffer();
    let area = Rect::new(0, 0, 100, 40);
    for at in area.positions() {
        let Some((x, y)) = pad_position(&app, area, at.x, at.y) else { continue };
        let pixel = app.pad.pixels[usize::from(y) * 28 + usize::from(x)];
        assert_eq!(Some(buf[at].bg), theme.ink(pixel), "{at}");
        assert_ne!(buf[at].bg, Color::Reset, "{at}");
    }
}

#[test]
fn the_likeliest_digit_is_marked_and_bold() {
    for depth in [Depth::True, Depth::None] {
        let terminal = screen(&seven(), 80, 24, depth);
        let buf = terminal.backend().buffer();
        let marks: Vec<_> = buf.area.positions().filter(|&at| buf[at].symbol() == "▸").collect();
        let [mark] = marks[..] else { panic!("{marks:?}") };
        let digit = &buf[(mark.x + 1, mark.y)];
        assert_eq!(digit.symbol(), "7");
        assert!(digit.modifier.contains(Modifier::BOLD));
    }
}

#[test]
fn feature_maps_are_brightest_where_their_values_are_largest() {
    let theme = Theme::new(Depth::True);
    let brightest = theme.heat(1.0).and_then(|style| style.bg);
    let terminal = screen(&seven(), 120, 40, Depth::True);
    let cells = terminal.backend().buffer().content().iter();
    let bright = cells.filter(|cell| Some(cell.bg) == brightest || Some(cell.fg) == brightest);
    assert!(bright.count() > 4);
}

#[test]
fn maps_of_nothing_and_answers_that_are_no_numbers_are_survived() {
    let mut app = seven();
    let mut answer = app.pad.insides.clone().expect("it was answered");
    let insides = Arc::make_mut(&mut answer);
    insides.stages = vec![
        FeatureMaps::default(),
        FeatureMaps { channels: 6, height: 12, width: 12, values: Vec::new() },
        maps(16, 8, |_, _, _| f32::NAN),
        maps(16, 4, |_, _, _| f32::INFINITY),
    ];
    insides.probabilities = vec![f32::NAN; 10];
    feed(&mut app, Event::Insides(answer));
    for depth in [Depth::True, Depth::None] {
        let _ = screen(&app, 120, 40, depth);
    }
}

#[test]
fn the_view_is_drawn_at_any_size() {
    let theme = Theme::new(Depth::True);
    for app in [blank(), seven()] {
        for width in (0..220).step_by(3) {
            for height in 0..62 {
                let area = Rect::new(2, 1, width, height);
                let mut buf = Buffer::empty(area);
                Draw::new(&app, &theme).render(area, &mut buf);
            }
        }
    }
}
