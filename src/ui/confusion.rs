//! Confusion matrix of an evaluation, with the figures it gives.

mod condensed;
mod cursor;
mod figures;
mod fit;
mod grid;
mod history;

use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
    text::{Line, Span},
    widgets::Widget,
};

use super::{format::thousands, names::Names, pane, theme::Theme};
use crate::{
    app::{Action, App, Matrix},
    keymap,
};
use figures::PAIR_LINES;
use fit::Layout;
use grid::Grid;

/// The matrix and its figures.
#[derive(Debug)]
pub(super) struct Confusion<'a> {
    app: &'a App,
    theme: &'a Theme,
    full: bool,
    history: bool,
}

/// Which evaluation it is: `test, epoch 7`, or `‖ test, epoch 3 of 7` if it is pinned.
pub(super) fn name(app: &App, matrix: Matrix<'_>) -> String {
    format!("{}{}, {}", pin(app), matrix.evaluation.set.name(), moment(app, matrix))
}

/// A sign in front of what is pinned.
pub(super) fn pin(app: &App) -> &'static str {
    if app.is_pinned() { "‖ " } else { "" }
}

/// When an evaluation was made: `epoch 7`, pinned `epoch 3 of 7`, or `step 2,900` within an epoch.
pub(super) fn moment(app: &App, matrix: Matrix<'_>) -> String {
    match (matrix.epoch, app.epochs.last()) {
        (None, _) => "at the end".to_owned(),
        (Some(0), _) => "before training".to_owned(),
        _ if matrix.is_partial => format!("step {}", thousands(matrix.step)),
        (Some(epoch), Some(last)) if app.is_pinned() => format!("epoch {epoch} of {}", last.epoch),
        (Some(epoch), _) => format!("epoch {epoch}"),
    }
}

/// Keys that lead on from a pinned evaluation, with what they do.
pub(super) fn ways_on(theme: &Theme, ways: &[(&[Action], &str)]) -> Line<'static> {
    let mut line = Line::default();
    for (place, (actions, name)) in ways.iter().enumerate() {
        let keys = actions.iter().filter_map(|&action| Some(keymap::hint(action)?.0));
        let gap = if place > 0 { "  " } else { "" };
        let keys = format!("{gap}{}", keys.collect::<Vec<_>>().join(" "));
        line.push_span(Span::styled(keys, theme.key));
        line.push_span(Span::styled(format!(" {name}"), theme.muted));
    }
    line
}

/// To other evaluations.
pub(super) const SCRUB: (&[Action], &str) =
    (&[Action::OlderMatrix, Action::NewerMatrix], "other epochs");
/// Back to the newest evaluation.
const NEWEST: (&[Action], &str) = (&[Action::Dismiss], "newest");

impl<'a> Confusion<'a> {
    pub(super) fn new(app: &'a App, theme: &'a Theme) -> Self {
        Self { app, theme, full: false, history: false }
    }

    /// As a view of its own: with a cursor and, where they fit, a table of per-class figures and the
    /// recall after each epoch.
    pub(super) fn in_full(self) -> Self {
        Self { full: true, ..self }
    }

    /// With the accuracy of the last epochs as a row of bars, where it has no chart of its own.
    pub(super) fn with_history(self, history: bool) -> Self {
        Self { history, ..self }
    }

    /// The matrix in an area below the title, if it fits, and true and predicted class of the chosen
    /// cell.
    fn grid(&self, matrix: Matrix<'_>, inner: Rect) -> (Option<Grid>, (usize, usize)) {
        let confusion = &matrix.evaluation.confusion;
        let classes = confusion.classes();
        let (truth, predicted) = self.app.mistakes.cursor;
        let [truth, predicted] =
            [truth, predicted].map(|class| usize::from(class).min(classes - 1));
        let cursor = (truth, predicted);
        let support = (0..classes).map(|class| confusion.support(class)).max().unwrap_or(0);
        let layout = Layout { names: Names::of(self.app), classes, support, cursor };
        let grid = layout.whole(inner, self.full);
        (grid.or_else(|| if self.full { layout.part(inner) } else { None }), cursor)
    }

    /// Where the part that is shown is, and how to see the rest.
    fn draw_part(&self, part: &str, area: Rect, buf: &mut Buffer) {
        let part = Line::styled(part.to_owned(), self.theme.accent);
        let rest = Span::styled(" · arrows show the rest", self.theme.muted);
        let has_room = part.width() + rest.width() <= usize::from(area.width);
        let mut line = part;
        if has_room {
            line.push_span(rest);
        }
        line.render(area, buf);
    }

