//! `--config FILE.toml` and `--preset NAME`: options that the command line leaves open.
//!
//! A file has the command line's options as keys. Its values become arguments, so that they are read and
//! checked by the same parser.

use std::{ffi::OsString, rc::Rc};

use clap::{
    Arg, ArgAction, ArgMatches, Command, CommandFactory, FromArgMatches, parser::ValueSource,
    value_parser,
};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::arguments::Cli;
use crate::{config::read_text, network::nearest};

/// Options that cannot stand in a file.
const COMMAND_LINE_ONLY: [&str; 5] = ["config", "preset", "resume", "help", "version"];

/// Options that belong to a choice: where the command line makes another choice, those of a file do not apply.
const BELONGING: [(&str, &[&str]); 2] = [
    ("optimizer", &["betas", "momentum", "nesterov", "weight-decay"]),
    ("schedule", &["warmup", "final-lr"]),
];

/// Dots in one line of a file: few enough for the parser, which follows dotted keys as deep as they go.
const MOST_DOTS: usize = 256;

/// An option of a file, as arguments.
struct Entry {
    option: Arg,
    arguments: Vec<OsString>,
}

impl Entry {
    /// The value of an option that has one.
    fn value(&self) -> String {
        let last = self.arguments.last().map(|last| last.to_string_lossy().into_owned());
        let last = last.unwrap_or_default();
        match last.split_once('=') {
            Some((name, value)) if name.starts_with("--") => value.to_owned(),
            _ => last,
        }
    }
}

/// Reads the command line, and from the file and the preset that it names what it leaves open.
///
/// # Errors
/// Those of the command line; a file that cannot be read or has an unknown key or a wrong value.
pub(super) fn parse(arguments: &[OsString]) -> Result<Cli, clap::Error> {
    Reader::new().parse(arguments)
}

/// Reads command lines; each file and preset that they name is read once.
pub(super) struct Reader {
    command: Command,
    sources: Vec<(String, Rc<[Entry]>)>,
}

impl Reader {
    pub(super) fn new() -> Self {
        let mut command = command();
        command.build();
        Self { command, sources: Vec::new() }
    }

    /// The matches of a command line alone.
    pub(super) fn matches(&mut self, arguments: &[OsString]) -> Result<ArgMatches, clap::Error> {
        self.command.try_get_matches_from_mut(arguments)
    }

    /// See [`parse`].
    pub(super) fn parse(&mut self, arguments: &[OsString]) -> Result<Cli, clap::Error> {
        let matches = self.matches(arguments)?;
        let cli = Cli::from_arg_matches(&matches)?;
        let Some((train, matches, start)) = training(&cli, &matches) else { return Ok(cli) };
        let mut sources = Vec::new();
        if let Some(path) = &train.config_file {
            sources.push(self.entries(&path.display().to_string(), || read_text(path))?);
        }
        if let Some(preset) = train.preset {
            let place = format!("the preset {}", preset.name);
            sources.push(self.entries(&place, || Ok(preset.text.to_owned()))?);
        }
        if sources.is_empty() {
            return Ok(cli);
        }
        let added = self.added(matches, &sources);
        let (head, tail) = arguments.split_at(start.min(arguments.len()));
        let all = head.iter().cloned().chain(added).chain(tail.iter().cloned());
        let matches = self.command.try_get_matches_from_mut(all)?;
        Cli::from_arg_matches(&matches)
    }

