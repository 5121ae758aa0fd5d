//! The feature maps of the drawing in small, stage by stage.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use super::super::{pane, table, theme::Theme};
use crate::{
    app::{Action, Focus, View},
    keymap,
    protocol::{FeatureMaps, Insides, NetworkInfo},
};

/// Columns in which maps stand side by side, several to a line.
pub(super) const COLUMNS: u16 = 77;
/// Fewer pixels a side of a reduced map show nothing.
const LEAST: u16 = 6;
/// Values of a longer side than any map is drawn with.
const LONGEST: usize = 1 << 12;

/// How a stage's maps are laid out: one pixel a column and two a row, or each of `shrink`² pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Grid {
    shrink: u16,
    columns: u16,
    rows: u16,
    per_line: u16,
    lines: u16,
    /// Columns between two maps.
    gap: u16,
}

impl Grid {
    fn of(stage: &FeatureMaps, shrink: u16, width: u16) -> Self {
        let [channels, high, wide] =
            [stage.channels, stage.height, stage.width].map(|length| length.min(LONGEST) as u16);
        let (columns, rows) = ((wide / shrink).max(1), (high / shrink).max(1).div_ceil(2));
        // Values without rows and columns are a strip.
        let gap = u16::from((high, wide) != (1, 1));
        let most = ((width + gap) / (columns + gap)).max(1);
        let lines = channels.div_ceil(most).max(1);
        // As many on every line.
        Self { shrink, columns, rows, per_line: channels.div_ceil(lines).max(1), lines, gap }
    }

    /// Rows with the heading and a gap after each line of maps.
    fn height(self) -> u16 {
        (self.rows + self.gap).saturating_mul(self.lines).saturating_add(2 - self.gap)
    }

    /// Whether smaller maps still show something.
    fn can_shrink(self) -> bool {
        self.columns.min(2 * self.rows) / 2 >= LEAST
    }

    /// Those of all stages, the highest of them smaller until they fit or can be no smaller.
    fn all(stages: &[FeatureMaps], width: u16, height: u16) -> Vec<Self> {
        let mut grids: Vec<Self> = stages.iter().map(|stage| Self::of(stage, 1, width)).collect();
        loop {
            let total = grids.iter().fold(0, |sum: u16, grid| sum.saturating_add(grid.height()));
            // The last stage's gap may be cut off.
            if total <= height.saturating_add(1) {
                return grids;
            }
            let places = (0..grids.len()).filter(|&place| grids[place].can_shrink());
            let Some(highest) =
                places.max_by_key(|&place| (grids[place].height(), stages.len() - place))
            else {
                return grids;
            };
            grids[highest] = Self::of(&stages[highest], 2 * grids[highest].shrink, width);
        }
    }
}

/// Draws the pane; `insides` is `None` while there is no answer.
pub(super) fn render(
    insides: Option<&Insides>,
    network: &NetworkInfo,
    area: Rect,
    buf: &mut Buffer,
    theme: &Theme,
) {
    let inner = pane::titled(area, buf, theme, "Feature maps", []);
    let Some(insides) = insides else {
        let text = "The feature maps of the drawing appear with its first stroke.";
        return pane::empty(inner, buf, theme, text);
    };
    let grids = Grid::all(&insides.stages, inner.width, inner.height);
    let mut y = inner.y;
    let mut shown = 0;
    for (place, (stage, grid)) in insides.stages.iter().zip(grids).enumerate() {
        let bottom = y.saturating_add(grid.height());
        // Where others follow, a row is for saying so.
        let is_last = place + 1 == insides.stages.len();
        if bottom > inner.bottom() + u16::from(is_last) {
            break;
        }
        let name = match network.stages.get(place) {
            Some(stage) => stage.name.clone(),
            None => format!("stage {}", place + 1),
        };
        let place = Rect { y, height: grid.height().min(inner.bottom() - y), ..inner };
        draw_stage(stage, grid, &name, place, buf, theme);
        y = bottom;
        shown += 1;
    }
    let left_out = insides.stages.len() - shown;
    if left_out > 0 {
        let focus = Focus::View(View::Draw);
        let key =
            keymap::hint_in(focus, Action::LookInside).map_or_else(String::new, |(key, _)| key);
        let stages = if left_out == 1 { "stage" } else { "stages" };
        let text = format!("… {left_out} more {stages} · {key} looks inside");
        let y = y.min(inner.bottom().saturating_sub(1));
        table::left(buf, inner.x, y, &text, inner.width, theme.muted);
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
    let FeatureMaps { channels, height, width, values } = stage;
    let brightest = values.iter().copied().filter(|value| value.is_finite()).fold(0.0, f32::max);
    let shape =
        if grid.gap == 0 { channels.to_string() } else { format!("{channels}×{height}×{width}") };
    let heading = format!("{name} {shape}, up to {brightest:.1}");
    table::left(buf, area.x, area.y, &heading, area.width, theme.muted);
    let size = [*height, *width].map(|length| length.min(LONGEST) as u16);
    for channel in 0..(*channels).min(LONGEST) as u16 {
        let (column, line) = (channel % grid.per_line, channel / grid.per_line);
        let place = Rect {
            x: area.x + column * (grid.columns + grid.gap),
            y: area.y + 1 + line * (grid.rows + grid.gap),
            width: grid.columns,
            height: grid.rows,
        };
        let map = Map { values: stage.map(usize::from(channel)), size, brightest };
        map.draw(grid.shrink, place.intersection(area), buf, theme);
    }
}

/// One map, in shades of the brightest value of its stage.
struct Map<'a> {
    values: &'a [f32],
    /// Rows and columns.
    size: [u16; 2],
    brightest: f32,
}

impl Map<'_> {
    /// The mean of a square as a share of the brightest value; 0 outside.
    ///
    /// The largest would be what pooling makes of it, which the next stage shows.
    fn share(&self, x: u16, y: u16, shrink: u16) -> f64 {
        let (mut sum, mut values) = (0.0, 0.0);
        let [height, width] = self.size;
        for row in y * shrink..((y + 1) * shrink).min(height) {
            for column in x * shrink..((x + 1) * shrink).min(width) {
                let place = usize::from(row) * usize::from(width) + usize::from(column);
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
