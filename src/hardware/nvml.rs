//! NVIDIA GPUs, through the library of their driver (NVML), which is opened when the program runs.

use std::{ffi::OsStr, process, time::Instant};

use nvml_wrapper::{
    Device, Nvml,
    bitmasks::device::ThrottleReasons,
    enum_wrappers::device::{Clock, TemperatureSensor},
    error::NvmlError,
};
use serde::Serialize;

use super::{GpuReading, Throttle};

/// The driver's library.
#[derive(Debug)]
pub struct Driver(Nvml);

/// Why no GPU can be asked for its figures.
#[derive(Debug, thiserror::Error)]
pub enum DriverError {
    /// There is no driver, or it did not come into this container.
    #[error(
        "the NVIDIA driver's library libnvidia-ml.so.1 is not installed: install the driver, or start \
         the container with its GPUs (docker run --gpus all)"
    )]
    NoLibrary,
    /// The library is there, but not the kernel module.
    #[error(
        "the NVIDIA driver is not loaded: load it with `modprobe nvidia`, or restart the machine if it \
         was just installed"
    )]
    NotLoaded,
    /// The driver was updated and the old one is still loaded.
    #[error(
        "the NVIDIA driver's library and kernel module have different versions, as after an update: \
         restart the machine"
    )]
    Mismatch,
    /// The device files may not be opened.
    #[error(
        "the NVIDIA driver refuses access: check the permissions of /dev/nvidia* and the device rules of \
         the container or job"
    )]
    Refused,
    /// Something else.
    #[error("the NVIDIA driver's library reports: {0}")]
    Other(String),
}

impl From<NvmlError> for DriverError {
    fn from(error: NvmlError) -> Self {
        match error {
            NvmlError::LibloadingError(_) | NvmlError::LibraryNotFound => Self::NoLibrary,
            NvmlError::DriverNotLoaded => Self::NotLoaded,
            NvmlError::LibRmVersionMismatch => Self::Mismatch,
            NvmlError::NoPermission | NvmlError::OperatingSystem => Self::Refused,
            error => Self::Other(error.to_string()),
        }
    }
}

/// A GPU, or the part of one that a MIG device is.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Gpu {
    /// `NVIDIA H100 80GB HBM3`.
    pub name: Option<String>,
    /// What names it for good: `GPU-…` or `MIG-…`.
    pub uuid: String,
    /// Its memory, in bytes.
    pub memory: Option<u64>,
    /// The generation of its instructions: `9.0`.
    pub compute_capability: Option<String>,
    /// Whether its memory and processors are divided among MIG devices, which follow it in a list.
    pub is_divided: bool,
    /// Its figures now.
    pub reading: GpuReading,
}

impl Driver {
    /// Opens the library.
    ///
    /// # Errors
    /// If there is none, or it finds no working driver.
    pub fn open() -> Result<Self, DriverError> {
        Ok(Self(Nvml::init()?))
    }

    /// Opens the library at this path instead of the driver's.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_at(library: &OsStr) -> Result<Self, DriverError> {
        Ok(Self(Nvml::builder().lib_path(library).init()?))
    }

    /// The driver's version: `550.54.15`.
    pub fn version(&self) -> Option<String> {
        self.0.sys_driver_version().ok()
    }

    /// The newest version of CUDA that the driver runs: `12.4`.
    pub fn cuda_version(&self) -> Option<String> {
        let version = self.0.sys_cuda_driver_version().ok()?;
        Some(format!("{}.{}", version / 1_000, version % 1_000 / 10))
    }

    /// All GPUs of the machine, each with its MIG devices behind it.
    ///
    /// # Errors
    /// If the driver does not say how many there are.
    pub fn gpus(&self) -> Result<Vec<Gpu>, DriverError> {
        let mut gpus = Vec::new();
        for index in 0..self.0.device_count()? {
            // One that this user may not use, or that fell off the bus, is not one to list.
            let Ok(device) = self.0.device_by_index(index) else { continue };
            let parts = device.mig_device_count().unwrap_or(0);
            let parts = (0..parts).filter_map(|part| device.mig_device_by_index(part).ok());
            let parts: Vec<Gpu> = parts.filter_map(|part| gpu(&part)).collect();
            let whole = gpu(&device);
            gpus.extend(whole.map(|gpu| Gpu { is_divided: !parts.is_empty(), ..gpu }));
            gpus.extend(parts);
        }
        Ok(gpus)
    }

    /// The figures of the GPU with this UUID, which is the only name that means the same GPU to CUDA, in
    /// other containers and after a restart.
    ///
    /// # Errors
    /// If there is no such GPU, or it no longer answers.
    pub fn read(&self, uuid: &str) -> Result<GpuReading, DriverError> {
        match self.0.device_by_uuid(uuid) {
            Ok(device) => Ok(reading(&device)),
            // CUDA gives a part's identifier without saying that it is a part.
            Err(error) => match uuid.strip_prefix("GPU-") {
                Some(rest) => Ok(reading(&self.0.device_by_uuid(format!("MIG-{rest}"))?)),
                None => Err(error.into()),
            },
        }
    }
}

