//! The chosen image with all that is known of it.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
    widgets::Widget,
};

use super::answer;
use crate::{
    protocol::{ImageSet, RankedDigit},
    ui::{
        digits::{self, LARGE_COLUMNS, LARGE_ROWS, SMALL_COLUMNS, SMALL_ROWS},
        format, table,
        theme::Theme,
    },
};

/// Columns of the figures where they stand beside a picture or below one.
const FIGURES: u16 = LARGE_COLUMNS;
/// Rows of the figures.
pub(super) const FIGURE_ROWS: u16 = 6;
/// Columns between a picture and its figures.
const GAP: u16 = 3;

/// An image of the list.
#[derive(Clone, Copy, Debug)]
pub(super) struct Detail<'a> {
    /// Its place in the list, from 1.
    pub(super) place: usize,
    /// Images of the list.
    pub(super) of: usize,
    /// The set that it comes from.
    pub(super) set: ImageSet,
    pub(super) image: &'a RankedDigit,
}

impl Detail<'_> {
    /// The picture in large above its figures.
    pub(super) fn draw_beside(self, area: Rect, buf: &mut Buffer, theme: &Theme) {
        let picture = Rect { width: LARGE_COLUMNS, height: LARGE_ROWS - 1, ..area };
        digits::draw_large(&self.image.digit, picture, buf, theme);
        let top = picture.bottom() + 1;
        let rest = Rect { y: top, height: area.bottom().saturating_sub(top), ..area };
        self.draw_figures(rest, buf, theme);
    }

    /// The picture beside its figures, as large as it fits.
    pub(super) fn draw_alone(self, area: Rect, buf: &mut Buffer, theme: &Theme) {
        let fits = |columns: u16, rows: u16| area.width >= columns && area.height >= rows;
        let mut used = 0;
        if fits(LARGE_COLUMNS + GAP + FIGURES, LARGE_ROWS - 1) {
            let picture = Rect { width: LARGE_COLUMNS, height: LARGE_ROWS - 1, ..area };
            digits::draw_large(&self.image.digit, picture, buf, theme);
            used = LARGE_COLUMNS + GAP;
        } else if fits(SMALL_COLUMNS, SMALL_ROWS - 1) {
            let picture = Rect { width: SMALL_COLUMNS, height: SMALL_ROWS - 1, ..area };
            digits::draw_small(&self.image.digit, picture, buf, theme);
            used = SMALL_COLUMNS + GAP;
        }
        let used = used.min(area.width);
        let width = (area.width - used).min(FIGURES);
        self.draw_figures(Rect { x: area.x + used, width, ..area }, buf, theme);
    }

    /// A row for each figure.
    fn draw_figures(self, area: Rect, buf: &mut Buffer, theme: &Theme) {
        let digit = &self.image.digit;
        let place = format!("{} of {}", self.place, self.of);
        let verdict = if digit.is_right() { "recognised as" } else { "taken for" };
        let rows = [
            ("place by loss", place, theme.accent),
            (self.set_name(), format::thousands(u64::from(self.image.index)), theme.figure),
            ("shows a", digit.label.to_string(), theme.figure),
            (verdict, digit.prediction.to_string(), answer(self.image, theme).style),
            ("probability", format::percent(f64::from(digit.probability)), theme.figure),
            ("loss", format::loss(f64::from(self.image.loss)), theme.figure),
        ];
        for (y, (name, value, style)) in (area.y..area.bottom()).zip(rows) {
            table::left(buf, area.x, y, name, area.width, theme.muted);
            table::right(buf, area.right(), y, &value, style);
        }
    }

    fn set_name(self) -> &'static str {
        match self.set {
            ImageSet::Train => "training image",
            ImageSet::Validation => "validation image",
            ImageSet::Test => "test image",
        }
    }

    /// Everything in one row.
    pub(super) fn draw_line(self, area: Rect, buf: &mut Buffer, theme: &Theme) {
        let digit = &self.image.digit;
        let percent = format::percent(f64::from(digit.probability));
        let what = if digit.is_right() {
            format!("{} recognised", digit.label)
        } else {
            format!("{} taken for {}", digit.label, digit.prediction)
        };
        let index = format::thousands(u64::from(self.image.index));
        Line::from(vec![
            Span::styled(format!("{} of {}", self.place, self.of), theme.accent),
            Span::styled(format!("   {} ", self.set_name()), theme.muted),
            Span::styled(index, theme.figure),
            Span::styled(format!("   {what}"), answer(self.image, theme).style),
            Span::styled(" at ", theme.muted),
            Span::styled(percent, theme.figure),
            Span::styled("   loss ", theme.muted),
            Span::styled(format::loss(f64::from(self.image.loss)), theme.figure),
        ])
        .render(area, buf);
    }
}
