//! A sweep without a screen: a line for each run, and a progress bar.

use std::{
    collections::{BTreeMap, HashMap},
    fmt::Write as _,
    io::{self, Write},
    thread,
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, Sender, bounded, select, tick, unbounded};

use super::{
    failures::Failures,
    folder::{FolderError, Results, Shard, Stored, SweepFolder},
    follower::End,
    plan::Plan,
    pool::{Pool, Report},
    progress::Progress,
    row::{Row, State},
    summary::Summary,
};
use crate::{
    bar::Line,
    check,
    config::DeviceChoice,
    outcome::Outcome,
    printable::{Shown, complain, counted, printable, thousands},
    protocol::{Command, diverged_at},
    terminal::{
        After, is_continue, is_hang_up, is_resize, is_suspend, let_go, stop_until_continued,
        watch_signals_for,
    },
};

/// Reports that wait to be looked at; further ones wait in the runs.
const CAPACITY: usize = 256;
/// How often the bar moves while nothing is reported.
const TICK: Duration = Duration::from_millis(200);
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

/// Trains the runs that have no result yet, and prints a summary of all.
pub fn run(folder: &SweepFolder, machine: Machine) -> Outcome {
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
    let (signals, seen) = unbounded();
    if let Err(error) = watch(signals, machine.outlives_terminal) {
        return Outcome::failure(format_args!("cannot watch for signals: {error}"));
    }
    let mut lines = Lines {
        folder,
        out: io::stdout(),
        bar: Line::new(todo.len() as u64),
        progress: Progress::new(plan, all.len(), &todo, &results.rows, Instant::now()),
        failures: Failures::default(),
    };
    let begun = lines.begin(pool.jobs());
    let trained = begun.map_err(Problem::Output).and_then(|()| {
        thread::scope(|scope| {
            let (sender, reports) = bounded(CAPACITY);
            pool.start(scope, &sender).map_err(Problem::Threads)?;
            drop(sender);
            lines.follow(&pool, &reports, &seen, &mut results)
        })
    });
    lines.bar.clear();
    let Lines { progress, failures, .. } = lines;
    for message in failures.repeated() {
        complain("error", &message);
    }
    if failures.are_hopeless() && progress.left() > progress.failed() {
        complain(
            "error",
            "the sweep ends early: the runs that are left would most likely fail, too",
        );
    }
    let rows = match results.finish(BTreeMap::new()) {
        Ok(rows) => rows,
        Err(error) => return Outcome::failure(error),
    };
    let ended = match trained {
        Ok(ended) => ended,
        Err(problem) => return problem.outcome(),
    };
    let told = tell(folder, machine.shard, &rows, &progress);
    match (ended, told) {
        (Some(signal), _) => Outcome::Signal(signal),
        (None, Outcome::Done) if progress.failed() > 0 || progress.left() > 0 => {
            Outcome::Incomplete
        }
        (None, told) => told,
    }
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
    let table = path.join(format!("{}.csv", super::folder::stem(shard)));
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

/// Sends signals that end the program to a channel.
fn watch(signals: Sender<i32>, outlives_terminal: bool) -> io::Result<()> {
    watch_signals_for(GRACE, move |number| {
        if is_suspend(number) {
            let _ = stop_until_continued();
            return After::GoOn;
        }
        if is_resize(number) || is_continue(number) {
            return After::GoOn;
        }
        if is_hang_up(number) && outlives_terminal {
            // Without the null device a line for the terminal ends the sweep.
            let _ = let_go();
            return After::GoOn;
        }
        // The receiver is gone where the sweep has just ended by itself.
        let _ = signals.send(number);
        After::End
    })
}

/// Why a sweep ends before its runs do.
enum Problem {
    Output(io::Error),
    Results(FolderError),
    Threads(io::Error),
}

impl Problem {
    fn outcome(self) -> Outcome {
        match self {
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => Outcome::Stopped,
            Self::Output(error) => {
                Outcome::failure(format_args!("cannot write to standard output: {error}"))
            }
            Self::Results(error) => Outcome::failure(error),
            Self::Threads(error) => {
                Outcome::failure(format_args!("cannot start a thread for runs: {error}"))
            }
        }
    }
}

/// Prints runs as lines, above the progress bar.
struct Lines<'a> {
    folder: &'a SweepFolder,
    out: io::Stdout,
    bar: Line,
    progress: Progress,
    failures: Failures,
}

