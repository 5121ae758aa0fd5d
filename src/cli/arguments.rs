//! Arguments, as `clap` reads them.

mod commands;
mod look;
mod recipe;
mod source;
mod stored;
mod sweep;
mod training;
mod values;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum, builder::PossibleValue};

pub(super) use commands::{BenchArgs, DoctorArgs, EvalArgs, ModelArgs, PredictArgs, ReproduceArgs};
pub(super) use look::LookArgs;
pub(super) use recipe::RecipeArgs;
pub(super) use source::{DataArgs, SourceArgs};
pub(super) use stored::{RunsArgs, RunsListArgs, RunsOrder, RunsSub};
pub(super) use sweep::{SweepArgs, SweepSub};

use super::{
    compare::CompareArgs,
    presets::{Preset, preset},
};
use crate::{config::DeviceChoice, network::NetworkSpec, protocol::Breakpoint, session::OnDone};
pub(super) use values::{Described, asks_for_devices};
use values::{DeviceParser, file, mebibytes, model, number, run_name, whole};

const EXAMPLES: &str = "\
Examples:
  mnist-tui                               Train on all of MNIST and watch it
  mnist-tui --epochs 3 --seed 7           Train for three epochs from other initial weights
  mnist-tui --validation 5000             Evaluate on held-out training images, test at the end
  mnist-tui --headless --log run.jsonl    Print plain lines, and log every step to a file
  mnist-tui --save w.safetensors          Train and save the weights
  mnist-tui data fashion-mnist            Describe a data set
  mnist-tui eval --weights w.safetensors  Evaluate saved weights on the test images
  mnist-tui predict --weights w.safetensors seven.png
                                          Classify a picture with saved weights
  mnist-tui model 'conv 8 k3, relu, gap, linear'
                                          Show the layers of your own network

In the dashboard, ? shows the keys.";

/// Trains small convolutional networks in the terminal and shows the training live.
#[derive(Debug, Parser)]
#[command(
    name = "mnist-tui",
    version,
    after_help = EXAMPLES,
    args_conflicts_with_subcommands = true,
    disable_help_subcommand = true,
    max_term_width = 100
)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Option<Sub>,
    #[command(flatten)]
    pub(super) train: TrainArgs,
}

#[derive(Debug, Subcommand)]
pub(super) enum Sub {
    /// Watch a run, live or finished
    Watch(WatchArgs),
    /// List stored runs, or remove some
    Runs(RunsArgs),
    /// Compare two to eight runs: curves, settings, confusion matrices, images
    Compare(CompareArgs),
    /// Describe a data set: sizes, classes, pixel values, duplicate images
    Data(DataArgs),
    /// Evaluate saved weights on the test images
    Eval(EvalArgs),
    /// Classify PNG and JPEG pictures
    Predict(PredictArgs),
    /// Show the layers of a network, or print it as PyTorch code
    Model(ModelArgs),
    /// Run the article's two experiments and compare them with its figures
    Reproduce(ReproduceArgs),
    /// Print the options of a run with these arguments as a file for --config
    Config(Box<TrainArgs>),
    /// Train many runs, over values of options and over seeds, and compare them
    Sweep(Box<SweepArgs>),
    /// Measure training speed on this machine by batch size and threads
    Bench(BenchArgs),
    /// Report what this machine offers to a run, and what to do about each problem
    ///
    /// Looks at the processors and their limits, memory, NVIDIA GPUs and their driver, NVRTC, the terminal and
    /// the folder of runs. Exits with 0 if a run with these settings can start, and with 1 otherwise.
    Doctor(DoctorArgs),
}

