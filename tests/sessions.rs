//! Terminals that go, stop and come back, and dashboards that watch.
#![cfg(target_os = "linux")]

mod common;
#[path = "common/idx.rs"]
mod idx;

use std::{
    fs,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use common::Tty;
use mnist_tui::{journal::JournalReader, protocol::Event};
use tempfile::TempDir;

const DEADLINE: Duration = Duration::from_secs(120);

struct Place {
    folder: TempDir,
}

impl Place {
    /// A folder with a small set.
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        idx::write_set(folder.path(), 3_000, 200);
        Self { folder }
    }

    fn run(&self) -> PathBuf {
        self.folder.path().join("run")
    }

    fn start(&self, arguments: &[&str]) -> Tty {
        let run = self.run();
        let run = run.to_str().expect("UTF-8");
        let data = self.folder.path().to_str().expect("UTF-8");
        Tty::start(&[arguments, &["--run-dir", run, "--data", data]].concat(), 80, 24)
    }

    fn watch(&self) -> Tty {
        let run = self.run();
        Tty::start(&["watch", run.to_str().expect("UTF-8")], 80, 24)
    }

    fn events(&self) -> Vec<Event> {
        let Ok(mut reader) = JournalReader::open(&self.run().join("journal.jsonl")) else {
            return Vec::new();
        };
        std::iter::from_fn(|| reader.next_event().expect("the journal is whole")).collect()
    }

    fn epochs(&self) -> usize {
        self.events().iter().filter(|event| matches!(event, Event::Epoch(_))).count()
    }
}

fn until(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !done() {
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        // Looking takes time from the program that is waited for.
        thread::park_timeout(Duration::from_millis(5));
    }
}

/// A field of `/proc/PID/stat`, counted from 1 as in proc(5).
fn stat(path: &Path, field: usize) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let (_, rest) = text.rsplit_once(") ")?;
    rest.split(' ').nth(field - 3).map(str::to_owned)
}

fn is_stopped(pid: u32) -> bool {
    stat(Path::new(&format!("/proc/{pid}/stat")), 3).as_deref() == Some("T")
}

/// Clock ticks that the thread that reads keys has computed, and those of all threads.
fn ticks(pid: u32) -> (u64, u64) {
    let used = |folder: &Path| -> u64 {
        let field = |field| stat(&folder.join("stat"), field)?.parse::<u64>().ok();
        [14, 15].into_iter().filter_map(field).sum()
    };
    let process = PathBuf::from(format!("/proc/{pid}"));
    let threads = fs::read_dir(process.join("task")).expect("the program runs").flatten();
    let reads_keys = |path: &PathBuf| {
        fs::read_to_string(path.join("comm")).is_ok_and(|name| name.trim_end() == "input")
    };
    let thread = threads.map(|thread| thread.path()).find(reads_keys);
    // It may have ended with its terminal.
    (thread.map_or(0, |thread| used(&thread)), used(&process))
}

#[test]
fn ctrl_z_gives_the_terminal_back_and_training_goes_on_where_it_stopped() {
    let place = Place::new();
    let mut tty = place.start(&["--epochs", "100000"]);
    let pid = tty.pid();
    for from_outside in [false, true] {
        tty.wait_for_text("▶ training");
        if from_outside {
            tty.signal("TSTP");
        } else {
            tty.send("\x1a");
        }
        until("the program to stop", || is_stopped(pid));
        tty.assert_restored();
        tty.signal("CONT");
        tty.wait_for_alternate_screen();
    }
    tty.wait_for_text("▶ training");
    let paused = |event: &Event| matches!(event, Event::State(state) if *state == mnist_tui::protocol::RunState::Paused);
    assert!(place.events().iter().filter(|event| paused(event)).count() >= 2);
    tty.leave();
}

#[test]
fn a_run_trains_on_without_its_terminal_and_nothing_spins() {
    let place = Place::new();
    let tty = place.start(&["--epochs", "100000", "--batch-size", "50", "--on-hangup", "continue"]);
    tty.wait_for_text("▶ training");
    let pid = tty.pid();
    let program = tty.hang_up();
    let before = place.epochs();
    until("epochs after the hang-up", || place.epochs() >= before + 20);
    let (input_before, all_before) = ticks(pid);
    let before = place.epochs();
    until("more epochs", || place.epochs() >= before + 100);
    let (input, all) = ticks(pid);
    let (input, all) = (input - input_before, all - all_before);
    assert!(all > 0 && input * 10 <= all, "{input} of {all} ticks");
    assert!(program.runs(), "it still trains");

    let watching = place.watch();
    watching.wait_for_text("▶ training");
    program.signal("TERM");
    assert_eq!(program.wait_for_exit(String::new), 143);
    watching.wait_for_text("■ stopped");
    assert!(matches!(place.events().last(), Some(Event::Finished(summary)) if summary.stopped));
    assert!(place.run().join("last.safetensors").is_file());
}

