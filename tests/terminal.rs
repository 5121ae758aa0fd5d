//! What real terminals send and systems do: pasted text, late replies, other keyboards, signals, limits.
#![cfg(target_os = "linux")]

mod common;
#[path = "common/idx.rs"]
mod idx;

use std::{
    fs,
    path::Path,
    sync::mpsc,
    time::{Duration, Instant},
};

use common::{Tty, batch};
use mnist_tui::{
    journal::JournalReader,
    launch::{Changes, Launch},
    outcome::Outcome,
    protocol::{Clock, Event},
    session::{self, Display, OnDone},
    train::Tools,
    ui::{Background, Depth},
};
use portable_pty::CommandBuilder;
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_mnist-tui");

/// A terminal with a run that is paused.
fn paused() -> Tty {
    let mut tty = Tty::start(&["--epochs", "1000"], 80, 24);
    tty.wait_for("training to move", |screen| batch(screen).filter(|&batch| batch > 0));
    tty.send(" ");
    tty.wait_for_text("‖ paused");
    tty.wait_for_quiet();
    tty
}

/// The program started by a shell after `script`.
fn after(script: &str, arguments: &[&str]) -> Tty {
    let mut command = CommandBuilder::new("sh");
    command.args(["-c", &format!("{script}; exec \"$@\""), "sh", PROGRAM]);
    command.args(arguments);
    Tty::start_command(command, &[], 80, 24)
}

/// A folder with a small set.
fn small_set() -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    idx::write_set(folder.path(), 3_000, 200);
    folder
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// Lets time pass in which something must not happen, or must take place elsewhere.
fn let_pass(time: Duration) {
    let (_sender, never) = mpsc::channel::<()>();
    let _ = never.recv_timeout(time);
}

#[test]
fn a_paste_commands_nothing_and_a_question_takes_its_first_line() {
    let mut tty = paused();
    assert!(tty.brackets_pastes());
    let before = tty.screen();
    let long = "should be updated\r".repeat(500);
    for pasted in ["quickly", "should be updated", "q\ry\r", &long] {
        tty.send(&format!("\x1b[200~{pasted}\x1b[201~"));
        // As without brackets.
        tty.send(pasted);
        tty.wait_for_text("Pasted text does nothing here");
        tty.wait_for_quiet();
        let (found, expected) = (tty.screen(), &before);
        let but_last = |screen: &str| screen.rsplit_once('\n').map(|(rest, _)| rest.to_owned());
        let shown = &pasted[..pasted.len().min(20)];
        assert_eq!(but_last(found.trim_end()), but_last(expected.trim_end()), "{shown:?}");
    }
    for pasted in ["\x1b[200~12a3\rq\ry\r\x1b[201~", "12a3\rq\ry\r"] {
        tty.press("g");
        tty.wait_for_text("0 to ");
        tty.send(pasted);
        tty.wait_for_text("123");
        tty.wait_for_quiet();
        tty.send("\x1b");
        tty.wait_for("the question to close", |screen| (*screen == before).then_some(()));
    }
    tty.leave();
}

#[test]
fn replies_that_come_late_and_keys_with_alt_command_nothing() {
    let mut tty = paused();
    let before = tty.screen();
    let replies = [
        "\x1b]11;rgb:1e1e/1e1e/1e1e\x07",
        "\x1b]11;rgb:1e1e/1e1e/1e1e\x1b\\",
        "\x1b]4;1;rgb:cdcd/0000/0000\x07",
        "\x1bP>|tmux 3.4\x1b\\",
        "\x1b_Gi=31;OK\x1b\\",
        "\x1b]52;c;c2hvdWxkIGJlIHVwZGF0ZWQ=\x07",
        "\x1b[?64;1;2c\x1b[24;80R\x1b[0n\x1b[?2026;2$y",
        "\x1bp\x1bs\x1bu\x1bq\x1b ",
    ];
    for reply in replies {
        tty.send(reply);
        let (first, second) = reply.split_at(reply.len() / 2);
        tty.send(first);
        let_pass(Duration::from_millis(5));
        tty.send(second);
        tty.wait_for_quiet();
        assert_eq!(tty.screen(), before, "{reply:?}");
    }
    tty.press("y");
    tty.wait_for_text("· log");
    tty.leave();
}

