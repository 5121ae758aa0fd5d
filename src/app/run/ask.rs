//! What a run can be asked for in each state, as commands to its worker, and what it was.

use super::{Asked, Run};
use crate::{
    printable::thousands,
    protocol::{Command, RunState},
};

/// Most batches a second, from quick to slow.
const PACES: [Option<u32>; 6] = [None, Some(100), Some(30), Some(10), Some(3), Some(1)];

impl Run {
    pub(in crate::app) fn toggle_pause(&mut self) -> Option<Command> {
        if !self.takes_commands() {
            return None;
        }
        if self.state == RunState::Paused || self.is_going_back() || self.is_pausing() {
            self.asked = Asked::Nothing;
            return Some(Command::Resume);
        }
        self.asked = Asked::Pause;
        Some(Command::Pause)
    }

    pub(in crate::app) fn step(&mut self, batches: u64) -> Option<Command> {
        self.takes_commands().then(|| {
            self.asked = Asked::Steps;
            Command::Step(batches)
        })
    }

    pub(in crate::app) fn finish_epoch(&mut self) -> Option<Command> {
        self.takes_commands().then(|| {
            self.asked = Asked::EpochEnd;
            Command::FinishEpoch
        })
    }

    /// Goes to an earlier step, as the command says, and pauses there.
    pub(in crate::app) fn go_back(&mut self, command: Command) -> Option<Command> {
        if !self.is_attended() || self.step == 0 {
            return None;
        }
        self.asked = Asked::Nothing;
        self.goes_back = true;
        Some(command)
    }

    /// Goes to a step, back or forth.
    ///
    /// # Errors
    ///
    /// Says in one sentence why the run cannot get there.
    pub(in crate::app) fn go_to(&mut self, step: u64) -> Result<Option<Command>, String> {
        let Some(info) = self.info.as_ref() else {
            return Err("the data is still being read".to_owned());
        };
        if step > info.total_steps {
            return Err(format!("the run has only {} steps", thousands(info.total_steps)));
        }
        if step < self.step {
            return Ok(self.go_back(Command::GoTo(step)));
        }
        if self.is_at_its_end() {
            let step = thousands(self.step);
            return Err(format!("the run has ended at step {step}: only earlier steps are left"));
        }
        let is_there = step == self.step && self.state == RunState::Paused;
        Ok((self.takes_commands() && !is_there).then(|| {
            self.asked = if step > self.step { Asked::GoTo(step) } else { Asked::Pause };
            Command::GoTo(step)
        }))
    }

    /// Whether the run has ended and was not asked to go back from there.
    pub(in crate::app) fn is_at_its_end(&self) -> bool {
        self.state == RunState::Done && !self.is_going_back()
    }

    pub(in crate::app) fn scale_rate(&mut self, factor: f64) -> Option<Command> {
        self.takes_commands().then_some(Command::ScaleLearningRate(factor))
    }

    pub(in crate::app) fn evaluate(&mut self) -> Option<Command> {
        self.takes_commands().then_some(Command::Evaluate)
    }

    pub(in crate::app) fn set_rate(&mut self, rate: f64) -> Option<Command> {
        self.takes_commands().then_some(Command::SetLearningRate(rate))
    }

    /// The next pace of the ladder, quicker or slower.
    pub(in crate::app) fn change_pace(&mut self, quicker: bool) -> Option<Command> {
        if !self.is_attended() {
            return None;
        }
        let place = PACES.iter().position(|&pace| pace == self.pace).unwrap_or_default();
        let next = if quicker { place.checked_sub(1)? } else { place + 1 };
        let pace = *PACES.get(next)?;
        self.unpaced = self.full_speed();
        self.pace = pace;
        Some(Command::SetPace(self.pace))
    }

    pub(in crate::app) fn stop(&mut self) {
        self.asked = Asked::Stop;
    }

    fn takes_commands(&self) -> bool {
        (self.is_under_way() || self.is_going_back()) && !self.is_stopping()
    }

    /// Whether the worker lives and listens: after the run's end too, since it may go back from there.
    pub(in crate::app) fn is_attended(&self) -> bool {
        self.state != RunState::Failed && !self.is_stopping()
    }

    /// Whether the run was asked to end.
    pub fn is_stopping(&self) -> bool {
        self.asked == Asked::Stop
    }

    /// Whether an earlier step was asked for and the run does not stand there yet.
    pub fn is_going_back(&self) -> bool {
        self.goes_back
    }

    /// Whether a pause was asked for, now or later, and has not begun.
    pub fn is_pausing(&self) -> bool {
        matches!(self.asked, Asked::Pause | Asked::Steps | Asked::EpochEnd | Asked::GoTo(_))
    }

    /// The step up to which is trained, for a pause.
    pub fn goal(&self) -> Option<u64> {
        match self.asked {
            Asked::GoTo(step) => Some(step),
            _ => None,
        }
    }

    /// Whether the epoch is trained to its end, for a pause.
    pub fn is_finishing_epoch(&self) -> bool {
        self.asked == Asked::EpochEnd
    }

    /// Whether single batches are trained on request.
    pub fn is_stepping(&self) -> bool {
        self.asked == Asked::Steps
    }
}
