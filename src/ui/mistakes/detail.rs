//! The chosen image with its figures.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
    widgets::Widget,
};

use super::{Look, history};
use crate::{
    protocol::{ImageHistory, ImageSet, List, RankedDigit},
    ui::{
        digits::{LARGE_COLUMNS, LARGE_ROWS, SMALL_COLUMNS, SMALL_ROWS},
        format, table,
        why::Heat,
    },
};

/// Columns of the figures next to a picture or below one.
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
    /// The steps of its history, and what was made of it after each.
    pub(super) history: Option<(&'a [u64], &'a ImageHistory)>,
    /// The list that it is in.
    pub(super) list: List,
    /// The shades that take the picture's place.
    pub(super) heat: Option<Heat<'a>>,
    pub(super) look: Look<'a>,
}

impl Detail<'_> {
    /// The picture in large above its figures.
    pub(super) fn draw_beside(self, area: Rect, buf: &mut Buffer) {
        let picture = Rect { width: LARGE_COLUMNS, height: LARGE_ROWS - 1, ..area };
        self.draw_picture(picture, buf);
        let top = picture.bottom() + 1;
        let rest = Rect { y: top, height: area.bottom().saturating_sub(top), ..area };
        self.draw_figures(rest, buf);
    }

    /// The picture next to its figures, as large as it fits.
    pub(super) fn draw_alone(self, area: Rect, buf: &mut Buffer) {
        let fits = |columns: u16, rows: u16| area.width >= columns && area.height >= rows;
        let mut used = 0;
        if fits(LARGE_COLUMNS + GAP + FIGURES, LARGE_ROWS - 1) {
            let picture = Rect { width: LARGE_COLUMNS, height: LARGE_ROWS - 1, ..area };
            self.draw_picture(picture, buf);
            used = LARGE_COLUMNS + GAP;
        } else if fits(SMALL_COLUMNS, SMALL_ROWS - 1) {
            let picture = Rect { width: SMALL_COLUMNS, height: SMALL_ROWS - 1, ..area };
            self.draw_picture(picture, buf);
            used = SMALL_COLUMNS + GAP;
        }
        let used = used.min(area.width);
        let width = (area.width - used).min(FIGURES);
        self.draw_figures(Rect { x: area.x + used, width, ..area }, buf);
    }

    fn draw_picture(self, area: Rect, buf: &mut Buffer) {
        match self.heat {
            Some(heat) => heat.render(area, buf),
            None if area.width == LARGE_COLUMNS => {
                self.look.picture(self.image).draw_large(area, buf);
            }
            None => self.look.picture(self.image).draw_small(area, buf),
        }
    }

    /// A row for each figure.
    fn draw_figures(self, area: Rect, buf: &mut Buffer) {
        let digit = &self.image.digit;
        let place = format!("{} of {}", self.place, self.of);
        let verdict = "predicted as";
        let Look { names, theme, .. } = self.look;
        let room = usize::from(area.width).saturating_sub(verdict.len() + 1);
        let name = |class: u8| names.shortened(class.into(), room);
        let truth = name(digit.label);
        let predicted = digit.predicted().map_or_else(|| "—".to_owned(), name);
        // Before a name there is no telling between `a` and `an`.
        let shows = if names.are_digits() { "shows a" } else { "shows" };
        let order = if self.list == List::Hardest { "place by loss" } else { "place" };
        let rows = [
            (order, place, theme.accent),
            (self.set_name(), format::thousands(u64::from(self.image.index)), theme.figure),
            (shows, truth, theme.figure),
            (verdict, predicted, self.look.answer(self.image, 0).style),
            ("probability", format::percent(f64::from(digit.probability)), theme.figure),
            ("loss", format::loss(f64::from(self.image.loss)), theme.figure),
        ];
        for (y, (name, value, style)) in (area.y..area.bottom()).zip(rows) {
            table::left(buf, area.x, y, name, area.width, theme.muted);
            table::right(buf, area.right(), y, &value, style);
        }
        if let Some((_, history)) = self.history {
            let y = area.y.saturating_add(FIGURE_ROWS + 1);
            let rest = Rect { y, height: area.bottom().saturating_sub(y), ..area };
            history::draw(history, digit, self.list, rest, self.look, buf);
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
    pub(super) fn draw_line(self, area: Rect, buf: &mut Buffer) {
        let digit = &self.image.digit;
        let percent = format::percent(f64::from(digit.probability));
        let Look { names, theme, .. } = self.look;
        let index = format::thousands(u64::from(self.image.index));
        let place = format!("{} of {}", self.place, self.of);
        let set = format!("   {} ", self.set_name());
        let loss = format::loss(f64::from(self.image.loss));
        let others = [&place, &set, &index, &percent, &loss].map(|text| table::width(text));
        let gaps = "    at    loss ".len();
        let room = usize::from(area.width).saturating_sub(others.iter().sum::<usize>() + gaps);
        let what = names.answer_in_words(digit, room);
        Line::from(vec![
            Span::styled(place, theme.accent),
            Span::styled(set, theme.muted),
            Span::styled(index, theme.figure),
            Span::styled(format!("   {what}"), self.look.answer(self.image, 0).style),
            Span::styled(" at ", theme.muted),
            Span::styled(percent, theme.figure),
            Span::styled("   loss ", theme.muted),
            Span::styled(loss, theme.figure),
        ])
        .render(area, buf);
        let used = others.iter().sum::<usize>() + gaps + table::width(&what);
        let rest = Rect { x: area.x + used.min(usize::from(area.width)) as u16 + 3, ..area };
        if let Some((_, history)) = self.history.filter(|_| rest.x < area.right()) {
            let rest = Rect { width: area.right() - rest.x, ..rest };
            history::draw_line(history, digit, rest, self.look, buf);
        }
    }
}
