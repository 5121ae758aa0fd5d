//! Whether the next batch is trained: the pure machine behind pause, step and stop.

use crate::protocol::Command;

/// What the worker does before a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gate {
    /// Trains it.
    Go,
    /// Waits for a command.
    Wait,
    /// Ends the run.
    Stop,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Running,
    Paused,
    Stepping { left: u64 },
    RunningUntil { step: u64 },
    FinishingEpoch,
}

/// Turns commands into gates. Knows neither time nor channels.
///
/// Commands are applied between [`after_batch`](Self::after_batch) and the next
/// [`before_batch`](Self::before_batch), so the batch that has just ended is the one that was in
/// progress when they were given.
#[derive(Clone, Debug)]
pub(super) struct Control {
    mode: Mode,
    stopping: bool,
    held: bool,
    batch_in_progress: bool,
}

impl Control {
    /// A machine that lets batches through until a command says otherwise.
    pub(super) fn new() -> Self {
        Self { mode: Mode::Running, stopping: false, held: false, batch_in_progress: false }
    }

    /// Takes a command into account; those about other things than whether to train change nothing.
    pub(super) fn apply(&mut self, command: &Command) {
        self.mode = match (command, self.mode) {
            (Command::Pause, _) => Mode::Paused,
            (Command::Resume, _) => Mode::Running,
            (Command::FinishEpoch, _) => Mode::FinishingEpoch,
            (&Command::Step(more), Mode::Paused) => stepping(more),
            // Steps add up, so that three presses give three batches however fast they come.
            (&Command::Step(more), Mode::Stepping { left }) => stepping(left.saturating_add(more)),
            (
                &Command::Step(more),
                Mode::Running | Mode::RunningUntil { .. } | Mode::FinishingEpoch,
            ) => stepping(more.saturating_sub(u64::from(self.batch_in_progress))),
            (&Command::Hold(held), mode) => {
                self.held = held;
                mode
            }
            (Command::Stop, mode) => {
                self.stopping = true;
                mode
            }
            (_, mode) => mode,
        };
    }

    /// Lets batches through up to this step of the run, then pauses.
    pub(super) fn run_until(&mut self, step: u64) {
        self.mode = Mode::RunningUntil { step };
    }

    /// Lets no further batch through until a command says otherwise.
    pub(super) fn pause(&mut self) {
        self.mode = Mode::Paused;
    }

    /// Asks whether the next batch may be trained.
    pub(super) fn before_batch(&mut self) -> Gate {
        self.batch_in_progress = false;
        match self.mode {
            _ if self.stopping => Gate::Stop,
            _ if self.held => Gate::Wait,
            Mode::Paused => Gate::Wait,
            Mode::Running
            | Mode::Stepping { .. }
            | Mode::RunningUntil { .. }
            | Mode::FinishingEpoch => Gate::Go,
        }
    }

    /// Notes that no batch is in progress, since images are evaluated.
    pub(super) fn before_evaluation(&mut self) {
        self.batch_in_progress = false;
    }

    /// Notes that a batch was trained, the run's `step`.
    pub(super) fn after_batch(&mut self, step: u64) {
        self.batch_in_progress = true;
        self.mode = match self.mode {
            Mode::Stepping { left } => stepping(left.saturating_sub(1)),
            Mode::RunningUntil { step: last } if step >= last => Mode::Paused,
            mode => mode,
        };
    }

    /// Notes that an epoch was evaluated.
    pub(super) fn after_epoch(&mut self) {
        if self.mode == Mode::FinishingEpoch {
            self.mode = Mode::Paused;
        }
    }

    /// Whether each batch is watched by itself: the worker steps or is about to pause.
    pub(super) fn is_single_stepping(&self) -> bool {
        matches!(self.mode, Mode::Stepping { .. } | Mode::Paused)
    }

    /// How many steps after `step` may be trained before this has a say again.
    pub(super) fn steps_wanted(&self, step: u64) -> u64 {
        match self.mode {
            Mode::Running | Mode::FinishingEpoch => u64::MAX,
            Mode::RunningUntil { step: last } => last.saturating_sub(step).max(1),
            Mode::Paused | Mode::Stepping { .. } => 1,
        }
    }

    /// Whether a pause follows the next batch.
    pub(super) fn is_last_step(&self) -> bool {
        self.mode == Mode::Stepping { left: 1 }
    }

    /// Whether the run is to end.
    pub(super) fn is_stopping(&self) -> bool {
        self.stopping
    }
}

fn stepping(left: u64) -> Mode {
    if left == 0 { Mode::Paused } else { Mode::Stepping { left } }
}

#[cfg(test)]
mod tests;
