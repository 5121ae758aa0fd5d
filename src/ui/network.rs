//! An image's way through the network.

use ratatui::{buffer::Buffer, layout::Rect, widgets::Widget};

use super::{pane, theme::Theme};
use crate::app::App;

/// An image's way through the network.
#[derive(Debug)]
pub(super) struct Network<'a> {
    app: &'a App,
    theme: &'a Theme,
}

impl<'a> Network<'a> {
    pub(super) fn new(app: &'a App, theme: &'a Theme) -> Self {
        Self { app, theme }
    }
}

impl Widget for &Network<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let _ = self.app;
        pane::titled(area, buf, self.theme, "Network", []);
    }
}
