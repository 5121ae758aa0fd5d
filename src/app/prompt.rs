//! A question that is answered by typing.

use crate::protocol::LEARNING_RATES;

/// An open question and what was typed so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prompt {
    /// What is asked for.
    pub kind: PromptKind,
    /// What was typed.
    pub text: String,
    /// Why the last answer was not taken.
    pub error: Option<String>,
}

/// What a question asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PromptKind {
    /// The number of a step to go to.
    Step,
    /// A learning rate.
    Rate,
    /// The index of an image for the network view.
    Image,
    /// A breakpoint to add.
    Breakpoint,
    /// The name of a file to save the view to.
    Export,
}

/// Characters that an answer may have.
const LONGEST: usize = 24;
/// ... and the name of a file.
const LONGEST_NAME: usize = 200;

impl Prompt {
    /// An empty answer.
    pub(super) fn new(kind: PromptKind) -> Self {
        Self { kind, text: String::new(), error: None }
    }

    /// Takes a character, if it can be part of an answer.
    pub(super) fn type_in(&mut self, c: char) {
        let fits = match self.kind {
            PromptKind::Step | PromptKind::Image => c.is_ascii_digit(),
            PromptKind::Rate => c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-'),
            PromptKind::Breakpoint => c == ' ' || c.is_ascii_graphic(),
            PromptKind::Export => !c.is_control(),
        };
        let longest = if self.kind == PromptKind::Export { LONGEST_NAME } else { LONGEST };
        if fits && self.text.len() < longest {
            self.text.push(c);
            self.error = None;
        }
    }

    /// Takes the first line of a text as if it were typed.
    pub(super) fn paste(&mut self, text: &str) {
        let line = text.split(['\r', '\n']).next().unwrap_or_default();
        for c in line.chars() {
            self.type_in(c);
        }
    }

    pub(super) fn erase(&mut self) {
        self.text.pop();
        self.error = None;
    }

    /// The number that was typed; past what a number can hold it is the largest one.
    ///
    /// # Errors
    ///
    /// Asks for one where nothing was typed.
    pub(super) fn number(&self) -> Result<u64, String> {
        if self.text.is_empty() {
            return Err("type a number".to_owned());
        }
        // Only digits are taken, so that nothing but the size can be wrong.
        Ok(self.text.parse().unwrap_or(u64::MAX))
    }

    /// The learning rate that was typed.
    ///
    /// # Errors
    ///
    /// Says what is expected where it is not a rate that can be set.
    pub(super) fn rate(&self) -> Result<f64, String> {
        let (lowest, highest) = LEARNING_RATES;
        let rate = self.text.parse().ok().filter(|rate| (lowest..=highest).contains(rate));
        rate.ok_or_else(|| {
            format!("expected a number from {lowest:e} to {highest}, such as 0.0005 or 5e-4")
        })
    }
}
