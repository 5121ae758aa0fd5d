use std::fs::{File, TryLockError};

use super::*;
use crate::journal::Journal;
use crate::protocol::{Clock, Event, Failure, Summary};

fn place() -> (tempfile::TempDir, Runs) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let runs = Runs::in_folder(&folder.path().join("state").join("runs"));
    (folder, runs)
}

fn ended(stopped: bool) -> Event {
    let clock = Clock::default();
    Event::Finished(Summary {
        steps: 1,
        images: 50,
        clock,
        test: None,
        best: None,
        stopped,
        saved: None,
        diverged: None,
    })
}

fn write(folder: &RunFolder, event: &Event) {
    let mut journal =
        Journal::continued(folder.write_journal().expect("it opens"), 0).expect("it opens");
    journal.write(event).expect("there is room");
    journal.sync().expect("there is room");
}

#[test]
fn runs_that_begin_in_one_second_get_names_of_their_own_and_are_listed_newest_first() {
    let (_guard, runs) = place();
    assert_eq!(runs.list(), []);
    let config = RunConfig { epochs: 3, ..RunConfig::default() };
    let folders: Vec<_> = (0..12).map(|_| runs.create(&config).expect("there is room")).collect();
    let listed: Vec<PathBuf> = runs.list().into_iter().map(|run| run.path).collect();
    let made: Vec<PathBuf> = folders.iter().rev().map(|folder| folder.path().to_owned()).collect();
    assert_eq!(listed, made);
    let first = RunEntry::read(folders[0].path()).expect("a run");
    assert_eq!((first.status, first.config.epochs, first.reached), (RunStatus::Running, 3, None));
    assert_eq!(folders[0].config().expect("it reads"), config);
}

#[test]
fn the_journal_tells_how_a_run_ended() {
    let (_guard, runs) = place();
    let status = |event: Option<Event>| {
        let folder = runs.create(&RunConfig::default()).expect("there is room");
        if let Some(event) = event {
            write(&folder, &event);
        }
        let path = folder.path().to_owned();
        drop(folder);
        RunEntry::read(&path).expect("a run").status
    };
    let failure = Failure::new("no memory");
    assert_eq!(status(Some(ended(false))), RunStatus::Done);
    assert_eq!(status(None), RunStatus::Interrupted);
    assert_eq!(status(Some(ended(true))), RunStatus::Stopped);
    assert_eq!(status(Some(Event::Failed(failure.clone()))), RunStatus::Failed);
    let Event::Finished(summary) = ended(false) else { unreachable!("as it is made") };
    let diverged = Event::Finished(Summary { diverged: Some(1_234), ..summary });
    let failed = Failure { diverged: Some(1_234), ..failure.clone() };
    for event in [diverged, Event::Failed(failed)] {
        let status = status(Some(event));
        assert_eq!(status, RunStatus::Diverged(1_234));
        assert_eq!(status.describe(), "✗ diverged at step 1,234");
    }
    assert_eq!(status(Some(Event::Failed(failure))), RunStatus::Failed);
    let newest = runs.newest_unfinished().expect("three are");
    let newest = RunEntry::read(&newest).expect("a run");
    assert_eq!((newest.status, newest.failure.as_deref()), (RunStatus::Failed, Some("no memory")));
}

#[test]
fn a_run_is_found_by_its_folder_and_by_its_name() {
    let (_guard, runs) = place();
    let create = |name: &str| {
        let config = RunConfig { name: Some(name.to_owned()), ..RunConfig::default() };
        runs.create(&config).expect("there is room").path().to_owned()
    };
    let (_older, newer, other) = (create("wide"), create("wide"), create("deep"));
    assert_eq!(runs.find("wide".as_ref()), newer, "the newest of the name");
    assert_eq!(runs.find("deep".as_ref()), other);
    let folder = Path::new(other.file_name().expect("it has one"));
    assert_eq!(runs.find(folder), other);
    assert_eq!(runs.find("none".as_ref()), runs.root().join("none"));
    let called_as_a_folder = create("src");
    assert!(Path::new("src").is_dir(), "tests run where the sources are");
    assert_eq!(runs.find("src".as_ref()), called_as_a_folder, "that folder holds no run");
}

