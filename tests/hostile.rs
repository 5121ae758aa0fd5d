//! Files and arguments that are not what they should be: a sentence each, and never a panic.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Output, Stdio},
};

use mnist_tui::{
    app::App,
    checkpoint::{Checkpoint, decode_checkpoint, load_checkpoint, save_checkpoint},
    cli,
    config::RunConfig,
    data::DataInfo,
    journal::JournalReader,
    protocol::{Breakpoint, Slot, TrainingProgress, TrainingState},
};
use proptest::prelude::*;

#[path = "common/idx.rs"]
mod idx;

/// The bytes of a whole checkpoint.
fn checkpoint_bytes() -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("x");
    let values = vec![0.25; 5_142];
    let state = TrainingState {
        progress: TrainingProgress { rates: vec![(0, 1e-3)], ..TrainingProgress::default() },
        weights: values.clone(),
        running: Vec::new(),
        set: DataInfo::mnist(),
        slots: vec![
            Slot { name: "first_moment".into(), values: values.clone() },
            Slot { name: "second_moment".into(), values },
        ],
        average: None,
        best: None,
        losses: vec![0.5; 3],
    };
    let checkpoint =
        Checkpoint { config: RunConfig::default(), state: state.into(), journal_bytes: 0 };
    save_checkpoint(&path, &checkpoint).expect("there is room");
    fs::read(&path).expect("it is there")
}

/// A journal of a short run, made by a real one.
fn journal_text() -> String {
    let place = place();
    let output = run(place.path(), &["--epochs", "2", "--batch-size", "20", "--run-dir", "run"]);
    assert!(output.status.success(), "{output:?}");
    fs::read_to_string(place.path().join("run").join("journal.jsonl")).expect("it is there")
}

fn feed_screen(bytes: &[u8]) -> u64 {
    let mut reader = JournalReader::new(Path::new("x"), bytes);
    let mut app = App::new(Vec::new()).looking_on();
    while let Ok(Some(event)) = reader.next_event() {
        let _ = app.update(event.into());
    }
    reader.bytes()
}

/// A change to some bytes.
#[derive(Clone, Debug)]
enum Damage {
    Set(usize, u8),
    Cut(usize),
    Repeat(usize, usize),
}

fn damages() -> impl Strategy<Value = Vec<Damage>> {
    let damage = prop_oneof![
        (any::<usize>(), any::<u8>()).prop_map(|(place, value)| Damage::Set(place, value)),
        any::<usize>().prop_map(Damage::Cut),
        (any::<usize>(), 1_usize..200).prop_map(|(place, len)| Damage::Repeat(place, len)),
    ];
    prop::collection::vec(damage, 1..6)
}

fn damaged(mut bytes: Vec<u8>, damages: &[Damage]) -> Vec<u8> {
    for damage in damages {
        if bytes.is_empty() {
            break;
        }
        match *damage {
            Damage::Set(place, value) => {
                let place = place % bytes.len();
                bytes[place] = value;
            }
            Damage::Cut(place) => bytes.truncate(place % bytes.len()),
            Damage::Repeat(place, len) => {
                let place = place % bytes.len();
                let part = bytes[place..(place + len).min(bytes.len())].to_vec();
                bytes.splice(place..place, part);
            }
        }
    }
    bytes
}

#[test]
fn a_damaged_checkpoint_is_a_sentence_or_a_usable_state() {
    let whole = checkpoint_bytes();
    // Most of a checkpoint is numbers; the header in front is what can be misread.
    let header = 8 + u64::from_le_bytes(*whole.first_chunk().expect("a length")) as usize;
    proptest!(|(damages in damages(), in_header: bool)| {
        let part = if in_header { header } else { whole.len() };
        let mut bytes = damaged(whole[..part].to_vec(), &damages);
        bytes.extend_from_slice(&whole[part..]);
        match decode_checkpoint("name", &bytes) {
            Ok(checkpoint) => {
                prop_assert_eq!(checkpoint.state.weights.len(), 5_142);
                prop_assert!(checkpoint.state.weights.iter().all(|value| value.is_finite()));
                prop_assert!(checkpoint.config.validate().is_ok());
            }
            Err(error) => prop_assert!(error.to_string().starts_with("name "), "{}", error),
        }
    });
}

