//! The screen and what it is connected to.

use std::{
    io,
    path::Path,
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, Sender, after, at, never, select_biased};
use crossterm::event::Event as Input;
use ratatui::{Frame, layout::Rect};

use super::{Display, OnDone, enter, mouse, pacer::Pacer};
use crate::{
    app::{Action, App, Export, Msg},
    files, keymap,
    launch::Writers,
    protocol::{Command, Event, RunState},
    recorder::Report,
    run_log::RunLog,
    terminal::{
        Decoder, Read, Screen, is_continue, is_resize, is_suspend, read_terminal,
        stop_until_continued,
    },
    train::Worker,
    ui::{self, Background, Dashboard, Depth, Theme},
};

/// How long the rest of a terminal's reply may take, keys that come meanwhile included.
const LONGEST_SEQUENCE: Duration = Duration::from_secs(2);
/// How long a run may take to pause before the program is stopped all the same.
const PAUSE: Duration = Duration::from_secs(2);

/// How often the app is given the time while a message is about to disappear.
const TICK: Duration = Duration::from_millis(250);
/// The worker's answer to a key comes within this time and this many frames, which are not held back.
const ANSWERS: (Duration, u32) = (Duration::from_millis(500), 3);

/// Why the screen goes.
pub(super) enum End {
    /// The person left.
    Left,
    /// A signal came that ends the program, or says that the terminal is gone.
    Signal(i32),
    /// There are no more events, and there may be others.
    Closed,
}

/// Where events come from and commands go to.
pub(super) struct Link<'a> {
    worker: Option<&'a Worker>,
    /// Who answers questions about a run that is only watched.
    viewer: Option<Sender<Command>>,
    events: Receiver<Event>,
    reports: Receiver<Report>,
    log: Option<&'a RunLog>,
}

impl<'a> Link<'a> {
    /// To a worker, or to events alone.
    pub(super) fn new(
        worker: Option<&'a Worker>,
        events: &Receiver<Event>,
        writers: Option<&'a Writers>,
    ) -> Self {
        let recorder = writers.and_then(|writers| writers.recorder.as_ref());
        Self {
            worker,
            viewer: None,
            events: events.clone(),
            reports: recorder.map_or_else(never, |recorder| recorder.reports().clone()),
            log: writers.and_then(|writers| writers.log.as_ref()),
        }
    }

    /// With someone to answer questions about a run that is only watched.
    pub(super) fn with_viewer(self, viewer: Sender<Command>) -> Self {
        Self { viewer: Some(viewer), ..self }
    }

    fn update(&self, app: &mut App, msg: Msg) {
        for command in app.update(msg) {
            self.send(command);
        }
    }

    /// Passes on what seldom has an effect; whether the screen changes.
    fn tell(&self, app: &mut App, msg: Msg) -> bool {
        let (hint, prompt) = (app.hint.clone(), app.prompt.clone());
        self.update(app, msg);
        app.hint != hint || app.prompt != prompt
    }

    fn send(&self, command: Command) {
        if let Some(worker) = self.worker {
            worker.send(command);
        } else if let Some(viewer) = &self.viewer {
            // It may be gone while the session ends.
            let _ = viewer.send(command);
        }
    }
}

pub(super) struct Session {
    /// Away while the program is stopped.
    screen: Option<Screen>,
    /// What the last frame filled.
    area: Rect,
    theme: Theme,
    depth: Depth,
    ascii: bool,
    mouse: bool,
    /// Until when a reply about the background counts.
    background_until: Option<Instant>,
    input: Receiver<io::Result<Read>>,
    decoder: Decoder,
    /// When the sequence that is open began.
    sequence_since: Option<Instant>,
    last_read: Instant,
    on_done: OnDone,
    signals: Receiver<i32>,
    pacer: Pacer,
}

impl Session {
    pub(super) fn open(display: Display, signals: Receiver<i32>) -> io::Result<Self> {
        let (screen, background_until) = enter(display)?;
        Ok(Self {
            screen: Some(screen),
            area: Rect::ZERO,
            theme: Theme::on(display.background, display.depth),
            depth: display.depth,
            ascii: display.ascii,
            mouse: display.mouse,
            background_until,
            input: read_terminal()?,
            decoder: Decoder::default(),
            sequence_since: None,
            last_read: Instant::now(),
            on_done: display.on_done,
            signals,
            pacer: Pacer::new(Duration::from_secs(1) / display.fps.max(1), Instant::now()),
        })
    }

