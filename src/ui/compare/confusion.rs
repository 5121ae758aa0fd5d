//! The difference of two runs' confusion matrices.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::{Color, Style},
    text::{Line, Span},
    widgets::Widget,
};

use super::named;
use crate::{
    compare::{Browser, Change, Difference, Knowledge},
    ui::{format, names::Names, pane, table, theme::Theme},
};

/// Columns of the list of differences.
const LIST: u16 = 30;
/// Columns of the names of rows, at most.
const LABEL: u16 = 12;
/// Widths of a cell.
const CELLS: [u16; 3] = [6, 5, 4];
/// On the dark shades of signed values.
const TEXT: Color = Color::Indexed(255);

pub(super) fn render(browser: &Browser, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let (before, after) = browser.pair();
    let comparison = &browser.comparison;
    let mut note = Line::default();
    let room = usize::from(area.width.saturating_sub(40)) / 2;
    for run in [before, after].into_iter().filter(|_| room > 6) {
        note.spans.extend(named(browser, theme, run, room));
        note.push_span(Span::raw(if run == before { "  " } else { "" }));
    }
    let letter = crate::compare::Comparison::letter;
    let title = format!("Confusion · {} minus {}", letter(after), letter(before));
    let inner = pane::titled(area, buf, theme, &title, [note, Line::default()]);
    match (comparison.difference(before, after), &comparison.predictions) {
        (Ok(difference), Knowledge::Known(predictions)) => {
            let names = Names::of_set(&predictions.info);
            let view = View { difference: &difference, names, theme };
            let images = format::thousands(predictions.images.len() as u64);
            let what = format!("{images} {} images", predictions.set.name());
            view.render(inner, &what, buf);
        }
        (Err(reason), _) => {
            pane::empty(inner, buf, theme, &format!("There is no difference to show: {reason}."));
        }
        (Ok(_), _) => {}
    }
}

struct View<'a> {
    difference: &'a Difference,
    names: Names<'a>,
    theme: &'a Theme,
}

impl View<'_> {
    fn render(&self, area: Rect, what: &str, buf: &mut Buffer) {
        let Some(heading) = area.rows().next() else { return };
        let rest = Rect { y: area.y + 1, height: area.height - 1, ..area };
        let legend = vec![
            Span::styled(format!("{what}  "), self.theme.muted),
            Span::styled("more hits or fewer errors", self.theme.right),
            Span::raw("  "),
            Span::styled("fewer hits or more errors", self.theme.wrong),
        ];
        Line::from(legend).render(heading, buf);
        let classes = self.difference.classes() as u16;
        let label = (self.names.widest() as u16 + 1).min(LABEL);
        let fits = |cell: &u16| label + classes * cell <= rest.width && classes < rest.height;
        let Some(cell) = CELLS.into_iter().find(fits) else {
            return self.list(rest, buf);
        };
        self.matrix(rest, label, cell, buf);
        let used = label + classes * cell + 3;
        if rest.width >= used + LIST {
            let side = Rect { x: rest.x + used, width: rest.width - used, ..rest };
            self.list(side, buf);
        } else if rest.height > classes + 4 {
            let below = classes + 2;
            self.list(Rect { y: rest.y + below, height: rest.height - below, ..rest }, buf);
        }
    }

    fn matrix(&self, area: Rect, label: u16, cell: u16, buf: &mut Buffer) {
        let classes = self.difference.classes();
        let heads = self.names.short(usize::from(cell) - 1);
        let labels = self.names.short(usize::from(label) - 1);
        let most = (0..classes * classes)
            .map(|place| self.difference.change(place / classes, place % classes).delta().abs())
            .max()
            .unwrap_or(0);
        for (class, (head, name)) in heads.iter().zip(&labels).enumerate() {
            let end = area.x + label + (class as u16 + 1) * cell - 1;
            table::right(buf, end, area.y, head, self.theme.muted);
            let y = area.y + 1 + class as u16;
            table::left(buf, area.x, y, name, label, self.theme.muted);
        }
        for (truth, predicted) in
            (0..classes).flat_map(|truth| (0..classes).map(move |predicted| (truth, predicted)))
        {
            let change = self.difference.change(truth, predicted);
            let x = area.x + label + predicted as u16 * cell;
            let place = Rect { x, y: area.y + 1 + truth as u16, width: cell, height: 1 };
            let style = if change.delta() == 0 {
                if truth == predicted { self.theme.muted } else { self.theme.rule }
            } else {
                self.shade(change, most)
            };
            if change.delta() != 0 {
                buf.set_style(place.intersection(buf.area), style);
            }
            table::right(buf, place.right() - 1, place.y, &short(change.delta(), cell), style);
        }
    }

    /// Blue where the second run does better, orange where it does worse.
    fn shade(&self, change: Change, most: i64) -> Style {
        let share = change.delta().unsigned_abs() as f64 / most.max(1) as f64;
        let level = (share * f64::from(Theme::LEVELS.1)).ceil() as i8;
        let signed = if change.is_better() { -level } else { level };
        match self.theme.signed(signed) {
            Some(ground) if level < Theme::LEVELS.1 => Style::new().bg(ground).fg(TEXT),
            Some(ground) => Style::new().bg(ground).fg(Color::Indexed(16)),
            None if change.is_better() => self.theme.right,
            None => self.theme.wrong,
        }
    }

    /// The errors that differ most.
    fn list(&self, area: Rect, buf: &mut Buffer) {
        let mut rows = area.rows();
        let Some(heading) = rows.next() else { return };
        Line::styled("errors that differ most", self.theme.muted).render(heading, buf);
        for (row, change) in rows.zip(self.difference.errors()) {
            let Change { truth, predicted, before, after } = change;
            let counts = format!("{before} → {after}");
            let delta = short(change.delta(), 6);
            let room = usize::from(row.width.min(2 * LIST)).saturating_sub(counts.len() + 9);
            let style = if change.is_better() { self.theme.right } else { self.theme.wrong };
            let pair = table::padded(self.names.pair(truth, predicted, room.min(24)), 6);
            let spans = vec![
                Span::styled(format!("{delta:>5}  "), style),
                Span::raw(format!("{pair}  ")),
                Span::styled(counts, self.theme.muted),
            ];
            Line::from(spans).render(row, buf);
        }
    }
}

/// A difference with its sign in `columns` with a gap before; a dot for none.
fn short(delta: i64, columns: u16) -> String {
    let (sign, size) = (if delta < 0 { "−" } else { "+" }, delta.unsigned_abs());
    let room = usize::from(columns).saturating_sub(2);
    match delta {
        0 => "·".to_owned(),
        _ if size.to_string().len() <= room => format!("{sign}{size}"),
        _ => format!("{sign}{}", format::short_count(size)),
    }
}
