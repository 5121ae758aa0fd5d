//! Networks on the command line: `model`, `--model`, and weights that were made elsewhere.

use std::{fs, path::Path, process::Command};

use serde_json::Value;
use tempfile::TempDir;

#[path = "common/idx.rs"]
mod idx;

/// A folder with a small set: 100 training images, 20 test images.
fn place() -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    idx::write_set(folder.path(), 100, 20);
    folder
}

/// Exit status, stdout and stderr.
fn run(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_mnist-tui"))
        .args(arguments)
        .current_dir(folder)
        .env("XDG_STATE_HOME", folder.join("state"))
        .output()
        .expect("the program starts");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code().expect("no signal"), text(output.stdout), text(output.stderr))
}

/// The weights file with other names for the first modules, of the same length.
fn renamed(bytes: &[u8], names: &[(&str, &str)]) -> Vec<u8> {
    let length = u64::from_le_bytes(*bytes.first_chunk().expect("a length")) as usize;
    let (header, data) = bytes[8..].split_at(length);
    let mut header = String::from_utf8(header.to_vec()).expect("UTF-8");
    for (from, to) in names {
        header = header.replace(from, to);
    }
    [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), data].concat()
}

#[test]
fn a_network_is_shown_as_a_table_as_json_and_as_python() {
    let folder = place();
    let (status, table, _) = run(folder.path(), &["model"]);
    assert!(
        status == 0 && table.contains("layer2_conv  16×8×8        2,416        153,600"),
        "{table}"
    );
    let layers = "conv 8 k3 s2, bn, relu, gap, linear";
    let (status, json, _) = run(folder.path(), &["model", layers, "--json", "--data", "."]);
    let json: Value = serde_json::from_str(&json).expect("one object");
    assert_eq!((status, json["spec"].as_str()), (0, Some(layers)));
    assert_eq!(json["layers"][0]["output"], serde_json::json!([8, 13, 13]));
    assert_eq!(json["running"][1]["name"], "bn1.running_var");
    fs::write(
        folder.path().join("net.toml"),
        "[[layer]]\ntype = \"flatten\"\n[[layer]]\ntype = \"linear\"\n",
    )
    .expect("there is room");
    let (status, python, _) = run(folder.path(), &["model", "net.toml", "--pytorch"]);
    assert!(status == 0 && python.contains("self.fc1 = nn.Linear(784, 10)"), "{python}");
}

#[test]
fn the_readme_shows_what_the_program_prints_and_a_file_that_it_reads() {
    let folder = place();
    let readme = include_str!("../README.md");
    let between = |start: &str, end: &str| {
        let (_, rest) = readme.split_once(start).expect("the README has it");
        rest.split_once(end).expect("it ends").0
    };
    let example = between("$ mnist-tui model \"", "```");
    let (layers, table) = example.split_once("\"\n").expect("a line with the command");
    assert_eq!(run(folder.path(), &["model", layers]).1, table);
    let file = between("```toml\n", "```");
    fs::write(folder.path().join("net.toml"), file).expect("there is room");
    let (_, table, _) = run(folder.path(), &["model", "net.toml"]);
    assert!(table.starts_with("conv 16 k3 p1, flatten, linear\n"), "{table}");
}

#[test]
fn a_network_that_cannot_be_is_wrong_usage_told_in_one_sentence() {
    let folder = place();
    for (arguments, message) in [
        (["model", "conv 8 k3, linear"], "fc1 takes a row of values, found 8×26×26 maps"),
        (["model", "conv 8 k8"], "at character 8: expected kernel k1 to k7, found \"k8\""),
        (["--model", "none.toml"], "cannot read none.toml: "),
        (["--model", "flatten, linear 9"], "--model: the last layer gives a row of 9 values"),
    ] {
        let (status, stdout, stderr) = run(folder.path(), &arguments);
        assert!((status, stdout.as_str()) == (2, "") && stderr.contains(message), "{stderr}");
        assert!(stderr.starts_with("error: "), "{stderr}");
    }
    assert!(!folder.path().join("state").exists());
}