    fn title(&self, matrix: Matrix<'_>, area: Rect, buf: &mut Buffer) -> Rect {
        let title = format!("Confusion · {}", name(self.app, matrix));
        if self.app.is_pinned() {
            let notes = [&[SCRUB, NEWEST] as &[_], &[NEWEST]].map(|ways| ways_on(self.theme, ways));
            return pane::titled(area, buf, self.theme, &title, notes);
        }
        let note = |text: String| Line::styled(text, self.theme.muted);
        let class = class(self.app);
        let notes = [
            note(format!("rows: true {class}, columns: predicted")),
            note("true ↓  predicted →".to_owned()),
        ];
        pane::titled(area, buf, self.theme, &title, notes)
    }
}

/// True and predicted class of the cell at a place of the pane.
pub(super) fn cell_at(
    app: &App,
    theme: &Theme,
    area: Rect,
    at: Position,
    full: bool,
) -> Option<(u8, u8)> {
    let below_title = Rect { y: area.y + 1, height: area.height.checked_sub(1)?, ..area };
    let pane = Confusion { full, ..Confusion::new(app, theme) };
    let grid = pane.grid(app.matrix()?, below_title).0?;
    let (truth, predicted) = grid.cell_at(at)?;
    Some((u8::try_from(truth).ok()?, u8::try_from(predicted).ok()?))
}

/// The word for a class.
fn class(app: &App) -> &'static str {
    if Names::of(app).are_digits() { "digit" } else { "class" }
}

impl Widget for &Confusion<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let (app, theme) = (self.app, self.theme);
        let Some(matrix) = app.matrix() else {
            let inner = pane::titled(area, buf, theme, "Confusion", []);
            let text = if app.run.is_under_way() {
                "The confusion matrix appears after epoch 1.".to_owned()
            } else {
                "There is no confusion matrix: the run ended before its first evaluation."
                    .to_owned()
            };
            return pane::empty(inner, buf, theme, &text);
        };
        let inner = self.title(matrix, area, buf);
        let confusion = &matrix.evaluation.confusion;
        let names = Names::of(app);
        let mut below = inner;
        let (grid, cursor) = self.grid(matrix, inner);
        if grid.is_none() && !self.full {
            below = rest(inner, condensed::draw(confusion, inner, PAIR_LINES + 1, buf, theme));
        }
        if let Some(grid) = &grid {
            grid.draw(confusion, buf, theme);
            let mut used = grid.bottom() + 1 - inner.y;
            let part = grid.part();
            if grid.has_errors() && part.is_none() {
                if self.history && inner.y + used < inner.bottom() {
                    let row = Rect { y: inner.y + used, height: 1, ..inner };
                    self.draw_history(row, buf);
                }
                used += 1;
            }
            if let Some(part) = part.filter(|_| inner.y + used < inner.bottom()) {
                let row = Rect { y: inner.y + used, height: 1, ..inner };
                self.draw_part(&part, row, buf);
                used += 1;
            }
            below = rest(inner, used);
        }
        if self.full {
            if let Some(grid) = &grid {
                history::draw(grid, app, inner.right(), buf, theme);
                cursor::mark(grid, cursor, buf, theme);
            }
            let line = cursor::line(confusion, names, cursor, below.width, theme);
            if below.height > 0 {
                line.render(Rect { height: 1, ..below }, buf);
            }
            // A row between the cursor's line and the figures of all, where there is one to spare.
            below = rest(below, if below.height > 3 { 2 } else { 1 });
        }
        self.figures(matrix.evaluation, below, buf);
        if grid.is_some_and(|grid| grid.has_errors()) && below.height > PAIR_LINES + 1 {
            let legend = Line::from(vec![
                Span::styled("true ↓  predicted →  ", theme.muted),
                Span::styled("✗", theme.wrong),
                Span::styled(" errors", theme.muted),
            ]);
            legend.render(Rect { y: inner.bottom() - 1, height: 1, ..inner }, buf);
        }
    }
}

/// The area below its first `rows` rows.
fn rest(area: Rect, rows: u16) -> Rect {
    let rows = rows.min(area.height);
    Rect { y: area.y + rows, height: area.height - rows, ..area }
}

#[cfg(test)]
mod tests;
