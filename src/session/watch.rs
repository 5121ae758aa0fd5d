//! A dashboard that looks on: it is fed from a run's journal and commands nothing.

use std::{path::PathBuf, thread, time::Duration};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use super::{
    CAPACITY, Display,
    dashboard::{End, Link, Session},
    signals_to,
};
use crate::{
    app::App,
    journal::{JournalError, JournalReader},
    outcome::Outcome,
    protocol::{Event, Failure},
    runs::RunFolder,
};

/// How often the end of a journal is looked at for more.
const LOOK: Duration = Duration::from_millis(100);

/// Shows the run in a folder, live or ended, until the person leaves.
pub fn watch(folder: PathBuf, display: Display) -> Outcome {
    let reader = match JournalReader::open(&folder.join("journal.jsonl")) {
        Ok(reader) => reader,
        Err(error) => return Outcome::failure(error),
    };
    let (sender, events) = bounded(CAPACITY);
    let (leave, left) = bounded::<()>(0);
    let read = thread::Builder::new()
        .name("journal".to_owned())
        .spawn(move || follow_journal(reader, &folder, &sender, &left));
    if let Err(error) = read {
        return Outcome::failure(format_args!("cannot start a thread: {error}"));
    }
    let (signal, signals) = bounded(1);
    let link = Link::new(None, &events, None);
    let mut app = App::new(Vec::new()).looking_on();
    let ended = signals_to(signal, false, || {})
        .and_then(|()| Session::open(display, signals))
        .and_then(|mut session| session.follow(&mut app, &link));
    drop(leave);
    match ended {
        Ok(End::Signal(signal)) => Outcome::Signal(signal),
        Ok(End::Left) => Outcome::Done,
        Err(error) => Outcome::failure(format_args!("lost the terminal: {error}")),
    }
}

/// Sends the journal's events, and those that are added while a program writes there.
fn follow_journal(
    mut reader: JournalReader,
    folder: &std::path::Path,
    events: &Sender<Event>,
    left: &Receiver<()>,
) {
    let mut ended = false;
    loop {
        // Asked before reading, so that nothing written before the end is missed.
        let in_use = RunFolder::is_in_use(folder);
        loop {
            match reader.next_event() {
                Ok(Some(event)) => {
                    ended = matches!(event, Event::Finished(_) | Event::Failed(_));
                    if events.send(event).is_err() {
                        return;
                    }
                }
                Ok(None) => break,
                Err(error) => return fail(events, &error),
            }
        }
        if !in_use && !ended {
            let message = "the program that trained it ended without a word; `mnist-tui --resume` \
                           goes on with the run"
                .to_owned();
            ended = true;
            if events.send(Event::Failed(Failure { usage: false, message })).is_err() {
                return;
            }
        }
        if left.recv_timeout(LOOK) != Err(RecvTimeoutError::Timeout) {
            return;
        }
    }
}

fn fail(events: &Sender<Event>, error: &JournalError) {
    // Nobody may look any more.
    let _ = events.send(Event::Failed(Failure { usage: false, message: error.to_string() }));
}
