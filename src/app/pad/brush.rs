//! A round, soft brush, about as wide as the strokes of MNIST.

use crate::data::SIDE;

/// Half the width of a stroke in pixels. A drawing has as much ink for its length as MNIST's digits,
/// whose strokes are about 2.4 pixels wide.
const RADIUS: f32 = 1.2;

/// Draws a straight stroke between the middles of two pixels, given as column and row, over what is
/// there: of both inks the darker stays.
pub(super) fn line(pixels: &mut [u8], from: (u8, u8), to: (u8, u8)) {
    for (place, pixel) in pixels.iter_mut().enumerate() {
        let at = ((place % SIDE) as f32, (place / SIDE) as f32);
        let cover = RADIUS + 0.5 - distance(at, from, to);
        *pixel = (*pixel).max((255.0 * cover.clamp(0.0, 1.0)).round() as u8);
    }
}

/// From a point to the nearest of the line between two others.
fn distance(at: (f32, f32), from: (u8, u8), to: (u8, u8)) -> f32 {
    let (from, to) = (point(from), point(to));
    let along = (to.0 - from.0, to.1 - from.1);
    let out = (at.0 - from.0, at.1 - from.1);
    let length = along.0 * along.0 + along.1 * along.1;
    let share = if length > 0.0 { (out.0 * along.0 + out.1 * along.1) / length } else { 0.0 };
    let share = share.clamp(0.0, 1.0);
    (out.0 - share * along.0).hypot(out.1 - share * along.1)
}

fn point((x, y): (u8, u8)) -> (f32, f32) {
    (f32::from(x), f32::from(y))
}

#[cfg(test)]
mod tests {
    use super::*;

    type Place = (u8, u8);

    fn drawn(strokes: &[(Place, Place)]) -> Vec<u8> {
        let mut pixels = vec![0; SIDE * SIDE];
        for &(from, to) in strokes {
            line(&mut pixels, from, to);
        }
        pixels
    }

    #[test]
    fn a_stroke_is_full_in_the_middle_and_soft_at_both_edges() {
        let pixels = drawn(&[((10, 4), (10, 20))]);
        let row = &pixels[12 * SIDE..13 * SIDE];
        assert_eq!(row[8..13], [0, 179, 255, 179, 0]);
        assert_eq!(row.iter().map(|&ink| u32::from(ink)).sum::<u32>(), 255 + 2 * 179);
    }

    #[test]
    fn a_slanted_line_has_no_gaps() {
        let pixels = drawn(&[((3, 2), (24, 25))]);
        assert!((2..=25).all(|row| pixels[row * SIDE..][..SIDE].iter().any(|&ink| ink > 230)));
    }

    #[test]
    fn strokes_over_each_other_add_nothing() {
        let once = drawn(&[((5, 5), (9, 12))]);
        assert_eq!(drawn(&[((5, 5), (9, 12)), ((9, 12), (5, 5))]), once);
    }

    #[test]
    fn the_corners_take_ink() {
        for corner in [(0, 0), (27, 0), (0, 27), (27, 27)] {
            let pixels = drawn(&[(corner, corner)]);
            assert_eq!(pixels[usize::from(corner.1) * SIDE + usize::from(corner.0)], 255);
        }
    }
}
