//! What a step did: its losses, gradients and updates, and its digits.
//!
//! ```text
//! ┌ step ───────┐ ┌ digits ──────────┐   side by side, or below each other where that is too wide
//! │ parameters  │ │ worst first      │
//! ├ chosen ─────┤ │                  │   with room only
//! └─────────────┘ └──────────────────┘
//! ```

mod batch;
mod parameters;

use ratatui::{
    buffer::Buffer,
    layout::{Constraint, Layout, Position, Rect},
    widgets::Widget,
};

use super::{Depth, digits, digits::Digits, theme::Theme};
use crate::app::{App, TileSize, Tiles};

/// The step view.
#[derive(Debug)]
pub(super) struct Inspector<'a> {
    app: &'a App,
    theme: &'a Theme,
}

/// Columns between the two panes.
const GAP: u16 = 2;
/// Small images in a row below which the figures go above the images instead of next to them.
const COLUMNS: u16 = 5;

impl<'a> Inspector<'a> {
    pub(super) fn new(app: &'a App, theme: &'a Theme) -> Self {
        Self { app, theme }
    }
}

/// The areas of the figures, the chosen image and all images.
struct Panes {
    figures: Rect,
    chosen: Option<Rect>,
    batch: Rect,
}

/// The panes next to each other or, where that is too wide, below each other. The figures take `rows`
/// rows.
fn panes(area: Rect, rows: u16) -> Panes {
    let few = COLUMNS * (digits::SMALL_COLUMNS + 1) - 1;
    if area.width < parameters::LEAST_COLUMNS + GAP + few {
        // Of a long table only a part is shown.
        let rows = rows.min((area.height / 2).max(parameters::LEAST_ROWS));
        let [figures, batch] =
            Layout::vertical([Constraint::Length(rows), Constraint::Fill(1)]).areas(area);
        return Panes { figures, chosen: None, batch };
    }
    // More images gain more than wider figures.
    let left = (area.width - GAP - few).min(parameters::ENOUGH_COLUMNS);
    let [left, batch] = Layout::horizontal([Constraint::Length(left), Constraint::Fill(1)])
        .spacing(GAP)
        .areas(area);
    // Above the chosen image there is room for a part of a long table.
    let part = left.height.saturating_sub(digits::LARGE_ROWS + 3);
    let rows = if part < parameters::LEAST_ROWS { rows } else { rows.min(part) };
    let [figures, chosen] =
        Layout::vertical([Constraint::Length(rows), Constraint::Fill(1)]).spacing(1).areas(left);
    Panes { figures, chosen: Some(chosen), batch }
}

/// Whether the chosen image has all the room, since large ones have none next to each other.
fn shows_one_alone(app: &App, panes: &Panes) -> bool {
    app.tile_size == TileSize::Large
        && batch::Grid::fit(panes.batch, TileSize::Large).is_none_or(|grid| !grid.is_large())
}

/// How many images the view shows in `area`; `None` before a step is known.
pub(super) fn tiles(app: &App, area: Rect) -> Option<Tiles> {
    let rows = parameters::rows(app.inspection()?);
    Some(batch::Grid::fit(panes(area, rows).batch, app.tile_size)?.tiles())
}

/// The place of the image at a place of the view.
pub(super) fn image_at(app: &App, area: Rect, at: Position) -> Option<usize> {
    let (inspection, images) = app.inspection().zip(app.inspector.batch())?;
    let panes = panes(area, parameters::rows(inspection));
    let grid = batch::Grid::fit(panes.batch, app.tile_size)?;
    let theme = Theme::new(Depth::None);
    let batch = batch::Batch::new(images, app.inspector.selected, app, &theme);
    if shows_one_alone(app, &panes) && batch.render_chosen(area, &mut Buffer::empty(area)) {
        return None;
    }
    grid.image_at(at, app.inspector.selected, images.digits.len())
}

impl Widget for &Inspector<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let (app, theme) = (self.app, self.theme);
        let Some((inspection, images)) = app.inspection().zip(app.inspector.batch()) else {
            return Digits::new(app, theme).render(area, buf);
        };
        let batch = batch::Batch::new(images, app.inspector.selected, app, theme);
        let panes = panes(area, parameters::rows(inspection));
        if shows_one_alone(app, &panes) && batch.render_chosen(area, buf) {
            return;
        }
        parameters::Parameters::new(inspection, app, theme).render(panes.figures, buf);
        if let Some(chosen) = panes.chosen {
            batch.render_chosen(chosen, buf);
        }
        batch.render(panes.batch, buf);
    }
}
