//! Figures of the processors and the main memory from Linux's `/proc` and `/sys`.

use std::{
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
    time::Instant,
};

use super::CpuReading;

/// Ticks a second of the times in `/proc`. The kernel scales them to this for programs on every
/// architecture that Rust supports.
const TICKS: f64 = 100.0;
/// More of a file is not read: enough for the first 40 processors of `/proc/cpuinfo`.
const MOST: u64 = 1 << 16;
/// Processors whose clocks are read; on a large machine each costs an interrupt of another processor.
const CLOCKS: usize = 16;

/// Reads the figures of the processors, and knows those of the reading before.
#[derive(Debug)]
pub struct CpuMeter {
    /// `/`, or a folder that a test has made.
    root: PathBuf,
    before: Option<(Instant, Times)>,
}

/// Seconds of processors since the machine or the program started.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Times {
    program: Option<f64>,
    machine: Option<f64>,
}

impl Default for CpuMeter {
    fn default() -> Self {
        Self::new(Path::new("/"))
    }
}

impl CpuMeter {
    /// For a machine whose `proc` and `sys` are in this folder.
    pub fn new(root: &Path) -> Self {
        Self { root: root.to_owned(), before: None }
    }

    /// The figures at this time.
    pub fn read(&mut self, now: Instant) -> CpuReading {
        let stat = self.text("proc/stat");
        let times = Times {
            program: self.text("proc/self/stat").as_deref().and_then(program_time),
            machine: stat.as_deref().and_then(machine_time),
        };
        let before = self.before.replace((now, times));
        let busy = |time: fn(&Times) -> Option<f64>| {
            let (then, before) = before.as_ref()?;
            let seconds = now.duration_since(*then).as_secs_f64();
            let share = (time(&times)? - time(before)?) / seconds;
            // A counter that went back, or two readings at once, give nothing.
            (share.is_finite() && share >= 0.0).then(|| (100.0 * share).round() as f32 / 100.0)
        };
        let memory = self.text("proc/meminfo").unwrap_or_default();
        let memory_total = kilobytes(&memory, "MemTotal:");
        let available = kilobytes(&memory, "MemAvailable:");
        let status = self.text("proc/self/status").unwrap_or_default();
        CpuReading {
            program: busy(|times| times.program),
            machine: busy(|times| times.machine),
            processors: stat.as_deref().and_then(processors),
            resident: kilobytes(&status, "VmRSS:"),
            memory_used: memory_total.zip(available).map(|(all, free)| all.saturating_sub(free)),
            memory_total,
            clock: self.clock(),
        }
    }

    /// The clock of the fastest of the first processors, in MHz.
    fn clock(&self) -> Option<u32> {
        let scaled = (0..CLOCKS).map_while(|index| {
            let path = format!("sys/devices/system/cpu/cpu{index}/cpufreq/scaling_cur_freq");
            self.text(&path)?.trim().parse::<u64>().ok()
        });
        let mhz = match scaled.max() {
            Some(khz) => khz as f64 / 1e3,
            None => fastest(&self.text("proc/cpuinfo")?)?,
        };
        (mhz.is_finite() && (1.0..1e6).contains(&mhz)).then(|| mhz.round() as u32)
    }

    fn text(&self, path: &str) -> Option<String> {
        read(&self.root.join(path))
    }
}