impl Lines<'_> {
    fn begin(&mut self, jobs: usize) -> io::Result<()> {
        let (all, left) = (self.progress.all(), self.progress.left());
        let known = match all - left {
            0 => String::new(),
            1 => ", of which 1 has a result".to_owned(),
            known => format!(", of which {} have a result", thousands(known as u64)),
        };
        let at_once = if jobs > 1 { format!(", {jobs} at once") } else { String::new() };
        let all = counted(all as u64, "run");
        let place = self.folder.path().shown();
        self.print(&format!("{all}{known}{at_once}, in {place}\n"))
    }

    /// Follows the runs to their end; gives the signal that ended them early, if one did.
    fn follow(
        &mut self,
        pool: &Pool,
        reports: &Receiver<Report>,
        signals: &Receiver<i32>,
        results: &mut Results,
    ) -> Result<Option<i32>, Problem> {
        let mut running: HashMap<usize, Sender<Command>> = HashMap::new();
        let (mut signal, ticks) = (None, tick(TICK));
        let mut problem = None;
        loop {
            let report = select! {
                recv(reports) -> report => report,
                recv(signals) -> number => {
                    signal = signal.or(number.ok());
                    stop(pool, &running);
                    continue;
                }
                recv(ticks) -> _ => {
                    self.bar.tick();
                    continue;
                }
            };
            let Ok(report) = report else { break };
            let followed = match report {
                Report::Started { index, commands } => {
                    self.progress.started(index);
                    running.insert(index, commands);
                    if signal.is_some() || problem.is_some() {
                        stop(pool, &running);
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
                stop(pool, &running);
            }
            if let Err(error) = followed {
                problem.get_or_insert(error);
                stop(pool, &running);
            }
            let message = self.progress.message(&self.folder.plan, Instant::now());
            self.bar.update(self.progress.trained() as u64, message);
        }
        problem.map_or(Ok(signal), Err)
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
                let line = format!("{}: {}", printable(&settings), figures(&row));
                let (done, all) = (self.progress.all() - self.progress.left(), self.progress.all());
                let width = all.to_string().len();
                let line = format!("{done:>width$}/{all}  run {name}  {line}\n");
                self.print(&line).map_err(Problem::Output)?;
            }
            End::Failed(message) => {
                if self.failures.add(&name, &message) {
                    let message = format!("run {name} ({settings}): {message}");
                    self.bar.suspend(|| complain("error", &message));
                }
            }
            End::Busy => {
                let message = format!(
                    "run {name} ({settings}) is being trained by another mnist-tui process"
                );
                self.bar.suspend(|| complain("note", &message));
            }
            End::Stopped => {}
        }
        Ok(())
    }

    fn print(&mut self, lines: &str) -> io::Result<()> {
        let out = &mut self.out;
        self.bar.suspend(|| {
            out.write_all(lines.as_bytes())?;
            out.flush()
        })
    }
}

fn stop(pool: &Pool, running: &HashMap<usize, Sender<Command>>) {
    pool.stop();
    for commands in running.values() {
        // The receiver is gone where the run has just ended by itself.
        let _ = commands.send(Command::Stop);
    }
}

/// What a run reached.
fn figures(row: &Row) -> String {
    let seconds = row.train_seconds;
    match (row.state, row.correct, row.total, row.accuracy) {
        (State::Done, Some(correct), Some(total), Some(accuracy)) => {
            let set = row.set.name();
            let loss = row.loss.map_or_else(|| "-".to_owned(), |loss| format!("{loss:.4}"));
            let percent = 100.0 * accuracy;
            format!("{set} {correct}/{total} ({percent:.2}%), loss {loss}, {seconds:.2} s")
        }
        _ => diverged_at(row.steps),
    }
}
