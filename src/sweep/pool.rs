//! The runs of a sweep in training, several at once.

use std::{
    path::Path,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread::{self, Scope, ScopedJoinHandle},
};

use crossbeam_channel::{Sender, bounded};

use super::{
    folder::SweepFolder,
    plan::Planned,
    row::{End, Follower, Row},
};
use crate::{
    config::RunConfig,
    journal::JournalReader,
    launch::{Changes, Launch},
    outcome::Outcome,
    protocol::{Command, Event, Failure},
    runs::RunFolder,
    train::{self, SharedData, Tools},
};

/// Events of a run that wait to be looked at; further ones wait in the run.
const CAPACITY: usize = 64;

/// What is trained, and on how much of the machine.
#[derive(Debug)]
pub(super) struct Pool<'a> {
    folder: &'a SweepFolder,
    /// Places in the plan of the runs to train, in order.
    todo: Vec<usize>,
    /// Runs at once.
    jobs: usize,
    /// Threads of each run; `None` shares the cores among those that are in training.
    threads: Option<usize>,
    cores: usize,
    /// How many of `todo` were begun.
    begun: AtomicUsize,
    running: AtomicUsize,
    stopping: AtomicBool,
    data: SharedData,
}

/// What happens to the runs.
#[derive(Debug)]
pub(super) enum Report {
    /// A run begins.
    Started {
        /// Its place in the plan.
        index: usize,
        /// Where it is commanded.
        commands: Sender<Command>,
    },
    /// Something happened in a run.
    Event {
        /// Its place in the plan.
        index: usize,
        /// What.
        event: Box<Event>,
    },
    /// A run has ended, and its folder is complete.
    Ended {
        /// Its place in the plan.
        index: usize,
        /// How.
        end: End,
    },
}

/// A run that is about to be trained, or need not be.
enum Begun {
    Launch(Box<Launch>),
    /// It ended before its result was noted.
    Ended(Row),
    Busy,
}

impl<'a> Pool<'a> {
    /// A pool for these runs, with as many at once as is fastest unless `jobs` says how many.
    pub(super) fn new(
        folder: &'a SweepFolder,
        todo: Vec<usize>,
        jobs: Option<usize>,
        threads: Option<usize>,
        on_cpu: bool,
    ) -> Self {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        // Small batches leave little to share between threads: a run for each core is fastest.
        let most = if on_cpu { cores / threads.unwrap_or(1).max(1) } else { 1 };
        let jobs = jobs.unwrap_or(most).clamp(1, todo.len().max(1));
        let (begun, running) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let stopping = AtomicBool::new(false);
        let data = SharedData::default();
        Self { folder, todo, jobs, threads, cores, begun, running, stopping, data }
    }

    /// Runs at once.
    pub(super) fn jobs(&self) -> usize {
        self.jobs
    }

