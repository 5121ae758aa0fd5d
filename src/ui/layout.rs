//! The parts of the screen.
//!
//! ```text
//! header    name, views, state
//! figures   loss, evaluation loss, accuracy, learning rate
//! progress  gauges of the epoch and of the run
//! message   alerts and reports; over the gauges where there are few rows
//! body      ┌ loss ────────┐ ┌ confusion ─┐
//!           │              │ │            │
//!           ├ digits ──────┤ ├ accuracy ──┤   with room only
//!           └──────────────┘ └────────────┘
//! footer    keys that matter now
//! ```

use ratatui::layout::{Constraint, Layout, Rect};

use super::digits;

/// Columns and rows below which nothing but a message is shown.
pub(crate) const SMALLEST: (u16, u16) = (40, 12);
/// Rows from which messages have one of their own.
const MESSAGE_ROW: u16 = 20;
/// Columns and rows from which all panes are side by side.
const SIDE_BY_SIDE: (u16, u16) = (80, 19);
/// Body rows that a single column needs to show digits below the chart.
const STACKED: u16 = 17;
/// Columns between the two columns of panes.
const GAP: u16 = 2;
/// ... where every column counts.
const NARROW_GAP: u16 = 1;
/// Rows that the confusion pane fills.
const CONFUSION_ROWS: u16 = 19;
/// Rows of the loss from which strips take some of them.
const OVER_STRIPS: u16 = 23;
/// Body rows from which the digits get two rows.
const TWO_ROWS_OF_DIGITS: u16 = 32;

/// The screen's rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Screen {
    pub(super) header: Rect,
    pub(super) figures: Rect,
    pub(super) progress: Rect,
    /// The rows that messages fill.
    pub(super) message: Rect,
    pub(super) body: Rect,
    pub(super) footer: Rect,
}

/// The panes of the overview; those without room are absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Overview {
    pub(super) loss: Rect,
    /// Charts of a few rows each below the loss; empty where there is no room for them.
    pub(super) strips: Rect,
    pub(super) digits: Option<Rect>,
    pub(super) confusion: Option<Rect>,
    pub(super) accuracy: Option<Rect>,
}

impl Screen {
    /// Rows that a message has at most: no more than half of the view.
    pub(super) fn most_message_rows(&self) -> u16 {
        1 + self.body.height / 2
    }

    /// The same, with room made for a message of `rows` rows.
    #[must_use]
    pub(super) fn with_message(self, rows: u16) -> Self {
        let more = rows.clamp(1, self.most_message_rows()) - 1;
        let message = Rect { height: self.message.height + more, ..self.message };
        let body = Rect { y: self.body.y + more, height: self.body.height - more, ..self.body };
        Self { message, body, ..self }
    }
}

/// The rows of a screen; `None` if it is too small for them.
pub(super) fn screen(area: Rect) -> Option<Screen> {
    if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
        return None;
    }
    let own_row = area.height >= MESSAGE_ROW;
    let [header, figures, progress, message, body, footer] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Length(u16::from(own_row)),
        Constraint::Fill(1),
        Constraint::Length(1),
    ])
    .areas(area);
    let message = if own_row { message } else { progress };
    Some(Screen { header, figures, progress, message, body, footer })
}

/// The panes of the overview.
pub(super) fn overview(body: Rect) -> Overview {
    if body.width < SIDE_BY_SIDE.0 || body.height < SIDE_BY_SIDE.1 {
        let digits = (body.height >= STACKED).then_some(digits::SMALL_ROWS + 1);
        let [loss, below] =
            Layout::vertical([Constraint::Fill(1), Constraint::Length(digits.unwrap_or(0))])
                .areas(body);
        let digits = digits.map(|_| below);
        let strips = Rect::ZERO;
        return Overview { loss, strips, digits, confusion: None, accuracy: None };
    }
    let right = match body.width {
        ..110 => 37,
        110..160 => 57,
        _ => 70,
    };
    let [left, right] = Layout::horizontal([Constraint::Fill(1), Constraint::Length(right)])
        .spacing(if body.width < 110 { NARROW_GAP } else { GAP })
        .areas(body);
    let two = body.height >= TWO_ROWS_OF_DIGITS;
    let one_row = if left.width >= 4 * digits::LARGE_COLUMNS && two {
        digits::LARGE_ROWS
    } else {
        digits::SMALL_ROWS
    };
    let rows = if two && (one_row == digits::SMALL_ROWS || body.height >= 50) { 2 } else { 1 };
    let [loss, digits] =
        Layout::vertical([Constraint::Fill(1), Constraint::Length(rows * one_row + 1)]).areas(left);
    let strips = if loss.height >= OVER_STRIPS { 2 * STRIP + 1 } else { 0 };
    let [loss, strips] =
        Layout::vertical([Constraint::Fill(1), Constraint::Length(strips)]).areas(loss);
    let confusion_rows = CONFUSION_ROWS + if body.height >= 50 { 11 } else { 0 };
    let (confusion, accuracy) = if body.height >= confusion_rows + 6 {
        let [top, bottom] =
            Layout::vertical([Constraint::Length(confusion_rows), Constraint::Fill(1)])
                .areas(right);
        (top, Some(bottom))
    } else {
        (right, None)
    };
    Overview { loss, strips, digits: Some(digits), confusion: Some(confusion), accuracy }
}

/// The loss view; charts without room are absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Curves {
    pub(super) loss: Rect,
    pub(super) error: Option<Rect>,
    /// Charts of a few rows each; empty where there is no room for one.
    pub(super) strips: Rect,
    /// The values at the crosshair.
    pub(super) readout: Rect,
}

/// Rows that the charts of loss and error keep where there are strips.
const ABOVE_STRIPS: u16 = 20;
/// Rows of a strip with its title, and in a high terminal.
const STRIP: u16 = 4;
const HIGH_STRIP: u16 = 6;
/// Rows from which strips are high.
const HIGH: u16 = 48;
/// Most strips.
const STRIPS: u16 = 3;

/// Charts above each other, over a line of values.
pub(super) fn curves(body: Rect) -> Curves {
    let [charts, readout] =
        Layout::vertical([Constraint::Fill(1), Constraint::Length(1)]).areas(body);
    if charts.height < 13 {
        return Curves { loss: charts, error: None, strips: Rect::ZERO, readout };
    }
    let strip = if charts.height >= HIGH { HIGH_STRIP } else { STRIP };
    // The row of the steps is below the last strip.
    let count = (charts.height.saturating_sub(ABOVE_STRIPS + 1) / strip).min(STRIPS);
    let strips = if count == 0 { 0 } else { count * strip + 1 };
    let [loss, error, strips] =
        Layout::vertical([Constraint::Fill(2), Constraint::Fill(1), Constraint::Length(strips)])
            .areas(charts);
    Curves { loss, error: Some(error), strips, readout }
}

/// The strips in their area, above each other.
pub(super) fn strips(area: Rect) -> Vec<Rect> {
    let strip = if area.height > STRIPS * HIGH_STRIP { HIGH_STRIP } else { STRIP };
    let count = area.height.saturating_sub(1) / strip;
    let row = |place: u16| {
        let height = strip + u16::from(place + 1 == count);
        Rect { y: area.y + place * strip, height, ..area }
    };
    (0..count).map(row).collect()
}
