//! What one listener has not taken yet.

use std::{collections::VecDeque, time::Duration};

use crossbeam_channel::{SendTimeoutError, Sender, TrySendError};

use crate::protocol::{EpochRecord, Epochs, Event, Progress, RunState, TrainingState};

/// How long the end of a run waits for one listener before it looks after the others.
const TURN: Duration = Duration::from_millis(20);

pub(super) struct Listener {
    sender: Sender<Event>,
    /// Whether it gets epochs that it is too slow for in brief, and no checkpoints.
    in_brief: bool,
    waiting: VecDeque<Event>,
    /// Events that have left `waiting`.
    sent: u64,
    /// Of each kind of answer the newest, with the number of events to be sent before it.
    answers: [Option<(u64, Event)>; Answer::KINDS],
}

/// Events of which the newest takes the place of the one before: only the newest picture is looked
/// at, and a run goes on from the newest checkpoint.
#[derive(Clone, Copy)]
enum Answer {
    Inspected,
    Insides,
    Explained,
    Found,
    Hardware,
    /// Of the best evaluation so far.
    Best,
    Checkpoint,
}

impl Answer {
    const KINDS: usize = Self::Checkpoint as usize + 1;

    fn of(event: &Event) -> Option<Self> {
        Some(match event {
            Event::Inspected(_) => Self::Inspected,
            Event::Insides(_) => Self::Insides,
            Event::Explained(_) => Self::Explained,
            Event::Found(_) => Self::Found,
            Event::Hardware(_) => Self::Hardware,
            Event::Checkpoint(state) if is_best(state) => Self::Best,
            Event::Checkpoint(_) => Self::Checkpoint,
            _ => return None,
        })
    }
}

fn is_best(state: &TrainingState) -> bool {
    state.progress.best.is_some_and(|best| best.step == state.progress.step)
}

/// Where the next event to be sent is.
#[derive(Clone, Copy)]
enum Next {
    Answer(usize),
    Waiting,
}

impl Listener {
    /// One that gets every event.
    pub(super) fn new(sender: Sender<Event>) -> Self {
        let answers = [const { None }; Answer::KINDS];
        Self { sender, in_brief: false, waiting: VecDeque::new(), sent: 0, answers }
    }

    /// One that gets epochs that it is too slow for as [`Epochs`], and no checkpoints.
    pub(super) fn in_brief(sender: Sender<Event>) -> Self {
        Self { in_brief: true, ..Self::new(sender) }
    }

    pub(super) fn is_waiting(&self) -> bool {
        self.next().is_some()
    }

    pub(super) fn enqueue(&mut self, event: Event) {
        match event {
            Event::Checkpoint(_) if self.in_brief => {}
            Event::Progress(new) => match self.waiting.back_mut() {
                Some(Event::Progress(old)) if continues(old, &new) => extend(old, new),
                _ => self.waiting.push_back(Event::Progress(new)),
            },
            Event::Epoch(record) if self.in_brief => self.end_epoch(record),
            event => match Answer::of(&event) {
                Some(answer) => {
                    if matches!(answer, Answer::Best) {
                        self.answers[Answer::Checkpoint as usize] = None;
                    }
                    self.answers[answer as usize] = Some((self.end(), event));
                }
                None => self.waiting.push_back(event),
            },
        }
    }

    /// The number of events that go before one that comes now.
    fn end(&self) -> u64 {
        self.sent + self.waiting.len() as u64
    }

    /// Adds an epoch to those just before it, if nothing has come between them but its own steps.
    fn end_epoch(&mut self, record: EpochRecord) {
        let between = self.waiting.iter().rev().take_while(|event| is_within_epoch(event)).count();
        let Some(place) = self.waiting.len().checked_sub(between + 1) else {
            return self.waiting.push_back(Event::Epoch(record));
        };
        let mut epochs = match self.waiting.remove(place) {
            Some(Event::Epochs(epochs)) => epochs,
            Some(Event::Epoch(first)) => Box::new(Epochs::from(first)),
            other => {
                // Something else, which stays where it is.
                if let Some(other) = other {
                    self.waiting.insert(place, other);
                }
                return self.waiting.push_back(Event::Epoch(record));
            }
        };
        for event in self.waiting.drain(place..) {
            if let Event::Progress(progress) = event {
                epochs.train(progress);
            }
        }
        epochs.end(record);
        self.waiting.push_back(Event::Epochs(epochs));
        let end = self.end();
        for (after, _) in self.answers.iter_mut().flatten() {
            *after = end.min(*after);
        }
    }

    fn next(&self) -> Option<Next> {
        let answers = self.answers.iter().enumerate();
        let answers = answers.filter_map(|(kind, answer)| Some((answer.as_ref()?.0, kind)));
        match answers.min() {
            Some((after, kind)) if after <= self.sent => Some(Next::Answer(kind)),
            _ => (!self.waiting.is_empty()).then_some(Next::Waiting),
        }
    }

    /// The next event, for one who gives it back if it is not taken.
    fn take(&mut self, next: Next) -> Option<Event> {
        match next {
            Next::Answer(kind) => self.answers[kind].take().map(|(_, event)| event),
            Next::Waiting => {
                self.sent += 1;
                self.waiting.pop_front()
            }
        }
    }

    fn give_back(&mut self, next: Next, event: Event) {
        match next {
            Next::Answer(kind) => self.answers[kind] = Some((self.sent, event)),
            Next::Waiting => {
                self.sent -= 1;
                self.waiting.push_front(event);
            }
        }
    }

    /// Hands over as much as the channel takes; `false` if nobody is there any more.
    pub(super) fn deliver(&mut self) -> bool {
        while let Some(next) = self.next() {
            let Some(event) = self.take(next) else { return true };
            // A checkpoint takes longer to write than a short epoch to train: while one who writes
            // them has other events to read, a newer one may still take its place.
            if matches!(event, Event::Checkpoint(_)) && !self.sender.is_empty() {
                self.give_back(next, event);
                return true;
            }
            match self.sender.try_send(event) {
                Ok(()) => {}
                Err(TrySendError::Full(event)) => {
                    self.give_back(next, event);
                    return true;
                }
                Err(TrySendError::Disconnected(_)) => return false,
            }
        }
        true
    }

    /// Waits a moment for the next event to be taken.
    pub(super) fn wait(&mut self) {
        let Some(next) = self.next() else { return };
        let Some(event) = self.take(next) else { return };
        match self.sender.send_timeout(event, TURN) {
            // One who is gone is found out by the next delivery.
            Ok(()) | Err(SendTimeoutError::Disconnected(_)) => {}
            Err(SendTimeoutError::Timeout(event)) => self.give_back(next, event),
        }
    }
}

/// Whether an event says only that the run goes on.
fn is_within_epoch(event: &Event) -> bool {
    use RunState::{Evaluating, Training};
    matches!(event, Event::Progress(_) | Event::State(Training | Evaluating))
}

fn continues(old: &Progress, new: &Progress) -> bool {
    old.epoch == new.epoch
        && old.first_step + old.losses.len() as u64 == new.first_step
        && old.losses.len() + new.losses.len() <= Progress::MOST
        && old.measures.len() + new.measures.len() <= Progress::MOST_MEASURES
}

fn extend(old: &mut Progress, new: Progress) {
    old.losses.extend(new.losses);
    old.measures.extend(new.measures);
    old.images = new.images;
    old.learning_rate = new.learning_rate;
    old.clock = new.clock;
    if new.sample.is_some() {
        old.sample = new.sample;
    }
}
