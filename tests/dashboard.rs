//! The dashboard from end to end, in a real pseudo-terminal.
#![cfg(unix)]

mod common;

use common::{Tty, batch};

fn pause(tty: &mut Tty) -> u64 {
    tty.send(" ");
    tty.wait_for_text("‖ paused");
    batch(&tty.screen()).expect("the batch is shown")
}

#[test]
fn training_moves_pauses_and_goes_batch_by_batch() {
    let mut tty = Tty::start(&["--epochs", "100"], 120, 40);
    tty.wait_for("training to move", |screen| batch(screen).filter(|&batch| batch > 0));
    let at = pause(&mut tty);
    for step in 1..=3 {
        tty.send("s");
        tty.wait_for("one batch more", |screen| (batch(screen) == Some(at + step)).then_some(()));
        tty.wait_for_text("‖ paused");
        assert_eq!(batch(&tty.screen()), Some(at + step));
    }
    tty.send("S");
    tty.wait_for("ten batches more", |screen| (batch(screen) == Some(at + 13)).then_some(()));
    tty.wait_for_text("‖ paused");
    tty.send(" ");
    tty.wait_for("training to resume", |screen| batch(screen).filter(|&batch| batch > at + 13));
    tty.leave();
}

#[test]
fn a_screen_that_stands_still_is_not_drawn_again() {
    let mut tty = Tty::start(&["--epochs", "100"], 80, 24);
    tty.wait_for_text("▶ training");
    pause(&mut tty);
    let frames = tty.frames();
    // Keys without meaning change nothing; the help then is the next frame.
    tty.send("\x1b[24~\x1b[2~?");
    tty.wait_for_text("train one batch, or ten");
    assert_eq!(tty.frames(), frames + 1);
    tty.leave();
}

#[test]
fn the_end_of_the_epoch_shows_the_matrix_and_pauses() {
    let mut tty = Tty::start(&["--batch-size", "1000"], 80, 24);
    tty.send("e");
    tty.wait_for_text("Confusion · test, epoch 1");
    tty.wait_for_text("‖ paused");
    assert_eq!(batch(&tty.screen()), Some(60));
    tty.leave();
}

#[test]
fn a_finished_run_stays_on_screen_and_leaves_its_result_behind() {
    let mut tty = Tty::start(&["--steps", "20"], 80, 24);
    tty.wait_for_text("✓ done");
    tty.wait_for_text("% correct");
    tty.send("q");
    assert_eq!(tty.wait_for_exit(), 0);
    tty.assert_restored();
    tty.wait_for_text("test accuracy: ");
}

#[test]
fn the_first_frame_says_that_the_data_is_being_read() {
    let mut tty = Tty::start(&["--epochs", "100"], 80, 24);
    tty.wait_for_text("▶ training");
    let bytes = tty.bytes();
    let text = String::from_utf8_lossy(&bytes);
    let first = text.split("\x1b[?2026l").next().expect("a first frame");
    assert!(first.contains("loading") && first.contains("reading the data"), "{first:?}");
    tty.press("1");
    tty.leave();
}

#[test]
fn ctrl_c_is_quit() {
    let mut tty = Tty::start(&["--epochs", "100"], 80, 24);
    tty.wait_for_text("▶ training");
    tty.send("\x03");
    tty.wait_for_text("Quit?");
    tty.send("\x03");
    assert_eq!(tty.wait_for_exit(), 0);
    tty.assert_restored();
}

#[test]
fn a_failure_is_shown_with_its_cause_and_gives_the_exit_status() {
    let mut tty = Tty::start(&["--data", "/no/such/folder"], 80, 24);
    tty.wait_for_text("Training failed");
    tty.wait_for_text("/no/such/folder");
    tty.send("q");
    assert_eq!(tty.wait_for_exit(), 1);
    tty.assert_restored();
    tty.wait_for_text("error: ");
}

#[test]
fn signals_restore_the_terminal() {
    for (name, number) in [("TERM", 15), ("HUP", 1), ("INT", 2)] {
        let mut tty = Tty::start(&["--epochs", "100"], 80, 24);
        tty.wait_for_text("▶ training");
        tty.signal(name);
        assert_eq!(tty.wait_for_exit(), 128 + number, "SIG{name}");
        tty.assert_restored();
    }
}

