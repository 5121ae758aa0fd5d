//! Lists of the images of a cell of the confusion matrix, or of all cells: the hardest, forgotten ones and
//! suspected label errors.
//!
//! ```text
//! ▌digit  digit  digit  digit  digit     ┌ the chosen one ─┐
//! ▌4→9 …  …                              │ in large,       │   with room only,
//!  digit  digit  …                       │ with its figures│   else a line below
//! ```

mod detail;
mod grid;
mod history;
mod lists;

use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
    text::{Line, Span},
    widgets::Widget,
};

use super::{
    confusion, format, names::Names, pane, picture::Picture, table, theme::Theme, why::Heat,
};
use crate::{
    app::{App, Tiles},
    data::DataInfo,
    protocol::{Found, List, RankedDigit, RunState},
};
use detail::Detail;
use grid::Grid;
pub(in crate::ui) use lists::explanations;

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

    /// Heading of a list of images; how many a cell has is left out where it does not fit.
    fn heading(&self, found: &Found, width: u16) -> String {
        if found.query.list != List::Hardest {
            return self.heading_of_list(found, width);
        }
        let (app, query) = (self.app, found.query);
        let moment = app.matrix_at(query.step, query.set).map_or_else(
            || format!("after step {}", format::thousands(query.step)),
            |matrix| confusion::moment(app, matrix),
        );
        let (pin, set) = (confusion::pin(app), found.set.name());
        let (all, shown) = (found.total.unwrap_or(0), found.digits.len() as u64);
        let (total, shown_of) = (format::thousands(all), format::thousands(shown));
        let Some(cell) = query.cell else {
            return format!("Hardest of {total} {set} images · {pin}{moment}");
        };
        let count = match all {
            1 => "1 image".to_owned(),
            n if n > shown => format!("hardest {shown_of} of {total} images"),
            _ => format!("{total} images"),
        };
        let width = usize::from(width);
        let moment = format!(" · {pin}{set}, {moment}");
        let short = self.cell_name(cell, width.saturating_sub(table::width(&moment) + 1)) + &moment;
        let full = format!("{short} · {count}");
        if table::width(&full) < width { full } else { short }
    }

    /// `4 predicted as 9` or `4 recognised`, with shorter names where `columns` have no room.
    fn cell_name(&self, (truth, predicted): (u8, u8), columns: usize) -> String {
        Names::of(self.app).verdict_within(truth.into(), predicted.into(), columns)
    }

    /// Why there are no images to show, or `None` if there are some.
    fn missing(&self, found: Option<&Found>) -> Option<String> {
        let run = &self.app.run;
        let Some(matrix) = self.app.matrix() else {
            return Some(if run.is_under_way() {
                "The images with the highest loss appear after epoch 1.".into()
            } else {
                "There are no images: the run ended before its first evaluation.".into()
            });
        };
        if let Some(text) = found.and_then(lists::missing) {
            return Some(text);
        }
        let Some(found) = found else {
            return Some(match run.state {
                _ if self.app.looks_on => {
                    "The images appear once the run has saved a checkpoint.".into()
                }
                RunState::Failed => "Images are no longer available after a failure.".into(),
                _ => "Looking for the images…".into(),
            });
        };
        let moment = match matrix.epoch {
            None => "at the end".to_owned(),
            Some(0) => "before training".to_owned(),
            Some(_) if matrix.is_partial => format!("at step {}", format::thousands(matrix.step)),
            Some(epoch) => format!("in epoch {epoch}"),
        };
        let name = |class: u8| Names::of(self.app).full(class.into());
        match (found.total, found.query.cell) {
            (None, _) => Some(format!(
                "The images {moment} are no longer known: only those of the last evaluations are kept."
            )),
            (Some(0), Some((truth, predicted))) if truth == predicted => {
                Some(format!("No {} was recognised {moment}.", name(truth)))
            }
            (Some(0), Some((truth, predicted))) => {
                Some(format!("No {} was predicted as {} {moment}.", name(truth), name(predicted)))
            }
            _ if found.digits.is_empty() => Some("There are no images.".into()),
            _ => None,
        }
    }

    fn title(
        &self,
        found: Option<&Found>,
        with_probability: bool,
        area: Rect,
        buf: &mut Buffer,
    ) -> Rect {
        let app = self.app;
        let title = match (found, app.mistakes.cell, app.matrix()) {
            (Some(found), _, Some(_)) if found.total.is_some_and(|total| total > 0) => {
                self.heading(found, area.width)
            }
            (_, Some(cell), Some(matrix)) => {
                let moment = format!(" · {}", confusion::name(app, matrix));
                let room = usize::from(area.width).saturating_sub(table::width(&moment) + 1);
                self.cell_name(cell, room) + &moment
            }
            (_, None, Some(matrix)) => {
                format!("{} · {}", lists::name(app.mistakes.list), confusion::name(app, matrix))
            }
            (_, _, None) => lists::name(app.mistakes.list).to_owned(),
        };
        if app.is_pinned() {
            return pane::titled(
                area,
                buf,
                self.theme,
                &title,
                [confusion::ways_on(self.theme, &[confusion::SCRUB])],
            );
        }
        let note = |text: String| Line::styled(text, self.theme.muted);
        let notes = match found {
            Some(found) if found.query.list != List::Hardest => [Line::default(), Line::default()],
            Some(found) if !found.digits.is_empty() => {
                let probability = if with_probability { ", probability" } else { "" };
                let full = format!("true→predicted{probability}, loss");
                [note(full), note("true→predicted".to_owned())]
            }
            _ => [Line::default(), Line::default()],
        };
        pane::titled(area, buf, self.theme, &title, notes)
    }
}

