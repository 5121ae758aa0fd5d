//! The positions of the pad, the answer and the feature maps.
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
use crate::app::App;

/// Most half rows of a pad that is drawn large, and of one that is drawn small.
const LARGE: u16 = 64;
const SMALL: u16 = 32;
/// Columns between panes, and between the pad and an answer next to it.
const GAP: u16 = 2;
/// Columns of an answer next to the pad where there are feature maps too.
const BESIDE: u16 = 24;
/// Columns beyond which an answer does not grow.
const WIDEST: u16 = 48;

/// How large a pixel is, in squares of one column and half a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scale {
    /// A pixel takes this many squares on each side.
    Magnified(u16),
    /// This many pixels on each side share a square.
    Reduced(u16),
}

impl Scale {
    /// The largest scale at which images of this size take at most `most` squares on each side.
    fn within(most: u16, (width, height): (u16, u16)) -> Self {
        let longer = width.max(height).max(1);
        if longer <= most {
            Self::Magnified(most / longer)
        } else {
            Self::Reduced(longer.div_ceil(most))
        }
    }

    /// Columns and rows of an image of this size.
    fn cells(self, (width, height): (u16, u16)) -> (u16, u16) {
        match self {
            Self::Magnified(times) => (times * width, (times * height).div_ceil(2)),
            Self::Reduced(by) => (width.div_ceil(by), height.div_ceil(by).div_ceil(2)),
        }
    }

    /// The pixel at a square, the middle one of several.
    pub(super) fn pixel(self, (column, half_row): (u16, u16)) -> (u16, u16) {
        match self {
            Self::Magnified(times) => (column / times, half_row / times),
            Self::Reduced(by) => (column * by + (by - 1) / 2, half_row * by + (by - 1) / 2),
        }
    }

    /// The square where a pixel begins.
    pub(super) fn square(self, (x, y): (u16, u16)) -> (u16, u16) {
        match self {
            Self::Magnified(times) => (x * times, y * times),
            Self::Reduced(by) => (x / by, y / by),
        }
    }

    /// Whether each cell shows a part of one pixel.
    pub(super) fn is_even(self) -> bool {
        matches!(self, Self::Magnified(times) if times % 2 == 0)
    }
}

/// The position of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Below,
    Beside,
}

/// One way to fill the view.
struct Arrangement {
    /// Most half rows of the pad.
    most: u16,
    framed: bool,
    answer: Answer,
    maps: bool,
}

const fn arrangement(most: u16, answer: Answer, maps: bool) -> Arrangement {
    Arrangement { most, framed: true, answer, maps }
}

/// All ways, best first: the maps are worth more than a large pad.
const ARRANGEMENTS: [Arrangement; 7] = [
    arrangement(LARGE, Answer::Below, true),
    arrangement(LARGE, Answer::Beside, true),
    arrangement(SMALL, Answer::Below, true),
    arrangement(SMALL, Answer::Beside, true),
    arrangement(LARGE, Answer::Beside, false),
    arrangement(SMALL, Answer::Beside, false),
    Arrangement { most: SMALL, framed: false, answer: Answer::Beside, maps: false },
];

/// The parts of the view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Places {
    pub(super) scale: Scale,
    size: (u16, u16),
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
    pub(super) fn within(body: Rect, app: &App) -> Option<Self> {
        let needs = Needs::of(app);
        ARRANGEMENTS.iter().find_map(|way| way.within(body, &needs))
    }

    /// Column and row of the pixel that a cell shows, the upper or the middle of several.
    pub(super) fn pixel(&self, column: u16, row: u16) -> Option<(u8, u8)> {
        if !self.pad.contains(Position::new(column, row)) {
            return None;
        }
        let (x, y) = self.scale.pixel((column - self.pad.x, 2 * (row - self.pad.y)));
        let (width, height) = self.size;
        Some((x.min(width - 1) as u8, y.min(height - 1) as u8))
    }
}

/// The room that the images and classes of a run need.
struct Needs {
    /// Columns and rows of the pad.
    size: (u16, u16),
    answer_rows: u16,
    answer_columns: u16,
}

impl Needs {
    fn of(app: &App) -> Self {
        let (width, height) = app.pad.size();
        Self {
            size: (width.into(), height.into()),
            answer_rows: answer::rows(app),
            answer_columns: answer::least_columns(app),
        }
    }
}

/// Rows that the smallest pad needs in the view, its title included.
pub(super) fn least_rows(app: &App) -> u16 {
    let size = Needs::of(app).size;
    Scale::within(SMALL, size).cells(size).1 + 1
}

