//! What the program writes over and what it leaves alone: files of others, links, and runs that are
//! resumed with other settings or other images.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use common::Tty;
use mnist_tui::{checkpoint::load_checkpoint, journal::JournalReader, protocol::Event};
use tempfile::TempDir;

mod common;
#[path = "common/idx.rs"]
mod idx;

/// A short run: 300 images in batches of 5, 60 steps an epoch.
const RUN: [&str; 6] = ["--data", "data", "--batch-size", "5", "--threads", "1"];

struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().expect("a temporary folder"));
        fs::create_dir(place.path("data")).expect("there is room");
        idx::write_set(&place.path("data"), 300, 20);
        place
    }

    fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.0.path().join(name)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mnist-tui"));
        command
            .current_dir(self.0.path())
            .env("XDG_STATE_HOME", self.path("state"))
            .env_remove("RUST_BACKTRACE")
            .stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command().args(arguments).output().expect("the program starts")
    }

    /// Runs without a screen, and expects that all goes well.
    fn train(&self, arguments: &[&str]) -> Output {
        let output = self.run(&[arguments, &["--headless"]].concat());
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        output
    }

    /// Runs without a screen, expects this status, and gives what was said.
    fn refused(&self, arguments: &[&str], status: i32) -> String {
        let output = self.run(&[arguments, &["--headless"]].concat());
        assert_eq!(output.status.code(), Some(status), "{arguments:?}: {output:?}");
        stderr(&output)
    }

    fn read(&self, name: impl AsRef<Path>) -> Vec<u8> {
        fs::read(self.path(name)).expect("it is there")
    }

    fn losses(&self, run: &str) -> Vec<u32> {
        let journal = self.path(run).join("journal.jsonl");
        let mut reader = JournalReader::open(&journal).expect("it is there");
        let events = std::iter::from_fn(|| reader.next_event().expect("it is whole"));
        let losses = events.filter_map(|event| match event {
            Event::Progress(progress) => Some(progress.losses),
            _ => None,
        });
        losses.flatten().map(f32::to_bits).collect()
    }
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn removing_a_folder_of_another_program_removes_nothing() {
    let place = Place::new();
    fs::create_dir(place.path("app")).expect("there is room");
    for (name, content) in
        [("config.json", r#"{"name":"my web app"}"#), ("lock", ""), ("journal.jsonl", "day one\n")]
    {
        fs::write(place.path("app").join(name), content).expect("there is room");
    }
    let output = place.run(&["runs", "rm", "--yes", "app"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("app/config.json is not the configuration of a run"));
    assert_eq!(fs::read_dir(place.path("app")).expect("readable").count(), 3);
    let resumed = place.refused(&["--resume", "app"], 1);
    assert!(resumed.contains("app/config.json is not the configuration of a run"), "{resumed}");
}

#[test]
fn of_several_runs_all_are_removed_or_none() {
    let place = Place::new();
    for run in ["a", "b"] {
        place.train(&[&RUN[..], &["--steps", "1", "--run-dir", run]].concat());
    }
    fs::create_dir(place.path("c")).expect("there is room");
    let unasked = place.run(&["runs", "rm", "a", "b"]);
    assert_eq!(unasked.status.code(), Some(2), "nobody can answer");
    assert!(stderr(&unasked).contains("use --yes to remove without"), "{unasked:?}");
    assert_eq!(place.run(&["runs", "rm", "--yes", "a", "c", "b"]).status.code(), Some(1));
    assert!(place.path("a").exists() && place.path("b").exists());
    assert!(place.run(&["runs", "rm", "--yes", "a", "b", "./a/"]).status.success());
    assert!(!place.path("a").exists() && !place.path("b").exists());
}

#[test]
fn on_a_terminal_it_is_asked_first_what_shall_go() {
    let place = Place::new();
    place.train(&[&RUN[..], &["--steps", "1", "--run-dir", "run"]].concat());
    fs::write(place.path("run/notes.txt"), "mine").expect("there is room");
    let run = place.path("run");
    let ask = |answer: &str| {
        let mut tty = Tty::start(&["runs", "rm", run.to_str().expect("UTF-8")], 100, 24);
        tty.wait_for_text("Remove this run? [y/N]");
        assert!(
            tty.screen().contains("removes best.safetensors, config.json, journal.jsonl, last.")
        );
        assert!(tty.screen().contains("leaves notes.txt"), "{}", tty.screen());
        tty.send(answer);
        assert_eq!(tty.wait_for_exit(), 0);
    };
    ask("\r");
    assert!(run.join("config.json").is_file());
    ask("y\r");
    assert_eq!(fs::read_dir(&run).expect("it stays").count(), 1);
}

#[test]
fn files_of_a_run_are_no_place_for_weights_or_a_log() {
    let place = Place::new();
    place.train(&[&RUN[..], &["--steps", "1", "--run-dir", "other"]].concat());
    let journal = place.read("other/journal.jsonl");
    for (option, file) in [
        ("--save", "other/journal.jsonl"),
        ("--save", "other/../other/LAST.safetensors"),
        ("--log", "other/config.json"),
        ("--save", "new/journal.jsonl"),
        ("--log", "new/journal.jsonl"),
    ] {
        let run = [&RUN[..], &["--run-dir", "new", option, file]].concat();
        let said = place.refused(&run, 2);
        let expected = "which belongs to a stored run: choose another name";
        assert!(said.contains(&format!("{option} leads to ")) && said.contains(expected), "{said}");
        assert!(!place.path("new").exists(), "nothing was started");
    }
    let said = place.refused(&["--resume", "other", "--save", "other/config.json"], 2);
    assert!(said.contains("which belongs to a stored run"), "{said}");
    assert_eq!(place.read("other/journal.jsonl"), journal);
    place.train(&[&RUN[..], &["--steps", "1", "--run-dir", "new", "--log", "new/log"]].concat());
}

#[test]
fn a_log_that_another_run_writes_is_refused() {
    let place = Place::new();
    let endless = [&RUN[..], &["--epochs", "100000000", "--log", "log", "--headless"]].concat();
    let mut first = place
        .command()
        .args(&endless)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    until("the first run to write", || {
        fs::metadata(place.path("log")).is_ok_and(|log| log.len() > 0)
    });
    let said = place.refused(&[&RUN[..], &["--run-dir", "second", "--log", "log"]].concat(), 1);
    end(&mut first);
    assert!(said.contains("another mnist-tui writes its log there"), "{said}");
    assert!(!place.path("second").exists(), "no run is left");
    place.train(&[&RUN[..], &["--steps", "1", "--log", "log"]].concat());
}

fn end(child: &mut Child) {
    child.kill().expect("it is ours");
    child.wait().expect("it is ours");
}

/// Waits until something holds, which a test that fails does not.
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while !holds() {
        assert!(std::time::Instant::now() < deadline, "waited in vain for {what}");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

#[test]
fn a_log_can_go_to_standard_output_and_other_lines_then_go_elsewhere() {
    let place = Place::new();
    let output = place.train(&[&RUN[..], &["--epochs", "1", "--log", "-"]].concat());
    let lines: Vec<serde_json::Value> = stdout(&output)
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON alone"))
        .collect();
    assert_eq!(lines.len(), 64, "run, evaluation before training, 60 steps, epoch, done");
    assert!(stderr(&output).contains("test accuracy: "), "{output:?}");
    assert!(!place.path("-").exists());
}

#[test]
fn a_stream_is_no_place_for_files_that_are_replaced() {
    let place = Place::new();
    for option in ["--save", "--init", "--run-dir"] {
        let said = place.refused(&[option, "-"], 2);
        assert!(said.contains("expected a name, not a stream"), "{said}");
    }
    place.train(&[&RUN[..], &["--steps", "1", "--save", "./-"]].concat());
    assert!(place.path("-").is_file());
}

#[test]
fn a_log_without_a_reader_ends_the_run() {
    let place = Place::new();
    let endless = [&RUN[..], &["--epochs", "100000000", "--log", "-", "--headless"]].concat();
    let mut child = place
        .command()
        .args(&endless)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    drop(child.stdout.take());
    assert!(child.wait().expect("it ends").success());
}

#[test]
fn a_rate_that_is_no_short_decimal_is_resumed_to_the_bit() {
    let place = Place::new();
    let run = [&RUN[..], &["--lr", "0.0030000013066455718", "--epochs", "2"]].concat();
    place.train(&[&run[..], &["--run-dir", "whole", "--save", "whole.w"]].concat());
    place
        .train(&[&run[..], &["--steps", "30", "--run-dir", "parts", "--save", "parts.w"]].concat());
    place.train(&["--resume", "parts", "--steps", "120"]);
    assert_eq!(place.losses("parts"), place.losses("whole"));
    assert_eq!(place.read("parts.w"), place.read("whole.w"));
}

#[test]
fn a_finished_run_can_train_more_epochs_as_if_it_had_been_asked_for_them_at_once() {
    let place = Place::new();
    let run = |name: &str, epochs: &str| {
        let (save, name) = (format!("{name}.w"), name.to_owned());
        place.train(
            &[&RUN[..], &["--epochs", epochs, "--run-dir", &name, "--save", &save]].concat(),
        );
    };
    run("whole", "4");
    run("parts", "2");
    let output = place.train(&["--resume", "parts", "--epochs", "4", "--log", "log"]);
    assert!(stderr(&output).contains("the weights will be saved to "), "{output:?}");
    assert!(stdout(&output).contains("epoch 4/4: "), "{output:?}");
    assert_eq!(place.losses("parts"), place.losses("whole"));
    assert_eq!(place.read("parts.w"), place.read("whole.w"));
    let log = String::from_utf8(place.read("log")).expect("UTF-8");
    let first: serde_json::Value =
        serde_json::from_str(log.lines().next().expect("a line")).expect("JSON");
    assert_eq!((&first["epochs"], &first["total_steps"]), (&4.into(), &240.into()), "{first}");
    let said = place.refused(&["--resume", "parts", "--epochs", "3"], 2);
    assert!(said.contains("--epochs is 3: expected at least 4"), "{said}");
    let said = place.refused(&["--resume", "parts", "--epochs", "4"], 2);
    assert!(said.contains("the run is complete after 240 steps"), "{said}");
    // Without a name it is the newest run of the state directory, finished or not.
    place.train(&[&RUN[..], &["--epochs", "1"]].concat());
    let output = place.train(&["--resume", "--epochs", "2"]);
    assert!(stdout(&output).contains("epoch 2/2: "), "{output:?}");
}

#[test]
fn other_images_are_refused_on_resuming_and_the_same_images_elsewhere_are_not() {
    let place = Place::new();
    place.train(&[&RUN[..], &["--epochs", "1", "--run-dir", "run"]].concat());
    let labels = place.path("data/train-labels-idx1-ubyte");
    let whole = fs::read(&labels).expect("it is there");
    let mut changed = whole.clone();
    *changed.last_mut().expect("labels") ^= 1;
    fs::write(&labels, changed).expect("it is ours");
    let resume = ["--resume", "run", "--epochs", "2"];
    let said = place.refused(&resume, 1);
    assert!(said.contains("the training labels of ") && said.contains("/data are not"), "{said}");
    fs::write(&labels, whole).expect("it is ours");
    fs::rename(place.path("data"), place.path("moved")).expect("it is ours");
    place.train(&[&resume[..], &["--data", "moved"]].concat());
    assert_eq!(place.losses("run").len(), 120);
}

/// All files of a run but its lock.
fn content(run: &Path) -> Vec<(std::ffi::OsString, Vec<u8>)> {
    let files = fs::read_dir(run).expect("it is there").flatten();
    let mut files: Vec<_> =
        files.map(|file| (file.file_name(), fs::read(file.path()).expect("a file"))).collect();
    files.sort();
    files
}

#[test]
fn a_run_that_cannot_be_resumed_is_left_as_it_was() {
    let place = Place::new();
    place.train(&[&RUN[..], &["--epochs", "3", "--run-dir", "run"]].concat());
    let before = content(&place.path("run"));
    fs::create_dir(place.path("bad")).expect("there is room");
    idx::write_set(&place.path("bad"), 300, 30);
    for from in ["run", "run/best.safetensors", "run/previous.safetensors"] {
        for wrong in [
            &["--data", "nowhere"][..],
            &["--data", "bad"],
            &["--save", "nowhere/w"],
            &["--log", "nowhere/log"],
        ] {
            let resume = [&["--resume", from, "--epochs", "5", "--keep-runs", "1"], wrong].concat();
            place.refused(&resume, 1);
            assert!(content(&place.path("run")) == before, "{resume:?}");
        }
    }
}

#[test]
fn a_run_that_never_starts_costs_no_other_run_and_leaves_none() {
    let place = Place::new();
    place.train(&[&RUN[..], &["--steps", "1"]].concat());
    let runs = || fs::read_dir(place.path("state/mnist-tui/runs")).expect("it is there").count();
    for wrong in [["--data", "nowhere"], ["--log", "nowhere/log"], ["--init", "nowhere"]] {
        place.refused(&[&["--keep-runs", "1"], &wrong[..]].concat(), 1);
        assert_eq!(runs(), 1);
    }
    fs::create_dir(place.path("own")).expect("there is room");
    place.refused(&["--data", "nowhere", "--run-dir", "own"], 1);
    assert_eq!(fs::read_dir(place.path("own")).expect("it stays").count(), 0);
}

#[test]
fn a_run_that_trains_on_through_nan_still_does_when_it_is_resumed() {
    let place = Place::new();
    let diverging = [&RUN[..], &["--lr", "1e30", "--epochs", "1", "--no-break-on-nan"]].concat();
    // A checkpoint needs finite weights: this one is made before the first step that is not.
    place.train(&[&diverging[..], &["--steps", "1", "--run-dir", "run"]].concat());
    let said = place.refused(&["--resume", "run", "--steps", "60"], 1);
    assert!(said.contains("✗ diverged at step "), "{said}");
    let config = String::from_utf8(place.read("run/config.json")).expect("UTF-8");
    assert!(config.contains(r#""break_on_nan": false"#), "{config}");
}

#[test]
fn the_number_of_runs_to_keep_is_remembered() {
    let place = Place::new();
    let train =
        |arguments: &[&str]| place.train(&[&RUN[..], &["--steps", "1"], arguments].concat());
    let names = || {
        let runs = fs::read_dir(place.path("state/mnist-tui/runs")).expect("it is there");
        let names = runs.flatten().map(|run| run.file_name().into_string().expect("UTF-8"));
        let mut names: Vec<String> = names.collect();
        names.sort_by_key(|name| (name.len(), name.clone()));
        names
    };
    train(&[]);
    let oldest = names().remove(0);
    train(&["--keep-runs", "2"]);
    let limited = names().into_iter().find(|name| *name != oldest).expect("two");
    train(&[]);
    assert_eq!(names().len(), 3);
    place.train(&["--resume", &limited, "--steps", "2"]);
    assert!(names().len() == 2 && !names().contains(&oldest));
}

#[cfg(unix)]
mod on_unix {
    use std::{
        ffi::OsStr,
        os::unix::{
            ffi::OsStrExt,
            fs::{PermissionsExt, symlink},
        },
    };

    use super::*;

    #[test]
    fn names_that_are_not_utf_8_work_and_are_kept_to_the_byte() {
        let place = Place::new();
        let name = OsStr::from_bytes(b"\xffw");
        let mut command = place.command();
        command.args(RUN).args(["--epochs", "1", "--run-dir", "run", "--headless", "--save"]);
        let output = command.arg(name).output().expect("the program starts");
        assert!(output.status.success(), "{output:?}");
        assert!(place.path(name).is_file());
        let config = load_checkpoint(&place.path("run/last.safetensors")).expect("whole").config;
        let saved = config.save.expect("it was asked for");
        assert_eq!(saved.file_name(), Some(name));
        // So does a folder of images, a log and a run's folder.
        let odd =
            |prefix: &str| OsStr::from_bytes(&[prefix.as_bytes(), b"\xfe"].concat()).to_owned();
        fs::rename(place.path("data"), place.path(odd("data"))).expect("it is ours");
        let mut command = place.command();
        command.args(["--steps", "1", "--headless"]);
        for (option, value) in [("--data", "data"), ("--log", "log"), ("--run-dir", "odd")] {
            command.arg(option).arg(odd(value));
        }
        let output = command.arg("--init").arg(name).output().expect("the program starts");
        assert!(output.status.success(), "{output:?}");
        assert!(place.path(odd("log")).is_file() && place.path(odd("odd")).is_dir());
        fs::rename(place.path(odd("data")), place.path("data")).expect("it is ours");
        let before = place.read(name);
        place.train(&["--resume", "run", "--epochs", "2"]);
        assert_ne!(place.read(name), before);
        // A relative path inside such a folder becomes an absolute one.
        let folder = place.path(OsStr::from_bytes(b"d\xfe"));
        fs::create_dir(&folder).expect("there is room");
        let mut command = place.command();
        command.args(["--data", "../data", "--steps", "1", "--save", "w", "--headless"]);
        let output = command.current_dir(&folder).output().expect("the program starts");
        assert!(output.status.success() && folder.join("w").is_file(), "{output:?}");
    }

    #[test]
    fn links_planted_in_a_run_are_not_written_through() {
        let place = Place::new();
        for (name, resumed) in [("journal.jsonl", false), ("best.safetensors", true)] {
            let run = format!("run-{name}");
            place.train(&[&RUN[..], &["--epochs", "1", "--run-dir", &run]].concat());
            let planted = place.path(&run).join(name);
            // What it holds is right, so that only the link can be what is refused.
            fs::copy(&planted, place.path("theirs")).expect("there is room");
            let theirs = place.read("theirs");
            fs::remove_file(&planted).expect("it was there");
            symlink(place.path("theirs"), &planted).expect("linked");
            let resume = ["--resume", &run, "--epochs", "4"];
            let output = place.run(&[&resume[..], &["--headless"]].concat());
            assert_eq!(output.status.success(), resumed, "{output:?}");
            assert_eq!(place.read("theirs"), theirs);
            let is_link = fs::symlink_metadata(&planted).expect("there").is_symlink();
            assert!(resumed || (is_link && stderr(&output).contains("it is a link")), "{output:?}");
        }
    }

    #[test]
    fn a_log_that_is_another_name_of_a_file_is_refused() {
        let place = Place::new();
        place.train(&[&RUN[..], &["--steps", "1", "--run-dir", "run"]].concat());
        let journal = place.read("run/journal.jsonl");
        fs::hard_link(place.path("run/journal.jsonl"), place.path("log")).expect("linked");
        let said = place.refused(&[&RUN[..], &["--steps", "1", "--log", "log"]].concat(), 1);
        assert!(said.contains("other names (hard links)"), "{said}");
        assert_eq!(place.read("run/journal.jsonl"), journal);
    }

    #[test]
    fn weights_do_not_replace_what_is_no_weights_unless_a_person_asks_for_it() {
        let place = Place::new();
        place.train(&[&RUN[..], &["--epochs", "1", "--run-dir", "run", "--save", "w"]].concat());
        fs::write(place.path("w"), "export PATH=/usr/bin\n").expect("it is ours");
        let said = place.refused(&["--resume", "run", "--epochs", "2"], 1);
        assert!(said.contains("is not a weights file: give another place with --save"), "{said}");
        // A pipe would be waited for.
        fs::remove_file(place.path("w")).expect("it is ours");
        assert!(Command::new("mkfifo").arg(place.path("w")).status().expect("it runs").success());
        let said = place.refused(&["--resume", "run", "--epochs", "2"], 1);
        assert!(said.contains("is not a weights file"), "{said}");
        fs::remove_file(place.path("w")).expect("it is ours");
        fs::write(place.path("w"), "export PATH=/usr/bin\n").expect("it is ours");
        place.train(&["--resume", "run", "--epochs", "2", "--save", "w2"]);
        assert!(place.path("w2").is_file());
        // The permissions of weights that are replaced stay.
        let private = fs::Permissions::from_mode(0o600);
        fs::set_permissions(place.path("w2"), private).expect("it is ours");
        place.train(&["--resume", "run", "--epochs", "3"]);
        let mode = fs::metadata(place.path("w2")).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(place.read("w"), b"export PATH=/usr/bin\n");
    }

    #[test]
    fn a_run_that_others_could_have_changed_is_not_resumed() {
        let place = Place::new();
        place.train(&[&RUN[..], &["--epochs", "1", "--run-dir", "run"]].concat());
        let open = fs::Permissions::from_mode(0o777);
        fs::set_permissions(place.path("run"), open).expect("it is ours");
        for arguments in [&["--resume", "run"][..], &["runs", "rm", "--yes", "run"]] {
            let output = place.run(arguments);
            assert_eq!(output.status.code(), Some(1), "{output:?}");
            assert!(stderr(&output).contains("other users may write to it"), "{output:?}");
        }
        assert!(place.path("run/config.json").is_file());
    }
}
