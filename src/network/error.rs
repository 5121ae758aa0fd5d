//! Why a description of a network cannot be read.

use std::fmt;

/// A mistake in a description of a network, with its place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {message}")]
pub struct SpecError {
    place: Place,
    message: String,
}

/// Where in a description, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In the one-line form.
    Character(usize),
    /// In a file.
    Line(usize),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Character(at) => write!(f, "at character {at}"),
            Self::Line(line) => write!(f, "line {line}"),
        }
    }
}

impl SpecError {
    pub(super) fn new(place: Place, message: impl Into<String>) -> Self {
        Self { place, message: message.into() }
    }

    /// A layer whose name is unknown.
    pub(super) fn unknown(place: Place, found: &str) -> Self {
        let hint = super::kind::meant(found).map(|name| format!("; did you mean {name}?"));
        let message = format!(
            "expected a layer ({}), found {}{}",
            super::kind::NAMES,
            quoted(found),
            hint.unwrap_or_default()
        );
        Self::new(place, message)
    }
}

/// A piece of a description in quotes, cut off where it is long; the end if there is none.
pub(super) fn quoted(text: &str) -> String {
    const LONGEST: usize = 30;
    if text.is_empty() {
        return "the end".to_owned();
    }
    let mut short: String =
        text.chars().take(LONGEST).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if text.chars().nth(LONGEST).is_some() {
        short.push('…');
    }
    format!("\"{short}\"")
}
