//! Runs that end, are killed and go on, by the program itself.
#![cfg(unix)]

use std::{
    fs,
    os::unix::process::ExitStatusExt,
    path::Path,
    process::{Child, Command, Output, Stdio},
};

use mnist_tui::{checkpoint::load_checkpoint, journal::JournalReader, protocol::Event};

#[path = "common/idx.rs"]
mod idx;
#[path = "common/place.rs"]
mod place;

use place::{Place, ended, signal, until};

/// Epochs of a short run, which is often over before anything can be done to it.
const EPOCHS: u32 = 6;
/// Epochs of one that a signal reaches.
const LONGER: u32 = 60;

impl Place {
    fn headless(&self, arguments: &[&str]) -> Child {
        self.start(&[&["--headless"], arguments].concat())
    }

    /// Starts a run of so many epochs of 60 steps each.
    fn start_run(&self, name: &str, epochs: u32) -> Child {
        let (save, epochs) = (format!("{name}.weights"), epochs.to_string());
        let run = ["--data", ".", "--epochs", &epochs, "--batch-size", "5", "--threads", "1"];
        self.headless(&[&run[..], &["--run-dir", name, "--save", &save]].concat())
    }

    fn resume(&self, arguments: &[&str]) -> Output {
        ended(self.headless(&[&["--resume"], arguments].concat()))
    }

    fn course(&self, name: &str) -> Course {
        Course::read(&self.path(name).join("journal.jsonl"))
    }

    fn weights(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(&format!("{name}.weights"))).expect("the weights were saved")
    }
}

fn succeeded(output: &Output) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    // A resumed run says where its weights go.
    let others =
        stderr.lines().find(|line| !line.starts_with("note: the weights will be saved to "));
    assert!(output.status.success() && others.is_none(), "{:?} {stderr}", output.status);
}

fn failed(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// What a journal says of a run: its losses step by step, and its evaluations.
#[derive(Debug, PartialEq)]
struct Course {
    losses: Vec<f32>,
    epochs: Vec<(u32, u64, u64, f64, f64)>,
    ends: usize,
}

impl Course {
    #[track_caller]
    fn read(path: &Path) -> Self {
        let mut reader = JournalReader::open(path).expect("the journal is there");
        let mut course = Self { losses: Vec::new(), epochs: Vec::new(), ends: 0 };
        while let Some(event) = reader.next_event().expect("the journal is whole") {
            match event {
                Event::Progress(progress) => {
                    let expected = course.losses.len() as u64 + 1;
                    assert_eq!(progress.first_step, expected, "no gap and no repeat");
                    course.losses.extend(progress.losses);
                }
                Event::Epoch(record) => {
                    let evaluation = &record.evaluation;
                    let (correct, loss) = (evaluation.correct, evaluation.loss);
                    let epoch = (record.epoch, record.step, correct, loss, record.train_loss);
                    course.epochs.push(epoch);
                }
                Event::Finished(_) => course.ends += 1,
                _ => {}
            }
        }
        course
    }
}

#[test]
fn a_run_ended_by_a_signal_goes_on_as_if_it_had_not() {
    let place = Place::new();
    succeeded(&ended(place.start_run("whole", LONGER)));
    for (name, signal_name, number) in [("term", "TERM", 15), ("int", "INT", 2), ("hup", "HUP", 1)]
    {
        let child = place.start_run(name, 100_000);
        let last = place.path(name).join("last.safetensors");
        until("a checkpoint", || last.exists());
        signal(&child, signal_name);
        let output = ended(child);
        assert_eq!(output.status.code(), Some(128 + number), "{output:?}");
        let reached = load_checkpoint(&last).expect("whole").state.progress.clone();
        let course = place.course(name);
        assert_eq!((course.losses.len() as u64, course.ends), (reached.step, 1));
    }

    let child = place.start_run("stopped", LONGER);
    let last = place.path("stopped").join("last.safetensors");
    until("a checkpoint", || last.exists());
    signal(&child, "TERM");
    ended(child);
    succeeded(&place.resume(&["stopped"]));
    let (whole, stopped) = (place.course("whole"), place.course("stopped"));
    assert_eq!((whole.losses.len(), whole.epochs.len()), (60 * 60, 60));
    assert_eq!(stopped.losses, whole.losses);
    assert_eq!(stopped.epochs, whole.epochs);
    assert_eq!(place.weights("stopped"), place.weights("whole"));
}

#[test]
fn a_run_can_be_resumed_any_number_of_times_and_from_any_checkpoint() {
    let place = Place::new();
    succeeded(&ended(place.start_run("whole", EPOCHS)));
    succeeded(&ended(place.start_run("again", EPOCHS)));
    for checkpoint in ["previous.safetensors", "best.safetensors", "last.safetensors"] {
        fs::remove_file(place.path("again.weights")).expect("it was saved");
        let path = format!("again/{checkpoint}");
        succeeded(&place.resume(&[&path]));
        let (whole, again) = (place.course("whole"), place.course("again"));
        assert_eq!((again.losses, again.epochs), (whole.losses, whole.epochs), "{checkpoint}");
        assert_eq!(place.weights("again"), place.weights("whole"), "{checkpoint}");
    }
}

#[test]
fn without_a_name_the_newest_unfinished_run_goes_on_and_finished_ones_do_not() {
    let place = Place::new();
    let run = ["--data", ".", "--epochs", "2", "--batch-size", "5"];
    assert!(failed(&place.resume(&[])).contains("no unfinished run"));
    succeeded(&ended(place.headless(&run)));
    assert!(failed(&place.resume(&[])).contains("no unfinished run"));
    let child = place.headless(&[&run[..2], &["--epochs", "100000", "--batch-size", "5"]].concat());
    let runs = place.path("state").join("mnist-tui").join("runs");
    let checkpoints = || {
        let folders = fs::read_dir(&runs).expect("it is there").flatten();
        folders.filter(|run| run.path().join("last.safetensors").exists()).count()
    };
    until("a checkpoint of the second run", || checkpoints() == 2);
    let list = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mnist-tui"));
        command.arg("runs").args(arguments).env("XDG_STATE_HOME", place.path("state"));
        let output = command.output().expect("the program starts");
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let (status, text) = list(&[]);
    assert_eq!(status, Some(0));
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[1].contains("  running  ") && lines[2].contains("  done  "), "{text}");
    let name = |line: &str| line.split_whitespace().next().expect("a name").to_owned();
    assert_eq!(list(&["rm", "--yes", &name(lines[1])]).0, Some(1), "it is in use");
    signal(&child, "KILL");
    assert_eq!(ended(child).status.signal(), Some(9));
    assert!(list(&[]).1.contains("  interrupted  "));
    let journal = runs.join(name(lines[1])).join("journal.jsonl");
    let trained = || fs::metadata(&journal).expect("it is there").len();
    let before = trained();
    let resumed = place.headless(&["--resume"]);
    // Cut to its last checkpoint first, it grows beyond what it was.
    until("the run to train further", || trained() > before);
    assert!(list(&[]).1.contains("  running  "));
    signal(&resumed, "TERM");
    ended(resumed);
    assert!(list(&[]).1.contains("  stopped  "));
    assert_eq!(list(&["rm", "--yes", &name(lines[1]), &name(lines[2])]).0, Some(0));
    assert!(list(&[]).1.starts_with("no runs in "));
}

