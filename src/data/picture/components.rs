//! Connected pieces of ink.

use image::{GrayImage, ImageBuffer, Luma};
use imageproc::{
    contrast::{ThresholdType, threshold},
    distance_transform::Norm,
    morphology::dilate,
    region_labelling::{Connectivity, connected_components},
};

use super::super::centre::Extent;

/// The label of each pixel's piece, 0 outside all pieces.
pub(super) type Labels = ImageBuffer<Luma<u32>, Vec<u32>>;

/// A connected piece of ink.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub(super) label: u32,
    pub(super) extent: Extent,
    /// Pixels.
    pub(super) area: usize,
    /// Pixels next to one that belongs to another piece or to none.
    outline: usize,
    /// Sum of the strengths.
    strength: u64,
    /// Sum of the squares of the strengths.
    squares: u64,
    /// Sum of the distances to the nearest edge of the picture.
    inset: u64,
    /// Which corners of the extent hold ink.
    corners: [bool; 4],
}

impl Piece {
    fn starting_at(x: u32, y: u32, label: u32) -> Self {
        let (x, y) = (x as usize, y as usize);
        let extent = Extent { columns: x..x + 1, rows: y..y + 1 };
        Self {
            label,
            extent,
            area: 0,
            outline: 0,
            strength: 0,
            squares: 0,
            inset: 0,
            corners: [false; 4],
        }
    }

    /// The ink's strength, 1 to 255: a mean weighted by strength, so that soft edges count little.
    pub(super) fn level(&self) -> f32 {
        self.squares as f32 / self.strength.max(1) as f32
    }

    /// The longer side of the extent.
    pub(super) fn length(&self) -> f32 {
        self.extent.columns.len().max(self.extent.rows.len()) as f32
    }

    /// The mean width of the strokes: both sides of a long stroke are outline.
    pub(super) fn stroke(&self) -> f32 {
        2.0 * self.area as f32 / self.outline as f32
    }

    /// The mean distance to the nearest edge of the picture.
    pub(super) fn inset(&self) -> f32 {
        self.inset as f32 / self.area as f32
    }

    /// Whether it is a rectangle drawn around something.
    pub(super) fn is_box(&self) -> bool {
        let (columns, rows) = (self.extent.columns.len(), self.extent.rows.len());
        let is_hollow = self.area * 4 < columns * rows;
        let is_narrow = columns.min(rows) * 3 < columns.max(rows);
        self.corners == [true; 4] && is_hollow && !is_narrow
    }

    /// Whether it reaches the edge of a picture of this size, whose outermost pixels are often blurred.
    pub(super) fn touches_edge(&self, size: (u32, u32)) -> bool {
        self.sides_touched(size) > 0
    }

    /// How many of a picture's sides it reaches.
    pub(super) fn sides_touched(&self, (width, height): (u32, u32)) -> usize {
        let Extent { columns, rows } = &self.extent;
        let touched = [
            columns.start <= 1,
            rows.start <= 1,
            columns.end + 1 >= width as usize,
            rows.end + 1 >= height as usize,
        ];
        touched.into_iter().filter(|&touches| touches).count()
    }
}

/// The pieces of what is stronger than `least`. Gaps of up to `2 gap` pixels do not separate pieces.
pub(super) fn pieces(strength: &GrayImage, least: u8, gap: u8) -> (Labels, Vec<Piece>) {
    let mask = threshold(strength, least, ThresholdType::Binary);
    let mut labels = if gap == 0 {
        connected_components(&mask, Connectivity::Eight, Luma([0]))
    } else {
        connected_components(&dilate(&mask, Norm::LInf, gap), Connectivity::Eight, Luma([0]))
    };
    for (label, &ink) in labels.iter_mut().zip(mask.iter()) {
        if ink == 0 {
            *label = 0;
        }
    }
    let pieces = measure(strength, &labels);
    (labels, pieces)
}

fn measure(strength: &GrayImage, labels: &Labels) -> Vec<Piece> {
    let (width, height) = labels.dimensions();
    let most = labels.iter().copied().max().unwrap_or(0) as usize;
    let mut pieces: Vec<Option<Piece>> = vec![None; most + 1];
    let inked = || labels.enumerate_pixels().filter(|(_, _, label)| label.0[0] != 0);
    for (x, y, &Luma([label])) in inked() {
        let piece = pieces[label as usize].get_or_insert_with(|| Piece::starting_at(x, y, label));
        let value = u64::from(strength.get_pixel(x, y).0[0]);
        piece.extent.include(x as usize, y as usize);
        piece.area += 1;
        piece.strength += value;
        piece.squares += value * value;
        piece.inset += u64::from(x.min(y).min(width - 1 - x).min(height - 1 - y));
        let neighbours = [(x.wrapping_sub(1), y), (x + 1, y), (x, y.wrapping_sub(1)), (x, y + 1)];
        let is_same = |(x, y)| labels.get_pixel_checked(x, y).is_some_and(|at| at.0[0] == label);
        piece.outline += usize::from(!neighbours.into_iter().all(is_same));
    }
    for (x, y, &Luma([label])) in inked() {
        if let Some(piece) = &mut pieces[label as usize]
            && let Some(right) = end(&piece.extent.columns, x as usize)
            && let Some(low) = end(&piece.extent.rows, y as usize)
        {
            piece.corners[usize::from(right) + 2 * usize::from(low)] = true;
        }
    }
    pieces.into_iter().flatten().collect()
}

/// Whether `at` is in the last eighth of a range or in the first; `None` between them.
fn end(range: &std::ops::Range<usize>, at: usize) -> Option<bool> {
    let len = range.len();
    if (at - range.start) * 8 < len {
        Some(false)
    } else if (range.end - 1 - at) * 8 < len {
        Some(true)
    } else {
        None
    }
}
