//! An image in the network: image, filters, feature maps, logits and probabilities.
//!
//! ```text
//! image › [conv1] › relu1 › pool1 › fc     the stages in order, in wide terminals
//!
//! image     conv1     relu1   pool1        everything, where it fits
//! relu2               pool2   classes
//!
//! image     conv1                          the stages that fit with the chosen one, or that one
//! classes   relu1
//! ```

mod arrange;
mod bars;
mod classes;
mod path;
mod shelves;
mod stack;
mod stage;
mod subject;
mod vector;

use ratatui::{
    buffer::Buffer,
    layout::{Constraint, Layout, Position, Rect},
    text::Span,
    widgets::Widget,
};

use self::{
    classes::Classes,
    stage::{Stage, Which},
    subject::Picture,
};
use super::{digits, names::Names, pane, theme::Theme};
use crate::{
    app::{App, Tiles},
    protocol::Insides,
};

/// Columns between panes.
const GAP: u16 = 2;
/// Columns and rows from which a stage is shown next to image and probabilities.
const WITH_A_STAGE: (u16, u16) = (64, 13);
/// Columns next to the image and probabilities, and rows, from which several stages are shown.
const TOGETHER: (u16, u16) = (77, 34);
/// Columns from which there is a path, and image and probabilities have 40 columns rather than 24.
const WIDE: u16 = 120;

/// An image in the network.
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
        let part = self.app.network.part;
        Stage { which, insides, network, theme: self.theme, part, hint: Span::default() }
    }

    /// The number of the chosen stage and the keys for another.
    fn hint(&self, page: usize, pages: usize) -> Span<'static> {
        Span::styled(format!("{}/{pages} ↑↓", page + 1), self.theme.accent)
    }

    /// How the view fills this area.
    fn arrange(&self, insides: &'a Insides, area: Rect) -> Arranged {
        let pages = Which::all(insides);
        let page = self.app.network.page.min(pages.len() - 1);
        let chosen = pages[page];
        let has_path = area.width >= WIDE;
        let below = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
        // The path has a row where there is one to spare.
        let tries = [(has_path, below), (false, area)];
        let mut shelves = tries.into_iter().filter(|&(has_path, rest)| has_path || rest == area);
        let whole = shelves.find_map(|(has_path, rest)| {
            Some((has_path, rest, self.shelves(insides, chosen, rest)?))
        });
        if let Some((has_path, rest, shelves)) = whole {
            let path = has_path.then_some(Rect { height: 1, ..area });
            return Arranged { page, chosen, path, rest, way: Way::Shelves(shelves) };
        }
        let fits = |least: (u16, u16)| area.width >= least.0 && area.height >= least.1;
        if !fits(WITH_A_STAGE) {
            return Arranged { page, chosen, path: None, rest: area, way: Way::Classes };
        }
        let rest = if has_path { below } else { area };
        let path = has_path.then_some(Rect { height: 1, ..area });
        let width = if area.width >= WIDE { 40 } else { 24 };
        let [left, right] = Layout::horizontal([Constraint::Length(width), Constraint::Fill(1)])
            .spacing(GAP)
            .areas(rest);
        let is_together = right.width >= TOGETHER.0 && right.height >= TOGETHER.1;
        let mut stages = Vec::new();
        if is_together {
            let mut y = right.y;
            for (which, height) in self.screen(chosen, insides, right.width, right.height) {
                stages.push((which, Rect { y, height, ..right }));
                y += height + 1;
            }
        } else {
            stages.push((chosen, right));
        }
        Arranged { page, chosen, path, rest, way: Way::Some { left, stages } }
    }

    /// Image and probabilities.
    fn draw_left(
        &self,
        insides: &'a Insides,
        hint: Option<Span<'static>>,
        left: Rect,
        buf: &mut Buffer,
    ) {
        let width = left.width;
        let large = left.height >= digits::LARGE_ROWS + 12 && width > digits::LARGE_COLUMNS;
        let picture = if large { digits::LARGE_ROWS } else { digits::SMALL_ROWS };
        // Where rows are short the probabilities follow without a gap.
        let gap = u16::from(left.height > picture + 10);
        let [image, fc] = Layout::vertical([Constraint::Length(picture), Constraint::Fill(1)])
            .spacing(gap)
            .areas(left);
        self.picture(insides).render(image, buf);
        let classes = Classes { hint: hint.unwrap_or_default(), ..self.classes(insides) };
        if width == 40 {
            classes.draw(fc, buf);
        } else {
            classes.draw_probabilities(fc, buf);
        }
    }

    fn draw(&self, insides: &'a Insides, arranged: &Arranged, buf: &mut Buffer) {
        let Arranged { page, chosen, path, rest, way } = arranged;
        if let Some(path) = *path {
            self.draw_path(insides, *page, path, buf);
        }
        match way {
            Way::Shelves(shelves) => self.draw_shelves(shelves, insides, *rest, buf),
            Way::Classes => self.picture(insides).render_with_classes(*rest, buf),
            Way::Some { left, stages } => {
                let hint = self.hint(*page, Which::all(insides).len());
                let both = *chosen == Which::Logits && left.width == 40;
                self.draw_left(insides, both.then(|| hint.clone()), *left, buf);
                for &(which, place) in stages {
                    let hint = if which == *chosen { hint.clone() } else { Span::default() };
                    if which == Which::Logits {
                        Classes { hint, ..self.classes(insides) }.draw_logits(place, buf);
                    } else {
                        Stage { hint, ..self.stage(which, insides) }.draw(place, buf);
                    }
                }
            }
        }
    }
}

