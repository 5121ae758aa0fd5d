//! Evaluation images by their features, along the first two principal components.
//!
//! ```text
//! ┌ points ─────────────────────┐ ┌ chosen ─┐
//! │ a letter each, the chosen   │ │ image   │   with room only
//! │ one between brackets        │ │ classes │
//! └─────────────────────────────┘ └─────────┘
//! one line that says what is shown
//! ```

use ratatui::{
    buffer::Buffer,
    layout::{Constraint, Layout, Position, Rect},
    style::{Modifier, Style},
    text::{Line, Span},
    widgets::Widget,
};

use super::{
    empty, explained,
    symbols::{style, symbol},
    tabs,
};
use crate::{
    app::App,
    protocol::{ImageSet, Projection, ProjectionPoint},
    ui::{Depth, digits, format, names::Names, pane, picture::Picture, table, theme::Theme},
};

/// Columns from which the chosen image is shown beside the points, and its columns.
const WITH_IMAGE: u16 = 64;
const SIDE: u16 = 24;
const WIDE_SIDE: u16 = 34;

pub(super) struct Pane<'a> {
    pub(super) app: &'a App,
    pub(super) theme: &'a Theme,
}

impl Pane<'_> {
    pub(super) fn render(&self, area: Rect, buf: &mut Buffer) {
        let (app, theme) = (self.app, self.theme);
        let Some((projection, step)) = app.why.projection() else {
            let text = "Evaluation images by their features before the last layer appear here.";
            return empty(area, buf, app, theme, "Projection", text);
        };
        let count = format::thousands(projection.points.len() as u64);
        let features = format::thousands(projection.features);
        let [first, second] = projection.shares.map(format::short_percent);
        let set = projection.set.name();
        let area = explained(
            area,
            buf,
            theme,
            &[
                &format!(
                    "{count} {set} images by their {features} features before the last layer, along the two \
                 directions of most variance ({first} + {second} %). Mistakes are inverted."
                ),
                &format!(
                    "{count} images by their {features} features, along the directions of most variance."
                ),
                "Images by their features; mistakes are inverted.",
            ],
        );
        let [points, side] = panes(area);
        let title = format!("Projection · {set} images, step {}", format::thousands(step));
        let inner = pane::titled(points, buf, theme, &title, [tabs(app, theme)]);
        self.draw_points(projection, inner, buf);
        if side.width > 0 {
            self.draw_side(projection, side, buf);
        }
    }

    /// Of the points that share a cell the chosen one is seen, or else a mistake, or else the class that
    /// most of them show.
    fn draw_points(&self, projection: &Projection, area: Rect, buf: &mut Buffer) {
        if area.width < 4 || area.height < 2 || projection.points.is_empty() {
            return;
        }
        let (names, theme) = (Names::of(self.app), self.theme);
        let cells = usize::from(area.width) * usize::from(area.height);
        let mut shown: Vec<Vec<u16>> = vec![Vec::new(); cells];
        let mut mistakes = vec![None; cells];
        let places = Places::of(projection, area);
        for point in &projection.points {
            let (column, row) = places.cell(point);
            let cell = usize::from(row) * usize::from(area.width) + usize::from(column);
            if point.label == point.prediction {
                let counts = &mut shown[cell];
                let label = usize::from(point.label);
                counts.resize(counts.len().max(label + 1), 0);
                counts[label] += 1;
            } else {
                mistakes[cell] = mistakes[cell].or(Some(point.label));
            }
        }
        let width = usize::from(area.width);
        for cell in 0..cells {
            let most = shown[cell].iter().enumerate().rev().max_by_key(|(_, count)| **count);
            let right = most.filter(|(_, count)| **count > 0).map(|(label, _)| label as u8);
            let (label, modifier) = match (mistakes[cell], right) {
                (Some(label), _) => (label, Modifier::REVERSED | Modifier::BOLD),
                (None, Some(label)) => (label, Modifier::empty()),
                (None, None) => continue,
            };
            let (x, y) = (area.x + (cell % width) as u16, area.y + (cell / width) as u16);
            let style = style(theme, label).add_modifier(modifier);
            table::left(buf, x, y, &symbol(names, label).to_string(), 1, style);
        }
        if let Some((_, chosen)) = self.app.why.chosen_point() {
            self.mark(chosen, places.cell(chosen), area, buf);
        }
    }

    fn mark(&self, point: &ProjectionPoint, cell: (u16, u16), area: Rect, buf: &mut Buffer) {
        let (x, y) = (area.x + cell.0, area.y + cell.1);
        let wrong = point.label != point.prediction;
        let modifier = if wrong { Modifier::REVERSED | Modifier::BOLD } else { Modifier::BOLD };
        let text = symbol(Names::of(self.app), point.label).to_string();
        table::left(buf, x, y, &text, 1, style(self.theme, point.label).add_modifier(modifier));
        let bracket = self.theme.figure;
        if cell.0 > 0 {
            table::left(buf, x - 1, y, "[", 1, bracket);
        }
        if x + 1 < area.right() {
            table::left(buf, x + 1, y, "]", 1, bracket);
        }
    }

    fn draw_side(&self, projection: &Projection, area: Rect, buf: &mut Buffer) {
        let Some((set, chosen)) = self.app.why.chosen_point() else { return };
        let (names, theme) = (Names::of(self.app), self.theme);
        let title = format!("{} image {}", set.name(), format::thousands(chosen.index.into()));
        let inner = pane::titled(area, buf, theme, &title, []);
        let large = inner.width >= digits::LARGE_COLUMNS && inner.height >= digits::LARGE_ROWS + 14;
        let (columns, rows) = if large {
            (digits::LARGE_COLUMNS, digits::LARGE_ROWS - 1)
        } else {
            (digits::SMALL_COLUMNS, digits::SMALL_ROWS - 1)
        };
        let place = Rect { width: columns, height: rows, ..inner }.intersection(inner);
        if let Some(pixels) = self.pixels(set, chosen.index) {
            let picture = Picture::new(pixels, self.app.run.set(), theme);
            if large {
                picture.draw_large(place, buf);
            } else {
                picture.draw_small(place, buf);
            }
        }
        let rest = Rect {
            y: (inner.y + rows).min(inner.bottom()),
            height: inner.height.saturating_sub(rows),
            ..inner
        };
        let room = usize::from(inner.width);
        let right = chosen.label == chosen.prediction;
        let (mark, verdict) = if right { ("✓", theme.right) } else { ("✗", theme.wrong) };
        let what = if right {
            names.shortened(chosen.label.into(), room.saturating_sub(2))
        } else {
            names.pair(chosen.label.into(), chosen.prediction.into(), room.saturating_sub(2))
        };
        let mut lines = vec![Line::styled(format!("{mark} {what}"), verdict)];
        let wrong = projection.points.iter().filter(|it| it.label != it.prediction).count() as u64;
        lines.push(Line::from(vec![
            Span::styled(format::thousands(wrong), theme.wrong),
            Span::styled(if wrong == 1 { " mistake " } else { " mistakes " }, theme.muted),
            Span::styled("pgup pgdn", theme.key),
        ]));
        for (line, row) in lines.iter().zip(rest.rows()) {
            line.render(row, buf);
        }
        let legend = Rect {
            y: (rest.y + lines.len() as u16 + 1).min(rest.bottom()),
            height: rest.height.saturating_sub(lines.len() as u16 + 1),
            ..rest
        };
        // Digits stand for themselves.
        if !names.are_digits() {
            self.draw_legend(legend, buf);
        }
    }

    fn draw_legend(&self, area: Rect, buf: &mut Buffer) {
        let names = Names::of(self.app);
        let count = names.count();
        for (class, row) in (0..count).zip(area.rows()) {
            let left_out = count - class;
            if row.y + 1 == area.bottom() && left_out > 1 {
                let text = format!("and {left_out} more");
                table::left(buf, row.x, row.y, &text, row.width, self.theme.muted);
                return;
            }
            let class = class as u8;
            let text = symbol(names, class).to_string();
            table::left(buf, row.x, row.y, &text, 1, style(self.theme, class));
            let name = names.shortened(class.into(), usize::from(row.width).saturating_sub(2));
            table::left(buf, row.x + 2, row.y, &name, row.width.saturating_sub(2), Style::new());
        }
    }

    /// The pixels of an image, once the worker has sent them.
    fn pixels(&self, set: ImageSet, index: u32) -> Option<&[u8]> {
        let insides = self.app.network.newest()?;
        (insides.image == Some((set, index))).then_some(&insides.pixels)
    }
}