#[test]
fn what_is_damaged_is_named_and_the_checkpoint_before_it_offered() {
    let place = Place::new();
    succeeded(&ended(place.start_run("run", EPOCHS)));
    let file = |name: &str| place.path("run").join(name);
    let whole = fs::read(file("last.safetensors")).expect("it is there");
    fs::write(file("last.safetensors"), &whole[..whole.len() / 2]).expect("written");
    let message = failed(&place.resume(&["run"]));
    assert!(message.contains("last.safetensors is not a whole safetensors file"), "{message}");
    // Which step that is depends on how fast the disk was: a newer checkpoint replaces one still waiting.
    assert!(message.contains("to resume from the one before it, step "), "{message}");
    assert!(message.contains("use --resume run/previous.safetensors"), "{message}");
    succeeded(&place.resume(&["run/previous.safetensors"]));

    let journal = fs::read(file("journal.jsonl")).expect("it is there");
    fs::write(file("journal.jsonl"), &journal[..journal.len() / 2]).expect("written");
    let message = failed(&place.resume(&["run"]));
    assert!(message.contains("journal.jsonl ends at byte"), "{message}");
    fs::write(file("journal.jsonl"), &journal).expect("written");

    fs::write(file("last.safetensors"), place.weights("run")).expect("written");
    fs::remove_file(file("previous.safetensors")).expect("it was there");
    let message = failed(&place.resume(&["run"]));
    assert!(message.contains("holds weights alone"), "{message}");
    assert!(failed(&place.resume(&["nowhere"])).contains("holds no run"));
    assert!(failed(&place.resume(&["."])).contains("holds no run"));
    let other = place.resume(&["run", "--seed", "3"]);
    assert_eq!(other.status.code(), Some(2), "its trajectory is decided");
    let taken = ended(place.start_run("run", EPOCHS));
    assert!(failed(&taken).contains("already holds a run"));
}

#[test]
fn a_run_whose_checkpoints_are_gone_says_that_it_begins_again() {
    let place = Place::new();
    succeeded(&ended(place.start_run("run", EPOCHS)));
    let before = place.course("run");
    for name in ["last", "previous", "best"] {
        fs::remove_file(place.path("run").join(format!("{name}.safetensors"))).expect("there");
    }
    let output = place.resume(&["run"]);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("has no checkpoint any more"), "{told}");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(place.course("run"), before);
}

/// The last line of a journal that is being written.
fn last_line(journal: &Path) -> String {
    let text = fs::read_to_string(journal).unwrap_or_default();
    text.lines().last().unwrap_or_default().to_owned()
}

