//! The charts: values at the crosshair and at the ends of lines, axes, branches.

use super::*;
use crate::{
    app::Direction,
    protocol::{Measure, RateChange, Rewound},
};

fn loss_view(steps: u64) -> App {
    let mut app = trained(steps);
    act(&mut app, Action::Show(View::Loss));
    app
}

/// The last row above the keys.
fn readout(app: &App, width: u16) -> String {
    let shown = text(app, width, 40);
    let row = shown.lines().nth(38).expect("there are 40 rows");
    row.trim_matches('"').trim_end().to_owned()
}

#[test]
fn the_crosshair_reads_the_values_at_its_step() {
    let mut app = loss_view(2_900);
    assert_eq!(readout(&app, 120), "");
    act(&mut app, Action::Point(2_400));
    let (loss, smoothed) = (format::loss(f64::from(loss(2_400))), "smoothed 0.1");
    let read = readout(&app, 160);
    assert!(read.starts_with(&format!("step 2,400 · loss {loss} · {smoothed}")), "{read}");
    assert!(read.contains(" · lr 0.001 · test error 1.97 % · test loss 0.0750"), "{read}");
    assert!(readout(&app, 60).ends_with("lr 0.001"), "{}", readout(&app, 60));
    act(&mut app, Action::Move(Direction::Left));
    let read = readout(&app, 160);
    assert!(
        read.starts_with("step 2,350 ·") && read.contains("test error 4.26 % at 1,200"),
        "{read}"
    );
    let buf = screen(&app, 120, 30, Depth::True).backend().buffer().clone();
    let line = buf.content().iter().filter(|cell| cell.symbol() == "│").count();
    let inverted = buf
        .content()
        .iter()
        .filter(|cell| cell.modifier.contains(ratatui::style::Modifier::REVERSED));
    // Two value axes and the crosshair through both charts, but for the curves it crosses.
    assert!(line > 20 && inverted.count() > 0, "{}", text(&app, 120, 30));
}

#[test]
fn a_rate_that_never_changed_is_known_in_every_sight() {
    let mut app = loss_view(9_000);
    act(&mut app, Action::Point(4_000));
    for _ in 0..3 {
        act(&mut app, Action::Zoom { closer: true });
    }
    let shown = text(&app, 120, 40);
    let below = shown.split_once("Learning rate").expect("there is room").1;
    assert!(below.contains(" 0.001┤⠉⠉⠉"), "{shown}");
}

#[test]
fn steps_that_are_no_longer_told_apart_are_read_as_a_range() {
    let mut app = loss_view(9_000);
    act(&mut app, Action::Point(1_000));
    assert!(readout(&app, 160).starts_with("step 1,000 · loss 0."), "{}", readout(&app, 160));
    assert!(readout(&app, 160).contains('–'), "{}", readout(&app, 160));
    act(&mut app, Action::Point(8_990));
    assert!(!readout(&app, 160).contains('–'), "{}", readout(&app, 160));
}

/// Rewound from step 2,400 to 600 and trained again, with the loss scaled by `share`.
fn branched(share: f32) -> App {
    let mut app = loss_view(2_400);
    let clock = app.run.clock;
    let (step, learning_rate) = (600, 5e-4);
    let tail = (1..=step).map(loss).collect();
    let to = Rewound { step, epoch: 1, batch: step, images: 50 * step, learning_rate, clock, tail };
    feed(&mut app, Event::Rewound(to));
    feed(&mut app, Event::LearningRate(RateChange { step, learning_rate, branch: true }));
    for (epoch, first, last) in [(1, 601, 1_200), (2, 1_201, 1_800)] {
        let losses = (first..=last).map(|step| share * loss(step)).collect();
        let progress = Progress {
            epoch,
            first_step: first,
            first_batch: 1,
            losses,
            images: 1,
            learning_rate,
            clock,
            sample: None,
            measures: Vec::new(),
        };
        feed(&mut app, Event::Progress(progress));
        if epoch == 1 {
            let mut record = record(1, last);
            record.evaluation.loss *= f64::from(share);
            record.evaluation.correct += 50;
            feed(&mut app, Event::Epoch(record));
        }
    }
    app
}

