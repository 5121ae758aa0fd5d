//! The worker's end of the command channel.

use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, TryRecvError};

use super::{
    control::{Control, Gate},
    outbox::Outbox,
};
use crate::protocol::Command;

/// How often a paused worker looks whether a slow listener takes its events.
const RETRY: Duration = Duration::from_millis(30);

/// Takes commands to the control machine. A handle that is gone counts as a wish to stop.
pub(super) struct Remote {
    commands: Receiver<Command>,
    pub(super) control: Control,
}

impl Remote {
    pub(super) fn new(commands: Receiver<Command>) -> Self {
        Self { commands, control: Control::new() }
    }

    /// Takes the commands that have come, without waiting.
    pub(super) fn poll(&mut self) {
        loop {
            match self.commands.try_recv() {
                Ok(command) => self.control.apply(command),
                Err(TryRecvError::Empty) => return,
                Err(TryRecvError::Disconnected) => return self.control.apply(Command::Stop),
            }
        }
    }

    /// Blocks until a command lets the next batch through or ends the run: `Go` or `Stop`.
    pub(super) fn wait(&mut self, outbox: &mut Outbox) -> Gate {
        loop {
            let command = if outbox.is_waiting() {
                self.commands.recv_timeout(RETRY)
            } else {
                self.commands.recv().map_err(|_| RecvTimeoutError::Disconnected)
            };
            match command {
                Ok(command) => {
                    self.control.apply(command);
                    self.poll();
                }
                Err(RecvTimeoutError::Timeout) => outbox.deliver(),
                Err(RecvTimeoutError::Disconnected) => self.control.apply(Command::Stop),
            }
            match self.control.before_batch() {
                Gate::Wait => {}
                gate => return gate,
            }
        }
    }
}
