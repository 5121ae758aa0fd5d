//! What of a grey picture is ink.

use super::super::{
    SIDE,
    centre::{Extent, centre},
};

/// Fainter ink is none.
const FAINTEST: u8 = 32;
/// The strongest ink over this is the least that counts for the digit's extent: what JPEG puts around
/// strokes is fainter.
const LEAST: u8 = 10;
/// Greys of the visible that are no further apart than this are one colour.
const ONE_COLOUR: u8 = 64;

/// Grey values of a picture with transparency, given as luma and alpha in turns, over the background
/// it was most likely made for.
///
/// Where all that can be seen is of one colour, that is the ink, made for a background of the other
/// end; else the background can be seen, and goes on where nothing is.
pub(super) fn flatten(luma_alpha: &[u8]) -> Vec<u8> {
    let (pairs, _) = luma_alpha.as_chunks::<2>();
    let mut visible = Histogram::default();
    for &[luma, alpha] in pairs {
        visible.add(luma, u64::from(alpha));
    }
    let [low, middle, high] = [0.001, 0.5, 0.999].map(|share| visible.quantile(share));
    let ground = match high - low {
        0..ONE_COLOUR if middle < 128 => 255,
        0..ONE_COLOUR => 0,
        _ => middle,
    };
    let over = |[luma, alpha]: [u8; 2]| {
        let (luma, alpha) = (u32::from(luma), u32::from(alpha));
        ((luma * alpha + u32::from(ground) * (255 - alpha) + 127) / 255) as u8
    };
    pairs.iter().map(|&pair| over(pair)).collect()
}

/// The digit in a grey picture of `width` columns as MNIST would have it, 28 rows of 28 grey values;
/// `None` where nothing stands out.
///
/// The background is what most of the picture's edge is, and the ink what differs most from it, be
/// it darker or lighter.
pub(super) fn digit(grey: &[u8], width: usize) -> Option<Vec<u8>> {
    let all = Histogram::of(grey);
    let edge = edge(grey, width);
    let ground = edge.quantile(0.5);
    let dark = all.deviation(0..ground, ground) >= all.deviation(ground..=255, ground);
    let ink = |value: u8| {
        if dark { ground.saturating_sub(value) } else { value.saturating_sub(ground) }
    };
    let strongest = ink(if dark { all.quantile(0.0) } else { all.quantile(1.0) });
    if strongest < FAINTEST {
        return None;
    }
    // Paper is not even, and a digit may touch the edge.
    let mut unevenness = Histogram::default();
    edge.each(|value, count| unevenness.add(ink(value), count));
    let noise = unevenness.quantile(0.75).saturating_mul(4).min(strongest / 4);
    let least = noise.max(strongest / LEAST);
    let stretched = |value: u8| {
        let ink = ink(value);
        let full = u16::from(ink) * 255 / u16::from(strongest);
        if ink > noise { full as u8 } else { 0 }
    };
    let Extent { columns, rows } = Extent::of(grey, width, |value| ink(value) > least)?;
    let cut: Vec<u8> = grey
        .chunks_exact(width)
        .skip(rows.start)
        .take(rows.len())
        .flat_map(|row| row[columns.clone()].iter().map(|&value| stretched(value)))
        .collect();
    Some(brightened(centre(&cut, columns.len())))
}

/// The grey values along the edge of a picture.
fn edge(grey: &[u8], width: usize) -> Histogram {
    let height = grey.len() / width.max(1);
    let depth = (width.min(height) / SIDE).max(1);
    let mut edge = Histogram::default();
    for (y, row) in grey.chunks_exact(width.max(1)).enumerate() {
        let is_inside = (depth..height.saturating_sub(depth)).contains(&y);
        let parts = if is_inside { [&row[..depth], &row[width - depth..]] } else { [row, &[]] };
        for &value in parts.into_iter().flatten() {
            edge.add(value, 1);
        }
    }
    edge
}

/// Thin lines grow faint where they are scaled down: the strongest ink becomes full again.
fn brightened(mut image: Vec<u8>) -> Vec<u8> {
    let strongest = u16::from(image.iter().copied().max().unwrap_or(0).max(1));
    for value in &mut image {
        *value = (u16::from(*value) * 255 / strongest) as u8;
    }
    image
}

/// How often each grey value occurs.
struct Histogram([u64; 256]);

impl Default for Histogram {
    fn default() -> Self {
        Self([0; 256])
    }
}

impl Histogram {
    fn of(values: &[u8]) -> Self {
        let mut all = Self::default();
        for &value in values {
            all.add(value, 1);
        }
        all
    }

    fn add(&mut self, value: u8, count: u64) {
        self.0[usize::from(value)] += count;
    }

    fn each(&self, mut see: impl FnMut(u8, u64)) {
        for (value, count) in (0..=255).zip(self.0) {
            see(value, count);
        }
    }

    /// The value that this share of all lies at or below; 0 of nothing.
    fn quantile(&self, share: f64) -> u8 {
        let all: u64 = self.0.iter().sum();
        let wanted = ((all as f64 * share).ceil() as u64).max(1);
        let mut seen = 0;
        let reached = (0..=255_u8).zip(self.0).find(|(_, count)| {
            seen += count;
            seen >= wanted
        });
        reached.map_or(0, |(value, _)| value)
    }

    /// How far the values of a range lie from `ground`, squared: a few strokes weigh more than an
    /// uneven background.
    fn deviation(&self, range: impl std::ops::RangeBounds<u8>, ground: u8) -> f64 {
        let mut sum = 0.0;
        self.each(|value, count| {
            if range.contains(&value) {
                sum += count as f64 * f64::from(value.abs_diff(ground)).powi(2);
            }
        });
        sum
    }
}
