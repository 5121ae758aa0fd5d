//! `bench`: how many images a second this machine trains, for several batch sizes and threads.

use std::fmt::Write as _;

use crossbeam_channel::{Receiver, bounded};
use serde::Serialize;

use crate::{
    bar::Bar,
    check::print,
    config::{DeviceChoice, RunConfig},
    outcome::Outcome,
    protocol::{Command, Event, Failure, Progress, RunInfo},
    train,
};

/// Images per step that are measured.
const BATCHES: [usize; 5] = [1, 8, 50, 256, 1024];
/// Seconds of training before the first measurement: caches, branch predictors and clock settle.
const WARM_UP: f64 = 0.3;
/// Seconds of one measurement.
const SLICE: f64 = 0.2;
/// Measurements of each combination; the median counts.
const SLICES: usize = 7;

/// Multiply-adds of one image in a training step of the article's network: forward in full; backward for
/// the one in four convolution outputs that max-pooling lets a gradient through to.
const ARTICLE: f64 = (FORWARD + BACKWARD) as f64;
const CONV1: u32 = 6 * 25;
const CONV2: u32 = 16 * 6 * 25;
const FC: u32 = 256 * 10;
const FORWARD: u32 = 24 * 24 * CONV1 + 8 * 8 * CONV2 + FC;
/// The images need no gradient, so the first layer has only that of its weights.
const BACKWARD: u32 = 12 * 12 * CONV1 + 2 * 4 * 4 * CONV2 + 2 * FC;

/// Speed of one combination.
#[derive(Clone, Debug, Serialize)]
struct Speed {
    /// CPU threads.
    threads: usize,
    /// What computes: `CPU, 2 threads`, or a GPU's name.
    device: String,
    batch_size: usize,
    /// Images a second: median, slowest and fastest measurement.
    images_per_second: f64,
    slowest: f64,
    fastest: f64,
    /// Arithmetic done, as a share of the peak of this many threads; unknown of GPUs.
    peak_share: Option<f64>,
}

#[derive(Debug, Serialize)]
struct Report {
    version: &'static str,
    /// f32 multiply-adds a second at most, by number of threads.
    peaks: Vec<Peak>,
    speeds: Vec<Speed>,
}

#[derive(Clone, Copy, Debug, Serialize)]
struct Peak {
    threads: usize,
    multiply_adds_per_second: f64,
}

/// Measures on up to `threads` threads, or every core, with the worker that trains: decoding a
/// batch, forward, backward, Adam and the hand-over of the losses are all included. A GPU is measured next to
/// all threads.
pub fn run(config: &RunConfig, batch_sizes: &[usize], json: bool) -> Outcome {
    if let Err(error) = config.validate() {
        return Outcome::Failed(error.into());
    }
    let most = config.threads.or_else(|| std::thread::available_parallelism().ok().map(Into::into));
    let mut counts = thread_counts(most.unwrap_or(1));
    let mut report =
        Report { version: env!("CARGO_PKG_VERSION"), peaks: Vec::new(), speeds: Vec::new() };
    let batch_sizes = if batch_sizes.is_empty() { &BATCHES } else { batch_sizes };
    let is_gpu = !matches!(config.device, DeviceChoice::Auto | DeviceChoice::Cpu);
    // A GPU is compared with all cores only.
    if is_gpu {
        counts.drain(..counts.len() - 1);
    }
    let cpu = RunConfig { device: DeviceChoice::Cpu, ..config.clone() };
    // One that cannot be used is found out first.
    for &batch_size in batch_sizes.iter().filter(|_| is_gpu) {
        match measure(config, 1, batch_size) {
            Ok(measured) => report.speeds.push(speed(1, batch_size, measured, None)),
            Err(failure) => return Outcome::Failed(failure),
        }
    }
    for &threads in &counts {
        let peak = match train::arithmetic_peak(threads) {
            Ok(peak) => peak,
            Err(error) => return Outcome::failure(error),
        };
        report.peaks.push(Peak { threads, multiply_adds_per_second: peak });
        for &batch_size in batch_sizes {
            match measure(&cpu, threads, batch_size) {
                Ok(measured) => {
                    report.speeds.push(speed(threads, batch_size, measured, Some(peak)));
                }
                Err(failure) => return Outcome::Failed(failure),
            }
        }
    }
    match serde_json::to_string(&report) {
        Ok(line) if json => print(&(line + "\n")),
        Ok(_) => print(&table(&report)),
        Err(error) => Outcome::failure(error),
    }
}

/// Images a second that a run with these settings trains: the median of short measurements.
///
/// # Errors
/// If it cannot start.
pub(crate) fn images_per_second(config: &RunConfig) -> Result<f64, Failure> {
    let threads =
        config.threads.or_else(|| std::thread::available_parallelism().ok().map(Into::into));
    let threads = threads.unwrap_or(1);
    let measured = measure(config, threads, config.batch_size)?;
    Ok(speed(threads, config.batch_size, measured, None).images_per_second)
}

/// 1, 2, 4, … and the most.
fn thread_counts(most: usize) -> Vec<usize> {
    let powers = std::iter::successors(Some(1), |n: &usize| n.checked_mul(2));
    let mut counts: Vec<usize> = powers.take_while(|&n| n < most).collect();
    counts.push(most.max(1));
    counts
}

