//! Changes of the learning rate, among the steps below.

use ratatui::buffer::Buffer;

use super::Chart;
use crate::{
    app::curves::Marks,
    ui::{format, theme::Theme},
};

impl Chart {
    /// Marks the steps after which another learning rate applies.
    pub(in crate::ui) fn mark_rates(&self, buf: &mut Buffer, marks: &Marks, theme: &Theme) {
        for &(step, rate) in marks.rates() {
            self.mark_below(buf, step, &format::learning_rate(rate), theme.accent);
        }
    }
}
