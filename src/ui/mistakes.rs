//! Images that the network does badly on.

use ratatui::{buffer::Buffer, layout::Rect, widgets::Widget};

use super::{pane, theme::Theme};
use crate::app::App;

/// Images that the network does badly on.
#[derive(Debug)]
pub(super) struct Mistakes<'a> {
    app: &'a App,
    theme: &'a Theme,
}

impl<'a> Mistakes<'a> {
    pub(super) fn new(app: &'a App, theme: &'a Theme) -> Self {
        Self { app, theme }
    }
}

impl Widget for &Mistakes<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let _ = self.app;
        pane::titled(area, buf, self.theme, "Mistakes", []);
    }
}
