//! The prediction for an image and its loss over the evaluations.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Style,
    text::{Line, Span},
    widgets::Widget,
};

use super::Look;
use crate::{
    protocol::{Digit, ImageHistory, List},
    ui::{format, table, theme::Theme, why::symbols::symbol},
};

/// Fewest evaluations that a line of predictions is worth its columns for.
const LEAST: u16 = 2;
/// Losses of the lowest and the highest bar; those in between grow with the logarithm.
const BARS: (f32, f32) = (0.01, 10.0);

/// A row for the predictions, one for the losses, and one that sums them up.
pub(super) fn draw(
    history: &ImageHistory,
    digit: &Digit,
    list: List,
    area: Rect,
    look: Look<'_>,
    buf: &mut Buffer,
) {
    let theme = look.theme;
    let shown = history.predictions.len().min(usize::from(area.width));
    let word = if list == List::Suspected { "epoch" } else { "evaluation" };
    let of = format::thousands(shown as u64);
    let heading = match (shown, shown < history.predictions.len()) {
        (1, _) => format!("class, loss, 1 {word}"),
        (_, false) => format!("class, loss, {of} {word}s"),
        (_, true) => format!("class, loss, the last {of}"),
    };
    let was_right = history.predictions.contains(&Some(digit.label));
    let never = if was_right { "never forgotten" } else { "never right" };
    let forgotten = times(history.forgotten, never, "forgotten");
    let sum = match list {
        List::Suspected => {
            let (wrong, known) = (history.mistaken, history.known());
            let sum = format!("confidently wrong in {wrong} of {known}");
            let is_whole = sum.len() <= usize::from(area.width);
            if is_whole { sum } else { format!("confidently wrong {wrong}/{known}") }
        }
        List::Hardest | List::Forgotten => forgotten,
    };
    let lines = [
        Line::styled(heading, theme.muted),
        predictions(history, digit.label, shown, look),
        losses(history, shown, theme),
        Line::styled(sum, theme.muted),
    ];
    for (line, row) in lines.into_iter().zip(area.rows()) {
        line.render(row, buf);
    }
}

/// The last predictions alone, as many as fit into the row.
pub(super) fn draw_line(
    history: &ImageHistory,
    digit: &Digit,
    area: Rect,
    look: Look<'_>,
    buf: &mut Buffer,
) {
    const WORD: &str = "so far ";
    let room = area.width.saturating_sub(WORD.len() as u16);
    let shown = history.predictions.len().min(usize::from(room));
    if room < LEAST || shown < usize::from(LEAST) {
        return;
    }
    table::left(buf, area.x, area.y, WORD, area.width, look.theme.muted);
    let x = area.x + WORD.len() as u16;
    predictions(history, digit.label, shown, look).render(Rect { x, width: room, ..area }, buf);
}

fn times(count: u32, never: &str, what: &str) -> String {
    match count {
        0 => never.to_owned(),
        1 => format!("{what} once"),
        2 => format!("{what} twice"),
        _ => format!("{what} {count} times"),
    }
}

/// The sign of the class that was predicted in each of the last evaluations.
fn predictions(history: &ImageHistory, label: u8, shown: usize, look: Look<'_>) -> Line<'static> {
    let theme = look.theme;
    let first = history.predictions.len() - shown;
    let spans = history.predictions[first..].iter().map(|prediction| match prediction {
        Some(class) => {
            let style = if *class == label { theme.right } else { theme.wrong };
            Span::styled(symbol(look.names, *class).to_string(), style)
        }
        None => Span::styled("·", theme.muted),
    });
    spans.collect()
}

/// A bar for each of the last losses.
fn losses(history: &ImageHistory, shown: usize, theme: &Theme) -> Line<'static> {
    const LEVELS: [&str; 8] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];
    let first = history.losses.len().saturating_sub(shown);
    let (low, high) = BARS;
    let spans = history.losses[first..].iter().map(|&loss| {
        let share = (loss.max(low) / low).ln() / (high / low).ln();
        let level = (share * (LEVELS.len() - 1) as f32).round() as usize;
        if loss.is_nan() {
            Span::styled("·", theme.muted)
        } else {
            Span::styled(LEVELS[level.min(LEVELS.len() - 1)], Style::new())
        }
    });
    spans.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        data::DataInfo,
        ui::{Depth, names::Names},
    };

    #[test]
    fn right_and_wrong_predictions_and_losses_stand_above_each_other() {
        let (theme, set) = (Theme::new(Depth::True), DataInfo::mnist());
        let look = Look { names: Names::new(&set.classes), set: &set, theme: &theme };
        let digit = Digit { pixels: Vec::new(), label: 4, prediction: 9, probability: 0.9 };
        let history = ImageHistory {
            predictions: vec![None, Some(4), Some(9), Some(4), Some(9)],
            losses: vec![f32::NAN, 0.01, 0.316, 0.000_1, 50.0],
            forgotten: 2,
            mistaken: 1,
        };
        let area = Rect::new(0, 0, 30, 4);
        let draw = |list| {
            let mut buf = Buffer::empty(area);
            draw(&history, &digit, list, area, look, &mut buf);
            buf
        };
        let buf = draw(List::Forgotten);
        let row = |buf: &Buffer, y| (0..30).map(|x| buf[(x, y)].symbol()).collect::<String>();
        let rows: Vec<String> = (0..4).map(|y| row(&buf, y).trim_end().to_owned()).collect();
        let expected = ["class, loss, 5 evaluations", "·4949", "·▁▄▁█", "forgotten twice"];
        assert_eq!(rows, expected);
        assert_eq!(Some(buf[(1, 1)].fg), theme.right.fg);
        assert_eq!(Some(buf[(2, 1)].fg), theme.wrong.fg);
        assert!(row(&draw(List::Suspected), 3).starts_with("confidently wrong in 1 of 4"));
        let mut narrow = Buffer::empty(Rect::new(0, 0, 26, 4));
        super::draw(&history, &digit, List::Suspected, narrow.area, look, &mut narrow);
        let shown: String = (0..26).map(|x| narrow[(x, 3)].symbol()).collect();
        assert_eq!(shown.trim_end(), "confidently wrong 1/4");
        let never = ImageHistory { predictions: vec![Some(9); 3], forgotten: 0, ..history.clone() };
        let mut buf = Buffer::empty(area);
        super::draw(&never, &digit, List::Hardest, area, look, &mut buf);
        assert!(row(&buf, 3).starts_with("never right"), "it could not be forgotten");
        let mut line = Buffer::empty(Rect::new(0, 0, 10, 1));
        draw_line(&history, &digit, line.area, look, &mut line);
        assert_eq!(row_of(&line), "so far 949", "the last ones");
    }

    fn row_of(buf: &Buffer) -> String {
        buf.content().iter().map(ratatui::buffer::Cell::symbol).collect()
    }
}
