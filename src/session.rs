//! A run with a screen: keys and mouse go to the worker, what it reports goes to the dashboard.

use std::{
    env,
    io::{self, Write},
    path::Path,
    thread,
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, Sender, at, bounded, never, select_biased};
use crossterm::event::{self, Event as Input, MouseButton, MouseEvent, MouseEventKind};
use ratatui::{Frame, layout::Rect};

use crate::{
    app::{Action, App, Msg},
    config::RunConfig,
    headless, keymap,
    outcome::Outcome,
    protocol::{Command, Event},
    run_log::RunLog,
    terminal::{Screen, watch_signals},
    train::{self, Tools, Worker},
    ui::{self, Dashboard, Depth, Theme},
};

/// Events that wait for the screen; further ones wait in the worker.
const CAPACITY: usize = 64;
/// How long a run may take to end after a signal, before the screen goes without it.
const GRACE: Duration = Duration::from_millis(700);

/// Trains with a dashboard of at most `fps` frames a second, until the person leaves.
pub fn run(config: RunConfig, tools: Tools, log: Option<&Path>, fps: u32) -> Outcome {
    let (sender, events) = bounded(CAPACITY);
    let mut listeners = vec![sender];
    let log = match RunLog::listen(log, &config, &mut listeners) {
        Ok(log) => log,
        Err(error) => return Outcome::failure(error),
    };
    // The data is read while the terminal is taken over and the first frame is drawn.
    let mut app = App::new(tools.breakpoints.clone());
    let worker = train::spawn_with_tools(config, tools, listeners);
    let ended = Session::open(fps, &worker)
        .and_then(|mut session| session.follow(&mut app, &worker, &events, log.as_ref()));
    worker.send(Command::Stop);
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
        Ok(End::Left) => None,
        Err(error) => Some(Outcome::failure(format_args!("lost the terminal: {error}"))),
    };
    // The weights may still be on their way to the disk.
    for event in &events {
        let _ = app.update(event.into());
    }
    worker.join();
    print_result(&app);
    let outcome = outcome.unwrap_or_else(|| outcome_of(&app));
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

fn outcome_of(app: &App) -> Outcome {
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
    /// What the last frame filled.
    area: Rect,
    theme: Theme,
    input: Receiver<io::Result<Input>>,
    signals: Receiver<i32>,
    frame_time: Duration,
}

impl Session {
    fn open(fps: u32, worker: &Worker) -> io::Result<Self> {
        let (sender, signals) = bounded(1);
        let commands = worker.commands();
        watch_signals(move |signal| {
            // To the worker directly: the screen may be stuck in a write.
            let _ = commands.send(Command::Stop);
            let _ = sender.try_send(signal);
        })?;
        let screen = Screen::enter()?;
        Ok(Self {
            screen,
            area: Rect::ZERO,
            theme: Theme::new(Depth::detect(|name| env::var(name).ok())),
            input: read_input()?,
            signals,
            frame_time: Duration::from_secs(1) / fps.max(1),
        })
    }

    fn draw(&mut self, app: &App) -> io::Result<()> {
        let Self { screen, area, theme, .. } = self;
        screen.capture_mouse(app.takes_mouse())?;
        screen.draw(|frame: &mut Frame<'_>| {
            *area = frame.area();
            frame.render_widget(&Dashboard::new(app, theme), *area);
        })
    }

    /// Runs until the person leaves or a signal comes. Frames are drawn only after a change, and no
    /// closer together than the frame time.
    fn follow(
        &mut self,
        app: &mut App,
        worker: &Worker,
        events: &Receiver<Event>,
        log: Option<&RunLog>,
    ) -> io::Result<End> {
        self.draw(app)?;
        let mut events = events.clone();
        let mut next_frame = Instant::now() + self.frame_time;
        let mut changed = false;
        while !app.wants_to_leave() {
            let alarm = if changed { at(next_frame) } else { never() };
            select_biased! {
                recv(self.signals) -> signal => if let Ok(signal) = signal {
                    return Ok(End::Signal(signal));
                },
                recv(self.input) -> input => changed |= match input {
                    Ok(input) => take_input(&input?, self.area, app, worker),
                    Err(_) => return Err(io::ErrorKind::UnexpectedEof.into()),
                },
                recv(events) -> event => match event {
                    Ok(event) => {
                        update(app, event.into(), worker);
                        changed = true;
                    }
                    Err(_) => events = never(),
                },
                recv(alarm) -> _ => {}
            }
            if let Some(error) = log.and_then(RunLog::failed)
                && app.run.log_failure.is_none()
            {
                update(app, Msg::LogFailed(error.to_string()), worker);
                changed = true;
            }
            let now = Instant::now();
            if changed && now >= next_frame {
                self.draw(app)?;
                changed = false;
                next_frame = now + self.frame_time;
            }
        }
        Ok(End::Left)
    }
}

