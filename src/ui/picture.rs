//! Images of any size in block characters.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::{Color, Style},
};

use super::theme::Theme;
use crate::data::DataInfo;

/// Ink from which a pixel counts as set where there are no shades.
const INK: u8 = 100;

/// Quadrants as bits: upper left 0, upper right 1, lower left 2, lower right 3.
pub(super) const QUADRANTS: [&str; 16] =
    [" ", "▘", "▝", "▀", "▖", "▌", "▞", "▛", "▗", "▚", "▐", "▜", "▄", "▙", "▟", "█"];

/// Grey values to be drawn into an area: magnified by a whole number, or reduced to its size, with
/// the mean of what falls together.
#[derive(Clone, Copy, Debug)]
pub(super) struct Picture<'a> {
    pixels: &'a [u8],
    channels: usize,
    height: usize,
    width: usize,
    theme: &'a Theme,
}

impl<'a> Picture<'a> {
    /// An image of a set, `[channels, height, width]`.
    pub(super) fn new(pixels: &'a [u8], set: &DataInfo, theme: &'a Theme) -> Self {
        let [channels, height, width] = set.shape.map(|length| length.max(1));
        Self { pixels, channels, height, width, theme }
    }

    /// Columns and rows of the image in a grid of this many squares.
    fn fitted(&self, columns: usize, rows: usize) -> (usize, usize) {
        let (width, height) = (self.width, self.height);
        let times = (columns / width).min(rows / height);
        if times > 0 {
            (times * width, times * height)
        } else if width * rows > height * columns {
            (columns, (height * columns / width).max(1))
        } else {
            ((width * rows / height).max(1), rows)
        }
    }

    /// Whether pixels fall together where two a row and one a column have this area.
    pub(super) fn is_reduced(&self, area: Rect) -> bool {
        self.width > usize::from(area.width) || self.height > 2 * usize::from(area.height)
    }

    /// The mean over the channels; 0 outside.
    fn grey(&self, x: usize, y: usize) -> usize {
        let plane = self.width * self.height;
        let place = y * self.width + x;
        let values =
            (0..self.channels).filter_map(|channel| self.pixels.get(channel * plane + place));
        values.map(|&value| usize::from(value)).sum::<usize>() / self.channels
    }

    /// The mean of what a pixel at (x, y) covers where the image has this size; 0 outside.
    fn mean(&self, (x, y): (usize, usize), (columns, rows): (usize, usize)) -> u8 {
        if x >= columns || y >= rows {
            return 0;
        }
        let mut sum = 0;
        for (row, height) in covered(y, rows, self.height) {
            for (column, width) in covered(x, columns, self.width) {
                sum += height * width * self.grey(column, row);
            }
        }
        (sum / (self.width * self.height)) as u8
    }

    /// One pixel a column and two a row: the upper half block over a background.
    pub(super) fn draw_large(&self, area: Rect, buf: &mut Buffer) {
        let size = self.fitted(usize::from(area.width), 2 * usize::from(area.height));
        for (column, row) in cells(area, size.0, size.1.div_ceil(2)) {
            let (x, y) = (usize::from(column), 2 * usize::from(row));
            let [upper, lower] = [y, y + 1].map(|y| self.mean((x, y), size));
            let (symbol, style) = match (self.theme.ink(upper), self.theme.ink(lower)) {
                (Some(upper), Some(lower)) => shaded("▀", upper, lower),
                _ => (without_colours(upper, lower), Style::new()),
            };
            put(buf, (area.x + column, area.y + row), symbol, style);
        }
    }

    /// Two by four pixels a cell: quadrants of one by two, in two shades.
    pub(super) fn draw_small(&self, area: Rect, buf: &mut Buffer) {
        let (columns, rows) =
            self.fitted(2 * usize::from(area.width), 4 * usize::from(area.height));
        let size = (columns, rows.div_ceil(2));
        for (column, row) in cells(area, columns.div_ceil(2), rows.div_ceil(4)) {
            let (x, y) = (2 * usize::from(column), 2 * usize::from(row));
            let values = [(x, y), (x + 1, y), (x, y + 1), (x + 1, y + 1)];
            let (symbol, style) =
                two_shades(values.map(|place| self.mean(place, size)), self.theme);
            put(buf, (area.x + column, area.y + row), symbol, style);
        }
    }
}

/// The pixels that one of `parts` covers of `all`, each with how much of it in parts of a pixel.
fn covered(part: usize, parts: usize, all: usize) -> impl Iterator<Item = (usize, usize)> {
    let (start, end) = (part * all, (part + 1) * all);
    (start / parts..end.div_ceil(parts)).map(move |place| {
        let (from, to) = (start.max(place * parts), end.min((place + 1) * parts));
        (place, to - from)
    })
}

/// Columns and rows of an area's cells up to these.
fn cells(area: Rect, columns: usize, rows: usize) -> impl Iterator<Item = (u16, u16)> {
    let columns = area.width.min(columns.min(usize::from(u16::MAX)) as u16);
    let rows = area.height.min(rows.min(usize::from(u16::MAX)) as u16);
    (0..rows).flat_map(move |row| (0..columns).map(move |column| (column, row)))
}

/// Two pixels above each other: which of them is ink or, where both or none are, how much of it.
fn without_colours(upper: u8, lower: u8) -> &'static str {
    match (upper >= INK, lower >= INK) {
        (true, false) => "▀",
        (false, true) => "▄",
        _ => shade(upper.midpoint(lower)),
    }
}

/// A character that is as dense as ink of 0..=255.
fn shade(ink: u8) -> &'static str {
    match ink {
        ..16 => " ",
        16..64 => "░",
        64..128 => "▒",
        128..200 => "▓",
        200.. => "█",
    }
}

