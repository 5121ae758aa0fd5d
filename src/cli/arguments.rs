//! Arguments, as `clap` reads them.

mod training;

use std::{
    env,
    num::{IntErrorKind, ParseIntError},
    path::PathBuf,
    str::FromStr,
};

use clap::{
    Args, Parser, Subcommand, ValueEnum,
    builder::{OsStringValueParser, PathBufValueParser, PossibleValue, TypedValueParser},
};

use crate::{
    config::{DataSource, DeviceChoice, ImageSize, parse_model},
    network::NetworkSpec,
    protocol::Breakpoint,
    session::{Display, OnDone},
    ui::{Depth, ascii_is_wanted},
};

const EXAMPLES: &str = "\
Examples:
  mnist-tui                               Train on all of MNIST and watch it
  mnist-tui --epochs 3 --seed 7           Three passes from other initial weights
  mnist-tui --validation 5000             Keep the test images for the very end
  mnist-tui --headless --log run.jsonl    Plain lines, and every step in a file
  mnist-tui --save w.safetensors          Train and keep the weights
  mnist-tui eval --weights w.safetensors  How well kept weights do on the test images
  mnist-tui predict --weights w.safetensors seven.png
                                          What kept weights take a picture for
  mnist-tui model 'conv 8 k3, relu, gap, linear'
                                          What a network of your own looks like

In the dashboard, ? shows the keys.";

/// Trains a convolutional network on MNIST in this terminal and shows it live.
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
    /// Watch a run, live or ended
    Watch(WatchArgs),
    /// List the runs that are kept, or remove some
    Runs(RunsArgs),
    /// Describe a data set: sizes, classes, values, images that occur twice
    Data(DataArgs),
    /// Measure saved weights on the test images
    Eval(EvalArgs),
    /// Say which digits PNG and JPEG pictures show
    Predict(PredictArgs),
    /// Show the layers of a network, or print it as PyTorch code
    Model(ModelArgs),
    /// Run the article's two experiments and compare with its figures
    Reproduce(ReproduceArgs),
    /// Measure how many images a second this machine trains, by batch size and threads
    Bench(BenchArgs),
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct RunsArgs {
    #[command(subcommand)]
    pub(super) command: Option<RunsSub>,
}

#[derive(Debug, Args)]
pub(super) struct WatchArgs {
    /// A name from the list of `runs`, or a folder [default: the newest run]
    #[arg(value_name = "RUN")]
    pub(super) run: Option<PathBuf>,
    #[command(flatten)]
    pub(super) look: LookArgs,
}

/// How the dashboard looks.
#[derive(Debug, Args)]
pub(super) struct LookArgs {
    /// Most frames a second, 1 to 60
    #[arg(long, value_name = "N", default_value_t = 15, value_parser = frames, allow_negative_numbers = true, help_heading = SCREEN)]
    pub(super) fps: u32,
    /// Colours: auto (as NO_COLOR, COLORTERM and TERM say), always, never, 256 or 16
    #[arg(long, value_name = "WHEN", default_value = "auto", hide_possible_values = true, help_heading = SCREEN)]
    #[expect(clippy::doc_markdown, reason = "the help shows it as it is")]
    color: ColorChoice,
    /// Keep to ASCII, as where the locale is not UTF-8
    #[arg(long, help_heading = SCREEN)]
    ascii: bool,
}

impl LookArgs {
    /// What they and the environment make of the screen.
    pub(super) fn display(&self, outlives_terminal: bool, on_done: OnDone) -> Display {
        let variable = |name: &str| env::var(name).ok();
        let depth = match self.color {
            ColorChoice::Auto => Depth::detect(variable),
            ColorChoice::Always => {
                match Depth::detect(|name| variable(name).filter(|_| name != "NO_COLOR")) {
                    Depth::None => Depth::Basic,
                    depth => depth,
                }
            }
            ColorChoice::Never => Depth::None,
            ColorChoice::Indexed => Depth::Indexed,
            ColorChoice::Basic => Depth::Basic,
        };
        let ascii = self.ascii || ascii_is_wanted(variable);
        Display { fps: self.fps, depth, ascii, outlives_terminal, on_done }
    }
}

