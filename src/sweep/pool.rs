//! The runs of a sweep in training, several at once.

use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread::{self, Scope},
};

use crossbeam_channel::{SendError, Sender, bounded};

use super::{
    existing::{difference, recorded},
    folder::SweepFolder,
    follower::{End, Follower, deviation},
    plan::Planned,
    row::Row,
    run::Machine,
};
use crate::{
    config::{DeviceChoice, RunConfig},
    gpu::SharedGpus,
    launch::{Changes, Launch, Writers},
    outcome::Outcome,
    protocol::{Command, Event, Failure},
    runs::RunFolder,
    train::{self, SharedData, Tools, Worker},
};

/// Events of a run that wait to be looked at; further ones wait in the run.
const CAPACITY: usize = 64;

/// Threads that a run starts when it has one to compute on: many runs are begun only while the system gives as many.
const THREADS: usize = 4;

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
    /// Where runs are trained; `None` for the plan's device.
    device: Option<DeviceChoice>,
    cores: usize,
    /// How many of `todo` were begun.
    begun: AtomicUsize,
    running: AtomicUsize,
    stopping: AtomicBool,
    data: SharedData,
    gpus: SharedGpus,
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
    /// A pool for these runs, with as many at once as is fastest unless `machine` says how many.
    pub(super) fn new(folder: &'a SweepFolder, todo: Vec<usize>, machine: Machine) -> Self {
        let Machine { jobs, threads, device, .. } = machine;
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let planned = folder.plan.run(0).map_or(DeviceChoice::Auto, |run| run.config.device);
        let most = match device.unwrap_or(planned) {
            // Small batches leave little to share between threads: a run for each core is fastest.
            DeviceChoice::Auto | DeviceChoice::Cpu => cores / threads.unwrap_or(1).max(1),
            // Without such a GPU each run fails, and says why.
            DeviceChoice::Cuda(ordinal) => SharedGpus::runs_at_once(ordinal).unwrap_or(1),
            DeviceChoice::Metal(_) => 1,
        };
        let jobs = jobs.unwrap_or(most).clamp(1, todo.len().max(1));
        let (begun, running) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let stopping = AtomicBool::new(false);
        let (data, gpus) = (SharedData::default(), SharedGpus::default());
        Self { folder, todo, jobs, threads, device, cores, begun, running, stopping, data, gpus }
    }

    /// Runs at once.
    pub(super) fn jobs(&self) -> usize {
        self.jobs
    }

    /// Begins no further run.
    pub(super) fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Starts the threads that train, once it is known that the system gives all that they need; the channel closes once all runs have ended.
    pub(super) fn start<'scope>(
        &'scope self,
        scope: &'scope Scope<'scope, '_>,
        reports: &Sender<Report>,
    ) -> std::io::Result<()> {
        let (gate, closed) = bounded::<()>(0);
        let mut reserved = Vec::new();
        for slot in 0..self.jobs {
            // With fewer threads than wanted there are fewer runs at once.
            if slot > 0 && self.jobs > self.cores {
                let threads = (0..THREADS).map(|_| {
                    let closed = closed.clone();
                    thread::Builder::new().spawn_scoped(scope, move || {
                        let _ = closed.recv();
                    })
                });
                let Ok(threads) = threads.collect::<std::io::Result<Vec<_>>>() else { break };
                reserved.extend(threads);
            }
            let (reports, closed) = (reports.clone(), closed.clone());
            let work = move || {
                // Nothing is sent: it opens when the sender is dropped.
                let _ = closed.recv();
                self.work(scope, &reports);
            };
            let started =
                thread::Builder::new().name(format!("run-{slot}")).spawn_scoped(scope, work);
            if slot == 0 {
                started?;
            } else if started.is_err() {
                break;
            }
        }
        drop(gate);
        for thread in reserved {
            let _ = thread.join();
        }
        Ok(())
    }

    /// Trains one run after the other.
    fn work<'scope>(&'scope self, scope: &'scope Scope<'scope, '_>, reports: &Sender<Report>) {
        // Another thread waits for the files of a run, so that the next one need not. One run at a time, so that
        // a slow disk slows the sweep in place of filling the memory.
        let (closing, ended) = bounded::<Closing>(0);
        let close = move || ended.into_iter().for_each(Closing::close);
        let closer = thread::Builder::new().name("run-files".to_owned()).spawn_scoped(scope, close);
        while !self.stopping.load(Ordering::Relaxed)
            && let Some(&index) = self.todo.get(self.begun.fetch_add(1, Ordering::Relaxed))
        {
            self.running.fetch_add(1, Ordering::Relaxed);
            let trained = self.train(index, reports);
            self.running.fetch_sub(1, Ordering::Relaxed);
            match trained {
                // Nobody listens once the results cannot be written.
                Err(end) => drop(reports.send(Report::Ended { index, end })),
                Ok(trained) if closer.is_ok() => {
                    if let Err(SendError(trained)) = closing.send(trained) {
                        trained.close();
                    }
                }
                // The system refuses another thread.
                Ok(trained) => trained.close(),
            }
        }
    }

    /// Trains a run, or gives how it ended without being trained.
    fn train(&self, index: usize, reports: &Sender<Report>) -> Result<Closing, End> {
        let planned =
            self.folder.plan.run(index).map_err(|error| End::Failed(error.to_string()))?;
        let mut follower = Follower::of(&planned);
        let mut launch = match self.begin(&planned).map_err(End::Failed)? {
            Begun::Launch(launch) => *launch,
            Begun::Ended(row) => return Err(End::Row(row)),
            Begun::Busy => return Err(End::Busy),
        };
        for event in &launch.past {
            let _ = follower.update(event);
        }
        if let Some(step) = follower.deviates_at() {
            return Err(End::Failed(deviation(step)));
        }
        let (sender, events) = bounded(CAPACITY);
        let mut listeners = vec![sender];
        let writers = match launch.writers(&mut listeners) {
            Ok(writers) => writers,
            Err(Outcome::Failed(Failure { message, .. })) => return Err(End::Failed(message)),
            Err(_) => return Err(End::Failed("its folder cannot be written".to_owned())),
        };
        let worker = train::spawn_with_tools(launch.config, launch.tools, listeners);
        let _ = reports.send(Report::Started { index, commands: worker.commands() });
        let mut end = None;
        for event in &events {
            end = follower.update(&event).or(end);
            let is_over = end.is_some();
            if reports.send(Report::Event { index, event: Box::new(event) }).is_err() {
                worker.send(Command::Stop);
            }
            if is_over {
                break;
            }
        }
        let end = end.unwrap_or_else(|| End::Failed("it ended without giving a reason".to_owned()));
        Ok(Closing { index, worker, writers, end, reports: reports.clone() })
    }

    /// Opens or creates the folder of a run.
    fn begin(&self, planned: &Planned) -> Result<Begun, String> {
        let path = self.folder.run(&planned.name);
        let threads = self.threads.unwrap_or_else(|| self.share());
        let device = self.device.unwrap_or(planned.config.device);
        let config = RunConfig { threads: Some(threads), device, ..planned.config.clone() };
        let mut tools = Tools {
            shared: Some(self.data.clone()),
            gpus: Some(self.gpus.clone()),
            // Of an untrained network there is nothing to compare, and it takes a tenth of a short run.
            evaluates_start: false,
            ..Tools::unattended()
        };
        let Some(stored) = RunFolder::config_at(&path) else {
            if !config.break_on_nan {
                tools.breakpoints.clear();
            }
            let folder = RunFolder::create(&path, &config).map_err(|error| error.to_string())?;
            let launch = Launch::unrecorded(config, tools, None).in_new_folder(folder);
            return Ok(Begun::Launch(Box::new(launch)));
        };
        if RunFolder::is_in_use(&path) {
            return Ok(Begun::Busy);
        }
        if let Some(difference) = difference(&stored, &planned.config) {
            return Err(format!(
                "{} holds a run with other settings than the plan's ({difference}): move it away to train it \
                 as planned",
                path.display()
            ));
        }
        if let Some(row) = recorded(&path, planned) {
            return Ok(Begun::Ended(row));
        }
        let changes =
            Changes { threads: Some(threads), device: Some(device), ..Changes::default() };
        let launch =
            Launch::resume(&path, tools, None, &changes).map_err(|error| error.to_string())?;
        if let Some(difference) = difference(&launch.config, &planned.config) {
            return Err(format!(
                "the checkpoint in {} is of other settings than the plan's ({difference}): move the folder \
                 away to train the run as planned",
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
}

/// A run that has been trained, and whose files are still being written.
struct Closing {
    index: usize,
    worker: Worker,
    writers: Writers,
    end: End,
    reports: Sender<Report>,
}

impl Closing {
    /// Waits for the files, and reports how the run ended.
    fn close(self) {
        let Self { index, worker, writers, end, reports } = self;
        worker.join();
        let end = match (writers.finish(), end) {
            (Some(reason), End::Row(_) | End::Stopped) => End::Failed(reason),
            (_, end) => end,
        };
        let _ = reports.send(Report::Ended { index, end });
    }
}
