//! The processors and the main memory.

use std::{fmt::Write as _, thread, time::Instant};

use serde::Serialize;

use super::{Problem, Row, share};
use crate::{
    hardware::{
        CpuMeter,
        limits::{Limits, available_memory},
        processor,
    },
    nn,
    printable::bytes,
};

/// Less memory than this and a run may be ended by the system: the images take 55 MB, snapshots 256 MiB.
const LITTLE_MEMORY: u64 = 512 << 20;

#[derive(Debug, Serialize)]
pub(super) struct Cpu {
    name: Option<String>,
    vector_units: Vec<&'static str>,
    /// f32 values in a vector of the training kernels.
    lanes: usize,
    clock_mhz: Option<u32>,
}

impl Cpu {
    pub(super) fn look(problems: &mut Vec<Problem>) -> Self {
        let clock_mhz = CpuMeter::default().read(Instant::now()).clock;
        let vector_units = processor::vector_units();
        problems.extend(slow(&vector_units));
        Self { name: processor::name(), vector_units, lanes: nn::vector_lanes(), clock_mhz }
    }

    pub(super) fn rows(&self) -> Vec<Row> {
        let name = self.name.clone().unwrap_or_else(|| "unknown".to_owned());
        let clock = self
            .clock_mhz
            .map_or_else(String::new, |mhz| format!(" at {:.2} GHz", f64::from(mhz) / 1e3));
        let units = match self.vector_units.join(", ") {
            units if units.is_empty() => "no known vector units".to_owned(),
            units => units,
        };
        let lanes = self.lanes;
        vec![
            ("CPU", format!("{name}{clock}")),
            ("vectors", format!("{units}; training uses {lanes} f32 values at a time")),
        ]
    }
}

/// Kernels are written for AVX2 with FMA and for AVX-512; with less they fall back to four values.
fn slow(vector_units: &[&str]) -> Option<Problem> {
    let is_slow = cfg!(target_arch = "x86_64") && !vector_units.contains(&"FMA");
    is_slow.then(|| {
        Problem::note(
            "this processor offers neither AVX2 nor FMA, and training is several times slower without \
             them: on a virtual machine, ask for the host's processor model (QEMU: -cpu host)",
        )
    })
}

#[derive(Debug, Serialize)]
pub(super) struct Threads {
    /// Threads of a run.
    used: usize,
    /// Processors of the machine, hyper-threads counted.
    machine: Option<u32>,
    #[serde(flatten)]
    limits: Limits,
}

impl Threads {
    pub(super) fn look(asked: Option<usize>) -> Self {
        let usable = || thread::available_parallelism().map_or(1, usize::from);
        let machine = CpuMeter::default().read(Instant::now()).processors;
        Self { used: asked.unwrap_or_else(usable), machine, limits: Limits::of_program() }
    }

    pub(super) fn rows(&self) -> Vec<Row> {
        let Self { used, machine, limits } = self;
        let mut text = used.to_string();
        if let Some(machine) = machine {
            let _ = write!(text, " of {machine}");
        }
        if let Some(affinity) = &limits.affinity {
            let _ = write!(text, "; allowed processors {affinity}");
        }
        if let (Some(quota), Some(version)) = (limits.quota, limits.cgroup) {
            let _ = write!(text, "; cgroup v{version} grants the time of {quota:.1}");
        }
        vec![("threads", text)]
    }
}

#[derive(Debug, Serialize)]
pub(super) struct Memory {
    total: Option<u64>,
    available: Option<u64>,
    /// What control groups grant.
    limit: Option<u64>,
}

impl Memory {
    pub(super) fn look(problems: &mut Vec<Problem>) -> Self {
        let total = CpuMeter::default().read(Instant::now()).memory_total;
        let memory =
            Self { total, available: available_memory(), limit: Limits::of_program().memory };
        problems.extend(memory.problem());
        memory
    }

    fn problem(&self) -> Option<Problem> {
        let most = [self.available, self.limit].into_iter().flatten().min()?;
        (most < LITTLE_MEMORY).then(|| {
            let most = bytes(most);
            Problem::note(format!(
                "a run may use only {most} of memory: end other programs or raise the limit of the \
                 container, or take less with --rewind-memory 32"
            ))
        })
    }

    pub(super) fn rows(&self) -> Vec<Row> {
        let mut text = share(self.available, self.total)
            .map_or_else(|| "unknown".to_owned(), |share| format!("{share} available"));
        if let Some(limit) = self.limit {
            let _ = write!(text, "; cgroup limit {}", bytes(limit));
        }
        vec![("memory", text)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_processor_without_fma_is_a_problem_where_kernels_use_it() {
        assert_eq!(slow(&["SSE2", "AVX"]).is_some(), cfg!(target_arch = "x86_64"));
        assert_eq!(slow(&["SSE2", "AVX", "AVX2", "FMA"]), None);
    }

    #[test]
    fn the_smaller_of_memory_and_limit_has_to_do() {
        let memory = |available, limit| Memory { total: Some(8 << 30), available, limit };
        assert_eq!(memory(Some(4 << 30), None).problem(), None);
        assert_eq!(memory(None, None).problem(), None);
        for short in [memory(Some(100 << 20), None), memory(Some(4 << 30), Some(100 << 20))] {
            let problem = short.problem().expect("too little");
            assert!(problem.message.contains("100 MiB") && !problem.blocks, "{problem:?}");
        }
        let rows = memory(Some(4 << 30), Some(1 << 30)).rows();
        assert_eq!(rows[0].1, "4.0 GiB of 8.0 GiB available; cgroup limit 1.0 GiB");
    }

    #[test]
    fn threads_name_what_limits_them() {
        let limits = Limits {
            affinity: Some("0-3".into()),
            allowed: Some(4),
            quota: Some(1.5),
            memory: None,
            cgroup: Some(2),
        };
        let threads = Threads { used: 2, machine: Some(64), limits };
        let expected = "2 of 64; allowed processors 0-3; cgroup v2 grants the time of 1.5";
        assert_eq!(threads.rows(), [("threads", expected.to_owned())]);
    }
}
