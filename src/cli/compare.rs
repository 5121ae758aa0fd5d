//! `compare`: stored runs side by side.

use std::path::PathBuf;

use clap::Args;

use super::{arguments::LookArgs, has_screen, runs::find};
use crate::{
    check::print,
    compare::{CompareError, Comparison, Knowledge},
    outcome::Outcome,
    runs::RunsError,
    session::{self, OnDone},
};

#[derive(Debug, Args)]
pub(super) struct CompareArgs {
    /// Two to eight runs: names listed by `runs`, or folders
    #[arg(value_name = "RUN")]
    runs: Vec<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    look: LookArgs,
}

/// Shows runs side by side on a terminal; elsewhere, and as JSON, prints the tables.
pub(super) fn run(arguments: &CompareArgs) -> Outcome {
    let mut comparison = match read(&arguments.runs) {
        Ok(comparison) => comparison,
        Err(error @ (CompareError::Count(_) | CompareError::Twice(_))) => {
            return Outcome::usage(error.to_string());
        }
        Err(error) => return Outcome::failure(error),
    };
    if !arguments.json && has_screen() {
        return session::compare(comparison, arguments.look.display(false, OnDone::Stay));
    }
    comparison.predictions = Knowledge::of(&comparison.networks());
    print(&if arguments.json { comparison.json() } else { comparison.report() })
}

fn read(runs: &[PathBuf]) -> Result<Comparison, CompareError> {
    let folders: Result<Vec<PathBuf>, RunsError> = runs.iter().map(|run| find(Some(run))).collect();
    Comparison::read(&folders?)
}
