//! A run with a screen: keys and mouse go to the worker, what it reports goes to the dashboard.

mod compare;
mod dashboard;
mod detached;
mod mouse;
mod pacer;
mod show;
mod sweep;
mod viewer;
mod watch;

use std::{
    io::{self, Write},
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, Sender, bounded};

use crate::{
    app::{App, Msg},
    headless,
    launch::{Launch, Writers},
    outcome::Outcome,
    protocol::{Command, Event},
    terminal::{After, Screen, is_continue, is_hang_up, is_resize, is_suspend, watch_signals},
    train::{self, Worker},
    ui::{Background, Depth},
};
use dashboard::{End, Link, Session};

pub use compare::compare;
pub use sweep::sweep;
pub use watch::watch;

/// Events that wait for the screen; further ones wait in the worker.
const CAPACITY: usize = 64;
/// Signals that wait; of more of a kind nothing is lost by dropping some.
const SIGNALS: usize = 8;
/// How long a run may take to end after a signal, before the screen goes without it.
const GRACE: Duration = Duration::from_millis(700);

/// How long the terminal may take to say what its background is; later replies change nothing.
const BACKGROUND: Duration = Duration::from_millis(500);

/// How the dashboard is shown.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "independent switches of the command line")]
pub struct Display {
    /// Most frames a second.
    pub fps: u32,
    /// How many colours.
    pub depth: Depth,
    /// What the terminal's background is taken to be.
    pub background: Background,
    /// Whether to ask the terminal for it.
    pub asks_background: bool,
    /// Whether to keep to ASCII.
    pub ascii: bool,
    /// Whether the mouse is used.
    pub mouse: bool,
    /// Whether the run continues when the terminal is gone.
    pub outlives_terminal: bool,
    /// What follows the end of the run.
    pub on_done: OnDone,
}

/// What a dashboard does when its run has ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnDone {
    /// It stays until the person leaves.
    #[default]
    Stay,
    /// It goes, as if the person had left.
    Quit,
}

/// Takes the terminal over, and asks for its background if that is wanted; the time until which an answer
/// counts.
fn enter(display: Display) -> io::Result<(Screen, Option<Instant>)> {
    let mut screen = Screen::enter()?;
    if display.asks_background {
        screen.ask_background()?;
    }
    Ok((screen, display.asks_background.then(|| Instant::now() + BACKGROUND)))
}

/// Trains with a dashboard until the person leaves, or until the run has ended where that is asked for.
pub fn run(mut launch: Launch, display: Display) -> Outcome {
    let (sender, events) = bounded(CAPACITY);
    let mut listeners = Vec::new();
    let writers = match launch.writers(&mut listeners) {
        Ok(writers) => writers,
        Err(outcome) => return outcome,
    };
    let mut app = App::new(launch.tools.breakpoints.clone());
    for event in launch.past {
        let _ = app.update(event.into());
    }
    if let Some(warning) = launch.warning {
        let _ = app.update(Msg::Warning(warning));
    }
    // The data is read while the terminal is taken over and the first frame is drawn.
    let worker = train::spawn_with_screen(launch.config, launch.tools, sender, listeners);
    let (signal, signals) = bounded(SIGNALS);
    let commands = worker.commands();
    let watching = signals_to(signal, display.outlives_terminal, move || {
        // To the worker directly: the screen may be stuck in a write.
        let _ = commands.send(Command::Stop);
    });
    let link = Link::new(Some(&worker), &events, Some(&writers));
    let ended = match watching.and_then(|()| Session::open(display, signals.clone())) {
        Ok(mut session) => {
            session.follow(&mut app, &link).map_err(|error| format!("lost the terminal: {error}"))
        }
        Err(error) => Err(format!("cannot open the dashboard: {error}")),
    };
    let is_gone = match &ended {
        Ok(End::Signal(signal)) => is_hang_up(*signal),
        Ok(_) => false,
        Err(_) => true,
    };
    let ended = if is_gone && display.outlives_terminal && app.run.is_under_way() {
        Ok(detached::follow(&mut app, &worker, &events, &signals))
    } else {
        ended
    };
    worker.send(Command::Stop);
    conclude(ended, app, worker, &events, writers)
}

/// Sends signals on. Of those that end the program, `stop` hears first.
fn signals_to(
    signal: Sender<i32>,
    outlives_terminal: bool,
    stop: impl Fn() + Send + 'static,
) -> io::Result<()> {
    watch_signals(move |number| {
        let goes_on = is_suspend(number)
            || is_continue(number)
            || is_resize(number)
            || (is_hang_up(number) && outlives_terminal);
        if !goes_on {
            stop();
        }
        let _ = signal.try_send(number);
        if goes_on { After::GoOn } else { After::End }
    })
}

/// Waits for all that is still under way, and says how the program ends.
fn conclude(
    ended: Result<End, String>,
    mut app: App,
    worker: Worker,
    events: &Receiver<Event>,
    writers: Writers,
) -> Outcome {
    let outcome = match ended {
        Ok(End::Signal(signal)) => {
            // What cannot end in time is left to end with the process.
            let deadline = Instant::now() + GRACE;
            while app.run.is_under_way()
                && let Ok(event) = events.recv_deadline(deadline)
            {
                let _ = app.update(event.into());
            }
            if app.run.is_under_way() {
                return Outcome::Signal(signal);
            }
            Some(Outcome::Signal(signal))
        }
        // The data may come over a network that does not answer.
        Ok(End::Left) if app.run.info.is_none() && app.run.is_under_way() => {
            return Outcome::Stopped;
        }
        Ok(End::Left | End::Closed) => None,
        Err(reason) => Some(Outcome::failure(reason)),
    };
    // The weights may still be on their way to the disk.
    for event in events {
        let _ = app.update(event.into());
    }
    worker.join();
    print_result(&app);
    let outcome = outcome.unwrap_or_else(|| outcome_of(&app));
    match writers.finish().or(app.run.record_failure) {
        Some(error) if outcome.status() == 0 => Outcome::failure(error),
        _ => outcome,
    }
}

/// Leaves the result where the screen was. A terminal that is gone needs none.
fn print_result(app: &App) {
    if let Some(summary) = &app.run.summary {
        let lines = headless::summary_lines(summary, app.run.info.as_ref());
        let _ = io::stdout().write_all(lines.as_bytes());
    }
}

fn outcome_of(app: &App) -> Outcome {
    match (&app.run.failure, &app.run.summary) {
        (Some(failure), _) => Outcome::Failed(failure.clone()),
        (None, Some(summary)) => Outcome::of(summary),
        (None, None) => Outcome::Stopped,
    }
}