    /// The arguments of these sources, the first of which takes precedence, that the command line leaves open.
    fn added(&self, matches: &ArgMatches, sources: &[Rc<[Entry]>]) -> Vec<OsString> {
        let options = self.command.get_arguments();
        let mut given: Vec<&Arg> = options.filter(|option| is_given(matches, option)).collect();
        let mut choices: Vec<(&str, String)> = Vec::new();
        for (choice, _) in BELONGING {
            if let Some(value) = given.iter().find(|option| option.get_long() == Some(choice)) {
                let mut raw = matches.get_raw(value.get_id().as_str()).into_iter().flatten();
                let raw = raw.next_back().map(|value| value.to_string_lossy().into_owned());
                choices.push((choice, raw.unwrap_or_default()));
            }
        }
        let mut added = Vec::new();
        for entries in sources {
            let is_other = |choice: &str| {
                let own = entries.iter().find(|entry| entry.option.get_long() == Some(choice));
                let chosen = choices.iter().find(|(name, _)| *name == choice);
                matches!((own, chosen), (Some(own), Some((_, chosen))) if own.value() != *chosen)
            };
            let choices_made = BELONGING.iter().map(|(choice, _)| *choice);
            let others: Vec<&str> = choices_made.filter(|choice| is_other(choice)).collect();
            let is_open = |entry: &&Entry| is_open(&self.command, &given, &others, &entry.option);
            let open: Vec<&Entry> = entries.iter().filter(is_open).collect();
            for entry in open {
                if let Some((name, _)) =
                    BELONGING.iter().find(|(name, _)| entry.option.get_long() == Some(name))
                {
                    choices.push((name, entry.value()));
                }
                given.push(&entry.option);
                added.extend(entry.arguments.iter().cloned());
            }
        }
        added
    }

    /// The options of a source, which is called `place` in messages.
    fn entries(
        &mut self,
        place: &str,
        text: impl FnOnce() -> Result<String, String>,
    ) -> Result<Rc<[Entry]>, clap::Error> {
        if let Some((_, entries)) = self.sources.iter().find(|(known, _)| known == place) {
            return Ok(Rc::clone(entries));
        }
        let options: Vec<Arg> = self.command.get_arguments().cloned().collect();
        let text = text().map_err(wrong)?;
        let entries =
            entries(&text, &options).map_err(|message| wrong(format!("{place}, {message}")))?;
        let all = entries.iter().flat_map(|entry| entry.arguments.clone());
        // Together with the command line a mistake of the file would look like one of the command line.
        let all = std::iter::once(OsString::from("mnist-tui")).chain(all);
        self.command
            .try_get_matches_from_mut(all)
            .map_err(|error| wrong(format!("{place}: {}", sentence(&error))))?;
        let entries: Rc<[Entry]> = entries.into();
        self.sources.push((place.to_owned(), Rc::clone(&entries)));
        Ok(entries)
    }
}

/// The program's arguments, in which a switch of a run can be unset that a file sets: `--no-shuffle=false`.
fn command() -> Command {
    let settable = |option: Arg| match option.get_action() {
        ArgAction::SetTrue => option
            .action(ArgAction::Set)
            .num_args(0..=1)
            .require_equals(true)
            .value_parser(value_parser!(bool))
            .value_name("false")
            .default_value("false")
            .default_missing_value("true")
            .hide_default_value(true)
            .hide_possible_values(true),
        _ => option,
    };
    let settable_in = |command: Command| command.mut_args(settable);
    Cli::command()
        .mut_args(settable)
        .mut_subcommand("config", settable_in)
        .mut_subcommand("sweep", settable_in)
}

/// Whether an option has no value unless it is unset.
pub(super) fn is_switch(option: &Arg) -> bool {
    matches!(option.get_action(), ArgAction::SetTrue)
        || option.get_num_args().is_some_and(|values| values.min_values() == 0)
}

/// The options of a run, their matches, and where they start among the arguments; `None` for another command.
fn training<'a>(
    cli: &'a Cli,
    matches: &'a ArgMatches,
) -> Option<(&'a super::TrainArgs, &'a ArgMatches, usize)> {
    match &cli.command {
        None => Some((&cli.train, matches, 1)),
        Some(super::Sub::Config(train)) => Some((train, matches.subcommand_matches("config")?, 2)),
        Some(super::Sub::Sweep(sweep)) => {
            Some((&sweep.train, matches.subcommand_matches("sweep")?, 2))
        }
        Some(_) => None,
    }
}

fn wrong(message: String) -> clap::Error {
    Cli::command().error(clap::error::ErrorKind::ValueValidation, message)
}

fn is_given(matches: &ArgMatches, option: &Arg) -> bool {
    let id = option.get_id().as_str();
    let is_known = matches.ids().any(|known| known.as_str() == id);
    is_known && matches.value_source(id) == Some(ValueSource::CommandLine)
}

