//! Events on their way to listeners, none of which the worker ever waits for.

use std::{collections::VecDeque, time::Duration};

use crossbeam_channel::{SendTimeoutError, Sender, TrySendError};

use crate::protocol::{Event, Progress};

/// How long the end of a run waits for one listener before it looks after the others.
const TURN: Duration = Duration::from_millis(20);

/// Events that were not taken yet, for each listener in order.
///
/// A listener whose channel is full keeps its events here: trained batches melt into one
/// [`Progress`] for each epoch, so that what waits grows by one number a step at most, and nothing
/// is dropped. A listener that is gone is forgotten.
pub(super) struct Outbox {
    listeners: Vec<Listener>,
}

struct Listener {
    sender: Sender<Event>,
    waiting: VecDeque<Event>,
}

impl Outbox {
    /// An outbox for the receivers of these channels, which must be bounded or well read.
    pub(super) fn new(listeners: Vec<Sender<Event>>) -> Self {
        let listener = |sender| Listener { sender, waiting: VecDeque::new() };
        Self { listeners: listeners.into_iter().map(listener).collect() }
    }

    /// Sends an event to each listener, behind those that still wait.
    pub(super) fn send(&mut self, event: &Event) {
        for listener in &mut self.listeners {
            listener.enqueue(event.clone());
        }
        self.deliver();
    }

    /// Tries again to hand over what waits. Does not block.
    pub(super) fn deliver(&mut self) {
        self.listeners.retain_mut(Listener::deliver);
    }

    /// Whether anything was not taken yet.
    pub(super) fn is_waiting(&self) -> bool {
        self.listeners.iter().any(|listener| !listener.waiting.is_empty())
    }

    /// Blocks until each listener has taken everything or is gone; a slow one delays no other.
    pub(super) fn finish(mut self) {
        loop {
            self.deliver();
            let Some(slow) = self.listeners.iter_mut().find(|one| !one.waiting.is_empty()) else {
                return;
            };
            if let Some(event) = slow.waiting.pop_front() {
                match slow.sender.send_timeout(event, TURN) {
                    Ok(()) => {}
                    Err(SendTimeoutError::Timeout(event)) => slow.waiting.push_front(event),
                    Err(SendTimeoutError::Disconnected(_)) => slow.waiting.clear(),
                }
            }
        }
    }
}

impl Listener {
    fn enqueue(&mut self, event: Event) {
        let answers = [is_inspected, is_insides, is_found, is_checkpoint];
        if let Some(same) = answers.into_iter().find(|same| same(&event)) {
            // Only the newest picture is looked at, and only the newest checkpoint gone on from.
            self.waiting.retain(|waiting| !same(waiting));
        }
        if let Event::Progress(new) = event {
            match self.waiting.back_mut() {
                Some(Event::Progress(old)) if continues(old, &new) => extend(old, new),
                _ => self.waiting.push_back(Event::Progress(new)),
            }
        } else {
            self.waiting.push_back(event);
        }
    }

    /// Hands over as much as the channel takes; `false` if nobody is there any more.
    fn deliver(&mut self) -> bool {
        while let Some(event) = self.waiting.pop_front() {
            match self.sender.try_send(event) {
                Ok(()) => {}
                Err(TrySendError::Full(event)) => {
                    self.waiting.push_front(event);
                    return true;
                }
                Err(TrySendError::Disconnected(_)) => return false,
            }
        }
        true
    }
}

fn is_inspected(event: &Event) -> bool {
    matches!(event, Event::Inspected(_))
}

fn is_insides(event: &Event) -> bool {
    matches!(event, Event::Insides(_))
}

fn is_found(event: &Event) -> bool {
    matches!(event, Event::Found(_))
}

fn is_checkpoint(event: &Event) -> bool {
    matches!(event, Event::Checkpoint(_))
}

fn continues(old: &Progress, new: &Progress) -> bool {
    old.epoch == new.epoch
        && old.first_step + old.losses.len() as u64 == new.first_step
        && old.losses.len() + new.losses.len() <= Progress::MOST
}