#[test]
fn a_run_that_lost_its_patience_says_so() {
    let (_guard, runs) = place();
    let config = RunConfig { validation: 100, early_stop: Some(2), ..RunConfig::default() };
    let folder = runs.create(&config).expect("there is room");
    let path = folder.path().to_owned();
    drop(folder);
    let entry = RunEntry::read(&path).expect("a run");
    let done = RunEntry { status: RunStatus::Done, reached: Some((4, 4_800)), ..entry };
    assert_eq!(done.describe(), "done, stopped early");
    let whole = RunEntry { reached: Some((config.epochs, 12_000)), ..done.clone() };
    assert_eq!(whole.describe(), "done");
    let limited = RunConfig { max_steps: Some(4_800), ..config };
    assert_eq!(RunEntry { config: limited, ..done }.describe(), "done");
}

#[test]
fn a_folder_with_other_files_is_left_alone() {
    let (_guard, runs) = place();
    let path = runs.root().join("full");
    std::fs::create_dir_all(&path).expect("there is room");
    std::fs::write(path.join("lock"), "").expect("there is room");
    RunFolder::create(&path, &RunConfig::default()).expect("a lock is no matter");
    std::fs::remove_file(path.join("config.json")).expect("it was made");
    std::fs::write(path.join("notes.txt"), "").expect("there is room");
    let refused = RunFolder::create(&path, &RunConfig::default()).expect_err("it is not empty");
    assert!(refused.to_string().ends_with("is not empty: expected a new folder, or an empty one"));
}

#[test]
fn a_folder_with_a_run_is_not_written_over_and_one_in_use_not_opened() {
    let (_guard, runs) = place();
    let path = runs.root().join("chosen");
    let folder = RunFolder::create(&path, &RunConfig::default()).expect("it is made");
    assert!(matches!(RunFolder::open(&path), Err(RunsError::InUse { .. })));
    drop(folder);
    assert!(matches!(
        RunFolder::create(&path, &RunConfig::default()),
        Err(RunsError::Taken { .. })
    ));
    RunFolder::open(&path).expect("free again");
    assert!(matches!(RunFolder::open(runs.root()), Err(RunsError::NoRun { .. })));
}

#[test]
fn old_runs_go_but_none_that_is_in_use_and_no_file_of_others() {
    let (_guard, runs) = place();
    let mut folders: Vec<_> =
        (0..5).map(|_| runs.create(&RunConfig::default()).expect("there is room")).collect();
    let oldest = folders.remove(0);
    let foreign = folders[0].path().join("notes.txt");
    fs::write(&foreign, "mine").expect("written");
    drop(folders);
    runs.prune(2);
    assert_eq!(runs.list().len(), 3, "two and the one in use");
    assert!(oldest.path().is_dir() && foreign.is_file());
    assert!(matches!(Removal::of(oldest.path()), Err(RunsError::InUse { .. })));
    assert!(matches!(Removal::of(runs.root()), Err(RunsError::NoRun { .. })));
}

#[test]
fn a_damaged_configuration_is_named() {
    let (_guard, runs) = place();
    let folder = runs.create(&RunConfig::default()).expect("there is room");
    fs::write(folder.path().join("config.json"), "{\"epochs\":").expect("written");
    let error = folder.config().expect_err("cut off").to_string();
    assert!(
        error.contains("config.json is not the configuration of a run, or is damaged: "),
        "{error}"
    );
    assert_eq!(runs.list(), []);
}

/// A run that ended, in a folder of this name.
fn ended_run(runs: &Runs, name: &str) -> PathBuf {
    let path = runs.root().join(name);
    let folder = RunFolder::create(&path, &RunConfig::default()).expect("it is made");
    write(&folder, &ended(false));
    path
}

