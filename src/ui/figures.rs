//! The figures that matter most, in one row that nothing covers.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Style,
    text::{Line, Span},
    widgets::Widget,
};

use super::{format, theme::Theme};
use crate::{app::App, protocol::EvalSet};

/// Loss, evaluation loss, accuracy and learning rate; behind them, where there is room, speed and
/// device.
#[derive(Debug)]
pub(super) struct Figures<'a> {
    app: &'a App,
    theme: &'a Theme,
}

/// A figure with its name or unit.
struct Figure {
    full: &'static str,
    short: &'static str,
    value: String,
    /// Place by importance, 0 the most; where room is short the last ones go first.
    rank: u8,
}

/// How figures are named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Names {
    Full,
    /// The same with a short name for the first.
    ShortFirst,
    Short,
}

/// Columns between two figures.
const GAP: &str = "   ";
const SHORT_GAP: &str = "  ";

impl<'a> Figures<'a> {
    pub(super) fn new(app: &'a App, theme: &'a Theme) -> Self {
        Self { app, theme }
    }

    /// How well it goes.
    fn first(&self) -> Vec<Figure> {
        let run = &self.app.run;
        let figure = |full, short, rank, value| Figure { full, short, value, rank };
        let mut figures = Vec::new();
        if let Some(loss) = run.figures().loss {
            figures.push(figure("smoothed loss", "loss", 0, format::loss(f64::from(loss))));
        }
        if let Some(matrix) = self.app.newest_matrix() {
            let evaluation = matrix.evaluation;
            let (full, short) = match evaluation.set {
                EvalSet::Test => ("test loss", "test"),
                EvalSet::Validation => ("validation loss", "valid"),
            };
            figures.push(figure(full, short, 3, format::loss(evaluation.loss)));
            let accuracy = if evaluation.loss.is_nan() { f64::NAN } else { evaluation.accuracy() };
            figures.push(figure("accuracy", "acc", 1, format::percent(accuracy)));
            if let Some(best) = self.app.best_accuracy(evaluation.set) {
                figures.push(figure("best", "best", 4, format::percent(best)));
            }
        }
        if let Some(rate) = run.learning_rate {
            figures.push(figure("lr", "lr", 2, format::learning_rate(rate)));
        }
        figures
    }

    /// How fast it goes, and where.
    fn second(&self) -> Vec<Figure> {
        let run = &self.app.run;
        let figure = |full, short, rank, value| Figure { full, short, value, rank };
        let mut figures = Vec::new();
        if let Some(pace) = run.pace {
            figures.push(figure("batches/s", "batch/s", 6, format!("≤{pace}")));
        }
        if let Some(rate) = run.figures().images_per_second {
            let rate = format::thousands(rate.round() as u64);
            figures.push(figure("images/s", "img/s", 7, format!("{rate:>7}")));
        }
        if let Some(info) = &run.info {
            figures.push(figure("", "", 8, info.device.clone()));
        }
        figures
    }

    fn line(&self, figures: &[Figure], value: Style, names: Names) -> Line<'static> {
        let long = names != Names::Short;
        let mut spans = Vec::new();
        for (place, figure) in figures.iter().enumerate() {
            let is_full = names == Names::Full || long && place > 0;
            let label = if is_full { figure.full } else { figure.short };
            if place > 0 {
                spans.push(Span::raw(if long { GAP } else { SHORT_GAP }));
            }
            let style = if matches!(figure.value.as_str(), "NaN" | "inf") {
                self.theme.alert
            } else {
                value
            };
            let value = Span::styled(figure.value.clone(), style);
            // A unit stands behind its figure, a name before it.
            if label.contains('/') {
                spans.extend([value, Span::styled(format!(" {label}"), self.theme.muted)]);
            } else {
                if !label.is_empty() {
                    spans.push(Span::styled(format!("{label} "), self.theme.muted));
                }
                spans.push(value);
            }
        }
        Line::from(spans)
    }
}

impl Widget for &Figures<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let (mut first, mut second) = (self.first(), self.second());
        let room = usize::from(area.width);
        let mut names = Names::Full;
        loop {
            let left = self.line(&first, self.theme.figure, names);
            let right = self.line(&second, self.theme.muted, names);
            let between = if second.is_empty() { 0 } else { GAP.len() };
            if left.width() + between + right.width() <= room {
                left.render(area, buf);
                let width = right.width() as u16;
                right.render(Rect { x: area.right() - width, width, ..area }, buf);
                return;
            }
            // Long names of what matters are worth more than how fast it goes.
            let least =
                |figures: &[Figure]| (0..figures.len()).max_by_key(|&place| figures[place].rank);
            if names == Names::Full {
                names = Names::ShortFirst;
            } else if let Some(place) = least(&second) {
                second.remove(place);
            } else if names == Names::ShortFirst {
                (names, second) = (Names::Short, self.second());
            } else if let Some(place) = least(&first) {
                first.remove(place);
            } else {
                return;
            }
        }
    }
}
