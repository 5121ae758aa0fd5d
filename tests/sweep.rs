//! Sweeps by the program itself: killed, resumed, sharded, and compared with runs alone.
#![cfg(unix)]

use std::{fs, process::Output};

use common::Tty;
use mnist_tui::{checkpoint::load_checkpoint, sweep::SweepFolder};

mod common;
#[path = "common/idx.rs"]
mod idx;
#[path = "common/place.rs"]
mod place;

use place::{Place, ended, signal, until};

/// Eight runs of 60 steps each.
const EIGHT: [&str; 11] = [
    "--data",
    ".",
    "--set",
    "lr=0.001,0.01",
    "--set",
    "model=article,\"flatten, linear\"",
    "--seeds",
    "2",
    "--batch-size",
    "5",
    "--epochs=1",
];

impl Place {
    fn sweep(&self, arguments: &[&str]) -> Output {
        ended(self.start(&[&["sweep"], arguments].concat()))
    }

    /// Runs a sweep that must succeed, and gives what it printed.
    #[track_caller]
    fn swept(&self, arguments: &[&str]) -> String {
        let output = self.sweep(arguments);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && stderr.is_empty(), "{:?} {stderr}", output.status);
        String::from_utf8(output.stdout).expect("text")
    }

    /// The lines of a sweep's results, without the time that training took.
    #[track_caller]
    fn rows(&self, file: &str) -> Vec<String> {
        let text = fs::read_to_string(self.path(file)).expect("there are results");
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let headings = reader.headers().expect("a heading").clone();
        let time = headings.iter().position(|heading| heading == "train_seconds");
        let rows = reader.records().map(|row| {
            let row = row.expect("a whole line");
            let cells = row.iter().enumerate().filter(|(place, _)| Some(*place) != time);
            cells.map(|(_, cell)| cell.to_owned()).collect::<Vec<_>>().join(";")
        });
        rows.collect()
    }

    fn weights(&self, run: &str) -> Vec<f32> {
        let checkpoint = load_checkpoint(&self.path(run).join("last.safetensors"));
        checkpoint.expect("a whole checkpoint").state.weights.clone()
    }
}

#[test]
fn a_run_of_a_sweep_has_the_bits_that_it_has_alone() {
    let place = Place::new();
    let text = place.swept(&[&EIGHT[..], &["--out", "all", "--jobs", "3"]].concat());
    assert!(text.starts_with("8 runs, 3 at once, in all\n"), "{text}");
    assert!(text.contains("by point, over its seeds\n") && text.contains("by model\n"), "{text}");
    assert_eq!(place.rows("all/results.csv").len(), 8);
    for (run, options) in [
        ("0003", ["--lr", "0.01", "--model", "article", "--seed", "0"]),
        ("0006", ["--lr", "0.001", "--model", "flatten, linear", "--seed", "1"]),
    ] {
        let alone = ["--data", ".", "--batch-size", "5", "--epochs", "1", "--headless"];
        let dir = format!("alone-{run}");
        let output = ended(place.start(&[&alone[..], &options, &["--run-dir", &dir]].concat()));
        assert!(output.status.success(), "{output:?}");
        assert_eq!(place.weights(&format!("all/{run}")), place.weights(&dir), "{run}");
    }
}

#[test]
fn a_sweep_killed_at_any_moment_ends_with_the_rows_of_one_that_was_not() {
    let place = Place::new();
    place.swept(&[&EIGHT[..], &["--out", "whole"]].concat());
    let whole = place.rows("whole/results.csv");
    let results = place.path("killed/results.csv");
    let known = || fs::read_to_string(&results).map_or(0, |text| text.lines().count());
    for least in [0, 1, 3, 6] {
        let child = place.start(&[&["sweep"], &EIGHT[..], &["--out", "killed"]].concat());
        until("a few results", || known() > least);
        signal(&child, "KILL");
        ended(child);
    }
    place.swept(&["--resume", "killed"]);
    assert_eq!(place.rows("killed/results.csv"), whole);
    let jsonl = fs::read_to_string(place.path("killed/results.jsonl")).expect("it is there");
    assert_eq!(jsonl.lines().count(), 8);
    for run in 1..=8 {
        let [killed, whole] =
            ["killed", "whole"].map(|sweep| place.weights(&format!("{sweep}/000{run}")));
        assert_eq!(killed, whole, "run {run}");
    }
    // All is there: nothing is trained.
    let text = place.swept(&["--resume", "killed"]);
    assert!(text.starts_with("8 runs, of which 8 have a result, in killed\n"), "{text}");
}