#[derive(Debug, Args)]
pub(super) struct WatchArgs {
    /// A name listed by `runs`, or a folder [default: the newest run]
    #[arg(value_name = "RUN")]
    pub(super) run: Option<PathBuf>,
    #[command(flatten)]
    pub(super) look: LookArgs,
}

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "one for each option without a value")]
pub(super) struct TrainArgs {
    /// Read options from this TOML file: names as here, without the dashes; those given here take precedence
    #[arg(long = "config", id = "config", value_name = "FILE.toml", value_parser = file(), help_heading = PRESET)]
    pub(super) config_file: Option<PathBuf>,
    /// Options that go well together; others given here or in a file take precedence. article: the defaults;
    /// fast: the same network in fewer epochs, with a one-cycle schedule; tiny: a network of fewer than 8,000
    /// parameters; best: the most accurate network
    #[arg(long, value_name = "NAME", value_parser = preset(), help_heading = PRESET)]
    pub(super) preset: Option<&'static Preset>,
    #[command(flatten)]
    pub(super) source: SourceArgs,
    /// Hold out N training images to evaluate on; the test images are then used once, at the end, with the
    /// best weights
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = whole::<usize>, allow_negative_numbers = true, help_heading = DATA)]
    pub(super) validation: usize,
    /// Train on N of the training images, the same share of each class
    #[arg(long, value_name = "N", value_parser = whole::<usize>, allow_negative_numbers = true, help_heading = DATA)]
    pub(super) train_size: Option<usize>,

    /// The network: a name (article), a TOML file with [[layer]] tables, or layers in one line, such as
    /// "conv 16 k3 p1, relu, pool 2, flatten, linear" [default: article, or that of --init]
    #[arg(long, value_name = "NAME|FILE.toml|LAYERS", value_parser = model(), help_heading = TRAINING)]
    pub(super) model: Option<NetworkSpec>,
    /// Passes over the training images [default: 10]
    #[arg(long, value_name = "N", value_parser = whole::<u32>, allow_negative_numbers = true, help_heading = TRAINING)]
    pub(super) epochs: Option<u32>,
    /// Images per optimiser step
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = whole::<usize>, allow_negative_numbers = true, help_heading = TRAINING)]
    pub(super) batch_size: usize,
    /// The optimiser's learning rate
    #[arg(long, value_name = "F", default_value_t = 0.001, value_parser = number, allow_negative_numbers = true, help_heading = TRAINING)]
    pub(super) lr: f64,
    /// Determines initial weights, image order and choice of validation images
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = whole::<u64>, allow_negative_numbers = true, help_heading = TRAINING)]
    pub(super) seed: u64,
    /// Use the images in file order in every epoch
    #[arg(long, help_heading = TRAINING)]
    pub(super) no_shuffle: bool,
    /// Stop after N optimiser steps in total, then evaluate
    #[arg(long, value_name = "N", value_parser = whole::<u64>, allow_negative_numbers = true, help_heading = TRAINING)]
    pub(super) steps: Option<u64>,
    #[command(flatten)]
    pub(super) recipe: RecipeArgs,

    /// Start from the weights in this safetensors file
    #[arg(long, value_name = "FILE", value_parser = file(), help_heading = FILES)]
    pub(super) init: Option<PathBuf>,
    /// Write the weights to this safetensors file at the end: with --validation the best ones, with --ema
    /// the averaged ones
    #[arg(long, value_name = "FILE", value_parser = file(), help_heading = FILES)]
    pub(super) save: Option<PathBuf>,
    /// Log every step and epoch to this file as JSON lines; - is standard output, and other output then
    /// goes to standard error
    #[arg(long, value_name = "FILE", help_heading = FILES)]
    pub(super) log: Option<PathBuf>,

    /// Resume a run: the newest unfinished one, the one in this folder, or from this checkpoint. Settings
    /// that determine its steps are kept; --epochs, --steps, --save, --keep-runs, --threads and --device
    /// may change, and --data if the images are the same
    #[arg(
        long,
        value_name = "RUN",
        num_args = 0..=1,
        conflicts_with_all = [
            "image_size", "validation", "batch_size", "lr", "seed", "no_shuffle", "init", "run_dir", "no_run_dir",
            "optimizer", "weight_decay", "betas", "momentum", "nesterov", "clip_norm", "schedule", "warmup",
            "final_lr", "augment", "label_smoothing", "dropout", "ema", "early_stop", "train_size", "name", "config", "preset",
        ],
        help_heading = RUNS
    )]
    #[expect(clippy::option_option, reason = "not given, given alone, and with a value")]
    pub(super) resume: Option<Option<PathBuf>>,
    /// Store the run in this new folder instead of the user's state directory
    #[arg(long, value_name = "DIR", value_parser = file(), help_heading = RUNS)]
    pub(super) run_dir: Option<PathBuf>,
    /// Name the run, so that it can be found as RUN
    #[arg(long, value_name = "NAME", value_parser = run_name, help_heading = RUNS)]
    pub(super) name: Option<String>,
    /// Do not store the run; it cannot be resumed
    #[arg(long, conflicts_with_all = ["run_dir", "name"], help_heading = RUNS)]
    pub(super) no_run_dir: bool,
    /// Number of runs kept in the state directory; older ones are removed [default: 20]
    #[arg(long, value_name = "N", value_parser = whole::<usize>, allow_negative_numbers = true, help_heading = RUNS)]
    pub(super) keep_runs: Option<usize>,

    /// Pause on a condition: epoch, step=N, loss>X, spike, spike=N (standard deviations above the recent
    /// mean) or accuracy>=X; may be repeated
    #[arg(long = "break", value_name = "CONDITION", help_heading = DEBUGGER)]
    pub(super) breakpoints: Vec<Breakpoint>,
    /// Continue when a loss or gradient is not finite, instead of pausing or, without a screen, failing
    #[arg(long, help_heading = DEBUGGER)]
    pub(super) no_break_on_nan: bool,
    /// Memory for snapshots that the run can be rewound to, in MiB
    #[arg(long, value_name = "MIB", default_value_t = 256, value_parser = mebibytes, allow_negative_numbers = true, help_heading = DEBUGGER)]
    pub(super) rewind_memory: usize,

    #[command(flatten)]
    pub(super) machine: MachineArgs,

    /// Print lines instead of the dashboard, as when stdout is not a terminal
    #[arg(long, help_heading = SCREEN)]
    pub(super) headless: bool,
    #[command(flatten)]
    pub(super) look: LookArgs,
    /// When the terminal is gone: stop (the run can be resumed), or continue without a screen
    #[arg(long, value_name = "stop|continue", default_value = "stop", hide_possible_values = true, help_heading = SCREEN)]
    pub(super) on_hangup: OnHangup,
    /// When the run is done or has failed: keep the dashboard, or quit
    #[arg(long, value_name = "stay|quit", default_value = "stay", hide_possible_values = true, help_heading = SCREEN)]
    pub(super) on_done: OnDone,
}

