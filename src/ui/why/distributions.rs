//! How the values of each layer are distributed over the run.
//!
//! ```text
//! weights gradients updates activations ←→     one kind of values at a time
//! layer1_conv   ░░░▒▒▒▓▓▓▓
//! 0.41          ▓▓▓▓▓▓▓▓▓▓     a strip for each layer: a column is a step, a row a range of values
//! −0.38         ░░▒▒▒░░░░
//! ```

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Style,
    text::{Line, Span},
    widgets::Widget,
};

use super::{LEAST_ROWS, empty, explained, tabs};
use crate::{
    app::{App, Kind, Range, Tiles},
    metrics::Histogram,
    protocol::{Distributions, StageValues},
    ui::{
        format, pane, table,
        theme::{SHADES, Theme},
    },
};

/// Columns of a strip's name and figures, and those in wide terminals.
const LABEL: u16 = 16;
const WIDE_LABEL: u16 = 28;
/// Columns from which labels are wide.
const WIDE: u16 = 100;
/// Fewest and most rows of a strip.
const ROWS: (u16, u16) = (4, 10);

pub(super) struct Pane<'a> {
    pub(super) app: &'a App,
    pub(super) theme: &'a Theme,
}

/// A layer's values over the run.
struct Strip<'a> {
    name: &'a str,
    /// The steps of the samples in which its values are known.
    samples: Vec<(u64, &'a Histogram)>,
    /// Its dead units, where it can have some.
    stage: Option<&'a StageValues>,
}

impl Strip<'_> {
    /// The range of the values of all samples.
    fn range(&self) -> Option<(f64, f64)> {
        let bounds = || self.samples.iter().map(|(_, it)| (f64::from(it.low), f64::from(it.high)));
        let low = bounds().map(|(low, _)| low).reduce(f64::min)?;
        let high = bounds().map(|(_, high)| high).reduce(f64::max)?;
        let least = 1e-6 * low.abs().max(high.abs()).max(1e-30);
        Some(if high - low > least { (low, high) } else { (low - least, high + least) })
    }

    /// The newest sample up to a step, or else the first one.
    fn at(&self, step: u64) -> Option<&Histogram> {
        let end = self.samples.partition_point(|(of, _)| *of <= step);
        self.samples.get(end.saturating_sub(1)).map(|(_, values)| *values)
    }
}

/// The values of a kind in a layer or a stage.
fn values(sample: &Distributions, kind: Kind, place: usize) -> Option<&Histogram> {
    match kind {
        Kind::Weights => sample.layers.get(place)?.weights.as_ref(),
        Kind::Gradients => sample.layers.get(place)?.gradients.as_ref(),
        Kind::Updates => sample.layers.get(place)?.updates.as_ref(),
        Kind::Activations => sample.stages.get(place)?.activations.as_ref(),
    }
}

impl<'a> Pane<'a> {
    fn strips(&self, newest: &'a Distributions) -> Vec<Strip<'a>> {
        let (why, kind) = (&self.app.why, self.app.why.kind);
        let names: Vec<&str> = match kind {
            Kind::Activations => newest.stages.iter().map(|stage| stage.name.as_str()).collect(),
            _ => newest.layers.iter().map(|layer| layer.name.as_str()).collect(),
        };
        let searched = why.samples().searched().map_or(newest, |(_, sample)| sample);
        let strip = |(place, name)| {
            let known = |(step, sample): &'a (u64, Distributions)| {
                Some((*step, values(sample, kind, place)?))
            };
            let stage = searched.stages.get(place).filter(|stage| stage.units > 0);
            Strip {
                name,
                samples: why.samples().all().iter().filter_map(known).collect(),
                stage: stage.filter(|_| kind == Kind::Activations),
            }
        };
        names.into_iter().enumerate().map(strip).collect()
    }

    pub(super) fn render(&self, area: Rect, buf: &mut Buffer) {
        let (app, theme, kind) = (self.app, self.theme, self.app.why.kind);
        let Some((step, newest)) = app.why.samples().all().last() else {
            let text = "The values of each layer appear here, sampled while this page is open.";
            return empty(area, buf, app, theme, "Distributions", text);
        };
        let area = explained(area, buf, theme, &explanations(kind));
        let title = format!("Distributions · step {}", format::thousands(*step));
        let inner = pane::titled(area, buf, theme, &title, [tabs(app, theme)]);
        let Some(top) = inner.rows().next() else { return };
        kinds(app.kinds(), kind, theme).render(top, buf);
        let below = Rect { y: inner.y + 1, height: inner.height - 1, ..inner };
        let strips = self.strips(newest);
        let (rows, fitting) = fitting(below.height, strips.len());
        let first = app.why.first_layer.min(strips.len().saturating_sub(fitting.max(1)));
        let label = if area.width >= WIDE { WIDE_LABEL } else { LABEL };
        let steps = self.steps(*step);
        let mut y = below.y;
        for strip in strips.iter().skip(first).take(fitting) {
            let place = Rect { y, height: rows, ..below }.intersection(below);
            let width = label.min(place.width);
            self.draw_label(strip, Rect { width: width.saturating_sub(1), ..place }, buf);
            let x = place.x + width;
            self.draw_strip(strip, steps, Rect { x, width: place.width - width, ..place }, buf);
            y += rows + 1;
        }
        let axis = Rect { y: y.saturating_sub(1), height: 1, ..below }.intersection(below);
        self.draw_axis(steps, (first, fitting, strips.len()), axis, label, buf);
    }

