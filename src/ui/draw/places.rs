//! Where the pad, the answer and the feature maps stand.
//!
//! ```text
//! Draw ─────────────  Feature maps ──────     Draw ──────────────────────────────
//! ╭────────────────╮  1st convolution         ╭────────────────╮  0 ████  answer
//! │ pad            │   ▓▓  ▓▓  ▓▓             │ pad            │  1 ██    beside
//! ╰────────────────╯  …                       ╰────────────────╯  …
//! 0 ████  answer below
//! ```

use ratatui::layout::{Position, Rect};

use super::{answer, maps};

/// Pixels along each side of the pad.
pub(super) const SIDE: u16 = 28;
/// Columns between panes, and between the pad and an answer beside it.
const GAP: u16 = 2;
/// Columns of an answer beside the pad that is not alone with it.
const BESIDE: u16 = 24;
/// Columns beyond which an answer does not grow.
const WIDEST: u16 = 48;

/// How many cells a pixel takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scale {
    /// Two columns and a row.
    Large,
    /// Half of one cell: one column, two pixels a row.
    Small,
}

impl Scale {
    fn cells(self) -> (u16, u16) {
        match self {
            Self::Large => (2 * SIDE, SIDE),
            Self::Small => (SIDE, SIDE / 2),
        }
    }
}

/// Where the answer stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Below,
    Beside,
}

/// One way to fill the view.
struct Arrangement {
    scale: Scale,
    framed: bool,
    answer: Answer,
    maps: bool,
}

const fn arrangement(scale: Scale, answer: Answer, maps: bool) -> Arrangement {
    Arrangement { scale, framed: true, answer, maps }
}

/// All ways, best first: the maps are worth more than a large pad.
const ARRANGEMENTS: [Arrangement; 7] = [
    arrangement(Scale::Large, Answer::Below, true),
    arrangement(Scale::Large, Answer::Beside, true),
    arrangement(Scale::Small, Answer::Below, true),
    arrangement(Scale::Small, Answer::Beside, true),
    arrangement(Scale::Large, Answer::Beside, false),
    arrangement(Scale::Small, Answer::Beside, false),
    Arrangement { scale: Scale::Small, framed: false, answer: Answer::Beside, maps: false },
];

/// The parts of the view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Places {
    pub(super) scale: Scale,
    /// The pane of pad and answer, with its title.
    pub(super) pane: Rect,
    /// The border around the pad; `None` where there is no room.
    pub(super) frame: Option<Rect>,
    pub(super) pad: Rect,
    pub(super) answer: Rect,
    /// The pane of the feature maps, with its title.
    pub(super) maps: Option<Rect>,
}

impl Places {
    /// The best way there is room for.
    pub(super) fn within(body: Rect) -> Option<Self> {
        ARRANGEMENTS.iter().find_map(|way| way.within(body))
    }

    /// Column and row of the pixel that a cell shows, the upper of two.
    pub(super) fn pixel(&self, column: u16, row: u16) -> Option<(u8, u8)> {
        if !self.pad.contains(Position::new(column, row)) {
            return None;
        }
        let (x, y) = (column - self.pad.x, row - self.pad.y);
        let (x, y) = match self.scale {
            Scale::Large => (x / 2, y),
            Scale::Small => (x, 2 * y),
        };
        Some((x as u8, y as u8))
    }
}

/// Rows that the smallest pad needs in the view, its title included.
pub(super) const LEAST_ROWS: u16 = SIDE / 2 + 1;

impl Arrangement {
    fn within(&self, body: Rect) -> Option<Places> {
        let (width, height) = self.scale.cells();
        let border = u16::from(self.framed);
        let framed = (width + 2 * border, height + 2 * border);
        let (pane, rows) = match (self.answer, self.maps) {
            (Answer::Below, _) => (framed.0, framed.1 + answer::ROWS),
            (Answer::Beside, true) => (framed.0 + GAP + BESIDE, framed.1),
            // What stands alone takes all the columns.
            (Answer::Beside, false) => {
                (body.width.max(framed.0 + GAP + answer::LEAST_COLUMNS), framed.1)
            }
        };
        let columns = pane + if self.maps { GAP + maps::COLUMNS } else { 0 };
        if columns > body.width || rows + 1 > body.height {
            return None;
        }
        let frame = Rect { x: body.x, y: body.y + 1, width: framed.0, height: framed.1 };
        let pad = Rect { x: frame.x + border, y: frame.y + border, width, height };
        let answer = match self.answer {
            Answer::Below => Rect { y: frame.bottom(), height: answer::ROWS, ..frame },
            Answer::Beside => Rect {
                x: frame.right() + GAP,
                width: (pane - frame.width - GAP).min(WIDEST),
                ..pad
            },
        };
        let left = pane + GAP;
        Some(Places {
            scale: self.scale,
            pane: Rect { width: pane, ..body },
            frame: self.framed.then_some(frame),
            pad,
            answer,
            maps: self.maps.then(|| Rect { x: body.x + left, width: body.width - left, ..body }),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scale_and_maps(width: u16, height: u16) -> Option<(Scale, bool)> {
        let places = Places::within(Rect::new(3, 4, width, height))?;
        Some((places.scale, places.maps.is_some()))
    }

    #[test]
    fn the_pad_and_what_is_beside_it_grow_with_the_room() {
        for (width, height, expected) in [
            (40, 14, None),
            (40, 15, Some((Scale::Small, false))),
            (80, 19, Some((Scale::Small, false))),
            (100, 35, Some((Scale::Large, false))),
            (110, 35, Some((Scale::Small, true))),
            (140, 25, Some((Scale::Small, true))),
            (200, 55, Some((Scale::Large, true))),
            (200, 33, Some((Scale::Large, true))),
        ] {
            assert_eq!(scale_and_maps(width, height), expected, "{width}×{height}");
        }
    }

    #[test]
    fn all_parts_lie_within_the_view_and_none_over_another() {
        for (width, height) in (0..220).flat_map(|w| (0..70).map(move |h| (w, h))) {
            let body = Rect::new(5, 2, width, height);
            let Some(places) = Places::within(body) else { continue };
            let Places { pane, frame, pad, answer, maps, .. } = places;
            let frame = frame.unwrap_or(pad);
            let parts: Vec<_> = [frame, answer].into_iter().chain(maps).collect();
            for (number, part) in parts.iter().enumerate() {
                assert_eq!(body.intersection(*part), *part, "{width}×{height}: {places:?}");
                for other in &parts[..number] {
                    assert!(!part.intersects(*other), "{width}×{height}: {places:?}");
                }
            }
            assert_eq!((pane.intersection(frame), frame.intersection(pad)), (frame, pad));
        }
    }

    #[test]
    fn cells_of_the_pad_and_no_others_are_pixels() {
        for (width, height) in [(80, 19), (40, 15), (100, 35), (200, 55)] {
            let body = Rect::new(0, 4, width, height);
            let places = Places::within(body).expect("there is room");
            let mut seen = std::collections::BTreeSet::new();
            for position in body.positions() {
                let pixel = places.pixel(position.x, position.y);
                assert_eq!(pixel.is_some(), places.pad.contains(position));
                seen.extend(pixel);
            }
            let rows = if places.scale == Scale::Large { 28 } else { 14 };
            assert_eq!(seen.len(), 28 * rows);
            assert!(seen.iter().all(|&(x, y)| x < 28 && y < 28));
        }
    }
}