/// What training is measured to do.
struct Measured {
    /// Images a second of each slice.
    slices: Vec<f64>,
    /// Of one image in a training step.
    multiply_adds: f64,
    /// What computed.
    device: String,
}

fn measure(config: &RunConfig, threads: usize, batch_size: usize) -> Result<Measured, Failure> {
    let (sender, events) = bounded(64);
    let config = RunConfig {
        threads: Some(threads),
        batch_size,
        epochs: u32::MAX,
        max_steps: None,
        ..config.clone()
    };
    let bar = Bar::new(&format!("batch {batch_size}, {threads} threads: "));
    let worker = train::spawn(config.clone(), vec![sender]);
    let measured = slices(&config, &events);
    bar.clear();
    worker.send(Command::Stop);
    drop(events);
    worker.join();
    measured
}

fn slices(config: &RunConfig, events: &Receiver<Event>) -> Result<Measured, Failure> {
    let mut slices = Vec::with_capacity(SLICES);
    let mut multiply_adds = ARTICLE;
    let mut device = String::new();
    let mut since: Option<(f64, u64)> = None;
    for event in events {
        let (seconds, images) = match event {
            Event::Progress(Progress { clock, images, .. }) => (clock.training, images),
            Event::Started(RunInfo { set, device: name, .. }) => {
                device = name;
                let plan = config.plan(set.shape, set.classes.len())?;
                if !plan.is_article() {
                    multiply_adds = plan.training_multiply_adds() as f64;
                }
                continue;
            }
            Event::Failed(failure) => return Err(failure),
            _ => continue,
        };
        match since {
            None if seconds >= WARM_UP => since = Some((seconds, images)),
            Some((start, before)) if seconds - start >= SLICE => {
                slices.push((images - before) as f64 / (seconds - start));
                since = Some((seconds, images));
            }
            _ => {}
        }
        if slices.len() == SLICES {
            return Ok(Measured { slices, multiply_adds, device });
        }
    }
    let message = "training ended before its speed was measured".to_owned();
    Err(Failure::new(message))
}

fn speed(threads: usize, batch_size: usize, measured: Measured, peak: Option<f64>) -> Speed {
    let Measured { mut slices, multiply_adds, device } = measured;
    slices.sort_by(f64::total_cmp);
    let at = |place: usize| slices.get(place).copied().unwrap_or(f64::NAN);
    let images_per_second = at(slices.len() / 2);
    Speed {
        threads,
        device,
        batch_size,
        images_per_second,
        slowest: at(0),
        fastest: at(slices.len().saturating_sub(1)),
        peak_share: peak.map(|peak| images_per_second * multiply_adds / peak),
    }
}

fn table(report: &Report) -> String {
    let widest = report.speeds.iter().map(|speed| speed.device.chars().count()).max().unwrap_or(0);
    let head = format!("{:<widest$}  batch   images/s    slowest–fastest    of peak\n", "device");
    let mut text = head;
    for speed in &report.speeds {
        let range = format!("{:.0}–{:.0}", speed.slowest, speed.fastest);
        let share =
            speed.peak_share.map_or(String::new(), |share| format!("{:.1} %", 100.0 * share));
        let line = format!(
            "{:<widest$}  {:>5}  {:>9.0}   {range:>16}    {share:>7}",
            speed.device, speed.batch_size, speed.images_per_second
        );
        let _ = writeln!(text, "{}", line.trim_end());
    }
    for peak in &report.peaks {
        let _ = writeln!(
            text,
            "peak of {} thread{}: {:.1} billion multiply-adds a second",
            peak.threads,
            if peak.threads == 1 { "" } else { "s" },
            peak.multiply_adds_per_second / 1e9,
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_double_up_to_the_most() {
        assert_eq!(thread_counts(1), [1]);
        assert_eq!(thread_counts(2), [1, 2]);
        assert_eq!(thread_counts(6), [1, 2, 4, 6]);
    }

    #[test]
    fn the_median_of_the_slices_counts() {
        let measured =
            Measured { slices: vec![3.0, 1.0, 2.0], multiply_adds: 7.0, device: String::new() };
        let speed = speed(2, 50, measured, Some(28.0));
        assert_eq!((speed.slowest, speed.images_per_second, speed.fastest), (1.0, 2.0, 3.0));
        assert!(speed.peak_share.is_some_and(|share| (share - 0.5).abs() < 1e-9));
    }

    #[test]
    fn the_table_lines_up() {
        let measured = |device: &str| Measured {
            slices: vec![99_000.4; 3],
            multiply_adds: ARTICLE,
            device: device.to_owned(),
        };
        let speeds = vec![
            speed(1, 50, measured("CPU, 1 thread"), Some(1e11)),
            speed(2, 1024, measured("CPU, 2 threads"), Some(1e11)),
            speed(1, 50, measured("Some GPU"), None),
        ];
        let peaks = vec![Peak { threads: 1, multiply_adds_per_second: 1e11 }];
        let text = table(&Report { version: "0", peaks, speeds });
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[1], "CPU, 1 thread      50      99000        99000–99000     34.3 %");
        assert_eq!(lines[3], "Some GPU           50      99000        99000–99000");
        let width = |line: usize| lines[line].chars().count();
        assert_eq!((width(0), width(1)), (width(1), width(2)));
        assert_eq!(lines[4], "peak of 1 thread: 100.0 billion multiply-adds a second");
    }
}
