//! The pad and what the network makes of the drawing.

use ratatui::{buffer::Buffer, layout::Rect, widgets::Widget};

use super::{pane, theme::Theme};
use crate::app::App;

/// The pad and what the network makes of the drawing.
#[derive(Debug)]
pub(super) struct Draw<'a> {
    app: &'a App,
    theme: &'a Theme,
}

impl<'a> Draw<'a> {
    pub(super) fn new(app: &'a App, theme: &'a Theme) -> Self {
        Self { app, theme }
    }
}

impl Widget for &Draw<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let _ = self.app;
        pane::titled(area, buf, self.theme, "Draw", []);
    }
}
