use super::*;
use crate::protocol::Subject;
use crate::{
    app::{
        Action, Msg,
        matrix::tests::{act, evaluated, feed, record},
    },
    protocol::{Command, Digit, EvalSet, Event, ImageSet, List},
};

fn answer(query: Query, indices: &[u32]) -> Found {
    let ranked = |&index: &u32| RankedDigit {
        index,
        digit: Digit { pixels: vec![0; 784], label: 4, prediction: 9, probability: 0.9 },
        loss: 2.0,
    };
    let digits = indices.iter().map(ranked).collect();
    Found { total: Some(indices.len() as u64), digits, ..Found::unknown(query) }
}

fn query(epoch: u64, cell: Option<(u8, u8)>) -> Query {
    Query { step: epoch * 12, set: EvalSet::Test, cell, list: List::Hardest }
}

/// The mistakes view with these images, of the second of two epochs.
fn listed(indices: impl IntoIterator<Item = u32>) -> App {
    let mut app = evaluated(2, EvalSet::Test);
    act(&mut app, Action::Show(View::Mistakes));
    let indices: Vec<u32> = indices.into_iter().collect();
    feed(&mut app, Event::Found(answer(query(2, None), &indices)));
    app
}

fn chosen(app: &App) -> Option<u32> {
    app.mistakes.chosen().map(|chosen| chosen.index)
}

#[test]
fn the_cursor_stays_inside_the_matrix() {
    let mut mistakes = Mistakes::default();
    let mut go = |directions: &[Direction]| {
        for &direction in directions {
            mistakes.move_cursor(direction, 10);
        }
        mistakes.cursor
    };
    assert_eq!(go(&[Direction::Up, Direction::Left]), (0, 0));
    assert_eq!(go(&[Direction::Down, Direction::Down, Direction::Right]), (2, 1));
    assert_eq!(go(&[Direction::End, Direction::Right, Direction::Up]), (1, 9));
    assert_eq!(go(&[Direction::PageDown, Direction::Down, Direction::Home]), (9, 0));
    assert_eq!(go(&[Direction::PageUp]), (0, 0));
}

#[test]
fn enter_on_a_cell_asks_for_its_images_and_once_more_looks_inside_the_chosen_one() {
    let mut app = evaluated(2, EvalSet::Test);
    act(&mut app, Action::Show(View::Confusion));
    app.mistakes.cursor = (4, 9);
    let asked = app.update(Msg::Action(Action::Confirm));
    assert_eq!(asked, [Command::Find(query(2, Some((4, 9))))]);
    assert_eq!((app.view, app.mistakes.cell), (View::Mistakes, Some((4, 9))));
    feed(&mut app, Event::Found(answer(query(2, Some((4, 9))), &[115, 247, 740])));
    act(&mut app, Action::Move(Direction::Right));
    let subject = Subject::Image { set: ImageSet::Test, index: 247 };
    let asked = app.update(Msg::Action(Action::Confirm));
    assert_eq!(asked, [Command::LookInside(Some(subject.clone()))]);
    assert_eq!((app.view, app.network.subject), (View::Network, subject));
}

#[test]
fn one_key_sends_the_chosen_image_to_the_network_view() {
    let mut app = listed([7, 8]);
    act(&mut app, Action::LookInside);
    let subject = Subject::Image { set: ImageSet::Test, index: 7 };
    assert_eq!((app.view, app.network.subject), (View::Network, subject));
    let mut empty = listed([]);
    act(&mut empty, Action::LookInside);
    assert_eq!(empty.view, View::Mistakes, "there is no image to look into");
}

#[test]
fn enter_before_the_first_evaluation_opens_nothing() {
    let mut app = evaluated(0, EvalSet::Test);
    act(&mut app, Action::Show(View::Confusion));
    act(&mut app, Action::Confirm);
    assert_eq!((app.view, app.mistakes.cell), (View::Confusion, None));
}

