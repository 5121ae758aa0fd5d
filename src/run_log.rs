//! A run as JSON lines in a file.
//!
//! One object a line, told apart by `event`: `run` once the data is read, `step` for every step
//! without gaps, `epoch` after each epoch, `evaluation` before the first step and on request, and at
//! the end `done` or `failed`. Where a person
//! steps in: `learning_rate`, `break` when a breakpoint pauses the run, `rewind` when it is rewound,
//! after which the later steps follow again, and `branch` where these will be others than before.
//! Numbers that are not finite are `null`.

mod records;

use std::{
    fs::{File, Metadata, TryLockError},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
    thread::{self, JoinHandle},
};

use crossbeam_channel::{Receiver, Sender, bounded};
use serde::Serialize;

use crate::{
    config::RunConfig,
    protocol::{Event, Failure, Progress},
};
use records::{BreakLine, DoneLine, EpochLine, FailedLine, RateLine, RunLine, StepLine, StepOnly};

/// Events that wait for the disk; further ones wait in the worker.
const CAPACITY: usize = 64;

/// The log cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot write the log {}: {reason}", target(path))]
pub struct LogError {
    path: PathBuf,
    reason: String,
    /// Whether it went to standard output, whose reader is gone.
    reader_is_gone: bool,
}

impl LogError {
    fn new(path: &Path, reason: String) -> Self {
        Self { path: path.to_owned(), reason, reader_is_gone: false }
    }

    /// Whether the log went to standard output, whose reader is gone.
    pub fn reader_is_gone(&self) -> bool {
        self.reader_is_gone
    }
}

fn target(path: &Path) -> String {
    if is_stdout(path) { "to standard output".to_owned() } else { path.display().to_string() }
}

/// Whether a log of this path goes to standard output.
pub fn is_stdout(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// A log being written on a thread of its own.
#[derive(Debug)]
pub struct RunLog {
    path: PathBuf,
    thread: JoinHandle<()>,
    error: Arc<OnceLock<LogError>>,
}

impl RunLog {
    /// [`create`](Self::create)s the log that was asked for, if one was, and adds it to the
    /// listeners of the run. What happened in the run before stands first in it.
    ///
    /// # Errors
    /// If the file cannot be created, or another program writes a log to it.
    pub fn listen(
        path: Option<&Path>,
        config: &RunConfig,
        past: &[Event],
        listeners: &mut Vec<Sender<Event>>,
    ) -> Result<Option<Self>, LogError> {
        let Some(path) = path else { return Ok(None) };
        let (log, sender) = Self::continued(path, config, past.to_vec())?;
        listeners.push(sender);
        Ok(Some(log))
    }

    /// Opens or creates the file, which is locked until the log ends, and gives the channel to be passed to
    /// [`spawn`](crate::train::spawn) as a listener. What the file held goes only when the run has
    /// read its data and weights and starts.
    ///
    /// # Errors
    /// If the file cannot be created, or another program writes a log to it.
    pub fn create(path: &Path, config: &RunConfig) -> Result<(Self, Sender<Event>), LogError> {
        Self::continued(path, config, Vec::new())
    }

    fn continued(
        path: &Path,
        config: &RunConfig,
        past: Vec<Event>,
    ) -> Result<(Self, Sender<Event>), LogError> {
        let refuse = |error: io::Error| LogError::new(path, describe(&error, path));
        let to_stdout = is_stdout(path);
        let sink = if to_stdout {
            Sink::Stdout(io::stdout())
        } else {
            Sink::file(path).map_err(refuse)?
        };
        let mut lines = Lines::new(BufWriter::new(sink), config);
        let (sender, receiver) = bounded(CAPACITY);
        let error = Arc::new(OnceLock::new());
        let (report, owner) = (Arc::clone(&error), path.to_owned());
        let write = move || {
            // Returning drops the receiver: the worker then forgets this listener and trains on.
            if let Err(error) = lines.write_all(past, &receiver) {
                let reader_is_gone = to_stdout && error.kind() == io::ErrorKind::BrokenPipe;
                let error = LogError::new(&owner, error.to_string());
                report.get_or_init(|| LogError { reader_is_gone, ..error });
            }
        };
        let thread = thread::Builder::new().name("log".to_owned()).spawn(write).map_err(refuse)?;
        Ok((Self { path: path.to_owned(), thread, error }, sender))
    }

    /// What went wrong so far, if anything; the rest of the run is then missing from the file.
    pub fn failed(&self) -> Option<&LogError> {
        self.error.get()
    }

    /// Waits until everything is written, which is once the run has ended or its senders are gone.
    ///
    /// # Errors
    /// If anything could not be written, unless that is because the reader of standard output is gone.
    pub fn finish(self) -> Result<(), LogError> {
        if self.thread.join().is_err() {
            return Err(LogError::new(&self.path, "an internal error".to_owned()));
        }
        match self.error.get() {
            Some(error) if !error.reader_is_gone => Err(error.clone()),
            _ => Ok(()),
        }
    }
}

/// Where a log goes.
enum Sink {
    File(EmptiedLate),
    Stdout(io::Stdout),
}

/// Whether a regular file is in other places too, such as the journal of a run.
fn has_other_names(metadata: &Metadata) -> bool {
    #[cfg(unix)]
    return metadata.is_file() && std::os::unix::fs::MetadataExt::nlink(metadata) > 1;
    #[cfg(not(unix))]
    {
        let _ = metadata;
        false
    }
}

impl Sink {
    fn file(path: &Path) -> io::Result<Self> {
        let file = File::options().write(true).create(true).truncate(false).open(path)?;
        let metadata = file.metadata()?;
        if has_other_names(&metadata) {
            let message = "it has other names (hard links), whose content would be lost; expected a \
                           file of its own";
            return Err(io::Error::other(message));
        }
        // Two logs in one pipe or device destroy nothing. Not every file system has locks.
        if metadata.is_file() && matches!(file.try_lock(), Err(TryLockError::WouldBlock)) {
            let message = "another mnist-tui writes its log there; give each run a file of its own";
            return Err(io::Error::other(message));
        }
        Ok(Self::File(EmptiedLate { file, emptied: false }))
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::File(file) => file.write(bytes),
            Self::Stdout(stdout) => stdout.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::File(file) => file.flush(),
            Self::Stdout(stdout) => stdout.flush(),
        }
    }
}

