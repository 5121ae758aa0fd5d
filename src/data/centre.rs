//! How MNIST brings a drawing into its field of 28×28 pixels.
//!
//! Its makers scaled each digit to fit a box of 20×20 pixels, keeping its proportions, which made
//! greys of the edges, and laid the box so that the ink's centre of mass came to the middle of the
//! field: <http://yann.lecun.com/exdb/mnist/>.

use std::ops::Range;

use super::SIDE;

/// Most pixels along each side of the ink.
pub const BOX: usize = 20;

/// The ink of `image`, rows of `width` grey values of which 0 is none, as MNIST would have it:
/// 28 rows of 28 grey values. No ink stays none.
///
/// Where the centre of mass lies so far out that ink would be lost, the box is laid as near to the
/// middle as all of it stays inside.
pub fn centre(image: &[u8], width: usize) -> Vec<u8> {
    centre_in(image, width, (SIDE, SIDE))
}

/// The same in a field of `across` × `down` pixels, in proportion. The centre of mass goes to the pixel
/// right and below of the middle, where MNIST's own images have it to half a pixel.
pub fn centre_in(image: &[u8], width: usize, (across, down): (usize, usize)) -> Vec<u8> {
    let mut field = vec![0; across * down];
    let Some(ink) = Extent::of(image, width, |value| value > 0) else { return field };
    let (columns, rows) = ink.fitted((across.min(down) * BOX / SIDE).max(1));
    let scaled = scale(image, width, &ink, columns, rows);
    let (x, y) = centre_of_mass(&scaled, columns);
    let place = |at: f64, len: usize, all: usize| {
        (all as f64 / 2.0 - at).round().clamp(0.0, (all - len) as f64) as usize
    };
    let (left, top) = (place(x, columns, across), place(y, rows, down));
    for (row, values) in scaled.chunks_exact(columns).enumerate() {
        let start = (top + row) * across + left;
        field[start..start + columns].copy_from_slice(values);
    }
    field
}

/// The mean position of the ink as indices of column and row; the first pixel where there is none.
fn centre_of_mass(image: &[u8], width: usize) -> (f64, f64) {
    let (mut mass, mut x, mut y) = (0.0, 0.0, 0.0);
    for (place, &value) in image.iter().enumerate() {
        let value = f64::from(value);
        mass += value;
        x += value * (place % width) as f64;
        y += value * (place / width) as f64;
    }
    if mass > 0.0 { (x / mass, y / mass) } else { (0.0, 0.0) }
}

/// The smallest box around what counts as ink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Extent {
    pub(super) columns: Range<usize>,
    pub(super) rows: Range<usize>,
}

impl Extent {
    /// The box in an image of rows of `width` values; `None` where nothing counts.
    pub(super) fn of(image: &[u8], width: usize, counts: impl Fn(u8) -> bool) -> Option<Self> {
        let mut found: Option<Self> = None;
        for (y, row) in image.chunks_exact(width.max(1)).enumerate() {
            let Some(first) = row.iter().position(|&value| counts(value)) else { continue };
            let end = row.iter().rposition(|&value| counts(value)).unwrap_or(first) + 1;
            let extent = found.get_or_insert(Self { columns: first..end, rows: y..y + 1 });
            extent.columns = extent.columns.start.min(first)..extent.columns.end.max(end);
            extent.rows.end = y + 1;
        }
        found
    }

    /// Grows to hold a pixel as well.
    pub(super) fn include(&mut self, column: usize, row: usize) {
        self.columns = self.columns.start.min(column)..self.columns.end.max(column + 1);
        self.rows = self.rows.start.min(row)..self.rows.end.max(row + 1);
    }

    /// Columns and rows after scaling: the longer side fills a box of `most` pixels.
    fn fitted(&self, most: usize) -> (usize, usize) {
        let (columns, rows) = (self.columns.len(), self.rows.len());
        let longer = columns.max(rows);
        let fit = |len: usize| ((len * most + longer / 2) / longer).clamp(1, most);
        (fit(columns), fit(rows))
    }
}

/// The ink in another size.
fn scale(image: &[u8], width: usize, ink: &Extent, columns: usize, rows: usize) -> Vec<u8> {
    let horizontal = weights(ink.columns.len(), columns);
    let vertical = weights(ink.rows.len(), rows);
    let mut narrowed = Vec::with_capacity(ink.rows.len() * columns);
    for row in image.chunks_exact(width).skip(ink.rows.start).take(ink.rows.len()) {
        let row = &row[ink.columns.clone()];
        narrowed.extend(horizontal.iter().map(|window| window.over(|at| f32::from(row[at]))));
    }
    let mut scaled = Vec::with_capacity(columns * rows);
    for window in &vertical {
        scaled.extend(
            (0..columns)
                .map(|column| window.over(|at| narrowed[at * columns + column]).round() as u8),
        );
    }
    scaled
}

/// The values that one value after scaling is the mean of, and how much each counts.
struct Window {
    first: usize,
    shares: Vec<f32>,
}

impl Window {
    fn over(&self, value: impl Fn(usize) -> f32) -> f32 {
        self.shares.iter().enumerate().map(|(place, share)| share * value(self.first + place)).sum()
    }
}

