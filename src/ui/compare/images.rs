//! The images that one run of a pair classifies correctly and the other does not.

use ratatui::{
    buffer::Buffer,
    layout::{Constraint, Layout, Rect},
    text::Line,
    widgets::Widget,
};

use super::named;
use crate::{
    compare::{Browser, Comparison, Knowledge},
    protocol::Digit,
    train::{Predicted, Predictions},
    ui::{
        digits::{self, LARGE_COLUMNS, LARGE_ROWS, SMALL_COLUMNS, SMALL_ROWS},
        format,
        names::Names,
        pane,
        picture::Picture,
        theme::Theme,
    },
};

/// Columns between images, and between the two panes.
const GAP: u16 = 2;
/// Rows and columns of a pane from which images are large.
const LARGE: (u16, u16) = (32, 90);

pub(super) fn render(browser: &Browser, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let (one, other) = browser.pair();
    let [left, right] = panes(area);
    render_pane(browser, theme, (one, other), left, buf);
    render_pane(browser, theme, (other, one), right, buf);
}

/// Rows of images shown, and rows in all.
pub(super) fn rows(browser: &Browser, area: Rect) -> (usize, usize) {
    let (one, other) = browser.pair();
    let mut most = (0, 0);
    for (pane, right, wrong) in
        panes(area).into_iter().zip([(one, other), (other, one)]).map(|(pane, (a, b))| (pane, a, b))
    {
        let grid = Grid::fit(Rect { height: pane.height.saturating_sub(1), ..pane });
        let count = browser.comparison.only_right(right, wrong).map_or(0, |images| images.len());
        most = (grid.rows, most.1.max(count.div_ceil(grid.columns.max(1))));
    }
    most
}

fn panes(area: Rect) -> [Rect; 2] {
    if area.width < 2 * (3 * (SMALL_COLUMNS + GAP)) + GAP {
        return Layout::vertical([Constraint::Fill(1), Constraint::Fill(1)]).areas(area);
    }
    Layout::horizontal([Constraint::Fill(1), Constraint::Fill(1)]).spacing(GAP).areas(area)
}

/// Images in rows.
struct Grid {
    area: Rect,
    large: bool,
    columns: usize,
    rows: usize,
}

impl Grid {
    fn fit(area: Rect) -> Self {
        let large = area.height >= LARGE.0 && area.width >= LARGE.1;
        let mut grid = Self { area, large, columns: 0, rows: 0 };
        let (width, height) = grid.pitch();
        grid.columns = usize::from((area.width + GAP) / width);
        grid.rows = usize::from(area.height / height);
        grid
    }

    /// Columns and rows from one image to the next.
    fn pitch(&self) -> (u16, u16) {
        if self.large {
            (LARGE_COLUMNS + GAP, LARGE_ROWS)
        } else {
            (SMALL_COLUMNS + GAP, SMALL_ROWS)
        }
    }

    /// The places of the images, row by row.
    fn places(&self) -> impl Iterator<Item = Rect> {
        let (width, height) = self.pitch();
        let (x, y) = (self.area.x, self.area.y);
        let columns = self.columns as u16;
        (0..self.rows as u16).flat_map(move |row| {
            (0..columns).map(move |column| Rect {
                x: x + column * width,
                y: y + row * height,
                width: width - GAP,
                height: height - 1,
            })
        })
    }
}

fn render_pane(
    browser: &Browser,
    theme: &Theme,
    (right, wrong): (usize, usize),
    area: Rect,
    buf: &mut Buffer,
) {
    let comparison = &browser.comparison;
    let found = comparison.only_right(right, wrong);
    let [one, other] = [right, wrong].map(Comparison::letter);
    let pair = format!("{one} right, {other} wrong");
    let title = match &found {
        Ok(images) => {
            let count = format::thousands(images.len() as u64);
            format!("{pair} · {count}")
        }
        Err(_) => pair,
    };
    let room = usize::from(area.width).saturating_sub(title.chars().count() + 4);
    let note = Line::from(named(browser, theme, right, room).to_vec());
    let inner = pane::titled(area, buf, theme, &title, [note]);
    let images = match found {
        Ok(images) => images,
        Err(reason) => return pane::empty(inner, buf, theme, &format!("No images: {reason}.")),
    };
    let (Knowledge::Known(predictions), Ok(predicted)) =
        (&comparison.predictions, comparison.predicted(wrong))
    else {
        return;
    };
    if images.is_empty() {
        return pane::empty(inner, buf, theme, &format!("{other} is right wherever {one} is."));
    }
    let grid = Grid::fit(inner);
    if grid.rows == 0 {
        let missing = SMALL_ROWS - inner.height;
        return pane::empty(inner, buf, theme, &format!("Images need {missing} more rows here."));
    }
    let last = images.len().div_ceil(grid.columns.max(1)).saturating_sub(grid.rows);
    let first = browser.top.min(last) * grid.columns;
    for (place, &image) in grid.places().zip(images.iter().skip(first)) {
        draw_image(predictions, predicted, image, place, grid.large, theme, buf);
    }
}

fn draw_image(
    predictions: &Predictions,
    predicted: &Predicted,
    image: usize,
    place: Rect,
    large: bool,
    theme: &Theme,
    buf: &mut Buffer,
) {
    let pixels = predictions.images.image(image);
    let picture = Picture::new(pixels, &predictions.info, theme);
    if large {
        picture.draw_large(place, buf);
    } else {
        picture.draw_small(place, buf);
    }
    let digit = Digit {
        pixels: Vec::new(),
        label: predictions.images.label(image),
        prediction: predicted.classes[image],
        probability: predicted.probabilities[image],
    };
    let below = Rect { y: place.bottom(), height: 1, ..place };
    let names = Names::of_set(&predictions.info);
    digits::caption(&digit, names, place.width, theme).render(below, buf);
}