#[test]
fn a_signal_ends_a_sweep_in_order_and_says_how_to_continue() {
    let place = Place::new();
    let long = ["--data", ".", "--seeds", "3", "--batch-size", "5", "--epochs", "100000"];
    let child = place.start(&[&["sweep"], &long[..], &["--out", "long"]].concat());
    let last = place.path("long/0001/last.safetensors");
    until("a checkpoint", || last.exists());
    signal(&child, "INT");
    let output = ended(child);
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    assert!(
        text.ends_with("3 of 3 runs are left: continue with `mnist-tui sweep --resume long`\n"),
        "{text}"
    );
    assert!(load_checkpoint(&last).is_ok());
}

#[test]
fn shards_share_the_runs_and_collect_to_the_same_results() {
    let place = Place::new();
    place.swept(&[&EIGHT[..], &["--out", "whole"]].concat());
    for shard in ["3/3", "1/3", "2/3"] {
        let text = place.swept(&[&EIGHT[..], &["--out", "parts", "--shard", shard]].concat());
        assert!(
            text.ends_with("merge all shards with `mnist-tui sweep collect parts`\n"),
            "{text}"
        );
    }
    assert_eq!(place.rows("parts/results-3-of-3.csv").len(), 2);
    let text = place.swept(&["collect", "parts"]);
    assert!(
        text.starts_with("8 of 8 runs; accuracy on the test images in %, best first\n"),
        "{text}"
    );
    assert_eq!(place.rows("parts/results.csv"), place.rows("whole/results.csv"));
}

#[test]
fn results_come_from_validation_images_where_there_are_any_and_diverged_runs_have_a_row() {
    let place = Place::new();
    let text = place.swept(&[
        "--data",
        ".",
        "--set",
        "lr=0.001,1e30",
        "--validation",
        "50",
        "--epochs",
        "2",
        "--out",
        "a",
    ]);
    let rows = place.rows("a/results.csv");
    assert!(
        rows[0].starts_with("0.001;0;2;10;") && rows[0].ends_with(";0001;validation;done"),
        "{rows:?}"
    );
    assert!(
        rows[1].starts_with("1e30;0;") && rows[1].ends_with(";;;;;0002;validation;diverged"),
        "{rows:?}"
    );
    assert!(text.contains("accuracy on the validation images"), "{text}");
}