/// Whether nothing that takes precedence decides an option: itself, one that excludes it, or another choice,
/// of `others`, than the one that it belongs to.
fn is_open(command: &Command, given: &[&Arg], others: &[&str], option: &Arg) -> bool {
    let excludes = |a: &Arg, b: &Arg| {
        command.get_arg_conflicts_with(a).iter().any(|other| other.get_id() == b.get_id())
    };
    let belongs = BELONGING.iter().any(|(choice, options)| {
        others.contains(choice) && options.contains(&option.get_long().unwrap_or_default())
    });
    !belongs
        && !given.iter().any(|one| {
            one.get_id() == option.get_id() || excludes(one, option) || excludes(option, one)
        })
}

/// What an error of the parser says, without the hints that follow.
pub(super) fn sentence(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let first = text.lines().next().unwrap_or_default();
    first.trim_start_matches("error: ").to_owned()
}

/// The options of a file in its order; the sentence of an error begins with the line.
fn entries(text: &str, options: &[Arg]) -> Result<Vec<Entry>, String> {
    if let Some(line) = text.lines().position(|line| line.matches('.').count() > MOST_DOTS) {
        return Err(format!("line {}: expected at most {MOST_DOTS} dots", line + 1));
    }
    let line =
        |at: usize| 1 + text.as_bytes().iter().take(at).filter(|&&byte| byte == b'\n').count();
    let table = DeTable::parse(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        format!("line {}: not valid TOML: {}", line(at), error.message())
    })?;
    let table = table.into_inner();
    let mut entries = Vec::new();
    for (key, value) in table {
        let at = line(key.span().start);
        let key = key.into_inner();
        let option = named(&key, options.iter().filter(|option| is_for_files(option)))
            .map_err(|message| format!("line {at}: {message}"))?;
        let arguments =
            arguments(option, value).map_err(|message| format!("line {at}: {message}"))?;
        entries.push((at, Entry { option: option.clone(), arguments }));
    }
    entries.sort_by_key(|(line, _)| *line);
    Ok(entries.into_iter().map(|(_, entry)| entry).collect())
}

fn is_for_files(option: &Arg) -> bool {
    option.get_long().is_some_and(|long| !COMMAND_LINE_ONLY.contains(&long))
}

/// The option of this name; the sentence of an error suggests the nearest one.
pub(super) fn named<'a>(
    key: &str,
    options: impl Iterator<Item = &'a Arg> + Clone,
) -> Result<&'a Arg, String> {
    let found = options.clone().find(|option| option.get_long() == Some(key));
    found.ok_or_else(|| {
        let near = nearest(key, options.filter_map(Arg::get_long));
        let hint = near.map(|name| format!("; did you mean {name}?")).unwrap_or_default();
        let key: String = key.chars().take(40).collect();
        format!("there is no option {key}{hint}")
    })
}

/// An option with its value, as on the command line.
fn arguments(option: &Arg, value: Spanned<DeValue>) -> Result<Vec<OsString>, String> {
    let long = option.get_long().unwrap_or_default();
    let with = |value: String| OsString::from(format!("--{long}={value}"));
    let value = value.into_inner();
    match (is_switch(option), value) {
        (true, DeValue::Boolean(true)) => Ok(vec![format!("--{long}").into()]),
        (true, DeValue::Boolean(false)) => Ok(Vec::new()),
        (true, _) => Err(format!("{long} expects true or false")),
        (false, DeValue::Array(values)) => {
            let values = values.into_iter().map(|value| scalar(long, value.into_inner()));
            let values = values.collect::<Result<Vec<String>, String>>()?;
            match option.get_action() {
                ArgAction::Append => Ok(values.into_iter().map(with).collect()),
                _ => Ok(vec![with(values.join(","))]),
            }
        }
        (false, value) => Ok(vec![with(scalar(long, value)?)]),
    }
}

fn scalar(long: &str, value: DeValue) -> Result<String, String> {
    match value {
        DeValue::String(text) => Ok(text.into_owned()),
        DeValue::Integer(number) => Ok(number.to_string()),
        DeValue::Float(number) => Ok(number.to_string()),
        DeValue::Boolean(_) | DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => {
            Err(format!("{long} expects a number or a text in quotes"))
        }
    }
}

#[cfg(test)]
mod tests;