impl ValueEnum for OnDone {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Stay, Self::Quit]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(match self {
            Self::Stay => "stay",
            Self::Quit => "quit",
        }))
    }
}

/// What happens to a run whose terminal is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum OnHangup {
    /// It stops, and can be resumed.
    Stop,
    /// It continues without a screen.
    Continue,
}

const PRESET: &str = "Sets of options";
const DATA: &str = "Data";
const TRAINING: &str = "Training";
const OPTIMISER: &str = "Optimiser";
const REGULARISATION: &str = "Regularisation";
const FILES: &str = "Files";
const RUNS: &str = "Keeping runs";
const DEBUGGER: &str = "Debugger";
const MACHINE: &str = "Machine";
const SCREEN: &str = "Screen";

#[derive(Debug, Args)]
pub(super) struct MachineArgs {
    /// CPU threads; results do not depend on it [default: all cores]
    #[arg(long, value_name = "N", value_parser = whole::<usize>, allow_negative_numbers = true, help_heading = MACHINE)]
    pub(super) threads: Option<usize>,
    /// Processor: auto (the CPU, until more GPUs are measured), cpu, cuda[:N] or metal[:N]; list prints those of
    /// this machine
    #[arg(long, value_name = "DEVICE", default_value_t = DeviceChoice::Auto, value_parser = DeviceParser, help_heading = MACHINE)]
    pub(super) device: DeviceChoice,
}
