//! The latest values, at the ends of their lines.

use ratatui::{buffer::Buffer, style::Style};

use super::Chart;

/// The latest value of a line.
#[derive(Clone, Debug)]
pub(in crate::ui) struct End {
    /// The step that the line ends with.
    pub(in crate::ui) step: u64,
    /// The value there.
    pub(in crate::ui) value: f64,
    /// The value as people read it.
    pub(in crate::ui) text: String,
    pub(in crate::ui) style: Style,
}

impl Chart {
    /// Prints each text next to the end of its line. Those that overlap move apart, the larger value above;
    /// those that have no room left are not printed.
    pub(in crate::ui) fn print_ends(&self, buf: &mut Buffer, ends: &[End]) {
        let shown = ends.iter().filter(|end| self.shows(end.step));
        let mut rows: Vec<(u16, &End)> =
            shown.filter_map(|end| Some(((self.row(end.value)? / 4) as u16, end))).collect();
        rows.sort_by(|(a, x), (b, y)| a.cmp(b).then(y.value.total_cmp(&x.value)));
        let mut placed: Vec<Place> = Vec::new();
        for (row, end) in rows {
            let width = end.text.chars().count() as u16;
            let column = self.plot.x + (self.column(end.step) / 2) as u16;
            let Some(latest) = self.right.checked_sub(width) else { continue };
            let x = (column + 2).min(latest);
            let mut place = Place { row, from: x, to: x + width, end };
            let above = placed.iter().filter(|other| other.is_beside(&place));
            place.row = above.map(|other| other.row + 1).fold(row, u16::max);
            placed.push(place);
        }
        // Those that were moved off the plot push the others up.
        for index in (0..placed.len()).rev() {
            let (place, below) = (&placed[index], &placed[index + 1..]);
            let limits = below.iter().filter(|other| other.is_beside(place)).map(|other| other.row);
            let limit = limits.fold(self.plot.height, u16::min);
            match limit.checked_sub(1) {
                Some(lowest) => placed[index].row = placed[index].row.min(lowest),
                None => drop(placed.remove(index)),
            }
        }
        for Place { row, from, end, .. } in placed {
            buf.set_string(from, self.plot.y + row, &end.text, end.style);
        }
    }
}

/// Where a text is printed.
struct Place<'a> {
    row: u16,
    from: u16,
    /// The column after it.
    to: u16,
    end: &'a End,
}

impl Place<'_> {
    /// Whether both could not stand in one row.
    fn is_beside(&self, other: &Self) -> bool {
        self.from <= other.to && other.from <= self.to
    }
}

#[cfg(test)]
mod tests {
    use ratatui::layout::Rect;

    use super::*;
    use crate::ui::{
        Depth, Theme,
        axis::Axis,
        chart::{self, Frame},
    };

    #[test]
    fn labels_at_the_lower_edge_keep_the_order_of_their_values() {
        let area = Rect::new(0, 0, 40, 6);
        let mut buf = Buffer::empty(area);
        let frame = Frame {
            label: chart::plain,
            tail: 7,
            gutter: chart::GUTTER,
            names_steps: false,
            unit: "steps",
        };
        let (theme, axis) = (Theme::new(Depth::None), Axis::linear(0.0, 8.0));
        let chart = Chart::draw(area, &mut buf, &theme, axis, (0, 100), frame).expect("it fits");
        let values = [0.2, 0.3, 0.1, 0.0];
        let end =
            |value: f64| End { step: 90, value, text: value.to_string(), style: Style::new() };
        chart.print_ends(&mut buf, &values.map(end));
        let row = |y: u16| -> String { (7..40).map(|x| buf[(x, y)].symbol()).collect() };
        let rows: Vec<String> = (2..6).map(|y| row(y).trim().to_owned()).collect();
        assert_eq!(rows, ["0.3", "0.2", "0.1", "0"]);
    }
}