#[test]
fn a_signal_leaves_whole_files_behind() {
    for name in ["TERM", "HUP", "INT"] {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name| folder.path().join(name).to_str().expect("UTF-8").to_owned();
        let (weights, log) = (path("w.safetensors"), path("log.jsonl"));
        let tty = Tty::start(&["--epochs", "100", "--save", &weights, "--log", &log], 80, 24);
        tty.wait_for("training to move", |screen| batch(screen).filter(|&batch| batch > 0));
        tty.signal(name);
        let mut tty = tty;
        assert!(tty.wait_for_exit() > 128, "SIG{name}");
        assert!(std::path::Path::new(&weights).is_file(), "SIG{name}");
        let log = std::fs::read_to_string(log).expect("it was written");
        let last = log.lines().last().expect("it has lines");
        assert!(last.starts_with("{\"event\":\"done\""), "SIG{name}: {last}");
    }
}

#[test]
fn a_terminal_that_is_gone_ends_the_run_and_loses_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let weights = folder.path().join("w.safetensors");
    let tty = Tty::start(&["--epochs", "100", "--save", weights.to_str().expect("UTF-8")], 80, 24);
    tty.wait_for("training to move", |screen| batch(screen).filter(|&batch| batch > 0));
    let status = tty.hang_up().wait_for_exit(|| "the terminal is gone".to_owned());
    // By the signal or by the first write that fails, whichever comes first.
    assert!([129, 1].contains(&status), "{status}");
    assert!(weights.is_file());
}

#[test]
fn a_terminal_that_goes_without_a_signal_ends_the_run_too() {
    for paused in [false, true] {
        let folder = tempfile::tempdir().expect("a folder");
        let weights = folder.path().join("w.safetensors");
        let mut command = portable_pty::CommandBuilder::new("sh");
        command.args(["-c", "trap '' HUP; exec \"$@\"", "sh", env!("CARGO_BIN_EXE_mnist-tui")]);
        command.args(["--epochs", "1000", "--save", weights.to_str().expect("UTF-8")]);
        let mut tty = Tty::start_command(command, &[], 80, 24);
        tty.wait_for("training to move", |screen| batch(screen).filter(|&batch| batch > 0));
        if paused {
            pause(&mut tty);
        }
        let status = tty.hang_up().wait_for_exit(|| format!("paused: {paused}"));
        assert_eq!(status, 1, "paused: {paused}");
        assert!(weights.is_file(), "paused: {paused}");
    }
}

/// The report of the left button at a cell counted from 0: pressed, moved or, with `m`, let go.
fn mouse(button: u8, column: u16, row: u16, end: char) -> String {
    format!("\x1b[<{button};{};{}{end}", column + 1, row + 1)
}

#[test]
fn the_mouse_clicks_on_tabs_and_draws_on_the_pad() {
    let mut tty = Tty::start_with(&["--epochs", "100"], &[("NO_COLOR", "1")], 80, 24);
    tty.wait_for_text("▶ training");
    tty.wait_for_mouse(true);
    let top = tty.screen().lines().next().map(str::to_owned).unwrap_or_default();
    let (before, _) = top.split_once("draw").expect("all tabs have names");
    let tab = before.chars().count() as u16;
    tty.send(&mouse(0, tab, 0, 'M'));
    tty.send(&mouse(0, tab, 0, 'm'));
    tty.wait_for_text("Nothing is drawn yet.");
    let (app, pad) = (mnist_tui::app::App::default(), ratatui::layout::Rect::new(0, 0, 80, 24));
    let cell = |x, y| {
        let mut cells = pad.positions();
        let found =
            cells.find(|at| mnist_tui::ui::pad_position(&app, pad, at.x, at.y) == Some((x, y)));
        found.expect("it is on the pad")
    };
    let (from, to) = (cell(6, 8), cell(20, 8));
    tty.send(&mouse(0, from.x, from.y, 'M'));
    tty.send(&mouse(32, to.x, to.y, 'M'));
    tty.send(&mouse(0, to.x, to.y, 'm'));
    tty.wait_for("a line", |screen| screen.contains("██████████").then_some(()));
    tty.send("c");
    tty.wait_for("a clean pad", |screen| screen.contains("Nothing is drawn yet.").then_some(()));
    tty.leave();
}

