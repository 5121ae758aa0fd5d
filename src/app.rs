//! What is on the screen, as data: a pure reducer over events and actions.

mod act;
mod action;
mod breakpoints;
pub mod curves;
mod held;
mod inspector;
mod mistakes;
mod network;
mod pad;
mod prompt;
pub mod run;

use crate::protocol::{Breakpoint, Command, EpochRecord, Event, Query, RunState, Sample, Subject};

pub use action::{Action, Direction, Focus, RATE_FACTOR, View};
pub use breakpoints::Breakpoints;
pub use curves::{Curves, Range};
use held::Held;
pub use inspector::Inspector;
pub use mistakes::Mistakes;
pub use network::Network;
pub use pad::Pad;
pub use prompt::{Prompt, PromptKind};
pub use run::Run;

/// What lies over the panes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overlay {
    /// The keys.
    Help,
    /// The conditions that pause the run.
    Breakpoints,
    /// Whether to end the training.
    ConfirmQuit,
    /// Why the training failed.
    Failure,
}

/// What happens to the screen's state.
#[derive(Clone, Debug)]
pub enum Msg {
    /// The worker reports.
    Event(Box<Event>),
    /// The person acts.
    Action(Action),
    /// The run log cannot be written on; training goes on.
    LogFailed(String),
}

impl From<Event> for Msg {
    fn from(event: Event) -> Self {
        Self::Event(Box::new(event))
    }
}

/// Everything the screen shows.
#[derive(Debug)]
pub struct App {
    /// Where the run stands.
    pub run: Run,
    /// Loss and accuracy over time.
    pub curves: Curves,
    /// Every epoch's figures.
    pub epochs: Vec<EpochRecord>,
    /// Which panes are shown.
    pub view: View,
    /// What lies over them.
    pub overlay: Option<Overlay>,
    /// Something to be told once, until it is dismissed.
    pub notice: Option<String>,
    /// Whether the loss axis is logarithmic.
    pub log_scale: bool,
    /// Which steps the loss chart shows.
    pub range: Range,
    /// What the last step did.
    pub inspector: Inspector,
    /// An image's way through the network.
    pub network: Network,
    /// Images the network does badly on.
    pub mistakes: Mistakes,
    /// The pad to draw on.
    pub pad: Pad,
    /// What pauses the run.
    pub breakpoints: Breakpoints,
    /// A question that is being answered.
    pub prompt: Option<Prompt>,
    asked: Asked,
    sample: Held<Sample>,
    /// Index of the epoch whose confusion matrix is shown.
    matrix: Held<usize>,
    leave: bool,
}

/// What the worker was last asked to report.
#[derive(Debug, Default)]
struct Asked {
    subject: Option<Subject>,
    query: Option<Query>,
}

/// Seconds that a batch's digits stay while training goes on.
const SAMPLE_DWELL: f64 = 3.0;
/// Seconds that an epoch's confusion matrix stays while training goes on.
const MATRIX_DWELL: f64 = 2.0;

impl Default for App {
    fn default() -> Self {
        Self {
            run: Run::default(),
            curves: Curves::default(),
            epochs: Vec::new(),
            view: View::default(),
            overlay: None,
            notice: None,
            log_scale: false,
            range: Range::default(),
            inspector: Inspector::default(),
            network: Network::default(),
            mistakes: Mistakes::default(),
            pad: Pad::default(),
            breakpoints: Breakpoints::default(),
            prompt: None,
            asked: Asked::default(),
            sample: Held::new(SAMPLE_DWELL),
            matrix: Held::new(MATRIX_DWELL),
            leave: false,
        }
    }
}

impl App {
    /// A screen for a run that pauses on these conditions.
    pub fn new(breakpoints: Vec<Breakpoint>) -> Self {
        let breakpoints = Breakpoints { list: breakpoints, ..Breakpoints::default() };
        Self { breakpoints, ..Self::default() }
    }

