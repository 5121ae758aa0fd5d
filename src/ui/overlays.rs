//! Curves of stored runs below those of the run.

use super::{
    chart::{Chart, End},
    raster::Raster,
    theme::Theme,
    why::symbols,
};
use crate::{app::App, protocol::EvalPoint};

/// Draws the evaluations of each stored run as a line, and dashed its smoothed training loss.
pub(super) fn draw(
    app: &App,
    theme: &Theme,
    chart: &Chart,
    buf: &mut ratatui::buffer::Buffer,
    value: impl Fn(&EvalPoint) -> f64 + Copy,
    with_training: bool,
) {
    let mut raster = Raster::new(chart.plot.width, chart.plot.height);
    let mut styles = Vec::new();
    for (place, (_, curves)) in app.overlays.iter().enumerate() {
        let layer = 3 * place as u8 + 1;
        if with_training {
            let mut before = None;
            for column in 0..raster.columns() {
                let (from, to) = chart.steps(column);
                let bucket = curves.loss.range(from, to);
                let row = bucket.and_then(|bucket| chart.row(f64::from(bucket.smooth)));
                // A cell with a dash, a cell without.
                if let Some(row) = row.filter(|_| column / 2 % 2 == 0) {
                    raster.join(column, before, row, layer);
                }
                before = row;
            }
        }
        let points = curves.evaluations.iter().map(move |point| (point.step, value(point)));
        chart.draw_points(&mut raster, points, layer + 1, layer + 2);
        styles.extend([symbols::style(theme, place as u8); 3]);
    }
    raster.render(chart.plot, buf, &styles);
}

/// The letter and the last value in sight of each stored run.
pub(super) fn ends(
    app: &App,
    theme: &Theme,
    chart: &Chart,
    value: impl Fn(&EvalPoint) -> f64,
    text: fn(f64) -> String,
) -> Vec<End> {
    let end = |(place, (letter, curves)): (usize, (char, &crate::app::StoredCurves))| {
        let last = curves.evaluations.iter().rfind(|point| chart.shows(point.step))?;
        let value = value(last);
        let style = symbols::style(theme, place as u8);
        let text = format!("{letter} {}", text(value));
        value.is_finite().then_some(End { step: last.step, value, text, style })
    };
    app.overlays.iter().enumerate().filter_map(end).collect()
}

#[cfg(test)]
mod tests {
    use ratatui::{layout::Rect, widgets::Widget};

    use super::*;
    use crate::{
        app::{Action, Curves, Msg, StoredCurves, View},
        ui::{
            Dashboard, Depth,
            tests::{act, trained},
        },
    };

    #[test]
    fn a_stored_run_has_a_letter_a_value_and_a_colour_on_both_charts() {
        let mut app = trained(3_600);
        act(&mut app, Action::Show(View::Loss));
        let Curves { loss, evaluations, .. } = trained(1_800).curves;
        let stored = StoredCurves { name: "wide".to_owned(), loss, evaluations };
        let _ = app.update(Msg::Overlaid(Ok(Box::new(stored))));
        let theme = Theme::new(Depth::Indexed);
        let mut buf = ratatui::buffer::Buffer::empty(Rect::new(0, 0, 120, 40));
        Dashboard::new(&app, &theme).render(buf.area, &mut buf);
        let rows = buf.content().chunks(120);
        let rows: Vec<String> =
            rows.map(|row| row.iter().map(ratatui::buffer::Cell::symbol).collect()).collect();
        for wanted in ["A is wide.", "A 0.1200", "A 3.66 %", "o stored run"] {
            assert!(
                rows.iter().any(|row| row.contains(wanted)),
                "{wanted:?}:\n{}",
                rows.join("\n")
            );
        }
        let color = symbols::style(&theme, 0).fg.expect("it has one");
        let dots = |cell: &&ratatui::buffer::Cell| {
            cell.fg == color
                && ('\u{2801}'..='\u{28ff}').contains(&cell.symbol().chars().next().unwrap_or(' '))
        };
        assert!(buf.content().iter().filter(dots).count() > 20, "dashes of its training loss");
    }
}
