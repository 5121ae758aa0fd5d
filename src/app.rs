//! What is on the screen, as data: a pure reducer over events and actions.

mod act;
mod action;
mod answer;
mod breakpoints;
mod charts;
pub mod curves;
mod epochs;
mod export;
mod held;
mod hint;
mod inspector;
mod matrix;
mod messages;
mod mistakes;
mod network;
mod pad;
mod prompt;
mod record;
mod recovery;
pub mod run;
mod tiles;
mod why;

use crate::protocol::{Breakpoint, Command, Event, Inspection, Query, Sample, Subject};
use crate::{
    hardware::Reading,
    printable::{printable, thousands},
    recorder::Report,
};

pub use action::{Action, Direction, Focus, RATE_FACTOR, Target, Unbound, View};
pub use breakpoints::{Breakpoints, Row};
pub use charts::Charts;
pub use curves::{Curves, Range, Sight};
pub use epochs::Epochs;
pub use export::{Export, ExportFormat};
use held::Held;
use hint::Hinted;
pub use inspector::Inspector;
pub use matrix::Matrix;
use matrix::Pin;
pub use messages::{Message, Messages};
pub use mistakes::Mistakes;
pub use network::{Network, Pixel};
pub use pad::Pad;
pub use prompt::{Prompt, PromptKind};
pub use recovery::Recovery;
pub use run::Run;
pub use tiles::{TileSize, Tiles};
pub use why::{Kind, Samples, Tab, Why};

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
    /// The number of images that the view shows has changed.
    Tiles(Tiles),
    /// Text was pasted.
    Paste(String),
    /// A key was pressed that does nothing.
    UnboundKey(Unbound),
    /// The run log cannot be written on; training goes on.
    LogFailed(String),
    /// What became of the run's record.
    Recorded(Report),
    /// Something that the person should know.
    Warning(String),
    /// A file that the person asked for was written there, or why not.
    Exported(Result<String, String>),
    /// Time has passed: seconds since any fixed moment.
    Tick(f64),
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
    /// The epochs' figures.
    pub epochs: Epochs,
    /// What the machine does now; `None` where that is not known.
    pub machine: Option<Box<Reading>>,
    /// Which panes are shown.
    pub view: View,
    /// What lies over them.
    pub overlay: Option<Overlay>,
    /// The message row.
    pub messages: Messages,
    /// What to say of the last key, which did nothing.
    pub hint: Option<String>,
    hinted: Hinted,
    /// How the charts are shown.
    pub charts: Charts,
    /// What the last step did.
    pub inspector: Inspector,
    /// An image's way through the network.
    pub network: Network,
    /// Images the network does badly on.
    pub mistakes: Mistakes,
    /// The pad to draw on.
    pub pad: Pad,
    /// What is explained of the network.
    pub why: Why,
    /// What pauses the run.
    pub breakpoints: Breakpoints,
    /// A question that is being answered.
    pub prompt: Option<Prompt>,
    /// Whether the run belongs to another program and can only be looked at.
    pub looks_on: bool,
    /// Whether images are shown before augmentation, too.
    pub shows_originals: bool,
    /// How large images are where there are many.
    pub tile_size: TileSize,
    /// How many images the view shows.
    pub tiles: Tiles,
    /// Turns of the help's pages, to be taken modulo their number.
    pub help_page: usize,
    /// The step of a divergence whose remedy was declined.
    declined: Option<u64>,
    asked: Asked,
    sample: Held<Sample>,
    /// Step of the epoch whose confusion matrix is shown while the newest one is followed.
    matrix: Held<u64>,
    /// The evaluation whose matrix is shown however the run goes on.
    pin: Option<Pin>,
    /// A file to be written.
    export: Option<Export>,
    leave: bool,
}