    /// Begins no further run.
    pub(super) fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Starts the threads that train; the channel closes once all runs have ended.
    pub(super) fn start<'scope>(
        &'scope self,
        scope: &'scope Scope<'scope, '_>,
        reports: &Sender<Report>,
    ) -> std::io::Result<()> {
        for slot in 0..self.jobs {
            let reports = reports.clone();
            let work = move || self.work(scope, &reports);
            let started =
                thread::Builder::new().name(format!("run-{slot}")).spawn_scoped(scope, work);
            // With fewer threads than wanted there are fewer runs at once.
            if slot == 0 {
                started?;
            }
        }
        Ok(())
    }

    /// Trains one run after the other.
    fn work<'scope>(&'scope self, scope: &'scope Scope<'scope, '_>, reports: &Sender<Report>) {
        let mut closing: Option<ScopedJoinHandle<'scope, ()>> = None;
        while !self.stopping.load(Ordering::Relaxed)
            && let Some(&index) = self.todo.get(self.begun.fetch_add(1, Ordering::Relaxed))
        {
            self.running.fetch_add(1, Ordering::Relaxed);
            let closed = self.train(scope, index, reports);
            self.running.fetch_sub(1, Ordering::Relaxed);
            // One at a time, so that a slow disk slows the sweep in place of filling the memory.
            if let Some(earlier) = std::mem::replace(&mut closing, closed) {
                let _ = earlier.join();
            }
        }
    }

    /// Trains a run; gives the thread that waits for its files, so that the next run need not.
    fn train<'scope>(
        &'scope self,
        scope: &'scope Scope<'scope, '_>,
        index: usize,
        reports: &Sender<Report>,
    ) -> Option<ScopedJoinHandle<'scope, ()>> {
        let ended = |end| {
            // Nobody listens once the results cannot be written.
            let _ = reports.send(Report::Ended { index, end });
            None
        };
        let mut launch = match self.begin(index) {
            Ok(Begun::Launch(launch)) => *launch,
            Ok(Begun::Ended(row)) => return ended(End::Row(row)),
            Ok(Begun::Busy) => return ended(End::Busy),
            Err(message) => return ended(End::Failed(message)),
        };
        let mut follower = Follower::default();
        for event in &launch.past {
            let _ = follower.update(event, &self.folder.plan, index);
        }
        let (sender, events) = bounded(CAPACITY);
        let mut listeners = vec![sender];
        let writers = match launch.writers(&mut listeners) {
            Ok(writers) => writers,
            Err(Outcome::Failed(Failure { message, .. })) => return ended(End::Failed(message)),
            Err(_) => return ended(End::Failed("its folder cannot be written".to_owned())),
        };
        let worker = train::spawn_with_tools(launch.config, launch.tools, listeners);
        let _ = reports.send(Report::Started { index, commands: worker.commands() });
        let mut end = None;
        for event in &events {
            end = follower.update(&event, &self.folder.plan, index).or(end);
            let is_over = end.is_some();
            if reports.send(Report::Event { index, event: Box::new(event) }).is_err() {
                worker.send(Command::Stop);
            }
            if is_over {
                break;
            }
        }
        let end = end.unwrap_or_else(|| End::Failed("it ended without giving a reason".to_owned()));
        drop(events);
        let reports = reports.clone();
        let close = move || {
            worker.join();
            let end = match (writers.finish(), end) {
                (Some(reason), End::Row(_) | End::Stopped) => End::Failed(reason),
                (_, end) => end,
            };
            let _ = reports.send(Report::Ended { index, end });
        };
        Some(scope.spawn(close))
    }

    /// Opens or creates the folder of a run.
    fn begin(&self, index: usize) -> Result<Begun, String> {
        let Planned { name, config, .. } =
            self.folder.plan.run(index).map_err(|error| error.to_string())?;
        let path = self.folder.run(&name);
        let threads = self.threads.unwrap_or_else(|| self.share());
        let config = RunConfig { threads: Some(threads), ..config };
        let mut tools = Tools {
            shared: Some(self.data.clone()),
            // Of an untrained network there is nothing to compare, and it takes a tenth of a short run.
            evaluates_start: false,
            ..Tools::unattended()
        };
        if !RunFolder::is_at(&path) {
            if !config.break_on_nan {
                tools.breakpoints.clear();
            }
            let folder = RunFolder::create(&path, &config).map_err(|error| error.to_string())?;
            let launch = Launch::unrecorded(config, tools, None).in_new_folder(folder);
            return Ok(Begun::Launch(Box::new(launch)));
        }
        if RunFolder::is_in_use(&path) {
            return Ok(Begun::Busy);
        }
        if let Some(row) = self.recorded(&path, index) {
            return Ok(Begun::Ended(row));
        }
        let changes = Changes { threads: Some(threads), ..Changes::default() };
        let launch =
            Launch::resume(&path, tools, None, &changes).map_err(|error| error.to_string())?;
        if launch.config.clone().on_trajectory_of(&config) != launch.config {
            return Err(format!(
                "{} holds a run with other settings than the sweep's: move it away",
                path.display()
            ));
        }
        Ok(Begun::Launch(Box::new(launch)))
    }

    /// Threads for a run that is begun now.
    fn share(&self) -> usize {
        let unbegun = self.todo.len().saturating_sub(self.begun.load(Ordering::Relaxed));
        let at_once = (self.running.load(Ordering::Relaxed) + unbegun).clamp(1, self.jobs);
        (self.cores / at_once).max(1)
    }

    /// The result of a run that has ended, as its journal tells it.
    fn recorded(&self, path: &Path, index: usize) -> Option<Row> {
        let mut reader = JournalReader::open(&RunFolder::journal_at(path)).ok()?;
        let (mut follower, mut end) = (Follower::default(), None);
        while let Ok(Some(event)) = reader.next_event() {
            end = follower.update(&event, &self.folder.plan, index);
        }
        match end {
            Some(End::Row(row)) => Some(row),
            _ => None,
        }
    }
}