/// How many images the view shows in `area`; `None` where there is only room for one.
pub(super) fn tiles(app: &App, area: Rect) -> Option<Tiles> {
    let below_title = Rect { height: area.height.checked_sub(1)?, y: area.y + 1, ..area };
    Some(Grid::fit(below_title, app.tile_size)?.tiles())
}

/// The place of the image at a place of the view.
pub(super) fn image_at(app: &App, area: Rect, at: Position) -> Option<usize> {
    let below_title = Rect { height: area.height.checked_sub(1)?, y: area.y + 1, ..area };
    let count = app.mistakes.list()?.digits.len();
    Grid::fit(below_title, app.tile_size)?.image_at(at, app.mistakes.selected, count)
}

/// Everything needed to draw an image.
#[derive(Clone, Copy, Debug)]
struct Look<'a> {
    names: Names<'a>,
    set: &'a DataInfo,
    theme: &'a Theme,
}

impl<'a> Look<'a> {
    fn picture(self, of: &'a RankedDigit) -> Picture<'a> {
        Picture::new(&of.digit.pixels, self.set, self.theme)
    }

    /// The prediction for an image in at most `columns`: `4→9`, or `✓ 4` if it was recognised.
    fn answer(self, of: &RankedDigit, columns: usize) -> Span<'static> {
        let digit = &of.digit;
        if digit.is_right() {
            let name = self.names.answer(digit, columns.saturating_sub(2));
            Span::styled(format!("✓ {name}"), self.theme.right)
        } else {
            Span::styled(self.names.answer(digit, columns), self.theme.wrong)
        }
    }
}

impl Widget for &Mistakes<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let mistakes = &self.app.mistakes;
        let (names, set) = (Names::of(self.app), self.app.run.set());
        let look = Look { names, set, theme: self.theme };
        let found = mistakes.list();
        let inner =
            Rect { y: area.y + area.height.min(1), height: area.height.saturating_sub(1), ..area };
        let grid = Grid::fit(inner, self.app.tile_size);
        let with_probability = grid.is_none_or(|grid| grid.has_probability(names));
        self.title(found, with_probability, area, buf);
        if let Some(text) = self.missing(found) {
            return pane::empty(inner, buf, self.theme, &text);
        }
        let Some((found, chosen)) = found.zip(mistakes.chosen()) else { return };
        let heat = Heat::of(self.app, self.theme);
        let detail = Detail {
            place: mistakes.selected + 1,
            of: found.digits.len(),
            set: found.set,
            image: chosen,
            history: mistakes.history(),
            list: found.query.list,
            heat,
            look,
        };
        let Some(grid) = grid else { return detail.draw_alone(inner, buf) };
        // Where the chosen image stands beside the others, it alone is shaded.
        let in_grid = heat.filter(|_| grid.side().is_none());
        grid.draw(found, mistakes.selected, in_grid, look, buf);
        match grid.side() {
            Some(side) => detail.draw_beside(side, buf),
            None => detail.draw_line(grid.below(), buf),
        }
    }
}

#[cfg(test)]
mod tests;