    /// Takes in one message and says what the worker is to do.
    #[must_use]
    pub fn update(&mut self, msg: Msg) -> Vec<Command> {
        let mut commands = match msg {
            Msg::Event(event) => {
                self.take(*event);
                Vec::new()
            }
            Msg::Action(action) => self.act(action),
            Msg::LogFailed(message) => {
                self.notice = Some(format!("The log is incomplete: {message}"));
                self.run.log_failure = Some(message);
                Vec::new()
            }
        };
        commands.extend(self.questions());
        commands
    }

    /// What has to be asked so that the view shown gets what it shows.
    fn questions(&mut self) -> Vec<Command> {
        let mut commands = Vec::new();
        let subject = match self.view {
            View::Network => Some(self.network.subject.clone()),
            View::Draw => Some(Subject::Drawn(self.pad.pixels.clone())),
            _ => None,
        };
        if subject != self.asked.subject {
            self.asked.subject.clone_from(&subject);
            commands.push(Command::LookInside(subject));
        }
        let query = match self.view {
            View::Mistakes => self.matrix().map(|record| self.mistakes.query(record.step)),
            _ => None,
        };
        if let Some(query) = query
            && self.asked.query != Some(query)
        {
            self.asked.query = Some(query);
            commands.push(Command::Find(query));
        }
        commands
    }

    /// Whether the session is to end now.
    pub fn wants_to_leave(&self) -> bool {
        self.leave
    }

    /// Where keys go.
    pub fn focus(&self) -> Focus {
        if self.prompt.is_some() { Focus::Question } else { Focus::View(self.view) }
    }

    /// The digits to show; `None` before the first batch.
    pub fn sample(&self) -> Option<&Sample> {
        self.sample.shown()
    }

    /// The epoch whose confusion matrix is to be shown; `None` before the first.
    pub fn matrix(&self) -> Option<&EpochRecord> {
        self.epochs.get(*self.matrix.shown()?)
    }

    fn take(&mut self, event: Event) {
        self.record(event);
        // What changes quickly keeps still for a moment; once the run stands still it is exact.
        let stands_still = match self.run.state {
            RunState::Loading | RunState::Paused | RunState::Done | RunState::Failed => true,
            RunState::Training | RunState::Evaluating => self.run.is_stepping(),
        };
        let now = self.run.clock.elapsed();
        self.run.refresh_figures(self.curves.loss.smooth(), stands_still);
        self.curves.refresh(now, stands_still);
        self.sample.refresh(now, stands_still);
        self.matrix.refresh(now, stands_still);
        self.network.refresh(now, stands_still);
    }

    fn record(&mut self, event: Event) {
        match event {
            Event::Started(info) => {
                self.curves = Curves::new(&info);
                self.run.start(info);
            }
            Event::State(state) => {
                self.run.set_state(state);
            }
            Event::Progress(mut progress) => {
                self.curves.extend(&progress.losses);
                if let Some(sample) = progress.sample.take() {
                    self.sample.offer(sample);
                }
                self.run.advance(&progress);
            }
            Event::Epoch(record) => {
                self.curves.evaluated(record.step, &record.evaluation);
                self.run.epoch_ended(&record);
                self.matrix.offer(self.epochs.len());
                self.epochs.push(record);
            }
            Event::Rewound(_) | Event::LearningRate(_) => {}
            Event::Break(hit) => self.breakpoints.hit = Some(hit),
            Event::Inspected(inspection) => self.inspector.show(*inspection),
            Event::Insides(insides) => {
                let drawn = matches!(insides.subject, Subject::Drawn(_));
                if self.view == View::Network && insides.subject == self.network.subject || !drawn {
                    self.network.show(*insides);
                } else {
                    self.pad.show(*insides);
                }
            }
            Event::Found(found) => self.mistakes.show(found),
            Event::Finished(summary) => {
                self.run.finish(summary);
                self.ended();
            }
            Event::Failed(failure) => {
                self.notice = Some(format!("Training failed: {}", failure.message));
                self.run.fail(failure);
                self.ended();
                self.overlay = Some(Overlay::Failure);
            }
        }
    }

    /// A question about ending what has ended is void; whoever already said yes is let go.
    fn ended(&mut self) {
        if self.overlay == Some(Overlay::ConfirmQuit) {
            self.overlay = None;
        }
        self.leave |= self.run.is_stopping();
    }
}

#[cfg(test)]
mod tests;
