//! Figures of the whole matrix: accuracy, the pairs confused most often, and past accuracies.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Modifier,
    text::{Line, Span},
    widgets::Widget,
};

use super::Confusion;
use crate::{
    protocol::Evaluation,
    ui::{format, names::Names, table},
};

/// Most columns of two names with an arrow between.
const PAIR: usize = 21;
/// Most lines of confused pairs.
pub(super) const PAIR_LINES: u16 = 3;

impl Confusion<'_> {
    pub(super) fn draw_history(&self, area: Rect, buf: &mut Buffer) {
        let trained = self.app.curves.evaluations.iter().filter(|point| point.step > 0);
        let all = trained.map(|point| f64::from(point.accuracy));
        let (low, high) = all.fold((1.0, 0.0), |(low, high): (f64, f64), accuracy| {
            (low.min(accuracy), high.max(accuracy))
        });
        let label = Span::styled("accuracy ", self.theme.muted);
        let range = format!(" {:.1}–{:.1} %", 100.0 * low, 100.0 * high);
        let range = Span::styled(range, self.theme.muted);
        let room = usize::from(area.width).saturating_sub(label.width() + range.width());
        let epochs: Vec<_> = self.app.epochs.iter().filter(|record| record.step > 0).collect();
        if epochs.is_empty() {
            return;
        }
        let last = epochs.iter().skip(epochs.len().saturating_sub(room));
        let bars: String =
            last.map(|record| bar(record.evaluation.accuracy(), low, high)).collect();
        Line::from(vec![label, Span::styled(bars, self.theme.smooth), range]).render(area, buf);
    }

    pub(super) fn figures(&self, evaluation: &Evaluation, area: Rect, buf: &mut Buffer) {
        let mut y = area.y;
        let line = Line::from(vec![
            Span::styled(format::percent(evaluation.accuracy()), self.theme.figure),
            Span::styled(
                format!(
                    " correct: {} of {}",
                    format::thousands(evaluation.correct),
                    format::thousands(evaluation.total)
                ),
                self.theme.muted,
            ),
        ]);
        if y < area.bottom() {
            line.render(Rect { y, height: 1, ..area }, buf);
            y += 1;
        }
        let names = Names::of(self.app);
        let pairs = evaluation.confusion.most_confused();
        // The columns of one evaluation to the next stay where they are.
        let widest = pairs.first().map_or(0, |pair| format::thousands(pair.count.into()).len());
        let widest = widest.max(3);
        let mut line = Line::styled("confused ", self.theme.muted);
        let rows = usize::from(area.bottom().saturating_sub(y));
        if rows == 0 {
            return;
        }
        let mut lines = Vec::new();
        for pair in pairs {
            let text = names.pair(pair.truth, pair.predicted, PAIR);
            let count = format!(" ×{:<widest$} ", format::thousands(pair.count.into()));
            if line.width() + table::width(&text) + table::width(&count) > usize::from(area.width) {
                lines.push(std::mem::take(&mut line));
                if lines.len() == rows.min(usize::from(PAIR_LINES)) {
                    break;
                }
                line = Line::raw("         ");
            }
            line.push_span(Span::styled(text, self.theme.wrong.remove_modifier(Modifier::BOLD)));
            line.push_span(Span::styled(count, self.theme.muted));
        }
        if lines.len() < rows.min(usize::from(PAIR_LINES)) && line.spans.len() > 1 {
            lines.push(line);
        }
        for line in lines {
            line.render(Rect { y, height: 1, ..area }, buf);
            y += 1;
        }
    }
}

/// An eighth of a cell for the lowest value up to a whole one for the highest.
fn bar(value: f64, low: f64, high: f64) -> char {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let share = if high > low { (value - low) / (high - low) } else { 1.0 };
    BARS[((share * 7.0).round() as usize).min(7)]
}
