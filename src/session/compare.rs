//! A comparison of stored runs on the screen: it reads keys and draws, and trains nothing.

use std::{io, thread, time::Instant};

use crossbeam_channel::{Receiver, at, bounded, never, select_biased};
use crossterm::event::Event as Input;
use ratatui::layout::Rect;

use super::{Display, SIGNALS, enter, signals_to};
use crate::{
    app::Action,
    compare::{Browser, Comparison, Knowledge},
    keymap,
    outcome::Outcome,
    terminal::{
        Decoder, Read, Screen, is_continue, is_resize, is_suspend, read_terminal,
        stop_until_continued,
    },
    ui::{self, Background, Compare, Depth, Theme},
};

/// Shows runs side by side until the person leaves.
pub fn compare(comparison: Comparison, display: Display) -> Outcome {
    let (sender, predictions) = bounded(1);
    let networks = comparison.networks();
    // The data may take long to read, and the curves need none.
    let classifier = thread::Builder::new().name("classifier".to_owned()).spawn(move || {
        // The person may have left.
        let _ = sender.send(Knowledge::of(&networks));
    });
    let (signal, signals) = bounded(SIGNALS);
    let ended = classifier
        .and_then(|_| signals_to(signal, false, || {}))
        .and_then(|()| Viewer::open(display, signals))
        .and_then(|mut viewer| viewer.follow(&mut Browser::new(comparison), predictions));
    match ended {
        Ok(Some(signal)) => Outcome::Signal(signal),
        Ok(None) => Outcome::Done,
        Err(error) => Outcome::failure(format_args!("lost the terminal: {error}")),
    }
}

/// A screen with the keys that are pressed at it.
struct Viewer {
    /// Away while the program is stopped.
    screen: Option<Screen>,
    area: Rect,
    theme: Theme,
    depth: Depth,
    ascii: bool,
    background_until: Option<Instant>,
    input: Receiver<io::Result<Read>>,
    decoder: Decoder,
    last_read: Instant,
    signals: Receiver<i32>,
}

impl Viewer {
    fn open(display: Display, signals: Receiver<i32>) -> io::Result<Self> {
        let (screen, background_until) = enter(display)?;
        Ok(Self {
            screen: Some(screen),
            area: Rect::ZERO,
            theme: Theme::on(display.background, display.depth),
            depth: display.depth,
            ascii: display.ascii,
            background_until,
            input: read_terminal()?,
            decoder: Decoder::default(),
            last_read: Instant::now(),
            signals,
        })
    }

    /// Runs until the person leaves or a signal ends the program, which is then given.
    fn follow(
        &mut self,
        browser: &mut Browser,
        mut predictions: Receiver<Knowledge>,
    ) -> io::Result<Option<i32>> {
        let mut changed = true;
        while !browser.wants_to_leave() {
            if changed {
                self.draw(browser)?;
                changed = false;
            }
            let quiet = self.decoder.patience().map(|patience| self.last_read + patience);
            let quiet = quiet.map_or_else(never, at);
            select_biased! {
                recv(self.signals) -> signal => match signal {
                    Ok(signal) if is_resize(signal) => changed = true,
                    Ok(signal) if is_continue(signal) => {
                        if let Some(screen) = &mut self.screen {
                            screen.take_again()?;
                        }
                        changed = true;
                    }
                    Ok(signal) if is_suspend(signal) => {
                        self.suspend()?;
                        changed = true;
                    }
                    Ok(signal) => return Ok(Some(signal)),
                    Err(_) => self.signals = never(),
                },
                recv(self.input) -> input => {
                    let Ok(read) = input else { return Err(io::ErrorKind::UnexpectedEof.into()) };
                    let read = read?;
                    let waited = read.at.saturating_duration_since(self.last_read);
                    let mut inputs = self.decoder.idle(waited);
                    inputs.extend(self.decoder.feed(&read.bytes));
                    self.last_read = read.at;
                    changed = self.take(inputs, browser)? | self.take_background(read.at);
                },
                recv(quiet) -> _ => {
                    let inputs = self.decoder.idle(self.last_read.elapsed());
                    changed = self.take(inputs, browser)?;
                },
                recv(predictions) -> found => {
                    match found {
                        Ok(found) => browser.learn(found),
                        Err(_) => predictions = never(),
                    }
                    changed = true;
                },
            }
        }
        Ok(None)
    }

    /// Whether the screen changes.
    fn take(&mut self, inputs: Vec<Input>, browser: &mut Browser) -> io::Result<bool> {
        let mut changed = false;
        for input in inputs {
            let Input::Key(key) = input else { continue };
            match keymap::action(key, ui::compare_focus(browser)) {
                Some(Action::Suspend) => {
                    self.suspend()?;
                    changed = true;
                }
                Some(Action::Redraw) => {
                    if let Some(screen) = &mut self.screen {
                        screen.redraw();
                    }
                    changed = true;
                }
                Some(action) => {
                    let (rows, all) = Compare::new(browser, &self.theme).rows(self.area);
                    changed |= browser.act(action, rows, all);
                }
                None => {}
            }
        }
        Ok(changed)
    }

    /// Whether the terminal has said in time what its background is.
    fn take_background(&mut self, now: Instant) -> bool {
        let Some(rgb) = self.decoder.take_background() else { return false };
        if self.background_until.take().is_none_or(|until| now > until) {
            return false;
        }
        self.theme = Theme::on(Background::of(rgb), self.depth);
        true
    }

    fn draw(&mut self, browser: &Browser) -> io::Result<()> {
        let Self { screen: Some(screen), area, theme, ascii, .. } = self else { return Ok(()) };
        screen.draw(|frame| {
            *area = frame.area();
            frame.render_widget(&Compare::new(browser, theme).in_ascii(*ascii), *area);
        })?;
        Ok(())
    }

    /// Gives the terminal back and stops the program until the shell continues it.
    fn suspend(&mut self) -> io::Result<()> {
        self.screen = None;
        stop_until_continued()?;
        self.screen = Some(Screen::enter()?);
        self.decoder = Decoder::default();
        Ok(())
    }
}