#[test]
fn a_branch_is_compared_with_what_was_given_up() {
    let app = branched(0.5);
    let read = readout(&app, 120);
    assert_eq!(read, "compared with A · at step 1,200 · test loss -0.0600 · accuracy +0.48 points");
    let shown = text(&app, 120, 40);
    let end = shown.lines().find(|line| line.contains(" A 0.")).expect("the end of branch A");
    // It ends at step 2,400 of 2,500, the run at 1,800.
    assert!(end.find(" A 0.") > end.len().checked_sub(20), "{end}");
    let theme = Theme::new(Depth::True);
    let buf = screen(&app, 120, 40, Depth::True).backend().buffer().clone();
    assert_eq!(buf[(45, 38)].style().fg, theme.right.fg, "a lower loss is better");
}

#[test]
fn outliers_of_the_first_steps_are_cut_off_and_named() {
    let mut app = App::default();
    feed(&mut app, Event::Started(RunInfo::example()));
    let losses = (1..=1_000).map(|step| if step < 20 { 7.5 } else { 0.6 }).collect();
    let (learning_rate, clock) = (1e-3, Clock::default());
    feed(
        &mut app,
        Event::Progress(Progress {
            epoch: 1,
            first_step: 1,
            first_batch: 1,
            losses,
            images: 1,
            learning_rate,
            clock,
            sample: None,
            measures: Vec::new(),
        }),
    );
    let shown = text(&app, 120, 40);
    let top = shown.lines().nth(5).expect("the chart's first row");
    assert!(top.contains('↑') && top.contains("7.50"), "{shown}");
    act(&mut app, Action::ToggleLogScale);
    let shown = text(&app, 120, 40);
    assert!(shown.contains("so far · log") && !shown.contains('↑'), "{shown}");
}

#[test]
fn charts_above_each_other_have_their_steps_in_the_same_columns() {
    let app = loss_view(2_900);
    let buf = screen(&app, 120, 40, Depth::True).backend().buffer().clone();
    let axes: Vec<u16> = (5..37)
        .flat_map(|y| (0..20).filter(move |&x| (x, y) != (0, 0)).map(move |x| (x, y)))
        .filter(|&at| matches!(buf[at].symbol(), "│" | "┤"))
        .map(|(x, _)| x)
        .collect();
    assert!(axes.len() > 15 && axes.iter().all(|&x| x == 6), "{axes:?}");
}

/// The run at step 2,900, of which every hundredth step was measured.
fn measured() -> App {
    let mut app = loss_view(2_800);
    for chunk in 0..29 {
        let step = 100 * (chunk + 1);
        let value = 2.0_f32.powi(-(chunk as i32) / 3);
        let measure = Measure { step, gradient_norm: value, update_ratio: 1e-3 };
        let losses = if step > 2_800 { (2_801..=step).map(loss).collect() } else { Vec::new() };
        let measures = vec![measure];
        feed(&mut app, Event::Progress(Progress { measures, ..progress(2_801, losses) }));
    }
    app
}

#[test]
fn high_terminals_show_rate_gradient_and_update_under_the_same_steps() {
    let mut app = measured();
    let titles = ["Learning rate", "Gradient norm", "Update / weights"];
    for (width, height, strips) in [(80, 24, 0), (100, 32, 1), (120, 40, 3), (200, 60, 3)] {
        let shown = text(&app, width, height);
        let found = titles.iter().filter(|title| shown.contains(**title)).count();
        assert_eq!(found, strips, "{shown}");
    }
    let shown = text(&app, 120, 40);
    for value in ["0.001", "0.0020", "1.00e-3"] {
        assert!(shown.contains(value), "{value}: {shown}");
    }
    act(&mut app, Action::Point(150));
    let shown = text(&app, 120, 40);
    for value in ["at step 150: 0.001", "at step 150: 1.0000", "at step 150: 1.00e-3"] {
        assert!(shown.contains(value), "{value}: {shown}");
    }
    assert!(readout(&app, 160).contains("gradient 1.0000 · update/weights 1.00e-3"));
    insta::assert_snapshot!(shown);
}

#[test]
fn the_overview_of_a_large_terminal_has_gradient_and_update_below_the_loss() {
    let mut app = measured();
    act(&mut app, Action::Show(View::Overview));
    for (width, height, has) in [(80, 24, false), (120, 40, false), (200, 60, true)] {
        let shown = text(&app, width, height);
        assert_eq!(shown.contains("Gradient norm") && shown.contains("Update / weights"), has);
        assert!(shown.contains("Loss · so far"), "{shown}");
    }
}