#[test]
fn a_damaged_journal_ends_where_it_is_damaged() {
    let whole = journal_text().into_bytes();
    assert_eq!(feed_screen(&whole), whole.len() as u64);
    proptest!(ProptestConfig::with_cases(200), |(damages in damages())| {
        let bytes = damaged(whole.clone(), &damages);
        prop_assert!(feed_screen(&bytes) <= bytes.len() as u64);
    });
}

#[test]
fn numbers_in_a_journal_may_be_anything() {
    let whole = journal_text();
    let pieces: Vec<&str> = whole.split_inclusive(|c: char| !c.is_ascii_digit()).collect();
    let numbers = ["0", "18446744073709551615", "4294967295", "-1", "1e308", "9999999999"];
    proptest!(ProptestConfig::with_cases(200), |(
        changes in prop::collection::vec((any::<prop::sample::Index>(), 0..numbers.len()), 1..8),
    )| {
        let mut text: Vec<String> = pieces.iter().map(|piece| (*piece).to_owned()).collect();
        for (place, number) in changes {
            let piece = place.get(&pieces);
            if piece.len() > 1 && let Some(end) = piece.chars().last() {
                text[place.index(pieces.len())] = format!("{}{end}", numbers[number]);
            }
        }
        feed_screen(text.concat().as_bytes());
    });
}

proptest! {
    #[test]
    fn any_words_are_right_usage_or_not(
        words in prop::collection::vec(
            prop_oneof![
                "[a-z0-9.=>%,-]{0,12}",
                "--(epochs|lr|steps|break|resume|run-dir|fps|threads|device|seed|rewind-memory|color)",
                "(nan|inf|-1|1e999|99999999999999999999|spike|epoch|accuracy>=2)",
            ],
            0..6,
        ),
    ) {
        let words = std::iter::once("mnist-tui".to_owned()).chain(words);
        let _ = cli::is_right_usage(words.map(Into::into));
    }

    #[test]
    fn a_breakpoint_that_reads_prints_as_it_reads(text in "(epoch|nan|spike|step|loss|accuracy|[ -~]{0,8})[=>]{0,2}[0-9.e%+-]{0,8}") {
        if let Ok(breakpoint) = text.parse::<Breakpoint>() {
            prop_assert_eq!(breakpoint.to_string().parse(), Ok(breakpoint));
        }
    }
}

