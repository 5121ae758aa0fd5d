use ratatui::{buffer::Cell, style::Modifier};

use super::*;
use crate::{
    app::{Direction, View},
    protocol::{EvalSet, Event, RunState},
    ui::{
        Depth,
        tests::{act, feed, finished, screen, text, trained},
    },
};

/// The confusion view of a run paused in its seventh epoch, the cursor on 4 predicted as 9.
fn on_four_taken_for_nine() -> App {
    let mut app = trained(7_300);
    feed(&mut app, Event::State(RunState::Paused));
    act(&mut app, Action::Show(View::Confusion));
    act(&mut app, Action::Move(Direction::End));
    for _ in 0..4 {
        act(&mut app, Action::Move(Direction::Down));
    }
    app
}

/// The same with the second epoch pinned and the cursor on 4 predicted as 8.
fn pinned() -> App {
    let mut app = on_four_taken_for_nine();
    act(&mut app, Action::Move(Direction::Left));
    for _ in 0..4 {
        act(&mut app, Action::OlderMatrix);
    }
    app
}

#[test]
fn a_cursor_in_the_matrix() {
    insta::assert_snapshot!(text(&on_four_taken_for_nine(), 80, 24));
    insta::assert_snapshot!(
        "a_cursor_in_the_matrix_wide",
        text(&on_four_taken_for_nine(), 200, 60)
    );
    insta::assert_snapshot!("a_cursor_in_the_matrix_narrow", text(&pinned(), 50, 20));
    insta::assert_snapshot!("a_cursor_without_a_matrix", text(&pinned(), 40, 12));
}

#[test]
fn an_earlier_epoch_that_is_pinned() {
    insta::assert_snapshot!(text(&pinned(), 80, 24));
    let mut app = pinned();
    act(&mut app, Action::Show(View::Overview));
    insta::assert_snapshot!("an_earlier_epoch_in_the_overview", text(&app, 80, 24));
}

#[test]
fn the_test_set_at_the_end_is_named() {
    let mut app = finished();
    for record in app.epochs.iter_mut() {
        record.evaluation.set = EvalSet::Validation;
    }
    let title = |app: &App| {
        let shown = text(app, 80, 24);
        let line = shown.lines().find(|line| line.contains("Confusion")).map(str::to_owned);
        line.unwrap_or_else(|| panic!("no title in {shown}"))
    };
    act(&mut app, Action::Show(View::Confusion));
    assert!(title(&app).contains("Confusion · test, at the end ─"), "{}", title(&app));
    act(&mut app, Action::OlderMatrix);
    let older = title(&app);
    assert!(older.contains("Confusion · ‖ validation, epoch 10 of 10 ─"), "{older}");
}

/// The cells of the screen that are turned round, in order.
fn reversed(app: &App, depth: Depth) -> Vec<Cell> {
    let terminal = screen(app, 80, 24, depth);
    let cells = terminal.backend().buffer().content()[5 * 80..].iter();
    cells.filter(|cell| cell.modifier.contains(Modifier::REVERSED)).cloned().collect()
}

#[test]
fn the_cursor_turns_its_cell_round_with_and_without_colours() {
    let app = pinned();
    for depth in [Depth::True, Depth::Indexed, Depth::Basic, Depth::None] {
        let cells = reversed(&app, depth);
        let symbols: String = cells.iter().map(Cell::symbol).collect();
        let expected = if depth == Depth::Basic { "  4 ░" } else { "  4  " };
        assert_eq!(symbols, expected, "{depth:?}");
        let heat = Theme::new(depth).heat((4.0_f64 / 1_001.0).cbrt());
        assert!(cells.iter().all(|cell| heat.is_none_or(|heat| cell.style().bg == heat.bg)));
    }
}

#[test]
fn the_names_of_the_cursors_row_and_column_stand_out() {
    let terminal = screen(&on_four_taken_for_nine(), 80, 24, Depth::True);
    let buf = terminal.backend().buffer();
    let accent = Theme::new(Depth::True).accent.fg;
    let marked = |row: u16| {
        let cells = (0..52).map(|x| &buf[(x, row)]).filter(|cell| cell.style().fg == accent);
        cells.map(Cell::symbol).collect::<String>()
    };
    assert_eq!((marked(5), marked(10)), ("9".to_owned(), "4".to_owned()));
}

#[test]
fn only_the_confusion_view_has_a_cursor() {
    let mut app = on_four_taken_for_nine();
    act(&mut app, Action::Show(View::Overview));
    assert!(reversed(&app, Depth::True).is_empty());
}

#[test]
fn the_cursor_says_what_it_is_on() {
    let mut app = on_four_taken_for_nine();
    let mut line_on = |cursor| {
        app.mistakes.cursor = cursor;
        let shown = text(&app, 80, 24);
        let line = shown.lines().nth(17).unwrap_or_default();
        line.trim_matches('"').trim_end().to_owned()
    };
    assert_eq!(line_on((0, 2)), "0 predicted as 2: 1 of 984 · enter shows it");
    assert_eq!(line_on((1, 1)), "1 recognised: 1,120 of 1,124 · enter shows them");
    assert_eq!(line_on((0, 5)), "0 predicted as 5: 0 of 984");
    app.mistakes.cursor = (1, 1);
    let narrow = text(&app, 40, 12);
    assert!(narrow.contains("\"1 recognised: 1,120 of 1,124 "), "{narrow}");
    assert!(!narrow.contains("shows"), "half a hint is none: {narrow}");
}

#[test]
fn every_cell_is_marked_at_every_size_without_a_panic() {
    let (mut app, theme) = (pinned(), Theme::new(Depth::None));
    let mut marked = 0;
    for truth in 0..10 {
        for predicted in 0..10 {
            app.mistakes.cursor = (truth, predicted);
            for (width, height) in
                [(0, 0), (1, 1), (32, 12), (40, 13), (57, 20), (90, 30), (140, 50)]
            {
                let area = Rect::new(0, 0, width, height);
                let mut buf = Buffer::empty(area);
                Confusion::new(&app, &theme).in_full().render(area, &mut buf);
                let cells = buf.content().iter();
                marked += cells.filter(|cell| cell.modifier.contains(Modifier::REVERSED)).count();
            }
        }
    }
    assert!(marked > 0);
}

#[test]
fn recall_rises_epoch_by_epoch_next_to_each_class() {
    let shown = text(&on_four_taken_for_nine(), 120, 40);
    let row = |start: &str| {
        let line = shown.lines().find(|line| line.starts_with(start));
        line.unwrap_or_else(|| panic!("no {start:?} in {shown}")).trim_end_matches([' ', '"'])
    };
    assert!(shown.contains("recall by epoch, 95.2–99.7 %"), "{shown}");
    assert!(row("\"4 ").ends_with("984  ▂ ▅ ▇ ▇ █ █"), "{shown}");
}