#[test]
fn the_mouse_is_the_terminals_own_where_that_is_asked_for() {
    let mut tty = Tty::start(&["--epochs", "100", "--no-mouse"], 80, 24);
    tty.wait_for_text("▶ training");
    tty.send("7");
    tty.wait_for_text("Nothing is drawn yet.");
    tty.wait_for_mouse(false);
    tty.leave();
}

/// Text of the second rank on a dark and on a light background.
const MUTED: [&[u8]; 2] = [b"38;2;152;156;164", b"38;2;94;98;106"];

fn has_written(tty: &Tty, wanted: &[u8]) -> bool {
    tty.bytes().windows(wanted.len()).any(|bytes| bytes == wanted)
}

#[test]
fn a_terminal_that_says_that_it_is_light_gets_other_colours() {
    const WHITE: &str = "\x1b]11;rgb:ffff/ffff/ffff\x1b\\";
    let mut tty = Tty::start(&["--epochs", "100"], 80, 24);
    tty.wait_for_alternate_screen();
    tty.send(WHITE);
    tty.send("7");
    tty.wait_for_text("Nothing is drawn yet.");
    assert!(has_written(&tty, MUTED[1]), "the reply came before the key");
    assert!(has_written(&tty, b"\x1b]11;?\x1b\\"), "it was asked");
    tty.wait_for_text("▶ training");
    tty.leave();
    let mut tty = Tty::start(&["--epochs", "100", "--theme", "dark"], 80, 24);
    tty.wait_for_text("▶ training");
    tty.send(WHITE);
    tty.send("7");
    tty.wait_for_text("Nothing is drawn yet.");
    assert!(has_written(&tty, MUTED[0]) && !has_written(&tty, MUTED[1]), "nothing was asked");
    tty.leave();
}

#[test]
fn a_signal_in_the_draw_view_lets_the_mouse_go() {
    let mut tty = Tty::start(&["--epochs", "100"], 80, 24);
    tty.wait_for_text("▶ training");
    tty.send("7");
    tty.wait_for_mouse(true);
    tty.signal("TERM");
    assert_eq!(tty.wait_for_exit(), 128 + 15);
    tty.assert_restored();
}

/// Takes the terminal over and panics: run by the test below, inside a terminal.
#[test]
#[ignore = "takes the terminal over"]
fn panics_with_the_screen_up() {
    let mut screen = mnist_tui::terminal::Screen::enter().expect("a terminal");
    screen.capture_mouse(true).expect("a terminal");
    panic!("in the middle of a frame");
}

#[test]
fn a_panic_gives_the_terminal_back_before_its_message() {
    let program = std::env::current_exe().expect("this test");
    let mut command = portable_pty::CommandBuilder::new(program);
    command.args(["--ignored", "--exact", "--nocapture", "panics_with_the_screen_up"]);
    // A backtrace would push the message off the screen.
    let environment = [("RUST_TEST_THREADS", "1"), ("RUST_BACKTRACE", "0")];
    let mut tty = Tty::start_command(command, &environment, 120, 40);
    assert_eq!(tty.wait_for_exit(), 101);
    tty.assert_restored();
    tty.wait_for_text("in the middle of a frame");
}

#[test]
fn weights_are_saved_when_a_person_leaves_early() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("weights.safetensors");
    let tty = Tty::start(&["--epochs", "100", "--save", path.to_str().expect("UTF-8")], 80, 24);
    tty.wait_for("training to move", |screen| batch(screen).filter(|&batch| batch > 0));
    tty.leave();
    assert!(path.is_file());
}

/// Rows of a screen with something in them.
fn filled(screen: &str) -> usize {
    screen.lines().filter(|line| !line.trim().is_empty()).count()
}

