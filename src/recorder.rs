//! Keeps a run in its folder: every event in the journal, and checkpoints to resume from.
//!
//! One thread does both in the order of the events, so that the journal on the disk always reaches
//! at least as far as the last checkpoint, and a run resumed from there continues it without a
//! gap. The worker never waits for the disk.

use std::sync::Arc;
use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
    thread::{self, JoinHandle},
};

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};

use crate::{
    checkpoint::{Checkpoint, CheckpointError},
    config::RunConfig,
    journal::Journal,
    protocol::{Event, TrainingState},
    runs::{Kept, RunFolder, Runs},
};

/// Events that wait for the disk; further ones wait in the worker.
const CAPACITY: usize = 64;

/// What became of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// The run can be resumed from this step.
    Kept {
        /// Steps trained.
        step: u64,
    },
    /// A checkpoint could not be written; the one before it stands.
    CheckpointFailed(String),
    /// Nothing more is recorded, since the journal cannot be written; the last checkpoint stands.
    Ended(String),
}

/// A record being written on a thread of its own.
#[derive(Debug)]
pub struct Recorder {
    folder: PathBuf,
    reports: Receiver<Report>,
    thread: JoinHandle<()>,
}

/// What is to be recorded, and where.
#[derive(Debug)]
pub struct Recording {
    /// The run's folder.
    pub folder: RunFolder,
    /// What the run is asked to do.
    pub config: RunConfig,
    /// Bytes of the journal that stay; what follows them is cut off.
    pub journal_bytes: u64,
    /// The checkpoint to be the last one, if the run is resumed from an earlier one.
    pub rebase: Option<Checkpoint>,
    /// Whether the folder holds nothing but what was created for this run.
    pub is_new: bool,
}

impl Recorder {
    /// Starts a record and gives the channel to be passed to the worker as a listener. Nothing that
    /// is there changes before the run has read its data and starts; the folder of a new run that
    /// never starts is removed.
    ///
    /// # Errors
    /// If the journal cannot be opened or is too short, or no thread can be started.
    pub fn start(recording: Recording) -> io::Result<(Self, Sender<Event>)> {
        let (sender, events) = bounded(CAPACITY);
        // As many reports as checkpoints, each a few bytes.
        let (report, reports) = unbounded();
        let folder = recording.folder.path().to_owned();
        let journal = recording.folder.write_journal()?;
        Journal::check_length(&journal, recording.journal_bytes)?;
        let work = move || record(recording, journal, report, &events);
        let thread = thread::Builder::new().name("recorder".to_owned()).spawn(work)?;
        Ok((Self { folder, reports, thread }, sender))
    }

    /// What became of it, as it comes.
    pub fn reports(&self) -> &Receiver<Report> {
        &self.reports
    }

    /// The run's folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Waits until everything is on the disk, which is once the run has ended, and gives the reports
    /// that nobody took.
    pub fn finish(self) -> Vec<Report> {
        // A panic shows in the missing reports.
        let _ = self.thread.join();
        self.reports.try_iter().collect()
    }
}

/// Records a run once it starts.
fn record(recording: Recording, journal: File, report: Sender<Report>, events: &Receiver<Event>) {
    let mut early = Vec::new();
    for event in events {
        let starts = matches!(event, Event::Started(_));
        early.push(event);
        if starts {
            break;
        }
    }
    if !matches!(early.last(), Some(Event::Started(_))) {
        if recording.is_new {
            recording.folder.undo();
        }
        return;
    }
    let failed = report.clone();
    let path = recording.folder.journal();
    let recorded = Record::begin(recording, journal, report)
        .and_then(|mut record| record.follow(early.into_iter().chain(events.iter()), events));
    if let Err(error) = recorded {
        let reason = format!("cannot write {}: {error}", path.display());
        // Nobody may listen.
        let _ = failed.send(Report::Ended(reason));
    }
}

struct Record {
    folder: RunFolder,
    config: RunConfig,
    journal: Journal,
    report: Sender<Report>,
}

impl Record {
    /// Makes the folder that of the run as it starts now.
    fn begin(recording: Recording, journal: File, report: Sender<Report>) -> io::Result<Self> {
        let Recording { folder, config, journal_bytes, rebase: earlier, .. } = recording;
        if let Some(checkpoint) = earlier {
            rebase(&folder, &checkpoint).map_err(io::Error::other)?;
        }
        folder.save_config(&config).map_err(io::Error::other)?;
        let journal = Journal::continued(journal, journal_bytes)?;
        prune_around(folder.path(), &config);
        Ok(Self { folder, config, journal, report })
    }

    fn follow(
        &mut self,
        all: impl Iterator<Item = Event>,
        events: &Receiver<Event>,
    ) -> io::Result<()> {
        for event in all {
            match event {
                Event::Checkpoint(state) => {
                    self.journal.sync()?;
                    let step = state.progress.step;
                    let report = match self.keep(state) {
                        Ok(()) => Report::Kept { step },
                        Err(_) if self.folder.is_removed() => {
                            let folder = self.folder.path().display();
                            let reason = format!(
                                "the run's folder {folder} was removed: nothing more is kept"
                            );
                            Report::CheckpointFailed(reason)
                        }
                        Err(error) => Report::CheckpointFailed(error.to_string()),
                    };
                    // Nobody may listen.
                    let _ = self.report.send(report);
                }
                event => {
                    self.journal.write(&event)?;
                    // `watch` shows it at once; 30 a second cost nothing.
                    if events.is_empty() {
                        self.journal.flush()?;
                    }
                }
            }
        }
        self.journal.sync()
    }