fn names(runs: &Runs) -> Vec<String> {
    runs.list().into_iter().map(|run| run.name).collect()
}

#[test]
fn a_run_dated_in_the_future_is_the_oldest() {
    let (_guard, runs) = place();
    for name in ["2099-01-01T00-00-00", "2025-03-01T00-00-00", "2025-03-01T00-00-00-2"] {
        ended_run(&runs, name);
    }
    let newest = ["2025-03-01T00-00-00-2", "2025-03-01T00-00-00", "2099-01-01T00-00-00"];
    assert_eq!(names(&runs), newest);
    assert_eq!(runs.newest().expect("three").file_name(), Some(OsStr::new(newest[0])));
    runs.prune(2);
    assert_eq!(names(&runs), newest[..2]);
}

#[test]
fn a_run_with_a_name_of_its_own_is_dated_by_its_configuration() {
    let (_guard, runs) = place();
    ended_run(&runs, "2025-03-01T00-00-00");
    let named = ended_run(&runs, "a-name");
    assert_eq!(names(&runs)[0], "a-name");
    let config = File::options().write(true).open(named.join("config.json")).expect("it is there");
    config.set_modified(UNIX_EPOCH + Duration::from_secs(1_000)).expect("it is ours");
    assert_eq!(names(&runs)[1], "a-name");
}

#[test]
fn any_clock_gives_a_name_that_tells_the_time_again() {
    let day = Duration::from_secs(24 * 60 * 60);
    for (time, name) in [
        (UNIX_EPOCH - 1_000 * day, "1970-01-01T00-00-00"),
        (UNIX_EPOCH + 366 * day, "1971-01-02T00-00-00"),
        (UNIX_EPOCH + 10_000_000 * day, "9999-12-31T23-59-59"),
    ] {
        assert_eq!(name_of(time), name);
        let told = time_of(OsStr::new(name)).expect("a time");
        assert_eq!(name_of(told), name);
    }
    for name in ["notes", "2026-11-24", "2026-11-24T07-30-12-", "2026-11-24T07-30-12-x", "é"] {
        assert_eq!(time_of(OsStr::new(name)), None, "{name}");
    }
}

#[test]
fn what_a_kill_left_of_a_run_is_swept_up_once_it_is_old() {
    let (_guard, runs) = place();
    let left = |name: &str, files: &[&str]| {
        let path = runs.root().join(name);
        fs::create_dir_all(&path).expect("there is room");
        for file in files {
            fs::write(path.join(file), "").expect("there is room");
        }
        path
    };
    let age = |path: &Path| {
        let hour = Duration::from_secs(60 * 60);
        let folder = File::open(path).expect("it is there");
        folder.set_modified(SystemTime::now() - hour).expect("it is ours");
    };
    let old = [
        left("2025-03-01T00-00-00", &[]),
        left("2025-03-01T00-00-01", &["lock", ".mnist-tui-1.tmp"]),
        left("2025-03-01T00-00-02", &["lock", "journal.jsonl", "best.safetensors"]),
    ];
    let staying = [
        left("2025-03-01T00-00-03", &["lock", "notes.txt"]),
        left("not-a-time", &["lock"]),
        left("2025-03-01T00-00-04", &["lock"]),
        left("2025-03-01T00-00-05", &["lock"]),
    ];
    fs::create_dir(staying[2].join("folder")).expect("there is room");
    let lock = File::open(staying[3].join("lock")).expect("it is there");
    lock.lock().expect("it is free");
    for path in old.iter().chain(&staying) {
        age(path);
    }
    let new = left("2025-03-01T00-00-06", &["lock"]);
    runs.prune(20);
    assert!(old.iter().all(|path| !path.exists()));
    assert!(staying.iter().chain([&new]).all(|path| path.exists()));
}

