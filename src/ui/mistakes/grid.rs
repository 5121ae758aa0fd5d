//! Rows of digits with their captions.

use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
    style::Modifier,
    text::{Line, Span},
    widgets::Widget,
};

use super::{Look, detail::FIGURE_ROWS, lists};
use crate::{
    app::{TileSize, Tiles},
    protocol::{Found, RankedDigit},
    ui::{
        digits::{LARGE_COLUMNS, LARGE_ROWS, SMALL_COLUMNS, SMALL_ROWS},
        format,
        names::Names,
        table,
        why::Heat,
    },
};

/// Columns for the bar left of the chosen digit.
const BAR: u16 = 1;
/// Columns of the pane for the chosen image.
const SIDE: u16 = LARGE_COLUMNS;
/// Columns between the digits and that pane.
const SIDE_GAP: u16 = 4;
/// Columns of a name up to which a small caption has room for all figures.
const LABEL: usize = 1;
/// Fewer small images in a row say less than the chosen one with its figures.
const LEAST_SMALL: u16 = 5;
/// ... and fewer large ones.
const LEAST_LARGE: u16 = 2;

/// Images in rows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grid {
    area: Rect,
    /// Columns and rows from one digit to the next.
    pitch: (u16, u16),
    columns: u16,
    rows: u16,
    large: bool,
    side: Option<Rect>,
}

impl Grid {
    /// As many digits as come in whole rows, large ones if they are wanted; `None` where there is no
    /// room for enough of them.
    pub(super) fn fit(area: Rect, size: TileSize) -> Option<Self> {
        let large = size == TileSize::Large;
        let (width, height, least) = if large {
            (BAR + LARGE_COLUMNS, LARGE_ROWS, LEAST_LARGE)
        } else {
            (BAR + SMALL_COLUMNS, SMALL_ROWS, LEAST_SMALL)
        };
        // One row below is for the chosen image's figures, unless they are at the side.
        let has_side = area.width >= least * width + SIDE_GAP + SIDE
            && area.height >= LARGE_ROWS + FIGURE_ROWS;
        let rows = (area.height - u16::from(!has_side && area.height > 0)) / height;
        let room = area.width - if has_side { SIDE_GAP + SIDE } else { 0 };
        let columns = room / width;
        if columns < least || rows == 0 {
            return None;
        }
        // The columns and rows left over go between the images, a few each.
        let gap = (room / columns - width).min(4);
        let spare = (area.height - u16::from(!has_side) - rows * height) / rows;
        let pitch = (width + gap, height + spare.min(if large { 2 } else { 1 }));
        let side = has_side.then(|| Rect {
            x: area.x + columns * pitch.0 + SIDE_GAP,
            width: SIDE,
            ..area
        });
        Some(Self { area, pitch, columns, rows, large, side })
    }

    pub(super) fn tiles(self) -> Tiles {
        Tiles { columns: self.columns.into(), rows: self.rows.into(), parts: 1 }
    }

    /// `4→9  98 % 6.21` below a small image, or the same with words below a large one. Where
    /// names need the room, words go first, and the probability next.
    fn caption(self, image: &RankedDigit, note: Option<String>, look: Look<'_>) -> Line<'static> {
        let percent = format::short_percent(f64::from(image.digit.probability));
        let loss = format::short_loss(f64::from(image.loss));
        let has_words = self.large && look.names.widest() <= LABEL;
        let text = if let Some(note) = note {
            format!(" {note}")
        } else if has_words {
            format!("   {percent:>3} %   loss {loss:>4}")
        } else if self.has_probability(look.names) {
            format!(" {percent:>3} % {loss:>4}")
        } else {
            format!(" {loss:>4}")
        };
        let width = if self.large { LARGE_COLUMNS } else { SMALL_COLUMNS };
        let room = usize::from(width).saturating_sub(table::width(&text));
        let room = room.min(2 * look.names.widest() + 1);
        let mut answer = look.answer(image, room);
        answer.content = table::padded(answer.content.into_owned(), room).into();
        Line::from(vec![answer, Span::styled(text, look.theme.muted)])
    }

    /// Whether captions have the probability: with names longer than a letter, only large ones do.
    pub(super) fn has_probability(self, names: Names<'_>) -> bool {
        self.large || names.widest() <= LABEL
    }

    /// The area for the chosen image in large.
    pub(super) fn side(self) -> Option<Rect> {
        self.side
    }

    /// Columns and rows of an image with its caption.
    fn size(self) -> (u16, u16) {
        if self.large { (LARGE_COLUMNS, LARGE_ROWS) } else { (SMALL_COLUMNS, SMALL_ROWS) }
    }

    /// The last row.
    pub(super) fn below(self) -> Rect {
        Rect { y: self.area.bottom() - 1, height: 1, ..self.area }
    }

    /// Place of the first image of the rows about the chosen one.
    fn first(self, chosen: usize, count: usize) -> usize {
        let columns = usize::from(self.columns);
        let (rows, row) = (usize::from(self.rows), chosen / columns);
        row.saturating_sub(rows / 2).min(count.div_ceil(columns).saturating_sub(rows)) * columns
    }

    /// Where the image at `place` stands; `None` above or below the rows shown.
    fn corner(self, place: usize, chosen: usize, count: usize) -> Option<(u16, u16)> {
        let shown = place.checked_sub(self.first(chosen, count))?;
        let columns = usize::from(self.columns);
        if place >= count || shown >= columns * usize::from(self.rows) {
            return None;
        }
        let (column, row) = ((shown % columns) as u16, (shown / columns) as u16);
        Some((self.area.x + column * self.pitch.0, self.area.y + row * self.pitch.1))
    }

    /// The place of the image at this place of the screen.
    pub(super) fn image_at(self, at: Position, chosen: usize, count: usize) -> Option<usize> {
        let first = self.first(chosen, count);
        (first..count).find(|&place| {
            self.corner(place, chosen, count).is_some_and(|(x, y)| {
                Rect { x, y, width: self.pitch.0, height: self.pitch.1 }.contains(at)
            })
        })
    }

    /// Draws the rows about the chosen image.
    pub(super) fn draw(
        self,
        found: &Found,
        chosen: usize,
        heat: Option<Heat<'_>>,
        look: Look<'_>,
        buf: &mut Buffer,
    ) {
        let images = &found.digits;
        for (place, image) in images.iter().enumerate().skip(self.first(chosen, images.len())) {
            let Some((x, y)) = self.corner(place, chosen, images.len()) else { break };
            let caption = self.caption(image, lists::note(found, place), look);
            self.draw_image(image, (x, y), caption, place == chosen, look, buf);
            if let Some(heat) = heat.filter(|_| place == chosen) {
                let (width, height) = self.size();
                heat.render(Rect { x: x + BAR, y, width, height: height - 1 }, buf);
            }
        }
    }

    fn draw_image(
        self,
        image: &RankedDigit,
        (x, y): (u16, u16),
        mut caption: Line<'static>,
        chosen: bool,
        look: Look<'_>,
        buf: &mut Buffer,
    ) {
        let (width, height) = self.size();
        let picture = Rect { x: x + BAR, y, width, height: height - 1 };
        if self.large {
            look.picture(image).draw_large(picture, buf);
        } else {
            look.picture(image).draw_small(picture, buf);
        }
        if chosen {
            for row in y..y + height {
                buf.set_string(x, row, "▌", look.theme.accent);
            }
            caption = caption.patch_style(Modifier::REVERSED);
        }
        let place = Rect { x: x + BAR, y: picture.bottom(), width, height: 1 };
        caption.render(place, buf);
    }
}
