//! Pictures of MNIST's digits with the faults of photographs, the same ones every time.

use image::{
    GrayImage, Luma,
    imageops::{FilterType, resize},
};
use imageproc::{
    drawing::{draw_filled_circle_mut, draw_filled_rect_mut, draw_hollow_rect_mut},
    filter::gaussian_blur_f32,
    rect::Rect,
};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const DIGIT: u32 = 210;
const MARGIN: u32 = 70;
const SIDE: u32 = DIGIT + 2 * MARGIN;
/// Width of what is seen of a table.
const TABLE: u32 = 50;

pub(crate) const KINDS: [&str; 14] = [
    "clean",
    "gradient-40",
    "gradient-80",
    "grain-5",
    "grain-8",
    "pencil",
    "frame-1",
    "frame-6",
    "speck",
    "specks",
    "dark-table",
    "wood",
    "ruled",
    "shadow",
];

/// A sheet of paper with a digit.
#[derive(Clone, Copy)]
struct Sheet {
    paper: f32,
    ink: f32,
    /// How much darker the right edge is.
    slope: f32,
    grain: f32,
}

/// A picture of an image of MNIST, 28 rows of 28 pixels.
pub(crate) fn photograph(kind: &str, pixels: &[u8], seed: u64) -> GrayImage {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let plain = Sheet { paper: 220.0, ink: 50.0, slope: 0.0, grain: 0.0 };
    let sheet = match kind {
        "gradient-40" => Sheet { slope: 40.0, ..plain },
        "gradient-80" => Sheet { slope: 80.0, ..plain },
        "grain-5" => Sheet { grain: 5.0, ..plain },
        "grain-8" => Sheet { grain: 8.0, ..plain },
        "pencil" => Sheet { paper: 225.0, ink: 180.0, grain: 3.0, ..plain },
        _ => plain,
    };
    let mut picture = sheet.draw(pixels, &mut rng);
    let speck = |picture: &mut GrayImage, x, y, radius| {
        draw_filled_circle_mut(picture, (x, y), radius, Luma([50]));
    };
    match kind {
        "frame-1" | "frame-6" => {
            let width = if kind == "frame-1" { 1 } else { 6 };
            for inset in 0..width {
                let side = SIDE - 2 * inset;
                let edge = Rect::at(inset.cast_signed(), inset.cast_signed()).of_size(side, side);
                draw_hollow_rect_mut(&mut picture, edge, Luma([0]));
            }
        }
        "speck" => speck(&mut picture, 11, 11, 2),
        "specks" => {
            for _ in 0..9 {
                let [x, y] = [(); 2].map(|()| rng.random_range(0..SIDE.cast_signed() - 10));
                speck(&mut picture, x, y, 2);
            }
        }
        "dark-table" => picture = on_table(&picture, 60.0, &mut rng),
        "wood" => picture = on_table(&picture, 130.0, &mut rng),
        "ruled" => {
            for y in (28..SIDE.cast_signed()).step_by(42) {
                let line = Rect::at(0, y).of_size(SIDE, 2);
                draw_filled_rect_mut(&mut picture, line, Luma([170]));
            }
        }
        "shadow" => {
            for (_, _, pixel) in
                picture.enumerate_pixels_mut().filter(|&(_, y, _)| y > SIDE * 9 / 16)
            {
                pixel.0[0] = (f32::from(pixel.0[0]) * 0.68) as u8;
            }
        }
        _ => {}
    }
    picture
}

impl Sheet {
    fn draw(self, pixels: &[u8], rng: &mut ChaCha8Rng) -> GrayImage {
        let ink = ink(pixels);
        GrayImage::from_fn(SIDE, SIDE, |x, y| {
            let inside = x.checked_sub(MARGIN).zip(y.checked_sub(MARGIN));
            let pixel = inside.and_then(|(x, y)| ink.get_pixel_checked(x, y));
            let share = pixel.map_or(0.0, |pixel| f32::from(pixel.0[0]) / 255.0);
            let light = self.paper - self.slope * x as f32 / SIDE as f32 + self.grain * normal(rng);
            Luma([(light * (1.0 - share) + self.ink * light / self.paper * share) as u8])
        })
    }
}

/// An image of MNIST as a large drawing with smooth edges, 255 the ink.
fn ink(pixels: &[u8]) -> GrayImage {
    let image = GrayImage::from_raw(28, 28, pixels.to_vec()).expect("28×28 pixels");
    let mut large = resize(&image, DIGIT, DIGIT, FilterType::CatmullRom);
    for pixel in large.iter_mut() {
        *pixel = if *pixel > 110 { 255 } else { 0 };
    }
    gaussian_blur_f32(&large, 1.0)
}

fn on_table(sheet: &GrayImage, shade: f32, rng: &mut ChaCha8Rng) -> GrayImage {
    let side = SIDE + 2 * TABLE;
    GrayImage::from_fn(side, side, |x, y| {
        let on_sheet = x.checked_sub(TABLE).zip(y.checked_sub(TABLE));
        let paper = on_sheet.and_then(|(x, y)| sheet.get_pixel_checked(x, y));
        paper.copied().unwrap_or_else(|| Luma([(shade + 3.0 * normal(rng)) as u8]))
    })
}

/// A number from a distribution close to the standard normal one.
fn normal(rng: &mut ChaCha8Rng) -> f32 {
    (0..12).map(|_| rng.random::<f32>()).sum::<f32>() - 6.0
}
