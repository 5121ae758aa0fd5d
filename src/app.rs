//! What is on the screen, as data: a pure reducer over events and actions.

pub mod curves;
mod held;
pub mod run;

use crate::protocol::{Command, EpochRecord, Event, RunState, Sample};

pub use curves::{Curves, Range};
use held::Held;
pub use run::Run;

/// A key's meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Pause, or train on.
    TogglePause,
    /// Train this many batches, then pause.
    Step(u64),
    /// Train to the end of the epoch, then pause.
    FinishEpoch,
    /// Show this view.
    Show(View),
    /// Show the view to the right.
    NextView,
    /// Show the view to the left.
    PreviousView,
    /// Switch the loss axis between linear and logarithmic.
    ToggleLogScale,
    /// Switch the loss chart between the whole run and its last steps.
    ToggleRange,
    /// Show or hide the keys.
    ToggleHelp,
    /// Leave, after a question while there is something to lose.
    Quit,
    /// Answer the open question with yes.
    Confirm,
    /// Close what is open on top.
    Dismiss,
}

/// One way to fill the screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum View {
    /// All panes.
    #[default]
    Overview,
    /// Loss and accuracy.
    Loss,
    /// Digits of the current batch.
    Digits,
    /// Confusion matrix with per-class figures.
    Confusion,
}

impl View {
    /// All views in the order of their keys.
    pub const ALL: [Self; 4] = [Self::Overview, Self::Loss, Self::Digits, Self::Confusion];

    /// One word for the header.
    pub fn name(self) -> &'static str {
        match self {
            Self::Overview => "overview",
            Self::Loss => "loss",
            Self::Digits => "digits",
            Self::Confusion => "confusion",
        }
    }

    fn shifted(self, by: usize) -> Self {
        let place = Self::ALL.iter().position(|&view| view == self).unwrap_or_default();
        Self::ALL[(place + by) % Self::ALL.len()]
    }
}

/// What lies over the panes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overlay {
    /// The keys.
    Help,
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
    sample: Held<Sample>,
    /// Index of the epoch whose confusion matrix is shown.
    matrix: Held<usize>,
    leave: bool,
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
            sample: Held::new(SAMPLE_DWELL),
            matrix: Held::new(MATRIX_DWELL),
            leave: false,
        }
    }
}

impl App {
    /// Takes in one message and says what the worker is to do.
    #[must_use]
    pub fn update(&mut self, msg: Msg) -> Vec<Command> {
        match msg {
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
        }
    }

    /// Whether the session is to end now.
    pub fn wants_to_leave(&self) -> bool {
        self.leave
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

    fn act(&mut self, action: Action) -> Vec<Command> {
        match action {
            Action::TogglePause => return self.run.toggle_pause().into_iter().collect(),
            Action::Step(batches) => return self.run.step(batches).into_iter().collect(),
            Action::FinishEpoch => return self.run.finish_epoch().into_iter().collect(),
            Action::Show(view) => self.show(view),
            Action::NextView => self.show(self.view.shifted(1)),
            Action::PreviousView => self.show(self.view.shifted(View::ALL.len() - 1)),
            Action::ToggleLogScale => self.log_scale = !self.log_scale,
            Action::ToggleRange => self.range = self.range.other(),
            Action::ToggleHelp => {
                self.overlay =
                    if self.overlay == Some(Overlay::Help) { None } else { Some(Overlay::Help) };
            }
            Action::Dismiss => {
                if self.overlay.take().is_none() {
                    self.notice = None;
                }
            }
            Action::Confirm => {
                if self.overlay.take() == Some(Overlay::ConfirmQuit) {
                    return self.quit();
                }
            }
            Action::Quit => {
                let at_work = matches!(
                    self.run.state,
                    RunState::Training | RunState::Evaluating | RunState::Paused
                );
                if at_work && !self.run.is_stopping() && self.overlay != Some(Overlay::ConfirmQuit)
                {
                    self.overlay = Some(Overlay::ConfirmQuit);
                } else {
                    return self.quit();
                }
            }
        }
        Vec::new()
    }

    fn show(&mut self, view: View) {
        self.view = view;
        if self.overlay == Some(Overlay::Help) {
            self.overlay = None;
        }
    }

    /// Ends a run under way, and the session with it once the worker has answered; a second wish, or
    /// one with no run under way, ends the session at once.
    fn quit(&mut self) -> Vec<Command> {
        self.overlay = None;
        if self.run.is_under_way() && !self.run.is_stopping() {
            self.run.stop();
            return vec![Command::Stop];
        }
        self.leave = true;
        vec![Command::Stop]
    }
}

#[cfg(test)]
mod tests;
