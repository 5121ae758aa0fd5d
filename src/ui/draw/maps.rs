//! The feature maps of the drawing in small, stage by stage.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use super::super::{pane, table, theme::Theme};
use crate::protocol::{FeatureMaps, Insides};

/// Columns for six maps of 12 columns with gaps between them.
pub(super) const COLUMNS: u16 = 77;

/// The stages by the article's names.
const STAGES: [&str; 4] = ["layer1_relu", "layer1_pool", "layer2_relu", "layer2_pool"];

/// How a stage's maps are laid out: one pixel a column and two a row, or each of `shrink`² pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Grid {
    shrink: u16,
    columns: u16,
    rows: u16,
    per_line: u16,
    lines: u16,
}

impl Grid {
    fn of(stage: &FeatureMaps, shrink: u16, width: u16) -> Self {
        let columns = (stage.width as u16 / shrink).max(1);
        let rows = columns.div_ceil(2);
        let most = ((width + 1) / (columns + 1)).max(1);
        let channels = stage.channels as u16;
        let lines = channels.div_ceil(most).max(1);
        // As many on every line.
        Self { shrink, columns, rows, per_line: channels.div_ceil(lines).max(1), lines }
    }

    /// Rows with the heading and a gap after each line of maps.
    fn height(self) -> u16 {
        1 + self.lines * (self.rows + 1)
    }
}

/// Draws the pane; `None` for a drawing that there is no answer to.
pub(super) fn render(insides: Option<&Insides>, area: Rect, buf: &mut Buffer, theme: &Theme) {
    let inner = pane::titled(area, buf, theme, "Feature maps", []);
    let Some(insides) = insides else {
        let text = "What each filter makes of the drawing appears here with its first stroke.";
        return pane::empty(inner, buf, theme, text);
    };
    let grids = |shrinks: [u16; 4]| {
        let mut shrinks = shrinks.into_iter();
        let grid = |stage| Grid::of(stage, shrinks.next().unwrap_or(1), inner.width);
        insides.stages.iter().map(grid).collect::<Vec<_>>()
    };
    let full = grids([1; 4]);
    let height: u16 = full.iter().map(|grid| grid.height()).sum();
    // The last stage's gap may be cut off.
    let grids = if height <= inner.height + 1 { full } else { grids([2, 1, 1, 1]) };
    let mut y = inner.y;
    for ((stage, grid), name) in insides.stages.iter().zip(grids).zip(STAGES) {
        if y + grid.height() > inner.bottom() + 1 {
            continue;
        }
        let place = Rect { y, height: grid.height().min(inner.bottom() - y), ..inner };
        draw_stage(stage, grid, name, place, buf, theme);
        y += grid.height();
    }
}

fn draw_stage(
    stage: &FeatureMaps,
    grid: Grid,
    name: &str,
    area: Rect,
    buf: &mut Buffer,
    theme: &Theme,
) {
    let FeatureMaps { channels, width: side, values, .. } = stage;
    let (channels, side) = (*channels as u16, *side as u16);
    let brightest = values.iter().copied().filter(|value| value.is_finite()).fold(0.0, f32::max);
    let heading = format!("{name} {channels}×{side}×{side}, up to {brightest:.1}");
    table::left(buf, area.x, area.y, &heading, area.width, theme.muted);
    for channel in 0..channels {
        let place = Rect {
            x: area.x + channel % grid.per_line * (grid.columns + 1),
            y: area.y + 1 + channel / grid.per_line * (grid.rows + 1),
            width: grid.columns,
            height: grid.rows,
        };
        let map = Map { values: stage.map(usize::from(channel)), side, brightest };
        map.draw(grid.shrink, place.intersection(area), buf, theme);
    }
}

/// One map, in shades of the brightest value of its stage.
struct Map<'a> {
    values: &'a [f32],
    side: u16,
    brightest: f32,
}

impl Map<'_> {
    /// The mean of a square as a share of the brightest value; 0 outside.
    ///
    /// The largest would be what pooling makes of it, which the next stage shows.
    fn share(&self, x: u16, y: u16, shrink: u16) -> f64 {
        let (mut sum, mut values) = (0.0, 0.0);
        for row in y * shrink..((y + 1) * shrink).min(self.side) {
            for column in x * shrink..((x + 1) * shrink).min(self.side) {
                let place = usize::from(row) * usize::from(self.side) + usize::from(column);
                sum += f64::from(self.values.get(place).copied().unwrap_or(0.0));
                values += 1.0;
            }
        }
        if self.brightest > 0.0 && values > 0.0 {
            sum / values / f64::from(self.brightest)
        } else {
            0.0
        }
    }

    fn draw(&self, shrink: u16, area: Rect, buf: &mut Buffer, theme: &Theme) {
        for position in area.positions() {
            let (x, y) = (position.x - area.x, 2 * (position.y - area.y));
            let [upper, lower] = [y, y + 1].map(|y| self.share(x, y, shrink));
            let shade = |share| theme.heat(share).and_then(|style| style.bg);
            let (symbol, style) = match (shade(upper), shade(lower)) {
                (Some(upper), Some(lower)) if upper == lower => (" ", Style::new().bg(upper)),
                (Some(upper), Some(lower)) => ("▀", Style::new().fg(upper).bg(lower)),
                _ => (level(f64::midpoint(upper, lower)), Style::new()),
            };
            if let Some(cell) = buf.cell_mut(position) {
                cell.set_symbol(symbol).set_style(style);
            }
        }
    }
}

/// A character as dark as a share of 1, for terminals without shades.
fn level(share: f64) -> &'static str {
    const LEVELS: [&str; 5] = ["·", "░", "▒", "▓", "█"];
    LEVELS[(share.clamp(0.0, 1.0) * 4.0).round() as usize]
}
