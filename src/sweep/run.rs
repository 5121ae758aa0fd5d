//! Training a sweep, with or without a screen, and what came of it.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    io,
    panic::resume_unwind,
    thread,
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};

use super::{
    failures::Failures,
    feed::Feed,
    folder::{FolderError, Results, Stored, SweepFolder},
    lines::Lines,
    plan::Plan,
    pool::Pool,
    progress::Progress,
    row::Row,
    shard::{Shard, stem},
    summary::Summary,
    supervisor::{Listener, Now, Problem, Stop, Supervisor},
};
use crate::{
    check,
    config::DeviceChoice,
    outcome::Outcome,
    printable::{Shown, complain, counted, thousands},
    session::{self, Display},
    terminal::{
        After, is_continue, is_hang_up, is_resize, is_suspend, let_go, stop_until_continued,
        watch_signals_for,
    },
};

/// Reports that wait to be looked at; further ones wait in the runs.
const CAPACITY: usize = 256;
/// Signals that wait for the screen.
const SIGNALS: usize = 8;
/// How long the runs in training may take to write their files after a signal. Schedulers kill a job half a minute
/// after they have asked it to end.
const GRACE: Duration = Duration::from_secs(20);

/// How a sweep uses the machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Machine {
    /// The part of the sweep that is trained here; `None` for all of it.
    pub shard: Option<Shard>,
    /// Runs at once; `None` for as many as is fastest.
    pub jobs: Option<usize>,
    /// CPU threads of each run; `None` shares the cores.
    pub threads: Option<usize>,
    /// Where runs are trained; `None` for the device that the plan names.
    pub device: Option<DeviceChoice>,
    /// Whether the sweep continues when its terminal is gone.
    pub outlives_terminal: bool,
}

/// Trains the runs that have no result yet, on a screen if one is given, and prints a summary of all.
pub fn run(folder: &SweepFolder, machine: Machine, screen: Option<Display>) -> Outcome {
    if let Err(message) = check_shard(&folder.plan, machine.shard) {
        return Outcome::usage(message);
    }
    let mut results = match folder.results(machine.shard) {
        Ok(results) => results,
        Err(error) => return Outcome::failure(error),
    };
    for line in results.damaged.drain(..) {
        complain("warning", &line);
    }
    let plan = &folder.plan;
    let is_here = |index: &usize| machine.shard.is_none_or(|shard| shard.has(*index));
    let all: Vec<usize> = (0..plan.len()).filter(is_here).collect();
    let todo: Vec<usize> =
        all.iter().copied().filter(|index| !results.rows.contains_key(index)).collect();
    let pool = Pool::new(folder, todo.clone(), machine);
    let progress = Progress::new(plan, all.len(), &todo, &results.rows, Instant::now());
    let sweep = Sweep { folder, machine, pool, progress, failures: Failures::default() };
    let (ended, progress) = match screen {
        None => sweep.with_lines(&mut results),
        Some(display) => sweep.with_screen(&mut results, display),
    };
    let rows = match results.finish(BTreeMap::new()) {
        Ok(rows) => rows,
        Err(error) => return Outcome::failure(error),
    };
    let stopped = match ended {
        Ok(stopped) => stopped,
        Err(problem) => return problem.outcome(),
    };
    let told = tell(folder, machine.shard, &rows, &progress);
    match (stopped, told) {
        (Some(Stop::Signal(signal)), _) => Outcome::Signal(signal),
        (Some(Stop::Person), Outcome::Done) if progress.failed() == 0 => Outcome::Stopped,
        (_, Outcome::Done) if progress.failed() > 0 || progress.left() > 0 => Outcome::Incomplete,
        (_, told) => told,
    }
}

/// A sweep that is about to be trained.
struct Sweep<'a> {
    folder: &'a SweepFolder,
    machine: Machine,
    pool: Pool<'a>,
    progress: Progress,
    failures: Failures,
}

/// What stopped a sweep early, and how far it has come.
type Ended = (Result<Option<Stop>, Problem>, Progress);

impl Sweep<'_> {
    /// Trains with a line for each run.
    fn with_lines(self, results: &mut Results) -> Ended {
        let Self { folder, machine, pool, progress, failures } = self;
        let (stop, stops) = unbounded();
        let lines = Lines::new(progress.left());
        let mut supervisor = Supervisor { folder, progress, failures, listener: lines };
        let ended = watch(stop, None, machine.outlives_terminal)
            .map_err(Problem::Signals)
            .and_then(|()| {
                let Supervisor { progress, listener, .. } = &mut supervisor;
                let now = Now { folder, progress, rows: &results.rows };
                listener.begin(&now, pool.jobs()).map_err(Problem::Output)
            })
            .and_then(|()| train(&mut supervisor, &pool, &stops, results));
        supervisor.listener.clear();
        (ended, conclude(supervisor, Vec::new()))
    }

    /// Trains with a screen until the person leaves, or all runs have ended where that is asked for.
    fn with_screen(self, results: &mut Results, display: Display) -> Ended {
        let Self { folder, machine, pool, progress, failures } = self;
        let ((stop, stops), (signal, signals)) = (unbounded(), bounded(SIGNALS));
        if let Err(error) = watch(stop.clone(), Some(signal), machine.outlives_terminal) {
            return (Err(Problem::Signals(error)), progress);
        }
        // A snapshot that waits is replaced by none: the next one says more.
        let (sender, snapshots) = bounded(1);
        let mut supervisor = Supervisor { folder, progress, failures, listener: Feed::new(sender) };
        let (ended, left) = thread::scope(|scope| {
            let work = || {
                let ended = train(&mut supervisor, &pool, &stops, results);
                let Supervisor { folder, progress, listener, .. } = &mut supervisor;
                listener.end(&Now { folder, progress, rows: &results.rows });
                ended
            };
            let training =
                match thread::Builder::new().name("sweep".into()).spawn_scoped(scope, work) {
                    Ok(training) => training,
                    Err(error) => return (Err(Problem::Threads(error)), Ok(None)),
                };
            let left = session::sweep(display, &signals, snapshots, || {
                // The runs may have ended by themselves.
                let _ = stop.send(Stop::Person);
            });
            if left.is_err() {
                let _ = stop.send(Stop::Person);
            }
            (training.join().unwrap_or_else(|panic| resume_unwind(panic)), left)
        });
        let complaints = std::mem::take(&mut supervisor.listener.complaints);
        let progress = conclude(supervisor, complaints);
        match (ended, left) {
            (Ok(_), Err(error)) => (Err(Problem::Screen(error)), progress),
            (ended, _) => (ended, progress),
        }
    }
}

