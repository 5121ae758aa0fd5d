//! Arguments of the commands that train no run, or fixed ones.

use std::{env, path::PathBuf};

use clap::{Args, builder::RangedU64ValueParser};

use super::{
    MachineArgs, SourceArgs,
    values::{Described, described, file, model, whole},
};
use crate::{network::NetworkSpec, ui::ascii_is_wanted};

#[derive(Debug, Args)]
pub(in crate::cli) struct EvalArgs {
    /// A safetensors file with weights, or a checkpoint
    #[arg(long, value_name = "FILE", value_parser = file())]
    pub(in crate::cli) weights: PathBuf,
    /// The network, if the file does not record it (files written by PyTorch do not)
    #[arg(long, value_name = "NAME|FILE.toml|LAYERS", value_parser = model())]
    pub(in crate::cli) model: Option<NetworkSpec>,
    /// Print one JSON object: correct, total, loss, confusion (rows true, columns predicted)
    #[arg(long)]
    pub(in crate::cli) json: bool,
    #[command(flatten)]
    pub(in crate::cli) source: SourceArgs,
    #[command(flatten)]
    pub(in crate::cli) machine: MachineArgs,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct PredictArgs {
    /// PNG or JPEG pictures of one digit each, of any size and colour, darker or lighter than the
    /// background; folders of them; - for standard input
    #[arg(value_name = "IMAGE", required = true)]
    pub(in crate::cli) images: Vec<PathBuf>,
    /// A safetensors file with weights, or a checkpoint
    #[arg(long, value_name = "FILE", value_parser = file())]
    pub(in crate::cli) weights: PathBuf,
    /// The network, if the file does not record it (files written by PyTorch do not)
    #[arg(long, value_name = "NAME|FILE.toml|LAYERS", value_parser = model())]
    pub(in crate::cli) model: Option<NetworkSpec>,
    /// Print one JSON object per picture: file, digit, probabilities, warning, message
    #[arg(long)]
    pub(in crate::cli) json: bool,
    /// Draw each picture as the network sees it, next to the three most likely classes (the default on a
    /// terminal)
    #[arg(long, conflicts_with = "json")]
    pub(in crate::cli) show: bool,
    /// Draw in ASCII, as when the locale is not UTF-8
    #[arg(long)]
    ascii: bool,
    #[command(flatten)]
    pub(in crate::cli) machine: MachineArgs,
}

impl PredictArgs {
    /// Whether pictures are drawn in ASCII.
    pub(in crate::cli) fn ascii(&self) -> bool {
        self.ascii || ascii_is_wanted(|name| env::var(name).ok())
    }
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ModelArgs {
    /// A name (article), a TOML file with [[layer]] tables, layers in one line, or a weights file
    #[arg(value_name = "NAME|FILE|LAYERS", value_parser = described(), default_value = "article")]
    pub(in crate::cli) model: Described,
    /// Print one JSON object
    #[arg(long)]
    pub(in crate::cli) json: bool,
    /// Print a Python file with a class Net that computes the same function and whose state_dict matches
    /// the names and shapes of a weights file
    #[arg(long, conflicts_with = "json")]
    #[expect(clippy::doc_markdown, reason = "the help shows it as it is")]
    pub(in crate::cli) pytorch: bool,
    #[command(flatten)]
    pub(in crate::cli) source: SourceArgs,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ReproduceArgs {
    /// Determines initial weights and image order
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = whole::<u64>, allow_negative_numbers = true)]
    pub(in crate::cli) seed: u64,
    #[command(flatten)]
    pub(in crate::cli) source: SourceArgs,
    #[command(flatten)]
    pub(in crate::cli) machine: MachineArgs,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct DoctorArgs {
    /// Print one JSON object
    #[arg(long)]
    pub(in crate::cli) json: bool,
    /// Measure the training speed on the article's network as well, for about two seconds
    #[arg(long)]
    pub(in crate::cli) measure: bool,
    #[command(flatten)]
    pub(in crate::cli) machine: MachineArgs,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct BenchArgs {
    /// Print one JSON object
    #[arg(long)]
    pub(in crate::cli) json: bool,
    /// The network, as for training [default: article]
    #[arg(long, value_name = "NAME|FILE.toml|LAYERS", value_parser = model())]
    pub(in crate::cli) model: Option<NetworkSpec>,
    /// Batch sizes to measure [default: 1,8,50,256,1024]
    #[arg(
        long = "batch-size",
        value_name = "N,…",
        value_delimiter = ',',
        value_parser = RangedU64ValueParser::<usize>::new().range(1..=60_000)
    )]
    pub(in crate::cli) batch_sizes: Vec<usize>,
    #[command(flatten)]
    pub(in crate::cli) source: SourceArgs,
    #[command(flatten)]
    pub(in crate::cli) machine: MachineArgs,
}