/// What the worker was last asked to report.
#[derive(Debug, Default)]
struct Asked {
    subject: Option<Subject>,
    query: Option<Query>,
    /// From which step on the worker reports what steps do while it trains.
    inspecting_since: Option<u64>,
    /// Whether a person waits for a checkpoint.
    checkpoint: bool,
    /// Whether a person waits for an evaluation.
    evaluation: bool,
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
            epochs: Epochs::default(),
            machine: None,
            view: View::default(),
            overlay: None,
            messages: Messages::default(),
            hint: None,
            hinted: Hinted::default(),
            charts: Charts::default(),
            inspector: Inspector::default(),
            network: Network::default(),
            mistakes: Mistakes::default(),
            pad: Pad::default(),
            why: Why::default(),
            breakpoints: Breakpoints::default(),
            prompt: None,
            looks_on: false,
            shows_originals: false,
            tile_size: TileSize::default(),
            tiles: Tiles::default(),
            help_page: 0,
            declined: None,
            asked: Asked::default(),
            sample: Held::new(SAMPLE_DWELL),
            matrix: Held::new(MATRIX_DWELL),
            pin: None,
            export: None,
            leave: false,
        }
    }
}

impl App {
    /// A screen for a run that pauses on these conditions.
    pub fn new(breakpoints: Vec<Breakpoint>) -> Self {
        Self { breakpoints: Breakpoints::new(breakpoints), ..Self::default() }
    }

    /// The same for a run that can only be looked at.
    #[must_use]
    pub fn looking_on(self) -> Self {
        Self { looks_on: true, ..self }
    }

    /// Takes in one message and says what the worker is to do.
    #[must_use]
    pub fn update(&mut self, msg: Msg) -> Vec<Command> {
        let mut commands = match msg {
            Msg::Event(event) => {
                self.take(*event);
                Vec::new()
            }
            Msg::Action(action) => {
                self.hint = None;
                self.act(action)
            }
            Msg::Tiles(tiles) => {
                self.tiles = tiles;
                Vec::new()
            }
            Msg::Paste(text) => {
                if self.paste(&text) {
                    self.act(Action::Confirm)
                } else {
                    Vec::new()
                }
            }
            Msg::UnboundKey(key) => {
                self.unbound(key);
                Vec::new()
            }
            Msg::LogFailed(message) => {
                let message = printable(&message);
                self.messages.alert(format!("The log is incomplete: {message}"));
                self.run.log_failure = Some(message);
                Vec::new()
            }
            Msg::Recorded(report) => {
                self.recorded(report);
                Vec::new()
            }
            Msg::Warning(message) => {
                self.messages.alert(printable(&message));
                Vec::new()
            }
            Msg::Exported(outcome) => {
                self.exported(outcome);
                Vec::new()
            }
            Msg::Tick(now) => {
                self.messages.tick(now);
                Vec::new()
            }
        };
        commands.extend(self.questions());
        commands
    }

    fn recorded(&mut self, report: Report) {
        match report {
            Report::Kept { step } => {
                self.run.kept = Some(step);
                self.run.record_failure = None;
                if std::mem::take(&mut self.asked.checkpoint) {
                    let step = thousands(step);
                    self.messages.inform(format!("Checkpoint saved at step {step}."));
                }
            }
            Report::CheckpointFailed(reason) => {
                let reason = printable(&reason);
                // A folder that is gone stays so from checkpoint to checkpoint.
                let is_known = self.run.record_failure.as_ref() == Some(&reason);
                if std::mem::take(&mut self.asked.checkpoint) || !is_known {
                    self.messages.alert(format!("The checkpoint was not saved: {reason}"));
                }
                self.run.record_failure = Some(reason);
            }
            Report::Ended(reason) => {
                let reason = printable(&reason);
                let kept = self.run.kept.map_or_else(String::new, |step| {
                    format!("; the run can be resumed from step {}", thousands(step))
                });
                self.messages.alert(format!("The run is no longer saved: {reason}{kept}"));
                self.run.record_failure = Some(reason);
                self.run.record_ended = true;
            }
        }
    }

