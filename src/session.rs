//! A run with a screen: keys go to the worker, what it reports goes to the dashboard.

use std::{
    env,
    io::{self, Write},
    path::Path,
    thread,
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, Sender, bounded, never, select_biased};
use crossterm::event::{self, Event as Input};
use ratatui::Frame;

use crate::{
    app::{Action, App, Msg},
    config::RunConfig,
    headless, keymap,
    outcome::Outcome,
    protocol::{Command, Event},
    run_log::RunLog,
    terminal::{Screen, watch_signals},
    train::{self, Worker},
    ui::{Dashboard, Depth, Theme},
};

/// Events that wait for the screen; further ones wait in the worker.
const CAPACITY: usize = 64;
/// How long a run may take to end after a signal, before the screen goes without it.
const GRACE: Duration = Duration::from_millis(700);

/// Trains with a dashboard of at most `fps` frames a second, until the person leaves.
pub fn run(config: RunConfig, log: Option<&Path>, fps: u32) -> Outcome {
    let (sender, events) = bounded(CAPACITY);
    let mut listeners = vec![sender];
    let log = match RunLog::listen(log, &config, &mut listeners) {
        Ok(log) => log,
        Err(error) => return Outcome::failure(error),
    };
    let mut session = match Session::open(fps) {
        Ok(session) => session,
        Err(error) => return Outcome::failure(format_args!("cannot use the terminal: {error}")),
    };
    // The first frame stands before the worker begins, so that it never waits for the data.
    let shown = session.draw();
    let worker = train::spawn(config, listeners);
    let ended = shown.and_then(|()| session.follow(&worker, &events, log.as_ref()));
    let Session { app, screen, .. } = session;
    drop(screen);
    drop(events);
    let outcome = match ended {
        Ok(End::Signal(signal)) => return Outcome::Signal(signal),
        Ok(End::Left) => outcome(&app),
        Err(error) => Outcome::failure(format_args!("lost the terminal: {error}")),
    };
    worker.send(Command::Stop);
    if app.run.info.is_none() && app.run.failure.is_none() {
        // Still reading the data, possibly over a network that does not answer.
        return outcome;
    }
    worker.join();
    print_result(&app);
    match log.map_or(Ok(()), RunLog::finish) {
        Err(error) if outcome.status() == 0 => Outcome::failure(error),
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

fn outcome(app: &App) -> Outcome {
    match (&app.run.failure, &app.run.summary) {
        (Some(failure), _) => Outcome::Failed(failure.clone()),
        (None, Some(summary)) if !summary.stopped => Outcome::Done,
        _ => Outcome::Stopped,
    }
}

/// Why the screen goes.
enum End {
    /// The person left.
    Left,
    /// A signal came.
    Signal(i32),
}

struct Session {
    screen: Screen,
    app: App,
    theme: Theme,
    input: Receiver<io::Result<Input>>,
    signals: Receiver<i32>,
    frame_time: Duration,
}

impl Session {
    fn open(fps: u32) -> io::Result<Self> {
        let (sender, signals) = bounded(1);
        watch_signals(sender)?;
        let screen = Screen::enter()?;
        Ok(Self {
            screen,
            app: App::default(),
            theme: Theme::new(Depth::detect(|name| env::var(name).ok())),
            input: read_input()?,
            signals,
            frame_time: Duration::from_secs(1) / fps.max(1),
        })
    }

    fn draw(&mut self) -> io::Result<()> {
        let (app, theme) = (&self.app, &self.theme);
        self.screen.draw(|frame: &mut Frame<'_>| {
            frame.render_widget(&Dashboard::new(app, theme), frame.area());
        })
    }

    /// Runs until the person leaves or a signal comes. Frames are drawn only after a change, and no
    /// closer together than the frame time.
    fn follow(
        &mut self,
        worker: &Worker,
        events: &Receiver<Event>,
        log: Option<&RunLog>,
    ) -> io::Result<End> {
        let mut events = events.clone();
        let mut next_frame = Instant::now();
        let mut changed = false;
        let mut signalled: Option<(i32, Instant)> = None;
        loop {
            let wake = [changed.then_some(next_frame), signalled.map(|(_, deadline)| deadline)];
            let alarm = wake.into_iter().flatten().min().map_or_else(never, crossbeam_channel::at);
            select_biased! {
                recv(self.signals) -> signal => if let Ok(signal) = signal {
                    signalled = Some((signal, Instant::now() + GRACE));
                    worker.send(Command::Stop);
                },
                recv(self.input) -> input => changed |= match input {
                    Ok(input) => self.take_input(&input?, worker),
                    Err(_) => return Err(io::ErrorKind::UnexpectedEof.into()),
                },
                recv(events) -> event => match event {
                    Ok(event) => {
                        self.update(event.into(), worker);
                        changed = true;
                    }
                    Err(_) => events = never(),
                },
                recv(alarm) -> _ => {}
            }
            if let Some(error) = log.and_then(RunLog::failed)
                && self.app.run.log_failure.is_none()
            {
                self.update(Msg::LogFailed(error.to_string()), worker);
                changed = true;
            }
            let now = Instant::now();
            if let Some((signal, deadline)) = signalled
                && (now >= deadline || !self.app.run.is_under_way())
            {
                return Ok(End::Signal(signal));
            }
            if self.app.wants_to_leave() {
                return Ok(End::Left);
            }
            if changed && now >= next_frame {
                self.draw()?;
                changed = false;
                next_frame = now + self.frame_time;
            }
        }
    }

    fn update(&mut self, msg: Msg, worker: &Worker) {
        for command in self.app.update(msg) {
            worker.send(command);
        }
    }

    /// Whether the screen changes.
    fn take_input(&mut self, input: &Input, worker: &Worker) -> bool {
        match input {
            Input::Key(key) => {
                let action: Option<Action> = keymap::action(*key);
                if let Some(action) = action {
                    self.update(Msg::Action(action), worker);
                }
                action.is_some()
            }
            Input::Resize(..) => true,
            _ => false,
        }
    }
}

/// Keys and sizes, read on a thread of their own, which ends with the program.
fn read_input() -> io::Result<Receiver<io::Result<Input>>> {
    let (sender, receiver): (Sender<io::Result<Input>>, _) = bounded(CAPACITY);
    thread::Builder::new().name("input".to_owned()).spawn(move || {
        loop {
            let input = event::read();
            let failed = input.is_err();
            if sender.send(input).is_err() || failed {
                break;
            }
        }
    })?;
    Ok(receiver)
}