fn extend(old: &mut Progress, new: Progress) {
    old.losses.extend(new.losses);
    old.images = new.images;
    old.learning_rate = new.learning_rate;
    old.clock = new.clock;
    if new.sample.is_some() {
        old.sample = new.sample;
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use crossbeam_channel::{Receiver, bounded};

    use super::*;
    use crate::protocol::{Clock, RunState, Sample};

    const DEADLINE: Duration = Duration::from_secs(20);

    fn progress(epoch: u32, first_step: u64, losses: &[f32]) -> Event {
        Event::Progress(Progress {
            epoch,
            first_step,
            first_batch: first_step,
            losses: losses.to_vec(),
            images: first_step,
            learning_rate: 0.001,
            clock: Clock::default(),
            sample: None,
        })
    }

    fn outbox_of(capacity: usize) -> (Outbox, Receiver<Event>) {
        let (sender, receiver) = bounded(capacity);
        (Outbox::new(vec![sender]), receiver)
    }

    #[test]
    fn batches_that_a_full_channel_refuses_arrive_as_one_event() {
        let (mut outbox, receiver) = outbox_of(1);
        outbox.send(&Event::State(RunState::Training));
        for step in 1..=500 {
            outbox.send(&progress(1, step, &[step as f32]));
        }
        assert_eq!(receiver.recv_timeout(DEADLINE), Ok(Event::State(RunState::Training)));
        outbox.deliver();
        let Ok(Event::Progress(all)) = receiver.recv_timeout(DEADLINE) else {
            panic!("the batches arrive")
        };
        assert_eq!((all.first_step, all.last_step()), (1, 500));
        assert!(all.losses.iter().enumerate().all(|(i, &loss)| loss == i as f32 + 1.0));
        assert!(!outbox.is_waiting());
    }

    #[test]
    fn batches_of_two_epochs_stay_apart() {
        let (mut outbox, receiver) = outbox_of(1);
        outbox.send(&Event::State(RunState::Training));
        outbox.send(&progress(1, 1, &[1.0]));
        outbox.send(&progress(2, 2, &[2.0]));
        receiver.recv_timeout(DEADLINE).expect("the first event is there");
        outbox.deliver();
        assert_eq!(receiver.recv_timeout(DEADLINE), Ok(progress(1, 1, &[1.0])));
        outbox.deliver();
        assert_eq!(receiver.recv_timeout(DEADLINE), Ok(progress(2, 2, &[2.0])));
    }

    #[test]
    fn batches_never_overtake_another_event() {
        let (mut outbox, receiver) = outbox_of(1);
        let sent = [
            progress(1, 1, &[1.0]),
            progress(1, 2, &[2.0]),
            Event::State(RunState::Paused),
            progress(1, 3, &[3.0]),
        ];
        for event in &sent {
            outbox.send(event);
        }
        for event in &sent {
            outbox.deliver();
            assert_eq!(receiver.recv_timeout(DEADLINE).as_ref(), Ok(event));
        }
    }

    #[test]
    fn only_the_newest_digits_are_kept() {
        let (mut outbox, receiver) = outbox_of(1);
        outbox.send(&Event::State(RunState::Training));
        for step in [1, 2] {
            let Event::Progress(mut batch) = progress(1, step, &[0.5]) else { unreachable!() };
            batch.sample = Some(Sample { step, digits: Vec::new() });
            outbox.send(&Event::Progress(batch));
        }
        outbox.send(&progress(1, 3, &[0.5]));
        receiver.recv_timeout(DEADLINE).expect("the first event is there");
        outbox.deliver();
        let Ok(Event::Progress(all)) = receiver.recv_timeout(DEADLINE) else {
            panic!("the batches arrive")
        };
        assert_eq!(all.sample.map(|sample| sample.step), Some(2));
    }

    #[test]
    fn of_the_pictures_that_wait_only_the_newest_is_kept() {
        use crate::protocol::{EvalSet, Found, ImageSet, Query};
        let found = |step| {
            let query = Query { step, set: EvalSet::Test, cell: None };
            Event::Found(Found { query, set: ImageSet::Test, total: None, digits: Vec::new() })
        };
        let (mut outbox, receiver) = outbox_of(1);
        outbox.send(&Event::State(RunState::Training));
        for step in 1..=500 {
            outbox.send(&found(step));
        }
        outbox.send(&Event::State(RunState::Paused));
        assert_eq!(outbox.listeners[0].waiting.len(), 2);
        receiver.recv_timeout(DEADLINE).expect("the first event is there");
        outbox.deliver();
        assert_eq!(receiver.recv_timeout(DEADLINE), Ok(found(500)));
    }

    #[test]
    fn a_listener_that_is_gone_does_not_keep_the_others_from_their_events() {
        let (gone, receiver) = bounded(1);
        drop(receiver);
        let (sender, receiver) = bounded(1);
        let mut outbox = Outbox::new(vec![gone, sender]);
        outbox.send(&Event::State(RunState::Training));
        outbox.send(&Event::State(RunState::Done));
        assert_eq!(outbox.listeners.len(), 1);
        let end = thread::spawn(move || outbox.finish());
        for state in [RunState::Training, RunState::Done] {
            assert_eq!(receiver.recv_timeout(DEADLINE), Ok(Event::State(state)));
        }
        end.join().expect("the end is reached");
    }

    #[test]
    fn at_the_end_a_listener_that_does_not_read_delays_no_other() {
        let (stalled, unread) = bounded(1);
        let (sender, receiver) = bounded(1);
        let mut outbox = Outbox::new(vec![stalled, sender]);
        let states = [RunState::Loading, RunState::Training, RunState::Done];
        for state in states {
            outbox.send(&Event::State(state));
        }
        let end = thread::spawn(move || outbox.finish());
        for state in states {
            assert_eq!(receiver.recv_timeout(DEADLINE), Ok(Event::State(state)));
        }
        for state in states {
            assert_eq!(unread.recv_timeout(DEADLINE), Ok(Event::State(state)));
        }
        end.join().expect("the end is reached");
    }
}
