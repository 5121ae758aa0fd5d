//! `mnist-tui data`, and runs on other sets than MNIST.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use serde_json::Value;

#[path = "common/idx.rs"]
mod idx;

fn run(folder: &Path, arguments: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mnist-tui"))
        .args(arguments.split(' '))
        .current_dir(folder)
        .env("XDG_STATE_HOME", folder.join("state"))
        .output()
        .expect("the program starts")
}

/// What a successful program printed.
#[track_caller]
fn printed(output: Output) -> String {
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// What a failed program said on stderr.
#[track_caller]
fn refused(output: &Output, status: i32) -> String {
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(status), &b""[..]));
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

#[test]
fn a_set_is_described_as_a_table_of_80_columns_and_as_an_object() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let text = printed(run(folder.path(), "data"));
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines[..2], ["MNIST (builtin)", "28×28 greyscale pixels, 10 classes"]);
    assert_eq!(lines[5], "    1     6,742   11.24%     1,135   11.35%  1");
    assert!(lines.iter().all(|line| line.chars().count() <= 80), "{text}");

    idx::write_set(folder.path(), 100, 20);
    let object = printed(run(folder.path(), "data . --json"));
    assert_eq!(object.lines().count(), 1);
    let object: Value = serde_json::from_str(&object).expect("one object");
    assert_eq!((&object["source"], &object["train"]["images"]), (&".".into(), &100.into()));
    assert_eq!(object["classes"][9], "9");
    assert_eq!(object["shape"], serde_json::json!([1, 28, 28]));
}

#[test]
fn a_set_that_cannot_be_read_is_an_error_and_a_size_out_of_range_wrong_usage() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let message = refused(&run(folder.path(), "data nowhere"), 1);
    assert!(
        message.starts_with("error: there is no file or folder nowhere: --data takes"),
        "{message}"
    );
    assert_eq!(message.lines().count(), 1);
    let message = refused(&run(folder.path(), "data . --image-size 100"), 2);
    assert!(message.contains("expected N or HxW with sides of 8 to 64 pixels"), "{message}");
}

#[test]
fn a_run_says_once_what_is_noteworthy_about_its_data() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    idx::write_set(folder.path(), 60, 20);
    for name in ["t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"] {
        fs::remove_file(folder.path().join(name)).expect("it was there");
    }
    let output = run(folder.path(), "--data . --epochs 2 --batch-size 10 --headless");
    assert!(output.status.success(), "{output:?}");
    let note =
        "note: There are no test images: 10 images, a sixth of each class, are held out as such.\n";
    assert_eq!(String::from_utf8_lossy(&output.stderr), note);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("/10 (") && text.contains("training with 50 data... done"), "{text}");
    assert!(printed(run(folder.path(), "data .")).ends_with(note));
}

#[test]
fn a_run_on_images_of_another_size_trains_a_network_that_takes_them() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let line = |label: u8| format!("{label}{}\n", ",9,200".repeat(32));
    let table = (line(0) + &line(1)).repeat(12);
    fs::write(folder.path().join("marks.csv"), table).expect("there is room");
    let arguments = "--data marks.csv --batch-size 5 --epochs 1 --headless";
    let message = refused(&run(folder.path(), arguments), 2);
    assert!(message.contains("layer2_conv takes maps of at least 5×5, found 6×2×2"), "{message}");
    let output = run(folder.path(), &format!("{arguments} --model flatten,linear"));
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("/4 (") && text.contains("training with 20 data... done"), "{text}");
}
