//! Logits and probabilities of the classes as bars.

use ratatui::{
    buffer::Buffer,
    layout::{Constraint, Layout, Rect},
    style::{Modifier, Style},
    text::{Line, Span},
};

use super::{
    super::{bar, cells::Scale, format, names::Names, pane, table, theme::Theme},
    bars::{draw_left, number},
};
use crate::protocol::Insides;

/// Rows with which a list is worth a pane, though not all classes have one.
const ENOUGH: u16 = 10;
/// Columns of a class's mark and of the gap behind its name.
const MARK: u16 = 2;
const NAME_GAP: u16 = 1;
/// Columns of a name where the pane is no wider than it has to be.
const LEAST_NAME: u16 = 8;
/// Columns of a logit with its gap.
const LOGIT: u16 = 7;
/// Columns of a probability with its gap.
const PERCENT: u16 = 9;
/// Columns of a probability without decimals, with its gap.
const SHORT_PERCENT: u16 = 6;
/// Columns from which logits and probabilities stand side by side.
const SIDE_BY_SIDE: u16 = 40;

/// The classes.
#[derive(Debug)]
pub(super) struct Classes<'a> {
    pub(super) insides: &'a Insides,
    pub(super) names: Names<'a>,
    /// The layer that gives the logits.
    pub(super) layer: &'a str,
    pub(super) theme: &'a Theme,
    /// Stands at the title's right.
    pub(super) hint: Span<'static>,
}

/// Cut names, and the classes that have a row.
struct List {
    names: Vec<String>,
    /// Columns of a mark, a name and a gap.
    name: u16,
    /// Classes that have a row, in order.
    shown: Vec<usize>,
    /// Classes that have none.
    left_out: usize,
}

/// The class of the highest probability, the first of equals; what is not a number is passed over.
pub(super) fn likeliest(insides: &Insides) -> u8 {
    let mut best = (0, f32::NEG_INFINITY);
    for (class, &probability) in (0..).zip(&insides.probabilities) {
        if probability > best.1 {
            best = (class, probability);
        }
    }
    best.0
}

