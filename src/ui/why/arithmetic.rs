//! A convolution at one position, in numbers.
//!
//! ```text
//! ┌ map ────┐ ┌ patch ──┐ ┌ kernel ─┐ ┌ products ┐
//! │ cursor  │ │ 0.00 …  │ │ 0.12 …  │ │ 0.00 …   │   side by side where there is room, or in two rows
//! └─────────┘ └─────────┘ └─────────┘ └──────────┘
//! sum of products + bias = the map's value
//! ```

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::{Modifier, Style},
    text::{Line, Span},
    widgets::Widget,
};

use super::{empty, explained};
use crate::{
    app::{App, Pixel},
    protocol::{Arithmetic, Content},
    ui::{
        cells::{Form, Grid, Scale},
        format, pane, table,
        theme::Theme,
    },
};

/// Columns of a number with its gap.
const NUMBER: u16 = 6;
/// Columns between grids.
const GAP: u16 = 3;

#[derive(Debug)]
pub(in crate::ui) struct Pane<'a> {
    pub(in crate::ui) app: &'a App,
    pub(in crate::ui) theme: &'a Theme,
    pub(in crate::ui) pixel: Pixel,
}

impl Pane<'_> {
    pub(in crate::ui) fn render(&self, area: Rect, buf: &mut Buffer) {
        let (app, theme) = (self.app, self.theme);
        let Some(Content::Arithmetic(found)) = app.why.answer().map(|answer| &answer.content)
        else {
            return empty(
                area,
                buf,
                app,
                theme,
                "Arithmetic",
                "The values at this pixel appear here.",
            );
        };
        let area = explained(
            area,
            buf,
            theme,
            &[
                "Each input below the kernel times the weight there: all products and the bias add up to the value \
                 at the cursor.",
                "Patch times kernel, summed, plus the bias: the value at the cursor.",
                "Patch times kernel, summed, plus bias.",
            ],
        );
        let [map, row, column] = found.place;
        let title = format!("{} · map {map}, row {row}, column {column}", found.layer);
        let keys = |text: &'static str| Line::styled(text, theme.muted);
        let notes = [
            keys("arrows pixel · pgup pgdn map · home end input · esc closes"),
            keys("pgup pgdn map · home end input"),
            keys("esc closes"),
        ];
        let inner = pane::titled(area, buf, theme, &title, notes);
        let input = (self.pixel.input as usize).min((found.inputs as usize).saturating_sub(1));
        let below = self.draw_grids(found, input, inner, buf);
        self.draw_sums(found, input, below, buf);
    }

    /// Gives what is left below the grids.
    fn draw_grids(&self, found: &Arithmetic, input: usize, area: Rect, buf: &mut Buffer) -> Rect {
        let side = found.side.min(64) as u16;
        let len = (found.side * found.side) as usize;
        let part = |values: &[f32]| values.iter().skip(input * len).take(len).copied().collect();
        let (patch, kernel): (Vec<f32>, Vec<f32>) = (part(&found.patch), part(&found.kernel));
        let products: Vec<f32> = patch.iter().zip(&kernel).map(|(a, b)| a * b).collect();
        let [top, left] = found.corner;
        let of = if found.inputs > 1 { format!("input {input}") } else { "patch".to_owned() };
        let grids = [
            (format!("{of} at {top}, {left}").replace('-', "−"), &patch),
            ("kernel".to_owned(), &kernel),
            ("products".to_owned(), &products),
        ];
        let size = (side * NUMBER, side + 1);
        let [_, height, width] = found.shape.map(|it| it.min(1 << 10) as u16);
        let forms = [Form::Whole, Form::Half, Form::Small];
        let with = |form: Form, grids: u16| {
            let (columns, rows) = form.size(height, width);
            (columns + grids * (size.0 + GAP) <= area.width && rows < area.height).then_some(form)
        };
        let mut x = area.x;
        // The map itself where there is room for it, or else the numbers alone.
        let form = forms.iter().find_map(|&it| with(it, 3)).or_else(|| {
            forms.iter().find_map(|&it| with(it, 2)).filter(|_| area.height > 2 * size.1)
        });
        let mut rows_of_map = 0;
        if let Some(form) = form {
            let (columns, rows) = form.size(height, width);
            self.draw_map(found, form, Rect { width: columns, height: rows + 1, ..area }, buf);
            x += columns + GAP;
            rows_of_map = rows + 2;
        }
        let room = area.right().saturating_sub(x);
        let per_row = ((room + GAP) / (size.0 + GAP)).clamp(1, 3);
        let rows = 3_u16.div_ceil(per_row);
        // Without the room for all, the products say most.
        let fitting = (area.height / (size.1 + 1)).min(rows);
        let skipped = if fitting < rows { 3 - (fitting.max(1) * per_row).min(3) } else { 0 };
        for (place, (name, values)) in (0..).zip(grids.iter().skip(usize::from(skipped))) {
            let (row, column) = (place / per_row, place % per_row);
            let at = Rect {
                x: x + column * (size.0 + GAP),
                y: area.y + row * (size.1 + 1),
                width: size.0,
                height: size.1,
            };
            self.draw_numbers(name, values, usize::from(side), at.intersection(area), buf);
        }
        let used = (fitting.max(1) * (size.1 + 1)).max(rows_of_map).min(area.height);
        Rect { y: area.y + used, height: area.height - used, ..area }
    }

    fn draw_map(&self, found: &Arithmetic, form: Form, area: Rect, buf: &mut Buffer) {
        let [map, row, column] = found.place;
        let [_, height, width] = found.shape.map(|it| it.min(1 << 10) as u16);
        let title = format!("map {map}");
        table::left(buf, area.x, area.y, &title, area.width, self.theme.muted);
        let below = Rect { y: area.y + 1, height: area.height - 1, ..area };
        let is_signed = found.map.iter().any(|&value| value < 0.0);
        let scale = if is_signed {
            Scale::of_signed(&found.map)
        } else {
            Scale::of_activations(&found.map)
        };
        let (values, theme) = (&found.map, self.theme);
        Grid { values, height, width, form, scale, theme }
            .render(below.intersection(buf.area), buf);
        // In the cell of the cursor's upper left corner.
        let (columns, _) = form.size(1, width);
        let (_, rows) = form.size(height, 1);
        let x = below.x + (u32::from(columns) * column / u32::from(width.max(1))) as u16;
        let y = below.y + (u32::from(rows) * row / u32::from(height.max(1))) as u16;
        for x in x..x + form.size(1, 1).0.max(1) {
            if buf.area.contains((x, y).into()) {
                buf[(x, y)]
                    .set_symbol("▪")
                    .set_style(self.theme.accent.add_modifier(Modifier::REVERSED));
            }
        }
    }

    fn draw_numbers(&self, name: &str, values: &[f32], side: usize, area: Rect, buf: &mut Buffer) {
        let theme = self.theme;
        table::left(
            buf,
            area.x,
            area.y,
            &format::cut(name, area.width.into()),
            area.width,
            theme.muted,
        );
        let most =
            values.iter().filter(|it| it.is_finite()).fold(0.0, |most: f32, it| most.max(it.abs()));
        for (line, row) in values.chunks(side.max(1)).zip(area.rows().skip(1)) {
            for (place, &value) in (1..).zip(line) {
                let share = if most > 0.0 { value / most } else { 0.0 };
                let style = match theme.signed((share * 4.0).round() as i8) {
                    // Shades near the middle are dark on any background.
                    Some(_) if value == 0.0 => theme.muted,
                    Some(_) if value > 0.0 => theme.wrong.remove_modifier(Modifier::BOLD),
                    Some(_) => theme.right,
                    None => Style::new(),
                };
                let style =
                    if share.abs() > 0.5 { style.add_modifier(Modifier::BOLD) } else { style };
                let right = row.x + place * NUMBER - 1;
                if right < area.right() {
                    table::right(buf, right, row.y, &short(value), style);
                }
            }
        }
    }

    fn draw_sums(&self, found: &Arithmetic, input: usize, area: Rect, buf: &mut Buffer) {
        let theme = self.theme;
        let line = |name: String, value: f64, style: Style| {
            let number = format!("{value:>+10.4}").replace('-', "−");
            Line::from(vec![
                Span::styled(format!("{name:<24}"), theme.muted),
                Span::styled(number, style),
            ])
        };
        let inputs = found.inputs as usize;
        let mut lines = Vec::new();
        if inputs > 1 {
            let name = format!("products of input {input}");
            lines.push(line(name, found.sum_of(input), Style::new()));
        }
        let name =
            if inputs > 1 { format!("of all {inputs} inputs") } else { "sum of products".into() };
        lines.push(line(name, found.sum(), Style::new()));
        let bias = f64::from(found.bias.unwrap_or(0.0));
        if found.bias.is_some() {
            lines.push(line("bias".to_owned(), bias, Style::new()));
        }
        lines.push(line(format!("= {}", found.layer), found.sum() + bias, theme.figure));
        for (name, value) in &found.after {
            lines.push(line(format!("after {name}"), f64::from(*value), theme.figure));
        }
        // The empty row above them goes before the last of them does.
        let spare = u16::from(lines.len() > usize::from(area.height) && area.height > 0);
        let area = Rect { y: area.y - spare, height: area.height + spare, ..area };
        for (line, row) in lines.into_iter().zip(area.rows()) {
            line.render(row, buf);
        }
    }
}

/// A number in five characters.
fn short(value: f32) -> String {
    let text = match value.abs() {
        // A smaller one takes six.
        v if v < 9.5e-10 => "0".to_owned(),
        v if v < 0.005 => format!("{value:.0e}"),
        v if v < 9.995 => format!("{value:.2}"),
        v if v < 99.95 => format!("{value:.1}"),
        v if v < 9_999.5 => format!("{value:.0}"),
        _ => format!("{value:.0e}"),
    };
    text.replace('-', "−")
}
