//! Training images as an epoch sees them: each distorted at random.

use std::borrow::Cow;

use rand::RngCore;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::Dataset;
use crate::{
    config::Augment,
    seed::{self, Purpose},
};

/// Random places along each axis between which an elastic distortion is interpolated.
const PLACES: usize = 5;
/// Blank pixels before an image and, with one more, after it, to interpolate with.
const FRAME: usize = 1;

/// Images as they are seen in one epoch.
///
/// How an image is distorted depends on the seed, the epoch and the image alone.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    data: &'a Dataset,
    augment: Augment,
    seed: u64,
    epoch: u64,
}

impl<'a> Seen<'a> {
    /// Images as they are.
    pub fn plain(data: &'a Dataset) -> Self {
        Self { data, augment: Augment::default(), seed: 0, epoch: 0 }
    }

    /// Images distorted as in this epoch of a run.
    pub fn augmented(data: &'a Dataset, augment: Augment, seed: u64, epoch: u32) -> Self {
        Self { data, augment, seed, epoch: u64::from(epoch) }
    }

    /// The set, where its images are seen as they are.
    pub fn undistorted(&self) -> Option<&'a Dataset> {
        self.augment.is_none().then_some(self.data)
    }

    /// Channels, rows and columns of an image.
    pub fn shape(&self) -> [usize; 3] {
        self.data.shape()
    }

    /// The class of an image.
    ///
    /// # Panics
    /// If there is no image of that index.
    pub fn label(&self, index: usize) -> u8 {
        self.data.label(index)
    }

    /// The pixels of an image.
    ///
    /// # Panics
    /// If there is no image of that index.
    pub fn image(&self, index: usize) -> Cow<'a, [u8]> {
        let image = self.data.image(index);
        if self.augment.is_none() {
            return Cow::Borrowed(image);
        }
        let mut distorted = vec![0; image.len()];
        self.distort(index, &mut distorted, &mut Vec::new());
        Cow::Owned(distorted)
    }

    /// The pixels of an image before it is distorted; `None` where images are seen as they are.
    ///
    /// # Panics
    /// If there is no image of that index.
    pub fn original(&self, index: usize) -> Option<&'a [u8]> {
        (!self.augment.is_none()).then(|| self.data.image(index))
    }

    /// The pixels of these images one after the other, `[n, channels, height, width]`.
    ///
    /// # Panics
    /// If there is no image of an index.
    pub fn images(&self, indices: &[u32]) -> Vec<u8> {
        let len = self.data.pixels();
        if self.augment.is_none() {
            let mut pixels = Vec::with_capacity(indices.len() * len);
            for &index in indices {
                pixels.extend_from_slice(self.data.image(index as usize));
            }
            return pixels;
        }
        let mut pixels = vec![0; indices.len() * len];
        pixels.par_chunks_mut(len).zip(indices).for_each_init(
            Vec::new,
            |frame, (pixels, &index)| {
                self.distort(index as usize, pixels, frame);
            },
        );
        pixels
    }

    /// Writes an image as it is seen; `framed` is room for one with a frame.
    fn distort(&self, index: usize, pixels: &mut [u8], framed: &mut Vec<u8>) {
        let [_, height, width] = self.shape();
        let mut rng = seed::rng(self.seed, Purpose::Augmentation, self.epoch, index as u64);
        let warp = Warp::draw(self.augment, [height, width], &mut rng);
        let hole = Hole::draw(self.augment.erase, [height, width], &mut rng);
        let image = self.data.image(index);
        let step = width + 2 * FRAME + 1;
        framed.clear();
        framed.resize((height + 2 * FRAME + 1) * step, 0);
        for (from, to) in
            image.chunks_exact(height * width).zip(pixels.chunks_exact_mut(height * width))
        {
            for (row, pixels) in from.chunks_exact(width).enumerate() {
                framed[(row + FRAME) * step + FRAME..][..width].copy_from_slice(pixels);
            }
            for (row, pixels) in to.chunks_exact_mut(width).enumerate() {
                warp.row(row, framed, pixels);
                hole.blank(row, pixels);
            }
        }
    }
}

impl<'a> From<&'a Dataset> for Seen<'a> {
    fn from(data: &'a Dataset) -> Self {
        Self::plain(data)
    }
}

/// A number from −1 to 1.
fn signed(rng: &mut ChaCha8Rng) -> f64 {
    f64::from(rng.next_u32()) / f64::from(u32::MAX) * 2.0 - 1.0
}

/// Where each pixel of a distorted image comes from.
struct Warp {
    /// Rows and columns.
    size: [usize; 2],
    /// Columns and rows in the image for a column further, and for a row further.
    along: [[f32; 2]; 2],
    /// Column and row in the image of the first pixel.
    origin: [f32; 2],
    /// Columns and rows by which places on a grid are moved; nothing without elastic distortion.
    grid: Option<[[[f32; 2]; PLACES]; PLACES]>,
}

