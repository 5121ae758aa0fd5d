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

#[cfg(test)]
mod tests {
    use image::Luma;

    use super::*;

    /// Paper that gets darker downwards, with a sharp shadow on its right half.
    fn paper() -> GrayImage {
        GrayImage::from_fn(60, 50, |x, y| Luma([(220 - y - if x < 30 { 0 } else { 80 }) as u8]))
    }

    #[test]
    fn strokes_vanish_and_slopes_and_shadows_stay() {
        let mut drawn = paper();
        for x in 10..50 {
            for y in 20..25 {
                drawn.get_pixel_mut(x, y).0[0] /= 4;
            }
        }
        let background = without_strokes(&drawn, Ink::Dark, 4);
        let apart = background.iter().zip(paper().iter()).map(|(a, b)| a.abs_diff(*b)).max();
        assert!(apart.expect("there are pixels") <= 5, "{apart:?}");
        // The shadow leaves as large a share of ink.
        let strength = strength_of(&drawn, &background, Ink::Dark);
        let [lit, shaded] = [15, 45].map(|x| strength.get_pixel(x, 22).0[0]);
        assert!(lit > 180 && lit.abs_diff(shaded) < 5, "{lit} {shaded}");
    }

    #[test]
    fn light_strokes_vanish_as_dark_ones_do() {
        let mut drawn = paper();
        imageproc::drawing::draw_filled_rect_mut(
            &mut drawn,
            imageproc::rect::Rect::at(20, 0).of_size(6, 50),
            Luma([255]),
        );
        let background = without_strokes(&drawn, Ink::Light, 3);
        let apart = background.iter().zip(paper().iter()).map(|(a, b)| a.abs_diff(*b)).max();
        assert!(apart.expect("there are pixels") <= 3, "{apart:?}");
    }

    #[test]
    fn each_pixel_gets_the_greatest_value_around_it() {
        let image =
            GrayImage::from_fn(23, 17, |x, y| Luma([(x * 37 + y * 101 + x * y * 13) as u8]));
        for radius in [0, 1, 4, 30] {
            let mut fast = image.clone();
            spread(&mut fast, radius as usize);
            let slow = GrayImage::from_fn(23, 17, |x, y| {
                let near = |a: u32, b: u32| a.abs_diff(b) <= radius;
                let inside =
                    image.enumerate_pixels().filter(|(u, v, _)| near(*u, x) && near(*v, y));
                Luma([inside.map(|(_, _, pixel)| pixel.0[0]).max().unwrap_or(0)])
            });
            assert!(fast == slow, "radius {radius}");
        }
    }
}
