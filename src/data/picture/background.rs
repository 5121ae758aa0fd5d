//! The paper under the ink: what a picture would show without its strokes.

use std::collections::VecDeque;

use image::{GrayImage, imageops::invert};

/// The least brightness of paper that a share is taken of: on darker paper noise would become ink.
const DARKEST_PAPER: u16 = 48;

/// Whether ink is darker or lighter than what it is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ink {
    Dark,
    Light,
}

impl Ink {
    /// How much a pixel of this value differs from `background`, 0 to 255; 0 where it differs the
    /// other way.
    pub(super) fn strength(self, value: u8, background: u8) -> u8 {
        match self {
            // Ink takes the same share of the light in a shadow.
            Self::Dark => {
                let lack = u16::from(background.saturating_sub(value));
                (lack * 255 / u16::from(background).max(DARKEST_PAPER)).min(255) as u8
            }
            Self::Light => value.saturating_sub(background),
        }
    }
}

/// The ink's strength in each pixel of a picture, given what the picture would be without it.
pub(super) fn strength_of(picture: &GrayImage, background: &GrayImage, ink: Ink) -> GrayImage {
    let mut strength = picture.clone();
    for (value, &background) in strength.iter_mut().zip(background.iter()) {
        *value = ink.strength(*value, background);
    }
    strength
}

/// The picture without strokes of `ink` that are narrower than `2 radius + 1` pixels.
///
/// This is its morphological closing by a square, for light ink its opening: slopes of light, sharp
/// shadows and the edges of a sheet stay as they are. `imageproc`'s takes time in proportion to the
/// square's area.
pub(super) fn without_strokes(picture: &GrayImage, ink: Ink, radius: u32) -> GrayImage {
    let mut background = picture.clone();
    if ink == Ink::Light {
        invert(&mut background);
    }
    spread(&mut background, radius as usize);
    invert(&mut background);
    spread(&mut background, radius as usize);
    if ink == Ink::Dark {
        invert(&mut background);
    }
    background
}

/// Gives each pixel the greatest value of the square around it, as far as that lies in the picture.
fn spread(image: &mut GrayImage, radius: usize) {
    let (width, height) = (image.width() as usize, image.height() as usize);
    let pixels: &mut [u8] = image;
    let mut window = VecDeque::new();
    for y in 0..height {
        spread_line(pixels, y * width, 1, width, radius, &mut window);
    }
    for x in 0..width {
        spread_line(pixels, x, width, height, radius, &mut window);
    }
}

/// The same along one line of `len` pixels, `step` apart from `first`. `window` holds the pixels of
/// the window that may still become its greatest, in falling order.
fn spread_line(
    pixels: &mut [u8],
    first: usize,
    step: usize,
    len: usize,
    radius: usize,
    window: &mut VecDeque<(usize, u8)>,
) {
    window.clear();
    for ahead in 0..len + radius {
        if ahead < len {
            let value = pixels[first + ahead * step];
            while window.back().is_some_and(|&(_, last)| last <= value) {
                window.pop_back();
            }
            window.push_back((ahead, value));
        }
        let Some(at) = ahead.checked_sub(radius) else { continue };
        while window.front().is_some_and(|&(place, _)| place + radius < at) {
            window.pop_front();
        }
        if let Some(&(_, greatest)) = window.front() {
            pixels[first + at * step] = greatest;
        }
    }
}