#[test]
fn every_size_shows_as_much_as_fits_and_takes_keys() {
    let mut tty = Tty::start(&["--epochs", "100000"], 120, 40);
    tty.wait_for_text("▶ training");
    pause(&mut tty);
    tty.wait_for_quiet();
    let largest = tty.screen();
    for (columns, rows) in [(1, 1), (30, 10), (200, 60), (2, 40), (40, 12), (39, 12), (80, 24)] {
        let frames = tty.frames();
        tty.resize(columns, rows);
        match (columns, rows) {
            // As much of the sentence as fits, and nothing past the edge.
            (1, 1) | (2, 40) => tty.wait_for("a piece of text", |screen| {
                let fits = screen.lines().all(|line| line.chars().count() <= columns.into());
                (fits && (1..=usize::from(rows)).contains(&filled(screen))).then_some(())
            }),
            (30, 10) | (39, 12) => tty.wait_for_text("needs 40×12 cells"),
            (200, 60) | (80, 24) => tty.wait_for_text("Confusion"),
            _ => tty.wait_for_text("Loss"),
        }
        tty.wait_for_quiet();
        assert!(tty.frames() > frames, "{columns}×{rows} is drawn");
    }
    tty.resize(120, 40);
    tty.wait_for("the first screen again", |screen| (*screen == largest).then_some(()));
    let at = batch(&tty.screen()).expect("the batch is shown");
    tty.resize(1, 1);
    tty.wait_for_quiet();
    tty.press("s");
    tty.wait_for_quiet();
    tty.resize(120, 40);
    tty.wait_for("the batch trained unseen", |screen| {
        (batch(screen) == Some(at + 1)).then_some(())
    });
    tty.leave();
}

#[test]
fn five_hundred_sizes_in_training_and_paused_leave_no_trace_on_the_screen() {
    const LARGEST: (u64, u64) = (400, 150);
    let mut tty = Tty::start(&["--epochs", "100000", "--fps", "60"], 80, 24);
    tty.wait_for_text("▶ training");
    let mut random = 1_u64;
    let mut any_up_to = |most: u64| {
        // The constants of Knuth's MMIX; the upper half is random enough.
        random =
            random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        1 + (random >> 33) % most
    };
    let mut shake = |tty: &mut Tty| {
        for size in 0..250 {
            if size % 36 == 0 {
                tty.press(&format!("{}", 1 + size / 36));
            }
            let written = tty.written();
            tty.resize(any_up_to(LARGEST.0) as u16, any_up_to(LARGEST.1) as u16);
            tty.wait_for_more_than(written);
        }
        tty.resize(80, 24);
        tty.press("1");
    };
    shake(&mut tty);
    tty.send("p");
    tty.wait_for_text("‖ paused");
    tty.wait_for_quiet();
    let before = tty.screen();
    shake(&mut tty);
    tty.wait_for("the same screen again", |screen| (screen == before).then_some(()));
    tty.leave();
}

#[test]
fn every_view_has_its_key() {
    let mut tty = Tty::start(&["--epochs", "100"], 80, 24);
    tty.wait_for_text("▶ training");
    for (key, text) in [
        ("2", "Error after each epoch"),
        ("3", "Digits of step"),
        ("4", "Confusion"),
        ("7", "Nothing is drawn yet"),
        ("\t", "Projection · "),
        ("1", "Loss · "),
        ("r", "whole run"),
        ("r", "last 1,000 steps"),
        ("9", "in all"),
        ("\x1b[Z", "Projection · "),
        ("?", "quit; may ask first"),
    ] {
        tty.send(key);
        tty.wait_for_text(text);
    }
    tty.send("\x1b");
    tty.wait_for("the help to close", |screen| {
        (!screen.contains("quit; may ask first")).then_some(())
    });
    tty.leave();
}

#[test]
fn a_dumb_terminal_gets_plain_lines() {
    let mut tty = Tty::start_with(&["--steps", "5"], &[("TERM", "dumb")], 80, 24);
    assert_eq!(tty.wait_for_exit(), 0);
    tty.wait_for_text("test accuracy: ");
    assert_eq!(tty.frames(), 0);
}

#[test]
fn colours_are_left_out_where_they_are_not_wanted() {
    let mut tty = Tty::start_with(&["--epochs", "100"], &[("NO_COLOR", "1")], 80, 24);
    tty.wait_for_text("▶ training");
    let bytes = tty.bytes();
    let text = String::from_utf8_lossy(&bytes);
    assert!(!text.contains("\x1b[38;") && !text.contains("\x1b[48;"), "{text:?}");
    tty.press("1");
    tty.leave();
}
