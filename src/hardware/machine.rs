//! The figures of this machine: those of the processors always, those of a GPU as long as it answers.

use std::{
    thread,
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};

use super::{
    CpuMeter, GpuReading, Reading, Source,
    nvml::{Driver, GpuMeter},
};

/// How long a reading waits for the GPU: its driver answers within a few milliseconds, or hangs.
const PATIENCE: Duration = Duration::from_millis(200);

/// The machine that the program runs on.
#[derive(Debug)]
pub struct Machine {
    cpu: CpuMeter,
    gpu: Option<Gpu>,
}

/// A thread that asks the driver, which may hang when a card is lost.
#[derive(Debug)]
struct Gpu {
    /// Numbered; dropped to end the thread.
    questions: Option<Sender<u64>>,
    answers: Receiver<(u64, Option<GpuReading>)>,
    /// Questions so far.
    asked: u64,
}

impl Machine {
    /// The processors, and the GPU with this UUID.
    pub fn new(gpu: Option<&str>) -> Self {
        let open = |uuid: &str| {
            let uuid = uuid.to_owned();
            Gpu::start(move || {
                let mut meter = GpuMeter::new(Driver::open().ok()?, &uuid);
                Some(move || meter.read(Instant::now()))
            })
        };
        Self { cpu: CpuMeter::default(), gpu: gpu.and_then(open) }
    }
}

impl Source for Machine {
    fn read(&mut self) -> Reading {
        Reading {
            cpu: self.cpu.read(Instant::now()),
            gpu: self.gpu.as_mut().and_then(|gpu| gpu.read(PATIENCE)),
        }
    }
}

impl Gpu {
    /// `open` gives what reads the GPU, or nothing where it cannot be read.
    fn start<R: FnMut() -> Option<GpuReading>>(
        open: impl FnOnce() -> Option<R> + Send + 'static,
    ) -> Option<Self> {
        let (questions, asked) = bounded(1);
        let (answer, answers) = bounded(1);
        let work = move || {
            let Some(mut read) = open() else { return };
            while let Ok(number) = asked.recv() {
                if answer.send((number, read())).is_err() {
                    return;
                }
            }
        };
        let thread = thread::Builder::new().name("gpu-monitor".to_owned()).spawn(work);
        thread.is_ok().then_some(Self { questions: Some(questions), answers, asked: 0 })
    }

    /// Asks for the figures and waits a moment for them.
    fn read(&mut self, patience: Duration) -> Option<GpuReading> {
        self.asked += 1;
        match self.questions.as_ref()?.try_send(self.asked) {
            Ok(()) => {}
            // The question before was not taken yet, but its answer may be blocked by the one before that.
            Err(TrySendError::Full(_)) => {
                let _ = self.answers.try_recv();
                return None;
            }
            Err(TrySendError::Disconnected(_)) => return None,
        }
        let deadline = Instant::now() + patience;
        // An answer that came too late is out of date.
        loop {
            match self.answers.recv_deadline(deadline) {
                Ok((number, reading)) if number == self.asked => return reading,
                Ok(_) => {}
                Err(_) => return None,
            }
        }
    }
}

impl Drop for Gpu {
    /// Ends the thread, so that the driver's library is closed before the program ends; one that hangs is
    /// left behind.
    fn drop(&mut self) {
        self.questions = None;
        while self.answers.recv_timeout(PATIENCE).is_ok() {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEADLINE: Duration = Duration::from_secs(20);

    fn reading(power: f32) -> GpuReading {
        GpuReading { power: Some(power), ..GpuReading::default() }
    }

    #[test]
    fn a_gpu_is_asked_once_for_each_reading() {
        let mut power = 0.0;
        let read = move || {
            power += 1.0;
            Some(reading(power))
        };
        let mut gpu = Gpu::start(move || Some(read)).expect("a thread");
        assert_eq!(gpu.read(DEADLINE), Some(reading(1.0)));
        assert_eq!(gpu.read(DEADLINE), Some(reading(2.0)));
        let mut none = Gpu::start(|| None::<fn() -> Option<GpuReading>>).expect("a thread");
        assert_eq!(none.read(DEADLINE), None);
    }

    #[test]
    fn a_gpu_that_hangs_costs_a_moment_and_its_late_answer_is_dropped() {
        let (release, hang) = bounded::<()>(0);
        let mut power = 0.0;
        let read = move || {
            power += 1.0;
            let _ = hang.recv();
            Some(reading(power))
        };
        let mut gpu = Gpu::start(move || Some(read)).expect("a thread");
        let short = Duration::from_millis(1);
        assert_eq!((gpu.read(short), gpu.read(short), gpu.read(short)), (None, None, None));
        drop(release);
        let start = Instant::now();
        let answer = loop {
            match gpu.read(DEADLINE) {
                None if start.elapsed() < DEADLINE => thread::yield_now(),
                answer => break answer,
            }
        };
        assert!(answer.is_some_and(|answer| answer.power >= Some(2.0)));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_machine_without_the_gpu_still_reads_its_processors() {
        let mut machine = Machine::new(Some("GPU-00000000-0000-0000-0000-000000000000"));
        let reading = machine.read();
        assert!(reading.cpu.resident.is_some_and(|bytes| bytes > 1 << 20), "{reading:?}");
        assert_eq!(reading.gpu, None);
    }
}
