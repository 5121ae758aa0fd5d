//! One stage: its filters or feature maps side by side, numbered, with the scale of their shades.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
    widgets::Widget,
};

use super::{
    super::{
        cells::{Form, Grid, Scale},
        format, pane, table,
        theme::Theme,
    },
    arrange::{Arrangement, Grids},
    vector::Vector,
};
use crate::protocol::{Filters, Insides, NetworkInfo};

/// A stage of the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    /// One of [`Insides::filters`].
    Filters(usize),
    /// One of [`Insides::stages`].
    Maps(usize),
    /// The output of the last layer.
    Logits,
}

impl Which {
    /// All in the order of the data's way.
    pub(super) fn all(insides: &Insides) -> Vec<Self> {
        let stages = insides.stages.len();
        let before = |stage: usize| {
            let filters = insides.filters.iter().enumerate();
            let filters = filters.filter(move |(_, filters)| filters.stage.min(stages) == stage);
            filters.map(|(place, _)| Self::Filters(place))
        };
        let maps = |stage: usize| (stage < stages).then_some(Self::Maps(stage));
        let all = (0..=stages).flat_map(|stage| before(stage).chain(maps(stage)));
        all.chain([Self::Logits]).collect()
    }
}

/// Values of a longer side than any stage is drawn with.
const LONGEST: usize = 1 << 12;

/// A stage that shows its grids.
#[derive(Clone, Debug)]
pub(super) struct Stage<'a> {
    pub(super) which: Which,
    pub(super) insides: &'a Insides,
    pub(super) network: &'a NetworkInfo,
    pub(super) theme: &'a Theme,
    /// Which screen of it is shown where it has no room on one.
    pub(super) part: usize,
    /// Shown at the right of the title.
    pub(super) hint: Span<'static>,
}

/// Rows of grids or values.
#[derive(Clone, Copy, Debug)]
struct Rows {
    /// How many there are.
    all: usize,
    /// How many a screen has.
    screen: usize,
    /// Grids or values of each.
    len: usize,
}

impl Rows {
    fn parts(self) -> usize {
        self.all.div_ceil(self.screen.max(1)).max(1)
    }

    /// The first row of a screen; the last screen is full as well.
    fn first(self, part: usize) -> usize {
        (part.min(self.parts() - 1) * self.screen).min(self.all.saturating_sub(self.screen))
    }
}

impl<'a> Stage<'a> {
    /// Values, and the number, rows and columns of the grids that they form.
    fn values(&self) -> (&'a [f32], [usize; 3]) {
        match self.which {
            Which::Maps(place) => self.insides.stages.get(place).map_or((&[], [0; 3]), |maps| {
                (&maps.values, [maps.channels, maps.height, maps.width])
            }),
            Which::Filters(_) => self.filters().map_or((&[], [0; 3]), |filters| {
                (&filters.values, [filters.kernels(), filters.side, filters.side])
            }),
            Which::Logits => (&self.insides.logits, [self.insides.logits.len(), 1, 1]),
        }
    }

