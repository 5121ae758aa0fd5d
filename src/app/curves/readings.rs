//! Figures of the machine over the steps, in memory that does not grow with them.

use super::spans::{self, Span as _};
use crate::hardware::{GpuReading, Reading};

/// A figure of the machine that is drawn over the steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gauge {
    /// Power that the GPU draws, in W.
    Power,
    /// Percentage of the time in which the GPU ran a kernel.
    Utilization,
    /// Temperature of the GPU, in °C.
    Temperature,
    /// Memory of the GPU in use, in GiB.
    GpuMemory,
    /// Clock of the GPU, in MHz.
    GpuClock,
    /// Processors that the program keeps busy.
    Program,
    /// Processors that all programs keep busy.
    Machine,
    /// Main memory that the program occupies, in MiB.
    Resident,
    /// Clock of the fastest processor, in MHz.
    CpuClock,
}

impl Gauge {
    /// All figures, those that a person wants first at the start.
    pub const ALL: [Self; 9] = [
        Self::Power,
        Self::Utilization,
        Self::Temperature,
        Self::GpuMemory,
        Self::Program,
        Self::Resident,
        Self::GpuClock,
        Self::Machine,
        Self::CpuClock,
    ];

    /// Its name as that of a column of a table, with its unit.
    pub fn column(self) -> &'static str {
        match self {
            Self::Power => "gpu_power_w",
            Self::Utilization => "gpu_busy_percent",
            Self::Temperature => "gpu_temperature_c",
            Self::GpuMemory => "gpu_memory_gib",
            Self::GpuClock => "gpu_clock_mhz",
            Self::Program => "program_processors",
            Self::Machine => "machine_processors",
            Self::Resident => "program_memory_mib",
            Self::CpuClock => "cpu_clock_mhz",
        }
    }

    /// Its value in a reading.
    pub fn of(self, reading: &Reading) -> Option<f32> {
        const MEBIBYTE: f32 = (1_u32 << 20) as f32;
        const GIBIBYTE: f32 = (1_u32 << 30) as f32;
        let Reading { cpu, gpu } = reading;
        let gpu = |value: fn(&GpuReading) -> Option<f32>| gpu.as_ref().and_then(value);
        let value = match self {
            Self::Power => gpu(|gpu| gpu.power),
            Self::Utilization => gpu(|gpu| gpu.utilization.map(|percent| percent as f32)),
            Self::Temperature => gpu(|gpu| gpu.temperature.map(|degrees| degrees as f32)),
            Self::GpuMemory => gpu(|gpu| gpu.memory_used.map(|bytes| bytes as f32 / GIBIBYTE)),
            Self::GpuClock => gpu(|gpu| gpu.clock.map(|mhz| mhz as f32)),
            Self::Program => cpu.program,
            Self::Machine => cpu.machine,
            Self::Resident => cpu.resident.map(|bytes| bytes as f32 / MEBIBYTE),
            Self::CpuClock => cpu.clock.map(|mhz| mhz as f32),
        };
        value.filter(|value| value.is_finite())
    }
}

/// Figures at neighbouring steps: the lowest and the highest value of each figure, NaN where there is none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReadingSpan {
    /// Steps trained at the first of them.
    pub first: u64,
    /// Steps trained at the last.
    pub last: u64,
    values: [(f32, f32); Gauge::ALL.len()],
    /// Energy used from the start of the run to the last of them, in J, without branches that were given up.
    energy: f64,
}

impl ReadingSpan {
    fn of(step: u64, reading: &Reading, energy: f64) -> Self {
        let value = |gauge: Gauge| gauge.of(reading).unwrap_or(f32::NAN);
        let values = Gauge::ALL.map(value).map(|value| (value, value));
        Self { first: step, last: step, values, energy }
    }

    /// The lowest and the highest value of a figure.
    pub fn range(&self, gauge: Gauge) -> Option<(f64, f64)> {
        let place = Gauge::ALL.iter().position(|&one| one == gauge)?;
        let (low, high) = self.values[place];
        (!low.is_nan()).then_some((low.into(), high.into()))
    }
}