/// Linear interpolation for growing, and for shrinking a triangle as wide as the step between two
/// values; the same length leaves everything as it is.
fn weights(from: usize, to: usize) -> Vec<Window> {
    let step = from as f64 / to as f64;
    let reach = step.max(1.0);
    let window = |place: usize| {
        let middle = (place as f64 + 0.5) * step;
        let first = (middle - reach).floor().max(0.0) as usize;
        let end = ((middle + reach).ceil() as usize).min(from);
        let share = |at: usize| (1.0 - (at as f64 + 0.5 - middle).abs() / reach).max(0.0);
        let sum: f64 = (first..end).map(share).sum();
        Window { first, shares: (first..end).map(|at| (share(at) / sum) as f32).collect() }
    };
    (0..to).map(window).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::data::{self, Dataset, PIXELS};

    fn test_images() -> Dataset {
        data::builtin().expect("it is inside the crate").test
    }

    fn extent(image: &[u8], width: usize) -> (usize, usize) {
        let extent = Extent::of(image, width, |value| value > 0);
        extent.map_or((0, 0), |extent| (extent.columns.len(), extent.rows.len()))
    }

    /// Sum of the differences over the sum of the ink.
    fn difference(a: &[u8], b: &[u8]) -> f64 {
        let apart: u64 = a.iter().zip(b).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
        apart as f64 / a.iter().map(|&value| u64::from(value)).sum::<u64>().max(1) as f64
    }

    #[test]
    fn images_of_mnist_are_fitted_and_centred_already() {
        let images = test_images();
        let differences: Vec<f64> = (0..images.len())
            .map(|index| difference(images.image(index), &centre(images.image(index), SIDE)))
            .collect();
        let unchanged = differences.iter().filter(|&&difference| difference == 0.0).count();
        let mean = differences.iter().sum::<f64>() / differences.len() as f64;
        assert!(unchanged > 9_990 && mean < 0.001, "{unchanged} unchanged, mean {mean}");
    }

    #[test]
    fn an_image_that_is_moved_comes_back() {
        let images = test_images();
        for index in 0..200 {
            let centred = centre(images.image(index), SIDE);
            // Into the upper left corner of a larger field.
            let mut moved = vec![0; 60 * 50];
            for (row, values) in centred.chunks_exact(SIDE).enumerate() {
                moved[row * 60..row * 60 + SIDE].copy_from_slice(values);
            }
            assert!(centre(&moved, 60) == centred, "image {index}");
        }
    }

    #[test]
    fn a_picture_is_scaled_to_the_box_with_its_proportions() {
        for (width, height, fitted) in [
            (100, 300, (7, 20)),
            (300, 100, (20, 7)),
            (40, 40, (20, 20)),
            (5, 5, (20, 20)),
            (1, 1, (20, 20)),
            (1, 900, (1, 20)),
        ] {
            let field = centre(&vec![255; width * height], width);
            assert_eq!(extent(&field, SIDE), fitted, "{width}×{height}");
            assert!(field.iter().all(|&value| value == 0 || value == 255), "{width}×{height}");
        }
    }

    #[test]
    fn scaling_down_makes_greys_of_the_edges() {
        // A slanted stroke of full ink only.
        let image: Vec<u8> = (0..100 * 100_usize)
            .map(|place| if (place % 100).abs_diff(place / 100) < 8 { 255 } else { 0 })
            .collect();
        let field = centre(&image, 100);
        assert!(field.iter().any(|&value| (20..235).contains(&value)));
        assert!(field.contains(&255));
    }

    #[test]
    fn nothing_stays_nothing() {
        assert_eq!(centre(&[0; PIXELS], SIDE), [0; PIXELS]);
        assert_eq!(centre(&[], 0), [0; PIXELS]);
        assert_eq!(centre(&[], 28), [0; PIXELS]);
    }

    fn any_image() -> impl Strategy<Value = (Vec<u8>, usize)> {
        (1usize..50, 1usize..50).prop_flat_map(|(width, height)| {
            let pixel = prop_oneof![4 => Just(0u8), 1 => any::<u8>()];
            (prop::collection::vec(pixel, width * height), Just(width))
        })
    }

    proptest! {
        #[test]
        fn the_centre_of_mass_comes_to_the_middle_and_the_box_fits((image, width) in any_image()) {
            let field = centre(&image, width);
            prop_assert_eq!(field.len(), PIXELS);
            let (columns, rows) = extent(&field, SIDE);
            prop_assert!(columns <= BOX && rows <= BOX);
            if columns == 0 {
                return Ok(());
            }
            let (x, y) = centre_of_mass(&field, SIDE);
            let extent = Extent::of(&field, SIDE, |value| value > 0).expect("there is ink");
            for (at, range) in [(x, extent.columns), (y, extent.rows)] {
                // Or the box touches the edge of the field.
                let at_edge = range.start == 0 || range.end == SIDE;
                prop_assert!((at - 14.0).abs() <= 0.5 + 1e-9 || at_edge, "{at}, {range:?}");
            }
        }

        #[test]
        fn centring_again_changes_little(index in 0usize..10_000, shrink in 5usize..28) {
            thread_local!(static IMAGES: Dataset = test_images());
            let image = IMAGES.with(|images| images.image(index).to_vec());
            // A part of a digit is a drawing of any proportions.
            let part: Vec<u8> =
                image.chunks_exact(SIDE).flat_map(|row| row[..shrink].to_vec()).collect();
            let once = centre(&part, shrink);
            prop_assert!(difference(&once, &centre(&once, SIDE)) < 0.05);
        }
    }
}