#[test]
fn a_quick_double_esc_closes_two_things() {
    let mut tty = paused();
    let before = tty.screen();
    tty.press("B");
    tty.wait_for_text("Breakpoints");
    tty.press("a");
    tty.wait_for_text("pause at");
    tty.send("\x1b\x1b");
    tty.wait_for("both to close", |screen| (*screen == before).then_some(()));
    tty.leave();
}

#[test]
fn keys_of_other_layouts_work_and_others_are_explained_once() {
    let mut tty = paused();
    for (key, state) in [("ㅔ", "▶ training"), ("з", "‖ paused"), ("ｐ", "▶ training")] {
        tty.press(key);
        tty.wait_for_text(state);
    }
    tty.press("p");
    tty.wait_for_text("‖ paused");
    tty.wait_for_quiet();
    let before = tty.screen();
    for (key, hint) in [("P", "caps lock"), ("n", "press ?"), ("é", "Latin letters")] {
        tty.press(key);
        tty.wait_for(hint, |screen| screen.lines().last()?.contains(hint).then_some(()));
        tty.press("\x1b");
        tty.wait_for("the hint to go", |screen| (*screen == before).then_some(()));
        tty.press(key);
        tty.wait_for_quiet();
        assert_eq!(tty.screen(), before, "{key} is explained once");
    }
    tty.leave();
}

#[test]
fn ctrl_l_draws_over_what_another_program_wrote() {
    let mut tty = paused();
    let before = tty.screen();
    tty.write_over("\x1b[2;3Hwall: the system goes down\x1b[10;1Hin five minutes");
    assert_ne!(tty.screen(), before);
    tty.send("\x0c");
    tty.wait_for("the whole screen again", |screen| (*screen == before).then_some(()));
    tty.leave();
}

#[test]
fn every_signal_that_ends_a_process_gives_the_terminal_back() {
    for (name, number) in [
        ("QUIT", 3),
        ("TRAP", 5),
        ("ABRT", 6),
        ("USR1", 10),
        ("USR2", 12),
        ("ALRM", 14),
        ("STKFLT", 16),
        ("XCPU", 24),
        ("VTALRM", 26),
        ("PROF", 27),
        ("IO", 29),
        ("PWR", 30),
        ("SYS", 31),
        ("34", 34),
        ("64", 64),
    ] {
        let mut tty = Tty::start(&["--epochs", "1000", "--no-run-dir"], 80, 24);
        tty.wait_for_text("▶ training");
        tty.signal(name);
        assert_eq!(tty.wait_for_exit(), 128 + number, "SIG{name}");
        tty.assert_restored();
    }
}

#[test]
fn a_limit_on_the_size_of_files_is_told_like_a_full_disk() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let log = folder.path().join("log");
    let arguments = ["--epochs", "1000", "--no-run-dir", "--log", text(&log)];
    // In blocks of 512 bytes or 1 KiB, as the shell counts them.
    let mut tty = after("ulimit -f 20", &arguments);
    tty.wait_for_text("The log is incomplete");
    tty.wait_for_text("File too large");
    tty.send("q");
    tty.wait_for_text("Quit?");
    tty.send("y");
    assert_eq!(tty.wait_for_exit(), 1);
    tty.assert_restored();
    tty.wait_for_text("File too large");
}