#[test]
fn a_file_system_without_locks_is_left_as_it_was() {
    let (_guard, runs) = place();
    fs::create_dir_all(runs.root()).expect("there is room");
    let root = Folder::open(runs.root()).expect("it is there");
    let name = OsStr::new("2025-03-01T00-00-00");
    let folder = root.create_folder(name).expect("there is room");
    let no_locks = |_: &File| Err(TryLockError::Error(io::ErrorKind::Unsupported.into()));
    let config = RunConfig::default();
    let parent = root.try_clone().expect("there are descriptors");
    let made = RunFolder::begin_or_undo(folder, parent, name, &config, no_locks);
    assert!(matches!(made, Err(RunsError::Folder { .. })), "{made:?}");
    assert_eq!(root.entries().expect("readable"), []);
}

#[test]
fn removing_a_run_takes_its_own_files_and_says_what_stays() {
    let (_guard, runs) = place();
    let path = ended_run(&runs, "2025-03-01T00-00-00");
    fs::write(path.join("last.safetensors"), "a damaged mnist_tui_format").expect("room");
    fs::write(path.join("best.safetensors"), "weights of another program").expect("room");
    fs::write(path.join("notes.txt"), "mine").expect("there is room");
    let removal = Removal::of(&path).expect("a run");
    assert_eq!(removal.files, ["config.json", "journal.jsonl", "last.safetensors", "lock"]);
    assert_eq!(removal.others, ["best.safetensors", "notes.txt"]);
    assert!(matches!(Removal::of(&path), Err(RunsError::InUse { .. })));
    removal.carry_out().expect("they are ours");
    let left = || names_in(&path);
    // A file with the name of one of the run keeps the run in the list.
    assert_eq!(left(), ["best.safetensors", "config.json", "lock", "notes.txt"]);
    fs::remove_file(path.join("best.safetensors")).expect("it is there");
    Removal::of(&path).expect("a run").carry_out().expect("they are ours");
    assert_eq!(left(), ["notes.txt"]);
}

fn names_in(path: &Path) -> Vec<String> {
    let entries = fs::read_dir(path).expect("it is there").flatten();
    let mut names: Vec<_> =
        entries.map(|entry| entry.file_name().into_string().expect("UTF-8")).collect();
    names.sort();
    names
}

#[test]
fn files_that_a_power_cut_left_blank_or_cut_are_removed_with_their_run() {
    let (_guard, runs) = place();
    for content in [&[0; 5_000][..], b"", br#"{"state":"loa"#] {
        let path = ended_run(&runs, "2025-03-01T00-00-00");
        fs::write(path.join("journal.jsonl"), content).expect("it is ours");
        fs::write(path.join("previous.safetensors"), vec![0; 60_000]).expect("it is ours");
        Removal::of(&path).expect("a run").carry_out().expect("they are ours");
        assert!(!path.exists());
    }
}

#[test]
fn a_run_without_its_configuration_is_kept_while_it_can_be_resumed() {
    let (_guard, runs) = place();
    let path = runs.root().join("2025-03-01T00-00-00");
    fs::create_dir_all(&path).expect("there is room");
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/run");
    for name in ["journal.jsonl", "last.safetensors"] {
        fs::copy(fixture.join(name), path.join(name)).expect("there is room");
    }
    let folder = File::open(&path).expect("it is there");
    folder.set_modified(UNIX_EPOCH + Duration::from_secs(1_000)).expect("it is ours");
    runs.prune(1);
    assert_eq!(names_in(&path), ["journal.jsonl", "last.safetensors"]);
    RunFolder::open(&path).expect("the checkpoint has the configuration");
}

#[test]
fn a_number_that_was_freed_is_not_given_again() {
    let (_guard, runs) = place();
    let name = |folder: &RunFolder| folder.path().file_name().expect("a name").to_owned();
    let first = runs.create(&RunConfig::default()).expect("there is room");
    let second = runs.create(&RunConfig::default()).expect("there is room");
    first.undo();
    let third = runs.create(&RunConfig::default()).expect("there is room");
    assert!(name(&third).len() >= name(&second).len() && name(&third) > name(&second));
}

