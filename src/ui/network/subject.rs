//! The image, its origin and the network's prediction.

use ratatui::{
    buffer::Buffer,
    layout::{Constraint, Layout, Rect},
    style::Modifier,
    text::{Line, Span},
    widgets::{Paragraph, Widget},
};

use super::{
    super::{digits, format, names::Names, pane, picture, theme::Theme, why},
    classes::{self, Classes},
};
use crate::{
    app::App,
    protocol::{Digit, Insides, Subject},
};

/// The image with the network's answer.
#[derive(Debug)]
pub(super) struct Picture<'a> {
    pub(super) app: &'a App,
    pub(super) insides: &'a Insides,
    pub(super) theme: &'a Theme,
}

impl Picture<'_> {
    fn title(&self) -> String {
        match self.insides.image {
            Some((set, index)) => {
                format!("{} image {}", set.name(), format::thousands(u64::from(index)))
            }
            None => "drawn image".to_owned(),
        }
    }

    fn digit(&self) -> Digit {
        let prediction = classes::likeliest(self.insides);
        Digit {
            pixels: self.insides.pixels.clone(),
            label: self.insides.label.unwrap_or(prediction),
            prediction,
            probability: self
                .insides
                .probabilities
                .get(usize::from(prediction))
                .copied()
                .unwrap_or(0.0),
        }
    }

    fn image(&self) -> picture::Picture<'_> {
        picture::Picture::new(&self.insides.pixels, self.app.run.set(), self.theme)
    }

    /// The prediction and its probability, in lines of at most `width` columns.
    fn verdict(&self, width: u16) -> Vec<Line<'static>> {
        let digit = self.digit();
        let columns = usize::from(width);
        let answer = |columns| Names::of(self.app).answer(&digit, columns);
        let (text, style) = match self.insides.label {
            None if digit.predicted().is_none() => ("—".to_owned(), self.theme.accent),
            None => (answer(columns), self.theme.accent),
            Some(_) if digit.is_right() => {
                let text = format!("✓ {}", answer(columns.saturating_sub(2)));
                (text, self.theme.right.add_modifier(Modifier::BOLD))
            }
            Some(_) => (format!("✗ {}", answer(columns.saturating_sub(2))), self.theme.wrong),
        };
        let percent = format::percent(f64::from(digit.probability));
        let mut lines =
            vec![Line::styled(text, style), Line::from(Span::styled(percent, self.theme.figure))];
        let note = if self.insides.subject == Subject::Hardest {
            "hardest"
        } else if self.app.network.subject == Subject::Hardest && self.app.epochs.is_empty() {
            "the hardest image is known after epoch 1"
        } else {
            return lines;
        };
        lines.push(Line::default());
        let wrapped = format::wrap(note, usize::from(width));
        lines.extend(wrapped.into_iter().map(|line| Line::styled(line, self.theme.muted)));
        lines
    }

    /// Image and answer alone, where there is no room for a stage.
    pub(super) fn render_with_classes(&self, area: Rect, buf: &mut Buffer) {
        let inner = pane::titled(area, buf, self.theme, &self.title(), []);
        let [left, right] =
            Layout::horizontal([Constraint::Length(digits::SMALL_COLUMNS), Constraint::Fill(1)])
                .spacing(2)
                .areas(inner);
        let [image, below] =
            Layout::vertical([Constraint::Length(digits::SMALL_ROWS - 1), Constraint::Fill(1)])
                .areas(left);
        match why::Heat::of(self.app, self.theme) {
            Some(heat) => heat.render(image, buf),
            None => self.image().draw_small(image, buf),
        }
        let mut verdict = self.verdict(left.width);
        let classes = Classes {
            insides: self.insides,
            names: Names::of(self.app),
            layer: self.app.run.network().last_layer(),
            theme: self.theme,
            hint: Span::default(),
        };
        if below.height >= 2 {
            Paragraph::new(verdict).render(below, buf);
            classes.rows(right, buf);
        } else {
            verdict.truncate(2);
            let spans = verdict.into_iter().flat_map(|line| {
                let style = line.style;
                line.spans
                    .into_iter()
                    .map(move |span| span.patch_style(style))
                    .chain([Span::raw("  ")])
            });
            spans.collect::<Line<'_>>().render(right, buf);
            let y = (right.y + 1).min(right.bottom());
            classes.rows(Rect { y, height: right.bottom() - y, ..right }, buf);
        }
    }
}

impl Widget for &Picture<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let inner =
            Rect { y: area.y + area.height.min(1), height: area.height.saturating_sub(1), ..area };
        let (width, height) =
            if inner.width >= digits::LARGE_COLUMNS && inner.height >= digits::LARGE_ROWS - 1 {
                (digits::LARGE_COLUMNS, digits::LARGE_ROWS - 1)
            } else {
                (digits::SMALL_COLUMNS, digits::SMALL_ROWS - 1)
            };
        let image = Rect { width, height, ..inner }.intersection(inner);
        // A cell of a small image shows as much as two by two of a large one.
        let seen = Rect { width: digits::LARGE_COLUMNS, height: digits::LARGE_ROWS - 1, ..image };
        let note = if self.image().is_reduced(seen) { "reduced" } else { "" };
        let note = Line::styled(note, self.theme.muted);
        pane::titled(area, buf, self.theme, &self.title(), [note]);
        if let Some(heat) = why::Heat::of(self.app, self.theme) {
            heat.render(image, buf);
        } else if width == digits::LARGE_COLUMNS {
            self.image().draw_large(image, buf);
        } else {
            self.image().draw_small(image, buf);
        }
        // The answer is next to the image or, where there is no room, below.
        let beside = inner.width - image.width;
        let place = if beside > 8 {
            Rect { x: image.right() + 2, width: beside - 2, ..inner }
        } else {
            let y = (image.bottom() + 1).min(inner.bottom());
            Rect { y, height: inner.bottom() - y, ..inner }
        };
        Paragraph::new(self.verdict(place.width)).render(place, buf);
    }
}