    /// The steps of the first and the last column.
    fn steps(&self, newest: u64) -> (u64, u64) {
        let first = self.app.why.samples().all().first().map_or(0, |(step, _)| *step);
        let expected = self.app.run.info.as_ref().map_or(0, |info| info.total_steps);
        (first, Range::end_so_far(newest, expected).max(first + 1))
    }

    fn draw_label(&self, strip: &Strip<'_>, area: Rect, buf: &mut Buffer) {
        let theme = self.theme;
        let muted = |text: String| Line::styled(text, theme.muted);
        let width = usize::from(area.width);
        let mut lines = vec![Line::styled(format::cut(strip.name, width), theme.figure)];
        match strip.range() {
            Some((low, high)) => {
                lines.push(muted(format!("to   {}", number(high))));
                lines.push(muted(format!("from {}", number(low))));
            }
            None => lines.push(muted("no sample yet".to_owned())),
        }
        if let Some(stage) = strip.stage {
            lines.extend(dead(stage, width, usize::from(area.height).saturating_sub(3), theme));
        }
        for (line, row) in lines.into_iter().zip(area.rows()) {
            line.render(row, buf);
        }
    }

    fn draw_strip(
        &self,
        strip: &Strip<'_>,
        (first, last): (u64, u64),
        area: Rect,
        buf: &mut Buffer,
    ) {
        let Some((low, high)) = strip.range().filter(|_| !area.is_empty()) else { return };
        let rows = 2 * usize::from(area.height);
        let newest = strip.samples.last().map_or(0, |(step, _)| *step);
        let columns: Vec<Vec<f64>> = (0..area.width)
            .map(|column| {
                let share = f64::from(column) / f64::from(area.width.max(2) - 1);
                let step = first + ((last - first) as f64 * share).round() as u64;
                let values = strip.at(step).filter(|_| column == 0 || step <= newest);
                values.map_or_else(Vec::new, |values| values.shares(low, high, rows))
            })
            .collect();
        let most = columns.iter().flatten().copied().fold(0.0, f64::max);
        for position in area.intersection(buf.area).positions() {
            let column = &columns[usize::from(position.x - area.x)];
            // Rows count from the top, values from below.
            let upper = rows - 1 - 2 * usize::from(position.y - area.y);
            let shade = |row: usize| {
                let share = column.get(row).copied().unwrap_or(0.0);
                // The root, so that the few values far out are visible.
                (share > 0.0).then(|| (share / most).sqrt())
            };
            let (symbol, style) = cell(shade(upper), shade(upper - 1), self.theme);
            buf[position].set_symbol(symbol).set_style(style);
        }
    }

    fn draw_axis(
        &self,
        (first, last): (u64, u64),
        (from, shown, all): (usize, usize, usize),
        area: Rect,
        label: u16,
        buf: &mut Buffer,
    ) {
        let theme = self.theme;
        if shown < all {
            let text = format!("{}–{} of {all} ↑↓", from + 1, (from + shown).min(all));
            table::left(buf, area.x, area.y, &text, label, theme.accent);
        }
        let x = area.x + label;
        let width = area.width.saturating_sub(label);
        let start = format!("step {}", format::thousands(first));
        table::left(buf, x, area.y, &start, width, theme.muted);
        let end = format::thousands(last);
        if table::width(&start) + table::width(&end) + 1 < usize::from(width) {
            table::right(buf, area.right(), area.y, &end, theme.muted);
        }
    }
}

/// The rows of each of `count` strips in so many rows, and how many strips fit.
fn fitting(height: u16, count: usize) -> (u16, usize) {
    // The last row is the axis of the steps, and one parts two strips.
    let room = height.max(1);
    let rows = (room / (count as u16).max(1)).saturating_sub(1).clamp(ROWS.0, ROWS.1);
    (rows, usize::from(room / (rows + 1)))
}

