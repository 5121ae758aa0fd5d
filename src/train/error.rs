//! Why a run cannot start or go on.

use std::io;

use super::resume::Unfit;
use crate::{
    checkpoint::CheckpointError,
    config::{ConfigError, DataSource, DeviceChoice},
    data::DataError,
    gpu::GpuError,
    protocol::Failure,
};

/// Any error of a run, each one sentence.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// An option has a value that no run, or none with this data, can have.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The images cannot be read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A run is resumed with other images than it was trained on.
    #[error(
        "the {difference} of {place} are not the ones that this run was trained on: restore them, give \
         the right folder with --data, or start a new run"
    )]
    OtherData {
        /// Where they come from.
        place: DataSource,
        /// Which of them differ.
        difference: String,
    },
    /// A network's outputs are not finite.
    #[error(
        "with the weights of {weights} the network gives values that are not finite: they are damaged, or \
         of a run that diverged; use an earlier checkpoint"
    )]
    NoNumbers {
        /// The file.
        weights: String,
    },
    /// Weights cannot be read or written.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The processor that was asked for is not there.
    #[error("cannot use {device}: {reason}; --device cpu works everywhere")]
    Device {
        /// The processor.
        device: DeviceChoice,
        /// What is in the way.
        reason: String,
    },
    /// The system gives no threads.
    #[error("cannot start {threads} threads: {source}; ask for fewer with --threads")]
    Threads {
        /// How many were wanted.
        threads: usize,
        /// The system's reason.
        source: rayon::ThreadPoolBuildError,
    },
    /// The system gives no thread for the worker.
    #[error("cannot start the training thread: {0}")]
    Spawn(io::Error),
    /// A checkpoint of another run.
    #[error(transparent)]
    Unfit(#[from] Unfit),
    /// The network has diverged, and nobody is there to rewind it.
    #[error(
        "{}: {reason}; try a lower --lr, or find the cause in the dashboard",
        crate::protocol::diverged_at(*step)
    )]
    NotFinite {
        /// What was met first.
        reason: String,
        /// The step that it was met at.
        step: u64,
    },
    /// A GPU gave an error in the middle of a run.
    #[error(
        "the GPU cannot go on: {0}; a run that is kept can be resumed from its last checkpoint, with --device cpu too"
    )]
    Gpu(#[from] GpuError),
    /// A tensor operation went wrong, such as for lack of memory on a device.
    #[error("a tensor operation failed: {0}")]
    Tensor(#[from] candle_core::Error),
}

impl From<TrainError> for Failure {
    fn from(error: TrainError) -> Self {
        match error {
            TrainError::Config(error) => error.into(),
            TrainError::NotFinite { step, .. } => {
                Self { diverged: Some(step), ..Self::new(error.to_string()) }
            }
            other => Self::new(other.to_string()),
        }
    }
}
