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
    folder::{FolderError, Results, Shard, SweepFolder},
    plan::Plan,
    pool::{Pool, Report},
    progress::Progress,
    row::{End, Row, State},
    summary::Summary,
};
use crate::{
    bar::Line,
    check,
    config::DeviceChoice,
    outcome::Outcome,
    printable::{Shown, complain, printable, thousands},
    protocol::{Command, diverged_at},
    terminal::{After, is_continue, is_resize, is_suspend, stop_until_continued, watch_signals},
};

/// Reports that wait to be looked at; further ones wait in the runs.
const CAPACITY: usize = 256;
/// How often the bar moves while nothing is reported.
const TICK: Duration = Duration::from_millis(200);

/// How a sweep uses the machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Machine {
    /// The part of the sweep that is trained here; `None` for all of it.
    pub shard: Option<Shard>,
    /// Runs at once; `None` for as many as is fastest.
    pub jobs: Option<usize>,
    /// CPU threads of each run; `None` shares the cores.
    pub threads: Option<usize>,
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
    let plan = &folder.plan;
    let is_here = |index: &usize| machine.shard.is_none_or(|shard| shard.has(*index));
    let all: Vec<usize> = (0..plan.len()).filter(is_here).collect();
    let todo: Vec<usize> =
        all.iter().copied().filter(|index| !results.rows.contains_key(index)).collect();
    let on_cpu = plan
        .run(0)
        .is_ok_and(|run| matches!(run.config.device, DeviceChoice::Auto | DeviceChoice::Cpu));
    let pool = Pool::new(folder, todo.clone(), machine.jobs, machine.threads, on_cpu);
    let (signals, seen) = unbounded();
    if let Err(error) = watch(signals) {
        return Outcome::failure(format_args!("cannot watch for signals: {error}"));
    }
    let mut lines = Lines {
        folder,
        out: io::stdout(),
        bar: Line::new(todo.len() as u64),
        progress: Progress::new(plan, all.len(), &todo, &results.rows, Instant::now()),
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
    let Lines { progress, .. } = lines;
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
    let runs = thousands(plan.len() as u64);
    Err(format!("the sweep has only {runs} runs: expected --shard K/N with K up to that"))
}

/// Merges the results of all shards, and prints a summary of all.
pub fn collect(folder: &SweepFolder) -> Outcome {
    let merged = folder.collected().and_then(|rows| folder.results(None)?.finish(rows));
    match merged {
        Ok(rows) => {
            let table = folder.path().join("results.csv");
            let summary = Summary::of(&folder.plan, &rows);
            check::print(&format!("{summary}\nresults: {}\n", table.shown()))
        }
        Err(error) => Outcome::failure(error),
    }
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
            "{} of {} runs are left: continue with `mnist-tui sweep --resume {}{shard}`",
            thousands(left as u64),
            thousands(progress.all() as u64),
            path.shown()
        );
    } else if shard.is_some() {
        let _ = writeln!(text, "merge all shards with `mnist-tui sweep collect {}`", path.shown());
    }
    check::print(&text)
}

/// Sends signals that end the program to a channel.
fn watch(signals: Sender<i32>) -> io::Result<()> {
    watch_signals(move |number| {
        if is_suspend(number) {
            let _ = stop_until_continued();
            return After::GoOn;
        }
        if is_resize(number) || is_continue(number) {
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
}

impl Lines<'_> {
    fn begin(&mut self, jobs: usize) -> io::Result<()> {
        let (all, left) = (self.progress.all(), self.progress.left());
        let known = match all - left {
            0 => String::new(),
            known => format!(", of which {} have a result", thousands(known as u64)),
        };
        let at_once = if jobs > 1 { format!(", {jobs} at once") } else { String::new() };
        let all = thousands(all as u64);
        let place = self.folder.path().shown();
        self.print(&format!("{all} runs{known}{at_once}, in {place}\n"))
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
                results.add(index, row.clone()).map_err(Problem::Results)?;
                let line = format!("{}: {}", printable(&settings), figures(&row));
                let (done, all) = (self.progress.all() - self.progress.left(), self.progress.all());
                let width = all.to_string().len();
                let line = format!("{done:>width$}/{all}  run {name}  {line}\n");
                self.print(&line).map_err(Problem::Output)?;
            }
            End::Failed(message) => {
                let message = format!("run {name} ({settings}): {message}");
                self.bar.suspend(|| complain("error", &message));
            }
            End::Busy => {
                let message = format!("run {name} ({settings}) is trained by another mnist-tui");
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