impl Warp {
    fn draw(augment: Augment, [height, width]: [usize; 2], rng: &mut ChaCha8Rng) -> Self {
        let angle = (augment.rotate * signed(rng)).to_radians();
        let lean = (augment.shear * signed(rng)).to_radians().tan();
        let size = 1.0 / (1.0 + augment.scale * signed(rng));
        let shift = [augment.shift * signed(rng), augment.shift * signed(rng)];
        let (sin, cos) = (angle.sin() * size, angle.cos() * size);
        // Rotation after shear, and the image's centre stays but for the shift.
        let along = [[cos, sin], [cos * lean - sin, sin * lean + cos]];
        let centre = [(width as f64 - 1.0) / 2.0, (height as f64 - 1.0) / 2.0];
        let origin = [0, 1].map(|axis| {
            let moved = along[0][axis] * centre[0] + along[1][axis] * centre[1];
            (centre[axis] + shift[axis] - moved) as f32
        });
        let mut grid = None;
        if augment.elastic > 0.0 {
            let mut places = [[[0.0; 2]; PLACES]; PLACES];
            for value in places.as_flattened_mut().as_flattened_mut() {
                *value = (augment.elastic * signed(rng)) as f32;
            }
            grid = Some(places);
        }
        let along = along.map(|axis| axis.map(|step| step as f32));
        Self { size: [height, width], along, origin, grid }
    }

    /// Writes a row, interpolated between the four pixels around each place.
    fn row(&self, row: usize, framed: &[u8], pixels: &mut [u8]) {
        let [height, width] = self.size;
        let step = width + 2 * FRAME + 1;
        let (last_x, last_y) = ((width + FRAME) as f32, (height + FRAME) as f32);
        let [across, down] = self.along;
        let start = [0, 1].map(|axis| self.origin[axis] + down[axis] * row as f32 + FRAME as f32);
        for (column, pixel) in pixels.iter_mut().enumerate() {
            let mut x = start[0] + across[0] * column as f32;
            let mut y = start[1] + across[1] * column as f32;
            if let Some(grid) = &self.grid {
                let moved = between(grid, row, height, column, width);
                x += moved[0];
                y += moved[1];
            }
            // Beyond the frame all is blank.
            let (x, y) = (x.clamp(0.0, last_x), y.clamp(0.0, last_y));
            let (left, top) = (x as usize, y as usize);
            let (right, low) = (x - left as f32, y - top as f32);
            let at = top * step + left;
            let [a, b, c, d] =
                [at, at + 1, at + step, at + step + 1].map(|at| f32::from(framed[at]));
            let upper = a + (b - a) * right;
            let lower = c + (d - c) * right;
            *pixel = (upper + (lower - upper) * low + 0.5) as u8;
        }
    }
}

/// How far a pixel is moved: between the places of the grid around it.
fn between(
    grid: &[[[f32; 2]; PLACES]; PLACES],
    row: usize,
    height: usize,
    column: usize,
    width: usize,
) -> [f32; 2] {
    let place = |at: usize, len: usize| {
        let at = at as f32 * (PLACES - 1) as f32 / len.max(1) as f32;
        let whole = (at as usize).min(PLACES - 2);
        (whole, at - whole as f32)
    };
    let ((top, low), (left, right)) = (place(row, height), place(column, width));
    [0, 1].map(|axis| {
        let [a, b, c, d] = [(0, 0), (0, 1), (1, 0), (1, 1)]
            .map(|(down, across)| grid[top + down][left + across][axis]);
        let (upper, lower) = (a + (b - a) * right, c + (d - c) * right);
        upper + (lower - upper) * low
    })
}

/// A blank rectangle.
#[derive(Default)]
struct Hole {
    rows: std::ops::Range<usize>,
    columns: std::ops::Range<usize>,
}

impl Hole {
    /// With some probability a rectangle whose sides are an eighth to three eighths of the image's.
    fn draw(probability: f64, [height, width]: [usize; 2], rng: &mut ChaCha8Rng) -> Self {
        if probability <= 0.0 || signed(rng).abs() > probability {
            return Self::default();
        }
        let mut side = |len: usize| {
            let side = len / 8 + seed::below(rng, (len / 4 + 1) as u32) as usize;
            let start = seed::below(rng, (len - side + 1) as u32) as usize;
            start..start + side
        };
        Self { rows: side(height), columns: side(width) }
    }

