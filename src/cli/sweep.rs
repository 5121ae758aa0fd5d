//! `mnist-tui sweep`.

use std::{
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use clap::{Arg, ArgMatches, CommandFactory, parser::ValueSource};

use super::{
    arguments::{Cli, MachineArgs, OnHangup, Sub, SweepArgs, SweepSub},
    has_screen, new_config,
    options_file::{Reader, is_switch, named, sentence},
};
use crate::{
    config::{DeviceChoice, RunConfig},
    outcome::Outcome,
    protocol::{Breakpoint, Failure},
    runs::{self, Runs},
    sweep::{self, Machine, Number, Plan, Request, Setting, SweepFolder, key_and_values},
};

/// Options of these groups may vary from run to run.
const VARIED: [&str; 4] = ["Data", "Training", "Optimiser", "Regularisation"];
/// Options of other groups that may, too.
const VARIED_TOO: [&str; 2] = ["preset", "init"];

/// Runs the command, whose arguments were these, with the program's name.
pub(super) fn run(options: &SweepArgs, arguments: &[OsString]) -> Outcome {
    if let Some(SweepSub::Collect { folder }) = &options.command {
        return match SweepFolder::open(folder) {
            Ok(folder) => sweep::collect(&folder),
            Err(error) => Outcome::failure(error),
        };
    }
    if options.jobs == Some(0) {
        return Outcome::usage("--jobs is 0: expected at least 1");
    }
    let folder = match &options.train.resume {
        Some(path) => resumed(options, path.as_deref()),
        None => new(options, arguments),
    };
    let SweepArgs { shard, jobs, .. } = *options;
    let MachineArgs { threads, device } = options.train.machine;
    // A sweep that is resumed stays on its device unless another one is named.
    let device = Some(device)
        .filter(|device| options.train.resume.is_none() || *device != DeviceChoice::Auto);
    let outlives_terminal = options.train.on_hangup == OnHangup::Continue;
    let machine = Machine { shard, jobs, threads, device, outlives_terminal };
    match folder {
        Ok(folder) => {
            let train = &options.train;
            let screen = (!train.headless && has_screen())
                .then(|| train.look.display(outlives_terminal, train.on_done));
            sweep::run(&folder, machine, screen)
        }
        Err(outcome) => outcome,
    }
}

/// A sweep that is continued.
fn resumed(options: &SweepArgs, path: Option<&Path>) -> Result<SweepFolder, Outcome> {
    let train = &options.train;
    let fixed = [
        ("--data", train.source.data.is_some()),
        ("--model", train.model.is_some()),
        ("--epochs", train.epochs.is_some()),
        ("--steps", train.steps.is_some()),
        ("--no-break-on-nan", train.no_break_on_nan),
    ];
    if let Some((option, _)) = fixed.iter().find(|(_, is_given)| *is_given) {
        let message = format!("{option} cannot change in a sweep that is continued: start another");
        return Err(Outcome::usage(message));
    }
    check(options)?;
    let path = match path {
        Some(path) => path.to_owned(),
        None => newest()?,
    };
    SweepFolder::open(&path).map_err(Outcome::failure)
}

/// The newest sweep of the user.
fn newest() -> Result<PathBuf, Outcome> {
    let root = sweeps()?;
    let entries = fs::read_dir(&root).into_iter().flatten().flatten();
    let sweeps = entries.map(|entry| entry.path()).filter(|path| SweepFolder::open(path).is_ok());
    sweeps.max().ok_or_else(|| {
        Outcome::failure(format_args!("there is no sweep in {}: give its folder", root.display()))
    })
}

/// The folder of the user's sweeps.
fn sweeps() -> Result<PathBuf, Outcome> {
    let runs = Runs::of_user().map_err(|_| {
        Outcome::usage("cannot tell where sweeps are kept: give --out DIR, or set HOME")
    })?;
    Ok(runs.root().with_file_name("sweeps"))
}

/// A new sweep, or one that other machines, or a killed program, have begun with the same arguments.
fn new(options: &SweepArgs, arguments: &[OsString]) -> Result<SweepFolder, Outcome> {
    check(options)?;
    if options.shard.is_some() && options.out.is_none() {
        let message =
            "--shard needs --out DIR, the folder that all parts of the sweep are stored in";
        return Err(Outcome::usage(message));
    }
    let plan = plan(options, arguments).map_err(Outcome::usage)?;
    sweep::check_shard(&plan, options.shard).map_err(Outcome::usage)?;
    let path = match &options.out {
        Some(path) => path.clone(),
        None => own_folder()?,
    };
    SweepFolder::create(&path, &plan).map_err(Outcome::failure)
}

/// A new folder among those of the user, named by the time.
fn own_folder() -> Result<PathBuf, Outcome> {
    let root = sweeps()?;
    let refuse = |path: &Path, error: io::Error| {
        Outcome::failure(format_args!("cannot create {}: {error}", path.display()))
    };
    runs::create_private(&root).map_err(|error| refuse(&root, error))?;
    let name = runs::name_of(SystemTime::now());
    let mut number = 1;
    loop {
        let suffix = if number == 1 { String::new() } else { format!("-{number}") };
        let path = root.join(format!("{name}{suffix}"));
        match runs::create_new_private(&path) {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
            Err(error) => return Err(refuse(&path, error)),
        }
    }
}

/// Refuses options that are for one run.
fn check(options: &SweepArgs) -> Result<(), Outcome> {
    let train = &options.train;
    let of_one_run = [
        ("--save", train.save.is_some()),
        ("--log", train.log.is_some()),
        ("--run-dir", train.run_dir.is_some()),
        ("--no-run-dir", train.no_run_dir),
        ("--name", train.name.is_some()),
        ("--keep-runs", train.keep_runs.is_some()),
        ("--break", train.breakpoints.iter().any(|one| *one != Breakpoint::NotFinite)),
    ];
    match of_one_run.iter().find(|(_, is_given)| *is_given) {
        Some((option, _)) => Err(Outcome::usage(format!(
            "{option} is for a single run: each run of a sweep is kept in a folder of its own"
        ))),
        None => Ok(()),
    }
}

/// The plan that the arguments describe.
fn plan(options: &SweepArgs, arguments: &[OsString]) -> Result<Plan, String> {
    let command = Cli::command();
    let known: Vec<&Arg> =
        command.get_arguments().filter(|option| option.get_long().is_some()).collect();
    let mut reader = Reader::new();
    let matches = reader.matches(arguments).map_err(|error| sentence(&error))?;
    let given = matches.subcommand_matches("sweep");
    let mut settings: Vec<Setting> = Vec::new();
    for text in &options.set {
        let setting =
            setting(text, &known, given).map_err(|message| format!("--set {text}: {message}"))?;
        if settings.iter().any(|earlier| earlier.key == setting.key) {
            return Err(format!(
                "--set {} is given twice: expected all values in one",
                setting.key
            ));
        }
        settings.push(setting);
    }
    let request = Request {
        settings,
        random: options.random,
        seed: options.train.seed,
        seeds: options.seeds.unwrap_or(1),
    };
    Plan::new(&request, |values| configure(arguments, &known, &mut reader, values))
}

fn setting(text: &str, known: &[&Arg], given: Option<&ArgMatches>) -> Result<Setting, String> {
    let (key, values) = key_and_values(text)?;
    if key == "seed" {
        return Err(
            "give --seeds N, which trains each point with the seeds from --seed on".to_owned()
        );
    }
    let varied = known.iter().copied().filter(|option| is_varied(option));
    let option = match named(key, varied) {
        Err(_) if known.iter().any(|option| option.get_long() == Some(key)) => {
            return Err(format!("{key} is the same in all runs of a sweep"));
        }
        option => option?,
    };
    let id = option.get_id().as_str();
    if given.is_some_and(|given| given.value_source(id) == Some(ValueSource::CommandLine)) {
        return Err(format!("--{key} is given, too: expected one of them"));
    }
    Setting::parse(key, values, number(option))
}

fn is_varied(option: &Arg) -> bool {
    let long = option.get_long().unwrap_or_default();
    option.get_help_heading().is_some_and(|group| VARIED.contains(&group)) && long != "seed"
        || VARIED_TOO.contains(&long)
}

/// What numbers an option takes, if it takes any.
fn number(option: &Arg) -> Option<Number> {
    match option.get_value_names()?.first()?.as_str() {
        "N" => Some(Number::Whole),
        "F" | "P" | "DECAY" => Some(Number::Real),
        _ => None,
    }
}

/// The configuration of the run with these arguments and values.
fn configure(
    arguments: &[OsString],
    known: &[&Arg],
    reader: &mut Reader,
    values: &[(&str, &str)],
) -> Result<RunConfig, String> {
    let mut all = arguments.to_vec();
    for (key, value) in values {
        let option = named(key, known.iter().copied())?;
        if is_switch(option) && !["true", "false"].contains(value) {
            return Err("expected true or false".to_owned());
        }
        all.push(format!("--{key}={value}").into());
    }
    let cli = reader.parse(&all).map_err(|error| sentence(&error))?;
    let Some(Sub::Sweep(sweep)) = &cli.command else {
        return Err("expected the options of a sweep".to_owned());
    };
    new_config(&sweep.train).map_err(|outcome| match outcome {
        Outcome::Failed(Failure { message, .. }) => message,
        _ => "its configuration cannot be read".to_owned(),
    })
}
