//! Cutting a digit that was found out of its picture.

use image::{
    GrayImage,
    imageops::{FilterType, crop_imm, resize, thumbnail},
};
use imageproc::{
    distance_transform::Norm,
    morphology::{Mask, dilate, grayscale_dilate},
};

use super::{
    super::centre::{BOX, Extent, centre},
    background::strength_of,
    candidate::Candidate,
    ink::{Histogram, LEAST, brightened},
};

/// Most pixels along a side of the cut.
const LONGEST: u32 = 240;
/// The least width of strokes, in pixels of MNIST's box; those of its own images are wider.
const THINNEST: f32 = 1.2;

/// The digit as MNIST would have it, 28 rows of 28 grey values; `None` if no ink is left of it.
///
/// `picture` may be larger than what the digit was found in.
pub(super) fn cut(picture: &GrayImage, found: &Candidate) -> Option<Vec<u8>> {
    let (width, height) = found.labels.dimensions();
    let reach = ((found.stroke() * 0.8).round() as u8).max(2);
    let Extent { columns, rows } = &found.extent;
    let margin = usize::from(reach);
    let ends = |range: &std::ops::Range<usize>, side: u32| {
        let end = (range.end + margin).min(side as usize);
        (range.start.saturating_sub(margin) as u32, end as u32)
    };
    let ((left, right), (top, bottom)) = (ends(columns, width), ends(rows, height));
    let crop =
        |image: &GrayImage| crop_imm(image, left, top, right - left, bottom - top).to_image();
    let core = crop(&found.mask());
    // The soft edges of the strokes.
    let mut near = dilate(&core, Norm::LInf, reach);
    let mut background = crop(&found.background);
    let mut core = core;
    let part = if picture.dimensions() == (width, height) {
        crop(picture)
    } else {
        let scaled =
            |at: u32, from: u32, to: u32| (u64::from(at) * u64::from(to) / u64::from(from)) as u32;
        let x = [left, right].map(|x| scaled(x, width, picture.width()));
        let y = [top, bottom].map(|y| scaled(y, height, picture.height()));
        let (columns, rows) = ((x[1] - x[0]).max(1), (y[1] - y[0]).max(1));
        let part = crop_imm(picture, x[0], y[0], columns, rows).to_image();
        let part = shrunk(part);
        for image in [&mut core, &mut near, &mut background] {
            *image = resize(image, part.width(), part.height(), FilterType::Triangle);
        }
        part
    };
    let mut ink = strength_of(&part, &background, found.ink);
    let mut inside = Histogram::default();
    for (&value, _) in ink.iter().zip(core.iter()).filter(|(_, core)| **core > 127) {
        inside.add(value, 1);
    }
    let strongest = inside.quantile(0.995).max(1);
    let noise = found.noise.min(strongest / 4);
    for (value, &near) in ink.iter_mut().zip(near.iter()) {
        let stretched = u16::from(*value) * 255 / u16::from(strongest);
        *value = if near > 127 && *value > noise { stretched.min(255) as u8 } else { 0 };
    }
    let thin = found.stroke() * BOX as f32 / found.length();
    if thin < THINNEST {
        ink = shrunk(ink);
        let longer = ink.width().max(ink.height()) as f32;
        let radius = ((THINNEST - thin) * longer / BOX as f32 / 2.0).round() as u8;
        if radius > 0 {
            ink = grayscale_dilate(&ink, &Mask::disk(radius));
        }
    }
    let width = ink.width() as usize;
    let Extent { columns, rows } = Extent::of(&ink, width, |value| value > 255 / LEAST)?;
    let fitted: Vec<u8> = ink
        .chunks_exact(width)
        .skip(rows.start)
        .take(rows.len())
        .flat_map(|row| row[columns.clone()].iter().copied())
        .collect();
    Some(brightened(centre(&fitted, columns.len())))
}

/// An image with its longer side shortened to `LONGEST`.
fn shrunk(image: GrayImage) -> GrayImage {
    let longer = image.width().max(image.height());
    if longer <= LONGEST {
        return image;
    }
    let [width, height] =
        [image.width(), image.height()].map(|side| (side * LONGEST / longer).max(1));
    thumbnail(&image, width, height)
}
