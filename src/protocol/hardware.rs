//! What the machine was doing at a step.

use serde::{Deserialize, Serialize};

use crate::hardware::Reading;

/// Figures of the machine, about once a second.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hardware {
    /// Steps of the run that were trained when they were read.
    pub step: u64,
    /// The figures.
    #[serde(flatten)]
    pub reading: Reading,
}