/// Trains the runs to their end.
fn train<L: Listener>(
    supervisor: &mut Supervisor<L>,
    pool: &Pool,
    stops: &Receiver<Stop>,
    results: &mut Results,
) -> Result<Option<Stop>, Problem> {
    thread::scope(|scope| {
        let (sender, reports) = bounded(CAPACITY);
        pool.start(scope, &sender).map_err(Problem::Threads)?;
        drop(sender);
        supervisor.follow(pool, &reports, stops, results)
    })
}

/// Tells what a person should know of runs that failed.
fn conclude<L>(supervisor: Supervisor<L>, complaints: Vec<(&str, String)>) -> Progress {
    let Supervisor { progress, failures, .. } = supervisor;
    for (kind, message) in complaints {
        complain(kind, &message);
    }
    for message in failures.repeated() {
        complain("error", &message);
    }
    if failures.are_hopeless() && progress.left() > progress.failed() {
        complain(
            "error",
            "the sweep ends early: the runs that are left would most likely fail, too",
        );
    }
    progress
}

/// Checks that a part of a plan has a run.
///
/// # Errors
/// If there are more parts than runs.
pub fn check_shard(plan: &Plan, shard: Option<Shard>) -> Result<(), String> {
    if (0..plan.len()).any(|index| shard.is_none_or(|shard| shard.has(index))) {
        return Ok(());
    }
    let runs = counted(plan.len() as u64, "run");
    Err(format!("the sweep has only {runs}: expected --shard K/N with K up to that"))
}

/// Merges the results of all shards, and prints a summary of all.
pub fn collect(folder: &SweepFolder) -> Outcome {
    let Stored { rows, damaged, .. } = match folder.collected() {
        Ok(found) => found,
        Err(error) => return Outcome::failure(error),
    };
    for line in damaged {
        complain("warning", &line);
    }
    let table = folder.path().join("results.csv");
    let (rows, place) = match folder.results(None).map(|results| results.finish(rows.clone())) {
        Ok(Ok(merged)) => (merged, format!("results: {}\n", table.shown())),
        // The summary is worth reading meanwhile.
        Err(FolderError::InUse { .. }) => {
            let message = "another mnist-tui process is writing results.csv: the results of all parts are merged \
                           into it by `sweep collect` once that process has ended";
            complain("note", message);
            (rows, String::new())
        }
        Ok(Err(error)) | Err(error) => return Outcome::failure(error),
    };
    check::print(&format!("{}\n{place}", Summary::of(&folder.plan, &rows)))
}

/// Prints what came of a sweep.
fn tell(
    folder: &SweepFolder,
    shard: Option<Shard>,
    rows: &BTreeMap<usize, Row>,
    progress: &Progress,
) -> Outcome {
    let mut text = format!("\n{}\n", Summary::of(&folder.plan, rows));
    let path = folder.path();
    let table = path.join(format!("{}.csv", stem(shard)));
    let _ = writeln!(text, "results: {}", table.shown());
    let left = progress.left();
    if left > 0 {
        let shard = shard.map_or_else(String::new, |shard| format!(" --shard {shard}"));
        let _ = writeln!(
            text,
            "{} of {} {} left: continue with `mnist-tui sweep --resume {}{shard}`",
            thousands(left as u64),
            counted(progress.all() as u64, "run"),
            if left == 1 { "is" } else { "are" },
            path.shown()
        );
    } else if shard.is_some() {
        let _ = writeln!(text, "merge all shards with `mnist-tui sweep collect {}`", path.shown());
    }
    check::print(&text)
}

/// Has signals that would end the program stop the runs, and sends those that matter to a screen there.
fn watch(
    stop: Sender<Stop>,
    screen: Option<Sender<i32>>,
    outlives_terminal: bool,
) -> io::Result<()> {
    watch_signals_for(GRACE, move |number| {
        if let Some(screen) = &screen {
            // Of more of a kind nothing is lost by dropping some.
            let _ = screen.try_send(number);
        } else if is_suspend(number) {
            let _ = stop_until_continued();
        }
        if is_suspend(number) || is_resize(number) || is_continue(number) {
            return After::GoOn;
        }
        if is_hang_up(number) && outlives_terminal {
            // Without the null device a line for the terminal ends the sweep.
            let _ = let_go();
            return After::GoOn;
        }
        // The receiver is gone where the sweep has just ended by itself.
        let _ = stop.send(Stop::Signal(number));
        After::End
    })
}