/// Which colours are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ColorChoice {
    /// As many as the environment promises.
    Auto,
    /// Some, whatever it says.
    Always,
    /// None.
    Never,
    /// The 256 of xterm.
    #[value(name = "256")]
    Indexed,
    /// The sixteen of the terminal.
    #[value(name = "16")]
    Basic,
}

#[derive(Debug, Subcommand)]
pub(super) enum RunsSub {
    /// Remove runs, with all that is kept of them, and no file of another program
    Rm {
        /// Remove without asking first
        #[arg(long, short)]
        yes: bool,
        /// Names from the list, or folders
        #[arg(value_name = "RUN", required = true)]
        runs: Vec<PathBuf>,
    },
}

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "one for each option without a value")]
pub(super) struct TrainArgs {
    #[command(flatten)]
    pub(super) source: SourceArgs,
    /// Hold out N training images and evaluate on them; the test images then wait for the end
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = whole::<usize>, allow_negative_numbers = true, help_heading = DATA)]
    pub(super) validation: usize,

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
    /// Adam's learning rate
    #[arg(long, value_name = "F", default_value_t = 0.001, value_parser = number, allow_negative_numbers = true, help_heading = TRAINING)]
    pub(super) lr: f64,
    /// Decides initial weights, order of images and choice of validation images
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = whole::<u64>, allow_negative_numbers = true, help_heading = TRAINING)]
    pub(super) seed: u64,
    /// Take the images in file order in every epoch
    #[arg(long, help_heading = TRAINING)]
    pub(super) no_shuffle: bool,
    /// Stop after N optimiser steps in all, then evaluate
    #[arg(long, value_name = "N", value_parser = whole::<u64>, allow_negative_numbers = true, help_heading = TRAINING)]
    pub(super) steps: Option<u64>,

    /// Start from the weights in this safetensors file
    #[arg(long, value_name = "FILE", value_parser = file(), help_heading = FILES)]
    pub(super) init: Option<PathBuf>,
    /// Write the weights to this safetensors file at the end
    #[arg(long, value_name = "FILE", value_parser = file(), help_heading = FILES)]
    pub(super) save: Option<PathBuf>,
    /// Write every step, epoch and the end to this file as JSON lines; - is standard output, and other
    /// lines then go to standard error
    #[arg(long, value_name = "FILE", help_heading = FILES)]
    pub(super) log: Option<PathBuf>,

    /// Resume a run: the newest that is unfinished, or the one in this folder, or from this checkpoint.
    /// The settings that decide its steps are kept; --epochs, --steps, --save, --keep-runs, --threads and
    /// --device may change, and --data if the images are the same
    #[arg(
        long,
        value_name = "RUN",
        num_args = 0..=1,
        conflicts_with_all = [
            "image_size", "validation", "batch_size", "lr", "seed", "no_shuffle", "init", "run_dir", "no_run_dir",
        ],
        help_heading = RUNS
    )]
    #[expect(clippy::option_option, reason = "not given, given alone, and with a value")]
    pub(super) resume: Option<Option<PathBuf>>,
    /// Keep the run in this new folder, in place of one in the user's state directory
    #[arg(long, value_name = "DIR", value_parser = file(), help_heading = RUNS)]
    pub(super) run_dir: Option<PathBuf>,
    /// Keep nothing to resume the run from
    #[arg(long, conflicts_with = "run_dir", help_heading = RUNS)]
    pub(super) no_run_dir: bool,
    /// Runs that are kept in the state directory; older ones are removed [default: 20]
    #[arg(long, value_name = "N", value_parser = whole::<usize>, allow_negative_numbers = true, help_heading = RUNS)]
    pub(super) keep_runs: Option<usize>,

    /// Pause on a condition: epoch, step=N, loss>X, spike, spike=N (spreads above the recent mean) or
    /// accuracy>=X; may be given several times
    #[arg(long = "break", value_name = "CONDITION", help_heading = DEBUGGER)]
    pub(super) breakpoints: Vec<Breakpoint>,
    /// Train on through a loss or a gradient that is not finite, where a run pauses or, without a
    /// screen, fails otherwise
    #[arg(long, help_heading = DEBUGGER)]
    pub(super) no_break_on_nan: bool,
    /// Memory for snapshots to rewind the run to, in MiB
    #[arg(long, value_name = "MIB", default_value_t = 256, value_parser = mebibytes, allow_negative_numbers = true, help_heading = DEBUGGER)]
    pub(super) rewind_memory: usize,

    #[command(flatten)]
    pub(super) machine: MachineArgs,

    /// Print lines in place of the dashboard, as when stdout is no terminal
    #[arg(long, help_heading = SCREEN)]
    pub(super) headless: bool,
    #[command(flatten)]
    pub(super) look: LookArgs,
    /// What to do when the terminal is gone: stop, to be resumed, or train on without a screen
    #[arg(long, value_name = "stop|continue", default_value = "stop", hide_possible_values = true, help_heading = SCREEN)]
    pub(super) on_hangup: OnHangup,
    /// What the dashboard does when the run is done or has failed: stay, or quit, as when nobody watches
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

