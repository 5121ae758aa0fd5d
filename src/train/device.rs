//! The processor that a run computes on, and its CPU threads.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    thread,
};

use candle_core::Device;
use rayon::{ThreadPool, ThreadPoolBuilder};

use super::{accelerator::Accelerator, error::TrainError};
use crate::{
    config::{DeviceChoice, RunConfig},
    gpu::SharedGpus,
    network::Plan,
    nn::peak,
};

/// What a run computes on.
pub(super) struct Processor {
    /// Where candle's tensors are.
    pub(super) device: Device,
    /// The GPU that trains a network whose tensors are in main memory.
    pub(super) gpu: Option<Accelerator>,
}

/// Opens the requested device for a network, a GPU among those that runs share where there are any.
pub(super) fn open_for(
    plan: &Plan,
    config: &RunConfig,
    shared: Option<&SharedGpus>,
) -> Result<Processor, TrainError> {
    let choice = config.device;
    let DeviceChoice::Cuda(ordinal) = choice else {
        return Ok(Processor { device: open(choice)?, gpu: None });
    };
    match Accelerator::open(ordinal, plan, config, shared) {
        Ok(gpu) => Ok(Processor { device: Device::Cpu, gpu: Some(gpu) }),
        Err(error) => Err(TrainError::Device { device: choice, reason: error.to_string() }),
    }
}

/// Opens the requested device for candle's tensors. `auto` is the CPU even if there is a GPU: only one kind of
/// GPU has been measured.
pub(super) fn open(choice: DeviceChoice) -> Result<Device, TrainError> {
    let opened = match choice {
        DeviceChoice::Auto | DeviceChoice::Cpu => Ok(Device::Cpu),
        DeviceChoice::Cuda(_) => Err("pictures are classified on the CPU only".to_owned()),
        DeviceChoice::Metal(index) => guarded(|| Device::new_metal(index)),
    };
    opened.map_err(|reason| TrainError::Device { device: choice, reason })
}

/// Metal's bindings panic rather than give an error where there is no GPU of that index.
fn guarded(open: impl FnOnce() -> candle_core::Result<Device>) -> Result<Device, String> {
    match catch_unwind(AssertUnwindSafe(open)) {
        Ok(opened) => opened.map_err(|error| first_line(&error.to_string())),
        Err(_) => Err("its driver does not answer".to_owned()),
    }
}

/// Errors of the bindings carry backtraces, which do not belong in a sentence.
fn first_line(message: &str) -> String {
    message.lines().next().unwrap_or_default().trim().to_owned()
}

/// What people call the device: `CPU, 2 threads`.
pub(super) fn describe(device: &Device, gpu: Option<&Accelerator>, threads: usize) -> String {
    if let Some(gpu) = gpu {
        return gpu.name().to_owned();
    }
    match device {
        Device::Cpu if threads == 1 => "CPU, 1 thread".to_owned(),
        Device::Cpu => format!("CPU, {threads} threads"),
        Device::Cuda(_) => "NVIDIA GPU".to_owned(),
        Device::Metal(_) => "Apple GPU".to_owned(),
    }
}

/// What a run of the article's network with these settings would say that it trains on: `CPU, 2 threads`.
///
/// # Errors
/// If its device cannot be used, or the threads cannot be started.
pub fn check_device(config: &RunConfig) -> Result<String, TrainError> {
    let Processor { device, gpu } = open_for(&Plan::article(), config, None)?;
    Ok(describe(&device, gpu.as_ref(), thread_pool(config.threads)?.current_num_threads()))
}

/// The measured peak of f32 multiply-adds per second on this many CPU threads.
///
/// # Errors
/// If the threads cannot be started.
pub fn arithmetic_peak(threads: usize) -> Result<f64, TrainError> {
    Ok(thread_pool(Some(threads))?.install(peak::multiply_adds_per_second))
}

/// Threads that the operations share. Work that is started inside the pool joins much faster than
/// work handed to it from outside, so everything of a run happens inside.
pub(super) fn thread_pool(threads: Option<usize>) -> Result<ThreadPool, TrainError> {
    let threads = threads.unwrap_or_else(|| thread::available_parallelism().map_or(1, usize::from));
    ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|index| format!("compute-{index}"))
        .build()
        .map_err(|source| TrainError::Threads { threads, source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gpu_that_this_build_cannot_use_is_an_error_in_one_line() {
        if !cfg!(feature = "metal") {
            let error = open(DeviceChoice::Metal(3)).expect_err("not built in").to_string();
            assert!(error.starts_with("cannot use metal:3: "), "{error}");
            assert_eq!(error.lines().count(), 1, "{error}");
        }
    }

    #[test]
    fn auto_is_the_cpu() {
        let device = open(DeviceChoice::Auto).expect("the CPU is always there");
        assert_eq!(describe(&device, None, 2), "CPU, 2 threads");
        assert_eq!(describe(&device, None, 1), "CPU, 1 thread");
    }

    #[test]
    fn a_pool_has_the_threads_asked_for() {
        let pool = thread_pool(Some(3)).expect("three threads are to be had");
        assert_eq!(pool.current_num_threads(), 3);
    }
}
