//! What may be the digit in a picture, and how well it stands out.

use image::GrayImage;

use super::{
    super::centre::Extent,
    background::{Ink, strength_of},
    components::{Labels, Piece, pieces},
    ink::{Histogram, LEAST, edge},
    shape::{gap_between, is_blob, is_other_digit, union},
};

/// Pictures whose longer side is up to this are drawings, such as MNIST's own: every pixel counts.
pub(super) const SMALL: u32 = 100;
/// Ink of less strength than this is none.
pub(super) const FAINTEST: u8 = 12;
/// The thresholds that are tried: each is this share of the one before.
const RUNG: f32 = 0.6;

/// A picture before one hypothesis of ink and background.
pub(super) struct View<'a> {
    pub(super) picture: &'a GrayImage,
    pub(super) ink: Ink,
    pub(super) background: GrayImage,
    /// The one grey of the background, if it is one.
    pub(super) ground: Option<u8>,
}

/// Pieces of ink that may together be the digit.
pub(super) struct Candidate {
    pub(super) ink: Ink,
    pub(super) background: GrayImage,
    /// Strength up to which a pixel is as likely to be noise.
    pub(super) noise: u8,
    pub(super) labels: Labels,
    pub(super) parts: Vec<Piece>,
    pub(super) extent: Extent,
    /// Mean strength of the ink.
    pub(super) level: f32,
    /// The longer and stronger, the higher; lower for what is more often something else than a digit.
    pub(super) score: f32,
    /// Whether it has no hollows and is not narrow, as strokes never are.
    pub(super) is_blob: bool,
    /// Whether a larger scale shows the same.
    pub(super) is_settled: bool,
    /// Whether there are others like it.
    pub(super) has_rivals: bool,
}

impl View<'_> {
    /// The best candidate over all thresholds; `None` where nothing stands out.
    pub(super) fn candidate(self) -> Option<Candidate> {
        let strength = strength_of(self.picture, &self.background, self.ink);
        let all = Histogram::of(&strength);
        let (mean, deviation) = self.unevenness(&all);
        let above = |deviations: f32| (mean + deviations * deviation).round().min(255.0) as u8;
        let is_drawing = self.is_small() && self.ground.is_some();
        // In standard deviations. Photographs have more pixels to smooth noise over.
        let (noise, floor) = if is_drawing { (4.6, 4.6) } else { (2.5, 5.0) };
        // A few odd pixels do not count in a large picture.
        let top = all.quantile(0.9999).max(all.quantile(1.0) / 2);
        let floor = above(floor).min(top / 4).max(FAINTEST / 2);
        if top < FAINTEST {
            return None;
        }
        let first = if is_drawing { floor.max(top / LEAST) } else { (f32::from(top) * RUNG) as u8 };
        let rungs = std::iter::successors(Some(f32::from(first)), |rung| {
            Some(rung * RUNG).filter(|&rung| !is_drawing && rung >= f32::from(floor))
        });
        let candidates = rungs.filter_map(|rung| self.candidate_above(&strength, rung as u8));
        // The lower threshold holds more of the same digit.
        let best = candidates.reduce(
            |best, next| {
                if next.score > 0.9 * best.score { next } else { best }
            },
        )?;
        Some(Candidate { background: self.background, noise: above(noise), ..best })
    }

    fn is_small(&self) -> bool {
        self.picture.width().max(self.picture.height()) <= SMALL
    }

    /// Mean and standard deviation of the strengths where there is no ink.
    fn unevenness(&self, all: &Histogram) -> (f32, f32) {
        let mut spread = Histogram::default();
        if let Some(ground) = self.ground {
            let edge = edge(self.picture, self.picture.width() as usize);
            edge.each(|value, count| spread.add(value.abs_diff(ground), count));
            // Three quarters of normally distributed values are within 1.15 deviations.
            (0.0, f32::from(spread.quantile(0.75)) / 1.15)
        } else {
            let middle = all.quantile(0.5);
            all.each(|value, count| spread.add(value.abs_diff(middle), count));
            (f32::from(middle), f32::from(spread.quantile(0.7)))
        }
    }

    fn candidate_above(&self, strength: &GrayImage, least: u8) -> Option<Candidate> {
        // Ruled lines cut strokes that are drawn over.
        let longer = self.picture.width().max(self.picture.height());
        let (labels, pieces) = pieces(strength, least, (longer / 300) as u8);
        let score = |piece: &Piece| self.likeliness(piece) * piece.level() * piece.length();
        let main = pieces.iter().max_by(|a, b| score(a).total_cmp(&score(b)))?;
        let (parts, extent, has_rivals) = self.gather(main, &pieces);
        let area: usize = parts.iter().map(|part| part.area).sum();
        let level =
            parts.iter().map(|part| part.level() * part.area as f32).sum::<f32>() / area as f32;
        let mut candidate = Candidate {
            ink: self.ink,
            background: GrayImage::default(),
            noise: 0,
            is_blob: is_blob(&labels, &parts, &extent),
            labels,
            parts,
            extent,
            level,
            score: 0.0,
            is_settled: false,
            has_rivals,
        };
        let shape = if candidate.is_blob { 0.3 } else { 1.0 };
        candidate.score = shape
            * self.likeliness(main)
            * level
            * candidate.length()
            * candidate.contrast(self.picture);
        Some(candidate)
    }

    /// How likely a piece is of a digit, by where it is and its shape, at most 1.
    fn likeliness(&self, piece: &Piece) -> f32 {
        let (width, height) = self.picture.dimensions();
        let place = if !piece.touches_edge((width, height)) {
            1.0
        } else if piece.inset() < 0.06 * width.min(height) as f32 {
            // Frames and tables lie along the edge.
            0.1
        } else {
            0.3
        };
        let shape = if piece.stroke() > 0.45 * piece.length() { 0.3 } else { 1.0 };
        place * shape * if piece.is_box() { 0.3 } else { 1.0 }
    }

    /// The pieces of the digit that `main` belongs to, their extent, and whether there are other
    /// digits.
    fn gather(&self, main: &Piece, pieces: &[Piece]) -> (Vec<Piece>, Extent, bool) {
        let is_small = self.is_small();
        let (reach, shortest) = if is_small { (0.5, 0.0) } else { (0.2, 0.08) };
        let mut parts = vec![main.clone()];
        let mut extent = main.extent.clone();
        let mut has_rivals = false;
        let is_alike = |piece: &&Piece| {
            let strong = piece.level() > 0.4 * main.level();
            let likely = self.likeliness(piece) > 0.3 * self.likeliness(main);
            piece.label != main.label && (is_small || strong && likely)
        };
        let mut others: Vec<&Piece> = pieces.iter().filter(is_alike).collect();
        others.sort_by_key(|piece| gap_between(&piece.extent, &main.extent));
        for other in others {
            let is_near = gap_between(&other.extent, &extent) as f32 <= reach * main.length();
            let is_part = other.length() >= shortest * main.length()
                && (is_small || !is_other_digit(&extent, &other.extent));
            if is_near && is_part {
                extent = union(&extent, &other.extent);
                parts.push(other.clone());
            } else {
                has_rivals |= other.length() > 0.5 * main.length();
            }
        }
        (parts, extent, has_rivals)
    }
}

