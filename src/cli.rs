//! The command line.

use std::{
    ffi::OsString,
    io::{self, IsTerminal, Write},
    path::PathBuf,
    process::ExitCode,
    str::FromStr,
};

use clap::{Args, CommandFactory, Parser, Subcommand, error::ErrorKind};

use crate::{
    check,
    config::{DataSource, DeviceChoice, RunConfig},
    headless,
    outcome::Outcome,
    protocol::Failure,
    reproduce, session,
    train::WeightsCheck,
};

const EXAMPLES: &str = "\
Examples:
  mnist-tui                               Train on all of MNIST and watch it
  mnist-tui --epochs 3 --seed 7           Three passes from other initial weights
  mnist-tui --validation 5000             Keep the test images for the very end
  mnist-tui --headless --log run.jsonl    Plain lines, and every step in a file
  mnist-tui --save w.safetensors          Train and keep the weights
  mnist-tui eval --weights w.safetensors  How well kept weights do on the test images

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
struct Cli {
    #[command(subcommand)]
    command: Option<Sub>,
    #[command(flatten)]
    train: TrainArgs,
}

#[derive(Debug, Subcommand)]
enum Sub {
    /// Measure saved weights on the test images
    Eval(EvalArgs),
    /// Run the article's two experiments and compare with its figures
    Reproduce(ReproduceArgs),
}

#[derive(Debug, Args)]
struct TrainArgs {
    #[command(flatten)]
    source: SourceArgs,
    /// Hold out N training images and evaluate on them; the test images then wait for the end
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = whole::<usize>, allow_negative_numbers = true, help_heading = DATA)]
    validation: usize,

    /// Passes over the training images
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = whole::<u32>, allow_negative_numbers = true, help_heading = TRAINING)]
    epochs: u32,
    /// Images per optimiser step
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = whole::<usize>, allow_negative_numbers = true, help_heading = TRAINING)]
    batch_size: usize,
    /// Adam's learning rate
    #[arg(long, value_name = "F", default_value_t = 0.001, value_parser = number, allow_negative_numbers = true, help_heading = TRAINING)]
    lr: f64,
    /// Decides initial weights, order of images and choice of validation images
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = whole::<u64>, allow_negative_numbers = true, help_heading = TRAINING)]
    seed: u64,
    /// Take the images in file order in every epoch
    #[arg(long, help_heading = TRAINING)]
    no_shuffle: bool,
    /// Stop after N optimiser steps in all, then evaluate
    #[arg(long, value_name = "N", value_parser = whole::<u64>, allow_negative_numbers = true, help_heading = TRAINING)]
    steps: Option<u64>,

    /// Start from the weights in this safetensors file
    #[arg(long, value_name = "FILE", help_heading = FILES)]
    init: Option<PathBuf>,
    /// Write the weights to this safetensors file at the end
    #[arg(long, value_name = "FILE", help_heading = FILES)]
    save: Option<PathBuf>,
    /// Write every step, epoch and the end to this file as JSON lines
    #[arg(long, value_name = "FILE", help_heading = FILES)]
    log: Option<PathBuf>,

    #[command(flatten)]
    machine: MachineArgs,

    /// Print lines in place of the dashboard, as when stdout is no terminal
    #[arg(long, help_heading = SCREEN)]
    headless: bool,
    /// Most frames a second, 1 to 60
    #[arg(long, value_name = "N", default_value_t = 15, value_parser = frames, allow_negative_numbers = true, help_heading = SCREEN)]
    fps: u32,
}

const DATA: &str = "Data";
const TRAINING: &str = "Training";
const FILES: &str = "Files";
const MACHINE: &str = "Machine";
const SCREEN: &str = "Screen";

#[derive(Debug, Args)]
struct SourceArgs {
    /// Where the images come from: builtin, hub (a download), or a folder with the four MNIST files
    #[arg(long, value_name = "builtin|hub|DIR", default_value_t = DataSource::Builtin, help_heading = DATA)]
    data: DataSource,
}

#[derive(Debug, Args)]
struct MachineArgs {
    /// CPU threads; the result does not depend on it [default: all cores]
    #[arg(long, value_name = "N", value_parser = whole::<usize>, allow_negative_numbers = true, help_heading = MACHINE)]
    threads: Option<usize>,
    /// Processor: auto, cpu, cuda[:N] or metal[:N]
    #[arg(long, value_name = "DEVICE", default_value_t = DeviceChoice::Auto, help_heading = MACHINE)]
    device: DeviceChoice,
}

#[derive(Debug, Args)]
struct EvalArgs {
    /// Safetensors file with the six tensors
    #[arg(long, value_name = "FILE")]
    weights: PathBuf,
    /// Print one JSON object: correct, total, loss, confusion (rows true, columns predicted)
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    machine: MachineArgs,
}

#[derive(Debug, Args)]
struct ReproduceArgs {
    /// Decides initial weights and order of images
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = whole::<u64>, allow_negative_numbers = true)]
    seed: u64,
    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    machine: MachineArgs,
}

impl TrainArgs {
    fn config(&self) -> RunConfig {
        RunConfig {
            data: self.source.data.clone(),
            epochs: self.epochs,
            batch_size: self.batch_size,
            learning_rate: self.lr,
            seed: self.seed,
            shuffle: !self.no_shuffle,
            validation: self.validation,
            max_steps: self.steps,
            init: self.init.clone(),
            save: self.save.clone(),
            threads: self.machine.threads,
            device: self.machine.device,
        }
    }
}