/// What becomes of a run whose terminal is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum OnHangup {
    /// It stops, and can be resumed.
    Stop,
    /// It trains on, without a screen.
    Continue,
}

const DATA: &str = "Data";
const TRAINING: &str = "Training";
const FILES: &str = "Files";
const RUNS: &str = "Keeping runs";
const DEBUGGER: &str = "Debugger";
const MACHINE: &str = "Machine";
const SCREEN: &str = "Screen";

#[derive(Debug, Args)]
pub(super) struct SourceArgs {
    /// Where the images come from: builtin; hub or hub:fashion-mnist (downloads); a folder of IDX files;
    /// an .npz file; a CSV file or a folder of them; a folder with a folder of pictures for each class
    /// [default: builtin]
    #[arg(long, value_name = "builtin|hub[:NAME]|PATH", value_parser = source(), help_heading = DATA)]
    pub(super) data: Option<DataSource>,
    /// Scale pictures to this size, or read the lines of CSV files as images of it
    #[arg(long, value_name = "N|HxW", help_heading = DATA)]
    pub(super) image_size: Option<ImageSize>,
}

impl SourceArgs {
    /// Where the images come from.
    pub(super) fn data(&self) -> DataSource {
        self.data.clone().unwrap_or(DataSource::Builtin)
    }
}

#[derive(Debug, Args)]
pub(super) struct DataArgs {
    /// What --data takes [default: builtin]
    #[arg(value_name = "builtin|hub[:NAME]|PATH", value_parser = source())]
    pub(super) source: Option<DataSource>,
    /// Scale pictures to this size, or read the lines of CSV files as images of it
    #[arg(long, value_name = "N|HxW")]
    pub(super) image_size: Option<ImageSize>,
    /// Print one JSON object
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct MachineArgs {
    /// CPU threads; the result does not depend on it [default: all cores]
    #[arg(long, value_name = "N", value_parser = whole::<usize>, allow_negative_numbers = true, help_heading = MACHINE)]
    pub(super) threads: Option<usize>,
    /// Processor: auto, cpu, cuda[:N] or metal[:N]
    #[arg(long, value_name = "DEVICE", default_value_t = DeviceChoice::Auto, help_heading = MACHINE)]
    pub(super) device: DeviceChoice,
}

#[derive(Debug, Args)]
pub(super) struct EvalArgs {
    /// Safetensors file of weights, or a checkpoint
    #[arg(long, value_name = "FILE", value_parser = file())]
    pub(super) weights: PathBuf,
    /// The network, for a file that does not say which it is of, as those of PyTorch do not
    #[arg(long, value_name = "NAME|FILE.toml|LAYERS", value_parser = model())]
    pub(super) model: Option<NetworkSpec>,
    /// Print one JSON object: correct, total, loss, confusion (rows true, columns predicted)
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) source: SourceArgs,
    #[command(flatten)]
    pub(super) machine: MachineArgs,
}

#[derive(Debug, Args)]
pub(super) struct PredictArgs {
    /// Pictures of one digit each, in PNG or JPEG, of any size and colour, darker or lighter than
    /// its background; folders of them; - for standard input
    #[arg(value_name = "IMAGE", required = true)]
    pub(super) images: Vec<PathBuf>,
    /// Safetensors file of weights, or a checkpoint
    #[arg(long, value_name = "FILE", value_parser = file())]
    pub(super) weights: PathBuf,
    /// The network, for a file that does not say which it is of, as those of PyTorch do not
    #[arg(long, value_name = "NAME|FILE.toml|LAYERS", value_parser = model())]
    pub(super) model: Option<NetworkSpec>,
    /// Print one JSON object a picture: file, digit, probabilities, warning, message
    #[arg(long)]
    pub(super) json: bool,
    /// Draw each picture as the network sees it, next to the three most likely digits, as on a terminal
    #[arg(long, conflicts_with = "json")]
    pub(super) show: bool,
    /// Draw in ASCII, as where the locale is not UTF-8
    #[arg(long)]
    ascii: bool,
    #[command(flatten)]
    pub(super) machine: MachineArgs,
}