impl Candidate {
    /// Whether the pixel with this label belongs to it.
    pub(super) fn holds(&self, label: u32) -> bool {
        label != 0 && self.parts.iter().any(|part| part.label == label)
    }

    /// Pixels.
    pub(super) fn area(&self) -> usize {
        self.parts.iter().map(|part| part.area).sum()
    }

    /// The longer side of the extent.
    pub(super) fn length(&self) -> f32 {
        self.extent.columns.len().max(self.extent.rows.len()) as f32
    }

    /// The mean width of the strokes.
    pub(super) fn stroke(&self) -> f32 {
        let weighted: f32 = self.parts.iter().map(|part| part.stroke() * part.area as f32).sum();
        weighted / self.area() as f32
    }

    /// Its pixels as 255 among 0.
    pub(super) fn mask(&self) -> GrayImage {
        let (width, height) = self.labels.dimensions();
        let mut mask = GrayImage::new(width, height);
        for (mask, &label) in mask.iter_mut().zip(self.labels.iter()) {
            *mask = if self.holds(label) { 255 } else { 0 };
        }
        mask
    }

    /// The share of the ink's strength that is left when it is compared with what is around it, not
    /// with the background: light gaps between dark strokes are no lighter than the paper.
    fn contrast(&self, picture: &GrayImage) -> f32 {
        let Extent { columns, rows } = &self.extent;
        let margin = self.length() as usize / 4 + 1;
        let (width, height) = picture.dimensions();
        let end = |end: usize, side: u32| (end + margin).min(side as usize);
        let (mut own, mut around) = (Histogram::default(), Histogram::default());
        for y in rows.start.saturating_sub(margin)..end(rows.end, height) {
            for x in columns.start.saturating_sub(margin)..end(columns.end, width) {
                let (x, y) = (x as u32, y as u32);
                let is_own = self.holds(self.labels.get_pixel(x, y).0[0]);
                let values = if is_own { &mut own } else { &mut around };
                values.add(picture.get_pixel(x, y).0[0], 1);
            }
        }
        let around = around.quantile(0.5);
        let mut strength = 0.0;
        own.each(|value, count| {
            strength += count as f32 * f32::from(self.ink.strength(value, around));
        });
        (strength / self.area() as f32 / self.level).clamp(0.05, 1.0)
    }
}