/// How many layers have room in the area of the view.
pub(in crate::ui) fn tiles(app: &App, area: Rect) -> Option<Tiles> {
    let (_, newest) = app.why.samples().all().last()?;
    let strips = match app.why.kind {
        Kind::Activations => newest.stages.len(),
        Kind::Weights | Kind::Gradients | Kind::Updates => newest.layers.len(),
    };
    let area = if area.height > LEAST_ROWS { area.height - 1 } else { area.height };
    let (_, rows) = fitting(area.saturating_sub(2), strips);
    Some(Tiles { columns: 1, rows, ..Tiles::default() })
}

/// The kinds of values, of which one is shown.
fn kinds(kinds: &[Kind], shown: Kind, theme: &Theme) -> Line<'static> {
    let mut line = Line::default();
    for &kind in kinds {
        let style = if kind == shown { theme.accent } else { theme.muted };
        line.push_span(Span::styled(kind.name(), style));
        line.push_span(" ");
    }
    line.push_span(Span::styled("←→", theme.key));
    line
}

/// A cell of two shades; one without values stays empty.
fn cell(upper: Option<f64>, lower: Option<f64>, theme: &Theme) -> (&'static str, Style) {
    let color = |share: Option<f64>| share.and_then(|it| theme.heat(it)).and_then(|it| it.bg);
    match (color(upper), color(lower)) {
        (None, None) if theme.heat(0.0).is_some() => (" ", Style::new()),
        (Some(upper), Some(lower)) if upper == lower => (" ", Style::new().bg(upper)),
        (Some(upper), Some(lower)) => ("▀", Style::new().fg(upper).bg(lower)),
        (Some(upper), None) => ("▀", Style::new().fg(upper)),
        (None, Some(lower)) => ("▄", Style::new().fg(lower)),
        (None, None) => {
            let share = upper.unwrap_or(0.0).max(lower.unwrap_or(0.0));
            (SHADES[(share * (SHADES.len() - 1) as f64).ceil() as usize], Style::new())
        }
    }
}

/// How many units of a stage are dead, and which, in at most `rows` lines.
fn dead(stage: &StageValues, width: usize, rows: usize, theme: &Theme) -> Vec<Line<'static>> {
    let Some(dead) = &stage.dead else {
        return vec![Line::styled("dead units: …", theme.muted)];
    };
    if dead.is_empty() {
        return vec![Line::styled("no dead units", theme.muted)];
    }
    let (count, units) = (dead.len() as u64, stage.units);
    let head = format!("{} of {} dead:", format::thousands(count), format::thousands(units));
    let names: Vec<String> = dead.iter().map(u32::to_string).collect();
    let wrapped = format::wrap(&names.join(" "), width);
    let left_out = wrapped.len() + 1 > rows;
    let mut lines = vec![Line::styled(head, theme.alert)];
    lines.extend(wrapped.into_iter().take(rows.saturating_sub(1)).map(Line::raw));
    if let Some(last) = lines.last_mut().filter(|_| left_out && rows > 1) {
        *last = Line::raw(format::cut(&format!("{last} …more"), width));
    }
    lines
}

/// A value in few characters.
fn number(value: f64) -> String {
    let text = match value.abs() {
        0.0 => "0".to_owned(),
        v if (0.001..1_000.0).contains(&v) => {
            let digits = 2 - v.log10().floor().clamp(-3.0, 2.0) as i32;
            format!("{value:.*}", digits.max(0) as usize)
        }
        _ => format!("{value:.1e}"),
    };
    text.replace('-', "−")
}

/// What is shown, in wordings of which the first that fits is taken.
fn explanations(kind: Kind) -> [&'static str; 3] {
    match kind {
        Kind::Weights => [
            "Weights and biases of each layer over the steps: brighter means more values in that row. The range \
             covers the middle 99 %.",
            "Weights of each layer over the steps: brighter is more.",
            "Weights over the steps.",
        ],
        Kind::Gradients => [
            "Gradients of each layer at single steps: brighter means more values in that row. A layer whose band \
             narrows to 0 learns slowly.",
            "Gradients of each layer over the steps: brighter is more.",
            "Gradients over the steps.",
        ],
        Kind::Updates => [
            "Updates of each layer's weights at single steps: brighter means that more weights changed by the \
             amount of that row.",
            "Updates of each layer over the steps: brighter is more.",
            "Updates over the steps.",
        ],
        Kind::Activations => [
            "Activations of each stage on evaluation images. A dead unit is 0 on every image of the set and no \
             longer learns.",
            "Activations of each stage; dead units are 0 on all images.",
            "Activations over the steps.",
        ],
    }
}
