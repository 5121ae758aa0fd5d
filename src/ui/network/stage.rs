//! One stage: its filters or feature maps side by side, numbered, with the scale of their shades.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
    widgets::Widget,
};

use super::super::{
    cells::{Form, Grid, Scale},
    pane, table,
    theme::Theme,
};
use crate::{app, protocol::Insides};

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
    pub(super) const ALL: [Self; app::Network::STAGES] =
        [Self::Filters, Self::Maps(0), Self::Maps(1), Self::Maps(2), Self::Maps(3), Self::Logits];

    /// The layer's name in the article.
    fn name(self) -> &'static str {
        match self {
            Self::Filters => "layer1_conv",
            Self::Maps(0) => "layer1_relu",
            Self::Maps(1) => "layer1_pool",
            Self::Maps(2) => "layer2_relu",
            Self::Maps(_) => "layer2_pool",
            Self::Logits => "fc",
        }
    }

    /// Forms of a grid, best first.
    fn forms(self) -> &'static [Form] {
        match self {
            Self::Filters => &[Form::Double, Form::Whole, Form::Half],
            Self::Maps(0 | 1) => &[Form::Half, Form::Small],
            Self::Maps(_) | Self::Logits => &[Form::Whole, Form::Half],
        }
    }
}

/// A stage that shows its grids.
#[derive(Debug)]
pub(super) struct Stage<'a> {
    pub(super) which: Which,
    pub(super) insides: &'a Insides,
    pub(super) theme: &'a Theme,
    /// Stands at the title's right.
    pub(super) hint: Span<'static>,
}

/// How grids stand side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Arrangement {
    form: Form,
    columns: u16,
}

/// The best of `forms` in which `count` grids fit, each with a caption above; otherwise the last one
/// in as many columns as fit.
fn arrange(forms: &[Form], count: u16, side: u16, area: Rect) -> Option<Arrangement> {
    let fitting = forms.iter().find_map(|&form| {
        let (width, height) = form.size(side);
        let most = ((area.width + 1) / (width + 1)).min(count);
        let rows = |columns: u16| count.div_ceil(columns);
        let fits = |columns: &u16| rows(*columns) * (height + 1) <= area.height;
        // Rows of equal length look better than long ones.
        let even = (1..=most).rev().filter(|&columns| count.is_multiple_of(columns)).find(fits);
        let columns = even.or_else(|| Some(most).filter(|&most| most > 0).filter(fits))?;
        Some(Arrangement { form, columns })
    });
    fitting.or_else(|| {
        let form = *forms.last()?;
        let columns = (area.width + 1) / (form.size(side).0 + 1);
        (columns > 0).then_some(Arrangement { form, columns })
    })
}

impl Stage<'_> {
    fn values(&self) -> (&[f32], u16, u16) {
        match self.which {
            Which::Maps(place) => match self.insides.stages.get(place) {
                Some(maps) => (&maps.values, maps.channels as u16, maps.width as u16),
                None => (&[], 0, 0),
            },
            Which::Filters | Which::Logits => match &self.insides.filters {
                Some(filters) => (&filters.values, filters.channels as u16, filters.side as u16),
                None => (&[], 0, 0),
            },
        }
    }

    pub(super) fn draw(&self, area: Rect, buf: &mut Buffer) {
        let (values, channels, side) = self.values();
        let scale = match self.which {
            Which::Filters => Scale::of_signed(values),
            Which::Maps(_) | Which::Logits => Scale::of_activations(values),
        };
        let title = format!("{} {channels}×{side}×{side}", self.which.name());
        let mut legend = scale.legend(self.theme);
        let mut note = legend.clone();
        if !self.hint.content.is_empty() {
            note.push_span("  ");
            note.push_span(self.hint.clone());
        }
        let in_title = title.chars().count() + note.width() + 2 <= usize::from(area.width);
        let notes = [note, Line::from(self.hint.clone())];
        let inner = pane::titled(area, buf, self.theme, &title, notes);
        let Some(Arrangement { form, columns }) =
            arrange(self.which.forms(), channels, side, inner)
        else {
            return;
        };
        let (width, height) = form.size(side);
        let rows = (inner.height / (height + 1)).min(channels.div_ceil(columns));
        let len = usize::from(side) * usize::from(side);
        let shown = channels.min(rows * columns);
        for (channel, values) in (0..shown).zip(values.chunks(len.max(1))) {
            let (column, row) = (channel % columns, channel / columns);
            let (x, y) = (inner.x + column * (width + 1), inner.y + row * (height + 1));
            table::left(buf, x, y, &channel.to_string(), width, self.theme.muted);
            let grid = Grid { values, side, form, scale, theme: self.theme };
            grid.render(Rect { x, y: y + 1, width, height }, buf);
        }
        if shown < channels {
            legend.push_span(Span::styled(format!("  {shown} of {channels}"), self.theme.muted));
        } else if in_title {
            return;
        }
        let y = inner.y + rows * (height + 1);
        legend.render(Rect { y, height: 1, ..inner }.intersection(inner), buf);
    }
}
