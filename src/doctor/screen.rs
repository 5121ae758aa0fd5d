//! The terminal that a dashboard would be drawn on.

use std::{
    env,
    io::{self, IsTerminal},
};

use serde::Serialize;

use super::{Problem, Row};
use crate::{
    terminal::{Abilities, ask_abilities, size},
    ui::{Depth, SMALLEST, ascii_is_wanted},
};

#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Terminal {
    /// Whether standard output is one.
    attached: bool,
    term: Option<String>,
    columns: Option<u16>,
    rows: Option<u16>,
    /// Colours that the environment announces: 0, 16, 256 or 16,777,216.
    colors: u32,
    utf8: bool,
    /// `null` where the terminal did not answer, or was not asked since output is not a terminal.
    synchronized_output: Option<bool>,
    keyboard_protocol: Option<bool>,
}

impl Terminal {
    pub(super) fn look(problems: &mut Vec<Problem>) -> Self {
        let variable = |name: &str| env::var(name).ok();
        let attached = io::stdout().is_terminal();
        let size = attached.then(size).flatten();
        let Abilities { synchronized_output, keyboard_protocol } =
            ask_abilities().unwrap_or_default();
        let terminal = Self {
            attached,
            term: variable("TERM"),
            columns: size.map(|(columns, _)| columns),
            rows: size.map(|(_, rows)| rows),
            colors: match Depth::detect(variable) {
                Depth::None => 0,
                Depth::Basic => 16,
                Depth::Indexed => 256,
                Depth::True => 1 << 24,
            },
            utf8: !ascii_is_wanted(variable),
            synchronized_output,
            keyboard_protocol,
        };
        problems.extend(terminal.problems());
        terminal
    }

    fn problems(&self) -> Vec<Problem> {
        let mut messages = Vec::new();
        if !self.attached {
            return Vec::new();
        }
        if self.term.as_deref() == Some("dumb") {
            messages.push(
                "TERM=dumb: a run prints lines; set TERM to the terminal's name for a dashboard, as in \
                 TERM=xterm-256color"
                    .to_owned(),
            );
        }
        if let (Some(columns), Some(rows)) = (self.columns, self.rows)
            && (columns < SMALLEST.0 || rows < SMALLEST.1)
        {
            messages.push(format!(
                "the terminal has {columns}×{rows} characters, too few for the dashboard: enlarge it to \
                 at least {}×{}",
                SMALLEST.0, SMALLEST.1
            ));
        }
        if !self.utf8 {
            messages.push(
                "the locale is not UTF-8, so charts are drawn in ASCII: set one that is, as in \
                 LC_ALL=C.UTF-8"
                    .to_owned(),
            );
        }
        if self.colors == 16 {
            messages.push(
                "only 16 colours are announced: if the terminal has more, set TERM=xterm-256color or \
                 COLORTERM=truecolor"
                    .to_owned(),
            );
        }
        messages.into_iter().map(Problem::note).collect()
    }

    pub(super) fn rows(&self) -> Vec<Row> {
        if !self.attached {
            return vec![("terminal", "standard output is not one; a run prints lines".to_owned())];
        }
        let mut parts: Vec<String> = self.term.iter().cloned().collect();
        parts
            .extend(self.columns.zip(self.rows).map(|(columns, rows)| format!("{columns}×{rows}")));
        parts.push(match self.colors {
            0 => "no colours".to_owned(),
            colors if colors > 256 => "24-bit colour".to_owned(),
            colors => format!("{colors} colours"),
        });
        parts.push(if self.utf8 { "UTF-8" } else { "ASCII" }.to_owned());
        let ability = |name: &str, has: Option<bool>| match has {
            Some(true) => name.to_owned(),
            Some(false) => format!("no {name}"),
            None => format!("{name} unknown"),
        };
        parts.push(ability("synchronized output", self.synchronized_output));
        parts.push(ability("keyboard protocol", self.keyboard_protocol));
        vec![("terminal", parts.join(", "))]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> Terminal {
        Terminal {
            attached: true,
            term: Some("xterm-256color".into()),
            columns: Some(80),
            rows: Some(24),
            colors: 256,
            utf8: true,
            synchronized_output: Some(true),
            keyboard_protocol: None,
        }
    }

    #[test]
    fn a_usual_terminal_has_no_problem() {
        let line = "xterm-256color, 80×24, 256 colours, UTF-8, synchronized output, keyboard protocol \
                    unknown";
        assert_eq!(good().rows(), [("terminal", line.to_owned())]);
        assert_eq!(good().problems(), []);
        assert_eq!(Terminal::default().problems(), [], "a pipe needs no colours");
    }

    #[test]
    fn each_shortcoming_has_a_remedy() {
        for (terminal, remedy) in [
            (Terminal { term: Some("dumb".into()), ..good() }, "TERM=xterm-256color"),
            (Terminal { columns: Some(39), ..good() }, "at least 40×12"),
            (Terminal { rows: Some(5), ..good() }, "at least 40×12"),
            (Terminal { utf8: false, ..good() }, "LC_ALL=C.UTF-8"),
            (Terminal { colors: 16, ..good() }, "COLORTERM=truecolor"),
        ] {
            let problems = terminal.problems();
            assert_eq!(problems.len(), 1, "{problems:?}");
            assert!(problems[0].message.contains(remedy) && !problems[0].blocks, "{problems:?}");
        }
    }
}