#[test]
fn mistakes_are_named_before_anything_starts() {
    let place = Place::new();
    let base = ["--data", ".", "--set", "lr=0.1,0.2"];
    place.swept(&["--data", ".", "--seeds", "2", "--steps", "1", "--out", "taken"]);
    for (arguments, expected) in [
        (
            &["--set", "lr=0.1,fast"][..],
            "lr=fast: invalid value 'fast' for '--lr <F>': expected a number",
        ),
        (
            &["--set", "batchsize=1"],
            "--set batchsize=1: there is no option batchsize; did you mean batch-size?",
        ),
        (&["--set", "lr"], "--set lr: expected KEY=VALUE,VALUE…"),
        (&["--set", "lr=1..2"], "--set lr is a range: give --random N"),
        (&["--set", "lr=0.1,-1"], "lr=-1: --lr is -1: expected a finite number above 0"),
        (&["--set", "seed=1,2"], "--set seed=1,2: give --seeds N"),
        (&["--set", "threads=1,2"], "threads is the same in all runs of a sweep"),
        (&["--set", "momentum=0,0.9"], "momentum=0"),
        (&["--set", "no-shuffle=maybe"], "no-shuffle=maybe: expected true or false"),
        (&["--set", "lr=1,2", "--lr", "3"], "--set lr=1,2: --lr is given, too"),
        (&[], "nothing varies"),
        (&["--set", "lr=1,2", "--save", "x"], "--save is for a single run"),
        (&["--set", "lr=1,2", "--shard", "1/2"], "--shard needs --out DIR"),
        (&["--set", "lr=1,2", "--shard", "3/2"], "expected K/N with K from 1 to N"),
        (&["--set", "lr=0.1,0.2", "--out", "new", "--shard", "3/4"], "the sweep has only 2 runs"),
        (&["--set", "lr=1,2", "--jobs", "0"], "--jobs is 0: expected at least 1"),
        (
            &["--set", "lr=1,2", "--random", "9"],
            "there are only 2 different points, leave it out to train all of them",
        ),
        (
            &["--set", "batch-size=1..2", "--random", "9"],
            "there are only 2 different points, expected at most that",
        ),
        (
            &["--set", "validation=0,50"],
            "validation=50 is evaluated on validation images and validation=0 on test images",
        ),
        (&["--resume", "taken", "--set", "lr=1"], "cannot be used with"),
        (&["--resume", "taken", "--epochs", "3"], "--epochs cannot change in a sweep"),
    ] {
        let output = place.sweep(arguments);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(error.contains(expected), "{arguments:?}: {error}");
        let usage = error.lines().find(|line| line.starts_with("Usage: "));
        assert!(usage.is_none_or(|usage| usage.starts_with("Usage: mnist-tui sweep ")), "{error}");
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{arguments:?}");
    }
    for (arguments, expected) in [
        (&[&base[..], &["--out", "taken"]].concat()[..], "taken holds a sweep with other settings"),
        (&[&base[..], &["--out", "."]].concat(), ". is not empty"),
        (&["--resume", "nowhere"], "nowhere holds no sweep"),
        (&["collect", "."], ". holds no sweep"),
        (&["--resume"], "there is no sweep in "),
    ] {
        let output = place.sweep(arguments);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(error.starts_with("error: ") && error.contains(expected), "{arguments:?}: {error}");
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
    }
}

#[test]
fn a_run_that_was_trained_further_by_hand_has_no_place_in_the_results() {
    let place = Place::new();
    let five = ["--data", ".", "--seeds", "2", "--steps", "5", "--out", "a"];
    place.swept(&five);
    let results = place.path("a/results.jsonl");
    let rows = fs::read_to_string(&results).expect("it is there");
    let further = ended(place.start(&["--resume", "a/0001", "--steps", "9", "--headless"]));
    assert!(further.status.success(), "{further:?}");
    // Its row stays valid; without it, the run is another one.
    place.swept(&["--resume", "a"]);
    fs::write(&results, rows.lines().nth(1).expect("two rows").to_owned() + "\n").expect("written");
    let output = place.sweep(&["--resume", "a"]);
    let error = String::from_utf8_lossy(&output.stderr);
    let expected = "a/0001 holds a run with other settings than the plan's (steps: 9, planned: 5): move it away";
    assert!(error.contains(expected), "{error}");
    assert_eq!((output.status.code(), place.rows("a/results.csv").len()), (Some(1), 1));
    fs::rename(place.path("a/0001"), place.path("further")).expect("it is there");
    place.swept(&["--resume", "a"]);
    assert_eq!(fs::read_to_string(&results).expect("it is there").lines().count(), 2);
    assert_eq!(place.rows("a/results.csv")[0].split(';').nth(2), Some("5"));
}

#[test]
fn results_are_summarised_while_another_process_writes_them() {
    let place = Place::new();
    place.swept(&["--data", ".", "--seeds", "2", "--steps", "1", "--out", "a"]);
    let folder = SweepFolder::open(&place.path("a")).expect("it is there");
    let held = folder.results(None).expect("nobody writes");
    let output = place.sweep(&["collect", "a"]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.starts_with("2 of 2 runs; "), "{output:?}");
    let note = String::from_utf8_lossy(&output.stderr);
    assert!(note.starts_with("note: another mnist-tui process is writing results.csv"), "{note}");
    drop(held);
    assert!(place.swept(&["collect", "a"]).ends_with("results: a/results.csv\n"));
}

#[test]
fn a_sweep_can_outlive_its_terminal() {
    let place = Place::new();
    let base = ["sweep", "--data", ".", "--seeds", "2", "--batch-size", "5"];
    for (option, epochs, status) in [("stop", "10000", Some(129)), ("continue", "4", Some(0))] {
        let options = ["--on-hangup", option, "--out", option, "--epochs", epochs];
        let child = place.start(&[&base[..], &options].concat());
        let last = place.path(option).join("0001/last.safetensors");
        until("a checkpoint", || last.exists());
        signal(&child, "HUP");
        let output = ended(child);
        assert_eq!(output.status.code(), status, "{option}: {output:?}");
    }
    assert_eq!(place.rows("continue/results.csv").len(), 2);
}