impl spans::Span for ReadingSpan {
    fn steps(&self) -> (u64, u64) {
        (self.first, self.last)
    }

    fn join(self, later: Self) -> Self {
        let mut values = self.values;
        for ((low, high), other) in values.iter_mut().zip(later.values) {
            (*low, *high) = (low.min(other.0), high.max(other.1));
        }
        Self { first: self.first, last: later.last, values, energy: later.energy }
    }
}

/// What the machine did over the run, by rising step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Readings {
    spans: Vec<ReadingSpan>,
    /// Steps that a span covers before another one begins: 1 until there are too many of them.
    shortest: u64,
    /// What the GPU's counter was at the last reading, if there is one.
    counter: Option<f64>,
}

impl Readings {
    /// Most spans that are kept: more than the columns of a wide chart.
    const MOST: usize = 2_048;

    /// Adds a reading at this step or after the last one.
    pub(in crate::app) fn push(&mut self, step: u64, reading: &Reading) {
        let counter = reading.gpu.as_ref().and_then(|gpu| gpu.energy).filter(|it| it.is_finite());
        let used = match (self.counter, counter) {
            (Some(before), Some(now)) if now >= before => now - before,
            // A run that was resumed counts anew.
            (_, Some(now)) => now.max(0.0),
            (_, None) => 0.0,
        };
        self.counter = counter.or(self.counter);
        let new = ReadingSpan::of(step, reading, self.energy() + used);
        match self.spans.last_mut() {
            Some(last) if last.last > step => {}
            // While the run stands still there is one reading after another at its step, of which an
            // evaluation uses energy.
            Some(last) if last.last == step => last.energy = new.energy,
            Some(last) if step - last.first < self.shortest => *last = last.join(new),
            _ => self.spans.push(new),
        }
        if self.spans.len() > Self::MOST {
            self.shortest = spans::halve(&mut self.spans, Self::MOST).unwrap_or(self.shortest);
        }
    }

    /// Forgets the steps after `step`; what was used for them does not count for those that take their place.
    pub(super) fn go_back(&mut self, step: u64) {
        let energy = self.energy_at(step);
        self.spans.retain(|span| span.first <= step);
        if let Some(last) = self.spans.last_mut() {
            last.last = last.last.min(step);
            last.energy = energy.unwrap_or(last.energy);
        }
    }

    /// Takes over the steps of another course of the run, which were read before.
    pub(super) fn take_over(&mut self, other: &Self) {
        let counter = self.counter;
        self.clone_from(other);
        self.counter = counter;
    }

    /// What was read, oldest first.
    pub fn spans(&self) -> &[ReadingSpan] {
        &self.spans
    }

    /// What was read last up to a step.
    pub fn up_to(&self, step: u64) -> Option<&ReadingSpan> {
        self.spans[..self.spans.partition_point(|span| span.first <= step)].last()
    }

    /// Whether a figure was ever read.
    pub fn has(&self, gauge: Gauge) -> bool {
        self.spans.iter().any(|span| span.range(gauge).is_some())
    }

    /// The lowest and the highest value of a figure in the steps after `from`, up to `to`; between two readings
    /// the earlier one holds.
    pub fn range(&self, gauge: Gauge, from: u64, to: u64) -> Option<(f64, f64)> {
        let within = self.spans.iter().filter(|span| span.last > from && span.first <= to);
        let ranges = within.filter_map(|span| span.range(gauge));
        let join = |a: (f64, f64), b: (f64, f64)| (a.0.min(b.0), a.1.max(b.1));
        ranges.reduce(join).or_else(|| self.up_to(to)?.range(gauge))
    }

    /// Energy used for the steps after `from`, up to `to`, in J; `None` where the GPU was not read.
    pub fn energy_of(&self, from: u64, to: u64) -> Option<f64> {
        self.counter?;
        Some(self.energy_at(to)? - self.energy_at(from).unwrap_or(0.0))
    }

