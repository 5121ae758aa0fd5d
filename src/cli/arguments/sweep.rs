//! Arguments of `sweep`.

use std::path::PathBuf;

use clap::{Arg, Args, Subcommand};

use super::{TrainArgs, file, whole};
use crate::sweep::Shard;

const SWEEP: &str = "Sweep";

const EXAMPLES: &str = "\
Examples:
  mnist-tui sweep --set lr=0.0003,0.001,0.003 --set batch-size=32,128 --seeds 5 --epochs 3
                                          Train all combinations, each with five seeds
  mnist-tui sweep --random 100 --set lr=log:1e-4..1e-2 --set dropout=0..0.5 --preset best
                                          Train a hundred random points
  mnist-tui sweep --set 'model=article,\"conv 8 k3, relu, gap, linear\"' --validation 5000
                                          Compare networks on validation images
  mnist-tui sweep --resume DIR            Continue a sweep that was stopped or killed
  mnist-tui sweep --set lr=0.001,0.003 --seeds 500 --out DIR --shard 2/8
                                          Train the second of eight parts, each on its machine
  mnist-tui sweep collect DIR             Merge the results of all parts

Every option of a single run that has no meaning of its own here applies to all runs.";

/// Options of a run that the runs of a sweep have no use for.
const OF_ONE_RUN: [&str; 10] = [
    "save",
    "log",
    "run_dir",
    "no_run_dir",
    "name",
    "keep_runs",
    "breakpoints",
    "rewind_memory",
    "fps",
    "no_mouse",
];

#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = EXAMPLES,
    mut_args(for_sweeps)
)]
pub(in crate::cli) struct SweepArgs {
    #[command(subcommand)]
    pub(in crate::cli) command: Option<SweepSub>,
    /// Vary an option over these values, or with --random over a range LOW..HIGH or log:LOW..HIGH; commas
    /// inside quotes or parentheses belong to a value; may be repeated
    #[arg(long, value_name = "KEY=VALUE,…", conflicts_with = "resume", help_heading = SWEEP)]
    pub(in crate::cli) set: Vec<String>,
    /// Train each point with N seeds, from --seed on [default: 1]
    #[arg(long, value_name = "N", value_parser = whole::<u64>, allow_negative_numbers = true, conflicts_with = "resume", help_heading = SWEEP)]
    pub(in crate::cli) seeds: Option<u64>,
    /// Train N random points, drawn by --seed, instead of all combinations
    #[arg(long, value_name = "N", value_parser = whole::<usize>, allow_negative_numbers = true, conflicts_with = "resume", help_heading = SWEEP)]
    pub(in crate::cli) random: Option<usize>,
    /// Store the sweep in this folder instead of the user's state directory
    #[arg(long, value_name = "DIR", value_parser = file(), conflicts_with = "resume", help_heading = SWEEP)]
    pub(in crate::cli) out: Option<PathBuf>,
    /// Train only every N-th run, from the K-th on; other machines train the rest in the same folder
    #[arg(long, value_name = "K/N", help_heading = SWEEP)]
    pub(in crate::cli) shard: Option<Shard>,
    /// Runs to train at once [default: one for each core, or as many as --threads leaves room for; on an NVIDIA
    /// GPU as many as it trains side by side]
    #[arg(long, value_name = "N", value_parser = whole::<usize>, allow_negative_numbers = true, help_heading = SWEEP)]
    pub(in crate::cli) jobs: Option<usize>,
    #[command(flatten)]
    pub(in crate::cli) train: TrainArgs,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum SweepSub {
    /// Merge the results of all parts of a sweep, and print its summary
    Collect {
        /// The folder of the sweep
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
}

/// The options of a run as they are for all runs of a sweep.
fn for_sweeps(arg: Arg) -> Arg {
    match arg.get_id().as_str() {
        "resume" => arg
            .value_name("DIR")
            .help("Continue the sweep in this folder [default: the user's newest]")
            .help_heading(SWEEP),
        "on_hangup" => {
            arg.help("When the terminal is gone: stop (the sweep can be resumed), or continue")
        }
        "on_done" => arg.help("When all runs have ended: keep the screen, or quit"),
        "headless" => arg.help(
            "Print a line for each run instead of the screen, as when stdout is not a terminal",
        ),
        "threads" => arg.help("CPU threads of each run; results do not depend on it"),
        id if OF_ONE_RUN.contains(&id) => arg.hide(true),
        _ => arg,
    }
}
