//! A dashboard that looks on: it is fed from a run's journal and commands nothing.

use std::{io, path::Path, thread, time::Duration};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded, unbounded};

use super::{
    CAPACITY, Display, SIGNALS,
    dashboard::{End, Link, Session},
    signals_to, viewer,
};
use crate::{
    app::{Action, App, Msg},
    journal::{JournalError, JournalReader},
    outcome::Outcome,
    protocol::{Event, Failure},
    runs::{RunFolder, RunsError},
};

/// How often the end of a journal is looked at for more.
const LOOK: Duration = Duration::from_millis(100);

/// Shows the run in a folder, live or ended, until the person leaves.
pub fn watch(folder: &Path, display: Display) -> Outcome {
    let journal = RunFolder::journal_at(folder);
    if !journal.exists() && !RunFolder::is_at(folder) {
        return Outcome::failure(RunsError::NoRun { path: folder.to_owned() });
    }
    if let Err(error) = JournalReader::open(&journal) {
        return Outcome::failure(error);
    }
    let (signal, signals) = bounded(SIGNALS);
    let opened = signals_to(signal, false, || {}).and_then(|()| Session::open(display, signals));
    let ended = opened.and_then(|mut session| {
        let mut app = App::new(Vec::new()).looking_on();
        loop {
            match follow(&mut session, &mut app, folder)? {
                // The run went on from an earlier step: what was read is void.
                End::Closed => {
                    let view = app.view;
                    app = App::new(Vec::new()).looking_on();
                    let _ = app.update(Msg::Action(Action::Show(view)));
                }
                end => return Ok(end),
            }
        }
    });
    match ended {
        Ok(End::Signal(signal)) => Outcome::Signal(signal),
        Ok(End::Left | End::Closed) => Outcome::Done,
        Err(error) => Outcome::failure(format_args!("lost the terminal: {error}")),
    }
}

/// Follows the journal from its start until the person leaves, or the journal is replaced by another trajectory.
fn follow(session: &mut Session, app: &mut App, folder: &Path) -> io::Result<End> {
    let (sender, events) = bounded(CAPACITY);
    // Dropped with this function, which ends the thread.
    let (_leave, left) = bounded::<()>(0);
    let (commands, questions) = unbounded();
    // Dropped with the thread that reads the journal, since both have to end for the channel to close.
    let (followed, journal_ended) = bounded::<()>(0);
    let (place, answers) = (folder.to_owned(), sender.clone());
    thread::Builder::new()
        .name("viewer".to_owned())
        .spawn(move || viewer::answer(&place, &questions, &journal_ended, &answers))?;
    let folder = folder.to_owned();
    thread::Builder::new().name("journal".to_owned()).spawn(move || {
        follow_journal(&folder, &sender, &left);
        drop(followed);
    })?;
    session.follow(app, &Link::new(None, &events, None).with_viewer(commands))
}

/// Sends the journal's events, and those that are added while a program writes there. Returns, and
/// with that closes the channel, once the journal no longer holds what was sent.
fn follow_journal(folder: &Path, events: &Sender<Event>, left: &Receiver<()>) {
    let path = RunFolder::journal_at(folder);
    let mut reader = match JournalReader::open(&path) {
        Ok(reader) => reader,
        Err(error) => return fail(events, left, &error),
    };
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
                Err(_) if reader.is_outdated() => return,
                Err(error) => return fail(events, left, &error),
            }
        }
        if reader.is_outdated() {
            return;
        }
        if !in_use && !ended {
            ended = true;
            let message = if path.exists() {
                let folder = folder.display();
                format!(
                    "the program that trained it ended without a word; `mnist-tui --resume \
                     {folder}` goes on with the run"
                )
            } else {
                "the run was removed".to_owned()
            };
            let failure = Failure::new(message);
            if events.send(Event::Failed(failure)).is_err() {
                return;
            }
        }
        if left.recv_timeout(LOOK) != Err(RecvTimeoutError::Timeout) {
            return;
        }
    }
}

/// Tells what is wrong, and keeps it on the screen.
fn fail(events: &Sender<Event>, left: &Receiver<()>, error: &JournalError) {
    let failure = Failure::new(error.to_string());
    if events.send(Event::Failed(failure)).is_ok() {
        // Nothing is ever sent: this waits until the other end is gone.
        let _ = left.recv();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        journal::Journal,
        protocol::{RunInfo, RunState},
    };

    const DEADLINE: Duration = Duration::from_secs(20);

    #[test]
    fn a_journal_that_was_cut_and_has_grown_again_between_two_looks_is_read_anew() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = RunFolder::journal_at(folder.path());
        let write = |kept: u64, states: &[RunState]| {
            let mut journal = Journal::open(&path, kept).expect("it opens");
            for &state in states {
                journal.write(&Event::State(state)).expect("there is room");
            }
            journal.flush().expect("there is room");
        };
        let mut journal = Journal::open(&path, 0).expect("it opens");
        journal.write(&Event::Started(RunInfo::example())).expect("there is room");
        journal.flush().expect("there is room");
        let kept = journal.bytes();
        write(kept, &[RunState::Training, RunState::Paused]);
        let (sender, events) = bounded(CAPACITY);
        let (leave, left) = bounded::<()>(0);
        let place = folder.path().to_owned();
        let follower = thread::spawn(move || follow_journal(&place, &sender, &left));
        let next = || events.recv_timeout(DEADLINE).expect("an event comes in time");
        // No program holds the folder, so the end of the journal is reported as the end of the run.
        while !matches!(next(), Event::Failed(_)) {}
        // As many bytes as before and more, which the next look finds.
        write(kept, &[RunState::Training, RunState::Training, RunState::Done]);
        let rest: Vec<Event> =
            std::iter::from_fn(|| events.recv_timeout(DEADLINE).ok()).take(9).collect();
        assert_eq!(rest, [], "what follows in the file belongs to another trajectory");
        drop(leave);
        follower.join().expect("it returned");
    }
}
