//! Follows the runs of a sweep, notes their results, and reports to those who watch.

use std::{
    collections::{BTreeMap, HashMap},
    io,
    time::Duration,
};

use crossbeam_channel::{Receiver, Sender, select, tick};

use super::{
    failures::Failures,
    folder::{FolderError, Results, SweepFolder},
    follower::End,
    pool::{Pool, Report},
    progress::Progress,
    row::Row,
};
use crate::{outcome::Outcome, protocol::Command};

/// How often listeners are called while nothing is reported.
const TICK: Duration = Duration::from_millis(200);

/// Why a sweep ends before its runs do.
#[derive(Debug)]
pub(super) enum Problem {
    Output(io::Error),
    Results(FolderError),
    Threads(io::Error),
    Signals(io::Error),
    Screen(io::Error),
}

impl Problem {
    pub(super) fn outcome(self) -> Outcome {
        match self {
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => Outcome::Stopped,
            Self::Output(error) => {
                Outcome::failure(format_args!("cannot write to standard output: {error}"))
            }
            Self::Results(error) => Outcome::failure(error),
            Self::Threads(error) => {
                Outcome::failure(format_args!("cannot start a thread for runs: {error}"))
            }
            Self::Signals(error) => {
                Outcome::failure(format_args!("cannot watch for signals: {error}"))
            }
            Self::Screen(error) => Outcome::failure(format_args!("lost the terminal: {error}")),
        }
    }
}

/// A sweep as it stands.
pub(super) struct Now<'a> {
    pub(super) folder: &'a SweepFolder,
    pub(super) progress: &'a Progress,
    pub(super) rows: &'a BTreeMap<usize, Row>,
}

/// Where a sweep is shown.
pub(super) trait Listener {
    /// A run has a result.
    ///
    /// # Errors
    /// If nobody can be told any more, so that the sweep ends.
    fn row(&mut self, index: usize, row: &Row, now: &Now) -> io::Result<()>;

    /// Something that a person should know: what it is, such as `error`, and a sentence.
    fn complain(&mut self, kind: &'static str, message: String);

    /// Something has changed, or some time has passed.
    fn show(&mut self, now: &Now);
}

/// What stops the runs of a sweep early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// A person.
    Person,
    /// A signal of this number.
    Signal(i32),
}

/// Follows the runs of a sweep.
pub(super) struct Supervisor<'a, L> {
    pub(super) folder: &'a SweepFolder,
    pub(super) progress: Progress,
    pub(super) failures: Failures,
    pub(super) listener: L,
}

impl<L: Listener> Supervisor<'_, L> {
    /// Follows the runs to their end; gives what stopped them early, if anything did.
    ///
    /// # Errors
    /// If results cannot be written, or the listener cannot be told. All runs have ended then, too.
    pub(super) fn follow(
        &mut self,
        pool: &Pool,
        reports: &Receiver<Report>,
        stops: &Receiver<Stop>,
        results: &mut Results,
    ) -> Result<Option<Stop>, Problem> {
        let mut running: HashMap<usize, Sender<Command>> = HashMap::new();
        let (mut stopped, ticks) = (None, tick(TICK));
        let mut problem = None;
        self.show(results);
        loop {
            let report = select! {
                recv(reports) -> report => report,
                recv(stops) -> stop => {
                    // A signal says more than the person who went before it.
                    stopped = match (stopped, stop.ok()) {
                        (Some(Stop::Signal(first)), _) => Some(Stop::Signal(first)),
                        (earlier, stop) => stop.or(earlier),
                    };
                    stop_all(pool, &running);
                    continue;
                }
                recv(ticks) -> _ => {
                    self.show(results);
                    continue;
                }
            };
            let Ok(report) = report else { break };
            let followed = match report {
                Report::Started { index, commands } => {
                    self.progress.started(index);
                    running.insert(index, commands);
                    if stopped.is_some() || problem.is_some() {
                        stop_all(pool, &running);
                    }
                    Ok(())
                }
                Report::Event { index, event } => {
                    self.progress.update(index, &event);
                    Ok(())
                }
                Report::Ended { index, end } => {
                    running.remove(&index);
                    self.ended(index, end, results)
                }
            };
            if self.failures.are_hopeless() {
                stop_all(pool, &running);
            }
            if let Err(error) = followed {
                problem.get_or_insert(error);
                stop_all(pool, &running);
            }
            self.show(results);
        }
        problem.map_or(Ok(stopped), Err)
    }

    fn show(&mut self, results: &Results) {
        let Self { folder, progress, listener, .. } = self;
        listener.show(&Now { folder, progress, rows: &results.rows });
    }

    /// Notes how a run ended.
    fn ended(&mut self, index: usize, end: End, results: &mut Results) -> Result<(), Problem> {
        let Some(settings) = self.folder.plan.describe(index) else { return Ok(()) };
        let name = self.folder.plan.name(index);
        self.progress.ended(index, &end);
        match end {
            End::Row(row) => {
                self.failures.end_series();
                results.add(index, row.clone()).map_err(Problem::Results)?;
                let Self { folder, progress, listener, .. } = self;
                let now = Now { folder, progress, rows: &results.rows };
                listener.row(index, &row, &now).map_err(Problem::Output)?;
            }
            End::Failed(message) => {
                if self.failures.add(&name, &message) {
                    let message = format!("run {name} ({settings}): {message}");
                    self.listener.complain("error", message);
                }
            }
            End::Busy => {
                let message = format!(
                    "run {name} ({settings}) is being trained by another mnist-tui process"
                );
                self.listener.complain("note", message);
            }
            End::Stopped => {}
        }
        Ok(())
    }
}

fn stop_all(pool: &Pool, running: &HashMap<usize, Sender<Command>>) {
    pool.stop();
    for commands in running.values() {
        // The receiver is gone where the run has just ended by itself.
        let _ = commands.send(Command::Stop);
    }
}
