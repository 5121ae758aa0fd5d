use std::sync::OnceLock;

use ratatui::{buffer::Cell, style::Modifier};

use super::*;
use crate::{
    app::{Action, Direction, Msg, Target, View},
    data::Dataset,
    protocol::{Digit, EvalSet, Event, ImageHistory, ImageSet, List, Query, RunState},
    ui::{
        Depth, layout,
        tests::{act, feed, screen, text, trained},
    },
};

fn test_images() -> &'static Dataset {
    static IMAGES: OnceLock<Dataset> = OnceLock::new();
    IMAGES.get_or_init(|| crate::data::builtin().expect("it is inside the crate").test)
}

/// An answer with this many test images that could belong to `cell`.
fn answer(query: Query, count: usize, total: u64) -> Found {
    let data = test_images();
    let of_cell = |index: &usize| query.cell.is_none_or(|(truth, _)| data.label(*index) == truth);
    let ranked = |(place, index): (usize, usize)| {
        let label = data.label(index);
        let other = if place % 7 == 4 { label } else { (label + 5) % 10 };
        let prediction = query.cell.map_or(other, |(_, predicted)| predicted);
        RankedDigit {
            index: index as u32,
            digit: Digit {
                pixels: data.image(index).to_vec(),
                label,
                prediction,
                probability: 1.0 - 0.004 * place as f32,
            },
            loss: 12.3 / (1.0 + 0.2 * place as f32),
        }
    };
    let indices = (0..data.len()).filter(of_cell).take(count);
    let digits = indices.enumerate().map(ranked).collect();
    Found { total: Some(total), digits, ..Found::unknown(query) }
}

/// The query for the newest of six epochs.
fn query(cell: Option<(u8, u8)>) -> Query {
    Query { step: 7_200, set: EvalSet::Test, cell, list: List::Hardest }
}

/// The mistakes view of a run paused in its seventh epoch, before the images have come.
fn asking(cell: Option<(u8, u8)>) -> App {
    let mut app = trained(7_300);
    feed(&mut app, Event::State(RunState::Paused));
    act(&mut app, Action::Show(View::Confusion));
    if let Some(cell) = cell {
        app.mistakes.cursor = cell;
        act(&mut app, Action::Confirm);
    } else {
        act(&mut app, Action::Show(View::Mistakes));
    }
    app
}

fn answered(cell: Option<(u8, u8)>, count: usize, total: u64) -> App {
    let mut app = asking(cell);
    feed(&mut app, Event::Found(answer(query(cell), count, total)));
    app
}

/// Twelve fours taken for nines, the third chosen.
fn fours() -> App {
    let mut app = answered(Some((4, 9)), 12, 12);
    for _ in 0..2 {
        act(&mut app, Action::Move(Direction::Right));
    }
    app
}

fn hardest() -> App {
    let mut app = answered(None, Found::MOST, 10_000);
    for _ in 0..5 {
        act(&mut app, Action::Move(Direction::Down));
    }
    app
}

#[test]
fn the_images_of_a_cell() {
    insta::assert_snapshot!(text(&fours(), 80, 24));
    insta::assert_snapshot!("the_images_of_a_cell_wide", text(&fours(), 200, 60));
    insta::assert_snapshot!("the_images_of_a_cell_narrow", text(&fours(), 60, 24));
    insta::assert_snapshot!("the_images_of_a_cell_smallest", text(&fours(), 40, 12));
}

#[test]
fn the_hardest_images() {
    insta::assert_snapshot!(text(&hardest(), 80, 24));
    insta::assert_snapshot!("the_hardest_images_large", text(&hardest(), 120, 40));
    insta::assert_snapshot!("the_hardest_images_wide", text(&hardest(), 200, 60));
}

