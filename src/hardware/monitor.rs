//! Reads a source again and again on a thread of its own, for one who never waits for it.

use std::{
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use super::{Reading, Source};

/// How long the end of a monitor waits for a reading that is being taken.
const PATIENCE: Duration = Duration::from_millis(300);

/// A thread that reads a source until this is dropped.
#[derive(Debug)]
pub struct Monitor {
    newest: Arc<Mutex<Option<Reading>>>,
    /// Dropped to end the thread.
    stop: Option<Sender<()>>,
    /// Closed once the thread has ended.
    ended: Receiver<()>,
    energy: Energy,
}

/// Energy that is used while a run works.
#[derive(Debug, Default)]
struct Energy {
    /// All that was used up to the last reading.
    before: f64,
    /// What of it was used while the run stood still.
    idle: f64,
}

impl Energy {
    /// Leaves out of a reading what is used while the run stands still.
    fn meter(&mut self, reading: &mut Reading, works: bool) {
        let Some(energy) = reading.gpu.as_mut().and_then(|gpu| gpu.energy.as_mut()) else { return };
        if !works {
            self.idle += *energy - self.before;
        }
        self.before = *energy;
        *energy -= self.idle;
    }
}

impl Monitor {
    /// Time between two readings.
    pub const PERIOD: Duration = Duration::from_secs(1);

    /// Opens a source and reads it at once, and again after each `period`. `None` where the system gives no
    /// thread: a run does without the figures.
    pub fn start<S: Source>(
        period: Duration,
        open: impl FnOnce() -> S + Send + 'static,
    ) -> Option<Self> {
        let newest = Arc::new(Mutex::new(None));
        let (stop, stopped) = bounded::<()>(0);
        let (ends, ended) = bounded::<()>(0);
        let slot = Arc::clone(&newest);
        let work = move || {
            let _ends = ends;
            let mut source = open();
            loop {
                let reading = source.read();
                // Only this thread and one that takes the reading hold the lock, neither for long.
                if let Ok(mut newest) = slot.lock() {
                    *newest = Some(reading);
                }
                if stopped.recv_timeout(period) != Err(RecvTimeoutError::Timeout) {
                    return;
                }
            }
        };
        let thread = thread::Builder::new().name("monitor".to_owned()).spawn(work);
        thread.is_ok().then_some(Self {
            newest,
            stop: Some(stop),
            ended,
            energy: Energy::default(),
        })
    }

    /// The newest reading, given once; its energy is that used while the run worked, as it does now or not.
    /// Never waits.
    pub fn take(&mut self, works: bool) -> Option<Reading> {
        let mut reading = self.newest.try_lock().ok()?.take()?;
        self.energy.meter(&mut reading, works);
        Some(reading)
    }
}

impl Drop for Monitor {
    /// Ends the thread. One that hangs in a driver's call is left behind, and ends with the program.
    fn drop(&mut self) {
        self.stop = None;
        let _ = self.ended.recv_timeout(PATIENCE);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::hardware::{CpuReading, GpuReading};

    const DEADLINE: Duration = Duration::from_secs(20);

    /// Counts its readings; the third waits until the test is over.
    struct Counting {
        count: u32,
        hang: Option<Receiver<()>>,
    }

    impl Source for Counting {
        fn read(&mut self) -> Reading {
            self.count += 1;
            if let Some(hang) = self.hang.as_ref().filter(|_| self.count == 3) {
                let _ = hang.recv();
            }
            let cpu = CpuReading { processors: Some(self.count), ..CpuReading::default() };
            Reading { cpu, gpu: None }
        }
    }

    fn next(monitor: &mut Monitor) -> Option<u32> {
        let start = Instant::now();
        while start.elapsed() < DEADLINE {
            match monitor.take(true) {
                Some(reading) => return reading.cpu.processors,
                None => thread::yield_now(),
            }
        }
        None
    }

    #[test]
    fn each_reading_is_given_once_and_the_thread_ends_with_the_monitor() {
        let monitor = Monitor::start(Duration::ZERO, || Counting { count: 0, hang: None });
        let mut monitor = monitor.expect("a thread");
        let first = next(&mut monitor).expect("a reading");
        assert!(next(&mut monitor).expect("another") > first);
        let ended = monitor.ended.clone();
        drop(monitor);
        assert_eq!(ended.recv_timeout(DEADLINE), Err(RecvTimeoutError::Disconnected));
    }

    #[test]
    fn energy_of_a_pause_is_left_out() {
        let mut energy = Energy::default();
        let metered = [(10.0, true), (14.0, false), (20.0, false), (21.0, true), (25.0, true)].map(
            |(used, works)| {
                let gpu = GpuReading { energy: Some(used), ..GpuReading::default() };
                let mut reading = Reading { gpu: Some(gpu), ..Reading::default() };
                energy.meter(&mut reading, works);
                reading.gpu.and_then(|gpu| gpu.energy)
            },
        );
        assert_eq!(metered, [10.0, 10.0, 10.0, 11.0, 15.0].map(Some));
    }

    #[test]
    fn a_source_that_hangs_holds_up_neither_who_reads_nor_the_end() {
        let (_still, hang) = bounded::<()>(0);
        let open = || Counting { count: 1, hang: Some(hang) };
        let mut monitor = Monitor::start(Duration::ZERO, open).expect("a thread");
        assert_eq!(next(&mut monitor), Some(2));
        assert_eq!(monitor.take(true), None, "the next one hangs");
        drop(monitor);
    }
}
