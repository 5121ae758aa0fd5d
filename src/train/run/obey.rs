//! Commands, and waiting for them.

use std::time::Instant;

use super::Run;
use crate::{
    protocol::{Command, RunState},
    train::{control::Gate, error::TrainError},
};

impl Run<'_> {
    /// Takes the commands that have come and, if they or the pace say so, waits for more; false where
    /// the run is to end.
    pub(super) fn may_go_on(&mut self) -> Result<bool, TrainError> {
        loop {
            self.obey()?;
            let until = match self.control.before_batch() {
                Gate::Stop => return Ok(false),
                Gate::Wait => {
                    self.stand_still()?;
                    if self.explain_again()? {
                        self.clock.skip(Instant::now());
                        continue;
                    }
                    None
                }
                Gate::Go => {
                    let now = Instant::now();
                    let Some(due) = self.pace.due(now) else { return Ok(true) };
                    self.enter(RunState::Training);
                    if !self.losses.are_told() {
                        self.hand_over(now)?;
                    }
                    Some(due)
                }
            };
            self.remote.wait(until, self.outbox);
            if self.state == RunState::Paused {
                self.clock.skip(Instant::now());
            } else {
                // The pace is part of the training.
                self.clock.trained(Instant::now());
            }
        }
    }

    /// Waits after the last step; true once the run stands at an earlier one, false where it is to end.
    pub(super) fn wait_at_the_end(&mut self, total_steps: u64) -> Result<bool, TrainError> {
        self.control.pause();
        loop {
            self.obey()?;
            if self.control.is_stopping() {
                return Ok(false);
            }
            if self.at.step < total_steps {
                return Ok(true);
            }
            self.look_inside_again()?;
            if !self.explain_again()? {
                self.remote.wait(None, self.outbox);
            }
            self.clock.skip(Instant::now());
        }
    }

    /// Makes the screen exact and says that nothing is trained.
    fn stand_still(&mut self) -> Result<(), TrainError> {
        if self.state != RunState::Paused {
            let now = Instant::now();
            self.clock.trained(now);
            self.agenda.sample = now;
            self.hand_over(now)?;
            self.enter(RunState::Paused);
            self.inspect()?;
            self.clock.skip(Instant::now());
        }
        self.look_inside_again()
    }

    /// Does what the commands that have come ask for.
    fn obey(&mut self) -> Result<(), TrainError> {
        self.remote.pull();
        while let Some(command) = self.remote.next() {
            if self.remote.is_stopping() {
                self.control.apply(&Command::Stop);
                continue;
            }
            match command {
                Command::Back(steps) => self.go_back(self.at.step.saturating_sub(steps))?,
                Command::BackEpoch => {
                    self.go_back(self.at.step.saturating_sub(self.at.batch as u64))?;
                }
                Command::GoTo(step) if step <= self.at.step => self.go_back(step)?,
                Command::GoTo(step) => self.control.run_until(step),
                Command::ScaleLearningRate(factor) => self.scale_rate(factor)?,
                Command::SetLearningRate(rate) => self.set_rate(rate)?,
                Command::SetPace(pace) => self.pace.set(pace, Instant::now()),
                Command::SetBreakpoints(breakpoints) => self.watch.set(breakpoints),
                Command::LookInside(subject) => self.look_at(subject),
                Command::Inspect(wanted) => {
                    self.agenda.inspect = wanted.then(Instant::now);
                    if wanted && self.tools.read_only {
                        self.preview()?;
                    }
                }
                Command::Find(query) => self.find(query)?,
                Command::Explain(question) => self.explain(question),
                Command::Evaluate => self.evaluate_now()?,
                Command::Checkpoint => self.checkpoint()?,
                Command::Pause
                | Command::Resume
                | Command::Step(_)
                | Command::FinishEpoch
                | Command::Hold(_)
                | Command::Stop => self.control.apply(&command),
            }
        }
        if self.remote.is_stopping() {
            self.control.apply(&Command::Stop);
        }
        Ok(())
    }
}