/// The quadrant character that parts bright from dark, in the mean shades of both.
fn two_shades(values: [u8; 4], theme: &Theme) -> (&'static str, Style) {
    let (low, high) =
        (values.iter().min().copied().unwrap_or(0), values.iter().max().copied().unwrap_or(0));
    let bits = |threshold: u8| {
        values.iter().enumerate().fold(0, |bits, (i, &v)| bits | usize::from(v > threshold) << i)
    };
    if theme.ink(0).is_none() {
        let mean = values.iter().map(|&value| u32::from(value)).sum::<u32>() / 4;
        let symbol = match bits(INK) {
            0 => shade(mean as u8),
            bits => QUADRANTS[bits],
        };
        return (symbol, Style::new());
    }
    let middle = low + (high - low) / 2;
    let mean = |bright: bool| {
        let side = values.iter().filter(|&&v| (v > middle) == bright).map(|&v| u32::from(v));
        let (sum, n) = side.fold((0, 0), |(sum, n), v| (sum + v, n + 1));
        theme.ink(sum.checked_div(n).unwrap_or(0) as u8).unwrap_or(Color::Reset)
    };
    let (bright, dark) = (mean(true), mean(false));
    if high == low {
        shaded(" ", dark, dark)
    } else {
        shaded(QUADRANTS[bits(middle)], bright, dark)
    }
}

/// A cell of one shade is a space: it costs no foreground.
fn shaded(symbol: &'static str, fg: Color, bg: Color) -> (&'static str, Style) {
    if fg == bg { (" ", Style::new().bg(bg)) } else { (symbol, Style::new().fg(fg).bg(bg)) }
}

fn put(buf: &mut Buffer, at: (u16, u16), symbol: &str, style: Style) {
    if let Some(cell) = buf.cell_mut(at) {
        cell.set_symbol(symbol).set_style(style);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ui::Depth;

    fn set(height: usize, width: usize) -> DataInfo {
        DataInfo { shape: [1, height, width], ..DataInfo::mnist() }
    }

    #[test]
    fn without_colours_faint_ink_is_shaded_and_edges_stay_sharp() {
        let drawn = |pixels: &[u8], depth| {
            let theme = Theme::new(depth);
            let mut buf = Buffer::empty(Rect::new(0, 0, 4, 1));
            Picture::new(pixels, &set(2, 4), &theme).draw_large(buf.area, &mut buf);
            buf.content().iter().map(|cell| cell.symbol().to_owned()).collect::<String>()
        };
        for depth in [Depth::None, Depth::Basic] {
            assert_eq!(drawn(&[0, 50, 90, 150, 0, 50, 90, 150], depth), " ░▒▓");
            assert_eq!(drawn(&[255, 255, 0, 40, 255, 0, 255, 10], depth), "█▀▄░");
        }
    }

    #[test]
    fn an_image_is_magnified_by_a_whole_number_or_reduced_to_the_area() {
        let theme = Theme::new(Depth::None);
        for ((height, width), (columns, rows), expected) in [
            ((28, 28), (28, 28), (28, 28)),
            ((28, 28), (56, 57), (56, 56)),
            ((8, 8), (28, 28), (24, 24)),
            ((64, 64), (28, 28), (28, 28)),
            ((64, 32), (28, 28), (14, 28)),
            ((8, 64), (28, 28), (28, 3)),
        ] {
            let set = set(height, width);
            let fitted = Picture::new(&[], &set, &theme).fitted(columns, rows);
            assert_eq!(fitted, expected, "{height}×{width} into {rows}×{columns}");
        }
    }

    #[test]
    fn what_falls_together_is_averaged_and_nothing_is_lost() {
        let theme = Theme::new(Depth::None);
        let set = set(4, 4);
        let pixels: Vec<u8> = (0..16).map(|place| 10 * place).collect();
        let picture = Picture::new(&pixels, &set, &theme);
        assert_eq!(picture.mean((0, 0), (2, 2)), 25);
        assert_eq!(picture.mean((1, 1), (2, 2)), 125);
        assert_eq!(picture.mean((0, 0), (1, 1)), 75);
        assert_eq!(picture.mean((3, 5), (8, 8)), picture.mean((1, 2), (4, 4)));
        // A third of four pixels is one and a third.
        assert_eq!(picture.mean((0, 0), (3, 4)), 2);
        assert_eq!(picture.mean((4, 0), (4, 4)), 0, "outside");
    }

    #[test]
    fn an_image_of_three_channels_is_drawn_by_their_mean() {
        let theme = Theme::new(Depth::None);
        let set = DataInfo { shape: [3, 1, 2], ..DataInfo::mnist() };
        let picture = Picture::new(&[0, 30, 60, 90, 120, 150], &set, &theme);
        assert_eq!([picture.grey(0, 0), picture.grey(1, 0)], [60, 90]);
    }

    proptest! {
        #[test]
        fn any_image_is_drawn_into_any_area(
            height in 1_usize..70,
            width in 1_usize..70,
            columns in 0_u16..90,
            rows in 0_u16..50,
            shades in any::<bool>(),
        ) {
            let theme = Theme::new(if shades { Depth::Indexed } else { Depth::None });
            let (set, pixels) = (set(height, width), vec![255; height * width]);
            let picture = Picture::new(&pixels, &set, &theme);
            let area = Rect::new(0, 0, columns, rows);
            for draw in [Picture::draw_large, Picture::draw_small] {
                let mut buf = Buffer::empty(area);
                draw(&picture, area, &mut buf);
                let drawn = buf.content().iter().filter(|cell| {
                    cell.symbol() != " " || cell.bg != Color::Reset
                });
                prop_assert_eq!(drawn.count() == 0, area.is_empty());
            }
        }
    }
}
