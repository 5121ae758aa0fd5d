//! The images of a cell of the confusion matrix, or of all, hardest first.
//!
//! ```text
//! ▌digit  digit  digit  digit  digit     ┌ the chosen one ─┐
//! ▌4→9 …  …                              │ in large,       │   with room only,
//!  digit  digit  …                       │ with its figures│   else a line below
//! ```

mod detail;
mod grid;

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
    widgets::Widget,
};

use super::{confusion, format, pane, theme::Theme};
use crate::{
    app::App,
    protocol::{Found, RankedDigit, RunState},
};
use detail::Detail;
use grid::Grid;

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
        let short = format!("{} · {pin}{set}, {moment}", cell_name(cell));
        let full = format!("{short} · {count}");
        if full.chars().count() < usize::from(width) { full } else { short }
    }

    /// Why there are no images to show, or `None` if there are some.
    fn missing(&self, found: Option<&Found>) -> Option<String> {
        let run = &self.app.run;
        let Some(matrix) = self.app.matrix() else {
            return Some(if run.is_under_way() {
                "The images that the network does worst on appear here after the first epoch."
                    .into()
            } else {
                "No epoch was completed.".into()
            });
        };
        let Some(found) = found else {
            return Some(match run.state {
                _ if self.app.looks_on => {
                    "Images are not kept: a run that is watched has none.".into()
                }
                RunState::Failed => "Images are no longer at hand after a failure.".into(),
                _ => "The images are being looked for.".into(),
            });
        };
        let moment = matrix.epoch.map_or_else(|| "at the end".into(), |n| format!("in epoch {n}"));
        match (found.total, found.query.cell) {
            (None, _) => Some(format!(
                "The images {moment} are no longer known. Images are kept for the last evaluations \
                 only."
            )),
            (Some(0), Some((truth, predicted))) if truth == predicted => {
                Some(format!("No {truth} was recognised {moment}."))
            }
            (Some(0), Some((truth, predicted))) => {
                Some(format!("No {truth} was taken for {predicted} {moment}."))
            }
            _ if found.digits.is_empty() => Some("There are no images.".into()),
            _ => None,
        }
    }

    fn title(&self, found: Option<&Found>, area: Rect, buf: &mut Buffer) -> Rect {
        let app = self.app;
        let title = match (found, app.mistakes.cell, app.matrix()) {
            (Some(found), _, Some(_)) if found.total.is_some_and(|total| total > 0) => {
                self.heading(found, area.width)
            }
            (_, Some(cell), Some(matrix)) => {
                format!("{} · {}", cell_name(cell), confusion::name(app, matrix))
            }
            (_, None, Some(matrix)) => format!("Hardest images · {}", confusion::name(app, matrix)),
            (_, _, None) => "Hardest images".to_owned(),
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
        let note = |text| Line::styled(text, self.theme.muted);
        let notes = match found {
            Some(found) if !found.digits.is_empty() => {
                [note("true→taken for, probability, loss"), note("true→taken for")]
            }
            _ => [Line::default(), Line::default()],
        };
        pane::titled(area, buf, self.theme, &title, notes)
    }
}

/// `4 taken for 9` or `4 recognised`.
fn cell_name((truth, predicted): (u8, u8)) -> String {
    if truth == predicted {
        format!("{truth} recognised")
    } else {
        format!("{truth} taken for {predicted}")
    }
}

impl Widget for &Mistakes<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let (theme, mistakes) = (self.theme, &self.app.mistakes);
        let found = mistakes.list();
        let inner = self.title(found, area, buf);
        if let Some(text) = self.missing(found) {
            return pane::empty(inner, buf, theme, &text);
        }
        let Some((found, chosen)) = found.zip(mistakes.chosen()) else { return };
        let detail = Detail {
            place: mistakes.selected + 1,
            of: found.digits.len(),
            set: found.set,
            image: chosen,
        };
        let Some(grid) = Grid::fit(inner) else { return detail.draw_alone(inner, buf, theme) };
        grid.draw(&found.digits, mistakes.selected, buf, theme);
        match grid.side() {
            Some(side) => detail.draw_beside(side, buf, theme),
            None => detail.draw_line(grid.below(), buf, theme),
        }
    }
}

/// What an image was taken for: `4→9`, or `✓ 4` if it was recognised.
fn answer(image: &RankedDigit, theme: &Theme) -> Span<'static> {
    let digit = &image.digit;
    if digit.is_right() {
        Span::styled(format!("✓ {}", digit.label), theme.right)
    } else {
        Span::styled(format!("{}→{}", digit.label, digit.prediction), theme.wrong)
    }
}

#[cfg(test)]
mod tests;
