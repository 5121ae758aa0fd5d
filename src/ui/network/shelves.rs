//! Image, stages and classes all at once, where they fit on two or three shelves.

use ratatui::{buffer::Buffer, layout::Rect, widgets::Widget};

use super::{Network, classes::Classes, stage::Which};
use crate::{protocol::Insides, ui::digits};

/// Columns and rows of the image with its answer.
const PICTURE: (u16, u16) = (digits::LARGE_COLUMNS, digits::LARGE_ROWS + 6);
/// Fewest and most columns between two panes, and most next to the classes.
const GAPS: (u16, u16, u16) = (3, 6, 3);
/// Most columns of the classes.
const CLASSES: u16 = 48;
/// Most shelves.
const SHELVES: usize = 3;
/// Most stages that are tried together.
const STAGES: usize = 12;

/// A pane on a shelf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Item {
    Picture,
    Stage(Which),
    Classes,
}

/// A row of panes, each with its columns.
pub(super) struct Shelf {
    items: Vec<(Item, u16)>,
    height: u16,
}

/// Panes to be put on shelves.
struct Packing<'a> {
    network: &'a Network<'a>,
    insides: &'a Insides,
    width: u16,
    /// Columns and rows of a pane for the classes.
    classes: (u16, u16),
}

impl Packing<'_> {
    /// Columns and rows of an item, as narrow as these rows allow.
    fn size(&self, item: Item, reduced: bool, width: u16, height: u16) -> Option<(u16, u16)> {
        let size = match item {
            Item::Picture => PICTURE,
            Item::Classes => self.classes,
            Item::Stage(which) => {
                self.network.stage(which, self.insides).narrowest(reduced, width, height)?
            }
        };
        (size.0 <= width && size.1 <= height).then_some(size)
    }

    /// Cells that an item takes at least.
    fn least(&self, item: Item, area: Rect) -> Option<u32> {
        let sizes = [false, true].map(|reduced| self.size(item, reduced, area.width, area.height));
        let sizes = sizes.into_iter().flatten();
        sizes.map(|(width, height)| u32::from(width) * u32::from(height)).min()
    }

    /// Puts as many items as fit on a shelf, of which `reduced` may be drawn smaller.
    fn fill(&self, items: &[Item], height: u16, reduced: &mut usize) -> Vec<(Item, u16)> {
        let (mut filled, mut room) = (Vec::new(), self.width);
        for &item in items {
            let gap = if filled.is_empty() { 0 } else { GAPS.0 };
            let Some(rest) = room.checked_sub(gap) else { break };
            let size = self.size(item, false, rest, height).or_else(|| {
                let left = reduced.checked_sub(1)?;
                let size = self.size(item, true, rest, height)?;
                *reduced = left;
                Some(size)
            });
            let Some((width, _)) = size else { break };
            filled.push((item, width));
            room = rest - width;
        }
        filled
    }

    /// The lowest first shelf with which all items fit on this many shelves.
    fn pack(
        &self,
        items: &[Item],
        height: u16,
        shelves: usize,
        reduced: usize,
    ) -> Option<Vec<Shelf>> {
        if items.is_empty() {
            return Some(Vec::new());
        }
        let rest = shelves.checked_sub(1)?;
        // The last shelf takes all rows.
        let heights = if rest == 0 { height..=height } else { PICTURE.1.min(height)..=height };
        heights.into_iter().find_map(|rows| {
            let mut reduced = reduced;
            let filled = self.fill(items, rows, &mut reduced);
            if filled.is_empty() {
                return None;
            }
            let others = &items[filled.len()..];
            let below = height - rows;
            // A row between two shelves where there is one to spare.
            let packed = below
                .checked_sub(1)
                .and_then(|below| self.pack(others, below, rest, reduced))
                .or_else(|| self.pack(others, below, rest, reduced))?;
            let shelf = Shelf { items: filled, height: rows };
            Some(std::iter::once(shelf).chain(packed).collect())
        })
    }
}

impl Network<'_> {
    /// Everything on shelves, if there is room for that; without the kernels of later layers where they
    /// are too many, unless one of those is `chosen`.
    pub(super) fn shelves(
        &self,
        insides: &Insides,
        chosen: Which,
        area: Rect,
    ) -> Option<Vec<Shelf>> {
        let is_needed = |which: &Which| *which == chosen || !matches!(which, Which::Filters(1..));
        let all = Which::all(insides);
        let needed: Vec<Which> = all.iter().copied().filter(is_needed).collect();
        let is_less = needed.len() < all.len();
        let packed = self.packed(insides, all, area);
        packed.or_else(|| if is_less { self.packed(insides, needed, area) } else { None })
    }

    fn packed(&self, insides: &Insides, stages: Vec<Which>, area: Rect) -> Option<Vec<Shelf>> {
        let stages = stages.into_iter().filter(|&which| which != Which::Logits);
        let stages = stages.map(Item::Stage);
        let items: Vec<Item> =
            [Item::Picture].into_iter().chain(stages).chain([Item::Classes]).collect();
        if items.len() > STAGES + 2 || area.width < PICTURE.0 || area.height < PICTURE.1 {
            return None;
        }
        let classes = self.classes(insides).least();
        let packing = Packing { network: self, insides, width: area.width, classes };
        // Most searches fail, which the areas tell at once.
        let taken: Option<u32> = items.iter().map(|&item| packing.least(item, area)).sum();
        if taken.is_none_or(|taken| taken > area.area()) {
            return None;
        }
        let ways = (2..=SHELVES).flat_map(|shelves| [(shelves, 0), (shelves, 1)]);
        ways.into_iter()
            .find_map(|(shelves, reduced)| packing.pack(&items, area.height, shelves, reduced))
    }

    pub(super) fn draw_shelves(
        &self,
        shelves: &[Shelf],
        insides: &Insides,
        area: Rect,
        buf: &mut Buffer,
    ) {
        let taken: u16 = shelves.iter().map(|shelf| shelf.height).sum();
        let gap = u16::from(taken < area.height);
        let mut y = area.y;
        for (place, shelf) in shelves.iter().enumerate() {
            let is_last = place + 1 == shelves.len();
            let height = if is_last { area.bottom().saturating_sub(y) } else { shelf.height };
            self.draw_shelf(shelf, insides, Rect { y, height, ..area }, buf);
            y += shelf.height + gap;
        }
    }

    fn draw_shelf(&self, shelf: &Shelf, insides: &Insides, area: Rect, buf: &mut Buffer) {
        let taken: u16 = shelf.items.iter().map(|&(_, width)| width).sum();
        let spare = area.width.saturating_sub(taken);
        let gaps = (shelf.items.len() as u16).saturating_sub(1);
        let has_classes = shelf.items.iter().any(|&(item, _)| item == Item::Classes);
        let most = if has_classes { GAPS.2 } else { GAPS.1 };
        let gap = spare.checked_div(gaps).unwrap_or(0).min(most);
        let mut x = area.x;
        for &(item, width) in &shelf.items {
            let place = Rect { x, width, ..area };
            match item {
                Item::Picture => self.picture(insides).render(place, buf),
                Item::Stage(which) => self.stage(which, insides).draw(place, buf),
                Item::Classes => {
                    let width = (area.right() - x).min(CLASSES);
                    let classes: Classes<'_> = self.classes(insides);
                    classes.draw(Rect { width, ..place }, buf);
                }
            }
            x += width + gap;
        }
    }
}
