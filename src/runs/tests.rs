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
    Event::Finished(Summary { steps: 1, images: 50, clock, test: None, stopped, saved: None })
}

fn write(folder: &RunFolder, event: &Event) {
    let mut journal = Journal::open(&folder.journal(), 0).expect("it opens");
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
    assert_eq!((first.status, first.epochs, first.reached), (RunStatus::Running, 3, None));
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
    let failure = Failure { usage: false, message: "no memory".into() };
    assert_eq!(status(Some(ended(false))), RunStatus::Done);
    assert_eq!(status(None), RunStatus::Interrupted);
    assert_eq!(status(Some(ended(true))), RunStatus::Stopped);
    assert_eq!(status(Some(Event::Failed(failure))), RunStatus::Failed);
    let newest = runs.newest_unfinished().expect("three are");
    assert_eq!(RunEntry::read(&newest).expect("a run").status, RunStatus::Failed);
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
    assert!(matches!(remove(oldest.path()), Err(RunsError::InUse { .. })));
    assert!(matches!(remove(runs.root()), Err(RunsError::NoRun { .. })));
}

#[test]
fn a_damaged_configuration_is_named() {
    let (_guard, runs) = place();
    let folder = runs.create(&RunConfig::default()).expect("there is room");
    fs::write(folder.path().join("config.json"), "{\"epochs\":").expect("written");
    let error = folder.config().expect_err("cut off").to_string();
    assert!(error.contains("config.json is damaged: "), "{error}");
    assert_eq!(runs.list(), []);
}
