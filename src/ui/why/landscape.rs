//! The loss on a plane through the weights, in shades whose borders are contour lines.

use ratatui::{
    buffer::Buffer,
    layout::{Constraint, Layout, Rect},
    style::Style,
    text::{Line, Span},
    widgets::Widget,
};

use super::{empty, explained, tabs};
use crate::{
    app::{Action, App},
    protocol::Landscape,
    ui::{
        format, pane, table,
        theme::{SHADES, Theme},
    },
};

/// Columns from which figures stand beside the plane, and their columns.
const WITH_FIGURES: u16 = 60;
const FIGURES: u16 = 26;
/// Colours, of which each covers as much of the logarithm of the loss.
const COLORS: usize = 16;

pub(super) struct Pane<'a> {
    pub(super) app: &'a App,
    pub(super) theme: &'a Theme,
}

/// From the lowest to the highest loss, by their logarithms.
#[derive(Clone, Copy)]
struct Scale {
    low: f64,
    high: f64,
}

impl Scale {
    fn of(found: &Landscape) -> Self {
        let finite = found.losses.iter().filter(|loss| loss.is_finite() && **loss > 0.0);
        let logs = finite.map(|&loss| f64::from(loss).log10());
        let (low, high) = logs.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), log| {
            (low.min(log), high.max(log))
        });
        Self { low, high }
    }

    /// In 0..=1; what is not finite is the highest.
    fn share(self, loss: f32) -> f64 {
        let share = (f64::from(loss).log10() - self.low) / (self.high - self.low);
        if loss.is_finite() && self.high > self.low { share.clamp(0.0, 1.0) } else { 1.0 }
    }

    fn loss(self, share: f64) -> f64 {
        10_f64.powf(self.low + share * (self.high - self.low))
    }
}

