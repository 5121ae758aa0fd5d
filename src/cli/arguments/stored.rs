//! Arguments of `runs`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(in crate::cli) struct RunsArgs {
    #[command(subcommand)]
    pub(in crate::cli) command: Option<RunsSub>,
    #[command(flatten)]
    pub(in crate::cli) list: RunsListArgs,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct RunsListArgs {
    /// Order: started (newest first), name, state, step, best or size (largest first)
    #[arg(long, value_name = "KEY", default_value = "started", hide_possible_values = true)]
    pub(in crate::cli) sort: RunsOrder,
    /// List only runs whose name, state or settings contain this text; if repeated, all of them
    #[arg(long, value_name = "TEXT")]
    pub(in crate::cli) filter: Vec<String>,
    /// Print a JSON array
    #[arg(long)]
    pub(in crate::cli) json: bool,
}

/// The order of listed runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum RunsOrder {
    /// Newest first.
    Started,
    /// By name.
    Name,
    /// By state, in words.
    State,
    /// Most steps first.
    Step,
    /// Most accurate first.
    Best,
    /// Largest first.
    Size,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum RunsSub {
    /// Show a run's settings, evaluations and files
    Show {
        /// A name listed by `runs`, or a folder [default: the newest run]
        #[arg(value_name = "RUN")]
        run: Option<PathBuf>,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Remove runs with all their files, leaving files of other programs alone
    Rm {
        /// Remove without asking first
        #[arg(long, short)]
        yes: bool,
        /// Names listed by `runs`, or folders
        #[arg(value_name = "RUN", required = true)]
        runs: Vec<PathBuf>,
    },
}