fn gpu(device: &Device<'_>) -> Option<Gpu> {
    let capability = device.cuda_compute_capability().ok();
    Some(Gpu {
        name: device.name().ok(),
        uuid: device.uuid().ok()?,
        memory: device.memory_info().ok().map(|memory| memory.total),
        compute_capability: capability
            .map(|version| format!("{}.{}", version.major, version.minor)),
        is_divided: false,
        reading: reading(device),
    })
}

/// What a device says of itself; a MIG device knows its memory and little else.
fn reading(device: &Device<'_>) -> GpuReading {
    let memory = device.memory_info().ok();
    let watts = |milliwatts: u32| (milliwatts as f32 / 100.0).round() / 10.0;
    let reasons = device.current_throttle_reasons().unwrap_or(ThrottleReasons::NONE);
    GpuReading {
        utilization: device.utilization_rates().ok().map(|rates| rates.gpu),
        memory_used: memory.as_ref().map(|memory| memory.used),
        memory_total: memory.as_ref().map(|memory| memory.total),
        temperature: device.temperature(TemperatureSensor::Gpu).ok(),
        power: device.power_usage().ok().map(watts),
        power_limit: device.enforced_power_limit().ok().map(watts),
        clock: device.clock_info(Clock::SM).ok(),
        clock_limit: device.max_clock_info(Clock::SM).ok(),
        throttled: throttled(reasons),
        processes: processes(device),
        energy: device.total_energy_consumption().ok().map(|millijoules| millijoules as f64 / 1e3),
    }
}

/// How many programs compute on a device; `None` where this one sees no other's, as in many containers.
fn processes(device: &Device<'_>) -> Option<u32> {
    let processes = device.running_compute_processes().ok()?;
    let is_own = |pid: u32| pid == process::id();
    // In a container the driver lists numbers of the host's, or nothing at all.
    let are_known = processes.is_empty() || processes.iter().any(|process| is_own(process.pid));
    are_known.then(|| u32::try_from(processes.len()).unwrap_or(u32::MAX))
}

/// Reasons in the words of [`Throttle`]; that nothing runs on the GPU is none.
fn throttled(reasons: ThrottleReasons) -> Vec<Throttle> {
    use ThrottleReasons as R;

    let words = [
        (R::SW_POWER_CAP, Throttle::Power),
        (R::SW_THERMAL_SLOWDOWN.union(R::HW_THERMAL_SLOWDOWN), Throttle::Temperature),
        (R::HW_SLOWDOWN, Throttle::Hardware),
        (R::HW_POWER_BRAKE_SLOWDOWN, Throttle::PowerBrake),
        (R::SYNC_BOOST, Throttle::SyncBoost),
        (R::APPLICATIONS_CLOCKS_SETTING.union(R::DISPLAY_CLOCK_SETTING), Throttle::Setting),
    ];
    words.into_iter().filter(|(bits, _)| reasons.intersects(*bits)).map(|(_, word)| word).collect()
}

/// Reads the figures of one GPU, and adds up the energy where the GPU does not.
#[derive(Debug)]
pub struct GpuMeter {
    driver: Driver,
    uuid: String,
    /// What the GPU's own counter was at the first reading.
    counted: Option<f64>,
    /// The last reading's time and power, and the energy up to it.
    added: Option<(Instant, f32, f64)>,
}

impl GpuMeter {
    /// For the GPU with this UUID.
    pub fn new(driver: Driver, uuid: &str) -> Self {
        Self { driver, uuid: uuid.to_owned(), counted: None, added: None }
    }

    /// The figures at this time; `None` if the GPU does not answer.
    pub fn read(&mut self, now: Instant) -> Option<GpuReading> {
        let mut reading = self.driver.read(&self.uuid).ok()?;
        self.meter(&mut reading, now);
        Some(reading)
    }

    /// Replaces the counter's value, which began when the driver was loaded, by the energy since the first
    /// reading.
    fn meter(&mut self, reading: &mut GpuReading, now: Instant) {
        let energy = match (reading.energy, reading.power) {
            (Some(counter), _) => {
                let start = *self.counted.get_or_insert(counter);
                Some((counter - start).max(0.0))
            }
            (None, Some(power)) => {
                let energy = self.added.map_or(0.0, |(then, before, energy)| {
                    let seconds = now.duration_since(then).as_secs_f64();
                    energy + seconds * f64::from(before + power) / 2.0
                });
                self.added = Some((now, power, energy));
                Some(energy)
            }
            (None, None) => None,
        };
        reading.energy = energy.map(|joules| (10.0 * joules).round() / 10.0);
    }
}
