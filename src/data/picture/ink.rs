//! Grey values and how often they occur.

use super::super::SIDE;

/// The strongest ink over this is the least that counts for the digit's extent: JPEG puts fainter
/// marks around strokes.
pub(super) const LEAST: u8 = 10;
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

/// Whether what differs most from `ground` is darker.
pub(super) fn is_dark(all: &Histogram, ground: u8) -> bool {
    all.deviation(0..ground, ground) >= all.deviation(ground..=255, ground)
}

/// The grey values along the edge of a picture.
pub(super) fn edge(grey: &[u8], width: usize) -> Histogram {
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
pub(super) fn brightened(mut image: Vec<u8>) -> Vec<u8> {
    let strongest = u16::from(image.iter().copied().max().unwrap_or(0).max(1));
    for value in &mut image {
        *value = (u16::from(*value) * 255 / strongest) as u8;
    }
    image
}

/// How often each grey value occurs.
pub(super) struct Histogram([u64; 256]);

impl Default for Histogram {
    fn default() -> Self {
        Self([0; 256])
    }
}

impl Histogram {
    pub(super) fn of(values: &[u8]) -> Self {
        let mut all = Self::default();
        for &value in values {
            all.add(value, 1);
        }
        all
    }

    pub(super) fn add(&mut self, value: u8, count: u64) {
        self.0[usize::from(value)] += count;
    }

    pub(super) fn each(&self, mut see: impl FnMut(u8, u64)) {
        for (value, count) in (0..=255).zip(self.0) {
            see(value, count);
        }
    }

    /// The value that this share of all lies at or below; 0 of nothing.
    pub(super) fn quantile(&self, share: f64) -> u8 {
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