#[test]
fn a_run_that_comes_to_its_end_without_its_terminal_ends_the_program() {
    let place = Place::new();
    let tty = place.start(&["--epochs", "60", "--batch-size", "50", "--on-hangup", "continue"]);
    tty.wait_for_text("▶ training");
    assert_eq!(tty.hang_up().wait_for_exit(String::new), 0);
    assert_eq!(place.epochs(), 60);
    assert!(matches!(place.events().last(), Some(Event::Finished(summary)) if !summary.stopped));
}

#[test]
fn a_dashboard_that_looks_on_shows_the_run_and_commands_nothing() {
    let place = Place::new();
    let mut tty = place.start(&["--epochs", "100000"]);
    tty.wait_for_text("Confusion · test, epoch 1");
    let mut watching = place.watch();
    watching.wait_for_text("Confusion · test, epoch ");
    watching.send(" ");
    watching.wait_for_text("watching this run");
    assert!(!watching.screen().contains("one batch"), "{}", watching.screen());
    tty.send(" ");
    watching.wait_for_text("‖ paused");
    tty.leave();
    watching.wait_for_text("■ stopped");
    watching.send("q");
    assert_eq!(watching.wait_for_exit(), 0);
    watching.assert_restored();
}

#[test]
fn a_finished_run_that_is_watched_shows_its_network_and_its_mistakes() {
    let place = Place::new();
    let mut tty = place.start(&["--epochs", "1", "--on-done", "quit"]);
    assert_eq!(tty.wait_for_exit(), 0);
    let mut watching = place.watch();
    watching.wait_for_text("✓ done");
    watching.send("5");
    watching.wait_for_text("test image ");
    watching.send("6");
    watching.wait_for_text("Hardest of 200 test images · epoch 1");
    watching.send("3");
    watching.wait_for_text("epoch 2, batch 1, from the last checkpoint");
    watching.send("q");
    assert_eq!(watching.wait_for_exit(), 0);
    watching.assert_restored();
}

#[test]
fn a_watched_run_that_was_killed_says_so() {
    let place = Place::new();
    let tty = place.start(&["--epochs", "100000"]);
    tty.wait_for_text("Confusion · test, epoch 1");
    let watching = place.watch();
    watching.wait_for_text("▶ training");
    tty.signal("KILL");
    watching.wait_for_text("without a word");
}

/// Bytes that the program has in memory.
fn resident(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the program runs");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("it has memory");
    let kilobytes = line.split_whitespace().nth(1).expect("a number");
    kilobytes.parse::<u64>().expect("a number") * 1_024
}

/// The epoch that the progress pane shows.
fn epoch(screen: &str) -> Option<usize> {
    let shown = screen.lines().find_map(|line| line.strip_prefix("epoch"))?;
    shown.split_once('/')?.0.trim().replace(',', "").parse().ok()
}

#[test]
fn a_terminal_that_is_not_read_holds_up_nothing_and_then_shows_the_present() {
    let place = Place::new();
    let mut tty = place.start(&["--epochs", "100000", "--rewind-memory", "4"]);
    tty.wait_for_text("Confusion · test, epoch ");
    tty.stall(true);
    let (before, memory) = (place.epochs(), resident(tty.pid()));
    // The terminal's buffer fills after a few frames; training continues all the same.
    until("many epochs", || place.epochs() >= before + 60);
    let grown = resident(tty.pid()).saturating_sub(memory);
    assert!(grown < 64 << 20, "{grown} bytes more");
    let before = tty.written();
    // Paused, so that no frame follows the first one with the present in it.
    tty.send("p");
    let present = place.epochs();
    tty.stall(false);
    tty.wait_for("the pause", |screen| {
        epoch(screen).filter(|&epoch| epoch >= present && screen.contains("‖ paused"))
    });
    // The kernel's buffers of some 12 KiB, what was on its way, and the present.
    let shown = tty.written() - before;
    assert!(shown < 32 << 10, "{shown} bytes before the present");
    tty.leave();
}
