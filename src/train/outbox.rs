//! Events on their way to listeners, none of which the worker ever waits for.

mod listener;

use std::time::{Duration, Instant};

use crossbeam_channel::Sender;

use crate::protocol::Event;
use listener::Listener;

/// A screen is given something no more often than this. Shorter than the time between two hand-overs
/// of losses, so that none of those has to wait for the next.
const BETWEEN: Duration = Duration::from_millis(25);

/// Events that were not taken yet, for each listener in order.
///
/// A listener whose channel is full keeps its events here: trained batches melt into one
/// [`Progress`](crate::protocol::Progress) for each epoch, so that what waits grows by one number a
/// step, and nothing is dropped. For a screen, epochs that follow each other melt too, into one
/// [`Epochs`](crate::protocol::Epochs): it may be slower than epochs of a few images, and it needs
/// of an epoch that it never shows no more than the point on its charts. A listener that is gone is
/// forgotten.
pub(super) struct Outbox {
    listeners: Vec<Listener>,
    screen: Option<Screen>,
}

/// The one listener that shows the run as it goes.
struct Screen {
    listener: Listener,
    /// When it may be given what has no hurry.
    due: Instant,
    now: Box<dyn Fn() -> Instant + Send>,
}

impl Outbox {
    /// An outbox for the receivers of these channels, which must be bounded or well read.
    pub(super) fn new(listeners: Vec<Sender<Event>>) -> Self {
        Self { listeners: listeners.into_iter().map(Listener::new).collect(), screen: None }
    }

    /// With a screen too, by the time that `now` tells.
    pub(super) fn with_screen(
        mut self,
        screen: Option<Sender<Event>>,
        now: impl Fn() -> Instant + Send + 'static,
    ) -> Self {
        self.screen = screen.map(|sender| {
            let due = now();
            Screen { listener: Listener::in_brief(sender), due, now: Box::new(now) }
        });
        self
    }

    /// Sends an event to each listener, behind those that still wait.
    pub(super) fn send(&mut self, event: &Event) {
        for listener in &mut self.listeners {
            listener.enqueue(event.clone());
        }
        let hurries = !is_routine(event);
        if let Some(screen) = &mut self.screen {
            screen.listener.enqueue(event.clone());
        }
        self.deliver_if(hurries);
    }

    /// Tries again to hand over what waits. Does not block.
    pub(super) fn deliver(&mut self) {
        self.deliver_if(false);
    }

    fn deliver_if(&mut self, hurries: bool) {
        self.listeners.retain_mut(Listener::deliver);
        self.screen.take_if(|screen| !screen.deliver(hurries));
    }

    /// Whether anything was not taken yet.
    pub(super) fn is_waiting(&self) -> bool {
        let screen = self.screen.iter().map(|screen| &screen.listener);
        self.listeners.iter().chain(screen).any(Listener::is_waiting)
    }

    /// Blocks until each listener has taken everything or is gone; a slow one delays no other.
    pub(super) fn finish(mut self) {
        self.listeners.extend(self.screen.take().map(|screen| screen.listener));
        loop {
            self.listeners.retain_mut(Listener::deliver);
            let Some(slow) = self.listeners.iter_mut().find(|one| one.is_waiting()) else {
                return;
            };
            slow.wait();
        }
    }
}

impl Screen {
    /// Hands over as much as the channel takes, if it is time or something `hurries`; `false` if
    /// nobody is there any more.
    fn deliver(&mut self, hurries: bool) -> bool {
        if !self.listener.is_waiting() {
            return true;
        }
        let now = (self.now)();
        if !hurries && now < self.due {
            return true;
        }
        self.due = now + BETWEEN;
        self.listener.deliver()
    }
}

/// Whether an event comes again and again while the run goes on by itself.
fn is_routine(event: &Event) -> bool {
    use crate::protocol::RunState::{Evaluating, Training};
    matches!(
        event,
        Event::Progress(_)
            | Event::Epoch(_)
            | Event::Hardware(_)
            | Event::State(Training | Evaluating)
    )
}

#[cfg(test)]
mod tests;
