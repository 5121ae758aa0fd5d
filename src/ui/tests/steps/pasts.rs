//! The curve that the run has left, in the chart.

use super::*;

/// Like [`branched`], continued to a step of the second epoch with the loss scaled by a factor.
fn branched_with(share: f32, last: u64) -> App {
    let mut app = branched();
    let clock = app.run.clock;
    for (epoch, first_step, last) in [(1, 1_101, 1_200), (2, 1_201, last)] {
        feed(
            &mut app,
            Event::Progress(Progress {
                epoch,
                first_step,
                first_batch: (first_step - 1) % STEPS_PER_EPOCH + 1,
                losses: (first_step..=last).map(|step| share * loss(step)).collect(),
                images: last * 50,
                learning_rate: 5e-4,
                clock,
                sample: None,
                measures: Vec::new(),
            }),
        );
        if epoch == 1 {
            let mut record = record(1, last);
            record.evaluation.loss *= f64::from(share);
            feed(&mut app, Event::Epoch(record));
        }
    }
    feed(&mut app, Event::State(RunState::Paused));
    act(&mut app, Action::Show(View::Loss));
    act(&mut app, Action::ToggleLogScale);
    app
}

fn drawn(app: &App, depth: Depth) -> Buffer {
    let theme = Theme::new(depth);
    let mut buf = Buffer::empty(Rect::new(0, 0, 80, 20));
    loss::Loss::new(app, &theme).render(buf.area, &mut buf);
    buf
}

/// Columns of the plot with dots of the colour of what was left.
fn dashes(buf: &Buffer) -> Vec<u16> {
    let past = Theme::new(Depth::True).past.fg;
    let is_dash = |(x, y): (u16, u16)| {
        let cell = &buf[(x, y)];
        cell.style().fg == past
            && cell.symbol().starts_with(|c| ('\u{2801}'..='\u{28ff}').contains(&c))
    };
    let columns = 5..buf.area.width;
    columns.filter(|&x| (1..buf.area.height).any(|y| is_dash((x, y)))).collect()
}

#[test]
fn a_branch_that_is_far_from_what_was_left() {
    let app = branched_with(0.4, 2_000);
    insta::assert_snapshot!(text(&app, 120, 40));
    insta::assert_snapshot!("a_branch_far_from_what_was_left_at_200_by_60", text(&app, 200, 60));
}

#[test]
fn a_branch_that_is_close_to_what_was_left() {
    let app = branched_with(0.9, 2_000);
    insta::assert_snapshot!(text(&app, 120, 40));
    insta::assert_snapshot!("a_branch_close_to_what_was_left_at_200_by_60", text(&app, 200, 60));
}

#[test]
fn what_is_left_behind_is_dashed_and_below_the_curve() {
    let theme = Theme::new(Depth::True);
    assert!(dashes(&drawn(&trained(2_900), Depth::True)).is_empty());
    let buf = drawn(&branched(), Depth::True);
    let columns = dashes(&buf);
    // A dash in every other column.
    assert!(columns.len() >= 5, "{columns:?}");
    assert!(columns.windows(2).all(|pair| pair[1] - pair[0] == 2), "{columns:?}");
    let mark = buf.content().iter().filter(|cell| cell.symbol() == "▴");
    assert_eq!(mark.count(), 2, "one in the legend, one at step 700");
    // Where nothing is cut off at the bottom.
    let mut app = branched();
    act(&mut app, Action::ToggleLogScale);
    let buf = drawn(&app, Depth::True);
    // The evaluations before, after 1,200 and 2,400 of 4,000 steps in 67 columns.
    for x in [6 + 20, 6 + 40] {
        let dots = (1..20).map(|y| &buf[(x, y)]).filter(|cell| cell.style().fg == theme.past.fg);
        let patterns = dots.flat_map(|cell| cell.symbol().chars()).map(|c| c as u32 & 0xff);
        let dots: u32 = patterns.map(u32::count_ones).sum();
        // A dash has two.
        assert!(dots >= 4, "column {x}: {dots}");
    }
}

#[test]
fn a_dash_fills_its_cell_and_the_legend_shows_it_alike() {
    let buf = drawn(&branched(), Depth::True);
    let theme = Theme::new(Depth::True);
    let sample: Vec<&str> = (0..80)
        .filter(|&x| buf[(x, 0)].style().fg == theme.past.fg)
        .map(|x| buf[(x, 0)].symbol())
        .collect();
    assert_eq!(sample.concat(), "⠒ ⠒");
    // Beyond the end of the run and of its band nothing else is drawn.
    let mut columns: Vec<u16> = dashes(&buf).into_iter().filter(|&x| x > 14).collect();
    // What was left ends within the last.
    columns.pop();
    assert!(!columns.is_empty());
    for x in columns {
        let dots = (1..20).filter_map(|y| buf[(x, y)].symbol().chars().next());
        let dots: u32 = dots
            .filter(|&c| c > '\u{2800}' && c <= '\u{28ff}')
            .map(|c| c as u32 & 0xff)
            .fold(0, |a, b| a | b);
        assert!(dots & 0x47 != 0 && dots & 0xb8 != 0, "both columns of {x}: {dots:x}");
    }
}

#[test]
fn with_sixteen_colours_what_is_left_behind_has_one_of_its_own() {
    let theme = Theme::new(Depth::Basic);
    for other in [theme.muted, theme.rule, theme.band, theme.smooth, theme.evaluation, theme.accent]
    {
        assert_ne!(theme.past.fg, other.fg);
    }
}