impl Classes<'_> {
    fn count(&self) -> usize {
        self.insides.probabilities.len().min(self.insides.logits.len())
    }

    /// Rows that are enough for a list.
    fn enough(&self) -> u16 {
        ENOUGH.min(self.count() as u16)
    }

    /// Columns of the names in a pane of this width.
    fn name_columns(&self, width: u16) -> u16 {
        (self.names.widest().min(usize::from(u16::MAX)) as u16).min((width / 3).max(1))
    }

    /// Fewest columns and rows with logits and probabilities.
    pub(super) fn least(&self) -> (u16, u16) {
        let name = self.name_columns(3 * LEAST_NAME);
        (figures(MARK + name + NAME_GAP), self.enough())
    }

    /// The classes in `rows` of a pane of this width: all by label, or else the likeliest and
    /// the true one.
    fn list(&self, width: u16, rows: u16) -> List {
        let (count, rows) = (self.count(), usize::from(rows));
        let name = self.name_columns(width);
        let mut shown: Vec<usize> = (0..count).collect();
        if count > rows {
            // A row says how many are left out.
            let rows = rows.saturating_sub(1);
            let share = |class: usize| {
                let share = self.insides.probabilities[class];
                if share.is_nan() { f32::NEG_INFINITY } else { share }
            };
            shown.sort_by(|&a, &b| share(b).total_cmp(&share(a)));
            let label = self.insides.label.map(usize::from);
            if let Some(place) = shown.iter().position(|&class| Some(class) == label)
                && let Some(last) = rows.checked_sub(1)
            {
                shown.swap(place.max(last), last);
                shown[..rows].sort_by(|&a, &b| share(b).total_cmp(&share(a)));
            }
            shown.truncate(rows);
        }
        let left_out = count - shown.len();
        let mut names = self.names.short(name.into());
        names.extend((names.len()..count).map(|label| label.to_string()));
        List { names, name: MARK + name + NAME_GAP, shown, left_out }
    }

    /// Logits and probabilities side by side, else one below the other, else the probabilities.
    pub(super) fn draw(&self, area: Rect, buf: &mut Buffer) {
        let count = self.count() as u16;
        let stacked = area.height >= 2 * count + 3;
        let name = MARK + self.name_columns(area.width) + NAME_GAP;
        let least = if stacked { SIDE_BY_SIDE } else { figures(name) };
        if area.width >= least && area.height >= self.enough() {
            let long = format!("{} {count}: logits and probabilities", self.layer);
            let fits = table::width(&long) < usize::from(area.width);
            let short = format!("{} {count}: logits, softmax", self.layer);
            let inner = self.titled(if fits { &long } else { &short }, area, buf);
            let list = self.list(area.width, inner.height);
            let bars = inner.width.saturating_sub(figures(list.name));
            // Of logits the figures go before the bars of probabilities.
            let logit_bar = if bars < 10 { 0 } else { bars / 2 };
            self.each(&list, inner, buf, |class, row, buf| {
                let logit = Rect { x: row.x + list.name, width: logit_bar, ..row };
                let end = logit.right() + LOGIT;
                let probability = Rect { x: end + 2, width: bars - logit_bar, ..row };
                self.logit(class, logit, end, buf);
                self.probability(class, probability, row.right(), buf);
            });
        } else if stacked {
            let [logits, probabilities] =
                Layout::vertical([Constraint::Length(count + 1), Constraint::Length(count + 1)])
                    .spacing(1)
                    .areas(area);
            self.draw_logits(logits, buf);
            self.draw_probabilities(probabilities, buf);
        } else {
            self.draw_probabilities(area, buf);
        }
    }

    /// The logits under their title.
    pub(super) fn draw_logits(&self, area: Rect, buf: &mut Buffer) {
        let title = format!("{} {}: logits", self.layer, self.count());
        let inner = self.titled(&title, area, buf);
        let list = self.list(inner.width, inner.height);
        let width = inner.width.saturating_sub(list.name + LOGIT).min(61);
        self.each(&list, inner, buf, |class, row, buf| {
            let bar = Rect { x: row.x + list.name, width, ..row };
            self.logit(class, bar, bar.right() + LOGIT, buf);
        });
    }

    /// The probabilities under their title.
    pub(super) fn draw_probabilities(&self, area: Rect, buf: &mut Buffer) {
        let inner = self.titled("softmax: probabilities", area, buf);
        self.rows(inner, buf);
    }

    /// The probabilities, in two columns where there is no row for each.
    pub(super) fn rows(&self, area: Rect, buf: &mut Buffer) {
        let each = (self.count() as u16).div_ceil(2);
        let half = area.width.saturating_sub(1) / 2;
        let room = half.saturating_sub(MARK + SHORT_PERCENT);
        let has_room = usize::from(room) >= self.names.widest().min(3);
        if area.height < self.count() as u16 && area.height >= each && has_room {
            return self.two_columns(area, each, buf);
        }
        let list = self.list(area.width, area.height);
        self.each(&list, area, buf, |class, row, buf| {
            let x = row.x + list.name.min(row.width);
            let width = row.width.saturating_sub(list.name + PERCENT);
            self.probability(class, Rect { x, width, ..row }, row.right(), buf);
        });
    }

    /// Names and probabilities of `each` classes in a column next to the others.
    fn two_columns(&self, area: Rect, each: u16, buf: &mut Buffer) {
        let places = Layout::horizontal([Constraint::Fill(1); 2]).spacing(1).split(area);
        let width = places[0].width.min(places[1].width).saturating_sub(MARK + SHORT_PERCENT);
        let mut list = self.list(3 * width, u16::MAX);
        list.name = MARK + width + NAME_GAP;
        for class in 0..self.count() as u16 {
            let column = places[usize::from(class / each)];
            let row = Rect { y: column.y + class % each, height: 1, ..column };
            let class = usize::from(class);
            self.name(class, &list, row, buf);
            let share = f64::from(self.insides.probabilities[class]);
            let text = format!("{} %", format::short_percent(share));
            table::right(buf, row.right(), row.y, &text, self.emphasis(class));
        }
    }

    /// Draws the name of each class that has a row, and what `rest` does with the row.
    fn each(
        &self,
        list: &List,
        area: Rect,
        buf: &mut Buffer,
        rest: impl Fn(usize, Rect, &mut Buffer),
    ) {
        let mut rows = area.rows();
        for (&class, row) in list.shown.iter().zip(&mut rows) {
            self.name(class, list, row, buf);
            rest(class, row, buf);
        }
        if let Some(row) = rows.next().filter(|_| list.left_out > 0) {
            let text = format!("  … {} less likely", list.left_out);
            table::left(buf, row.x, row.y, &text, row.width, self.theme.muted);
        }
    }

    /// A title where it takes no class's row.
    fn titled(&self, title: &str, area: Rect, buf: &mut Buffer) -> Rect {
        if area.height <= self.enough() {
            return area;
        }
        pane::titled(area, buf, self.theme, title, [Line::from(self.hint.clone())])
    }

    fn is_likeliest(&self, class: usize) -> bool {
        let is_number = self.insides.probabilities.get(class).is_some_and(|share| !share.is_nan());
        is_number && class == usize::from(likeliest(self.insides))
    }

    fn is_true(&self, class: usize) -> bool {
        self.insides.label.map(usize::from) == Some(class)
    }

    /// Mark and name: ✓ or ✗ at the predicted class, an arrow at the true one if it is another.
    fn name(&self, class: usize, list: &List, row: Rect, buf: &mut Buffer) {
        let (mark, style) = match (self.is_likeliest(class), self.is_true(class)) {
            (true, true) => ("✓", self.theme.right),
            (true, false) if self.insides.label.is_some() => ("✗", self.theme.wrong),
            (false, true) => ("→", self.theme.right),
            (true, false) => (" ", self.theme.accent),
            (false, false) => (" ", self.theme.muted),
        };
        let text = format!("{mark} {}", list.names[class]);
        table::left(buf, row.x, row.y, &text, row.width.min(list.name), style);
    }

    fn emphasis(&self, class: usize) -> Style {
        if self.is_likeliest(class) { self.theme.figure } else { self.theme.muted }
    }

    /// A bar from the left and its figure, which ends before column `end`.
    fn probability(&self, class: usize, bar: Rect, end: u16, buf: &mut Buffer) {
        let style = match (self.is_likeliest(class), self.is_true(class)) {
            (_, true) => self.theme.right,
            (true, false) if self.insides.label.is_some() => self.theme.wrong,
            (true, false) => self.theme.accent,
            (false, false) => self.theme.band,
        };
        let share = self.insides.probabilities[class];
        bar::draw(bar, buf, share.into(), style.remove_modifier(Modifier::BOLD));
        let text = format::percent(f64::from(share));
        table::right(buf, end, bar.y, &text, self.emphasis(class));
    }

    /// A bar from the middle, to the left below 0, and its figure, which ends before column `end`.
    fn logit(&self, class: usize, bar: Rect, end: u16, buf: &mut Buffer) {
        let logit = self.insides.logits[class];
        let half = bar.width.saturating_sub(1) / 2;
        let most = Scale::of_signed(&self.insides.logits).most().max(f32::MIN_POSITIVE);
        let axis = bar.x + half;
        if bar.width > 0 {
            table::left(buf, axis, bar.y, "│", 1, self.theme.rule);
        }
        let color = self.theme.signed(if logit < 0.0 { -3 } else { 3 });
        let style = Style { fg: color, ..Style::new() };
        if logit < 0.0 {
            draw_left(Rect { width: half, ..bar }, buf, -logit / most, style);
        } else {
            bar::draw(Rect { x: axis + 1, width: half, ..bar }, buf, (logit / most).into(), style);
        }
        table::right(buf, end, bar.y, &number(logit), self.emphasis(class));
    }
}

/// Columns of all but the bars: enough where they do not fit one below the other.
fn figures(name: u16) -> u16 {
    name + LOGIT + 2 + PERCENT
}