#[test]
fn with_few_descriptors_keys_work_or_the_system_says_what_is_missing() {
    let mut worked = 0;
    for descriptors in 4..=12 {
        let script = format!("ulimit -n {descriptors}");
        let mut tty = after(&script, &["--epochs", "1000", "--no-run-dir", "--threads", "1"]);
        let runs = tty.wait_for("the dashboard or an error", |screen| {
            if screen.contains("▶ training") {
                return Some(true);
            }
            screen.contains("os error 24").then_some(false)
        });
        if runs {
            worked += 1;
            tty.send(" ");
            tty.wait_for_text("‖ paused");
            tty.leave();
        } else {
            if tty.screen().contains("Training failed") {
                tty.send("q");
            }
            assert_eq!(tty.wait_for_exit(), 1, "{descriptors} descriptors");
            tty.assert_restored();
        }
    }
    assert!(worked > 0, "twelve descriptors are enough");
}

/// The clock that a run's journal last told of.
fn last_clock(folder: &Path) -> Option<Clock> {
    let mut reader = JournalReader::open(&folder.join("journal.jsonl")).ok()?;
    let events = std::iter::from_fn(|| reader.next_event().ok().flatten());
    events
        .filter_map(|event| match event {
            Event::Progress(progress) => Some(progress.clock),
            _ => None,
        })
        .last()
}

fn is_stopped(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("the program runs");
    stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('T'))
}

fn until(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(120);
    while !done() {
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        let_pass(Duration::from_millis(5));
    }
}

#[test]
fn time_in_which_the_process_is_stopped_is_no_training_time() {
    for headless in [false, true] {
        let folder = small_set();
        let run = folder.path().join("run");
        let data = text(folder.path());
        let arguments = ["--epochs", "1000", "--data", data, "--run-dir", text(&run)];
        let arguments = [&arguments[..], if headless { &["--headless"] } else { &[] }].concat();
        let start = Instant::now();
        let tty = Tty::start(&arguments, 80, 24);
        let elapsed = || last_clock(&run).map_or(0.0, Clock::elapsed);
        until("training to move", || elapsed() > 0.0);
        let mut stopped = Duration::ZERO;
        for _ in 0..3 {
            tty.signal("STOP");
            until("the program to stop", || is_stopped(tty.pid()));
            let begin = Instant::now();
            let_pass(Duration::from_millis(1_500));
            stopped += begin.elapsed();
            let before = elapsed();
            tty.signal("CONT");
            until("training to resume", || elapsed() > before);
        }
        // Read before the clock of the wall, so that it can only be the smaller.
        let counted = elapsed();
        let running = start.elapsed().saturating_sub(stopped).as_secs_f64();
        assert!(counted <= running, "{counted} s counted in {running} s, headless: {headless}");
        tty.signal("TERM");
    }
}

#[test]
fn a_program_that_is_continued_takes_its_terminal_again() {
    let tty = paused();
    let before = tty.screen();
    tty.signal("STOP");
    until("the program to stop", || is_stopped(tty.pid()));
    // As a shell does that gets the terminal back.
    tty.write_over("\x1b[?1049l\x1b[?25h\x1b[?2004l$ ");
    assert!(!tty.brackets_pastes());
    tty.signal("CONT");
    tty.wait_for_alternate_screen();
    tty.wait_for("the screen again", |screen| (*screen == before).then_some(()));
    assert!(tty.brackets_pastes());
    tty.leave();
}

#[test]
fn a_dashboard_that_nobody_watches_quits_when_its_run_has_ended() {
    let mut tty = Tty::start(&["--steps", "20", "--on-done", "quit"], 80, 24);
    assert_eq!(tty.wait_for_exit(), 0);
    tty.assert_restored();
    tty.wait_for_text("test accuracy: ");
    let mut tty = Tty::start(&["--data", "/no/such/folder", "--on-done", "quit"], 80, 24);
    assert_eq!(tty.wait_for_exit(), 1);
    tty.assert_restored();
    tty.wait_for_text("error: ");
}