    fn blank(&self, row: usize, pixels: &mut [u8]) {
        if self.rows.contains(&row) {
            pixels[self.columns.clone()].fill(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Images of 12×20 with two channels.
    fn data() -> Dataset {
        let pixels: Vec<u8> = (0..5 * 2 * 240_u32).map(|place| (place * 37 % 251) as u8).collect();
        Dataset::new([2, 12, 20], 10, pixels, vec![0, 1, 2, 3, 4]).expect("five images")
    }

    fn augment(text: &str) -> Augment {
        text.parse().expect("a list of distortions")
    }

    #[test]
    fn the_seed_the_epoch_and_the_image_decide_and_nothing_else() {
        let data = data();
        let seen = |seed, epoch| Seen::augmented(&data, Augment::STRONG, seed, epoch);
        let image = seen(1, 1).image(3).into_owned();
        assert_eq!(image, *seen(1, 1).image(3));
        assert_eq!(image, seen(1, 1).images(&[4, 3, 0])[480..960]);
        for other in [seen(2, 1).image(3), seen(1, 2).image(3), seen(1, 1).image(2)] {
            assert_ne!(image, *other);
        }
        let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().expect("three threads");
        let all = [0, 1, 2, 3, 4];
        assert_eq!(seen(1, 1).images(&all), pool.install(|| seen(1, 1).images(&all)));
        assert_eq!(seen(1, 1).label(3), 3);
    }

    #[test]
    fn without_distortion_images_are_untouched() {
        let data = data();
        for seen in [Seen::plain(&data), Seen::augmented(&data, Augment::default(), 3, 1)] {
            assert_eq!(*seen.image(2), *data.image(2));
            assert_eq!(seen.images(&[1, 0]), [data.image(1), data.image(0)].concat());
        }
        // So small a distortion rounds to nothing.
        let tiny = Seen::augmented(&data, augment("shift=0.0001"), 3, 1);
        assert_eq!(*tiny.image(2), *data.image(2));
    }

    /// The mean place of the ink, column and row, and its amount.
    fn centre(image: &[u8], width: usize) -> [f64; 3] {
        let mut sums = [0.0; 3];
        for (place, &ink) in image.iter().enumerate() {
            let ink = f64::from(ink);
            sums[0] += ink * (place % width) as f64;
            sums[1] += ink * (place / width) as f64;
            sums[2] += ink;
        }
        [sums[0] / sums[2], sums[1] / sums[2], sums[2]]
    }

    /// 200 epochs of an image of 28×28 with a square of 8×6 pixels in it, whose middle is at 20, 13.
    fn of_square(text: &str) -> Vec<[f64; 3]> {
        let mut pixels = vec![0; 784];
        for row in 10..16 {
            pixels[row * 28 + 16..row * 28 + 24].fill(200);
        }
        let data = Dataset::new([1, 28, 28], 10, pixels, vec![1]).expect("an image");
        let seen = |epoch| centre(&Seen::augmented(&data, augment(text), 0, epoch).image(0), 28);
        (1..=200).map(seen).collect()
    }

    #[test]
    fn each_distortion_moves_the_ink_as_far_as_it_may_and_no_further() {
        let ink = 48.0 * 200.0;
        let spread = |values: &mut dyn Iterator<Item = f64>| {
            values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
                (low.min(value), high.max(value))
            })
        };
        let shifted = of_square("shift=3");
        let (low, high) = spread(&mut shifted.iter().map(|[x, ..]| x - 19.5));
        assert!((-3.05..-2.5).contains(&low) && (2.5..3.05).contains(&high), "{low} {high}");
        assert!(shifted.iter().all(|[.., sum]| (sum / ink - 1.0).abs() < 0.02));
        // The square's middle is 6 columns and 1 row from the image's.
        let radius = (6.0_f64.powi(2) + 1.0).sqrt();
        let turned = of_square("rotate=30");
        assert!(
            turned.iter().all(|[x, y, _]| { ((x - 13.5).hypot(y - 13.5) - radius).abs() < 0.1 })
        );
        let (low, high) = spread(&mut turned.iter().map(|[x, y, _]| (y - 13.5).atan2(x - 13.5)));
        assert!((0.9..1.06).contains(&(high - low)), "{low} {high}");
        let scaled = of_square("scale=0.5");
        let (low, high) = spread(&mut scaled.iter().map(|[.., sum]| sum / ink));
        assert!((0.24..0.35).contains(&low) && (1.9..2.3).contains(&high), "{low} {high}");
        let sheared = of_square("shear=20");
        assert!(sheared.iter().all(|[.., sum]| (sum / ink - 1.0).abs() < 0.02));
        assert!(
            of_square("elastic=2")
                .iter()
                .all(|[x, y, _]| { (x - 19.5).abs() < 2.2 && (y - 12.5).abs() < 2.2 })
        );
        let blank = of_square("erase=0.5").iter().filter(|[.., sum]| *sum < 0.999 * ink).count();
        assert!((5..100).contains(&blank), "{blank} of 200");
    }

    #[test]
    fn no_size_and_no_strength_leaves_the_image() {
        let most = augment("shift=32,rotate=180,scale=0.9,shear=60,elastic=16,erase=1");
        for [height, width] in [[8, 8], [8, 64], [64, 8], [1, 1]] {
            let pixels = vec![255; height * width];
            let data = Dataset::new([1, height, width], 10, pixels, vec![0]).expect("an image");
            for epoch in 0..50 {
                assert_eq!(Seen::augmented(&data, most, 1, epoch).image(0).len(), height * width);
            }
        }
    }
}
