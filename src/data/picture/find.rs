//! Where in a picture the digit is.
//!
//! Two kinds of backgrounds are tried: one grey, which drawings and scans have, and, where the rest of
//! the picture is not of that grey, the picture without its strokes, which follows uneven light,
//! shadows and the edges of a sheet. What stands out is cut into connected pieces at several
//! thresholds; the longest and strongest that looks like strokes is the digit.

use image::{GrayImage, Luma, imageops};
use imageproc::{distance_transform::Norm, filter::gaussian_blur_f32, morphology::dilate};

use super::{
    Digit, Doubt,
    background::{Ink, without_strokes},
    candidate::{Candidate, SMALL, View},
    cut::cut,
    ink::{Histogram, edge, is_dark},
    shape::is_within,
    sheet::without_table,
};

/// Larger pictures are searched at this length of their longer side.
const LONGEST: u32 = 480;
/// Half the widest stroke that is looked for, as shares of the shorter side.
const SCALES: [f32; 3] = [0.06, 0.12, 0.24];
/// Greys that a background of one grey may be off.
const EVEN: u8 = 6;
/// Fainter ink is doubted.
const FAINT: f32 = 32.0;

/// The digit in a grey picture; `None` where nothing stands out.
pub(super) fn find(picture: &GrayImage) -> Option<Digit> {
    let (width, height) = picture.dimensions();
    let longer = width.max(height);
    if longer <= LONGEST {
        return search(picture).and_then(|found| answer(picture, &found));
    }
    let scaled = |side| (u64::from(side) * u64::from(LONGEST) / u64::from(longer)).max(1) as u32;
    let found = search(&imageops::thumbnail(picture, scaled(width), scaled(height)))?;
    answer(picture, &found)
}

fn answer(picture: &GrayImage, found: &Candidate) -> Option<Digit> {
    let (columns, rows) = (found.extent.columns.len(), found.extent.rows.len());
    let is_drawing = found.labels.width().max(found.labels.height()) <= SMALL;
    let doubt = if found.has_rivals {
        Some(Doubt::Several)
    } else if !is_drawing && found.is_blob || columns > 2 * rows {
        Some(Doubt::NoStroke)
    } else if found.level < FAINT {
        Some(Doubt::Faint)
    } else {
        None
    };
    Some(Digit { pixels: cut(picture, found)?, doubt })
}

fn search(picture: &GrayImage) -> Option<Candidate> {
    let (width, height) = picture.dimensions();
    let smooth = match width.max(height) {
        ..=SMALL => picture.clone(),
        101..=300 => gaussian_blur_f32(picture, 0.7),
        _ => gaussian_blur_f32(picture, 1.2),
    };
    let ground = edge(picture, width as usize).quantile(0.5);
    let on_ground = |ink| {
        let background = GrayImage::from_pixel(width, height, Luma([ground]));
        View { picture: &smooth, ink, background, ground: Some(ground) }.candidate()
    };
    if width.max(height) <= SMALL {
        let all = Histogram::of(picture);
        return on_ground(if is_dark(&all, ground) { Ink::Dark } else { Ink::Light });
    }
    let flat = better(on_ground(Ink::Dark), on_ground(Ink::Light));
    let is_even = flat.as_ref().is_some_and(|found| is_flat(&smooth, ground, found));
    if is_even && flat.as_ref().is_some_and(|found| !found.is_blob) {
        return flat;
    }
    let on_sheet = without_table(&smooth).and_then(|sheet| on_uneven_ground(&sheet, Ink::Dark));
    if on_sheet.as_ref().is_some_and(|found| !found.is_blob && found.level > FAINT) {
        return on_sheet;
    }
    // Scales that are too small would find strokes along the outline of a blob.
    let is_lone_blob = |found: &Candidate| {
        found.area() * 4 < smooth.len()
            && !found.parts.iter().any(|part| part.touches_edge((width, height)))
    };
    if is_even && flat.as_ref().is_some_and(is_lone_blob) {
        return flat;
    }
    let uneven = [Ink::Dark, Ink::Light].map(|ink| on_uneven_ground(&smooth, ink));
    uneven.into_iter().fold(flat, better)
}

/// Whether nearly all of a picture that is not near the digit is of one grey.
fn is_flat(picture: &GrayImage, ground: u8, found: &Candidate) -> bool {
    let reach = (found.stroke().round() as u8).max(2);
    let near = dilate(&found.mask(), Norm::LInf, reach);
    let mut rest = Histogram::default();
    for (value, _) in picture.iter().zip(near.iter()).filter(|(_, near)| **near == 0) {
        rest.add(value.abs_diff(ground), 1);
    }
    rest.quantile(0.9) <= EVEN
}

/// The best candidate before a background of varying grey: at the first scale whose next shows
/// the same, since strokes that are too wide for a scale are only found in part.
fn on_uneven_ground(picture: &GrayImage, ink: Ink) -> Option<Candidate> {
    let shorter = picture.width().min(picture.height()) as f32;
    let mut best: Option<Candidate> = None;
    for scale in SCALES {
        let radius = ((shorter * scale).round() as u32).max(2);
        let background = without_strokes(picture, ink, radius);
        let view = View { picture, ink, background, ground: None };
        let Some(next) = view.candidate() else { continue };
        match &mut best {
            Some(best) if is_same(best, &next) => {
                best.is_settled = true;
                best.score *= 1.5;
                break;
            }
            Some(best) if best.score >= next.score => {}
            _ => best = Some(next),
        }
    }
    best
}

/// Whether two scales show the same strokes.
fn is_same(smaller: &Candidate, larger: &Candidate) -> bool {
    let close = |a: usize, b: usize| a.abs_diff(b) * 20 <= a.max(b);
    close(smaller.extent.columns.len(), larger.extent.columns.len())
        && close(smaller.extent.rows.len(), larger.extent.rows.len())
        && smaller.area() * 20 > larger.area() * 17
}

/// The more likely of two candidates.
fn better(a: Option<Candidate>, b: Option<Candidate>) -> Option<Candidate> {
    match (a, b) {
        (Some(a), Some(b)) => {
            let is_first = encloses(&a, &b) || !encloses(&b, &a) && a.score >= b.score;
            Some(if is_first { a } else { b })
        }
        (a, b) => a.or(b),
    }
}

/// Whether `inner` is what the strokes of `outer` enclose, such as the inside of a zero.
fn encloses(outer: &Candidate, inner: &Candidate) -> bool {
    outer.ink != inner.ink
        && !outer.is_blob
        && (outer.is_settled || !inner.is_settled)
        && is_within(&inner.extent, &outer.extent)
        && inner.score < 3.0 * outer.score
}