#[test]
fn names_are_those_of_runs_unless_there_is_such_a_path() {
    let (_guard, runs) = place();
    assert_eq!(runs.find(Path::new("no-such-path")), runs.root().join("no-such-path"));
    for path in [".", "..", "src", "a/b", "/"] {
        assert_eq!(runs.find(Path::new(path)), Path::new(path));
    }
}

#[test]
fn the_configuration_of_another_program_makes_no_run() {
    let (_guard, runs) = place();
    let path = runs.root().join("2025-03-01T00-00-00");
    fs::create_dir_all(&path).expect("there is room");
    for (name, content) in
        [("config.json", r#"{"name":"my web app"}"#), ("lock", ""), ("journal.jsonl", "{}\n")]
    {
        fs::write(path.join(name), content).expect("there is room");
    }
    assert_eq!(runs.list(), []);
    assert!(matches!(Removal::of(&path), Err(RunsError::Config { .. })));
    assert!(matches!(RunFolder::open(&path), Err(RunsError::Config { .. })));
    let create = RunFolder::create(&path, &RunConfig::default());
    assert!(matches!(create, Err(RunsError::NotEmpty { .. })));
    runs.prune(1);
    assert_eq!(fs::read_dir(&path).expect("readable").count(), 3);
}

#[cfg(unix)]
mod on_unix {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn a_link_to_a_run_elsewhere_is_neither_listed_nor_pruned_nor_removed() {
        let (guard, runs) = place();
        let elsewhere = Runs::in_folder(&guard.path().join("elsewhere"));
        let kept = ended_run(&elsewhere, "2020-01-01T00-00-00");
        ended_run(&runs, "2025-03-01T00-00-00");
        let link = runs.root().join("2020-01-01T00-00-00");
        symlink(&kept, &link).expect("linked");
        assert_eq!(names(&runs), ["2025-03-01T00-00-00"]);
        runs.prune(1);
        for path in [link.clone(), link.join(""), link.join(".")] {
            assert!(matches!(Removal::of(&path), Err(RunsError::Link { .. })), "{path:?}");
        }
        assert_eq!(names(&elsewhere), ["2020-01-01T00-00-00"]);
    }

    #[test]
    fn a_folder_that_others_may_write_to_holds_no_run() {
        let (_guard, runs) = place();
        let path = ended_run(&runs, "2025-03-01T00-00-00");
        let mode = |path: &Path, mode| {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("it is ours");
        };
        for exposed in [path.clone(), path.join("config.json")] {
            let before = fs::metadata(&exposed).expect("it is there").permissions().mode();
            mode(&exposed, 0o777);
            assert_eq!(runs.list(), []);
            assert!(matches!(Removal::of(&path), Err(RunsError::Exposed { .. })));
            assert!(matches!(RunFolder::open(&path), Err(RunsError::Exposed { .. })));
            mode(&exposed, before);
        }
        assert_eq!(runs.list().len(), 1);
        let empty = runs.root().join("empty");
        fs::create_dir(&empty).expect("there is room");
        mode(&empty, 0o777);
        let create = RunFolder::create(&empty, &RunConfig::default());
        assert!(matches!(create, Err(RunsError::Exposed { .. })), "{create:?}");
    }

    #[test]
    fn a_folder_that_is_created_is_writable_for_its_owner_alone() {
        let (_guard, runs) = place();
        let folder = runs.create(&RunConfig::default()).expect("there is room");
        let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
        assert_eq!(mode(folder.path()) & 0o022, 0);
        assert_eq!(mode(runs.root()), 0o700);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_mount_point_is_not_emptied() {
        assert!(matches!(Removal::of(Path::new("/proc")), Err(RunsError::MountPoint { .. })));
        assert!(matches!(Removal::of(Path::new("/")), Err(RunsError::MountPoint { .. })));
    }
}