#[test]
fn the_images_of_a_pinned_epoch() {
    let mut app = fours();
    for _ in 0..4 {
        act(&mut app, Action::OlderMatrix);
    }
    let of_epoch = Query { step: 2_400, ..query(Some((4, 9))) };
    feed(&mut app, Event::Found(answer(of_epoch, 30, 30)));
    insta::assert_snapshot!(text(&app, 80, 24));
}

/// The rows between the title and the bottom line as one text.
fn message(app: &App) -> String {
    let shown = text(app, 80, 24);
    let rows = shown.lines().skip(5).take(18).map(|row| row.trim_matches('"').trim());
    rows.filter(|row| !row.is_empty()).collect::<Vec<_>>().join(" ")
}

#[test]
fn an_empty_list_says_why() {
    let mut early = App::default();
    act(&mut early, Action::Show(View::Mistakes));
    assert_eq!(message(&early), "The images with the highest loss appear after epoch 1.");
    assert_eq!(message(&asking(Some((4, 9)))), "Looking for the images…");
    let none = answered(Some((4, 9)), 0, 0);
    assert_eq!(message(&none), "No 4 was predicted as 9 in epoch 6.");
    assert_eq!(message(&answered(Some((4, 4)), 0, 0)), "No 4 was recognised in epoch 6.");
    insta::assert_snapshot!(text(&none, 80, 24));
    let mut unknown = asking(None);
    feed(&mut unknown, Event::Found(Found { total: None, ..answer(query(None), 0, 0) }));
    let kept =
        "The images in epoch 6 are no longer known: only those of the last evaluations are kept.";
    assert_eq!(message(&unknown), kept);
}

#[test]
fn images_of_another_cell_wait_for_their_answer() {
    let mut app = fours();
    act(&mut app, Action::Dismiss);
    assert_eq!(message(&app), "Looking for the images…");
    assert!(text(&app, 80, 24).contains("Hardest images · test, epoch 6 ─"));
}

#[test]
fn the_chosen_image_is_marked_with_and_without_colours() {
    for depth in [Depth::True, Depth::Basic, Depth::None] {
        let terminal = screen(&fours(), 80, 24, depth);
        let buf = terminal.backend().buffer();
        let below_header = buf.area.width as usize * 4;
        let cells = buf.content()[below_header..].iter();
        let turned = cells.filter(|cell| cell.modifier.contains(Modifier::REVERSED));
        assert_eq!(turned.map(Cell::symbol).collect::<String>(), "4→9  99 % 8.79");
        let bar = |x: u16| (5..13).all(|y| buf[(x, y)].symbol() == "▌");
        let bars: Vec<u16> = (0..80).filter(|&x| bar(x)).collect();
        assert_eq!(bars, [32], "left of the third digit, in all its rows");
        assert_eq!(buf[(32, 5)].style().fg, Theme::new(depth).accent.fg);
    }
}

#[test]
fn right_and_wrong_answers_have_their_colours_and_signs() {
    let terminal = screen(&hardest(), 80, 24, Depth::True);
    let buf = terminal.backend().buffer();
    let theme = Theme::new(Depth::True);
    let style_of = |symbol: &str| {
        let cell = buf.content()[400..].iter().find(|cell| cell.symbol() == symbol);
        cell.unwrap_or_else(|| panic!("no {symbol} on the screen")).style().fg
    };
    assert_eq!(style_of("✓"), theme.right.fg);
    assert_eq!(style_of("→"), theme.wrong.fg);
}

#[test]
fn the_list_scrolls_with_the_choice() {
    let mut app = hardest();
    let shown = |app: &App| {
        let all = text(app, 80, 24);
        all.lines().filter(|line| line.contains('→')).count()
    };
    for direction in [Direction::Home, Direction::Down, Direction::PageDown, Direction::End] {
        act(&mut app, Action::Move(direction));
        let place = format!("{} of 400", app.mistakes.selected + 1);
        let screen = text(&app, 80, 24);
        assert!(screen.contains(&place), "{screen}");
        assert!(screen.contains('▌'), "the chosen image is on the screen: {screen}");
        assert!(shown(&app) >= 2, "{screen}");
    }
}

