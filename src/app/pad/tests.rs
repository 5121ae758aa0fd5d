use std::sync::Arc;

use super::*;
use crate::{
    app::{Action, App, Msg, View},
    protocol::{Command, Event, RunInfo, Subject},
};

const SIDE: usize = 28;

fn act(app: &mut App, action: Action) -> Vec<Command> {
    app.update(Msg::Action(action))
}

fn drawing() -> App {
    let mut app = App::default();
    assert!(act(&mut app, Action::Show(View::Draw)).is_empty(), "an empty pad asks for nothing");
    app
}

/// Presses at the first place, drags over the others, lets go.
fn stroke(app: &mut App, places: &[(u8, u8)]) {
    for (number, &(x, y)) in places.iter().enumerate() {
        let _ = act(app, Action::Stroke { x, y, drag: number > 0 });
    }
    let _ = act(app, Action::EndStroke);
}

fn ink(app: &App, x: usize, y: usize) -> u8 {
    app.pad.pixels[y * SIDE + x]
}

fn answer(pixels: &[u8]) -> Event {
    Event::Insides(Arc::new(Insides {
        subject: Subject::Drawn(pixels.to_vec()),
        image: None,
        step: 7,
        label: None,
        pixels: pixels.to_vec(),
        filters: Vec::new(),
        stages: Vec::new(),
        logits: vec![0.0; 10],
        probabilities: vec![0.1; 10],
    }))
}

#[test]
fn the_pen_leaves_a_dot_at_once_and_ink_where_it_moves() {
    let mut app = drawing();
    let _ = act(&mut app, Action::Pen);
    assert_eq!((app.pad.pen, ink(&app, 14, 14)), (true, 255));
    for direction in [Direction::Right, Direction::Right, Direction::Up] {
        let _ = act(&mut app, Action::Move(direction));
    }
    let _ = act(&mut app, Action::Pen);
    let _ = act(&mut app, Action::Move(Direction::PageUp));
    assert_eq!((app.pad.pen, app.pad.cursor), (false, (16, 0)));
    assert_eq!([ink(&app, 16, 14), ink(&app, 16, 13), ink(&app, 16, 5)], [255, 255, 0]);
}

#[test]
fn the_cursor_stays_on_the_pad() {
    let mut app = drawing();
    let far = [
        (Direction::Left, (0, 14)),
        (Direction::Up, (0, 0)),
        (Direction::Right, (27, 0)),
        (Direction::Down, (27, 27)),
    ];
    for (direction, place) in far {
        for _ in 0..40 {
            let _ = act(&mut app, Action::Move(direction));
        }
        assert_eq!(app.pad.cursor, place);
    }
    for (direction, place) in [
        (Direction::Home, (0, 27)),
        (Direction::PageUp, (0, 0)),
        (Direction::End, (27, 0)),
        (Direction::PageDown, (27, 27)),
    ] {
        let _ = act(&mut app, Action::Move(direction));
        assert_eq!(app.pad.cursor, place);
    }
    assert!(app.pad.is_empty(), "the pen was up all the time");
}

#[test]
fn a_drag_joins_its_places_and_a_press_does_not() {
    let mut app = drawing();
    stroke(&mut app, &[(4, 6), (12, 6)]);
    assert_eq!((ink(&app, 8, 6), app.pad.cursor), (255, (12, 6)));
    stroke(&mut app, &[(12, 20)]);
    assert_eq!([ink(&app, 12, 20), ink(&app, 12, 13)], [255, 0]);
    let _ = act(&mut app, Action::Stroke { x: 2, y: 26, drag: true });
    assert_eq!(ink(&app, 7, 23), 0, "a drag that comes from outside starts where it comes in");
}

#[test]
fn places_outside_are_brought_to_the_edge() {
    let mut app = drawing();
    stroke(&mut app, &[(200, 255)]);
    assert_eq!(ink(&app, 27, 27), 255);
}

#[test]
fn undo_takes_back_whole_strokes_clears_and_centrings() {
    let mut app = drawing();
    let mut states = vec![app.pad.pixels.clone()];
    let mut then = |app: &mut App, action: &dyn Fn(&mut App)| {
        action(app);
        assert_ne!(states.last(), Some(&app.pad.pixels));
        states.push(app.pad.pixels.clone());
    };
    then(&mut app, &|app| stroke(app, &[(3, 3), (9, 3), (9, 9), (4, 12)]));
    then(&mut app, &|app| {
        for action in [Action::Pen, Action::Move(Direction::Down), Action::Move(Direction::Down)] {
            let _ = act(app, action);
        }
    });
    then(&mut app, &|app| drop(act(app, Action::Centre)));
    then(&mut app, &|app| drop(act(app, Action::Clear)));
    then(&mut app, &|app| stroke(app, &[(20, 20)]));
    while let Some(state) = states.pop() {
        assert!(app.pad.pixels == state, "{} states are left", states.len());
        let _ = act(&mut app, Action::Undo);
    }
    assert!(app.pad.is_empty());
}

