//! Whether confidence says how often predictions are right.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
    widgets::Widget,
};

use super::{empty, explained};
use crate::{
    app::App,
    metrics::{self, calibration::Bin},
    protocol::Content,
    ui::{bar, confusion, format, pane, table, theme::Theme},
};

/// Columns of a bin's range, of its three figures, and of its bar of predictions.
const RANGE: u16 = 10;
const FIGURE: u16 = 9;
const HISTOGRAM: u16 = 14;
/// Columns from which the expected calibration error has its whole name.
const WIDE_SUMMARY: u16 = 96;
/// Columns from which the histogram has room.
const WIDE: u16 = 72;

/// A reliability diagram, lying on its side: a row for each range of confidence.
#[derive(Debug)]
pub(in crate::ui) struct Calibration<'a> {
    pub(in crate::ui) app: &'a App,
    pub(in crate::ui) theme: &'a Theme,
}

impl Calibration<'_> {
    fn summary(&self, found: &metrics::Calibration, is_wide: bool) -> Line<'static> {
        let (muted, figure) = (self.theme.muted, self.theme.figure);
        let gap = found.mean_confidence() - found.accuracy();
        let verdict = if gap > 0.0 { "overconfident" } else { "underconfident" };
        let mut line = Line::from(vec![
            Span::styled(
                if is_wide { "expected calibration error " } else { "calibration error " },
                muted,
            ),
            Span::styled(format::percent(found.error()), figure),
            Span::styled("  confidence ", muted),
            Span::styled(format::percent(found.mean_confidence()), figure),
            Span::styled("  accuracy ", muted),
            Span::styled(format::percent(found.accuracy()), figure),
        ]);
        if gap != 0.0 {
            line.push_span(Span::styled(format!("  {verdict}"), self.theme.accent));
        }
        if found.not_finite > 0 {
            let count = format::thousands(found.not_finite);
            line.push_span(Span::styled(format!("   {count} not finite"), self.theme.alert));
        }
        line
    }

    fn head(&self, row: Rect, bars: Rect, histogram: bool, buf: &mut Buffer) {
        let muted = self.theme.muted;
        table::left(buf, row.x, row.y, "confidence", RANGE, muted);
        table::left(buf, bars.x, row.y, "share right ▇, mean confidence ┃", bars.width, muted);
        table::right(buf, bars.right() + FIGURE, row.y, "right", muted);
        table::right(buf, bars.right() + 2 * FIGURE, row.y, "images", muted);
        if histogram {
            let x = bars.right() + 2 * FIGURE + 1;
            table::left(buf, x, row.y, "share of all", HISTOGRAM, muted);
        }
    }

    fn draw_bin(
        &self,
        bin: &Bin,
        share: f64,
        row: Rect,
        bars: Rect,
        histogram: bool,
        buf: &mut Buffer,
    ) {
        let theme = self.theme;
        let muted = |buf: &mut Buffer, right, text: &str| {
            table::right(buf, right, row.y, text, theme.muted);
        };
        muted(buf, bars.right() + 2 * FIGURE, &format::thousands(bin.count));
        let Some((accuracy, confidence)) = bin.accuracy().zip(bin.mean_confidence()) else {
            return muted(buf, bars.right() + FIGURE, "—");
        };
        let place = Rect { y: row.y, height: 1, ..bars };
        bar::draw_visibly(place, buf, accuracy, theme.right);
        let mark = (confidence * f64::from(bars.width.saturating_sub(1))).round() as u16;
        let style =
            if (accuracy - confidence).abs() > 0.05 { theme.wrong } else { theme.evaluation };
        table::left(buf, bars.x + mark.min(bars.width.saturating_sub(1)), row.y, "┃", 1, style);
        let right = bars.right() + FIGURE;
        table::right(buf, right, row.y, &format::percent(accuracy), theme.figure);
        if histogram {
            let x = bars.right() + 2 * FIGURE + 1;
            bar::draw_visibly(Rect { x, width: HISTOGRAM, ..place }, buf, share, theme.band);
        }
    }
}

impl Widget for &Calibration<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let (app, theme) = (self.app, self.theme);
        let title = app.matrix().map_or_else(
            || "Calibration".to_owned(),
            |matrix| format!("Calibration · {}", confusion::name(app, matrix)),
        );
        let found = match app.why.answer().map(|answer| &answer.content) {
            Some(Content::Calibration(Some(found))) => found,
            Some(Content::Calibration(None)) => {
                let inner = pane::titled(area, buf, theme, &title, []);
                let text = "The images of this evaluation are no longer known. Images are kept for the \
                            last evaluations only.";
                return pane::empty(inner, buf, theme, text);
            }
            _ if app.matrix().is_none() => {
                let text = "The calibration of the network's confidence appears after epoch 1.";
                return empty(area, buf, app, theme, &title, text);
            }
            _ => return empty(area, buf, app, theme, &title, "…"),
        };
        let inner = pane::titled(area, buf, theme, &title, []);
        let inner = explained(
            inner,
            buf,
            theme,
            &[
                "Of the predictions made with 90 % confidence 90 % should be right: each bar should end at its \
             mark.",
                "Confidence should equal the share that is right: bars should end at marks.",
                "Bars should end at their marks.",
            ],
        );
        let histogram = inner.width >= WIDE;
        let others = RANGE + 1 + 2 * FIGURE + if histogram { HISTOGRAM + 1 } else { 0 };
        let bars =
            Rect { x: inner.x + RANGE + 1, width: inner.width.saturating_sub(others), ..inner };
        let mut rows = inner.rows();
        if let Some(row) = rows.next() {
            self.summary(found, row.width >= WIDE_SUMMARY).render(row, buf);
        }
        // A row between, where there is one to spare.
        if usize::from(inner.height) > found.bins.len() + 3 {
            rows.next();
        }
        if let Some(row) = rows.next() {
            self.head(row, bars, histogram, buf);
        }
        let (bins, all) = (found.bins.len(), found.count().max(1) as f64);
        for ((place, bin), row) in found.bins.iter().enumerate().rev().zip(rows) {
            let bound = |place: usize| 100 * place / bins.max(1);
            let range = format!("{}–{} %", bound(place), bound(place + 1));
            table::right(buf, row.x + RANGE, row.y, &range, theme.muted);
            self.draw_bin(bin, bin.count as f64 / all, row, bars, histogram, buf);
        }
    }
}