#[test]
fn the_weights_are_the_same_with_the_screen_as_without() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = |name: &str| folder.path().join(name);
    let common = ["--steps", "600", "--seed", "3", "--no-run-dir", "--save"];
    let (lines, screen) = (file("lines"), file("screen"));
    let mut tty = Tty::start(&[&common[..], &[text(&lines), "--headless"]].concat(), 80, 24);
    assert_eq!(tty.wait_for_exit(), 0);
    let mut tty = Tty::start(&[&common[..], &[text(&screen)]].concat(), 120, 40);
    tty.wait_for_text("▶ training");
    tty.press("s5");
    tty.wait_for_text("‖ paused");
    tty.press("3sSb7 6p2");
    tty.wait_for_text("✓ done");
    tty.send("q");
    assert_eq!(tty.wait_for_exit(), 0);
    assert_eq!(fs::read(lines).expect("saved"), fs::read(screen).expect("saved"));
}

const RUN: &str = "MNIST_TUI_TEST_RUN";

/// Resumes a run whose worker panics after a few steps: run by the test below, inside a terminal.
#[test]
#[ignore = "takes the terminal over"]
fn trains_until_the_worker_panics() {
    let run = std::env::var_os(RUN).expect("the test below starts this");
    let launch = Launch::resume(Path::new(&run), Tools::attended(), None, &Changes::default());
    let mut launch = launch.expect("the run can be resumed");
    launch.config.max_steps = Some(40);
    launch.tools.panics_at = Some(30);
    let display = Display {
        fps: 15,
        depth: Depth::None,
        background: Background::Dark,
        asks_background: false,
        ascii: false,
        mouse: true,
        outlives_terminal: false,
        on_done: OnDone::Stay,
    };
    let outcome = session::run(launch, display);
    let Outcome::Failed(failure) = outcome else { panic!("{outcome:?}") };
    assert!(failure.message.contains("internal error"), "{}", failure.message);
}

#[test]
fn a_panic_of_the_worker_is_shown_and_its_checkpoint_kept() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let run = folder.path().join("run");
    let mut tty =
        Tty::start(&["--steps", "20", "--run-dir", text(&run), "--on-done", "quit"], 80, 24);
    assert_eq!(tty.wait_for_exit(), 0);
    let kept = fs::read(run.join("last.safetensors")).expect("a checkpoint");

    let mut command = CommandBuilder::new(std::env::current_exe().expect("this test"));
    command.args(["--ignored", "--exact", "--nocapture", "trains_until_the_worker_panics"]);
    let environment = [("RUST_TEST_THREADS", "1"), (RUN, text(&run))];
    let mut tty = Tty::start_command(command, &environment, 80, 24);
    tty.wait_for_text("Training failed");
    tty.wait_for_text("internal error");
    let shown = batch(&tty.screen()).expect("the batch is shown");
    assert!((20..30).contains(&shown), "{shown}");
    assert!(!tty.screen().contains("panicked at"), "{}", tty.screen());
    tty.send("q");
    assert_eq!(tty.wait_for_exit(), 0);
    tty.assert_restored();
    assert_eq!(fs::read(run.join("last.safetensors")).expect("a checkpoint"), kept);
}

/// Waits for input, gives the terminal back without having read it, and tells whether it is still
/// there: run by the test below, inside a terminal.
#[test]
#[ignore = "takes the terminal over"]
fn leaves_before_it_reads() {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    let stdin = std::io::stdin();
    let waits = |time: Option<&Timespec>| {
        poll(&mut [PollFd::new(&stdin, PollFlags::IN)], time).expect("a terminal") == 1
    };
    let screen = mnist_tui::terminal::Screen::enter().expect("a terminal");
    assert!(waits(None));
    drop(screen);
    assert!(!waits(Some(&Timespec::default())), "the shell would run what was sent");
}

#[test]
fn what_was_sent_and_not_read_does_not_run_in_the_shell() {
    let mut command = CommandBuilder::new(std::env::current_exe().expect("this test"));
    command.args(["--ignored", "--exact", "--nocapture", "leaves_before_it_reads"]);
    let mut tty = Tty::start_command(command, &[("RUST_TEST_THREADS", "1")], 80, 24);
    tty.wait_for_alternate_screen();
    tty.send("echo the rest of a paste\r");
    assert_eq!(tty.wait_for_exit(), 0);
    tty.assert_restored();
}