#[test]
fn the_end_of_a_strip_says_that_the_newest_value_is_not_finite() {
    let mut app = measured();
    let lost = Measure { step: 2_901, gradient_norm: f32::NAN, update_ratio: f32::INFINITY };
    feed(
        &mut app,
        Event::Progress(Progress { measures: vec![lost], ..progress(2_901, vec![f32::NAN]) }),
    );
    let shown = text(&app, 120, 40);
    let end_of = |title: &str| -> Vec<&str> {
        let from = shown.lines().skip_while(|line| !line.contains(title));
        from.take(5).filter(|line| line.contains("NaN") || line.contains("inf")).collect()
    };
    for title in ["Gradient norm", "Update / weights"] {
        assert_eq!(end_of(title).len(), 1, "{title}: {shown}");
    }
}

#[test]
fn what_was_measured_goes_back_with_the_run_and_comes_again_with_it() {
    let mut app = measured();
    let known = |app: &App| app.curves.measures.spans().last().map(|span| span.last);
    let to = |step: u64| Rewound {
        step,
        epoch: 1,
        batch: step % STEPS_PER_EPOCH,
        images: 50 * step,
        learning_rate: 1e-3,
        clock: clock(2_900),
        tail: Vec::new(),
    };
    feed(&mut app, Event::Rewound(to(650)));
    assert_eq!(known(&app), Some(600));
    feed(&mut app, Event::Rewound(to(1_250)));
    assert_eq!(known(&app), Some(1_200), "the run went forward on the way it knows");
    app = measured();
    let shown = text(&app, 120, 40);
    app.curves.measures = crate::app::curves::Measures::default();
    assert!(text(&app, 120, 40).contains("Nothing was measured in this run."), "{shown}");
}

#[test]
fn lines_stand_out_from_the_band() {
    let linear = |value: u8| {
        let value = f64::from(value) / 255.0;
        if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    let luminance = |color| match color {
        Some(Color::Rgb(r, g, b)) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b),
        _ => panic!("{color:?} is none of 24 bits"),
    };
    let theme = Theme::new(Depth::True);
    for line in [theme.smooth, theme.evaluation] {
        let contrast = (luminance(line.fg) + 0.05) / (luminance(theme.band_ground()) + 0.05);
        assert!(contrast >= 4.5, "{line:?}: {contrast}");
    }
}

#[test]
fn a_click_puts_the_crosshair_where_it_was() {
    let mut app = loss_view(2_900);
    let theme = Theme::new(Depth::True);
    for (width, height) in [(80, 24), (120, 40), (200, 60)] {
        let area = Rect::new(0, 0, width, height);
        for at in [(width / 2, 8), (width / 4, height - 6)] {
            let action = action_at(&app, &theme, area, at.into()).expect("a chart is there");
            assert!(matches!(action, Action::Point(_)), "{action:?}");
            act(&mut app, action);
            let buf = screen(&app, width, height, Depth::True).backend().buffer().clone();
            let line = (5..height - 3).filter(|&y| buf[(at.0, y)].symbol() == "│").count();
            assert!(line > usize::from(height) / 3, "{}", text(&app, width, height));
        }
        assert_eq!(action_at(&app, &theme, area, (0, height - 1).into()), None);
    }
}

#[test]
fn images_before_augmentation_stand_next_to_those_after_it() {
    let with = |originals: Vec<Vec<u8>>| {
        let mut app = trained(0);
        let sample = Some(Sample { originals, ..sample(1) });
        feed(&mut app, Event::Progress(Progress { sample, ..progress(1, vec![0.1]) }));
        app
    };
    let shown = |app: &App| text(app, 120, 40);
    assert!(!shown(&with(Vec::new())).contains("originals"), "nothing was augmented");
    let mut app = with(vec![vec![0; 784]; 24]);
    let plain = shown(&app);
    assert!(plain.contains("o originals") && plain.contains("Digits of step 1 ─"), "{plain}");
    act(&mut app, Action::ShowOriginals);
    let both = shown(&app);
    assert!(both.contains("Digits of step 1 · original, augmented"), "{both}");
    // Two of four places in a row have a blank original now.
    let rings = |shown: &str| shown.matches("▗▄▄▄▄▄▄▖").count();
    assert_eq!((rings(&plain), rings(&both)), (8, 4), "{both}");
    act(&mut app, Action::ShowOriginals);
    assert_eq!(shown(&app), plain);
}
