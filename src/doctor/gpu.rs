//! NVIDIA GPUs, their driver and the compiler for their code.

use serde::Serialize;

use super::{Problem, Row, share};
use crate::{
    hardware::{
        GpuReading,
        nvml::{Driver, DriverError, Gpu},
        nvrtc::{self, Nvrtc},
        pci,
    },
    printable::thousands,
};

/// A GPU that others keep this busy, in percent, has little left.
const BUSY: u32 = 50;

#[derive(Debug, Default, Serialize)]
pub(super) struct Gpus {
    /// NVIDIA GPUs that the kernel sees, with or without a driver.
    cards: Option<usize>,
    driver: Option<String>,
    /// The newest CUDA that the driver runs.
    cuda: Option<String>,
    /// Why the driver's library cannot be used.
    error: Option<String>,
    devices: Vec<Gpu>,
    nvrtc: Vec<Nvrtc>,
}

impl Gpus {
    pub(super) fn look(problems: &mut Vec<Problem>) -> Self {
        let mut gpus = Self { cards: pci::nvidia_gpus(), nvrtc: nvrtc::find(), ..Self::default() };
        let opened = Driver::open().and_then(|driver| {
            (gpus.driver, gpus.cuda) = (driver.version(), driver.cuda_version());
            gpus.devices = driver.gpus()?;
            Ok(())
        });
        let is_absent =
            matches!(opened, Err(DriverError::NoLibrary)) && gpus.cards.unwrap_or(0) == 0;
        if let Err(error) = opened
            && !is_absent
        {
            gpus.error = Some(error.to_string());
        }
        problems.extend(gpus.problems());
        gpus
    }

    fn problems(&self) -> Vec<Problem> {
        let mut problems: Vec<Problem> = self.error.iter().map(Problem::note).collect();
        if let (None, Some(driver), true) = (&self.error, &self.driver, self.devices.is_empty()) {
            problems.push(Problem::note(format!(
                "the NVIDIA driver {driver} offers no GPU: start the container or job with one (docker \
                 run --gpus all, srun --gpus=1), or look for its fault with nvidia-smi"
            )));
        }
        for gpu in &self.devices {
            problems.extend(troubles(gpu));
        }
        if !self.devices.is_empty() && self.nvrtc.is_empty() {
            problems.push(Problem::note(
                "NVRTC, which compiles GPU code for networks of your own, is not installed: install it \
                 with `pip install nvidia-cuda-nvrtc-cu12`, or give its folder in LD_LIBRARY_PATH",
            ));
        }
        problems
    }

    pub(super) fn rows(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        for gpu in &self.devices {
            rows.extend(lines(gpu));
        }
        if rows.is_empty() {
            let none = match self.cards {
                Some(cards @ 1..) => format!("{cards} from NVIDIA, without a working driver"),
                _ => "none from NVIDIA".to_owned(),
            };
            rows.push(("GPU", none));
        }
        if let Some(driver) = &self.driver {
            let cuda = self.cuda.as_ref().map(|version| format!(", CUDA {version}"));
            rows.push(("driver", format!("{driver}{}", cuda.unwrap_or_default())));
        }
        match self.nvrtc.split_first() {
            Some((Nvrtc { path, origin }, others)) => {
                let others = match others.len() {
                    0 => String::new(),
                    1 => ", and another copy".to_owned(),
                    more => format!(", and {more} other copies"),
                };
                rows.push(("NVRTC", format!("{} ({}{others})", path.display(), origin.name())));
            }
            None if !self.devices.is_empty() => rows.push(("NVRTC", "not found".to_owned())),
            None => {}
        }
        rows
    }
}

/// What is wrong with a GPU now.
fn troubles(gpu: &Gpu) -> Vec<Problem> {
    let name = gpu.name.as_deref().unwrap_or("the GPU");
    let mut problems = Vec::new();
    if let Some(busy) = gpu.reading.utilization.filter(|&busy| busy >= BUSY) {
        problems.push(Problem::note(format!(
            "other programs keep {name} {busy} % busy: end them, or choose another GPU with \
             CUDA_VISIBLE_DEVICES={}",
            gpu.uuid
        )));
    }
    for reason in &gpu.reading.throttled {
        problems.extend(reason.remedy().map(|remedy| {
            let reason = reason.name();
            Problem::note(format!("{name} runs below its clock ({reason}): {remedy}"))
        }));
    }
    problems
}

