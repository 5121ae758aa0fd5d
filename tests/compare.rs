//! Stored runs side by side, from the command line.
#![cfg(unix)]

use std::{
    path::Path,
    process::{Command, Output},
};

mod common;
#[path = "common/idx.rs"]
mod idx;

use common::Tty;
use serde_json::Value;

fn run(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mnist-tui"))
        .args(arguments)
        .current_dir(folder)
        .env("XDG_STATE_HOME", folder.join("state"))
        .output()
        .expect("the program runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("text")
}

/// A folder with two short runs of a small set, which differ in their seeds and networks.
fn place() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    idx::write_set(folder.path(), 100, 20);
    for arguments in [
        ["--name", "one", "--seed", "1", "--model", "article"],
        ["--name", "two", "--seed", "2", "--model", "flatten, linear"],
    ] {
        let common = ["--data", ".", "--epochs", "2", "--batch-size", "20", "--headless"];
        let ended = run(folder.path(), &[&common[..], &arguments].concat());
        assert!(ended.status.success(), "{}", text(&ended.stderr));
    }
    folder
}

#[test]
fn runs_of_different_networks_are_compared_as_text_and_as_json() {
    let folder = place();
    let ended = run(folder.path(), &["compare", "one", "two"]);
    let (out, errors) = (text(&ended.stdout), text(&ended.stderr));
    assert!(ended.status.success() && errors.is_empty(), "{errors}");
    for wanted in ["A  one ", "B  two ", "seed   A  1", "model  A  conv", "Of 20 test images"] {
        assert!(out.contains(wanted), "{wanted:?} is not in\n{out}");
    }
    let ended = run(folder.path(), &["compare", "--json", "one", "two"]);
    let value: Value = serde_json::from_slice(&ended.stdout).expect("an object");
    let last = &value["runs"][0]["last"]["accuracy"];
    let correct = value["predictions"]["correct"][0].as_f64().expect("a count");
    assert_eq!(last.as_f64(), Some(correct / 20.0), "the same weights, the same images");
    for (arguments, status, expected) in [
        (&["compare", "one"][..], 2, "compare needs 2 to 8 runs, not 1"),
        (&["compare", "one", "one"], 2, "is named twice"),
        (&["compare", "one", "three"], 1, "holds no run"),
    ] {
        let ended = run(folder.path(), arguments);
        assert_eq!(ended.status.code(), Some(status));
        assert!(text(&ended.stderr).contains(expected), "{}", text(&ended.stderr));
    }
}

#[test]
fn pages_are_turned_on_a_terminal() {
    let folder = place();
    let state = folder.path().join("state");
    let state = state.to_str().expect("text");
    let arguments = ["compare", "one", "two"];
    let mut tty = Tty::start_with(&arguments, &[("XDG_STATE_HOME", state)], 100, 30);
    tty.wait_for_text("2 runs");
    tty.wait_for_text("Loss · log");
    tty.press("2");
    tty.wait_for_text("Settings that differ");
    tty.press("3");
    tty.wait_for_text("B minus A");
    tty.send("\t");
    tty.wait_for_text("A right, B wrong");
    tty.press("q");
    assert_eq!(tty.wait_for_exit(), 0);
    tty.assert_restored();
}
