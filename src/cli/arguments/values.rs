//! How values of options are read.

use std::{
    ffi::OsStr,
    num::{IntErrorKind, ParseIntError},
    path::PathBuf,
    str::FromStr,
};

use clap::{
    builder::{OsStringValueParser, PathBufValueParser, StringValueParser, TypedValueParser},
    error::{ContextKind, ContextValue, ErrorKind},
};

use crate::{
    config::{DeviceChoice, is_safetensors, parse_model},
    network::NetworkSpec,
};

/// A network by its name, from its file, or as it is written in one line.
pub(super) fn model() -> impl TypedValueParser<Value = NetworkSpec> {
    OsStringValueParser::new().try_map(|argument| parse_model(&argument))
}

/// A processor. `list` prints those of this machine instead, as `--version` prints the version: whatever
/// else is given, the program ends there.
#[derive(Clone, Copy, Debug)]
pub(super) struct DeviceParser;

impl TypedValueParser for DeviceParser {
    type Value = DeviceChoice;

    fn parse_ref(
        &self,
        command: &clap::Command,
        argument: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<DeviceChoice, clap::Error> {
        if value == "list" {
            let mut error = clap::Error::new(ErrorKind::DisplayVersion).with_cmd(command);
            error.insert(ContextKind::Custom, ContextValue::Bool(true));
            return Err(error);
        }
        let parse = |text: String| text.parse::<DeviceChoice>();
        StringValueParser::new().try_map(parse).parse_ref(command, argument, value)
    }
}

/// Whether an error of the command line says that the processors of this machine are to be listed.
pub(in crate::cli) fn asks_for_devices(error: &clap::Error) -> bool {
    error.kind() == ErrorKind::DisplayVersion && error.get(ContextKind::Custom).is_some()
}

/// A network that is to be shown.
#[derive(Clone, Debug)]
pub(in crate::cli) enum Described {
    /// Its layers.
    Spec(NetworkSpec),
    /// A file with its weights.
    Weights(PathBuf),
}

pub(super) fn described() -> impl TypedValueParser<Value = Described> {
    OsStringValueParser::new().try_map(|argument| {
        let path = PathBuf::from(&argument);
        let is_named = path.extension().is_some_and(|extension| extension == "safetensors");
        if is_named || is_safetensors(&path) {
            return Ok(Described::Weights(path));
        }
        parse_model(&argument).map(Described::Spec)
    })
}

/// A path that must lead to a file or folder: neither can be standard input or output.
pub(super) fn file() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(|path| {
        if path.as_os_str() == "-" {
            Err("expected a name, not a stream; ./- is the name of a file")
        } else {
            Ok(path)
        }
    })
}

/// A run's name: short enough for a table, and unlike a path or an option.
pub(super) fn run_name(text: &str) -> Result<String, String> {
    const LONGEST: usize = 40;
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '+' | '=' | ',');
    let is_short = text.chars().count() <= LONGEST;
    if is_short && text.starts_with(char::is_alphanumeric) && text.chars().all(is_plain) {
        Ok(text.to_owned())
    } else {
        Err(format!(
            "expected 1 to {LONGEST} letters, digits or any of -_.+=, starting with a letter or digit"
        ))
    }
}

/// Numbers that are no whole numbers at all; the ranges are checked where they are known.
pub(super) fn whole<T: FromStr<Err = ParseIntError>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error: ParseIntError| match error.kind() {
        IntErrorKind::PosOverflow => "expected a smaller number".to_owned(),
        _ => "expected a whole number that is not negative".to_owned(),
    })
}

/// MiB whose bytes can be counted.
pub(super) fn mebibytes(text: &str) -> Result<usize, String> {
    whole::<usize>(text).and_then(|mib| match mib {
        0..=1_048_576 => Ok(mib),
        _ => Err("expected at most 1048576".to_owned()),
    })
}

pub(super) fn number(text: &str) -> Result<f64, String> {
    text.parse().map_err(|_| "expected a number".to_owned())
}

pub(super) fn frames(text: &str) -> Result<u32, String> {
    let expected = || "expected 1 to 60 frames a second".to_owned();
    text.parse().ok().filter(|fps| (1..=60).contains(fps)).ok_or_else(expected)
}