impl Arrangement {
    fn within(&self, body: Rect, needs: &Needs) -> Option<Places> {
        let scale = Scale::within(self.most, needs.size);
        let (width, height) = scale.cells(needs.size);
        let border = u16::from(self.framed);
        let framed = (width + 2 * border, height + 2 * border);
        let (pane, rows) = match (self.answer, self.maps) {
            (Answer::Below, _) => (framed.0, framed.1 + needs.answer_rows),
            (Answer::Beside, true) => (framed.0 + GAP + BESIDE, framed.1),
            // Without feature maps the answer takes all columns.
            (Answer::Beside, false) => {
                (body.width.max(framed.0 + GAP + needs.answer_columns), framed.1)
            }
        };
        let columns = pane + if self.maps { GAP + maps::COLUMNS } else { 0 };
        if columns > body.width || rows + 1 > body.height {
            return None;
        }
        let frame = Rect { x: body.x, y: body.y + 1, width: framed.0, height: framed.1 };
        let pad = Rect { x: frame.x + border, y: frame.y + border, width, height };
        let answer = match self.answer {
            Answer::Below => {
                Rect { y: frame.bottom(), height: body.bottom() - frame.bottom(), ..frame }
            }
            Answer::Beside => Rect {
                x: frame.right() + GAP,
                width: (pane - frame.width - GAP).min(WIDEST),
                height: body.bottom() - pad.y,
                ..pad
            },
        };
        let left = pane + GAP;
        Some(Places {
            scale,
            size: needs.size,
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

    const LARGE: Scale = Scale::Magnified(2);
    const SMALL: Scale = Scale::Magnified(1);

    /// A run on images of this size.
    fn app(height: usize, width: usize) -> App {
        let mut app = App::default();
        let mut info = crate::protocol::RunInfo::example();
        info.set.shape = [1, height, width];
        let _ = app.update(crate::protocol::Event::Started(info).into());
        app
    }

    fn scale_and_maps(width: u16, height: u16) -> Option<(Scale, bool)> {
        let places = Places::within(Rect::new(3, 4, width, height), &App::default())?;
        Some((places.scale, places.maps.is_some()))
    }

    #[test]
    fn the_pad_and_what_is_beside_it_grow_with_the_room() {
        for (width, height, expected) in [
            (40, 14, None),
            (40, 15, Some((SMALL, false))),
            (80, 19, Some((SMALL, false))),
            (100, 35, Some((LARGE, false))),
            (110, 35, Some((SMALL, true))),
            (140, 25, Some((SMALL, true))),
            (200, 55, Some((LARGE, true))),
            (200, 33, Some((LARGE, true))),
        ] {
            assert_eq!(scale_and_maps(width, height), expected, "{width}×{height}");
        }
    }

    #[test]
    fn all_parts_lie_within_the_view_and_none_over_another() {
        let apps = [(28, 28), (8, 8), (64, 64), (64, 20), (9, 33)].map(|size| app(size.0, size.1));
        let sizes = (0..220).flat_map(|w| (0..70).map(move |h| (w, h)));
        for ((width, height), app) in sizes.flat_map(|size| apps.iter().map(move |app| (size, app)))
        {
            let body = Rect::new(5, 2, width, height);
            let Some(places) = Places::within(body, app) else { continue };
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
            let places = Places::within(body, &App::default()).expect("there is room");
            let mut seen = std::collections::BTreeSet::new();
            for position in body.positions() {
                let pixel = places.pixel(position.x, position.y);
                assert_eq!(pixel.is_some(), places.pad.contains(position));
                seen.extend(pixel);
            }
            let rows = if places.scale == LARGE { 28 } else { 14 };
            assert_eq!(seen.len(), 28 * rows);
            assert!(seen.iter().all(|&(x, y)| x < 28 && y < 28));
        }
    }

    #[test]
    fn a_pad_of_any_size_is_whole_and_each_of_its_cells_a_pixel() {
        for (height, width) in (8..=64).map(|side| (side, side)).chain([(8, 64), (64, 8), (20, 33)])
        {
            let app = app(height, width);
            for (columns, rows) in [(80, 19), (120, 35), (200, 55)] {
                let body = Rect::new(0, 4, columns, rows);
                let places = Places::within(body, &app).expect("there is room");
                let pixels = places.pad.positions().map(|at| places.pixel(at.x, at.y));
                let pixels: Vec<(u8, u8)> =
                    pixels.map(|pixel| pixel.expect("on the pad")).collect();
                assert!(
                    pixels.iter().all(|&(x, y)| usize::from(x) < width && usize::from(y) < height)
                );
                // The first and the last cells are at the edges, give or take what shares a square.
                let near = match places.scale {
                    Scale::Magnified(_) => 2,
                    Scale::Reduced(by) => usize::from(2 * by),
                };
                let (x, y) = *pixels.last().expect("the pad is not empty");
                assert!(usize::from(x) + near >= width && usize::from(y) + near >= height);
            }
        }
    }
}
