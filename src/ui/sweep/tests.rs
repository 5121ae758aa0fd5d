use ratatui::buffer::Cell;

use super::*;
use crate::{standings::tests::standings, ui::Depth};

fn drawn(board: &Board, (width, height): (u16, u16), depth: Depth) -> Buffer {
    let area = Rect::new(0, 0, width, height);
    let mut buf = Buffer::empty(area);
    SweepScreen::new(board, &Theme::new(depth)).render(area, &mut buf);
    buf
}

fn text(buf: &Buffer) -> String {
    let rows = buf.content().chunks(usize::from(buf.area.width).max(1));
    let row = |row: &[Cell]| row.iter().map(Cell::symbol).collect::<String>();
    rows.map(|cells| row(cells).trim_end().to_owned() + "\n").collect()
}

fn board() -> Board {
    let mut board = Board::default();
    board.learn(standings());
    board
}

#[test]
fn a_sweep_is_drawn_at_every_size() {
    let many = Standings { jobs: vec![standings().jobs[0].clone(); 99], ..standings() };
    let mut crowded = Board::default();
    crowded.learn(many);
    for board in [board(), Board::default(), crowded] {
        for size in [(0, 0), (1, 1), (39, 12), (40, 12), (60, 13), (80, 24), (120, 40), (200, 60)] {
            let buf = drawn(&board, size, Depth::True);
            let rows = SweepScreen::new(&board, &Theme::new(Depth::True)).rows(buf.area);
            assert!(rows <= usize::from(size.1), "{size:?}");
        }
    }
}

#[test]
fn a_sweep_on_a_usual_screen() {
    insta::assert_snapshot!(text(&drawn(&board(), (80, 24), Depth::None)));
}

#[test]
fn intervals_are_drawn_where_there_is_room() {
    let buf = drawn(&board(), (120, 40), Depth::Indexed);
    let row = |wanted: &str| {
        let text = text(&buf);
        let (y, row) = text
            .lines()
            .enumerate()
            .find(|(_, row)| row.contains(wanted))
            .unwrap_or_else(|| panic!("{wanted} is not in\n{text}"));
        (y as u16, row.to_owned())
    };
    let dot = |row: &str| row.chars().position(|c| c == '●').expect("a mean");
    let ((_, best), (y, second)) = (row("98.52"), row("98.31"));
    assert!(dot(&best) > dot(&second), "a higher mean is further right");
    assert!(best.contains("─●─") && best.ends_with("best"), "{best}");
    let color = Theme::new(Depth::Indexed).evaluation.fg.expect("it is coloured");
    assert_eq!(buf[(dot(&second) as u16, y)].fg, color);
    assert!(row("0.01 ").1.ends_with("in training"));
}

#[test]
fn the_bottom_line_says_what_leaving_does() {
    let mut board = board();
    let last = |board: &Board| {
        let text = text(&drawn(board, (80, 24), Depth::None));
        text.lines().last().expect("rows").to_owned()
    };
    assert!(last(&board).ends_with("q stop and quit"), "{}", last(&board));
    let _ = board.act(Action::Quit, 9);
    let shown = text(&drawn(&board, (80, 24), Depth::None));
    assert!(shown.contains("write a checkpoint each") && shown.contains("stopping"), "{shown}");
    assert!(last(&board).ends_with("q leave the screen now"));
    board.learn(Standings { is_over: true, ..standings() });
    assert!(last(&board).ends_with("q quit"));
}

#[test]
fn the_chosen_line_is_marked_and_stays_in_sight() {
    let mut board = board();
    let mut long = standings();
    long.tables[0].lines = (0..100)
        .map(|place| crate::standings::Line {
            cells: vec![format!("{place}"), "32".to_owned()],
            ..long.tables[0].lines[0].clone()
        })
        .collect();
    board.learn(long);
    let _ = board.act(Action::Move(Direction::End), 9);
    let shown = text(&drawn(&board, (80, 24), Depth::None));
    assert!(shown.lines().any(|row| row.starts_with("▸ 99 ")), "{shown}");
}

#[test]
fn a_large_screen_has_the_tables_of_settings_too() {
    let shown = text(&drawn(&board(), (200, 60), Depth::None));
    let titles: Vec<&str> = shown.lines().filter(|row| row.starts_with("By ")).collect();
    assert!(titles.len() == 2 && titles[1].starts_with("By lr ─"), "{shown}");
}