fn place() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    idx::write_set(folder.path(), 100, 20);
    folder
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mnist-tui"))
        .args(arguments)
        .args(["--data", ".", "--headless"])
        .current_dir(folder)
        .env("XDG_STATE_HOME", folder.join("state"))
        .stdin(Stdio::null())
        .output()
        .expect("the program starts")
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn where_no_run_can_be_kept_training_goes_on_with_a_warning() {
    let place = place();
    fs::write(place.path().join("state"), "a file where a folder should be").expect("written");
    let output = run(place.path(), &["--epochs", "1"]);
    assert!(output.status.success());
    assert!(stderr(&output).starts_with("warning: this run cannot be resumed: "), "{output:?}");
    let output = run(place.path(), &["--epochs", "1", "--run-dir", "state/run"]);
    assert_eq!(output.status.code(), Some(1), "what was asked for is not to be had");
    assert!(stderr(&output).contains("state/run"), "{output:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_journal_that_may_not_grow_is_told_and_leaves_a_checkpoint_to_resume_from() {
    let place = place();
    let arguments = ["--epochs", "1000", "--batch-size", "20", "--run-dir", "run", "--headless"];
    let output = Command::new("sh")
        // 75 KiB, more than a checkpoint has. The signal of this limit would kill the program.
        .args(["-c", "ulimit -f 150; exec \"$@\"", "sh", env!("CARGO_BIN_EXE_mnist-tui")])
        .args(["--data", "."])
        .args(arguments)
        .current_dir(place.path())
        .output()
        .expect("the program starts");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = stderr(&output);
    assert!(said.contains("journal.jsonl: File too large"), "{said}");
    let reached = || {
        let last = place.path().join("run/last.safetensors");
        load_checkpoint(&last).expect("whole").state.progress.clone()
    };
    let step = reached().step;
    assert!(step > 0 && reached().epoch < 1_000, "{step}");
    let resumed = Command::new(env!("CARGO_BIN_EXE_mnist-tui"))
        .args(["--resume", "run", "--headless"])
        .current_dir(place.path())
        .output()
        .expect("the program starts");
    assert!(resumed.status.success(), "{resumed:?}");
    assert_eq!(reached().epoch, 1_000);
}

#[cfg(target_os = "linux")]
#[test]
fn a_lack_of_memory_is_told_as_what_it_is() {
    let program = env!("CARGO_BIN_EXE_mnist-tui");
    let mut told = 0;
    for mebibytes in (40..=320).step_by(20) {
        let output = Command::new("sh")
            .arg("-c")
            .arg(format!("ulimit -v {}; exec \"$@\"", mebibytes * 1_024))
            .args(["sh", program, "--headless", "--no-run-dir", "--steps", "1", "--threads", "1"])
            .output()
            .expect("a shell");
        let message = stderr(&output);
        assert!(!message.contains("damaged") && !message.contains("internal error"), "{message}");
        told += usize::from(message.contains("there is not enough memory for the 47040016 bytes"));
    }
    assert!(told > 0, "no limit was met where the images are decoded");
}

#[test]
fn a_folder_that_disappears_is_told_once() {
    let place = place();
    let mut child = Command::new(env!("CARGO_BIN_EXE_mnist-tui"))
        .args(["--data", ".", "--headless", "--epochs", "1000000", "--run-dir", "run"])
        .current_dir(place.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let folder = place.path().join("run");
    let mut epochs = BufReader::new(child.stdout.take().expect("it is piped")).lines();
    let mut told = BufReader::new(child.stderr.take().expect("it is piped")).lines();
    let mut next_epoch = || epochs.next().expect("there is another epoch").expect("it is text");
    while !folder.join("last.safetensors").is_file() {
        next_epoch();
    }
    // The program may be about to put a file there.
    while folder.exists() {
        let _ = fs::remove_dir_all(&folder);
        next_epoch();
    }
    let first = told.next().expect("a warning is printed").expect("it is text");
    assert!(first.starts_with("warning: ") && first.contains("run"), "{first}");
    for _ in 0..200 {
        next_epoch();
    }
    // One who reads no more ends the run.
    drop(epochs);
    let rest: Vec<String> = told.map_while(Result::ok).collect();
    child.wait().expect("it ends");
    // The first may have come from a checkpoint that was under way when the folder went.
    let warnings = rest.iter().filter(|line| line.starts_with("warning: "));
    let others: Vec<_> = warnings.filter(|line| !line.contains("was removed")).collect();
    assert!(others.is_empty() && rest.len() <= 2, "{rest:?}");
}

#[test]
fn folders_where_files_should_be_and_files_of_others_are_named() {
    let place = place();
    let file = |name: &str| place.path().join("run").join(name);
    let new_run = ["--epochs", "1", "--run-dir", "run"];
    assert!(run(place.path(), &new_run).status.success());
    let resumed = || {
        let output = Command::new(env!("CARGO_BIN_EXE_mnist-tui"))
            .args(["--resume", "run", "--headless"])
            .current_dir(place.path())
            .output()
            .expect("the program starts");
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        stderr(&output)
    };
    fs::remove_file(file("last.safetensors")).expect("it was there");
    fs::create_dir(file("last.safetensors")).expect("a folder");
    assert!(resumed().contains("last.safetensors: it is not a regular file"));
    fs::remove_dir(file("last.safetensors")).expect("it was there");
    fs::write(file("last.safetensors"), b"MZ\x90\0").expect("written");
    assert!(resumed().contains("last.safetensors is not a whole safetensors file"));
    fs::remove_file(file("last.safetensors")).expect("it was there");
    fs::write(file("config.json"), "{\"epochs\": 1e99}").expect("written");
    assert!(resumed().contains("config.json is not the configuration of a run, or is damaged"));
}