#[test]
fn images_whose_loss_is_not_finite_are_shown() {
    let mut app = asking(None);
    let mut found = answer(query(None), 2, 2);
    found.digits[0].loss = f32::NAN;
    found.digits[0].digit.probability = f32::NAN;
    found.digits[1].loss = f32::INFINITY;
    feed(&mut app, Event::Found(found));
    let shown = text(&app, 80, 24);
    assert!(shown.contains("— %  NaN"), "{shown}");
    assert!(shown.contains("inf"), "{shown}");
}

/// The cells right of which an image is marked as chosen.
fn bars(app: &App, width: u16, height: u16) -> Vec<(u16, u16)> {
    let terminal = screen(app, width, height, Depth::True);
    let buf = terminal.backend().buffer();
    let is_bar = |x: u16, y: u16| buf[(x, y)].style().fg == Theme::new(Depth::True).accent.fg;
    let below_title = (5..height - 1).flat_map(|y| (0..width).map(move |x| (x, y)));
    below_title.filter(|&(x, y)| buf[(x, y)].symbol() == "▌" && is_bar(x, y)).collect()
}

#[test]
fn a_large_terminal_shows_more_images_and_down_goes_to_the_one_below() {
    let (area, mut app) = (Rect::new(0, 0, 200, 60), hardest());
    act(&mut app, Action::Move(Direction::Home));
    let tiles = tiles(&app, layout::screen(area).expect("it is large").body).expect("tiles");
    assert_eq!((tiles.columns, tiles.rows), (11, 6));
    let before = bars(&app, 200, 60);
    let _ = app.update(Msg::Tiles(tiles));
    act(&mut app, Action::Move(Direction::Down));
    assert_eq!(app.mistakes.selected, 11);
    let after = bars(&app, 200, 60);
    assert_eq!((before[0].0, before.len()), (after[0].0, after.len()), "in the same column");
    assert!(after[0].1 > before.last().expect("rows").1, "below it: {before:?}, {after:?}");
}

#[test]
fn the_image_that_is_clicked_is_the_one_with_the_bar_and_a_second_click_looks_inside() {
    let mut app = hardest();
    for (width, height) in [(80, 24), (200, 60)] {
        let area = Rect::new(0, 0, width, height);
        let body = layout::screen(area).expect("it is large").body;
        for place in [0, 7, 26] {
            app.mistakes.selected = place;
            let bars = bars(&app, width, height);
            for (x, y) in bars {
                assert_eq!(image_at(&app, body, (x + 1, y).into()), Some(place));
                let theme = Theme::new(Depth::True);
                let action = crate::ui::action_at(&app, &theme, area, (x, y).into());
                assert_eq!(action, Some(Action::Choose(Target::Image(place))));
            }
        }
        assert_eq!(image_at(&app, body, (width - 1, height - 1).into()), None);
    }
    act(&mut app, Action::Choose(Target::Image(3)));
    assert_eq!((app.mistakes.selected, app.view), (3, View::Mistakes));
    act(&mut app, Action::Choose(Target::Image(3)));
    assert_eq!(app.view, View::Network);
}

#[test]
fn one_key_shows_fewer_images_in_large() {
    let mut app = hardest();
    act(&mut app, Action::Enlarge);
    for (size, columns, rows) in [((80, 24), 2, 1), ((120, 40), 3, 2), ((200, 60), 5, 3)] {
        let body = layout::screen(Rect::new(0, 0, size.0, size.1)).expect("it is large").body;
        assert_eq!(tiles(&app, body), Some(Tiles { columns, rows, parts: 1 }), "{size:?}");
        assert_eq!(bars(&app, size.0, size.1).len(), 15, "{size:?}");
    }
    act(&mut app, Action::Enlarge);
    assert_eq!(bars(&app, 200, 60).len(), 8);
}