impl Pane<'_> {
    pub(super) fn render(&self, area: Rect, buf: &mut Buffer) {
        let (app, theme) = (self.app, self.theme);
        let can_explore = app.can_explore();
        let Some((found, step)) = app.why.landscape() else {
            let (where_to, other) = if app.why.along {
                ("along the run's trajectory", "random directions")
            } else {
                ("around the weights", "the run's own trajectory")
            };
            let text = if let Some(reason) = app.why.no_landscape().filter(|_| !app.why.explores())
            {
                reason.to_owned()
            } else if app.why.explores() {
                format!("The loss {where_to} appears here, coarse at first.")
            } else if can_explore {
                let other = if app.offers(Action::SwitchPlane) {
                    format!(" t switches to {other}.")
                } else {
                    String::new()
                };
                format!("Press enter to compute the loss {where_to}; any key stops it.{other}")
            } else {
                format!(
                    "Pause the run with space, then press enter to compute the loss {where_to}."
                )
            };
            return empty(area, buf, app, theme, "Loss landscape", &text);
        };
        if found.is_complete() && found.losses.iter().all(|loss| !loss.is_finite()) {
            let text = "The loss is not finite at these weights or anywhere around them.";
            let title = format!("Loss landscape · step {}", format::thousands(step));
            let inner = pane::titled(area, buf, theme, &title, [tabs(app, theme)]);
            return pane::empty(inner, buf, theme, text);
        }
        let images = format::thousands(found.images);
        let set = found.set.name();
        let wordings = found.trajectory.as_ref().map(|trajectory| {
            let [first, second] = trajectory.shares.map(format::short_percent);
            [
                format!(
                    "Loss on {images} {set} images on the plane where the weights varied most ({first} + {second} \
                     %), with their trajectory (o to +)."
                ),
                "Loss on the plane where the weights varied most, with their trajectory (o to +).".to_owned(),
                "Loss along the trajectory (o to +).".to_owned(),
            ]
        });
        let wordings = wordings.unwrap_or_else(|| {
            [
                format!(
                    "Loss on {images} {set} images as the weights (+) move in two random directions, by up to \
                     their own norm. Borders between shades are contour lines."
                ),
                format!("Loss on {images} images around the weights (+), in two random directions."),
                "Loss around the weights (+).".to_owned(),
            ]
        });
        let area = explained(area, buf, theme, &wordings.each_ref().map(String::as_str));
        let title = format!("Loss landscape · step {}", format::thousands(step));
        let inner = pane::titled(area, buf, theme, &title, [tabs(app, theme)]);
        let [plane, figures] = if inner.width >= WITH_FIGURES {
            Layout::horizontal([Constraint::Fill(1), Constraint::Length(FIGURES)])
                .spacing(2)
                .areas(inner)
        } else {
            [inner, Rect::ZERO]
        };
        // Square to the eye, a cell being twice as high as wide.
        let rows = plane.height.min(plane.width / 2);
        let plane = Rect { width: 2 * rows, height: rows, ..plane };
        self.draw_plane(found, plane, buf);
        self.draw_figures(found, can_explore, figures, buf);
    }

    fn draw_plane(&self, found: &Landscape, area: Rect, buf: &mut Buffer) {
        let scale = Scale::of(found);
        if area.is_empty() || found.side < 2 || found.done == 0 {
            return;
        }
        let last = (found.side - 1) as f32;
        let place = |cell: f32, cells: u16| cell / f32::from(cells.max(2) - 1) * last;
        let shade = |column: u16, half_row: u16| {
            // Rows count from the top, the second direction from below.
            let (x, y) =
                (place(f32::from(column), area.width), place(f32::from(half_row), 2 * area.height));
            let share = scale.share(sample(found, x, last - y));
            (share * (COLORS - 1) as f64).round() / (COLORS - 1) as f64
        };
        for position in area.intersection(buf.area).positions() {
            let (column, row) = (position.x - area.x, position.y - area.y);
            let [upper, lower] = [2 * row, 2 * row + 1].map(|half_row| shade(column, half_row));
            let color = |share| self.theme.heat(share).and_then(|style| style.bg);
            let (symbol, style) = match (color(upper), color(lower)) {
                (Some(upper), Some(lower)) if upper == lower => (" ", Style::new().bg(upper)),
                (Some(upper), Some(lower)) => ("▀", Style::new().fg(upper).bg(lower)),
                _ => {
                    let level = (f64::midpoint(upper, lower) * (SHADES.len() - 1) as f64).round();
                    (SHADES[level as usize], Style::new())
                }
            };
            buf[position].set_symbol(symbol).set_style(style);
        }
        if let Some(trajectory) = &found.trajectory {
            self.draw_way(found, &trajectory.points, area, buf);
        }
        let (x, y) = cell_of(found, [0.0; 2], area);
        let ground = self.theme.heat(scale.share(found.centre)).unwrap_or(self.theme.figure);
        table::left(buf, x, y, "+", 1, ground.patch(self.theme.figure.add_modifier));
    }

    /// Dots from the first point to the last, on the shades below them.
    fn draw_way(&self, found: &Landscape, points: &[[f32; 2]], area: Rect, buf: &mut Buffer) {
        let mut mark = |at: [f32; 2], symbol: &str| {
            let (x, y) = cell_of(found, at, area);
            let cell = &mut buf[(x, y)];
            // Black or white, whichever can be read on the shade.
            let ground = if cell.symbol() == "▀" { cell.fg } else { cell.bg };
            let style = self.theme.on_shade(ground).unwrap_or(self.theme.figure);
            cell.set_symbol(symbol).set_style(style);
        };
        for pair in points.windows(2) {
            let [from, to] = [pair[0], pair[1]];
            let steps = usize::from(area.width);
            for step in 0..=steps {
                let share = step as f32 / steps.max(1) as f32;
                mark([0, 1].map(|axis: usize| from[axis] + share * (to[axis] - from[axis])), "·");
            }
        }
        if let Some(&first) = points.first() {
            mark(first, "o");
        }
    }

    fn draw_figures(&self, found: &Landscape, can_explore: bool, area: Rect, buf: &mut Buffer) {
        let theme = self.theme;
        let scale = Scale::of(found);
        let figure = |loss: f32| {
            if loss.is_finite() { format::loss(f64::from(loss)) } else { "—".to_owned() }
        };
        let mut lines = vec![Line::from(vec![
            Span::styled("+ at the weights  ", theme.muted),
            Span::styled(figure(found.centre), theme.figure),
        ])];
        if let Some(lowest) = found.lowest() {
            let [x, y] = found.at(lowest);
            lines.push(Line::from(vec![
                Span::styled("lowest point      ", theme.muted),
                Span::styled(figure(found.losses[lowest]), theme.figure),
            ]));
            let at = format!("  at {x:+.2}, {y:+.2}").replace('-', "−");
            lines.push(Line::styled(at, theme.muted));
        }
        lines.push(Line::default());
        for share in [1.0, 0.75, 0.5, 0.25, 0.0] {
            let shade = theme.heat(share).unwrap_or_default();
            let symbol = if shade.bg.is_some() { " " } else { SHADES[(share * 4.0) as usize] };
            let loss =
                if scale.high > scale.low { scale.loss(share) } else { f64::from(found.centre) };
            lines.push(Line::from(vec![
                Span::styled(symbol.repeat(4), shade),
                Span::styled(format!("  {}", figure(loss as f32)), theme.muted),
            ]));
        }
        if let Some(trajectory) = &found.trajectory {
            lines.push(Line::default());
            let first = trajectory.steps.first().copied().unwrap_or(0);
            let snapshots = trajectory.steps.len();
            let text = format!("o step {}, {snapshots} snapshots", format::thousands(first));
            lines.push(Line::styled(text, theme.muted));
        }
        lines.push(Line::default());
        let (done, all) = (found.done as u64, (found.side * found.side) as u64);
        let keys = if self.app.why.explores() {
            vec![Span::styled("any key", theme.key), Span::styled(" stops", theme.muted)]
        } else if can_explore {
            vec![Span::styled("enter", theme.key), Span::styled(" computes it here", theme.muted)]
        } else {
            vec![Span::styled("paused", theme.muted), Span::styled(" runs only", theme.muted)]
        };
        if done < all {
            let count = format!("{} of {} points", format::thousands(done), format::thousands(all));
            lines.push(Line::styled(count, theme.accent));
        }
        lines.push(Line::from(keys));
        for (line, row) in lines.iter().zip(area.rows()) {
            line.render(row, buf);
        }
    }
}