/// Numbers that are no whole numbers at all; the ranges are checked where they are known.
fn whole<T: FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| "expected a whole number that is not negative".to_owned())
}

fn number(text: &str) -> Result<f64, String> {
    text.parse().map_err(|_| "expected a number".to_owned())
}

fn frames(text: &str) -> Result<u32, String> {
    let expected = || "expected 1 to 60 frames a second".to_owned();
    text.parse().ok().filter(|fps| (1..=60).contains(fps)).ok_or_else(expected)
}

/// Runs the program as the arguments say, of which the first is its name.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help goes to stdout, whose reader may be gone.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    let outcome = match cli.command {
        None => train(&cli.train),
        Some(Sub::Eval(arguments)) => evaluate(arguments),
        Some(Sub::Reproduce(arguments)) => {
            let SourceArgs { data } = arguments.source;
            let MachineArgs { threads, device } = arguments.machine;
            let seed = arguments.seed;
            reproduce::run(&RunConfig { data, seed, threads, device, ..RunConfig::default() })
        }
    };
    if let Outcome::Failed(failure) = &outcome {
        complain(failure);
    }
    ExitCode::from(&outcome)
}

fn train(arguments: &TrainArgs) -> Outcome {
    let config = arguments.config();
    if let Err(error) = config.validate() {
        return Outcome::Failed(error.into());
    }
    if arguments.headless || !has_screen() {
        headless::run(config, arguments.log.as_deref())
    } else {
        session::run(config, arguments.log.clone(), arguments.fps)
    }
}

/// Whether a dashboard can be drawn.
fn has_screen() -> bool {
    io::stdout().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

fn evaluate(arguments: EvalArgs) -> Outcome {
    let SourceArgs { data } = arguments.source;
    let MachineArgs { threads, device } = arguments.machine;
    if let Err(error) = (RunConfig { threads, ..RunConfig::default() }).validate() {
        return Outcome::Failed(error.into());
    }
    let question = WeightsCheck { weights: arguments.weights, data, threads, device };
    check::run(&question, arguments.json)
}

fn complain(failure: &Failure) {
    if failure.usage {
        let error = Cli::command().error(ErrorKind::ValueValidation, &failure.message);
        let _ = error.print();
    } else {
        // Not `eprintln!`, which panics where stderr is closed.
        let _ = writeln!(io::stderr(), "error: {}", failure.message);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Cli, clap::Error> {
        Cli::try_parse_from([&["mnist-tui"], arguments].concat())
    }

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn no_arguments_give_the_default_run() {
        let cli = parse(&[]).expect("nothing is required");
        assert_eq!(cli.train.config(), RunConfig::default());
        assert_eq!((cli.train.fps, cli.train.headless, cli.train.log), (15, false, None));
    }

    #[test]
    fn every_option_reaches_the_configuration() {
        let line = "--data mnist --epochs 3 --batch-size 7 --lr 1e-2 --seed 9 --no-shuffle \
                    --validation 11 --steps 13 --init a --save b --log c --threads 2 \
                    --device cpu --fps 60 --headless";
        let cli = parse(&line.split_whitespace().collect::<Vec<_>>()).expect("all are valid");
        assert_eq!(
            cli.train.config(),
            RunConfig {
                data: DataSource::Dir("mnist".into()),
                epochs: 3,
                batch_size: 7,
                learning_rate: 0.01,
                seed: 9,
                shuffle: false,
                validation: 11,
                max_steps: Some(13),
                init: Some("a".into()),
                save: Some("b".into()),
                threads: Some(2),
                device: DeviceChoice::Cpu,
            }
        );
        assert_eq!(
            (cli.train.fps, cli.train.headless, cli.train.log),
            (60, true, Some("c".into()))
        );
    }

    #[test]
    fn what_is_not_a_number_in_range_is_refused_with_what_is() {
        for (arguments, expected) in [
            (["--fps", "0"], "expected 1 to 60 frames a second"),
            (["--fps", "61"], "expected 1 to 60 frames a second"),
            (["--epochs", "-1"], "expected a whole number that is not negative"),
            (["--seed", "1.5"], "expected a whole number that is not negative"),
            (["--lr", "fast"], "expected a number"),
            (["--device", "gpu"], "expected auto, cpu, cuda, cuda:N, metal or metal:N"),
        ] {
            let error = parse(&arguments).expect_err("out of range").to_string();
            assert!(error.contains(expected), "{error}");
            assert!(error.contains(arguments[0]), "{error}");
        }
    }

    #[test]
    fn a_negative_rate_is_read_so_that_its_range_can_be_told() {
        let cli = parse(&["--lr", "-0.1"]).expect("it is a number");
        let error = cli.train.config().validate().expect_err("out of range");
        assert_eq!(error.to_string(), "--lr is -0.1: expected a finite number above 0");
    }

    #[test]
    fn eval_needs_weights_and_takes_no_training_options() {
        assert!(parse(&["eval"]).is_err());
        assert!(parse(&["eval", "--weights", "w", "--epochs", "3"]).is_err());
        assert!(parse(&["--epochs", "3", "eval", "--weights", "w"]).is_err());
        assert!(parse(&["eval", "--weights", "w", "--json", "--device", "cpu"]).is_ok());
    }
}