/// A list of images with histories over six epochs.
fn listed(list: List, count: usize) -> App {
    let mut app = asking(None);
    while app.mistakes.list != list {
        act(&mut app, Action::NextList);
    }
    let query = Query { list, ..query(None) };
    let mut found = answer(query, count, count as u64);
    found.set = if list == List::Suspected { ImageSet::Train } else { ImageSet::Test };
    found.steps = (1..=6).map(|epoch| epoch * 1_200).collect();
    let history = |ranked: &RankedDigit| {
        let Digit { label, prediction, .. } = ranked.digit;
        ImageHistory {
            predictions: [None, Some(label)].into_iter().chain([Some(prediction); 4]).collect(),
            losses: vec![f32::NAN, 0.1, 2.0, 4.0, 8.0, 9.0],
            forgotten: 1,
            mistaken: 3,
        }
    };
    found.histories = found.digits.iter().map(history).collect();
    feed(&mut app, Event::Found(found));
    app
}

#[test]
fn forgotten_images_and_suspected_labels_come_with_their_histories() {
    let app = listed(List::Suspected, 9);
    let shown = text(&app, 120, 40);
    for part in [
        "Suspected label errors · 9 training images · epoch 6",
        "7→2 3/5",
        "class, loss, 6 epochs",
        "·72222",
        "·▃▆▇██",
        "confidently wrong in 3 of 5",
        "predicted as one other class with at least 80 % in most epochs (9/10: nine of ten).",
        "esc hardest   n hardest",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let forgotten = text(&listed(List::Forgotten, 9), 80, 24);
    for part in ["Forgotten images · 9 test images · epoch 6", "7→2 1×", "so far 2222"] {
        assert!(forgotten.contains(part), "{part}: {forgotten}");
    }
    assert!(!text(&hardest(), 120, 40).contains("so far"), "without a history there is none");
    let mut resumed = listed(List::Forgotten, 9);
    let mut found = resumed.mistakes.found.clone().expect("the list");
    found.steps.remove(0);
    feed(&mut resumed, Event::Found(found));
    let since = text(&resumed, 120, 40);
    assert!(since.contains("Histories begin at step 2,400, after the resume."), "{since}");
}

#[test]
fn a_list_without_images_says_why_and_esc_goes_back_to_the_hardest() {
    let none = message(&listed(List::Forgotten, 0));
    assert!(none.starts_with("No test image has gone from right to wrong between two"), "{none}");
    let mut app = listed(List::Suspected, 0);
    let none = message(&app);
    assert!(none.contains("predicted as one other class in most of 6 epochs."), "{none}");
    let query = Query { list: List::Suspected, ..query(None) };
    feed(&mut app, Event::Found(Found::unknown(query)));
    let early = message(&app);
    assert!(early.starts_with("Suspected label errors appear after 2 epochs"), "{early}");
    act(&mut app, Action::Dismiss);
    assert_eq!((app.mistakes.list, app.view), (List::Hardest, View::Mistakes));
    act(&mut app, Action::Dismiss);
    assert_eq!(app.view, View::Confusion);
}

#[test]
fn nothing_panics_at_any_size() {
    let themes = [Depth::True, Depth::None].map(Theme::new);
    let mut large = hardest();
    act(&mut large, Action::Enlarge);
    let suspects = listed(List::Suspected, 40);
    let few = [asking(None), answered(Some((4, 9)), 0, 0), fours()];
    for app in few.into_iter().chain([hardest(), large, suspects]) {
        for width in (0..260).step_by(3) {
            for height in (0..70).step_by(2) {
                let area = Rect::new(0, 0, width, height);
                let mut buf = Buffer::empty(area);
                let theme = &themes[usize::from(height % 4 == 0)];
                Mistakes::new(&app, theme).render(area, &mut buf);
            }
        }
    }
}
