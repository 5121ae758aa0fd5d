//! A comparison of stored runs on the screen: it reads keys and draws, and trains nothing.

use std::thread;

use crossbeam_channel::bounded;
use ratatui::{buffer::Buffer, layout::Rect, widgets::Widget};

use super::{
    Display, SIGNALS,
    show::{Show, Viewer},
    signals_to,
};
use crate::{
    app::{Action, Focus},
    compare::{Browser, Comparison, Knowledge},
    outcome::Outcome,
    ui::{self, Compare, Theme},
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

impl Show for Browser {
    type News = Knowledge;

    fn focus(&self) -> Focus {
        ui::compare_focus(self)
    }

    fn draw(&self, theme: &Theme, ascii: bool, area: Rect, buf: &mut Buffer) {
        Compare::new(self, theme).in_ascii(ascii).render(area, buf);
    }

    fn act(&mut self, action: Action, theme: &Theme, area: Rect) -> bool {
        let (rows, all) = Compare::new(self, theme).rows(area);
        Browser::act(self, action, rows, all)
    }

    fn learn(&mut self, news: Knowledge) {
        Browser::learn(self, news);
    }

    fn wants_to_leave(&self) -> bool {
        Browser::wants_to_leave(self)
    }
}