fn lines(gpu: &Gpu) -> Vec<Row> {
    let Gpu { name, uuid, compute_capability, is_divided, reading, .. } = gpu;
    let mut parts = vec![name.clone().unwrap_or_else(|| "unknown".to_owned())];
    parts
        .extend(compute_capability.as_ref().map(|version| format!("compute capability {version}")));
    if *is_divided {
        parts.push("divided into MIG devices".to_owned());
    }
    vec![("GPU", parts.join(", ")), ("", uuid.clone()), ("", figures(reading))]
}

/// `41 % busy, 3.0 GiB of 80.0 GiB in use, 63 °C, 231 of 700 W, 1,755 of 1,980 MHz`.
fn figures(reading: &GpuReading) -> String {
    let of = |limit: Option<String>| limit.map_or_else(String::new, |limit| format!(" of {limit}"));
    let mhz = |mhz: u32| thousands(mhz.into());
    let watts = |watts: f32| format!("{watts:.0}");
    let parts = [
        reading.utilization.map(|percent| format!("{percent} % busy")),
        share(reading.memory_used, reading.memory_total).map(|share| format!("{share} in use")),
        reading.temperature.map(|degrees| format!("{degrees} °C")),
        reading
            .power
            .map(|power| format!("{}{} W", watts(power), of(reading.power_limit.map(watts)))),
        reading
            .clock
            .map(|clock| format!("{}{} MHz", mhz(clock), of(reading.clock_limit.map(mhz)))),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::hardware::{Throttle, nvrtc::Origin};

    fn card() -> Gpu {
        Gpu {
            name: Some("NVIDIA H100".into()),
            uuid: "GPU-1".into(),
            memory: Some(80 << 30),
            compute_capability: Some("9.0".into()),
            is_divided: false,
            reading: GpuReading {
                utilization: Some(3),
                memory_used: Some(3 << 30),
                memory_total: Some(80 << 30),
                temperature: Some(63),
                power: Some(231.4),
                power_limit: Some(700.0),
                clock: Some(1_755),
                clock_limit: Some(1_980),
                ..GpuReading::default()
            },
        }
    }

    fn messages(gpus: &Gpus) -> Vec<String> {
        gpus.problems().into_iter().map(|problem| problem.message).collect()
    }

    #[test]
    fn a_gpu_has_a_line_for_what_it_is_its_uuid_and_its_figures() {
        let nvrtc = |path: &str| Nvrtc { path: PathBuf::from(path), origin: Origin::Toolkit };
        let gpus = Gpus {
            driver: Some("550.54.15".into()),
            cuda: Some("12.4".into()),
            devices: vec![card()],
            nvrtc: vec![nvrtc("/a/libnvrtc.so.12"), nvrtc("/b/libnvrtc.so.12")],
            ..Gpus::default()
        };
        let figures =
            "3 % busy, 3.0 GiB of 80.0 GiB in use, 63 °C, 231 of 700 W, 1,755 of 1,980 MHz";
        let expected = [
            ("GPU", "NVIDIA H100, compute capability 9.0"),
            ("", "GPU-1"),
            ("", figures),
            ("driver", "550.54.15, CUDA 12.4"),
            ("NVRTC", "/a/libnvrtc.so.12 (CUDA toolkit, and another copy)"),
        ];
        assert_eq!(gpus.rows(), expected.map(|(name, text)| (name, text.to_owned())));
        assert_eq!(messages(&gpus), [""; 0]);
    }

    #[test]
    fn a_machine_without_a_gpu_has_no_problem_and_one_without_a_driver_has() {
        let none = Gpus { cards: Some(0), ..Gpus::default() };
        assert_eq!(none.rows(), [("GPU", "none from NVIDIA".to_owned())]);
        assert_eq!(messages(&none), [""; 0]);
        let error = Some(DriverError::NotLoaded.to_string());
        let broken = Gpus { cards: Some(2), error, ..Gpus::default() };
        assert_eq!(broken.rows()[0].1, "2 from NVIDIA, without a working driver");
        assert!(messages(&broken)[0].contains("modprobe nvidia"));
        let empty = Gpus { driver: Some("550".into()), ..Gpus::default() };
        assert!(messages(&empty)[0].contains("offers no GPU"));
    }

    #[test]
    fn a_gpu_that_is_busy_hot_or_without_a_compiler_is_a_problem() {
        let mut gpu = card();
        gpu.reading.utilization = Some(98);
        gpu.reading.throttled = vec![Throttle::Power, Throttle::Temperature];
        let problems = messages(&Gpus { devices: vec![gpu], ..Gpus::default() });
        assert_eq!(problems.len(), 3, "{problems:?}");
        assert!(problems[0].contains("98 % busy") && problems[0].contains("=GPU-1"));
        assert!(problems[1].contains("temperature"), "{problems:?}");
        assert!(problems[2].contains("nvidia-cuda-nvrtc"), "{problems:?}");
    }
}
