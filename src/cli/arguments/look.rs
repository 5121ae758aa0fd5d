//! How the dashboard looks.

use std::env;

use clap::{Args, ValueEnum};

use super::{SCREEN, values::frames};
use crate::{
    session::{Display, OnDone},
    ui::{Background, Depth, ascii_is_wanted},
};

/// How the dashboard looks.
#[derive(Debug, Args)]
pub(in crate::cli) struct LookArgs {
    /// Maximum frames per second, 1 to 60
    #[arg(long, value_name = "N", default_value_t = 15, value_parser = frames, allow_negative_numbers = true, help_heading = SCREEN)]
    pub(in crate::cli) fps: u32,
    /// Colours: auto (as NO_COLOR, COLORTERM and TERM say), always, never, 256 or 16
    #[arg(long, value_name = "WHEN", default_value = "auto", hide_possible_values = true, help_heading = SCREEN)]
    #[expect(clippy::doc_markdown, reason = "the help shows it as it is")]
    color: ColorChoice,
    /// Colours for a dark or a light background; auto asks the terminal, or takes COLORFGBG
    #[arg(long, value_name = "WHICH", default_value = "auto", hide_possible_values = true, help_heading = SCREEN)]
    theme: ThemeChoice,
    /// Use ASCII only, as when the locale is not UTF-8
    #[arg(long, help_heading = SCREEN)]
    ascii: bool,
    /// Leave the mouse to the terminal, which selects text with it
    #[arg(long, help_heading = SCREEN)]
    no_mouse: bool,
}

impl LookArgs {
    /// How they and the environment set up the screen.
    pub(in crate::cli) fn display(&self, outlives_terminal: bool, on_done: OnDone) -> Display {
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
        let background = match self.theme {
            ThemeChoice::Auto => Background::detect(variable).unwrap_or_default(),
            ThemeChoice::Dark => Background::Dark,
            ThemeChoice::Light => Background::Light,
        };
        // Consoles without a window print what they do not know.
        let answers = !matches!(variable("TERM").as_deref(), None | Some("linux" | "dumb"));
        let asks_background = self.theme == ThemeChoice::Auto && depth != Depth::None && answers;
        let (fps, mouse) = (self.fps, !self.no_mouse);
        Display {
            fps,
            depth,
            background,
            asks_background,
            ascii,
            mouse,
            outlives_terminal,
            on_done,
        }
    }
}

/// Which background the colours are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum ThemeChoice {
    /// The terminal's, as far as it can be known.
    Auto,
    /// A dark one.
    Dark,
    /// A light one.
    Light,
}

/// Which colours are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum ColorChoice {
    /// As many as the environment announces.
    Auto,
    /// Some, regardless of the environment.
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