#[test]
fn undo_passes_over_what_changed_nothing() {
    let mut app = drawing();
    let _ = act(&mut app, Action::Clear);
    stroke(&mut app, &[(5, 5), (9, 9)]);
    stroke(&mut app, &[(5, 5), (9, 9)]);
    let _ = act(&mut app, Action::Undo);
    assert!(app.pad.is_empty());
}

#[test]
fn undo_clear_and_centre_lift_the_pen() {
    for action in [Action::Undo, Action::Clear, Action::Centre] {
        let mut app = drawing();
        let _ = act(&mut app, Action::Pen);
        let _ = act(&mut app, action);
        assert!(!app.pad.pen, "{action:?}");
    }
}

#[test]
fn only_so_many_strokes_can_be_taken_back() {
    let mut app = drawing();
    for number in 0..2 * UNDOS {
        stroke(&mut app, &[((number % SIDE) as u8, (number / SIDE * 3) as u8)]);
    }
    for _ in 0..2 * UNDOS {
        let _ = act(&mut app, Action::Undo);
    }
    assert_eq!(ink(&app, 0, 0), 255, "the first strokes stay");
    assert!(app.pad.earlier.is_empty());
}

#[test]
fn every_stroke_is_asked_about_and_a_cleared_pad_is_not() {
    let mut app = drawing();
    let asked = act(&mut app, Action::Stroke { x: 9, y: 9, drag: false });
    let drawn = |app: &App| Some(Subject::Drawn(app.pad.pixels.clone()));
    assert_eq!(asked, [Command::LookInside(drawn(&app))]);
    let asked = act(&mut app, Action::Stroke { x: 9, y: 15, drag: true });
    assert_eq!(asked, [Command::LookInside(drawn(&app))]);
    assert!(act(&mut app, Action::EndStroke).is_empty(), "nothing new was drawn");
    assert_eq!(act(&mut app, Action::Clear), [Command::LookInside(None)]);
    assert_eq!(act(&mut app, Action::Undo), [Command::LookInside(drawn(&app))]);
}

#[test]
fn an_answer_about_a_drawing_that_is_gone_is_not_shown() {
    let mut app = drawing();
    stroke(&mut app, &[(9, 9)]);
    let pixels = app.pad.pixels.clone();
    let _ = app.update(answer(&pixels).into());
    assert_eq!(app.pad.insides.as_ref().map(|insides| insides.step), Some(7));
    let _ = act(&mut app, Action::Clear);
    assert_eq!(app.pad.insides, None);
    let _ = app.update(answer(&pixels).into());
    assert_eq!(app.pad.insides, None);
}

#[test]
fn the_mouse_draws_on_the_bare_pad_only() {
    let mut app = App::default();
    assert!(!app.draws_with_mouse());
    let _ = act(&mut app, Action::Show(View::Draw));
    assert!(app.draws_with_mouse());
    let _ = act(&mut app, Action::ToggleHelp);
    assert!(!app.draws_with_mouse());
}

#[test]
fn the_pad_takes_the_size_of_the_images_and_its_cursor_reaches_every_pixel() {
    for (height, width) in [(8, 8), (64, 64), (16, 40)] {
        let mut app = drawing();
        stroke(&mut app, &[(9, 9)]);
        let mut info = RunInfo::example();
        info.set.shape = [1, height, width];
        let _ = app.update(Event::Started(info.clone()).into());
        assert!(app.pad.is_empty(), "a drawing of another size is none");
        assert_eq!(app.pad.pixels.len(), height * width);
        let _ = act(&mut app, Action::Move(Direction::End));
        let _ = act(&mut app, Action::Move(Direction::PageDown));
        assert_eq!(app.pad.cursor, (width as u8 - 1, height as u8 - 1));
        let _ = act(&mut app, Action::Pen);
        assert_eq!(app.pad.pixels[height * width - 1], 255);
        let _ = act(&mut app, Action::Centre);
        let middle = app.pad.pixels[height / 2 * width + width / 2];
        assert!(middle > 100, "{height}×{width}: {middle}");
        let drawn = app.pad.pixels.clone();
        let _ = app.update(Event::Started(info).into());
        assert_eq!(app.pad.pixels, drawn, "images of the same size leave it as it is");
    }
}
