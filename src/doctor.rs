//! `doctor`: what this machine offers to a run, and what is in its way.

mod device;
mod gpu;
mod machine;
mod screen;
mod storage;

use std::fmt::Write as _;

use serde::Serialize;

use crate::{
    check::print,
    config::RunConfig,
    outcome::Outcome,
    printable::{bytes, printable},
};

/// Something to be mended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Problem {
    /// Whether a run cannot start before it is.
    blocks: bool,
    /// What is wrong and what to do about it.
    message: String,
}

impl Problem {
    /// A run starts all the same.
    fn note(message: impl Into<String>) -> Self {
        Self { blocks: false, message: message.into() }
    }

    /// No run can start.
    fn blocking(message: impl Into<String>) -> Self {
        Self { blocks: true, message: message.into() }
    }
}

/// A line or more of the report, under a name.
type Row = (&'static str, String);

/// Everything that was found out.
#[derive(Debug, Serialize)]
struct Report {
    version: &'static str,
    system: &'static str,
    architecture: &'static str,
    cpu: machine::Cpu,
    threads: machine::Threads,
    memory: machine::Memory,
    gpu: gpu::Gpus,
    device: device::Device,
    terminal: screen::Terminal,
    runs: storage::Storage,
    /// Whether a run with these settings can start.
    ready: bool,
    problems: Vec<Problem>,
}

impl Report {
    fn of(config: &RunConfig, measures: bool) -> Self {
        let mut problems = Vec::new();
        let cpu = machine::Cpu::look(&mut problems);
        let threads = machine::Threads::look(config.threads);
        let memory = machine::Memory::look(&mut problems);
        let gpu = gpu::Gpus::look(&mut problems);
        let device = device::Device::look(config, measures, &mut problems);
        let terminal = screen::Terminal::look(&mut problems);
        let runs = storage::Storage::look(&mut problems);
        Self {
            version: env!("CARGO_PKG_VERSION"),
            system: std::env::consts::OS,
            architecture: std::env::consts::ARCH,
            cpu,
            threads,
            memory,
            gpu,
            device,
            terminal,
            runs,
            ready: !problems.iter().any(|problem| problem.blocks),
            problems,
        }
    }

    fn text(&self) -> String {
        let Self { version, system, architecture, .. } = self;
        let mut rows = vec![("mnist-tui", format!("{version} for {system} on {architecture}"))];
        rows.extend(self.cpu.rows());
        rows.extend(self.threads.rows());
        rows.extend(self.memory.rows());
        rows.extend(self.gpu.rows());
        rows.extend(self.device.rows());
        rows.extend(self.terminal.rows());
        rows.extend(self.runs.rows());
        let line = |(name, value): &Row| format!("{name:<10} {}\n", printable(value));
        let mut text: String = rows.iter().map(line).collect();
        text.push('\n');
        for Problem { blocks, message } in &self.problems {
            let kind = if *blocks { "error" } else { "warning" };
            let _ = writeln!(text, "{kind}: {}", printable(message));
        }
        text += if self.ready { "Training can start.\n" } else { "Training cannot start.\n" };
        text
    }
}

/// Prints a report for a run with these settings, as lines or as one JSON object. The outcome says whether
/// such a run can start.
pub fn run(config: &RunConfig, measures: bool, json: bool) -> Outcome {
    if let Err(error) = config.validate() {
        return Outcome::Failed(error.into());
    }
    let report = Report::of(config, measures);
    let text = if json {
        serde_json::to_string(&report).expect("numbers and texts always have a JSON form") + "\n"
    } else {
        report.text()
    };
    match print(&text) {
        Outcome::Done if !report.ready => Outcome::Incomplete,
        outcome => outcome,
    }
}

/// The devices that `--device` takes on this machine, a line each.
pub fn devices() -> String {
    device::list()
}

/// `12.0 of 80.0 GiB`, or as much of it as is known.
fn share(part: Option<u64>, whole: Option<u64>) -> Option<String> {
    match (part, whole) {
        (Some(part), Some(whole)) => Some(format!("{} of {}", bytes(part), bytes(whole))),
        (None, Some(amount)) | (Some(amount), None) => Some(bytes(amount)),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests;
