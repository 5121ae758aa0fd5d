//! The images of a step's batch, worst first.

use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
    style::{Modifier, Style},
    text::{Line, Span},
    widgets::Widget,
};

use crate::{
    app::{App, TileSize, Tiles},
    data::DataInfo,
    protocol::{Inspection, RankedDigit},
    ui::{digits, format, names::Names, pane, picture::Picture, theme::Theme},
};

/// The batch with its chosen image.
pub(super) struct Batch<'a> {
    inspection: &'a Inspection,
    selected: usize,
    size: TileSize,
    names: Names<'a>,
    set: &'a DataInfo,
    theme: &'a Theme,
}

/// Most columns between two digits.
const MOST_GAP: u16 = 4;

impl<'a> Batch<'a> {
    pub(super) fn new(
        inspection: &'a Inspection,
        selected: usize,
        app: &'a App,
        theme: &'a Theme,
    ) -> Self {
        let (names, set, size) = (Names::of(app), app.run.set(), app.tile_size);
        Self { inspection, selected, size, names, set, theme }
    }

    /// The place of the chosen image, of how many, and in the training set.
    fn notes(&self) -> [Line<'static>; 2] {
        let known = self.inspection.digits.len();
        let Some(chosen) = self.inspection.digits.get(self.selected) else {
            return [Line::default(), Line::default()];
        };
        let place = format!(
            "{} of {}",
            format::thousands(self.selected as u64 + 1),
            format::thousands(known as u64)
        );
        let index = format!("training image {} · ", format::thousands(u64::from(chosen.index)));
        let figure = |place| Span::styled(place, self.theme.figure);
        let full = vec![Span::styled(index, self.theme.muted), figure(place.clone())];
        [Line::from(full), Line::from(figure(place))]
    }

    fn picture(&self, ranked: &'a RankedDigit) -> Picture<'a> {
        Picture::new(&ranked.digit.pixels, self.set, self.theme)
    }

    fn title(&self) -> String {
        let (known, all) = (self.inspection.digits.len() as u64, self.inspection.images);
        let step = format::thousands(self.inspection.step);
        if known < all {
            let noun = self.names.noun();
            let [known, all] = [known, all].map(format::thousands);
            format!("Worst {known} of {all} {noun}s of step {step}")
        } else if self.names.are_digits() {
            format!("Digits of step {step}, worst first")
        } else {
            format!("Images of step {step}, worst first")
        }
    }

    fn grid(&self, grid: &Grid, buf: &mut Buffer) {
        let area = grid.area;
        let images = self.inspection.digits.iter().enumerate();
        for (place, ranked) in images.skip(grid.first(self.selected)) {
            let Some(all) = grid.cells(place, self.selected) else { break };
            let cells = Rect { height: all.height - 2, ..all };
            let picture = self.picture(ranked);
            if grid.is_large() {
                picture.draw_large(cells.intersection(area), buf);
            } else {
                picture.draw_small(cells.intersection(area), buf);
            }
            self.caption(ranked, place == self.selected, cells, area, buf);
        }
    }

    /// Two rows below a digit: its prediction and its loss.
    fn caption(&self, of: &RankedDigit, chosen: bool, above: Rect, area: Rect, buf: &mut Buffer) {
        let row = |down| Rect { y: above.bottom() + down, height: 1, ..above }.intersection(area);
        digits::caption(&of.digit, self.names, above.width, self.theme).render(row(0), buf);
        let loss = format!(" loss {}", format::loss(f64::from(of.loss)));
        Line::styled(loss, self.theme.muted).render(row(1), buf);
        let caption = if self.names.are_digits() { CAPTION } else { above.width };
        if chosen {
            for row in [row(0), row(1)] {
                buf.set_style(Rect { width: row.width.min(caption), ..row }, MARKED);
            }
            Line::styled("▸", self.theme.accent).render(row(0), buf);
        }
    }

    /// One row a digit, where there is no room for pictures.
    fn list(&self, area: Rect, buf: &mut Buffer) {
        let first = (self.selected + 1).saturating_sub(usize::from(area.height));
        for (place, row) in (first..self.inspection.digits.len()).zip(area.rows()) {
            let ranked = &self.inspection.digits[place];
            let mut line = digits::caption(&ranked.digit, self.names, LIST, self.theme);
            let loss = format!("  loss {:<6}", format::loss(f64::from(ranked.loss)));
            line.push_span(Span::styled(loss, self.theme.muted));
            (&line).render(row, buf);
            if place == self.selected {
                let width = row.width.min(LIST.max(line.width() as u16));
                buf.set_style(Rect { width, ..row }, MARKED);
                Line::styled("▸", self.theme.accent).render(row, buf);
            }
        }
    }

    /// The chosen image by itself, as large as there is room for; false where there is none.
    pub(super) fn render_chosen(&self, area: Rect, buf: &mut Buffer) -> bool {
        let Some(ranked) = self.inspection.digits.get(self.selected) else { return false };
        let huge = (digits::HUGE_COLUMNS, digits::HUGE_ROWS - 1);
        let large = (digits::LARGE_COLUMNS, digits::LARGE_ROWS - 1);
        // Pixel by pixel, for images that are larger.
        let (columns, rows) = (self.set.width(), self.set.height());
        let own = [(2 * columns, rows), (columns, rows.div_ceil(2))]
            .map(|(width, height)| (width.min(1_000) as u16, height.min(1_000) as u16));
        let own = own.into_iter().filter(|size| size.0 >= huge.0 && size.1 >= huge.1);
        // A title above, two lines below.
        let fits = |&(width, height): &(u16, u16)| area.width >= width && area.height >= height + 3;
        let Some((width, height)) = own.chain([huge, large]).find(fits) else { return false };
        let index = format::thousands(u64::from(ranked.index));
        let inner = pane::titled(area, buf, self.theme, &format!("Training image {index}"), []);
        let picture = Rect { width, height, ..inner };
        self.picture(ranked).draw_large(picture, buf);
        let digit = &ranked.digit;
        let room = usize::from(area.width).saturating_sub(3);
        let answer = self.names.answer_in_words(digit, room);
        let (answer, style) = if digit.is_right() {
            (format!(" ✓ {answer}"), self.theme.right)
        } else {
            (format!(" ✗ {answer}"), self.theme.wrong)
        };
        let percent = format::percent(f64::from(digit.probability));
        let loss = format::loss(f64::from(ranked.loss));
        let figures = Line::from(vec![
            Span::styled(" probability ", self.theme.muted),
            Span::styled(percent, self.theme.figure),
            Span::styled("   loss ", self.theme.muted),
            Span::styled(loss, self.theme.figure),
        ]);
        let below = Rect { y: picture.bottom(), height: 1, ..inner };
        Line::styled(answer, style).render(below, buf);
        figures.render(Rect { y: below.y + 1, ..below }, buf);
        true
    }
}

/// Images in rows.
pub(super) struct Grid {
    area: Rect,
    /// Columns and rows of an image with its caption.
    size: (u16, u16),
    columns: u16,
    rows: u16,
    /// Columns between two images.
    gap: u16,
}

impl Grid {
    /// The images that fit into a pane of this area below its title, large ones if they are wanted and
    /// at least two have room; `None` where there is no room for one.
    pub(super) fn fit(area: Rect, size: TileSize) -> Option<Self> {
        let area = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
        let large = Self::of(area, (digits::LARGE_COLUMNS, digits::LARGE_ROWS + 1))
            .filter(|grid| size == TileSize::Large && grid.columns >= 2);
        large.or_else(|| Self::of(area, (digits::SMALL_COLUMNS, digits::SMALL_ROWS + 1)))
    }

