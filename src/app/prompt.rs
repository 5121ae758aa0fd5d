//! A question that is answered by typing.

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
    /// The index of an image for the network view.
    Image,
    /// A breakpoint to add.
    Breakpoint,
}

impl Prompt {
    /// An empty answer.
    pub(super) fn new(kind: PromptKind) -> Self {
        Self { kind, text: String::new(), error: None }
    }
}
