//! Stages below each other, as many as fit with the one chosen.

use super::{Network, stage::Which};
use crate::protocol::Insides;

/// Stages below each other, each with its rows.
pub(super) type Screen = Vec<(Which, u16)>;

impl Network<'_> {
    /// All stages but the logits in screens of this size, each stage on one of them.
    fn screens(&self, insides: &Insides, width: u16, height: u16) -> Vec<Screen> {
        let mut screens: Vec<Screen> = Vec::new();
        for which in Which::all(insides).into_iter().filter(|&which| which != Which::Logits) {
            let needed = self.stage(which, insides).height(width, height).unwrap_or(height);
            let Some(screen) = screens.last_mut() else {
                screens.push(vec![(which, needed)]);
                continue;
            };
            let taken: u16 = screen.iter().map(|(_, rows)| rows + 1).sum();
            if taken + needed <= height {
                screen.push((which, needed));
                continue;
            }
            // Filters are small enough to make room for what they give.
            let smaller = match screen.as_slice() {
                &[(which @ Which::Filters(_), _)] => {
                    height.checked_sub(needed + 1).and_then(|room| {
                        Some((which, self.stage(which, insides).height(width, room)?))
                    })
                }
                _ => None,
            };
            if let Some(smaller) = smaller {
                *screen = vec![smaller, (which, needed)];
            } else {
                screens.push(vec![(which, needed)]);
            }
        }
        screens
    }

    /// The screen with the chosen stage; the last one for the logits.
    pub(super) fn screen(
        &self,
        chosen: Which,
        insides: &Insides,
        width: u16,
        height: u16,
    ) -> Screen {
        let mut screens = self.screens(insides, width, height);
        let has_chosen = |screen: &Screen| screen.iter().any(|&(which, _)| which == chosen);
        match screens.iter().position(has_chosen) {
            Some(place) => screens.swap_remove(place),
            None => screens.pop().unwrap_or_default(),
        }
    }
}
