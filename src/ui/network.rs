//! An image's way through the network: image, filters, feature maps, logits and probabilities.
//!
//! ```text
//! image     filters   relu1   pool1        everything, where it fits
//! relu2               pool2   classes
//!
//! image     filters                        the stages that fit with the chosen one, or that one
//! classes   relu1
//! ```

mod arrange;
mod bars;
mod classes;
mod shelves;
mod stack;
mod stage;
mod subject;
mod vector;

use ratatui::{
    buffer::Buffer,
    layout::{Constraint, Layout, Rect},
    text::Span,
    widgets::Widget,
};

use self::{
    classes::Classes,
    stage::{Stage, Which},
    subject::Picture,
};
use super::{digits, names::Names, pane, theme::Theme};
use crate::{app::App, protocol::Insides};

/// Columns between panes.
const GAP: u16 = 2;
/// Columns and rows from which a stage is shown beside image and probabilities.
const WITH_A_STAGE: (u16, u16) = (64, 13);
/// Columns beside the image and probabilities, and rows, from which several stages are together.
const TOGETHER: (u16, u16) = (77, 35);
/// Columns from which the image and the probabilities have 40 rather than 24.
const WIDE: u16 = 120;

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

    fn picture(&self, insides: &'a Insides) -> Picture<'a> {
        Picture { app: self.app, insides, theme: self.theme }
    }

    fn classes(&self, insides: &'a Insides) -> Classes<'a> {
        let (names, network) = (Names::of(self.app), self.app.run.network());
        Classes {
            insides,
            names,
            layer: network.last_layer(),
            theme: self.theme,
            hint: Span::default(),
        }
    }

    fn stage(&self, which: Which, insides: &'a Insides) -> Stage<'a> {
        let network = self.app.run.network();
        Stage { which, insides, network, theme: self.theme, hint: Span::default() }
    }

    /// Which stage is chosen, and how to choose another.
    fn hint(&self, page: usize, pages: usize) -> Span<'static> {
        Span::styled(format!("{}/{pages} ↑↓", page + 1), self.theme.accent)
    }

    fn some(&self, insides: &'a Insides, area: Rect, buf: &mut Buffer) {
        let width = if area.width >= WIDE { 40 } else { 24 };
        let [left, right] = Layout::horizontal([Constraint::Length(width), Constraint::Fill(1)])
            .spacing(GAP)
            .areas(area);
        let large = left.height >= digits::LARGE_ROWS + 12 && width > digits::LARGE_COLUMNS;
        let picture = if large { digits::LARGE_ROWS } else { digits::SMALL_ROWS };
        // Where rows are short the probabilities follow without a gap.
        let gap = u16::from(left.height > picture + 10);
        let [image, fc] = Layout::vertical([Constraint::Length(picture), Constraint::Fill(1)])
            .spacing(gap)
            .areas(left);
        self.picture(insides).render(image, buf);
        let pages = Which::all(insides);
        let page = self.app.network.page.min(pages.len() - 1);
        let hint = self.hint(page, pages.len());
        let page = pages[page];
        let both = width == 40;
        let mut classes = self.classes(insides);
        if page == Which::Logits && both {
            classes.hint = hint.clone();
        }
        if both {
            classes.draw(fc, buf);
        } else {
            classes.draw_probabilities(fc, buf);
        }
        if right.width < TOGETHER.0 || right.height < TOGETHER.1 {
            return self.one(page, insides, hint, right, buf);
        }
        let mut y = right.y;
        for (which, height) in self.screen(page, insides, right.width, right.height) {
            let mut stage = self.stage(which, insides);
            if which == page {
                stage.hint = hint.clone();
            }
            stage.draw(Rect { y, height, ..right }, buf);
            y += height + 1;
        }
    }

    fn one(
        &self,
        page: Which,
        insides: &'a Insides,
        hint: Span<'static>,
        area: Rect,
        buf: &mut Buffer,
    ) {
        if page == Which::Logits {
            Classes { hint, ..self.classes(insides) }.draw_logits(area, buf);
        } else {
            Stage { hint, ..self.stage(page, insides) }.draw(area, buf);
        }
    }
}

impl Widget for &Network<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let Some(insides) = self.app.network.insides() else {
            let inner = pane::titled(area, buf, self.theme, "Network", []);
            let text = if self.app.looks_on {
                "A run that is watched cannot be asked about images."
            } else if self.app.run.is_under_way() {
                "The way of an image through the network appears here."
            } else {
                "The run ended before an image was sent through the network."
            };
            return pane::empty(inner, buf, self.theme, text);
        };
        let fits = |least: (u16, u16)| area.width >= least.0 && area.height >= least.1;
        if self.draw_everything(insides, area, buf) {
            // Nothing is left to choose.
        } else if fits(WITH_A_STAGE) {
            self.some(insides, area, buf);
        } else {
            self.picture(insides).render_with_classes(area, buf);
        }
    }
}

#[cfg(test)]
mod tests;
