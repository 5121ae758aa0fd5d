//! NVIDIA GPUs: kernels that train a network, and the engine that runs them.
//!
//! A network's kernels are the text of three files of `kernels`: the dialect, the network and the training.
//! Weights and optimiser state come from main memory with each call and go back there, a few hundred
//! kilobytes for hundreds of steps; images stay on the device.

mod compiled;
mod driver;
pub mod engine;
mod error;
pub mod generate;
mod job;
mod local;
mod service;

pub use driver::{DeviceInfo, devices};
pub use error::GpuError;
pub use local::{Images, Launch, LocalGpu, OwnedChunk, Trained};
pub use service::{Client, SharedGpus};
