//! The thread that trains, and the handle to it.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    thread::{self, JoinHandle},
    time::Instant,
};

use crossbeam_channel::{Receiver, Sender, unbounded};

use super::{error::TrainError, outbox::Outbox, remote::Remote, run::run, tools::Tools};
use crate::{
    config::RunConfig,
    protocol::{Command, Event, Failure, RunState, Summary},
};

/// A run in progress on a thread of its own. It stops once this and every channel to it are dropped.
#[derive(Debug)]
pub struct Worker {
    commands: Sender<Command>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    /// Commands the worker. Never blocks; does nothing once the run has ended.
    pub fn send(&self, command: Command) {
        // Nobody receives after the end, and then there is nothing left to command.
        let _ = self.commands.send(command);
    }

    /// The channel that [`send`](Self::send) uses, for another thread.
    pub fn commands(&self) -> Sender<Command> {
        self.commands.clone()
    }

    /// Waits for the end of the run, which comes once each listener has taken its events or is
    /// gone.
    pub fn join(mut self) {
        if let Some(thread) = self.thread.take() {
            // A panic of the run has already been reported as an event.
            let _ = thread.join();
        }
    }
}

/// Starts a run, which reads its data on its own thread, so that this returns at once.
///
/// Each listener gets every event in order, the last being [`Event::Finished`] or
/// [`Event::Failed`]. Channels should be bounded: what a listener does not take yet waits in the
/// worker in compact form.
pub fn spawn(config: RunConfig, listeners: Vec<Sender<Event>>) -> Worker {
    spawn_with_tools(config, Tools::unattended(), listeners)
}

/// [`spawn`] for a run whose [`Tools`] are those given. An attended run goes on answering after its
/// last step, until [`Command::Stop`].
pub fn spawn_with_tools(config: RunConfig, tools: Tools, listeners: Vec<Sender<Event>>) -> Worker {
    spawn_with(None, listeners, move |commands, outbox| {
        run(&config, &tools, Remote::new(commands), outbox).map_err(Failure::from)
    })
}

/// [`spawn_with_tools`] for a run with a screen, which gets no checkpoints, and epochs that come
/// faster than it is drawn as [`Event::Epochs`].
pub fn spawn_with_screen(
    config: RunConfig,
    tools: Tools,
    screen: Sender<Event>,
    listeners: Vec<Sender<Event>>,
) -> Worker {
    spawn_with(Some(screen), listeners, move |commands, outbox| {
        run(&config, &tools, Remote::new(commands), outbox).map_err(Failure::from)
    })
}

/// Starts a thread for `body` and reports how it ends, be it by a panic.
fn spawn_with(
    screen: Option<Sender<Event>>,
    listeners: Vec<Sender<Event>>,
    body: impl FnOnce(Receiver<Command>, &mut Outbox) -> Result<Option<Summary>, Failure>
    + Send
    + 'static,
) -> Worker {
    // What people type fits in memory, and a full channel would block the one who types.
    let (commands, receiver) = unbounded();
    let spare: Vec<_> = listeners.iter().chain(&screen).cloned().collect();
    let work = move || {
        let mut outbox = Outbox::new(listeners).with_screen(screen, Instant::now);
        outbox.send(&Event::State(RunState::Loading));
        let ended = catch_unwind(AssertUnwindSafe(|| body(receiver, &mut outbox)));
        report(ended.unwrap_or_else(|panic| Err(internal_error(panic.as_ref()))), outbox);
    };
    match thread::Builder::new().name("trainer".to_owned()).spawn(work) {
        Ok(thread) => Worker { commands, thread: Some(thread) },
        Err(error) => {
            let mut outbox = Outbox::new(spare);
            outbox.send(&Event::Failed(TrainError::Spawn(error).into()));
            Worker { commands, thread: None }
        }
    }
}

fn report(ended: Result<Option<Summary>, Failure>, mut outbox: Outbox) {
    let last = match ended {
        Ok(None) => None,
        Ok(Some(summary)) => Some((RunState::Done, Event::Finished(summary))),
        Err(failure) => Some((RunState::Failed, Event::Failed(failure))),
    };
    if let Some((state, last)) = last {
        outbox.send(&Event::State(state));
        outbox.send(&last);
    }
    outbox.finish();
}

fn internal_error(panic: &(dyn Any + Send)) -> Failure {
    let message = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message");
    Failure::new(format!("training stopped by an internal error: {message}"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crossbeam_channel::bounded;

    use super::*;

    const DEADLINE: Duration = Duration::from_secs(20);

    fn events_of(
        body: impl FnOnce(Receiver<Command>, &mut Outbox) -> Result<Option<Summary>, Failure>
        + Send
        + 'static,
    ) -> Vec<Event> {
        let (sender, receiver) = bounded(1);
        let worker = spawn_with(None, vec![sender], body);
        let mut events = Vec::new();
        while let Ok(event) = receiver.recv_timeout(DEADLINE) {
            events.push(event);
        }
        worker.send(Command::Stop);
        worker.join();
        events
    }

    #[test]
    fn a_panic_arrives_as_a_failure_after_everything_before_it() {
        let events = events_of(|_, outbox| {
            outbox.send(&Event::State(RunState::Training));
            let batch: Vec<u32> = Vec::new();
            panic!("batch of {} images", batch.len())
        });
        let message = "training stopped by an internal error: batch of 0 images".to_owned();
        assert_eq!(
            events,
            [
                Event::State(RunState::Loading),
                Event::State(RunState::Training),
                Event::State(RunState::Failed),
                Event::Failed(Failure::new(message)),
            ]
        );
    }

    #[test]
    fn a_panic_inside_the_thread_pool_arrives_as_a_failure() {
        let events = events_of(|_, _| {
            let pool = crate::train::device::thread_pool(Some(2)).expect("two threads");
            pool.install(|| panic!("in a kernel"))
        });
        let Some(Event::Failed(failure)) = events.last() else { panic!("{events:?}") };
        assert_eq!(failure.message, "training stopped by an internal error: in a kernel");
    }

    #[test]
    fn a_command_after_the_end_does_nothing() {
        let failure = Failure::new("ended".to_owned());
        let ended = failure.clone();
        let events = events_of(move |_, _| Err(ended));
        assert_eq!(events.last(), Some(&Event::Failed(failure)));
    }

    #[test]
    fn dropping_the_handle_asks_the_run_to_stop() {
        let (sender, receiver) = bounded(4);
        let (seen, stopped) = bounded(1);
        drop(spawn_with(None, vec![sender], move |commands, _| {
            let mut remote = Remote::new(commands);
            while !remote.is_stopping() {
                remote.pull();
            }
            let _ = seen.send(());
            Err(Failure::new("stopped".to_owned()))
        }));
        assert_eq!(stopped.recv_timeout(DEADLINE), Ok(()));
        assert!(receiver.recv_timeout(DEADLINE).is_ok());
    }
}
