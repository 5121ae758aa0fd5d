//! A screen that is no run's: it reads keys, takes in news and draws.

use std::{io, time::Instant};

use crossbeam_channel::{Receiver, at, never, select_biased};
use crossterm::event::Event as Input;
use ratatui::{buffer::Buffer, layout::Rect};

use super::{Display, enter};
use crate::{
    app::{Action, Focus},
    keymap,
    terminal::{
        Decoder, Read, Screen, is_continue, is_resize, is_suspend, read_terminal,
        stop_until_continued,
    },
    ui::{Background, Depth, Theme},
};

/// What a [`Viewer`] shows.
pub(super) trait Show {
    /// What changes it besides keys.
    type News;

    /// Where keys go.
    fn focus(&self) -> Focus;

    /// Draws it.
    fn draw(&self, theme: &Theme, ascii: bool, area: Rect, buf: &mut Buffer);

    /// Carries out an action on a screen of this area; whether something changed.
    fn act(&mut self, action: Action, theme: &Theme, area: Rect) -> bool;

    /// Takes in news.
    fn learn(&mut self, news: Self::News);

    /// Whether the person has left.
    fn wants_to_leave(&self) -> bool;
}

/// A screen with the keys that are pressed at it.
pub(super) struct Viewer {
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
    pub(super) fn open(display: Display, signals: Receiver<i32>) -> io::Result<Self> {
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
    pub(super) fn follow<S: Show>(
        &mut self,
        shown: &mut S,
        mut news: Receiver<S::News>,
    ) -> io::Result<Option<i32>> {
        let mut changed = true;
        while !shown.wants_to_leave() {
            if changed {
                self.draw(shown)?;
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
                    changed = self.take(inputs, shown)? | self.take_background(read.at);
                },
                recv(quiet) -> _ => {
                    let inputs = self.decoder.idle(self.last_read.elapsed());
                    changed = self.take(inputs, shown)?;
                },
                recv(news) -> found => {
                    match found {
                        Ok(found) => shown.learn(found),
                        Err(_) => news = never(),
                    }
                    changed = true;
                },
            }
        }
        Ok(None)
    }

    /// Whether the screen changes.
    fn take<S: Show>(&mut self, inputs: Vec<Input>, shown: &mut S) -> io::Result<bool> {
        let mut changed = false;
        for input in inputs {
            let Input::Key(key) = input else { continue };
            match keymap::action(key, shown.focus()) {
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
                Some(action) => changed |= shown.act(action, &self.theme, self.area),
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

    fn draw(&mut self, shown: &impl Show) -> io::Result<()> {
        let Self { screen: Some(screen), area, theme, ascii, .. } = self else { return Ok(()) };
        screen.draw(|frame| {
            *area = frame.area();
            shown.draw(theme, *ascii, *area, frame.buffer_mut());
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