/// The loss between points, from the four around it; while some of these are not known, the nearest of a
/// coarser grid.
fn sample(found: &Landscape, x: f32, y: f32) -> f32 {
    let side = found.side;
    let known = |column: usize, row: usize| {
        let loss = found.losses.get(row * side + column).copied().unwrap_or(f32::NAN);
        Some(loss).filter(|loss| loss.is_finite())
    };
    let [left, low] = [x, y].map(|it| (it.max(0.0) as usize).min(side - 1));
    let [right, high] = [left, low].map(|it| (it + 1).min(side - 1));
    let (across, up) = (x - left as f32, y - low as f32);
    let corners = [(left, low), (right, low), (left, high), (right, high)];
    if let [Some(a), Some(b), Some(c), Some(d)] = corners.map(|(column, row)| known(column, row)) {
        let lower = a + (b - a) * across;
        let upper = c + (d - c) * across;
        return lower + (upper - lower) * up;
    }
    let nearest = |distance: usize| {
        let [column, row] = [x, y].map(|it| {
            let step = (it / distance as f32).round() as usize * distance;
            step.min((side - 1) / distance * distance)
        });
        known(column, row)
    };
    [1, 2, 4].into_iter().find_map(nearest).unwrap_or(f32::NAN)
}

/// The cell of a point, of which those beyond the plane are on its side.
fn cell_of(found: &Landscape, at: [f32; 2], area: Rect) -> (u16, u16) {
    let place = |axis: usize, cells: u16| {
        let share = (at[axis] - found.middle[axis]) / found.reach / 2.0 + 0.5;
        (share.clamp(0.0, 1.0) * f32::from(cells.max(1) - 1)).round() as u16
    };
    let (column, row) = (place(0, area.width), place(1, area.height));
    (area.x + column, area.bottom().saturating_sub(1 + row))
}
