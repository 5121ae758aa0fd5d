//! Keeps a run in its folder: every event in the journal, and checkpoints to go on from.
//!
//! One thread does both in the order of the events, so that the journal on the disk always reaches
//! at least as far as the last checkpoint, and a run that goes on from there continues it without a
//! gap. The worker never waits for the disk.

use std::{
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
    runs::{Kept, RunFolder},
};

/// Events that wait for the disk; further ones wait in the worker.
const CAPACITY: usize = 64;

/// What became of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// The run can be gone on with from this step.
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

impl Recorder {
    /// Starts a record behind the journal's first `journal_bytes` and gives the channel to be passed to
    /// the worker as a listener.
    ///
    /// # Errors
    /// If the journal cannot be opened, or no thread be started.
    pub fn start(
        folder: RunFolder,
        config: &RunConfig,
        journal_bytes: u64,
    ) -> io::Result<(Self, Sender<Event>)> {
        let (sender, events) = bounded(CAPACITY);
        // As many reports as checkpoints, each a few bytes.
        let (report, reports) = unbounded();
        let path = folder.path().to_owned();
        let journal = Journal::continued(folder.write_journal()?, journal_bytes)?;
        let mut record = Record { folder, config: config.clone(), journal, report };
        let thread = thread::Builder::new().name("recorder".to_owned()).spawn(move || {
            if let Err(error) = record.follow(&events) {
                let file = record.folder.journal();
                let reason = format!("cannot write {}: {error}", file.display());
                let _ = record.report.send(Report::Ended(reason));
            }
        })?;
        Ok((Self { folder: path, reports, thread }, sender))
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

struct Record {
    folder: RunFolder,
    config: RunConfig,
    journal: Journal,
    report: Sender<Report>,
}

impl Record {
    fn follow(&mut self, events: &Receiver<Event>) -> io::Result<()> {
        for event in events {
            match event {
                Event::Checkpoint(state) => {
                    self.journal.sync()?;
                    let step = state.progress.step;
                    let report = match self.keep(*state) {
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
                    // Whoever watches wants to see it; 30 a second cost nothing.
                    if events.is_empty() {
                        self.journal.flush()?;
                    }
                }
            }
        }
        self.journal.sync()
    }

    fn keep(&self, state: TrainingState) -> Result<(), CheckpointError> {
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

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::{
        checkpoint::load_checkpoint,
        protocol::{Best, RunInfo, TrainingProgress},
        runs::Runs,
    };

    fn state(step: u64, best: u64) -> Event {
        let values = vec![step as f32; 5_142];
        Event::Checkpoint(Box::new(TrainingState {
            progress: TrainingProgress {
                step,
                best: Some(Best { epoch: 1, step: best, accuracy: 0.5 }),
                ..TrainingProgress::default()
            },
            weights: values.clone(),
            first_moment: values.clone(),
            second_moment: values,
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
        let (recorder, sender) = Recorder::start(folder, &config, 0).expect("it starts");
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
        let (recorder, sender) = Recorder::start(folder, &config, 0).expect("it starts");
        let Event::Checkpoint(mut broken) = state(2, 9) else { unreachable!() };
        broken.weights[0] = f32::NAN;
        for event in [state(1, 9), Event::Checkpoint(broken)] {
            sender.send(event).expect("it takes events");
        }
        drop(sender);
        let reports = recorder.finish();
        assert!(matches!(&reports[1], Report::CheckpointFailed(reason) if reason.contains("NaN")));
        assert_eq!(load_checkpoint(&last).expect("whole").state.progress.step, 1);
    }
}