    fn keep(&self, state: Arc<TrainingState>) -> Result<(), CheckpointError> {
        let is_best = state.progress.best.is_some_and(|best| best.step == state.progress.step);
        let checkpoint =
            Checkpoint { config: self.config.clone(), state, journal_bytes: self.journal.bytes() };
        // A copy, so that there is a last one at every moment; none of a damaged one, which would take
        // the place of a whole one.
        if let Ok(last) = self.folder.load(Kept::Last) {
            self.folder.save(Kept::Previous, &last)?;
        }
        self.folder.save(Kept::Last, &checkpoint)?;
        if is_best {
            self.folder.save(Kept::Best, &checkpoint)?;
        }
        Ok(())
    }
}

/// Makes a checkpoint the last one, and removes those that lie after it.
fn rebase(folder: &RunFolder, checkpoint: &Checkpoint) -> Result<(), CheckpointError> {
    folder.save(Kept::Last, checkpoint)?;
    for which in [Kept::Previous, Kept::Best] {
        let is_later = match folder.load(which) {
            Ok(other) => other.journal_bytes > checkpoint.journal_bytes,
            // A damaged one could be any; a file that is no checkpoint is not this program's.
            Err(_) => folder.has(which),
        };
        if is_later {
            folder.discard(which)?;
        }
    }
    Ok(())
}

/// Removes the oldest runs of the state directory if the run in this folder lies there.
fn prune_around(path: &Path, config: &RunConfig) {
    let (Ok(runs), Ok(path)) = (Runs::of_user(), path.canonicalize()) else { return };
    if runs.root().canonicalize().is_ok_and(|root| path.parent() == Some(&root)) {
        runs.prune(config.keep_runs());
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::{
        checkpoint::load_checkpoint,
        protocol::{Best, Failure, RunInfo, Slot, TrainingProgress},
    };

    fn recording(folder: RunFolder, config: &RunConfig) -> Recording {
        let config = config.clone();
        Recording { folder, config, journal_bytes: 0, rebase: None, is_new: true }
    }

    #[test]
    fn a_new_run_that_never_starts_leaves_nothing() {
        let guard = tempfile::tempdir().expect("a temporary folder");
        let runs = Runs::in_folder(guard.path());
        let config = RunConfig::default();
        let own = guard.path().join("own");
        fs::create_dir(&own).expect("there is room");
        for (folder, stays) in [
            (runs.create(&config).expect("there is room"), false),
            (RunFolder::create(&own, &config).expect("it is empty"), true),
        ] {
            let path = folder.path().to_owned();
            let (recorder, sender) =
                Recorder::start(recording(folder, &config)).expect("it starts");
            let failure = Failure::new("no data");
            sender.send(Event::Failed(failure)).expect("it takes events");
            drop(sender);
            assert_eq!(recorder.finish(), []);
            assert_eq!(path.exists(), stays);
        }
        assert_eq!(fs::read_dir(&own).expect("it stays").count(), 0);
    }

    fn state(step: u64, best: u64) -> Event {
        let values = vec![step as f32; 5_142];
        Event::Checkpoint(Arc::new(TrainingState {
            progress: TrainingProgress {
                step,
                best: Some(Best { epoch: 1, step: best, accuracy: 0.5 }),
                ..TrainingProgress::default()
            },
            weights: values.clone(),
            running: Vec::new(),
            set: crate::data::DataInfo::mnist(),
            slots: vec![
                Slot { name: "first_moment".into(), values: values.clone() },
                Slot { name: "second_moment".into(), values },
            ],
            average: None,
            best: None,
            losses: Vec::new(),
        }))
    }

    #[test]
    fn a_checkpoint_knows_how_far_the_journal_reaches_and_the_best_is_kept() {
        let guard = tempfile::tempdir().expect("a temporary folder");
        let config = RunConfig::default();
        let folder = Runs::in_folder(guard.path()).create(&config).expect("there is room");
        let files = [Kept::Last, Kept::Previous, Kept::Best].map(|kept| folder.checkpoint(kept));
        let journal = folder.journal();
        let (recorder, sender) = Recorder::start(recording(folder, &config)).expect("it starts");
        for event in
            [Event::Started(RunInfo::example()), state(1, 1), state(2, 1), state(3, 3), state(4, 3)]
        {
            sender.send(event).expect("it takes events");
        }
        drop(sender);
        let reports = recorder.finish();
        assert_eq!(reports, [1, 2, 3, 4].map(|step| Report::Kept { step }));
        let kept = files.map(|file| load_checkpoint(&file).expect("whole"));
        assert_eq!(kept.each_ref().map(|kept| kept.state.progress.step), [4, 3, 3]);
        let bytes = fs::metadata(journal).expect("it is there").len();
        assert!(bytes > 0 && kept.iter().all(|kept| kept.journal_bytes == bytes));
    }

    #[test]
    fn a_checkpoint_that_cannot_be_written_leaves_the_one_before() {
        let guard = tempfile::tempdir().expect("a temporary folder");
        let config = RunConfig::default();
        let folder = Runs::in_folder(guard.path()).create(&config).expect("there is room");
        let last = folder.checkpoint(Kept::Last);
        let (recorder, sender) = Recorder::start(recording(folder, &config)).expect("it starts");
        let Event::Checkpoint(mut broken) = state(2, 9) else { unreachable!() };
        Arc::make_mut(&mut broken).weights[0] = f32::NAN;
        let started = Event::Started(RunInfo::example());
        for event in [started, state(1, 9), Event::Checkpoint(broken)] {
            sender.send(event).expect("it takes events");
        }
        drop(sender);
        let reports = recorder.finish();
        assert!(matches!(&reports[1], Report::CheckpointFailed(reason) if reason.contains("NaN")));
        assert_eq!(load_checkpoint(&last).expect("whole").state.progress.step, 1);
    }
}