#[test]
fn weights_of_pytorch_users_are_taken_with_a_note() {
    let folder = place();
    let path = |name: &str| folder.path().join(name);
    let train =
        ["--data", ".", "--headless", "--no-run-dir", "--epochs", "1", "--batch-size", "10"];
    let with = |more: &[&str]| run(folder.path(), &[&train[..], more].concat());
    assert_eq!(with(&["--save", "own.safetensors"]).0, 0);
    let own = fs::read(path("own.safetensors")).expect("it was saved");
    let names = [("layer1_conv.", "0."), ("layer2_conv.", "3."), ("\"fc.", "\"7.")];
    fs::write(path("seq.safetensors"), renamed(&own, &names)).expect("there is room");

    let note = "note: seq.safetensors: the layers 0, 3, 7 of an nn.Sequential were taken as \
                layer1_conv, layer2_conv, fc\n";
    let eval = |weights: &str| run(folder.path(), &["eval", "--data", ".", "--weights", weights]);
    let (own, sequential) = (eval("own.safetensors"), eval("seq.safetensors"));
    assert_eq!((own.0, own.2.as_str()), (0, ""));
    let shown = run(folder.path(), &["model", "own.safetensors"]);
    assert_eq!(shown, run(folder.path(), &["model"]));
    assert_eq!((sequential.0, &sequential.1, sequential.2.as_str()), (0, &own.1, note));

    let from = |init: &str| with(&["--init", init, "--log", "log.jsonl"]);
    let log = || {
        let log = fs::read_to_string(path("log.jsonl")).expect("it was written");
        let steps = log.lines().filter(|line| line.contains("\"step\",")).map(str::to_owned);
        steps.collect::<Vec<_>>()
    };
    assert_eq!(from("own.safetensors").0, 0);
    let expected = log();
    fs::remove_file(path("log.jsonl")).expect("it is there");
    let (status, _, stderr) = from("seq.safetensors");
    assert_eq!((status, log()), (0, expected));
    assert!(stderr.contains("seq.safetensors: the layers 0, 3, 7"), "{stderr}");
}

#[test]
fn a_run_is_resumed_with_its_own_network_alone() {
    let folder = place();
    let train =
        ["--data", ".", "--headless", "--run-dir", "r", "--epochs", "1", "--batch-size", "10"];
    assert_eq!(run(folder.path(), &train).0, 0);
    let resume = |model: &str| {
        run(folder.path(), &["--resume", "r", "--headless", "--epochs", "2", "--model", model])
    };
    let (status, _, stderr) = resume("flatten, linear");
    let message = "--model cannot change: this run trains conv 6 k5, relu, pool 2, conv 16 k5, relu, pool 2, \
                   flatten, linear";
    assert!(status == 2 && stderr.contains(message), "{stderr}");
    assert_eq!(resume("article").0, 0);
}

#[test]
fn weights_and_model_must_agree() {
    let folder = place();
    let train = ["--data", ".", "--headless", "--no-run-dir", "--steps", "1", "--batch-size", "10"];
    let save = [&train[..], &["--save", "w"]].concat();
    assert_eq!(run(folder.path(), &save).0, 0);
    let (status, _, stderr) = run(
        folder.path(),
        &["eval", "--data", ".", "--weights", "w", "--model", "flatten, linear"],
    );
    let message = "w does not hold the weights of the network \"flatten, linear\": it holds the weights of \
                   the network article";
    assert!(status == 1 && stderr.contains(message), "{stderr}");
    let other = ["--model", "flatten, linear", "--save", "plain"];
    assert_eq!(run(folder.path(), &[&train[..], &other].concat()).0, 0);
    let eval = ["eval", "--data", ".", "--weights", "plain", "--model", "flatten, linear 10"];
    assert_eq!(run(folder.path(), &eval).0, 0, "the width that is left out is the same");
    let shown = run(folder.path(), &["model", "plain"]);
    assert!(shown.0 == 0 && shown.1.starts_with("flatten, linear\n"), "{shown:?}");
    fs::write(folder.path().join("w.pt"), b"PK\x03\x04............data.pkl")
        .expect("there is room");
    let (status, _, stderr) = run(folder.path(), &["--init", "w.pt", "--data", "."]);
    let line = "safetensors.torch.save_file(torch.load(\"w.pt\", map_location=\"cpu\"), \"w.safetensors\")";
    assert!(status == 1 && stderr.contains(line), "{stderr}");
    assert!(!folder.path().join("state").exists());
}

#[test]
fn weights_for_images_of_another_size_are_told_as_such() {
    let folder = place();
    let train = ["--headless", "--no-run-dir", "--steps", "1", "--batch-size", "10"];
    let layers = ["--model", "flatten, linear"];
    let save = [&train[..], &layers, &["--data", ".", "--save", "w"]].concat();
    assert_eq!(run(folder.path(), &save).0, 0);
    let lines = (0..24).map(|i| format!("{},{}\n", i % 3, ["7"; 64].join(",")));
    fs::write(folder.path().join("small.csv"), lines.collect::<String>()).expect("there is room");
    let small = ["--data", "small.csv", "--init", "w"];
    let (status, _, stderr) = run(folder.path(), &[&train[..], &layers, &small].concat());
    let message =
        "they were trained on 28×28 images of 10 classes, expected 8×8 images of 3 classes";
    assert!(status == 1 && stderr.contains(message), "{stderr}");
}

#[test]
fn a_long_model_with_a_mistake_does_not_bury_the_message() {
    let folder = place();
    let (status, _, stderr) = run(folder.path(), &["model", &"conv 16, ".repeat(1_000)]);
    assert!(status == 2 && stderr.len() < 500, "{stderr}");
    assert!(stderr.contains("…") && stderr.contains("expected kernel k1 to k7"), "{stderr}");
}