impl PredictArgs {
    /// Whether pictures are drawn in ASCII.
    pub(super) fn ascii(&self) -> bool {
        self.ascii || ascii_is_wanted(|name| env::var(name).ok())
    }
}

#[derive(Debug, Args)]
pub(super) struct ModelArgs {
    /// A name (article), a TOML file with [[layer]] tables, layers in one line, or a safetensors file of
    /// weights
    #[arg(value_name = "NAME|FILE|LAYERS", value_parser = described(), default_value = "article")]
    pub(super) model: Described,
    /// Print one JSON object
    #[arg(long)]
    pub(super) json: bool,
    /// Print a Python file with a class Net that computes the same, and whose state_dict has the names
    /// and shapes of a weights file
    #[arg(long, conflicts_with = "json")]
    #[expect(clippy::doc_markdown, reason = "the help shows it as it is")]
    pub(super) pytorch: bool,
    #[command(flatten)]
    pub(super) source: SourceArgs,
}

#[derive(Debug, Args)]
pub(super) struct ReproduceArgs {
    /// Decides initial weights and order of images
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = whole::<u64>, allow_negative_numbers = true)]
    pub(super) seed: u64,
    #[command(flatten)]
    pub(super) source: SourceArgs,
    #[command(flatten)]
    pub(super) machine: MachineArgs,
}

#[derive(Debug, Args)]
pub(super) struct BenchArgs {
    /// Print one JSON object
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) source: SourceArgs,
    #[command(flatten)]
    pub(super) machine: MachineArgs,
}

/// Where images come from, which may be a folder of any name.
fn source() -> impl TypedValueParser<Value = DataSource> {
    OsStringValueParser::new().try_map(|argument| DataSource::parse(&argument))
}

/// A network by its name, from its file, or as it is written in one line.
fn model() -> impl TypedValueParser<Value = NetworkSpec> {
    OsStringValueParser::new().try_map(|argument| parse_model(&argument))
}

/// A network that is to be shown.
#[derive(Clone, Debug)]
pub(super) enum Described {
    /// Its layers.
    Spec(NetworkSpec),
    /// A file with its weights.
    Weights(PathBuf),
}

fn described() -> impl TypedValueParser<Value = Described> {
    OsStringValueParser::new().try_map(|argument| {
        let path = PathBuf::from(&argument);
        if path.extension().is_some_and(|extension| extension == "safetensors") {
            return Ok(Described::Weights(path));
        }
        parse_model(&argument).map(Described::Spec)
    })
}

/// A path that must lead to a file or folder: neither can be standard input or output.
fn file() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(|path| {
        if path.as_os_str() == "-" {
            Err("expected a name, not a stream; ./- is the name of a file")
        } else {
            Ok(path)
        }
    })
}

/// Numbers that are no whole numbers at all; the ranges are checked where they are known.
fn whole<T: FromStr<Err = ParseIntError>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error: ParseIntError| match error.kind() {
        IntErrorKind::PosOverflow => "expected a smaller number".to_owned(),
        _ => "expected a whole number that is not negative".to_owned(),
    })
}

/// MiB whose bytes can be counted.
fn mebibytes(text: &str) -> Result<usize, String> {
    whole::<usize>(text).and_then(|mib| match mib {
        0..=1_048_576 => Ok(mib),
        _ => Err("expected at most 1048576".to_owned()),
    })
}

fn number(text: &str) -> Result<f64, String> {
    text.parse().map_err(|_| "expected a number".to_owned())
}

fn frames(text: &str) -> Result<u32, String> {
    let expected = || "expected 1 to 60 frames a second".to_owned();
    text.parse().ok().filter(|fps| (1..=60).contains(fps)).ok_or_else(expected)
}