/// The parts of the view.
struct Arranged {
    /// Place of the chosen stage.
    page: usize,
    chosen: Which,
    path: Option<Rect>,
    rest: Rect,
    way: Way,
}

/// The content below the path.
enum Way {
    /// Everything.
    Shelves(Vec<shelves::Shelf>),
    /// Image and probabilities, and the stages that fit with the chosen one.
    Some { left: Rect, stages: Vec<(Which, Rect)> },
    /// Image and probabilities alone.
    Classes,
}

/// On how many screens the chosen stage is shown in `area`.
pub(super) fn tiles(app: &App, theme: &Theme, area: Rect) -> Option<Tiles> {
    let (network, insides) = (Network::new(app, theme), app.network.insides()?);
    let Arranged { chosen, way, .. } = network.arrange(insides, area);
    let place = match way {
        Way::Some { stages, .. } => stages.into_iter().find(|(which, _)| *which == chosen),
        _ => None,
    };
    let place = place.filter(|(which, _)| *which != Which::Logits);
    let parts = place.map_or(1, |(which, place)| network.stage(which, insides).parts(place));
    Some(Tiles { parts, ..Tiles::default() })
}

/// The place of the stage at a place of the view: its name in the path, or the stage itself.
pub(super) fn stage_at(app: &App, theme: &Theme, area: Rect, at: Position) -> Option<usize> {
    let (network, insides) = (Network::new(app, theme), app.network.insides()?);
    let Arranged { page, path, way, .. } = network.arrange(insides, area);
    if let Some(path) = path.filter(|path| path.contains(at)) {
        return network.page_at(insides, page, path.width, at.x - path.x);
    }
    let Way::Some { stages, .. } = way else { return None };
    let (which, _) = stages.into_iter().find(|(_, place)| place.contains(at))?;
    Which::all(insides).into_iter().position(|one| one == which)
}

impl Widget for &Network<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let Some(insides) = self.app.network.insides() else {
            let inner = pane::titled(area, buf, self.theme, "Network", []);
            let text = if self.app.looks_on {
                "This appears once the run has saved a checkpoint."
            } else if self.app.run.is_under_way() {
                "The activations of an image appear here once the network is built."
            } else {
                "The run ended before an image was sent through the network."
            };
            return pane::empty(inner, buf, self.theme, text);
        };
        self.draw(insides, &self.arrange(insides, area), buf);
    }
}

#[cfg(test)]
mod tests;