    fn draw(&mut self, app: &App) -> io::Result<()> {
        let Self { screen: Some(screen), area, theme, ascii, mouse, .. } = self else {
            return Ok(());
        };
        screen.capture_mouse(*mouse)?;
        let bytes = screen.draw(|frame: &mut Frame<'_>| {
            *area = frame.area();
            frame.render_widget(&Dashboard::new(app, theme).in_ascii(*ascii), *area);
        })?;
        self.pacer.drawn(Instant::now(), bytes);
        Ok(())
    }

    /// Runs until the person leaves or a signal comes. Frames are drawn only after a change, when
    /// they are due.
    pub(super) fn follow(&mut self, app: &mut App, link: &Link<'_>) -> io::Result<End> {
        self.draw(app)?;
        let (mut events, mut reports) = (link.events.clone(), link.reports.clone());
        let opened = Instant::now();
        let mut changed = false;
        // Whether a person waits to see that.
        let mut urgent = false;
        let (mut answers_until, mut answers) = (opened, 0);
        while !app.wants_to_leave() && !self.leaves_by_itself(app) {
            let quiet = self.decoder.patience().map(|patience| self.last_read + patience);
            let quiet = quiet.map_or_else(never, at);
            let alarm = if changed { at(self.pacer.due(urgent)) } else { never() };
            let tick = if app.messages.is_passing() { after(TICK) } else { never() };
            let mut acted = false;
            select_biased! {
                recv(self.signals) -> signal => match signal {
                    Ok(signal) if is_resize(signal) => (changed, urgent) = (true, true),
                    Ok(signal) if is_continue(signal) => {
                        if let Some(screen) = &mut self.screen {
                            screen.take_again()?;
                        }
                        changed = true;
                    }
                    Ok(signal) if is_suspend(signal) => changed |= self.suspend(app, link)?,
                    Ok(signal) => return Ok(End::Signal(signal)),
                    Err(_) => self.signals = never(),
                },
                recv(self.input) -> input => {
                    let Ok(read) = input else { return Err(io::ErrorKind::UnexpectedEof.into()) };
                    acted = self.take_read(&read?, app, link)?;
                },
                recv(quiet) -> _ => acted = self.take_quiet(Instant::now(), app, link)?,
                recv(events) -> event => match event {
                    Ok(event) => {
                        link.update(app, event.into());
                        changed = true;
                    }
                    Err(_) if link.worker.is_none() => return Ok(End::Closed),
                    Err(_) => events = never(),
                },
                recv(reports) -> report => match report {
                    Ok(report) => {
                        link.update(app, Msg::Recorded(report));
                        changed = true;
                    }
                    Err(_) => reports = never(),
                },
                recv(alarm) -> _ => {}
                recv(tick) -> _ => {}
            }
            if let Some(export) = app.take_export() {
                link.update(app, Msg::Exported(self.export(app, &export)));
            }
            if app.messages.is_passing() {
                link.update(app, Msg::Tick(opened.elapsed().as_secs_f64()));
                changed |= !app.messages.is_passing();
            }
            if let Some(error) = link.log.and_then(RunLog::failed)
                && app.run.log_failure.is_none()
            {
                link.update(app, Msg::LogFailed(error.to_string()));
                changed = true;
            }
            if acted {
                changed = true;
                (answers_until, answers) = (Instant::now() + ANSWERS.0, ANSWERS.1);
            }
            // A key and the worker's answer to it are not held back, nor are changes of a paused run, which
            // are rare.
            let goes_on = matches!(app.run.state, RunState::Training | RunState::Evaluating);
            let awaits = answers > 0 && Instant::now() < answers_until;
            urgent |= changed && (!goes_on || awaits);
            if changed && Instant::now() >= self.pacer.due(urgent) {
                self.draw(app)?;
                (changed, urgent, answers) = (false, false, answers.saturating_sub(1));
            }
        }
        Ok(End::Left)
    }

    /// Whether nobody is waited for once the run has ended.
    fn leaves_by_itself(&self, app: &App) -> bool {
        self.on_done == OnDone::Quit && !app.run.is_under_way()
    }

    /// Whether the screen changes.
    fn take_read(&mut self, read: &Read, app: &mut App, link: &Link<'_>) -> io::Result<bool> {
        // The screen may have been slower than the terminal.
        let mut changed = self.take_quiet(read.at, app, link)?;
        self.last_read = read.at;
        if self.sequence_since.is_some_and(|since| read.at > since + LONGEST_SEQUENCE) {
            // Each key would otherwise put off the end of the wait.
            self.decoder.abandon_sequence();
        }
        for input in self.decoder.feed(&read.bytes) {
            changed |= self.take_input(input, app, link)?;
        }
        if let Some(rgb) = self.decoder.take_background()
            && self.background_until.take().is_some_and(|until| read.at <= until)
        {
            self.theme = Theme::on(Background::of(rgb), self.depth);
            changed = true;
        }
        self.sequence_since = match self.sequence_since {
            _ if !self.decoder.is_in_sequence() => None,
            since => since.or(Some(read.at)),
        };
        Ok(changed)
    }

    /// Takes in what is settled by nothing having come until `now`. Whether the screen changes.
    fn take_quiet(&mut self, now: Instant, app: &mut App, link: &Link<'_>) -> io::Result<bool> {
        let mut changed = false;
        for input in self.decoder.idle(now.saturating_duration_since(self.last_read)) {
            changed |= self.take_input(input, app, link)?;
        }
        Ok(changed)
    }

    /// Whether the screen changes.
    fn take_input(&mut self, input: Input, app: &mut App, link: &Link<'_>) -> io::Result<bool> {
        let action = match input {
            Input::Key(key) => {
                let action = keymap::action(key, app.focus());
                if action.is_none()
                    && let Some(unbound) = keymap::unbound_key(key, app.focus())
                {
                    return Ok(link.tell(app, Msg::UnboundKey(unbound)));
                }
                action
            }
            Input::Paste(text) => return Ok(link.tell(app, Msg::Paste(text))),
            Input::Mouse(mouse) if self.mouse => mouse::action(mouse, app, &self.theme, self.area),
            _ => None,
        };
        self.act(action, app, link)
    }

    /// Whether the screen changes.
    fn act(&mut self, action: Option<Action>, app: &mut App, link: &Link<'_>) -> io::Result<bool> {
        match action {
            Some(Action::Suspend) => return self.suspend(app, link),
            Some(Action::Redraw) => {
                if let Some(screen) = &mut self.screen {
                    screen.redraw();
                }
            }
            Some(action) => {
                // Up and down go to what stands there on this screen.
                let moves = matches!(action, Action::Move(_));
                if moves && let Some(tiles) = ui::tiles(app, &self.theme, self.area) {
                    link.update(app, Msg::Tiles(tiles));
                }
                link.update(app, Msg::Action(action));
            }
            None => {}
        }
        Ok(action.is_some())
    }

    /// Writes what the screen shows to a new file; gives its path.
    fn export(&self, app: &App, export: &Export) -> Result<String, String> {
        let path = Path::new(&export.path);
        if path.symlink_metadata().is_ok() {
            return Err(format!("{} exists already: choose another name", export.path));
        }
        let contents = ui::export(app, &self.theme, self.area, self.ascii, export.format)?;
        files::replace(path, contents.as_bytes())
            .map_err(|error| format!("cannot write {}: {error}", export.path))?;
        Ok(export.path.clone())
    }

    /// Gives the terminal back and stops the program until the shell continues it. The run pauses
    /// before, so that the time away does not count as training.
    fn suspend(&mut self, app: &mut App, link: &Link<'_>) -> io::Result<bool> {
        let is_running = matches!(app.run.state, RunState::Training | RunState::Evaluating);
        let is_ours = link.worker.is_some();
        link.send(Command::Hold(true));
        if is_running && is_ours {
            let deadline = Instant::now() + PAUSE;
            while !matches!(app.run.state, RunState::Paused | RunState::Done | RunState::Failed)
                && let Ok(event) = link.events.recv_deadline(deadline)
            {
                link.update(app, event.into());
            }
        }
        self.screen = None;
        stop_until_continued()?;
        self.screen = Some(Screen::enter()?);
        self.decoder = Decoder::default();
        link.send(Command::Hold(false));
        self.draw(app)?;
        Ok(true)
    }
}
