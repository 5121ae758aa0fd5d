//! An image's way through the network: image, filters, feature maps, logits and probabilities.
//!
//! ```text
//! image     filters   layer1_relu   layer1_pool        everything, in a large terminal
//! layer2_relu         layer2_pool   fc
//!
//! image     layer1_conv                                some stages of one layer, or one stage
//! fc        layer1_relu
//! ```

mod classes;
mod stage;
mod subject;

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
use super::{digits, pane, theme::Theme};
use crate::{
    app::{self, App},
    protocol::Insides,
};

/// Columns between panes.
const GAP: u16 = 2;
/// Columns and rows from which all stages are shown.
const EVERYTHING: (u16, u16) = (198, 46);
/// Rows of the first layer there: `layer1_relu`'s two rows of maps with their captions and title.
const FIRST_LAYER: u16 = 27;
/// Columns of image, filters, `layer1_relu` and `layer1_pool` there.
const FIRST_LAYER_PANES: [u16; 4] = [28, 62, 74, 25];
/// Columns of `layer2_relu` and `layer2_pool` there.
const SECOND_LAYER_PANES: [u16; 2] = [135, 35];
/// Columns and rows from which a stage is shown beside image and probabilities.
const WITH_A_STAGE: (u16, u16) = (64, 13);
/// Columns beside the image and probabilities, and rows, from which stages of a layer are together.
const BY_LAYER: (u16, u16) = (77, 35);
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
        Classes { insides, theme: self.theme, hint: Span::default() }
    }

    fn stage(&self, which: Which, insides: &'a Insides) -> Stage<'a> {
        Stage { which, insides, theme: self.theme, hint: Span::default() }
    }

    /// Which stage is chosen, and how to choose another.
    fn hint(&self) -> Span<'static> {
        let place = self.app.network.page + 1;
        Span::styled(format!("{place}/{} ↑↓", app::Network::STAGES), self.theme.accent)
    }

    fn everything(&self, insides: &'a Insides, area: Rect, buf: &mut Buffer) {
        let gap = u16::from(area.height > FIRST_LAYER + 19);
        let [first, second] =
            Layout::vertical([Constraint::Length(FIRST_LAYER), Constraint::Fill(1)])
                .spacing(gap)
                .areas(area);
        let spare = area.width - FIRST_LAYER_PANES.into_iter().sum::<u16>();
        let gap = (spare / 3).min(6);
        let [image, filters, relu, pool] =
            Layout::horizontal(FIRST_LAYER_PANES.map(Constraint::Length)).spacing(gap).areas(first);
        self.picture(insides).render(image, buf);
        self.stage(Which::Filters, insides).draw(filters, buf);
        self.stage(Which::Maps(0), insides).draw(relu, buf);
        self.stage(Which::Maps(1), insides).draw(pool, buf);
        let [relu_width, pool_width] = SECOND_LAYER_PANES.map(Constraint::Length);
        let [relu, pool, fc] = Layout::horizontal([relu_width, pool_width, Constraint::Max(48)])
            .spacing(gap.min(3))
            .areas(second);
        self.stage(Which::Maps(2), insides).draw(relu, buf);
        self.stage(Which::Maps(3), insides).draw(pool, buf);
        self.classes(insides).draw(fc, buf);
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
        let page = Which::ALL[self.app.network.page.min(Which::ALL.len() - 1)];
        let both = width == 40;
        let mut classes = self.classes(insides);
        if page == Which::Logits && both {
            classes.hint = self.hint();
        }
        if both {
            classes.draw(fc, buf);
        } else {
            classes.draw_probabilities(fc, buf);
        }
        if right.width < BY_LAYER.0 || right.height < BY_LAYER.1 {
            return self.one(page, insides, right, buf);
        }
        let stages: &[(Which, u16)] = match page {
            Which::Filters | Which::Maps(0) => &[(Which::Filters, 7), (Which::Maps(0), 27)],
            _ => &[(Which::Maps(1), 8), (Which::Maps(2), 11), (Which::Maps(3), 11)],
        };
        let heights = stages.iter().map(|&(_, height)| Constraint::Length(height));
        let places = Layout::vertical(heights).spacing(1).split(right);
        for (&(which, _), &place) in stages.iter().zip(places.iter()) {
            let mut stage = self.stage(which, insides);
            if which == page {
                stage.hint = self.hint();
            }
            stage.draw(place, buf);
        }
    }

    fn one(&self, page: Which, insides: &'a Insides, area: Rect, buf: &mut Buffer) {
        if page == Which::Logits {
            let classes = Classes { hint: self.hint(), ..self.classes(insides) };
            classes.draw_logits(area, buf);
        } else {
            Stage { hint: self.hint(), ..self.stage(page, insides) }.draw(area, buf);
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
        if fits(EVERYTHING) {
            self.everything(insides, area, buf);
        } else if fits(WITH_A_STAGE) {
            self.some(insides, area, buf);
        } else {
            self.picture(insides).render_with_classes(area, buf);
        }
    }
}

#[cfg(test)]
mod tests;