fn update(app: &mut App, msg: Msg, worker: &Worker) {
    for command in app.update(msg) {
        worker.send(command);
    }
}

/// Whether the screen changes.
fn take_input(input: &Input, area: Rect, app: &mut App, worker: &Worker) -> bool {
    let action = match input {
        Input::Key(key) => keymap::action(*key, app.focus()),
        // One that comes late, from before the mouse was let go, draws nothing.
        Input::Mouse(mouse) if app.takes_mouse() => stroke(*mouse, area),
        Input::Resize(..) => return true,
        _ => None,
    };
    if let Some(action) = action {
        update(app, Msg::Action(action), worker);
    }
    action.is_some()
}

/// What the mouse does on a screen that fills `area`.
fn stroke(mouse: MouseEvent, area: Rect) -> Option<Action> {
    let pixel = ui::pad_position(area, mouse.column, mouse.row);
    match (mouse.kind, pixel) {
        (MouseEventKind::Down(MouseButton::Left), Some((x, y))) => {
            Some(Action::Stroke { x, y, drag: false })
        }
        (MouseEventKind::Drag(MouseButton::Left), Some((x, y))) => {
            Some(Action::Stroke { x, y, drag: true })
        }
        // Off the pad a stroke ends, so that it comes back where the mouse does.
        (MouseEventKind::Drag(MouseButton::Left), None)
        | (MouseEventKind::Up(MouseButton::Left), _) => Some(Action::EndStroke),
        _ => None,
    }
}

/// Keys, mouse and sizes, read on a thread of their own, which ends with the program.
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

#[cfg(test)]
mod tests {
    use crossterm::event::KeyModifiers;

    use super::*;

    const AREA: Rect = Rect::new(0, 0, 80, 24);

    fn at(kind: MouseEventKind, (column, row): (u16, u16)) -> Option<Action> {
        stroke(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE }, AREA)
    }

    #[test]
    fn the_left_button_draws_on_the_pad_and_nothing_else_does() {
        let on_pad = AREA
            .positions()
            .find(|at| ui::pad_position(AREA, at.x, at.y).is_some())
            .map(|at| (at.x, at.y))
            .expect("there is room for a pad");
        let beside = (0, 0);
        let (left, right) = (MouseButton::Left, MouseButton::Right);
        for (kind, place, expected) in [
            (MouseEventKind::Down(left), on_pad, Some(Action::Stroke { x: 0, y: 0, drag: false })),
            (MouseEventKind::Drag(left), on_pad, Some(Action::Stroke { x: 0, y: 0, drag: true })),
            (MouseEventKind::Up(left), on_pad, Some(Action::EndStroke)),
            (MouseEventKind::Down(left), beside, None),
            (MouseEventKind::Drag(left), beside, Some(Action::EndStroke)),
            (MouseEventKind::Up(left), beside, Some(Action::EndStroke)),
            (MouseEventKind::Down(right), on_pad, None),
            (MouseEventKind::Drag(right), on_pad, None),
            (MouseEventKind::Moved, on_pad, None),
            (MouseEventKind::ScrollDown, on_pad, None),
        ] {
            assert_eq!(at(kind, place), expected, "{kind:?} at {place:?}");
        }
    }
}
