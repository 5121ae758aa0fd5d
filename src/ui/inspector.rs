//! What the last step did: its digits, gradients and updates.

use ratatui::{buffer::Buffer, layout::Rect, widgets::Widget};

use super::{digits::Digits, theme::Theme};
use crate::app::App;

/// The step view.
#[derive(Debug)]
pub(super) struct Inspector<'a> {
    app: &'a App,
    theme: &'a Theme,
}

impl<'a> Inspector<'a> {
    pub(super) fn new(app: &'a App, theme: &'a Theme) -> Self {
        Self { app, theme }
    }
}

impl Widget for &Inspector<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        Digits::new(self.app, self.theme).render(area, buf);
    }
}