#[test]
fn an_epoch_whose_evaluation_was_cut_off_is_evaluated_when_the_run_goes_on() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    // An evaluation takes seconds, in ten parts, so that a signal cannot miss it on any machine.
    idx::write_set(folder.path(), 20, 10_000);
    let place = Place { folder };
    let layers = "conv 8 k5 p2, relu, conv 8 k7 p3, relu, gap, linear";
    let start = |name| {
        place.headless(
            &[
                &["--data", ".", "--epochs", "2", "--batch-size", "5", "--threads", "1"],
                &["--run-dir", name, "--model", layers][..],
            ]
            .concat(),
        )
    };
    succeeded(&ended(start("whole")));
    let whole = place.course("whole");
    let journal = place.path("cut").join("journal.jsonl");
    let mut child = start("cut");
    until("the evaluation of the first epoch", || {
        assert!(child.try_wait().is_ok_and(|ended| ended.is_none()), "it ended too soon");
        place.path("cut").join("journal.jsonl").exists()
            && last_line(&journal).contains("evaluating")
            && place.course("cut").losses.len() == 4
    });
    signal(&child, "TERM");
    assert_eq!(ended(child).status.code(), Some(128 + 15), "the signal came in time");
    assert_eq!(place.course("cut").epochs, [], "the evaluation was cut off");
    succeeded(&place.resume(&["cut"]));
    let course = place.course("cut");
    assert_eq!((course.epochs, course.losses), (whole.epochs, whole.losses));
}

#[test]
fn a_run_that_is_killed_after_it_went_back_to_an_earlier_checkpoint_goes_on_from_there() {
    let place = Place::new();
    succeeded(&ended(place.start_run("whole", LONGER)));
    succeeded(&ended(place.start_run("run", LONGER)));
    let journal = place.path("run").join("journal.jsonl");
    for checkpoint in ["best.safetensors", "previous.safetensors"] {
        let full = fs::metadata(&journal).expect("there").len();
        let path = format!("run/{checkpoint}");
        let mut child = place.headless(&["--resume", &path]);
        until("the journal to be cut", || {
            fs::metadata(&journal).is_ok_and(|journal| journal.len() < full)
                || child.try_wait().is_ok_and(|ended| ended.is_some())
        });
        let _ = child.kill();
        ended(child);
        succeeded(&place.resume(&["run"]));
        assert_eq!(place.course("run").losses, place.course("whole").losses, "{checkpoint}");
        assert_eq!(place.weights("run"), place.weights("whole"), "{checkpoint}");
    }
}

#[test]
fn a_signal_that_whoever_started_the_program_has_it_ignore_is_ignored() {
    let place = Place::new();
    let program = env!("CARGO_BIN_EXE_mnist-tui");
    let script = format!(
        "trap '' HUP; exec {program} --headless --data . --epochs 100000 --batch-size 5 --run-dir run"
    );
    let child = Command::new("sh")
        .args(["-c", &script])
        .current_dir(place.folder.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("a shell");
    let last = place.path("run").join("last.safetensors");
    until("a checkpoint", || last.exists());
    signal(&child, "HUP");
    let before = place.course("run").epochs.len();
    until("more epochs", || place.course("run").epochs.len() >= before + 20);
    signal(&child, "TERM");
    assert_eq!(ended(child).status.code(), Some(143));
}

/// How many runs are killed.
const KILLS: u64 = 100;

#[test]
fn runs_killed_at_any_moment_go_on_to_the_same_end() {
    let place = Place::new();
    succeeded(&ended(place.start_run("whole", EPOCHS)));
    let whole = place.course("whole");
    let weights = place.weights("whole");
    let size = fs::metadata(place.path("whole").join("journal.jsonl")).expect("there").len();
    let mut begun = 0;
    for kill in 0..KILLS {
        let name = format!("run{kill}");
        let mut child = place.start_run(&name, EPOCHS);
        let (journal, last) =
            (place.path(&name).join("journal.jsonl"), place.path(&name).join("last.safetensors"));
        if kill % 2 == 0 {
            // While it writes: the moment a checkpoint has come or is about to.
            let wanted = kill / 2 % 6;
            let mut seen = None;
            let mut changes = 0;
            until("checkpoints", || {
                let now = fs::metadata(&last).ok().and_then(|file| file.modified().ok());
                changes += u64::from(now != seen);
                seen = now;
                changes > wanted || child.try_wait().is_ok_and(|ended| ended.is_some())
            });
        } else {
            // Anywhere: when the journal has reached some length.
            let wanted = size * (kill % 50) / 50;
            until("the journal to grow", || {
                let len = fs::metadata(&journal).map_or(0, |file| file.len());
                (journal.exists() && len >= wanted)
                    || child.try_wait().is_ok_and(|ended| ended.is_some())
            });
        }
        // It may have come to its end before.
        let _ = child.kill();
        ended(child);
        begun += u64::from(last.exists());
        succeeded(&place.resume(&[&name]));
        let course = place.course(&name);
        assert_eq!(course.losses, whole.losses, "{name}");
        assert_eq!(course.epochs, whole.epochs, "{name}");
        assert_eq!(place.weights(&name), weights, "{name}");
        fs::remove_dir_all(place.path(&name)).expect("it can go");
    }
    assert!(begun > KILLS / 2, "only {begun} runs had a checkpoint to lose");
}
