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
        pane, table,
        theme::Theme,
    },
    arrange::{Arrangement, Grids},
    vector::Vector,
};
use crate::protocol::{Insides, NetworkInfo};

/// A stage of the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    /// The kernels of the first convolution.
    Filters,
    /// One of [`Insides::stages`].
    Maps(usize),
    /// What the last layer gives.
    Logits,
}

impl Which {
    /// All in the order of the data's way.
    pub(super) fn all(insides: &Insides) -> Vec<Self> {
        let filters = insides.filters.iter().map(|_| Self::Filters);
        let maps = (0..insides.stages.len()).map(Self::Maps);
        filters.chain(maps).chain([Self::Logits]).collect()
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
    /// Stands at the title's right.
    pub(super) hint: Span<'static>,
}

impl<'a> Stage<'a> {
    /// Values, and how many grids of how many rows and columns they are.
    fn values(&self) -> (&'a [f32], [usize; 3]) {
        match self.which {
            Which::Maps(place) => self.insides.stages.get(place).map_or((&[], [0; 3]), |maps| {
                (&maps.values, [maps.channels, maps.height, maps.width])
            }),
            Which::Filters => self.insides.filters.as_ref().map_or((&[], [0; 3]), |filters| {
                (&filters.values, [filters.channels, filters.side, filters.side])
            }),
            Which::Logits => (&self.insides.logits, [self.insides.logits.len(), 1, 1]),
        }
    }

    fn name(&self) -> String {
        match self.which {
            Which::Filters => self.network.first_layer().to_owned(),
            Which::Maps(place) => match self.network.stages.get(place) {
                Some(stage) => stage.name.clone(),
                None => format!("stage {}", place + 1),
            },
            Which::Logits => self.network.last_layer().to_owned(),
        }
    }

    fn title(&self) -> String {
        let (_, [channels, height, width]) = self.values();
        match (self.vector(), self.name()) {
            (Some(_), name) => format!("{name} {channels}"),
            (None, name) => format!("{name} {channels}×{height}×{width}"),
        }
    }

    fn scale(&self) -> Scale {
        let (values, _) = self.values();
        match self.which {
            Which::Filters => Scale::of_signed(values),
            // Other activations than `ReLU` leave values below 0.
            _ if values.iter().any(|&value| value < 0.0) => Scale::of_signed(values),
            _ => Scale::of_activations(values),
        }
    }

    fn grids(&self) -> Grids {
        let (_, shape) = self.values();
        let [count, height, width] = shape.map(|length| length.min(LONGEST) as u16);
        let forms: &[Form] = match (self.which, height.max(width)) {
            (Which::Filters, _) => &[Form::Double, Form::Whole, Form::Half],
            (_, ..=8) => &[Form::Whole, Form::Half],
            (_, ..=32) => &[Form::Half, Form::Small],
            _ => &[Form::Half, Form::Small, Form::Tiny],
        };
        Grids { count, height, width, forms }
    }

    /// The values as one row, if each grid has only one.
    fn vector(&self) -> Option<Vector<'a>> {
        match self.values() {
            (values, [count, 1, 1]) if self.which != Which::Filters => {
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

    pub(super) fn draw(&self, area: Rect, buf: &mut Buffer) {
        let (values, _) = self.values();
        let scale = self.scale();
        let title = self.title();
        let mut legend = scale.legend(self.theme);
        let mut note = legend.clone();
        if !self.hint.content.is_empty() {
            note.push_span("  ");
            note.push_span(self.hint.clone());
        }
        let in_title = table::width(&title) + note.width() + 2 <= usize::from(area.width);
        let notes = [note, Line::from(self.hint.clone())];
        let inner = pane::titled(area, buf, self.theme, &title, notes);
        let (used, shown, all) = if let Some(vector) = self.vector() {
            let (used, shown) = vector.draw(inner, buf);
            (used, shown, vector.count)
        } else {
            let (used, shown) = self.draw_grids(values, scale, inner, buf);
            (used, shown, self.values().1[0])
        };
        if shown < all {
            legend.push_span(Span::styled(format!("  {shown} of {all}"), self.theme.muted));
        } else if in_title {
            return;
        }
        let row = Rect { y: inner.y.saturating_add(used), height: 1, ..inner };
        legend.render(row.intersection(inner), buf);
    }

    /// Gives the rows used and the grids drawn.
    fn draw_grids(
        &self,
        values: &[f32],
        scale: Scale,
        area: Rect,
        buf: &mut Buffer,
    ) -> (u16, usize) {
        let grids = self.grids();
        let Some(Arrangement { form, columns, .. }) =
            grids.arrange(area.width, area.height).filter(|_| area.height > 0)
        else {
            return (0, 0);
        };
        let (width, height) = form.size(grids.height, grids.width);
        let all = grids.count.div_ceil(columns);
        let fitting = area.height / (height + 1);
        // Where some are left out, a row is for saying so.
        let fitting =
            if fitting < all { fitting.min((area.height - 1) / (height + 1)) } else { all };
        let rows = fitting.max(1);
        let len = usize::from(grids.height) * usize::from(grids.width);
        let known = values.len() / len.max(1);
        let shown = grids.count.min(rows * columns).min(known.min(LONGEST) as u16);
        for (channel, values) in (0..shown).zip(values.chunks(len.max(1))) {
            let (column, row) = (channel % columns, channel / columns);
            let (x, y) = (area.x + column * (width + 1), area.y + row * (height + 1));
            table::left(buf, x, y, &channel.to_string(), width, self.theme.muted);
            let grid = Grid {
                values,
                height: grids.height,
                width: grids.width,
                form,
                scale,
                theme: self.theme,
            };
            grid.render(Rect { x, y: y + 1, width, height }.intersection(area), buf);
        }
        (rows * (height + 1), shown.into())
    }
}
