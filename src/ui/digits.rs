//! Images of the current batch, in block characters, with the network's predictions.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
    widgets::Widget,
};

use super::{format, names::Names, pane, picture::Picture, table, theme::Theme};
use crate::{
    app::{Action, App, View},
    keymap,
    protocol::Digit,
};

/// Columns of a small image, two pixels each where it has 28. Others are magnified or reduced.
pub(super) const SMALL_COLUMNS: u16 = 14;
/// Rows of a small image, four pixels each, and its caption.
pub(super) const SMALL_ROWS: u16 = 8;
/// Columns of a large image, one pixel each where it has 28.
pub(super) const LARGE_COLUMNS: u16 = 28;
/// Rows of a large image, two pixels each, and its caption.
pub(super) const LARGE_ROWS: u16 = 15;
/// Columns of a huge image.
pub(super) const HUGE_COLUMNS: u16 = 56;
/// Rows of a huge image and its caption.
pub(super) const HUGE_ROWS: u16 = 29;
/// This many large images are better than more small ones.
const ENOUGH_LARGE: u16 = 4;

/// The images of the batch.
#[derive(Debug)]
pub(super) struct Digits<'a> {
    app: &'a App,
    theme: &'a Theme,
}

impl<'a> Digits<'a> {
    pub(super) fn new(app: &'a App, theme: &'a Theme) -> Self {
        Self { app, theme }
    }
}

impl Widget for &Digits<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let names = Names::of(self.app);
        let heading = if names.are_digits() { "Digits" } else { "Images" };
        let Some(sample) = self.app.sample() else {
            let inner = pane::titled(area, buf, self.theme, heading, []);
            let text = if self.app.looks_on && self.app.view == View::Step {
                format!("{heading} and gradients appear once the run has saved a checkpoint.")
            } else if self.app.looks_on {
                let key =
                    keymap::hint(Action::Show(View::Step)).map_or_else(String::new, |(key, _)| key);
                format!("A run's record has no images: press {key} for a batch of its checkpoint.")
            } else if self.app.run.ended_before_training() {
                "No batch was trained.".to_owned()
            } else {
                format!("{heading} of the first batch appear here after step 1.")
            };
            return pane::empty(inner, buf, self.theme, &text);
        };
        let step = format::thousands(sample.step);
        let wrong = [
            Span::styled("✗", self.theme.wrong),
            Span::styled(" true→predicted", self.theme.muted),
        ];
        let right =
            [Span::styled("✓", self.theme.right), Span::styled(" right  ", self.theme.muted)];
        let full: Vec<_> = right.into_iter().chain(wrong.clone()).collect();
        let notes = [Line::from(full), Line::from(wrong.to_vec())];
        let originals =
            if self.app.shows_originals { &sample.originals[..] } else { Default::default() };
        let title = match originals {
            [] => format!("{heading} of step {step}"),
            _ => format!("{heading} of step {step} · original, augmented"),
        };
        let inner = pane::titled(area, buf, self.theme, &title, notes);
        // An image and its original stand next to each other.
        let each = if originals.is_empty() { 1 } else { 2 };
        let (columns, rows) = (inner.width / (each * LARGE_COLUMNS), inner.height / LARGE_ROWS);
        let large = columns * rows >= ENOUGH_LARGE;
        let (width, height) =
            if large { (LARGE_COLUMNS, LARGE_ROWS) } else { (SMALL_COLUMNS, SMALL_ROWS) };
        let width = each * width;
        let (columns, rows) = (inner.width / width, inner.height / height);
        if rows == 0 {
            let text = format!("{heading} need {} more rows here.", height - inner.height);
            return pane::empty(inner, buf, self.theme, &text);
        }
        // The columns left over go between the images, up to four each.
        let gap = (inner.width - columns * width)
            .checked_div(columns.saturating_sub(1))
            .unwrap_or(0)
            .min(4);
        let places = (0..rows).flat_map(|row| (0..columns).map(move |column| (column, row)));
        for (number, ((column, row), digit)) in places.zip(&sample.digits).enumerate() {
            let place = Rect {
                x: inner.x + column * (width + gap),
                y: inner.y + row * height,
                width,
                height: height - 1,
            };
            let draw = |pixels: &[u8], place: Rect, buf: &mut Buffer| {
                let picture = Picture::new(pixels, self.app.run.set(), self.theme);
                if large {
                    picture.draw_large(place, buf);
                } else {
                    picture.draw_small(place, buf);
                }
            };
            let own = width / each;
            if let Some(original) = originals.get(number) {
                draw(original, Rect { width: own, ..place }, buf);
            }
            draw(&digit.pixels, Rect { x: place.right() - own, width: own, ..place }, buf);
            let below = Rect { y: place.bottom(), height: 1, ..place };
            caption(digit, names, width, self.theme).render(below, buf);
        }
    }
}

/// Right or wrong, true and predicted class, and the prediction's probability, in at most `columns`.
/// Two names that would be cut to numbers take the probability's place.
pub(super) fn caption(
    digit: &Digit,
    names: Names<'_>,
    columns: u16,
    theme: &Theme,
) -> Line<'static> {
    let percent = format::short_percent(f64::from(digit.probability));
    let all = usize::from(columns).saturating_sub(MARK);
    // Names have the same columns in all captions, so that the percentages stand below each other.
    let room = all.saturating_sub(PERCENT).min(2 * names.widest() + 1).max(LEAST_ANSWER);
    let is_cut = !digit.is_right() && names.are_cut_to_numbers(digit, room);
    let room = if is_cut { all } else { room };
    let answer = table::padded(names.answer(digit, room), room);
    let (mark, style) = if digit.is_right() { ("✓", theme.right) } else { ("✗", theme.wrong) };
    let mut line = Line::styled(format!(" {mark} {answer}"), style);
    if !is_cut {
        line.push_span(Span::styled(format!(" {percent:>3} %"), theme.muted));
    }
    line
}

/// Columns of a caption's mark and of its probability.
const MARK: usize = 3;
const PERCENT: usize = 6;
/// Columns of two labels and the arrow between them.
const LEAST_ANSWER: usize = 3;
