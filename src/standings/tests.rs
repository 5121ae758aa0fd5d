use super::*;

fn line(cells: [&str; 2], runs: (usize, usize), mean: Option<f64>, verdict: &str) -> Line {
    Line {
        cells: cells.map(str::to_owned).to_vec(),
        runs,
        mean,
        half: mean.map(|_| 0.25),
        verdict: verdict.to_owned(),
        folders: vec![PathBuf::from(cells.concat())],
    }
}

/// A sweep of two settings and three seeds, half done.
pub(crate) fn standings() -> Standings {
    let lines = vec![
        line(["0.003", "32"], (3, 3), Some(98.52), "best"),
        line(["0.001", "32"], (3, 3), Some(98.31), "within noise of the best"),
        line(["0.003", "128"], (2, 3), Some(97.9), "worse"),
        line(["0.01", "128"], (0, 3), None, ""),
    ];
    let columns = ["lr", "batch-size"].map(str::to_owned).to_vec();
    let points = Table { title: "by point, over its seeds".to_owned(), columns, lines };
    let by_rate = Table {
        title: "by lr".to_owned(),
        columns: vec!["lr".to_owned()],
        lines: vec![Line {
            folders: Vec::new(),
            cells: vec!["0.003".to_owned()],
            ..points.lines[0].clone()
        }],
    };
    let job = |run: &str, seed: u32, share: f64| Job {
        run: run.to_owned(),
        settings: format!("lr=0.01, batch-size=128, seed {seed}"),
        epoch: (2, 3),
        share,
        loss: 0.0821,
    };
    Standings {
        place: "sweeps/rates".to_owned(),
        tables: vec![points, by_rate],
        jobs: vec![job("0010", 1, 0.4), job("0011", 2, 0.05)],
        set: "validation".to_owned(),
        all: 12,
        done: 8,
        failed: 1,
        best: Some((98.7, "lr=0.003, batch-size=32, seed 1".to_owned())),
        remaining: Some(Duration::from_secs(42)),
        message: None,
        is_over: false,
    }
}

/// The first cells of the lines in order.
fn order(board: &Board) -> Vec<String> {
    board.lines().iter().map(|line| line.cells.join(" ")).collect()
}

#[test]
fn lines_are_sorted_by_each_column_in_turn() {
    let mut board = Board { standings: standings(), ..Board::default() };
    assert_eq!(order(&board), ["0.003 32", "0.001 32", "0.003 128", "0.01 128"]);
    let mut sorted = || {
        assert_eq!(board.act(Action::SortByNext, 9), (true, None));
        order(&board)
    };
    assert_eq!(sorted(), ["0.003 32", "0.001 32", "0.003 128", "0.01 128"], "by runs");
    assert_eq!(sorted(), ["0.001 32", "0.003 32", "0.003 128", "0.01 128"], "by rate");
    assert_eq!(sorted(), ["0.003 32", "0.001 32", "0.003 128", "0.01 128"], "by size");
    let _ = board.act(Action::ReverseOrder, 9);
    assert_eq!(order(&board)[0], "0.01 128");
    let _ = board.act(Action::SortByNext, 9);
    assert_eq!(board.order(), (Column::Rank, false));
}

#[test]
fn the_chosen_line_stays_chosen_when_it_moves_and_opens_its_runs() {
    let mut board = Board { standings: standings(), ..Board::default() };
    let _ = board.act(Action::Move(Direction::Down), 9);
    let lines = board.lines();
    assert_eq!(lines[board.chosen(&lines)].cells, ["0.001", "32"]);
    let mut newer = standings();
    newer.tables[0].lines.swap(0, 1);
    board.learn(newer);
    let lines = board.lines();
    assert_eq!(board.chosen(&lines), 0);
    let (_, request) = board.act(Action::Confirm, 9);
    assert_eq!(request, Some(Request::Open(vec![PathBuf::from("0.00132")])));
    for (direction, place) in [
        (Direction::End, 3),
        (Direction::PageDown, 3),
        (Direction::PageUp, 1),
        (Direction::Home, 0),
    ] {
        let _ = board.act(Action::Move(direction), 2);
        let lines = board.lines();
        assert_eq!(board.chosen(&lines), place, "{direction:?}");
    }
    // A value has many points.
    let _ = board.act(Action::NextView, 9);
    assert_eq!(board.act(Action::Confirm, 9), (true, None));
    assert!(board.refusal.as_ref().is_some_and(|reason| reason.contains("has no curves")));
    let _ = board.act(Action::PreviousView, 9);
    assert_eq!((board.place(), &board.refusal), (0, &None));
}

#[test]
fn leaving_stops_the_runs_first_and_the_second_time_does_not_wait() {
    let over = || Standings { is_over: true, ..standings() };
    let running = || Board { standings: standings(), ..Board::default() };
    let mut board = running();
    assert_eq!(board.act(Action::Quit, 9), (true, Some(Request::Stop)));
    assert!(!board.wants_to_leave(), "the runs write their files");
    board.learn(over());
    assert!(board.wants_to_leave());
    let mut board = running();
    let _ = board.act(Action::Quit, 9);
    assert_eq!(board.act(Action::Quit, 9), (true, None));
    assert!(board.wants_to_leave());
    // At the end there is nothing to stop.
    let mut board = running();
    board.learn(over());
    assert!(!board.wants_to_leave(), "the results stay to be read");
    assert_eq!(board.act(Action::Quit, 9), (true, None));
    assert!(board.wants_to_leave());
}

#[test]
fn a_board_without_results_can_be_used() {
    let mut board = Board::default();
    for action in [
        Action::Confirm,
        Action::SortByNext,
        Action::NextView,
        Action::PreviousView,
        Action::Move(Direction::End),
    ] {
        assert_eq!(board.act(action, 0).1, None);
    }
}