    fn energy(&self) -> f64 {
        self.spans.last().map_or(0.0, |last| last.energy)
    }

    /// Energy used up to a step: between two readings it grows as the steps do.
    fn energy_at(&self, step: u64) -> Option<f64> {
        let next = self.spans.partition_point(|span| span.last <= step);
        let before = next.checked_sub(1).and_then(|place| self.spans.get(place));
        let Some(after) = self.spans.get(next) else { return before.map(|last| last.energy) };
        let (start, used) = before.map_or((0, 0.0), |before| (before.last, before.energy));
        let share = step.saturating_sub(start) as f64 / (after.last - start).max(1) as f64;
        Some(used + share * (after.energy - used))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn reading(power: f32, energy: f64) -> Reading {
        let gpu = GpuReading { power: Some(power), energy: Some(energy), ..GpuReading::default() };
        Reading { gpu: Some(gpu), ..Reading::default() }
    }

    fn power_at(readings: &Readings, step: u64) -> Option<f64> {
        readings.up_to(step).and_then(|span| span.range(Gauge::Power)).map(|(_, high)| high)
    }

    #[test]
    fn the_reading_before_a_step_holds_there_until_the_run_is_rewound() {
        let mut readings = Readings::default();
        for (step, power) in [(10, 100.0), (20, 200.0), (20, 999.0), (30, 300.0)] {
            readings.push(step, &reading(power, 0.0));
        }
        let at = |step| power_at(&readings, step);
        assert_eq!((at(9), at(29), at(99)), (None, Some(200.0), Some(300.0)));
        assert_eq!(readings.range(Gauge::Power, 10, 30), Some((200.0, 300.0)));
        assert_eq!(readings.range(Gauge::Power, 21, 25), Some((200.0, 200.0)));
        assert!(readings.has(Gauge::Power) && !readings.has(Gauge::Program));
        readings.go_back(25);
        assert_eq!(power_at(&readings, 99), Some(200.0));
        readings.push(26, &reading(50.0, 0.0));
        assert_eq!(power_at(&readings, 26), Some(50.0));
    }

    #[test]
    fn energy_is_shared_out_among_steps_and_a_branch_that_is_given_up_counts_for_none() {
        let mut readings = Readings::default();
        assert_eq!(readings.energy_of(0, 10), None);
        for (step, energy) in [(0, 0.0), (100, 50.0), (100, 60.0), (200, 160.0)] {
            readings.push(step, &reading(1.0, energy));
        }
        assert_eq!(readings.energy_of(0, 100), Some(60.0), "with the evaluation after step 100");
        assert_eq!(readings.energy_of(0, 150), Some(110.0));
        assert_eq!(readings.energy_of(150, 200), Some(50.0));
        readings.go_back(150);
        readings.push(160, &reading(1.0, 165.0));
        assert_eq!(readings.energy_of(0, 160), Some(115.0));
        // Resumed by another program, whose counter begins anew.
        readings.push(170, &reading(1.0, 7.0));
        assert_eq!(readings.energy_of(160, 170), Some(7.0));
    }

    #[test]
    fn memory_is_bounded_and_no_extreme_is_lost() {
        let mut readings = Readings::default();
        for step in 1..=50_000 {
            readings.push(step, &reading(if step == 4_321 { 700.0 } else { 90.0 }, step as f64));
        }
        assert!(readings.spans().len() <= Readings::MOST, "{}", readings.spans().len());
        assert_eq!(readings.range(Gauge::Power, 0, 50_000), Some((90.0, 700.0)));
        assert_eq!(readings.energy_of(0, 50_000), Some(50_000.0));
        let half = readings.energy_of(0, 25_000).expect("it was read");
        assert!((half - 25_000.0).abs() < 100.0, "{half}");
    }

    #[test]
    fn figures_that_are_not_numbers_are_absent() {
        let mut readings = Readings::default();
        readings.push(1, &reading(f32::NAN, f64::NAN));
        assert!(!readings.has(Gauge::Power));
        assert_eq!(readings.energy_of(0, 1), None);
    }
}