/// The areas of the points and of the chosen image.
fn panes(area: Rect) -> [Rect; 2] {
    if area.width < WITH_IMAGE {
        return [area, Rect::ZERO];
    }
    let width = if area.width >= 110 { WIDE_SIDE } else { SIDE };
    Layout::horizontal([Constraint::Fill(1), Constraint::Length(width)]).spacing(2).areas(area)
}

/// The place of the point at a place of the view, or of the nearest within a cell of it.
pub(in crate::ui) fn point_at(app: &App, area: Rect, at: Position) -> Option<usize> {
    let (projection, _) = app.why.projection()?;
    let mut unseen = Buffer::empty(area);
    let theme = Theme::new(Depth::None);
    let [points, _] = panes(explained(area, &mut unseen, &theme, &[]));
    let inner = pane::titled(points, &mut unseen, &theme, "", [Line::default()]);
    if inner.width < 4 || inner.height < 2 || !inner.contains(at) {
        return None;
    }
    let (places, at) = (Places::of(projection, inner), (at.x - inner.x, at.y - inner.y));
    let distance = |point: &ProjectionPoint| {
        let cell = places.cell(point);
        cell.0.abs_diff(at.0).max(cell.1.abs_diff(at.1))
    };
    let all = projection.points.iter().enumerate();
    // Mistakes are drawn over what is right.
    let is_right = |point: &ProjectionPoint| point.label == point.prediction;
    let near = all.filter(|(_, point)| distance(point) <= 1);
    near.min_by_key(|(_, point)| (distance(point), is_right(point))).map(|(place, _)| place)
}

/// Where points stand: the area's sides are the points furthest out.
struct Places {
    area: Rect,
    low: [f32; 2],
    high: [f32; 2],
}

impl Places {
    fn of(projection: &Projection, area: Rect) -> Self {
        let bound = |axis: usize, start: f32, choose: fn(f32, f32) -> f32| {
            projection.points.iter().map(|point| point.at[axis]).fold(start, choose)
        };
        let low = [0, 1].map(|axis| bound(axis, f32::INFINITY, f32::min));
        let high = [0, 1].map(|axis| bound(axis, f32::NEG_INFINITY, f32::max));
        Self { area, low, high }
    }

    /// Column and row inside of the area.
    fn cell(&self, point: &ProjectionPoint) -> (u16, u16) {
        let place = |axis: usize, cells: u16| {
            let share = (point.at[axis] - self.low[axis]) / (self.high[axis] - self.low[axis]);
            // All points in one place stand in the middle; what is not a number, too.
            let share = if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.5 };
            (share * f32::from(cells - 1)).round() as u16
        };
        let row = place(1, self.area.height);
        (place(0, self.area.width), self.area.height - 1 - row)
    }
}
