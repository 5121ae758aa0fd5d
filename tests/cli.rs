//! The program as scripts use it: options, files, output and exit status, without a screen.

use std::{
    ffi::OsStr,
    fs,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread,
    time::Duration,
};

use crossbeam_channel::bounded;
use serde_json::Value;
use tempfile::TempDir;

#[path = "common/idx.rs"]
mod idx;

/// Generous, since test machines are slow and busy; a passing test never waits that long.
const DEADLINE: Duration = Duration::from_secs(120);

/// A folder with a small set: 100 training images, 20 test images.
struct Place {
    folder: TempDir,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        idx::write_set(folder.path(), 100, 20);
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs the program on the small set, in that folder.
    fn run(&self, arguments: &[&str]) -> Ended {
        self.run_bare(&[arguments, &["--data", "."]].concat())
    }

    /// Runs the program in that folder.
    fn run_bare(&self, arguments: &[&str]) -> Ended {
        ended(start(arguments, self.folder.path()))
    }

    fn log(&self, name: &str) -> Vec<Value> {
        let text = fs::read_to_string(self.path(name)).expect("the log is there");
        text.lines().map(|line| serde_json::from_str(line).expect("a JSON object")).collect()
    }
}

fn start(arguments: &[impl AsRef<OsStr>], folder: &Path) -> Child {
    Command::new(env!("CARGO_BIN_EXE_mnist-tui"))
        .args(arguments)
        .current_dir(folder)
        .env("XDG_STATE_HOME", folder.join("state"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts")
}

struct Ended {
    status: i32,
    stdout: String,
    stderr: String,
}

fn ended(child: Child) -> Ended {
    let (sender, output) = bounded(1);
    thread::spawn(move || sender.send(child.wait_with_output()));
    let output = output.recv_timeout(DEADLINE).expect("the program ends in time");
    let Output { status, stdout, stderr } = output.expect("its output can be read");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    Ended {
        status: status.code().expect("no signal ended it"),
        stdout: text(stdout),
        stderr: text(stderr),
    }
}

impl Ended {
    #[track_caller]
    fn succeeded(self) -> String {
        assert_eq!((self.status, self.stderr.as_str()), (0, ""), "{}", self.stdout);
        self.stdout
    }

    /// The one line on stderr of a program that failed.
    #[track_caller]
    fn failed(self) -> String {
        assert_eq!((self.status, self.stdout.as_str()), (1, ""), "{}", self.stderr);
        assert_eq!(self.stderr.lines().count(), 1, "{}", self.stderr);
        self.stderr.strip_prefix("error: ").expect("an error").trim_end().to_owned()
    }

    /// What wrong usage says on stderr.
    #[track_caller]
    fn refused(self) -> String {
        assert_eq!((self.status, self.stdout.as_str()), (2, ""), "{}", self.stderr);
        assert!(self.stderr.starts_with("error: "), "{}", self.stderr);
        assert!(self.stderr.contains("--help"), "{}", self.stderr);
        self.stderr
    }
}

/// `1.25` of `train loss 1.25,` for the label `train loss`.
fn number_after(line: &str, label: &str) -> f64 {
    let (_, rest) = line.split_once(label).unwrap_or_else(|| panic!("no {label} in {line}"));
    let end = |c: char| !(c.is_ascii_digit() || c == '.');
    let rest = rest.trim_start();
    rest[..rest.find(end).unwrap_or(rest.len())].parse().expect("a number")
}

#[test]
fn a_run_prints_a_line_for_each_epoch_and_ends_as_the_article_does() {
    let out = Place::new().run(&["--epochs", "12", "--batch-size", "5"]).succeeded();
    let lines: Vec<_> = out.lines().collect();
    assert_eq!(lines.len(), 15, "{out}");
    assert!(lines[0].starts_with("epoch  0/12: before training,   test loss "), "{out}");
    let lines = &lines[1..];
    for (epoch, line) in lines[..12].iter().enumerate() {
        assert!(line.starts_with(&format!("epoch {:>2}/12: train loss ", epoch + 1)), "{line}");
        assert!(line.contains(", test loss ") && line.ends_with(" images/s"), "{line}");
    }
    assert!(number_after(lines[11], "train loss") < number_after(lines[0], "train loss"));
    assert!(lines[12].starts_with("training with 100 data... done (elapsed "), "{out}");
    assert!(lines[12].ends_with("s)"), "{out}");
    let score = lines[13].strip_prefix("test accuracy: ").expect("the accuracy");
    assert!(score.contains("/20 (") && score.ends_with("%)"), "{out}");
}

#[test]
fn the_log_has_every_step_of_every_epoch() {
    let place = Place::new();
    let arguments = ["--epochs", "3", "--batch-size", "7", "--steps", "40", "--log", "run.jsonl"];
    let out = place.run(&[&arguments[..], &["--save", "w.safetensors"]].concat()).succeeded();
    let log = place.log("run.jsonl");
    let of = |event: &str| log.iter().filter(|line| line["event"] == event).collect::<Vec<_>>();
    let run = &log[0];
    assert_eq!(run["event"], "run");
    assert_eq!(
        (&run["version"], &run["batch_size"]),
        (&env!("CARGO_PKG_VERSION").into(), &7.into())
    );
    assert_eq!((&run["total_steps"], &run["max_steps"]), (&40.into(), &40.into()));
    let steps = of("step");
    assert_eq!(steps.len(), 40);
    for (place, step) in steps.iter().enumerate() {
        assert_eq!(step["step"], place + 1);
        assert_eq!(
            (&step["epoch"], &step["batch"]),
            (&(place / 15 + 1).into(), &(place % 15 + 1).into())
        );
        assert!(step["loss"].as_f64().is_some_and(|loss| loss > 0.0));
    }
    let epochs = of("epoch");
    assert_eq!(
        epochs.iter().map(|line| line["batches"].as_u64()).collect::<Vec<_>>(),
        [Some(15), Some(15), Some(10)]
    );
    for (line, epoch) in out.lines().skip(1).zip(&epochs) {
        assert_eq!(epoch["total"], 20);
        let correct = epoch["correct"].as_u64().expect("a count");
        assert!(line.contains(&format!(" {correct}/20 (")), "{line}");
        let confusion: Vec<Vec<u64>> =
            serde_json::from_value(epoch["confusion"].clone()).expect("a matrix");
        assert_eq!(confusion.iter().flatten().sum::<u64>(), 20);
        assert_eq!((0..10).map(|class| confusion[class][class]).sum::<u64>(), correct);
        for figure in
            ["train_loss", "train_seconds", "images_per_second", "eval_loss", "eval_seconds"]
        {
            assert!(epoch[figure].as_f64().is_some_and(|value| value > 0.0), "{figure}: {epoch}");
        }
    }
    let done = log.last().expect("a last line");
    assert_eq!(
        (&done["event"], &done["steps"], &done["images"]),
        (&"done".into(), &40.into(), &270.into())
    );
    assert_eq!((&done["stopped"], &done["saved"]), (&false.into(), &"w.safetensors".into()));
    assert_eq!(done["correct"], epochs[2]["correct"]);
    assert_eq!((log[1]["event"].as_str(), &log[1]["step"]), (Some("evaluation"), &0.into()));
    assert_eq!(log.len(), 1 + 1 + 40 + 3 + 1);
}

#[test]
fn saved_weights_give_the_same_figures_when_they_are_evaluated() {
    let place = Place::new();
    let arguments = ["--epochs", "2", "--batch-size", "5", "--save", "w.safetensors"];
    let out = place.run(&[&arguments[..], &["--log", "run.jsonl"]].concat()).succeeded();
    assert!(out.contains("weights saved to w.safetensors\n"), "{out}");
    let log = place.log("run.jsonl");
    let epoch = log.iter().rfind(|line| line["event"] == "epoch").expect("an epoch");

    let json = place.run(&["eval", "--weights", "w.safetensors", "--json"]).succeeded();
    let answer: Value = serde_json::from_str(&json).expect("one JSON object");
    assert_eq!(answer.as_object().map(serde_json::Map::len), Some(4), "{json}");
    for (figure, of_run) in [
        ("correct", "correct"),
        ("total", "total"),
        ("loss", "eval_loss"),
        ("confusion", "confusion"),
    ] {
        assert_eq!(answer[figure], epoch[of_run], "{figure}");
    }

    let table = place.run(&["eval", "--weights", "w.safetensors"]).succeeded();
    let last = out.lines().last().expect("the accuracy");
    assert_eq!(table.lines().next(), Some(last));
    assert_eq!(table.lines().count(), 14, "{table}");
}

#[test]
fn a_run_goes_on_from_the_weights_it_is_given() {
    let place = Place::new();
    let first = ["--epochs", "10", "--batch-size", "5", "--save", "w.safetensors"];
    place.run(&first).succeeded();
    let loss = |arguments: &[&str]| {
        place.run(&[arguments, &["--steps", "1", "--log", "one.jsonl"]].concat()).succeeded();
        place.log("one.jsonl")[2]["loss"].as_f64().expect("a loss")
    };
    let (fresh, learned) = (loss(&[]), loss(&["--init", "w.safetensors"]));
    assert!(fresh > 2.0 && learned < fresh / 2.0, "{fresh} {learned}");
}

#[test]
fn the_same_seed_gives_the_same_losses_and_weights_and_another_does_not() {
    let place = Place::new();
    let run = |name: &str, arguments: &[&str]| {
        let arguments = [arguments, &["--epochs", "2", "--save", name, "--log", "log"]].concat();
        place.run(&arguments).succeeded();
        let losses: Vec<_> = place.log("log").iter().map(|line| line["loss"].clone()).collect();
        (losses, fs::read(place.path(name)).expect("saved"))
    };
    let first = run("a", &["--seed", "5", "--threads", "1"]);
    assert!(first == run("b", &["--seed", "5", "--threads", "3"]));
    assert!(first != run("c", &["--seed", "6", "--threads", "1"]));
    assert!(first != run("d", &["--seed", "5", "--no-shuffle"]));
    assert!(first != run("e", &["--seed", "5", "--lr", "0.002"]));
}

#[test]
fn validation_images_are_evaluated_on_and_the_test_images_at_the_end() {
    let place = Place::new();
    let arguments = ["--epochs", "1", "--validation", "30", "--batch-size", "70", "--log", "log"];
    let out = place.run(&arguments).succeeded();
    let lines: Vec<_> = out.lines().collect();
    assert!(lines[0].contains("before training,   validation loss "), "{out}");
    assert!(lines[1].contains(", validation loss ") && lines[1].contains("/30 ("), "{out}");
    assert!(lines[2].starts_with("training with 70 data... done"), "{out}");
    assert!(lines[3].starts_with("test accuracy") && lines[3].contains("/20 ("), "{out}");
    let log = place.log("log");
    let epoch = log.iter().find(|line| line["event"] == "epoch").expect("an epoch");
    assert_eq!((&epoch["eval_set"], &epoch["total"]), (&"validation".into(), &30.into()));
    assert_eq!(log.last().map(|line| &line["total"]), Some(&20.into()));
}

#[test]
fn values_out_of_range_are_named_with_the_range() {
    let place = Place::new();
    for (arguments, message) in [
        ("--batch-size 0", "--batch-size is 0: expected at least 1"),
        ("--batch-size 60001", "--batch-size is 60001: expected 1 to 60000, the training images"),
        (
            "--data . --batch-size 101",
            "--batch-size is 101: expected 1 to 100, the training images",
        ),
        ("--validation 60000", "--validation is 60000: expected fewer than the 60000"),
        ("--data . --validation 100", "--validation is 100: expected fewer than the 100"),
        ("--epochs 0", "--epochs is 0: expected at least 1"),
        ("--epochs -1", "'--epochs <N>': expected a whole number that is not negative"),
        ("--steps 0", "--steps is 0: expected at least 1"),
        ("--lr -0.1", "--lr is -0.1: expected a finite number above 0"),
        ("--lr 0", "--lr is 0: expected a finite number above 0"),
        ("--lr nan", "--lr is NaN: expected a finite number above 0"),
        ("--lr inf", "--lr is inf: expected a finite number above 0"),
        ("--lr fast", "'--lr <F>': expected a number"),
        ("--threads 0", "--threads is 0: expected 1 to 1024"),
        ("--fps 0", "expected 1 to 60 frames a second"),
        ("--fps 61", "expected 1 to 60 frames a second"),
        ("--seed x", "'--seed <N>': expected a whole number that is not negative"),
        ("--device gpu", "expected auto, cpu, cuda, cuda:N, metal or metal:N"),
        ("--colour", "unexpected argument '--colour'"),
        ("eval", "--weights"),
        ("eval --weights w --threads 0", "--threads is 0: expected 1 to 1024"),
        ("reproduce --threads 0", "--threads is 0: expected 1 to 1024"),
        ("--headless eval --weights w", "cannot be used with"),
        ("train", "train"),
    ] {
        let arguments: Vec<_> = arguments.split(' ').collect();
        let message_of = place.run_bare(&arguments).refused();
        assert!(message_of.contains(message), "{arguments:?}: {message_of}");
    }
}

#[cfg(not(feature = "metal"))]
#[test]
fn a_gpu_that_the_build_has_no_support_for_says_how_to_build_it() {
    for device in ["metal", "metal:1"] {
        let message = Place::new().run_bare(&["--device", device]).refused();
        assert!(message.contains("cargo build --release --features metal"), "{message}");
    }
}

#[test]
fn files_that_cannot_be_used_end_the_run_in_one_sentence_that_names_them() {
    let place = Place::new();
    fs::write(place.path("text"), "no weights").expect("written");
    fs::create_dir(place.path("empty")).expect("made");
    for (arguments, parts) in [
        ("--data nowhere", ["nowhere", "folder"]),
        ("--data empty", ["empty", "train-images-idx3-ubyte"]),
        ("--data . --init nowhere", ["there is no file nowhere", "safetensors"]),
        ("--data . --init text", ["text", ""]),
        (
            "--data . --save nowhere/w",
            ["cannot save the weights to nowhere/w", "no folder nowhere"],
        ),
        ("--data . --save empty", ["cannot save the weights to empty", "it is a folder"]),
        ("--data . --log nowhere/log", ["cannot write the log nowhere/log", "no folder nowhere"]),
        ("--data . --log empty", ["cannot write the log empty", "it is a folder"]),
        ("eval --weights nowhere", ["there is no file nowhere", "safetensors"]),
        ("eval --weights text", ["text", ""]),
    ] {
        let arguments: Vec<_> = arguments.split(' ').collect();
        let message = place.run_bare(&arguments).failed();
        assert!(parts.iter().all(|part| message.contains(part)), "{arguments:?}: {message}");
    }
}

#[test]
fn a_run_that_fails_says_so_at_the_end_of_its_log() {
    let place = Place::new();
    // Weights that are not finite are not saved.
    let arguments = ["--epochs", "1", "--lr", "1e30", "--save", "w", "--log", "log"];
    let ended = place.run(&arguments);
    assert_eq!(ended.status, 1);
    let message = ended.stderr.strip_prefix("error: ").expect("the cause").trim_end();
    let log = place.log("log");
    let last = log.last().expect("it has lines");
    assert_eq!((&log[0]["event"], &last["event"]), (&"run".into(), &"failed".into()));
    assert_eq!(last["message"], message);
    assert!(!place.path("w").exists());
}

#[test]
fn a_run_that_never_starts_leaves_an_earlier_log_alone() {
    let place = Place::new();
    std::fs::write(place.path("log"), "an earlier log").expect("a temporary folder");
    place.run_bare(&["--data", "nowhere", "--log", "log"]).failed();
    let log = std::fs::read_to_string(place.path("log")).expect("it is still there");
    assert_eq!(log, "an earlier log");
}

#[test]
fn a_run_that_diverges_fails_without_a_screen_and_keeps_older_weights() {
    let place = Place::new();
    fs::write(place.path("w"), "older").expect("written");
    let wild = ["--lr", "1e30", "--batch-size", "5", "--save", "w"];
    let ended = place.run(&wild);
    assert_eq!((ended.status, ended.stdout.lines().count()), (1, 1), "{}", ended.stdout);
    let message = ended.stderr;
    assert!(
        message.starts_with("error: ✗ diverged at step 2: the loss of step 2 is not finite"),
        "{message}"
    );
    assert!(message.contains("lower --lr"), "{message}");
    assert_eq!(fs::read(place.path("w")).expect("still there"), b"older");
    let ended = place.run(&[&wild[..], &["--no-break-on-nan"]].concat());
    assert_eq!(ended.status, 1);
    assert!(ended.stdout.contains("train loss NaN"), "{}", ended.stdout);
    let last = "training with 100 data... ✗ diverged at step 2 (elapsed";
    assert!(ended.stdout.lines().last().is_some_and(|line| line.starts_with(last)));
    assert!(ended.stderr.contains("error: ✗ diverged at step 2"), "{}", ended.stderr);
    assert_eq!(fs::read(place.path("w")).expect("still there"), b"older");
}

#[test]
fn breakpoints_that_nobody_can_resume_from_are_wrong_usage() {
    let place = Place::new();
    for condition in ["epoch", "step=5", "loss>2", "spike", "accuracy>=0.9"] {
        let message = place.run(&["--break", condition]).refused();
        assert!(message.contains("needs the dashboard"), "{message}");
    }
    let message = place.run(&["--break", "never"]).refused();
    assert!(message.contains("expected epoch, step=N, loss>X"), "{message}");
    let message = place.run(&["--break", "nan", "--no-break-on-nan"]).refused();
    assert!(message.contains("contradict each other"), "{message}");
    let message = place.run(&["--rewind-memory", "-1"]).refused();
    assert!(message.contains("whole number"), "{message}");
    place.run(&["--break", "nan", "--epochs", "1"]).succeeded();
}

#[test]
fn a_log_over_the_weights_is_refused() {
    let place = Place::new();
    for option in ["--init", "--save"] {
        let message = place.run(&[option, "w", "--log", "./w"]).refused();
        assert!(message.contains(&format!("{option} and --log are the same file")), "{message}");
    }
    assert!(!place.path("w").exists());
}

#[test]
fn images_are_not_written_over() {
    let place = Place::new();
    let images = "train-images-idx3-ubyte";
    let before = fs::read(place.path(images)).expect("the place has images");
    for option in ["--save", "--log"] {
        let message = place.run(&[option, images, "--steps", "1"]).refused();
        assert!(message.contains("which holds images: choose another name"), "{message}");
    }
    assert_eq!(fs::read(place.path(images)).expect("still there"), before);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_fails_the_run_and_names_what_is_missing() {
    let place = Place::new();
    let ended = place.run(&["--epochs", "1", "--log", "/dev/full"]);
    assert_eq!(ended.status, 1);
    assert!(ended.stdout.contains("test accuracy: "), "the run itself went on");
    assert!(
        ended.stderr.starts_with("error: cannot write the log /dev/full: "),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_reader_that_goes_away_ends_the_run_quietly() {
    let place = Place::new();
    let arguments = ["--data", ".", "--epochs", "100000000", "--batch-size", "5"];
    let mut child = start(&arguments, place.folder.path());
    let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut line = String::new();
    out.read_line(&mut line).expect("a line");
    assert!(line.starts_with("epoch         0/100000000: "), "{line}");
    drop(out);
    let ended = ended(child);
    assert_eq!((ended.status, ended.stderr.as_str()), (0, ""));
}

#[test]
fn help_and_version_go_to_stdout() {
    let place = Place::new();
    let help = place.run_bare(&["--help"]).succeeded();
    for option in [
        "--headless",
        "--data",
        "--epochs",
        "--batch-size",
        "--lr",
        "--seed",
        "--no-shuffle",
        "--validation",
        "--steps",
        "--init",
        "--save",
        "--log",
        "--threads",
        "--device",
        "--fps",
        "eval",
        "predict",
        "reproduce",
        "Examples:",
    ] {
        assert!(help.contains(option), "{option} is missing from\n{help}");
    }
    assert!(help.lines().all(|line| line.chars().count() <= 100), "{help}");
    assert!(place.run_bare(&["eval", "--help"]).succeeded().contains("--weights <FILE>"));
    assert!(place.run_bare(&["predict", "--help"]).succeeded().contains("<IMAGE>..."));
    assert!(place.run_bare(&["reproduce", "--help"]).succeeded().contains("--seed"));
    let version = place.run_bare(&["--version"]).succeeded();
    assert_eq!(version, format!("mnist-tui {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn the_devices_are_listed_whatever_else_is_given() {
    let place = Place::new();
    for arguments in
        [&["--device", "list"][..], &["eval", "--device", "list"], &["doctor", "--device=list"]]
    {
        let list = place.run_bare(arguments).succeeded();
        assert!(list.starts_with("cpu      CPU, "), "{list}");
    }
}

#[test]
fn doctor_reports_the_machine_and_whether_a_run_can_start() {
    let place = Place::new();
    let text = place.run_bare(&["doctor", "--measure", "--threads", "1"]).succeeded();
    assert!(text.contains("\nthreads    1") && text.contains(" images/s"), "{text}");
    assert!(text.ends_with("Training can start.\n"), "{text}");
    let object = place.run_bare(&["doctor", "--json"]).succeeded();
    let value: serde_json::Value = serde_json::from_str(&object).expect("one object");
    assert_eq!((&value["ready"], object.lines().count()), (&true.into(), 1));
    let message = place.run_bare(&["doctor", "--threads", "0"]).refused();
    assert!(message.contains("--threads is 0"), "{message}");
}

#[test]
fn help_into_a_closed_pipe_is_quiet() {
    let place = Place::new();
    let mut child = start(&["--help"], place.folder.path());
    drop(child.stdout.take());
    let mut stderr = String::new();
    child.stderr.take().expect("a pipe").read_to_string(&mut stderr).expect("read");
    assert_eq!((ended(child).status, stderr.as_str()), (0, ""));
}

#[test]
fn reproduce_compares_both_experiments_with_the_article() {
    let table = Place::new().run(&["reproduce", "--seed", "1"]).succeeded();
    let lines: Vec<_> = table.lines().collect();
    assert_eq!(lines.len(), 4, "{table}");
    assert!(
        lines[2].starts_with("batch 1, file order") && lines[2].contains("9766/10000 (97.66%)")
    );
    assert!(lines[3].starts_with("batch 50, shuffled") && lines[3].contains("9725/10000 (97.25%)"));
    assert!(lines[2..].iter().all(|line| line.contains("/20 (")), "{table}");
}

#[test]
fn losses_on_the_built_in_set_are_those_of_pytorch() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/torch");
    let place = Place::new();
    let init = fixtures.join("init.safetensors");
    let arguments = ["--init", init.to_str().expect("UTF-8"), "--no-shuffle", "--steps", "20"];
    place.run_bare(&[&arguments[..], &["--log", "log"]].concat()).succeeded();
    let text = fs::read_to_string(fixtures.join("trajectory.json")).expect("a fixture");
    let reference: Value = serde_json::from_str(&text).expect("JSON");
    let log = place.log("log");
    let losses: Vec<_> = log.iter().filter_map(|line| line["loss"].as_f64()).collect();
    assert_eq!(losses.len(), 20);
    for (step, loss) in losses.iter().enumerate() {
        let expected = reference["losses"][step].as_f64().expect("a loss");
        assert!((loss - expected).abs() < 2e-3, "step {}: {loss}, PyTorch {expected}", step + 1);
    }
}

#[test]
fn a_stored_run_is_listed_and_described_by_its_name() {
    let place = Place::new();
    let train = ["--epochs", "2", "--batch-size", "10", "--lr", "0.01", "--name", "quick"];
    place.run(&[&train[..], &["--headless"]].concat()).succeeded();
    let list = place.run_bare(&["runs", "--sort", "best", "--filter", "lr 0.01"]).succeeded();
    let line = list.lines().nth(1).expect("a run");
    assert!(line.starts_with("quick  done") && line.contains("lr 0.01"), "{list}");
    let text = place.run_bare(&["runs", "show", "quick"]).succeeded();
    assert!(
        text.contains("progress  epoch 2 of 2, step 20") && text.contains("test loss"),
        "{text}"
    );
    let json = place.run_bare(&["runs", "show", "quick", "--json"]).succeeded();
    let answer: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!((&answer["name"], &answer["state"]), (&"quick".into(), &"done".into()));
    assert_eq!(answer["evaluations"][1]["step"], 20);
    let all = place.run_bare(&["runs", "--json"]).succeeded();
    let all: serde_json::Value = serde_json::from_str(&all).expect("JSON");
    assert_eq!((&all[0]["step"], &all[0]["config"]["batch_size"]), (&20.into(), &10.into()));
    let validated = ["--validation", "20", "--name", "held", "--headless"];
    place.run(&[&train[..6], &validated].concat()).succeeded();
    let text = place.run_bare(&["runs", "show", "held"]).succeeded();
    assert!(text.contains("% of the validation images\ntest      "), "{text}");
    let none = place.run_bare(&["runs", "show", "slow"]);
    assert!(none.status == 1 && none.stderr.contains("holds no run"), "{}", none.stderr);
}