/// A file whose old content goes with the first bytes that are written.
struct EmptiedLate {
    file: File,
    emptied: bool,
}

impl Write for EmptiedLate {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !self.emptied {
            // Pipes and devices have no content to be rid of.
            if self.file.metadata()?.is_file() {
                self.file.set_len(0)?;
            }
            self.emptied = true;
        }
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

fn describe(error: &io::Error, path: &Path) -> String {
    match (error.kind(), path.parent()) {
        (io::ErrorKind::NotFound, Some(folder)) => {
            format!("there is no folder {}; make it first", folder.display())
        }
        (io::ErrorKind::IsADirectory, _) => "it is a folder, expected a file name".to_owned(),
        _ => error.to_string(),
    }
}

/// Writes events as lines.
struct Lines<W: Write> {
    out: W,
    config: RunConfig,
    started: bool,
    /// Reused, so that a step costs no allocation.
    buffer: Vec<u8>,
}

impl<W: Write> Lines<W> {
    fn new(out: W, config: &RunConfig) -> Self {
        Self { out, config: config.clone(), started: false, buffer: Vec::new() }
    }

    fn write_all(&mut self, past: Vec<Event>, events: &Receiver<Event>) -> io::Result<()> {
        let mut coming = events.iter();
        // Nothing is written before the run has read its data and starts.
        let Some(first) = coming.find(|event| !matches!(event, Event::State(_))) else {
            return Ok(());
        };
        let past = past.into_iter().filter(|_| matches!(first, Event::Started(_)));
        for event in past.collect::<Vec<_>>().into_iter().chain([first]).chain(coming) {
            self.write(&event)?;
        }
        self.out.flush()
    }

    fn write(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::Progress(progress) => self.steps(progress),
            // A change of state writes no line, but it may come before a long silence.
            Event::State(_) => self.out.flush(),
            // A resumed run was introduced before.
            Event::Started(_) if self.started => Ok(()),
            Event::Started(info) => {
                self.started = true;
                self.line(&RunLine::new(info, &self.config))
            }
            Event::Epoch(record) => {
                self.line(&EpochLine::new("epoch", record))?;
                self.out.flush()
            }
            Event::Evaluated(record) => {
                self.line(&EpochLine::new("evaluation", record))?;
                self.out.flush()
            }
            Event::Rewound(rewound) => self.line(&StepOnly { event: "rewind", step: rewound.step }),
            Event::LearningRate(change) => {
                if change.branch {
                    self.line(&StepOnly { event: "branch", step: change.step })?;
                }
                self.line(&RateLine::new(change))
            }
            Event::Break(hit) => self.line(&BreakLine::new(hit)),
            // For a screen, answers to a person there, and what has files of its own.
            Event::Epochs(_)
            | Event::Inspected(_)
            | Event::Insides(_)
            | Event::Explained(_)
            | Event::Found(_)
            | Event::Hardware(_)
            | Event::Checkpoint(_)
            | Event::Notice(_) => Ok(()),
            Event::Finished(summary) => {
                self.line(&DoneLine::new(summary))?;
                self.out.flush()
            }
            // A run that never started leaves the log of an earlier one alone.
            Event::Failed(_) if !self.started => Ok(()),
            Event::Failed(Failure { message, .. }) => {
                self.line(&FailedLine { event: "failed", message })
            }
        }
    }

    fn line(&mut self, line: &impl Serialize) -> io::Result<()> {
        self.buffer.clear();
        serde_json::to_writer(&mut self.buffer, line)?;
        self.buffer.push(b'\n');
        self.out.write_all(&self.buffer)
    }

    fn steps(&mut self, progress: &Progress) -> io::Result<()> {
        let mut line = StepLine {
            event: "step",
            step: progress.first_step,
            epoch: progress.epoch,
            batch: progress.first_batch,
            loss: f32::NAN,
        };
        for &loss in &progress.losses {
            line.loss = loss;
            self.line(&line)?;
            line.step += 1;
            line.batch += 1;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
