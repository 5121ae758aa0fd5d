//! A sweep on the screen: it reads keys and draws, and trains nothing.

use std::{io, path::PathBuf};

use crossbeam_channel::Receiver;
use ratatui::{buffer::Buffer, layout::Rect, widgets::Widget};

use super::{
    Display, OnDone,
    show::{Show, Viewer},
};
use crate::{
    app::{Action, Focus},
    compare::{Browser, Comparison, Knowledge},
    standings::{Board, Request, Standings},
    ui::{self, SweepScreen, Theme},
};

/// Shows a sweep until the person leaves; gives the signal that ended that, if one did. `stop` has the runs stop.
///
/// # Errors
/// If the terminal is lost.
pub fn sweep(
    display: Display,
    signals: &Receiver<i32>,
    snapshots: Receiver<Standings>,
    stop: impl Fn(),
) -> io::Result<Option<i32>> {
    let mut viewer = Viewer::open(display, signals.clone())?;
    let mut shown = Sweep { board: Board::default(), stop, on_done: display.on_done };
    viewer.follow(&mut shown, snapshots)
}

struct Sweep<F> {
    board: Board,
    stop: F,
    on_done: OnDone,
}

impl<F: Fn()> Show for Sweep<F> {
    type News = Standings;

    fn focus(&self) -> Focus {
        self.board.opened.as_ref().map_or(Focus::Standings, ui::compare_focus)
    }

    fn draw(&self, theme: &Theme, ascii: bool, area: Rect, buf: &mut Buffer) {
        match &self.board.opened {
            Some(browser) => browser.draw(theme, ascii, area, buf),
            None => SweepScreen::new(&self.board, theme).in_ascii(ascii).render(area, buf),
        }
    }

    fn act(&mut self, action: Action, theme: &Theme, area: Rect) -> bool {
        if let Some(browser) = &mut self.board.opened {
            let changed = Show::act(browser, action, theme, area);
            if browser.wants_to_leave() {
                self.board.opened = None;
            }
            return changed;
        }
        let rows = SweepScreen::new(&self.board, theme).rows(area);
        let (changed, request) = self.board.act(action, rows);
        match request {
            Some(Request::Stop) => (self.stop)(),
            Some(Request::Open(folders)) => self.board.open(read(&folders)),
            None => {}
        }
        changed
    }

    fn learn(&mut self, news: Standings) {
        self.board.learn(news);
        if self.on_done == OnDone::Quit {
            self.board.leave_when_over();
        }
    }

    fn wants_to_leave(&self) -> bool {
        self.board.wants_to_leave()
    }
}

/// The curves of some runs.
fn read(folders: &[PathBuf]) -> Result<Browser, String> {
    let mut comparison = Comparison::of_any(folders).map_err(|error| error.to_string())?;
    let names: Vec<_> = folders.iter().map(|folder| folder.display().to_string()).collect();
    comparison.predictions = Knowledge::Missing(match names.as_slice() {
        [_] => "one run has nothing to be compared with".to_owned(),
        names => format!("`mnist-tui compare {}` compares them", names.join(" ")),
    });
    let mut browser = Browser::new(comparison);
    browser.is_within = true;
    Ok(browser)
}
