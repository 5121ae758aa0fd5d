//! The command line.

mod arguments;
mod compare;
mod describe;
mod options_file;
mod presets;
mod runs;
mod sweep;

use std::{
    ffi::OsString,
    io::{self, IsTerminal},
    path::Path,
    process::ExitCode,
};

use clap::{
    CommandFactory, Parser,
    error::{ContextKind, ContextValue, ErrorKind},
};

use crate::{
    bench, check, checkpoint,
    config::{ConfigError, RunConfig},
    doctor, headless,
    launch::{self, Launch, LaunchError},
    model,
    network::Plan,
    outcome::Outcome,
    predict,
    printable::{complain, printable},
    protocol::Failure,
    reproduce,
    run_log::is_stdout,
    runs::Runs,
    session::{self, OnDone},
    terminal,
    train::{Classifier, Tools, WeightsCheck, describe_data},
};
use arguments::{
    Cli, Described, EvalArgs, MachineArgs, ModelArgs, OnHangup, PredictArgs, Sub, TrainArgs,
    WatchArgs, asks_for_devices,
};

/// Runs the program with these arguments; the first is its name.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let cli = match options_file::parse(&arguments) {
        Ok(cli) => cli,
        Err(error) if asks_for_devices(&error) => {
            return ExitCode::from(&check::print(&doctor::devices()));
        }
        Err(mut error) => {
            shorten(&mut error);
            // Help goes to stdout, whose reader may be gone.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    // Without it a limit on the size of files ends the program, as it would without this.
    let _ = terminal::report_file_limit();
    let outcome = match cli.command {
        None => train(&cli.train),
        Some(Sub::Watch(arguments)) => watch(&arguments),
        Some(Sub::Runs(arguments)) => runs::run(&arguments),
        Some(Sub::Compare(arguments)) => compare::run(&arguments),
        Some(Sub::Data(arguments)) => describe::run(&arguments),
        Some(Sub::Eval(arguments)) => evaluate(arguments),
        Some(Sub::Predict(arguments)) => predict(&arguments),
        Some(Sub::Model(arguments)) => describe(&arguments),
        Some(Sub::Config(arguments)) => match new_config(&arguments) {
            Ok(config) => check::print(&config.to_toml()),
            Err(outcome) => outcome,
        },
        Some(Sub::Sweep(sweep)) => sweep::run(&sweep, &arguments),
        Some(Sub::Reproduce(arguments)) => {
            let (data, image_size) = (arguments.source.data(), arguments.source.image_size);
            let MachineArgs { threads, device } = arguments.machine;
            let (seed, defaults) = (arguments.seed, RunConfig::default());
            reproduce::run(&RunConfig { data, image_size, seed, threads, device, ..defaults })
        }
        Some(Sub::Bench(arguments)) => {
            let (data, image_size) = (arguments.source.data(), arguments.source.image_size);
            let MachineArgs { threads, device } = arguments.machine;
            let defaults = RunConfig::default();
            let model = arguments.model.unwrap_or(defaults.model);
            let config = RunConfig { data, image_size, threads, device, model, ..defaults };
            bench::run(&config, &arguments.batch_sizes, arguments.json)
        }
        Some(Sub::Doctor(arguments)) => {
            let MachineArgs { threads, device } = arguments.machine;
            let config = RunConfig { threads, device, ..RunConfig::default() };
            doctor::run(&config, arguments.measure, arguments.json)
        }
    };
    if let Outcome::Failed(failure) = &outcome {
        report(failure, arguments.get(1));
    }
    ExitCode::from(&outcome)
}

/// Cuts off a long value that an error quotes, so that what is wrong with it can be read.
fn shorten(error: &mut clap::Error) {
    const LONGEST: usize = 200;
    let Some(ContextValue::String(value)) = error.get(ContextKind::InvalidValue) else { return };
    if value.chars().nth(LONGEST).is_some() {
        let start: String = value.chars().take(LONGEST).chain(['…']).collect();
        error.insert(ContextKind::InvalidValue, ContextValue::String(start));
    }
}

/// Whether arguments (the first is the program's name) are valid usage, as far as can be told from them
/// alone.
pub fn is_right_usage(arguments: impl IntoIterator<Item = OsString>) -> bool {
    Cli::try_parse_from(arguments)
        .is_ok_and(|cli| cli.train.config().is_ok_and(|config| config.validate().is_ok()))
}

fn train(arguments: &TrainArgs) -> Outcome {
    // Standard output is either for the log or for the screen.
    let logs_to_stdout = arguments.log.as_deref().is_some_and(is_stdout);
    let with_screen = !arguments.headless && !logs_to_stdout && has_screen();
    let tools = if with_screen { arguments.tools() } else { arguments.tools_without_screen() };
    let launch = match tools {
        Err(message) => return Outcome::usage(message),
        Ok(tools) => match &arguments.resume {
            None => new_run(arguments, tools),
            Some(run) => resumed(arguments, run.as_deref(), tools),
        },
    };
    let outlives_terminal = arguments.on_hangup == OnHangup::Continue;
    match launch {
        Err(outcome) => outcome,
        Ok(launch) if with_screen => {
            session::run(launch, arguments.look.display(outlives_terminal, arguments.on_done))
        }
        Ok(launch) => headless::run(launch, outlives_terminal),
    }
}

fn new_run(arguments: &TrainArgs, tools: Tools) -> Result<Launch, Outcome> {
    let config = new_config(arguments)?;
    let run_dir = arguments.run_dir.as_deref();
    let mut launch = Launch::unrecorded(config, tools, arguments.log.clone());
    if arguments.no_run_dir {
        return Ok(launch);
    }
    match launch::new_folder(run_dir, &launch.config).map_err(Outcome::failure)? {
        Ok(folder) => Ok(launch.in_new_folder(folder)),
        Err(warning) => {
            launch.warning = Some(warning);
            Ok(launch)
        }
    }
}