    /// What has to be asked so that the view shown gets what it shows.
    fn questions(&mut self) -> Vec<Command> {
        let mut commands = Vec::new();
        let subject = match self.view {
            View::Network => Some(self.network.subject.clone()),
            View::Draw if !self.pad.is_empty() => Some(Subject::Drawn(self.pad.pixels.clone())),
            View::Why => self.explained_subject(),
            _ => None,
        };
        if subject != self.asked.subject {
            self.asked.subject.clone_from(&subject);
            commands.push(Command::LookInside(subject));
        }
        let is_inspecting = self.view == View::Step;
        if is_inspecting != self.asked.inspecting_since.is_some() {
            self.asked.inspecting_since = is_inspecting.then_some(self.run.step);
            commands.push(Command::Inspect(is_inspecting));
        }
        // The run may have gone back.
        self.asked.inspecting_since =
            self.asked.inspecting_since.map(|since| since.min(self.run.step));
        let query = match self.view {
            View::Mistakes => self.matrix().map(|matrix| self.mistakes.query(matrix)),
            _ => None,
        };
        if let Some(query) = query
            && self.asked.query != Some(query)
        {
            self.asked.query = Some(query);
            commands.push(Command::Find(query));
        }
        let question = self.question();
        if self.why.turn_to(question.clone()) {
            commands.push(Command::Explain(question));
        }
        commands
    }

    /// The question for images that was asked last.
    #[cfg(test)]
    pub(crate) fn asked_query(&self) -> Option<Query> {
        self.asked.query
    }

    /// Whether the session is to end now.
    pub fn wants_to_leave(&self) -> bool {
        self.leave
    }

    /// Where keys go.
    pub fn focus(&self) -> Focus {
        match (&self.prompt, self.overlay) {
            (Some(_), _) => Focus::Question,
            (None, Some(Overlay::Breakpoints)) => Focus::Breakpoints,
            (None, Some(Overlay::ConfirmQuit)) => Focus::Confirmation,
            (None, None) if self.crosshair().is_some() => Focus::Crosshair,
            (None, _) => Focus::View(self.view),
        }
    }

    /// Whether the mouse draws.
    pub fn draws_with_mouse(&self) -> bool {
        self.focus() == Focus::View(View::Draw) && self.overlay.is_none()
    }

    /// The views that can show something, in the order of their keys: that of the machine needs a system that
    /// gives figures.
    pub fn views(&self) -> impl Iterator<Item = View> {
        let is_known =
            self.machine.as_deref().is_some_and(|reading| *reading != Reading::default());
        View::ALL.into_iter().filter(move |view| *view != View::Machine || is_known)
    }

    /// Whether an action can do anything here: a run that is watched takes no commands.
    pub fn offers(&self, action: Action) -> bool {
        let goes_to_step = action == Action::Confirm && self.focus() == Focus::Crosshair;
        self.has_use(action) && !(self.looks_on && (action.is_about_the_run() || goes_to_step))
    }

    /// Whether an action has something to act on in what is shown.
    fn has_use(&self, action: Action) -> bool {
        let in_pixel = self.view == View::Network && self.network.pixel.is_some();
        // The help lists the keys of what it covers.
        let is_covered =
            self.prompt.is_some() || self.overlay.is_some_and(|overlay| overlay != Overlay::Help);
        match action {
            Action::Explain | Action::ExplainNextClass => !in_pixel,
            Action::Confirm => !in_pixel || is_covered,
            // A checkpoint has neither snapshots nor histories.
            Action::SwitchPlane => self.why.tab == Tab::Landscape && !self.looks_on,
            Action::NextList => !self.looks_on,
            Action::ShowOriginals => {
                self.sample().is_some_and(|sample| !sample.originals.is_empty())
            }
            _ => true,
        }
    }

    /// The digits to show; `None` before the first batch.
    pub fn sample(&self) -> Option<&Sample> {
        self.sample.shown()
    }

    /// What the last step did, if that is known: while single steps are trained, what the one before
    /// did until the new one's report is here; while training goes on in the step view, what a step
    /// did that was trained since the view was opened.
    ///
    /// Of a run that is watched, what the step after its last checkpoint would do.
    pub fn inspection(&self) -> Option<&Inspection> {
        let found = self.inspector.inspection.as_ref()?;
        if self.looks_on {
            return Some(found);
        }
        let is_recent = self.asked.inspecting_since.is_some_and(|since| found.step >= since);
        (found.step == self.run.step || self.run.is_stepping() || is_recent).then_some(found)
    }

    /// Steps that were trained before the run went back, if it can still go that way again.
    pub fn known_steps(&self) -> Option<u64> {
        self.curves.pasts.ahead().map(|ahead| ahead.loss.steps())
    }
}

#[cfg(test)]
mod tests;