#[test]
fn escape_leads_from_a_cell_to_all_images_to_the_newest_matrix() {
    let mut app = evaluated(2, EvalSet::Test);
    act(&mut app, Action::OlderMatrix);
    act(&mut app, Action::Show(View::Confusion));
    act(&mut app, Action::Confirm);
    let asked = app.update(Msg::Action(Action::Dismiss));
    assert_eq!((app.view, asked), (View::Mistakes, vec![Command::Find(query(1, None))]));
    act(&mut app, Action::Dismiss);
    assert_eq!((app.view, app.is_pinned()), (View::Confusion, true));
    act(&mut app, Action::Dismiss);
    assert_eq!((app.view, app.is_pinned()), (View::Confusion, false));
}

#[test]
fn escape_closes_what_lies_over_the_images_first() {
    let mut app = listed([1]);
    act(&mut app, Action::ToggleHelp);
    act(&mut app, Action::Dismiss);
    assert_eq!((app.view, app.overlay), (View::Mistakes, None));
}

#[test]
fn scrubbing_asks_for_the_images_of_the_epoch_shown() {
    let mut app = listed([1]);
    let asked = app.update(Msg::Action(Action::OlderMatrix));
    assert_eq!(asked, [Command::Find(query(1, None))]);
    assert!(app.update(Event::Epoch(record(3, EvalSet::Test)).into()).is_empty(), "it is pinned");
}

#[test]
fn an_epoch_that_is_evaluated_again_is_asked_for_again() {
    let mut app = listed([1]);
    app.epochs.go_back(12);
    let again = app.update(Event::Epoch(record(2, EvalSet::Test)).into());
    assert_eq!(again, [Command::Find(query(2, None))]);
}

#[test]
fn answers_to_older_questions_are_ignored() {
    let mut app = listed([5, 6]);
    feed(&mut app, Event::Found(answer(query(1, None), &[1])));
    feed(&mut app, Event::Found(answer(query(2, Some((4, 9))), &[2])));
    assert_eq!(chosen(&app), Some(5));
}

#[test]
fn the_images_of_another_cell_are_not_shown_as_this_ones() {
    let mut app = listed([5, 6]);
    app.mistakes.cell = Some((4, 9));
    assert_eq!((app.mistakes.list(), chosen(&app)), (None, None));
    app.mistakes.select(Direction::End, Tiles::default());
    assert_eq!(app.mistakes.selected, 0);
}

#[test]
fn the_chosen_image_stays_chosen_while_it_is_among_the_hardest() {
    let mut app = listed([10, 11, 12, 13]);
    app.mistakes.select(Direction::End, Tiles::default());
    let mut next = |epoch, indices: &[u32]| {
        feed(&mut app, Event::Epoch(record(epoch, EvalSet::Test)));
        feed(&mut app, Event::Found(answer(query(u64::from(epoch), None), indices)));
        chosen(&app)
    };
    assert_eq!(next(3, &[9, 13, 10]), Some(13));
    assert_eq!(next(4, &[9, 10, 11]), Some(9), "it is gone: the hardest is chosen");
    assert_eq!(next(5, &[]), None);
}

#[test]
fn the_choice_moves_by_rows_and_stays_in_the_list() {
    // Three rows: five, five, two.
    let mut app = listed(0..12);
    let mut go = |direction| {
        app.mistakes.select(direction, Tiles::default());
        app.mistakes.selected
    };
    assert_eq!([Direction::Up, Direction::Left].map(&mut go), [0, 0]);
    assert_eq!([Direction::Right, Direction::Down].map(&mut go), [1, 6]);
    assert_eq!([Direction::Down, Direction::Down].map(&mut go), [11, 11]);
    assert_eq!([Direction::Right, Direction::Up].map(&mut go), [11, 6]);
    assert_eq!([Direction::PageUp, Direction::PageDown].map(&mut go), [1, 11]);
    assert_eq!([Direction::Home, Direction::Right, Direction::Right].map(&mut go), [0, 1, 2]);
    // The last row has no third column.
    assert_eq!([Direction::Right, Direction::PageDown].map(&mut go), [3, 11]);
    assert_eq!([Direction::Home, Direction::End].map(&mut go), [0, 11]);
}
