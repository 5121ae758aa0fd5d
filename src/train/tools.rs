//! What a run offers beyond training.

use std::sync::Arc;

use super::shared::SharedData;
use crate::{
    data::Checksums,
    gpu::SharedGpus,
    protocol::{Breakpoint, TrainingState},
};

/// What a person who attends a run can use.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is chosen by itself")]
pub struct Tools {
    /// Conditions that pause the run.
    pub breakpoints: Vec<Breakpoint>,
    /// Bytes for snapshots to go back to; 0 for none.
    pub rewind_memory: usize,
    /// Whether somebody is there to go on from a pause, and to go back from the end.
    pub attended: bool,
    /// Whether checkpoints are handed over.
    pub recorded: bool,
    /// Where to start; `None` for the beginning.
    pub start: Option<Arc<TrainingState>>,
    /// Checksums that the images must have; `None` for any.
    pub data: Option<Checksums>,
    /// Images in memory that the run shares with others; `None` where it reads its own.
    pub shared: Option<SharedData>,
    /// GPUs that the run shares with others; `None` where it opens its own.
    pub gpus: Option<SharedGpus>,
    /// Whether the network is evaluated before the first step.
    pub evaluates_start: bool,
    /// Whether the figures of the machine are reported.
    pub reports_hardware: bool,
    /// Whether nothing is trained: the run only answers questions about the network that it starts with.
    pub read_only: bool,
    /// A step that panics in place of being trained, for tests of what a person then sees. No option
    /// leads here.
    #[doc(hidden)]
    pub panics_at: Option<u64>,
}

impl Tools {
    /// Bytes for snapshots unless another number is asked for.
    pub const REWIND_MEMORY: usize = 256 << 20;

    /// For a run that nobody can command: a loss that is not finite ends it.
    pub fn unattended() -> Self {
        Self {
            breakpoints: vec![Breakpoint::NotFinite],
            rewind_memory: 0,
            attended: false,
            recorded: false,
            start: None,
            data: None,
            shared: None,
            gpus: None,
            evaluates_start: true,
            reports_hardware: false,
            read_only: false,
            panics_at: None,
        }
    }

    /// For a run with a person at its screen.
    pub fn attended() -> Self {
        Self { rewind_memory: Self::REWIND_MEMORY, attended: true, ..Self::unattended() }
    }
}