    fn filters(&self) -> Option<&'a Filters> {
        let Which::Filters(place) = self.which else { return None };
        self.insides.filters.get(place)
    }

    pub(super) fn name(&self) -> String {
        match self.which {
            Which::Filters(_) => self.filters().map_or_else(String::new, |one| one.layer.clone()),
            Which::Maps(place) => match self.network.stages.get(place) {
                Some(stage) => stage.name.clone(),
                None => format!("stage {}", place + 1),
            },
            Which::Logits => self.network.last_layer().to_owned(),
        }
    }

    fn title(&self) -> String {
        let (_, [channels, height, width]) = self.values();
        let name = self.name();
        if let Some(&Filters { channels, inputs, side, .. }) = self.filters() {
            let inputs = if inputs == 1 { String::new() } else { format!("×{inputs}") };
            return format!("{name} · {channels}{inputs} kernels {side}×{side}");
        }
        match self.vector() {
            Some(_) => format!("{name} · {} values", format::thousands(channels as u64)),
            None => format!("{name} · {channels} maps {height}×{width}"),
        }
    }

    fn scale(&self) -> Scale {
        let (values, _) = self.values();
        match self.which {
            Which::Filters(_) => Scale::of_signed(values),
            // Other activations than `ReLU` leave values below 0.
            _ if values.iter().any(|&value| value < 0.0) => Scale::of_signed(values),
            _ => Scale::of_activations(values),
        }
    }

    fn grids(&self) -> Grids {
        let (_, shape) = self.values();
        let [count, height, width] = shape.map(|length| length.min(LONGEST) as u16);
        let group = self.filters().map_or(1, |filters| filters.inputs.clamp(1, LONGEST) as u16);
        let forms: &[Form] = match (self.which, height.max(width)) {
            (Which::Filters(_), _) if group == 1 => &[Form::Double, Form::Whole, Form::Half],
            (Which::Filters(_), _) | (_, ..=8) => &[Form::Whole, Form::Half],
            (_, ..=32) => &[Form::Half, Form::Small],
            _ => &[Form::Half, Form::Small, Form::Tiny],
        };
        Grids { count, height, width, group, forms }
    }

    /// The values as one row, if each grid has only one.
    fn vector(&self) -> Option<Vector<'a>> {
        match self.values() {
            (values, [count, 1, 1]) if self.filters().is_none() => {
                Some(Vector { values, count, scale: self.scale(), theme: self.theme })
            }
            _ => None,
        }
    }

    /// Columns of the title.
    pub(super) fn title_width(&self) -> u16 {
        table::width(&self.title()).min(LONGEST) as u16
    }

    /// Rows, with the title, that it takes in at most this room; `None` where it does not fit whole.
    pub(super) fn height(&self, width: u16, height: u16) -> Option<u16> {
        let room = height.checked_sub(1)?;
        let rows = match self.vector() {
            Some(vector) => vector.rows(width)?,
            None => self.grids().fitting(width, room)?.size.1,
        };
        (rows <= room).then_some(rows + 1)
    }

    /// Columns and rows, with the title, where it is as narrow as these rows allow: in the best form
    /// or, `reduced`, in the next one.
    pub(super) fn narrowest(&self, reduced: bool, width: u16, height: u16) -> Option<(u16, u16)> {
        let room = height.checked_sub(1)?;
        let (columns, rows) = if let Some(vector) = self.vector() {
            vector.narrowest(width, room)?
        } else {
            let grids = self.grids();
            let form = *grids.forms.get(usize::from(reduced))?;
            grids.narrowest(form, width, room)?.size
        };
        let columns = columns.max(self.title_width() + 1);
        (columns <= width).then_some((columns, rows + 1))
    }

    /// Rows of the grids in `area`, without those whose values were not handed over.
    fn grid_rows(&self, Arrangement { form, columns, .. }: Arrangement, area: Rect) -> Rows {
        let grids = self.grids();
        let (values, _) = self.values();
        let len = usize::from(grids.height) * usize::from(grids.width);
        let known = (values.len() / len.max(1)).min(grids.count.into());
        let (all, height) =
            (known.div_ceil(columns.into()), form.size(grids.height, grids.width).1);
        let fitting = |rows: u16| usize::from(rows / (height + 1));
        let screen = fitting(area.height);
        // Where some are left out, a row is for saying so.
        let is_part = screen < all || known < grids.count.into();
        let screen = if is_part { screen.min(fitting(area.height.saturating_sub(1))) } else { all };
        Rows { all, screen: screen.clamp(1, all.max(1)), len: columns.into() }
    }

    fn rows(&self, inner: Rect) -> Option<Rows> {
        if let Some(vector) = self.vector() {
            let (all, screen, len) = vector.screen(inner)?;
            return Some(Rows { all, screen, len });
        }
        let arrangement = self.grids().arrange(inner.width, inner.height)?;
        (inner.height > 0).then(|| self.grid_rows(arrangement, inner))
    }

    /// Screens that the stage takes in a pane of this area.
    pub(super) fn parts(&self, area: Rect) -> usize {
        let inner = Rect { height: area.height.saturating_sub(1), ..area };
        self.rows(inner).map_or(1, Rows::parts)
    }

    pub(super) fn draw(&self, area: Rect, buf: &mut Buffer) {
        let (_, [all, ..]) = self.values();
        let scale = self.scale();
        let title = self.title();
        let legend = scale.legend(self.theme);
        let mut note = legend.clone();
        if !self.hint.content.is_empty() {
            note.push_span("  ");
            note.push_span(self.hint.clone());
        }
        let in_title = table::width(&title) + note.width() + 2 <= usize::from(area.width);
        let notes = [note, Line::from(self.hint.clone())];
        let inner = pane::titled(area, buf, self.theme, &title, notes);
        let Some(rows) = self.rows(inner) else { return };
        let first = rows.first(self.part);
        let (used, shown) = match self.vector() {
            Some(vector) => vector.draw(first, inner, buf),
            None => self.draw_grids(rows, first, scale, inner, buf),
        };
        let mut below = if in_title { Line::default() } else { legend };
        if shown < all {
            let first = first * rows.len;
            let [from, to, all] = [first, (first + shown).saturating_sub(1), all]
                .map(|place| format::thousands(place as u64));
            let gap = if in_title { "" } else { "  " };
            let scroll = if rows.parts() > 1 { " · ↑↓ scroll" } else { "" };
            let part = format!("{gap}{from}–{to} of {all}{scroll}");
            below.push_span(Span::styled(part, self.theme.muted));
        }
        let row = Rect { y: inner.y.saturating_add(used), height: 1, ..inner };
        below.render(row.intersection(inner), buf);
    }

    /// Gives the rows of the screen used and the grids drawn.
    fn draw_grids(
        &self,
        rows: Rows,
        first: usize,
        scale: Scale,
        area: Rect,
        buf: &mut Buffer,
    ) -> (u16, usize) {
        let grids = self.grids();
        let Some(Arrangement { form, columns, .. }) = grids.arrange(area.width, area.height) else {
            return (0, 0);
        };
        let (values, _) = self.values();
        let (width, height) = form.size(grids.height, grids.width);
        let len = usize::from(grids.height) * usize::from(grids.width);
        let places = first * rows.len..((first + rows.screen) * rows.len).min(grids.count.into());
        let known = values.chunks_exact(len.max(1)).enumerate();
        let mut shown = 0;
        for (place, values) in known.skip(places.start).take(places.len()) {
            let (column, row) = (shown as u16 % columns, shown as u16 / columns);
            let (x, y) = (area.x + column * (width + 1), area.y + row * (height + 1));
            table::left(buf, x, y, &self.label(place, width), width, self.theme.muted);
            let grid = Grid {
                values,
                height: grids.height,
                width: grids.width,
                form,
                scale,
                theme: self.theme,
            };
            grid.render(Rect { x, y: y + 1, width, height }.intersection(area), buf);
            shown += 1;
        }
        (rows.screen as u16 * (height + 1), shown)
    }

    /// The number of a map, or of the channels that a kernel leads to and comes from: `3←0`.
    fn label(&self, place: usize, columns: u16) -> String {
        let inputs = self.filters().map_or(1, |filters| filters.inputs.max(1));
        let (output, input) = (place / inputs, place % inputs);
        let both = format!("{output}←{input}");
        match input {
            _ if inputs > 1 && table::width(&both) <= columns.into() => both,
            0 => output.to_string(),
            _ => String::new(),
        }
    }
}
