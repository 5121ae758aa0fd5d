//! A sheet of paper that lies on something darker.

use image::{GrayImage, Luma};
use imageproc::{
    contrast::{ThresholdType, otsu_level, threshold},
    distance_transform::Norm,
    drawing::draw_polygon_mut,
    geometry::{contour_area, convex_hull, min_area_rect},
    morphology::erode,
    point::Point,
};

use super::{
    background::{Ink, without_strokes},
    components::pieces,
    ink::Histogram,
};

/// Smaller regions, as shares of the picture, are not sheets, and larger ones leave no table.
const AREA: std::ops::Range<f64> = 0.08..0.95;
/// The least share of the rectangle around it that a sheet fills.
const FILLED: f64 = 0.85;
/// The least difference of the greys of sheet and table.
const CONTRAST: u8 = 30;

/// The picture with all that is not on the sheet painted in the grey of the paper; `None` if there is
/// no sheet that ends within the picture.
pub(super) fn without_table(picture: &GrayImage) -> Option<GrayImage> {
    let (width, height) = picture.dimensions();
    let shorter = width.min(height);
    let paper = without_strokes(picture, Ink::Dark, shorter / 10);
    let level = otsu_level(&paper);
    let (labels, regions) = pieces(&paper, level, 0);
    let region = regions.into_iter().max_by_key(|region| region.area)?;
    let mut corners = Vec::new();
    for (y, row) in labels.enumerate_rows() {
        let inside =
            |(x, _, label): (u32, u32, &Luma<u32>)| (label.0[0] == region.label).then_some(x);
        let mut columns = row.filter_map(inside);
        if let Some(first) = columns.next() {
            let last = columns.last().unwrap_or(first);
            corners.extend([first, last].map(|x| Point::new(x.cast_signed(), y.cast_signed())));
        }
    }
    let outline = convex_hull(corners);
    let area = contour_area(&outline);
    let is_sheet = AREA.contains(&(area / f64::from(width) / f64::from(height)))
        && region.sides_touched((width, height)) <= 2
        && region.area as f64 > FILLED * area
        && area > FILLED * contour_area(&min_area_rect(&outline));
    if !is_sheet || outline.len() < 3 {
        return None;
    }
    let mut sheet = GrayImage::new(width, height);
    draw_polygon_mut(&mut sheet, &outline, Luma([255]));
    // The edge of the paper is often curled or in its own shadow.
    let sheet = erode(
        &threshold(&sheet, 0, ThresholdType::Binary),
        Norm::LInf,
        (shorter / 60).clamp(1, 255) as u8,
    );
    let (mut on, mut off) = (Histogram::default(), Histogram::default());
    for (&value, &inside) in picture.iter().zip(sheet.iter()) {
        if inside > 0 { &mut on } else { &mut off }.add(value, 1);
    }
    let grey = on.quantile(0.5);
    if grey.saturating_sub(off.quantile(0.5)) < CONTRAST {
        return None;
    }
    let mut painted = picture.clone();
    for (value, _) in painted.iter_mut().zip(sheet.iter()).filter(|(_, inside)| **inside == 0) {
        *value = grey;
    }
    Some(painted)
}