    fn of(area: Rect, (width, height): (u16, u16)) -> Option<Self> {
        let columns = area.width / width;
        let rows = area.height / height;
        if columns == 0 || rows == 0 {
            return None;
        }
        let spare = area.width - columns * width;
        // Images that touch each other are hard to tell apart.
        let columns = if spare < columns - 1 { columns - 1 } else { columns };
        let spare = area.width - columns * width;
        let gap = spare.checked_div(columns - 1).unwrap_or(0).min(MOST_GAP);
        Some(Self { area, size: (width, height), columns, rows, gap })
    }

    /// The place of the first image shown: the chosen one is in the last row, or on the first screen.
    fn first(&self, chosen: usize) -> usize {
        let columns = usize::from(self.columns);
        (chosen / columns + 1).saturating_sub(usize::from(self.rows)) * columns
    }

    /// The cells of the image at `place` and its caption; `None` above or below the rows shown.
    fn cells(&self, place: usize, chosen: usize) -> Option<Rect> {
        let shown = place.checked_sub(self.first(chosen))?;
        let columns = usize::from(self.columns);
        let (column, row) = ((shown % columns) as u16, u16::try_from(shown / columns).ok()?);
        let (width, height) = self.size;
        let x = self.area.x + column * (width + self.gap);
        (row < self.rows).then(|| Rect { x, y: self.area.y + row * height, width, height })
    }

    /// The place of the image at this place of the screen, of `count` images.
    pub(super) fn image_at(&self, at: Position, chosen: usize, count: usize) -> Option<usize> {
        let is_at =
            |place: &usize| self.cells(*place, chosen).is_some_and(|cells| cells.contains(at));
        (self.first(chosen)..count).find(is_at)
    }

    pub(super) fn is_large(&self) -> bool {
        self.size.0 == digits::LARGE_COLUMNS
    }

    pub(super) fn tiles(&self) -> Tiles {
        Tiles { columns: self.columns.into(), rows: self.rows.into(), parts: 1 }
    }
}

/// Columns of a digit's caption.
const CAPTION: u16 = digits::SMALL_COLUMNS;
/// Columns of a caption where there is no picture.
const LIST: u16 = digits::LARGE_COLUMNS;
/// The style of the chosen image.
const MARKED: Style = Style::new().add_modifier(Modifier::REVERSED);

impl Widget for &Batch<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        if area.height < 2 {
            return;
        }
        let inner = pane::titled(area, buf, self.theme, &self.title(), self.notes());
        match Grid::fit(area, self.size) {
            Some(grid) => self.grid(&grid, buf),
            None => self.list(inner, buf),
        }
    }
}