/// The beginning of a file of the kernel's.
pub(super) fn read(path: &Path) -> Option<String> {
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(MOST).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// Seconds of processors in `/proc/self/stat`, in user and in kernel mode.
fn program_time(stat: &str) -> Option<f64> {
    // The program's name, in brackets, may hold blanks and brackets.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut times = fields.split_ascii_whitespace().skip(11).map(str::parse::<u64>);
    let mut next = || times.next()?.ok();
    Some((next()? as f64 + next()? as f64) / TICKS)
}

/// Seconds that processors were busy, of the first line of `/proc/stat`: user, nice, system, idle, waiting
/// for disks, interrupts, soft interrupts; time stolen by other virtual machines is not this machine's.
fn machine_time(stat: &str) -> Option<f64> {
    let line = stat.lines().next()?.strip_prefix("cpu ")?;
    let times: Vec<u64> = line.split_ascii_whitespace().map_while(|n| n.parse().ok()).collect();
    let busy = [0, 1, 2, 5, 6].map(|place| times.get(place).copied());
    let busy: Option<Vec<u64>> = busy.into_iter().collect();
    Some(busy?.iter().map(|&ticks| ticks as f64).sum::<f64>() / TICKS)
}

/// Processors in `/proc/stat`.
fn processors(stat: &str) -> Option<u32> {
    let lines = stat.lines().skip(1).take_while(|line| line.starts_with("cpu"));
    u32::try_from(lines.count()).ok().filter(|&count| count > 0)
}

/// Bytes of a line such as `MemTotal:  8148084 kB`.
pub(super) fn kilobytes(text: &str, name: &str) -> Option<u64> {
    let value = text.lines().find_map(|line| line.strip_prefix(name))?;
    value.split_ascii_whitespace().next()?.parse::<u64>().ok()?.checked_mul(1_024)
}

/// The highest clock in `/proc/cpuinfo`, in MHz.
fn fastest(cpuinfo: &str) -> Option<f64> {
    let clocks = cpuinfo.lines().filter_map(|line| line.strip_prefix("cpu MHz"));
    let clocks = clocks.filter_map(|rest| rest.split_once(':')?.1.trim().parse::<f64>().ok());
    clocks.reduce(f64::max)
}

#[cfg(test)]
mod tests {
    use std::{fs, time::Duration};

    use super::*;

    const STAT: &str = "cpu  1000 20 300 9999 50 6 7 80 0 0\ncpu0 1 2 3\ncpu1 1 2 3\nintr 5\n";

    fn own(user: u64, system: u64) -> String {
        format!("42 (a) b (c) R 1 2 3 4 5 6 7 8 9 10 {user} {system} 0 0 20 0")
    }

    #[test]
    fn shares_are_those_since_the_reading_before() {
        let root = tempfile::tempdir().expect("a folder");
        let put = |path: &str, text: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().expect("a folder")).expect("it can be made");
            fs::write(path, text).expect("it can be written");
        };
        put("proc/stat", STAT);
        put("proc/self/stat", &own(100, 50));
        put("proc/meminfo", "MemTotal:  8000 kB\nMemFree: 1 kB\nMemAvailable: 5000 kB\n");
        put("proc/self/status", "Name:\tx\nVmRSS:\t  2048 kB\n");
        put("proc/cpuinfo", "cpu MHz\t\t: 2100.4\ncpu MHz\t\t: 2596.6\n");
        let (mut meter, start) = (CpuMeter::new(root.path()), Instant::now());
        let first = meter.read(start);
        assert_eq!((first.program, first.machine, first.processors), (None, None, Some(2)));
        assert_eq!(first.resident, Some(2_048 << 10));
        let memory = (first.memory_used, first.memory_total);
        assert_eq!(memory, (Some(3_000 << 10), Some(8_000 << 10)));
        assert_eq!(first.clock, Some(2_597));

        put("proc/self/stat", &own(220, 80));
        put("proc/stat", &STAT.replace("1000", "1180"));
        put("sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq", "3100000\n");
        let second = meter.read(start + Duration::from_secs(1));
        assert_eq!((second.program, second.machine), (Some(1.5), Some(1.8)));
        assert_eq!(second.clock, Some(3_100));

        put("proc/self/stat", &own(1, 1));
        let back = meter.read(start + Duration::from_secs(2));
        assert_eq!((back.program, back.machine), (None, Some(0.0)));
        assert_eq!(meter.read(start + Duration::from_secs(2)).machine, None, "no time has passed");
    }

    #[test]
    fn a_system_without_these_files_has_no_figures() {
        let root = tempfile::tempdir().expect("a folder");
        let mut meter = CpuMeter::new(root.path());
        let now = Instant::now();
        assert_eq!(meter.read(now), CpuReading::default());
        assert_eq!(meter.read(now + Duration::from_secs(1)), CpuReading::default());
    }

    #[test]
    fn files_that_hold_something_else_give_nothing() {
        for text in ["", "cpu", "cpu x y", "cpu  1 2", ")", "1 (x) R 1 2", "MemTotal: many kB"] {
            assert_eq!(program_time(text), None, "{text}");
            assert_eq!(machine_time(text), None, "{text}");
            assert_eq!(kilobytes(text, "MemTotal:"), None, "{text}");
            assert_eq!(fastest(text), None, "{text}");
        }
        assert_eq!(kilobytes("MemTotal: 18446744073709551615 kB", "MemTotal:"), None);
    }
}
