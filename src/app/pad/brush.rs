//! A round, soft brush, about as wide as the strokes of MNIST for its size.

/// Half the width of a stroke as a share of the shorter side. A drawing has as much ink for its
/// length as MNIST's digits, whose strokes are about 2.4 of 28 pixels wide.
const RADIUS: f32 = 1.2 / 28.0;
/// A thinner stroke would leave no pixel full.
const LEAST_RADIUS: f32 = 0.5;

/// Draws a straight stroke between the middles of two pixels, given as column and row, over what is
/// there in rows of `width` pixels: of both inks the darker stays.
pub(super) fn line(pixels: &mut [u8], width: usize, from: (u8, u8), to: (u8, u8)) {
    let height = pixels.len() / width.max(1);
    let radius = (width.min(height) as f32 * RADIUS).max(LEAST_RADIUS);
    for (place, pixel) in pixels.iter_mut().enumerate() {
        let at = ((place % width) as f32, (place / width) as f32);
        let cover = radius + 0.5 - distance(at, from, to);
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
    const SIDE: usize = 28;

    fn drawn(strokes: &[(Place, Place)]) -> Vec<u8> {
        let mut pixels = vec![0; SIDE * SIDE];
        for &(from, to) in strokes {
            line(&mut pixels, SIDE, from, to);
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
    fn a_stroke_is_as_wide_for_its_image_whatever_the_size_and_full_in_the_middle() {
        for (width, height) in [(8, 8), (28, 28), (64, 64), (16, 64)] {
            let mut pixels = vec![0; width * height];
            let (x, y) = ((width / 2) as u8, (height - 1) as u8);
            line(&mut pixels, width, (x, 0), (x, y));
            let row = &pixels[width..2 * width];
            assert_eq!(row[width / 2], 255, "{width}×{height}");
            let ink: f32 = row.iter().map(|&ink| f32::from(ink) / 255.0).sum();
            let share = ink / width as f32;
            assert!((0.08..0.13).contains(&share), "{width}×{height}: {share}");
        }
    }

    #[test]
    fn the_corners_take_ink() {
        for corner in [(0, 0), (27, 0), (0, 27), (27, 27)] {
            let pixels = drawn(&[(corner, corner)]);
            assert_eq!(pixels[usize::from(corner.1) * SIDE + usize::from(corner.0)], 255);
        }
    }
}
