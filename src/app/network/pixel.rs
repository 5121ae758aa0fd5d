//! A cursor on a pixel of a feature map.

use super::Network;
use crate::{app::Direction, protocol::Insides};

/// A position in a map of a convolution.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pixel {
    /// The stage, in the order of [`Insides::stages`].
    pub stage: usize,
    /// Map, row and column.
    pub place: [u32; 3],
    /// The input channel whose numbers are shown.
    pub input: u32,
}

impl Network {
    /// Puts the cursor in the middle of the first map of the chosen convolution; false where the network has none.
    pub(in crate::app) fn enter_map(&mut self) -> bool {
        let entered = self.insides().and_then(|insides| {
            let stage = self.convolution(insides)?;
            let maps = insides.stages.get(stage)?;
            let middle = |length: usize| u32::try_from(length / 2).unwrap_or(0);
            let place = [0, middle(maps.height), middle(maps.width)];
            Some(Pixel { stage, place, input: 0 })
        });
        if entered.is_some() {
            self.pixel = entered;
        }
        entered.is_some()
    }

    /// The stage that the convolution of the chosen page ends: of the page before it where that is of none.
    fn convolution(&self, insides: &Insides) -> Option<usize> {
        let stages = insides.stages.len();
        let is_of =
            |stage: usize| insides.filters.iter().filter(move |it| it.stage.min(stages) == stage);
        let mut left = self.page;
        let mut chosen = stages;
        for stage in 0..stages {
            let pages = is_of(stage).count() + 1;
            if left < pages {
                chosen = stage;
                break;
            }
            left -= pages;
        }
        let leads = insides.filters.iter().map(|filters| filters.stage).filter(|&it| it < stages);
        let before = leads.clone().filter(|&stage| stage <= chosen).max();
        before.or_else(|| leads.min())
    }

    /// Moves the cursor: arrows within the map, a page to another map, home and end to another input.
    pub(super) fn move_pixel(&mut self, direction: Direction) {
        let Some(pixel) = self.pixel else { return };
        let Some(insides) = self.insides() else { return };
        let Some(maps) = insides.stages.get(pixel.stage) else { return };
        let inputs = insides.filters.iter().find(|filters| filters.stage == pixel.stage);
        let inputs = inputs.map_or(1, |filters| filters.inputs);
        let [map, row, column] = pixel.place;
        let before = |place: u32| place.saturating_sub(1);
        let after = |place: u32, len: usize| {
            place.saturating_add(1).min(u32::try_from(len).unwrap_or(u32::MAX).saturating_sub(1))
        };
        let (place, input) = match direction {
            Direction::Up => ([map, before(row), column], pixel.input),
            Direction::Down => ([map, after(row, maps.height), column], pixel.input),
            Direction::Left => ([map, row, before(column)], pixel.input),
            Direction::Right => ([map, row, after(column, maps.width)], pixel.input),
            Direction::PageUp => ([before(map), row, column], pixel.input),
            Direction::PageDown => ([after(map, maps.channels), row, column], pixel.input),
            Direction::Home => (pixel.place, before(pixel.input)),
            Direction::End => (pixel.place, after(pixel.input, inputs)),
        };
        self.pixel = Some(Pixel { place, input, ..pixel });
    }
}