/// The configuration of a new run.
fn new_config(arguments: &TrainArgs) -> Result<RunConfig, Outcome> {
    let wrong = |error: ConfigError| Outcome::Failed(error.into());
    let mut config = arguments.config().map_err(wrong)?;
    config.validate().map_err(wrong)?;
    let run_dir = arguments.run_dir.as_deref();
    if let Some(message) = arguments.overwritten(config.save.as_deref(), run_dir) {
        return Err(Outcome::usage(message));
    }
    if let (None, Some(init)) = (&arguments.model, &config.init) {
        let loaded = checkpoint::load_weights(init).map_err(Outcome::failure)?;
        let model = loaded.plan.spec().clone();
        config.model = arguments.with_dropout(model).map_err(wrong)?;
        config.validate().map_err(wrong)?;
    }
    Ok(config)
}

fn resumed(arguments: &TrainArgs, run: Option<&Path>, tools: Tools) -> Result<Launch, Outcome> {
    let changes = arguments.changes();
    let path = match run {
        None if changes.go_further() => Runs::of_user().and_then(|runs| runs.newest()),
        None => Runs::of_user().and_then(|runs| runs.newest_unfinished()),
        Some(run) => runs::find(Some(run)),
    };
    let path = path.map_err(Outcome::failure)?;
    let launch = Launch::resume(&path, tools, arguments.log.clone(), &changes);
    let launch = launch.map_err(|error| match error {
        LaunchError::Config(error) => Outcome::Failed(error.into()),
        error => Outcome::failure(error),
    })?;
    let save = launch.config.save.as_deref();
    if let Some(message) = arguments.overwritten(save, launch.folder()) {
        return Err(Outcome::usage(message));
    }
    if let Some(save) = save {
        complain("note", &format!("the weights will be saved to {}", save.display()));
    }
    Ok(launch)
}

fn watch(arguments: &WatchArgs) -> Outcome {
    if !has_screen() {
        let message =
            "watch needs a terminal: `mnist-tui runs show RUN` describes a run without one"
                .to_owned();
        return Outcome::usage(message);
    }
    match runs::find(arguments.run.as_deref()) {
        Ok(folder) => session::watch(&folder, arguments.look.display(false, OnDone::Stay)),
        Err(error) => Outcome::failure(error),
    }
}

/// Whether a dashboard can be drawn.
fn has_screen() -> bool {
    io::stdout().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

fn evaluate(arguments: EvalArgs) -> Outcome {
    let (data, image_size) = (arguments.source.data(), arguments.source.image_size);
    let MachineArgs { threads, device } = arguments.machine;
    if let Err(error) = (RunConfig { threads, ..RunConfig::default() }).validate() {
        return Outcome::Failed(error.into());
    }
    let EvalArgs { weights, model, json, .. } = arguments;
    let question = WeightsCheck { weights, model, data, image_size, threads, device };
    check::run(&question, json)
}

fn predict(arguments: &PredictArgs) -> Outcome {
    let MachineArgs { threads, device } = arguments.machine;
    if let Err(error) = (RunConfig { threads, ..RunConfig::default() }).validate() {
        return Outcome::Failed(error.into());
    }
    let form = if arguments.json {
        predict::Form::Json
    } else if arguments.show || has_screen() {
        predict::Form::Pictures { ascii: arguments.ascii() }
    } else {
        predict::Form::Lines
    };
    match Classifier::open(&arguments.weights, arguments.model.as_ref(), threads, device) {
        Ok(classifier) => {
            for note in classifier.notes() {
                complain("note", note);
            }
            predict::run(&classifier, &arguments.images, form)
        }
        Err(error) => Outcome::Failed(error.into()),
    }
}

fn describe(arguments: &ModelArgs) -> Outcome {
    let form = match (arguments.json, arguments.pytorch) {
        (true, _) => model::Form::Json,
        (_, true) => model::Form::PyTorch,
        _ => model::Form::Table,
    };
    let (spec, set) = match &arguments.model {
        Described::Spec(spec) => (spec.clone(), None),
        Described::Weights(path) => match checkpoint::load_weights(path) {
            Ok(loaded) => (loaded.plan.spec().clone(), Some(loaded.set)),
            Err(error) => return Outcome::failure(error),
        },
    };
    let set = match (set, &arguments.source.data) {
        (Some(set), None) => Ok(set),
        _ => describe_data(&arguments.source.data(), arguments.source.image_size),
    };
    let set = match set {
        Ok(set) => set,
        Err(error) => return Outcome::Failed(error.into()),
    };
    match Plan::of(&spec, set.shape, set.classes.len()) {
        Ok(plan) => model::run(&plan, form),
        Err(error) => Outcome::usage(error.to_string()),
    }
}

/// Reports a failure; with a usage error, the usage of the command that the first argument names.
fn report(failure: &Failure, first: Option<&OsString>) {
    if failure.usage {
        let mut command = Cli::command();
        command.build();
        let name = first.and_then(|first| first.to_str()).unwrap_or_default().to_owned();
        let command = match command.find_subcommand_mut(&name) {
            Some(subcommand) => subcommand.clone(),
            None => command,
        };
        let error = command.clone().error(ErrorKind::ValueValidation, printable(&failure.message));
        let _ = error.print();
    } else {
        check::print_error(&failure.message);
    }
}

#[cfg(test)]
mod tests;