#[test]
fn a_switch_varies_and_can_be_unset() {
    let place = Place::new();
    fs::write(place.path("base.toml"), "data = \".\"\nsteps = 2\nno-shuffle = true\n")
        .expect("written");
    let base = ["--config", "base.toml"];
    place.swept(&[&base[..], &["--set", "no-shuffle=true,false", "--out", "a"]].concat());
    place.swept(&[&base[..], &["--seeds", "2", "--no-shuffle=false", "--out", "b"]].concat());
    let shuffles = |run: &str| {
        let config = fs::read_to_string(place.path(run).join("config.json")).expect("it is there");
        serde_json::from_str::<serde_json::Value>(&config).expect("JSON")["shuffle"].as_bool()
    };
    assert_eq!(["a/0001", "a/0002", "b/0001"].map(shuffles), [false, true, true].map(Some));
    place.swept(&[&base[..], &["--set", "betas=(0.9,0.99),(0.8,0.9)", "--out", "c"]].concat());
    assert_eq!(place.rows("c/results.csv").len(), 2);
}

#[test]
fn a_preset_and_a_file_apply_to_all_runs_and_a_value_takes_precedence() {
    let place = Place::new();
    fs::write(place.path("base.toml"), "data = \".\"\nepochs = 1\nbatch-size = 10\nlr = 0.5\n")
        .expect("written");
    place.swept(&[
        "--config",
        "base.toml",
        "--set",
        "lr=0.001,0.002",
        "--steps",
        "2",
        "--out",
        "a",
    ]);
    let config = fs::read_to_string(place.path("a/0002/config.json")).expect("it is there");
    let config: serde_json::Value = serde_json::from_str(&config).expect("JSON");
    assert_eq!((&config["learning_rate"], &config["batch_size"]), (&0.002.into(), &10.into()));
    place.swept(&["--data", ".", "--set", "preset=article,fast", "--steps", "2"]);
    let sweeps = fs::read_dir(place.path("state/mnist-tui/sweeps")).expect("it is the default");
    assert_eq!(sweeps.count(), 1);
    assert!(place.swept(&["--resume"]).contains("2 runs, of which 2 have a result, in "));
}

#[test]
fn an_error_of_every_run_is_told_once_and_ends_the_sweep() {
    let place = Place::new();
    let output = place.sweep(&["--data", "nowhere", "--seeds", "500", "--out", "a", "--jobs", "2"]);
    let error = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<&str> = error.lines().collect();
    assert!(lines.len() == 3 && lines[0].contains("there is no file or folder "), "{error}");
    assert!(lines[1].contains(" more runs failed with the same error as run "), "{error}");
    assert!(lines[2].starts_with("error: the sweep ends early"), "{error}");
    assert_eq!(output.status.code(), Some(1));
    let runs = fs::read_dir(place.path("a")).expect("it is there").count();
    assert!(runs < 50, "{runs} entries: the sweep went on");
}

#[test]
fn a_sweep_on_a_terminal_is_watched_opened_and_stopped() {
    let place = Place::new();
    let [data, out] = [".", "a"].map(|name| place.path(name).display().to_string());
    let options = ["--set", "batch-size=5,10", "--epochs", "100000", "--jobs", "1"];
    let arguments = [&["sweep", "--data", &data, "--out", &out][..], &options].concat();
    let mut tty = Tty::start_with(&arguments, &[], 100, 30);
    tty.wait_for_text("In training · 1");
    tty.wait_for_text("batch-size=5, seed 0");
    tty.wait_for_text("enter curves");
    tty.press("\r");
    tty.wait_for_text("Loss · log");
    tty.wait_for_text("q back");
    tty.press("q");
    tty.wait_for_text("q stop and quit");
    tty.press("q");
    assert_eq!(tty.wait_for_exit(), 0);
    tty.assert_restored();
    assert!(load_checkpoint(&place.path("a/0001/last.safetensors")).is_ok());
    // The summary stays in the terminal.
    tty.wait_for_text("2 of 2 runs are left: continue with");
}
