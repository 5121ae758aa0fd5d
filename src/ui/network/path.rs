//! The stages in order, as a line with the chosen one in brackets: `image › [conv1] › pool1 › fc`.

use std::ops::Range;

use ratatui::{buffer::Buffer, layout::Rect};

use super::{Network, stage::Which};
use crate::{protocol::Insides, ui::table};

/// Between two stages.
const ARROW: &str = " › ";
/// Shown for stages that have no room.
const MORE: &str = "…";

/// A stage of the line.
struct Step {
    /// Its place among [`Which::all`]; `None` for the image.
    page: Option<usize>,
    name: String,
}

/// Which of these widths, about the chosen one, fit with an arrow after each and a sign at cut ends.
fn window(widths: &[usize], chosen: usize, room: usize) -> Range<usize> {
    let cut = table::width(ARROW) + table::width(MORE);
    let fits = |range: &Range<usize>| {
        let arrows = (range.len() - 1) * table::width(ARROW);
        let ends = usize::from(range.start > 0) + usize::from(range.end < widths.len());
        widths[range.clone()].iter().sum::<usize>() + arrows + ends * cut <= room
    };
    let mut shown = chosen..chosen + 1;
    loop {
        let right = shown.start..(shown.end + 1).min(widths.len());
        let left = shown.start.saturating_sub(1)..shown.end;
        let is_left_longer = chosen - shown.start > shown.end - 1 - chosen;
        let sides = if is_left_longer { [right, left] } else { [left, right] };
        let wider = sides.into_iter().find(|wider| *wider != shown && fits(wider));
        match wider {
            Some(wider) => shown = wider,
            None => return shown,
        }
    }
}

impl Network<'_> {
    fn steps(&self, insides: &Insides, chosen: usize) -> Vec<Step> {
        let stages = Which::all(insides).into_iter().enumerate().map(|(page, which)| {
            let name = self.stage(which, insides).name();
            let name = if page == chosen { format!("[{name}]") } else { name };
            Step { page: Some(page), name }
        });
        [Step { page: None, name: "image".to_owned() }].into_iter().chain(stages).collect()
    }

    /// The texts of the line, each with its first column and the place of its stage, if it has one.
    fn texts(
        &self,
        insides: &Insides,
        chosen: usize,
        width: u16,
    ) -> Vec<(u16, String, Option<usize>)> {
        let steps = self.steps(insides, chosen);
        let widths: Vec<usize> = steps.iter().map(|step| table::width(&step.name)).collect();
        let chosen = (chosen + 1).min(steps.len() - 1);
        let shown = window(&widths, chosen, width.into());
        let mut texts = Vec::new();
        if shown.start > 0 {
            texts.push((MORE.to_owned(), None));
        }
        texts.extend(steps[shown.clone()].iter().map(|step| (step.name.clone(), step.page)));
        if shown.end < steps.len() {
            texts.push((MORE.to_owned(), None));
        }
        let mut x = 0;
        let placed = texts.into_iter().map(|(text, page)| {
            let place = x;
            x += (table::width(&text) + table::width(ARROW)) as u16;
            (place, text, page)
        });
        placed.collect()
    }

    /// The place of the stage whose name is at a column.
    pub(super) fn page_at(
        &self,
        insides: &Insides,
        chosen: usize,
        width: u16,
        column: u16,
    ) -> Option<usize> {
        let texts = self.texts(insides, chosen, width);
        let mut at = texts
            .into_iter()
            .filter(|(x, text, _)| (*x..*x + table::width(text) as u16).contains(&column));
        at.find_map(|(_, _, page)| page)
    }

    pub(super) fn draw_path(&self, insides: &Insides, chosen: usize, area: Rect, buf: &mut Buffer) {
        for (place, (x, text, page)) in self.texts(insides, chosen, area.width).iter().enumerate() {
            let x = area.x + x;
            let style = if *page == Some(chosen) { self.theme.accent } else { self.theme.muted };
            if place > 0 {
                let arrow = table::width(ARROW) as u16;
                table::left(buf, x - arrow, area.y, ARROW, arrow, self.theme.rule);
            }
            table::left(buf, x, area.y, text, area.right().saturating_sub(x), style);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_path_is_cut_about_the_chosen_stage() {
        let widths = [5; 9];
        assert_eq!(window(&widths, 4, 100), 0..9);
        assert_eq!(window(&widths, 4, 30), 3..6);
        assert_eq!(window(&widths, 0, 30), 0..3);
        assert_eq!(window(&widths, 8, 30), 6..9);
        assert_eq!(window(&widths, 4, 0), 4..5);
    }
}
