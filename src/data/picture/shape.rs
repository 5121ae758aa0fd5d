//! Shapes and distances of pieces of ink.

use std::ops::Range;

use imageproc::{
    geometry::{contour_area, convex_hull, min_area_rect},
    point::Point,
};

use super::{
    super::centre::Extent,
    components::{Labels, Piece},
};

/// Whether pieces fill nearly all of their convex hull, which is not narrow: strokes leave hollows.
pub(super) fn is_blob(labels: &Labels, parts: &[Piece], extent: &Extent) -> bool {
    let width = labels.width() as usize;
    let mut ends = Vec::with_capacity(4 * extent.rows.len());
    for row in extent.rows.clone() {
        let line = &labels.as_raw()[row * width..][extent.columns.clone()];
        let is_ink = |label: &u32| *label != 0 && parts.iter().any(|part| part.label == *label);
        let first = line.iter().position(is_ink);
        let Some((first, last)) = first.zip(line.iter().rposition(is_ink)) else { continue };
        for (x, y) in [(first, row), (last + 1, row), (first, row + 1), (last + 1, row + 1)] {
            ends.push(Point::new((x as u32).cast_signed(), (y as u32).cast_signed()));
        }
    }
    if ends.is_empty() {
        return false;
    }
    let hull = convex_hull(ends);
    let [a, b, c, _] = min_area_rect(&hull);
    let side =
        |from: Point<i32>, to: Point<i32>| f64::from(from.x - to.x).hypot(f64::from(from.y - to.y));
    let (one, other) = (side(a, b), side(b, c));
    let area: usize = parts.iter().map(|part| part.area).sum();
    area as f64 > 0.75 * contour_area(&hull) && one.min(other) > 0.5 * one.max(other)
}

/// Whether two extents are of digits next to or above each other, not of parts of one digit, such as
/// the bar of a five.
pub(super) fn is_other_digit(a: &Extent, b: &Extent) -> bool {
    let both = union(a, b);
    let share = |part: &Range<usize>, whole: &Range<usize>| part.len() as f32 / whole.len() as f32;
    let least = |ranges: fn(&Extent) -> &Range<usize>| {
        share(ranges(a), ranges(&both)).min(share(ranges(b), ranges(&both)))
    };
    let overlap =
        a.columns.end.min(b.columns.end).saturating_sub(a.columns.start.max(b.columns.start));
    let are_abreast = overlap * 10 < a.columns.len().min(b.columns.len());
    let are_stacked = a.rows.end <= b.rows.start || b.rows.end <= a.rows.start;
    are_abreast && least(|extent| &extent.rows) > 0.6
        || are_stacked && least(|extent| &extent.rows) > 0.4
}

/// Rows or columns between two extents, whichever are more.
pub(super) fn gap_between(a: &Extent, b: &Extent) -> usize {
    let gap = |a: &Range<usize>, b: &Range<usize>| {
        b.start.saturating_sub(a.end).max(a.start.saturating_sub(b.end))
    };
    gap(&a.columns, &b.columns).max(gap(&a.rows, &b.rows))
}

/// The smallest extent around two.
pub(super) fn union(a: &Extent, b: &Extent) -> Extent {
    let hull = |a: &Range<usize>, b: &Range<usize>| a.start.min(b.start)..a.end.max(b.end);
    Extent { columns: hull(&a.columns, &b.columns), rows: hull(&a.rows, &b.rows) }
}

/// Whether one extent lies within another.
pub(super) fn is_within(inner: &Extent, outer: &Extent) -> bool {
    union(inner, outer) == *outer
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extent(columns: Range<usize>, rows: Range<usize>) -> Extent {
        Extent { columns, rows }
    }

    #[test]
    fn the_bar_of_a_five_is_no_other_digit_but_a_neighbour_is() {
        let digit = extent(10..30, 10..50);
        assert!(!is_other_digit(&digit, &extent(20..45, 4..9)));
        assert!(!is_other_digit(&digit, &extent(32..36, 20..26)));
        assert!(is_other_digit(&digit, &extent(33..50, 12..48)));
        assert!(is_other_digit(&digit, &extent(8..32, 54..95)));
    }

    #[test]
    fn extents_are_joined_and_measured() {
        let (a, b) = (extent(0..4, 0..9), extent(6..9, 20..30));
        assert_eq!(union(&a, &b), extent(0..9, 0..30));
        assert_eq!((gap_between(&a, &b), gap_between(&b, &a), gap_between(&a, &a)), (11, 11, 0));
        assert!(is_within(&a, &union(&a, &b)) && !is_within(&a, &b));
    }
}
