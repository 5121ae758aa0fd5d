//! The worker's end of the command channel.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, RecvTimeoutError, TryRecvError};

use super::outbox::Outbox;
use crate::protocol::Command;

/// How often a waiting worker looks whether a slow listener takes its events.
const RETRY: Duration = Duration::from_millis(30);

/// Commands that have come, in order. A handle that is gone counts as a wish to stop.
pub(super) struct Remote {
    commands: Receiver<Command>,
    queue: VecDeque<Command>,
    stopping: bool,
}

impl Remote {
    pub(super) fn new(commands: Receiver<Command>) -> Self {
        Self { commands, queue: VecDeque::new(), stopping: false }
    }

    /// Takes in what has come, without waiting.
    pub(super) fn pull(&mut self) {
        loop {
            match self.commands.try_recv() {
                Ok(command) => self.push(command),
                Err(TryRecvError::Empty) => return,
                Err(TryRecvError::Disconnected) => return self.stop(),
            }
        }
    }

    /// Whether a wish to stop has come, be it behind other commands.
    pub(super) fn is_stopping(&self) -> bool {
        self.stopping
    }

    /// The next command. Steps back that follow each other come as one, and of several questions
    /// for an image or a set of them only the last counts.
    pub(super) fn next(&mut self) -> Option<Command> {
        loop {
            let mut command = self.queue.pop_front()?;
            while let (Command::Back(more), Some(Command::Back(first))) =
                (&mut command, self.queue.front())
            {
                *more = more.saturating_add(*first);
                self.queue.pop_front();
            }
            let is_void = match command {
                Command::LookInside(_) => {
                    self.queue.iter().any(|later| matches!(later, Command::LookInside(_)))
                }
                Command::Explain(_) => {
                    self.queue.iter().any(|later| matches!(later, Command::Explain(_)))
                }
                Command::Find(_) => {
                    self.queue.iter().any(|later| matches!(later, Command::Find(_)))
                }
                _ => false,
            };
            if !is_void {
                return Some(command);
            }
        }
    }

    /// Blocks until a command comes or it is `until`, handing over meanwhile what listeners did not
    /// take before.
    pub(super) fn wait(&mut self, until: Option<Instant>, outbox: &mut Outbox) {
        // One may have come in while its receiver was at something else.
        while self.queue.is_empty() {
            let deadline = match (until, outbox.is_waiting()) {
                (None, false) => None,
                (until, false) => until,
                (until, true) => {
                    let retry = Instant::now() + RETRY;
                    Some(until.map_or(retry, |until| until.min(retry)))
                }
            };
            let command = match deadline {
                Some(deadline) => self.commands.recv_deadline(deadline),
                None => self.commands.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match command {
                Ok(command) => {
                    self.push(command);
                    return self.pull();
                }
                Err(RecvTimeoutError::Disconnected) => return self.stop(),
                Err(RecvTimeoutError::Timeout) => {
                    outbox.deliver();
                    if until.is_some_and(|until| Instant::now() >= until) {
                        return;
                    }
                }
            }
        }
    }

    fn push(&mut self, command: Command) {
        self.stopping |= command == Command::Stop;
        self.queue.push_back(command);
    }

    fn stop(&mut self) {
        if !self.stopping {
            self.push(Command::Stop);
        }
    }
}

#[cfg(test)]
mod tests {
    use crossbeam_channel::unbounded;

    use super::*;
    use crate::protocol::{EvalSet, ImageSet, List, Query, Subject};

    fn taken(commands: &[Command]) -> Vec<Command> {
        let (sender, receiver) = unbounded();
        for command in commands {
            sender.send(command.clone()).expect("the receiver is there");
        }
        let mut remote = Remote::new(receiver);
        remote.pull();
        std::iter::from_fn(|| remote.next()).collect()
    }

    #[test]
    fn commands_come_in_order_and_steps_back_as_one() {
        assert_eq!(
            taken(&[
                Command::Back(1),
                Command::Back(2),
                Command::ScaleLearningRate(2.0),
                Command::Back(4)
            ]),
            [Command::Back(3), Command::ScaleLearningRate(2.0), Command::Back(4)]
        );
    }

    #[test]
    fn only_the_last_question_of_a_kind_counts() {
        let look = |index| Command::LookInside(Some(Subject::Image { set: ImageSet::Test, index }));
        let find = |step| {
            Command::Find(Query { step, set: EvalSet::Test, cell: None, list: List::Hardest })
        };
        assert_eq!(
            taken(&[look(1), find(1), look(2), Command::Pause, find(2)]),
            [look(2), Command::Pause, find(2)]
        );
    }

    #[test]
    fn a_handle_that_is_gone_is_a_wish_to_stop() {
        let (sender, receiver) = unbounded();
        drop(sender);
        let mut remote = Remote::new(receiver);
        remote.wait(None, &mut Outbox::new(Vec::new()));
        assert!(remote.is_stopping());
        assert_eq!(remote.next(), Some(Command::Stop));
    }

    #[test]
    fn a_command_that_was_taken_in_before_is_not_waited_for() {
        let (sender, receiver) = unbounded();
        sender.send(Command::Pause).expect("the receiver is there");
        let mut remote = Remote::new(receiver);
        remote.pull();
        remote.wait(None, &mut Outbox::new(Vec::new()));
        assert_eq!(remote.next(), Some(Command::Pause));
    }

    #[test]
    fn a_wait_ends_at_its_time() {
        let (_sender, receiver) = unbounded();
        let mut remote = Remote::new(receiver);
        remote.wait(Some(Instant::now() + Duration::from_millis(1)), &mut Outbox::new(Vec::new()));
        assert_eq!(remote.next(), None);
    }
}
