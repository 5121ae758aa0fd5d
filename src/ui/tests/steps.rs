//! Steps looked into, going back, breakpoints, questions and the keys.

mod news;
mod pasts;

use std::sync::Arc;

use super::*;
use crate::{
    app::{Breakpoints, Focus, Target},
    keymap::{self, BINDINGS},
    protocol::{Break, Breakpoint, Inspection, ParameterUpdate, RankedDigit, RateChange, Rewound},
};

fn digit(place: u8) -> Digit {
    let wrong = place < 3;
    Digit {
        pixels: picture(),
        label: place % 10,
        prediction: if wrong { (place + 7) % 10 } else { place % 10 },
        probability: if wrong {
            0.9 - f32::from(place) * 0.2
        } else {
            0.6 + f32::from(place) * 0.007
        },
    }
}

pub(super) fn inspection(step: u64, images: u8) -> Inspection {
    let parameter = |name: &str, shape: &[u32], gradient_norm, weight_norm, update_ratio| {
        let (name, shape) = (name.to_owned(), shape.to_vec());
        ParameterUpdate { name, shape, gradient_norm, weight_norm, update_ratio }
    };
    Inspection {
        step,
        epoch: ((step - 1) / STEPS_PER_EPOCH) as u32 + 1,
        batch: (step - 1) % STEPS_PER_EPOCH + 1,
        images: u64::from(images),
        learning_rate: 1e-3,
        loss_before: 0.1387,
        loss_after: 0.1302,
        digits: (0..images)
            .map(|place| RankedDigit {
                index: 48_213 - 97 * u32::from(place),
                digit: digit(place),
                loss: 3.4 / (f32::from(place) + 0.7).powi(2),
            })
            .collect(),
        parameters: vec![
            parameter("layer1_conv.weight", &[6, 1, 5, 5], 0.214, 2.37, 2.61e-3),
            parameter("layer1_conv.bias", &[6], 3.1e-2, 0.41, 4.4e-3),
            parameter("layer2_conv.weight", &[16, 6, 5, 5], 0.527, 5.93, 1.35e-3),
            parameter("layer2_conv.bias", &[16], 8.8e-2, 0.33, 6.2e-3),
            parameter("fc.weight", &[10, 256], 1.034, 4.12, 8.7e-4),
            parameter("fc.bias", &[10], 7.3e-2, 0.12, 1.9e-2),
        ],
    }
}

/// Paused after this many steps, with the inspection of the last one.
fn inspected(steps: u64) -> App {
    let mut app = trained(steps);
    feed(&mut app, Event::Inspected(Arc::new(inspection(steps, 50))));
    feed(&mut app, Event::State(RunState::Paused));
    act(&mut app, Action::Show(View::Step));
    app
}

fn go_back(app: &mut App, step: u64) {
    let first = step.saturating_sub(1_000) + 1;
    let clock = app.run.clock;
    feed(
        app,
        Event::Rewound(Rewound {
            step,
            epoch: ((step - 1) / STEPS_PER_EPOCH) as u32 + 1,
            batch: (step - 1) % STEPS_PER_EPOCH + 1,
            images: step * 50,
            learning_rate: 1e-3,
            clock,
            tail: (first..=step).map(loss).collect(),
        }),
    );
}

/// Went back from step 2,900 to 700 and on from there at half the rate, up to 1,100.
fn branched() -> App {
    let mut app = trained(2_900);
    feed(&mut app, Event::State(RunState::Paused));
    go_back(&mut app, 700);
    let change = RateChange { step: 700, learning_rate: 5e-4, branch: true };
    feed(&mut app, Event::LearningRate(change));
    feed(&mut app, Event::State(RunState::Training));
    let clock = app.run.clock;
    feed(
        &mut app,
        Event::Progress(Progress {
            epoch: 1,
            first_step: 701,
            first_batch: 701,
            losses: (701..=1_100).map(|step| 0.5 * loss(step)).collect(),
            images: 1_100 * 50,
            learning_rate: 5e-4,
            clock,
            sample: None,
            measures: Vec::new(),
        }),
    );
    app
}

fn broken(breakpoint: Breakpoint, reason: &str) -> App {
    let mut app = trained(2_900);
    feed(&mut app, Event::Break(Break { breakpoint, step: 2_900, reason: reason.into() }));
    feed(&mut app, Event::State(RunState::Paused));
    app
}

const SPIKED: &str =
    "Loss 2.9134 at step 2,900 is 8.2 standard deviations above its recent mean of 0.1387";

fn type_in(app: &mut App, text: &str) {
    for c in text.chars() {
        act(app, Action::Type(c));
    }
}

#[test]
fn a_step_looked_into_at_80_by_24() {
    insta::assert_snapshot!(text(&inspected(2_900), 80, 24));
}

#[test]
fn a_step_looked_into_at_120_by_40() {
    insta::assert_snapshot!(text(&inspected(2_900), 120, 40));
}

#[test]
fn a_step_looked_into_at_200_by_60() {
    let mut app = inspected(2_900);
    act(&mut app, Action::Move(crate::app::Direction::Right));
    insta::assert_snapshot!(text(&app, 200, 60));
}

#[test]
fn a_step_looked_into_in_the_smallest_terminal() {
    insta::assert_snapshot!(text(&inspected(2_900), 40, 12));
}

#[test]
fn a_step_looked_into_in_a_low_terminal() {
    insta::assert_snapshot!(text(&inspected(2_900), 80, 20));
}

#[test]
fn gone_back_with_the_way_ahead_dimmed_at_80_by_24() {
    let mut app = trained(2_900);
    feed(&mut app, Event::State(RunState::Paused));
    go_back(&mut app, 700);
    feed(&mut app, Event::Inspected(Arc::new(inspection(700, 50))));
    insta::assert_snapshot!(text(&app, 80, 24));
}

#[test]
fn a_branch_over_the_curve_given_up() {
    let mut app = branched();
    act(&mut app, Action::Show(View::Loss));
    insta::assert_snapshot!(text(&app, 120, 40));
}

#[test]
fn a_branch_among_recent_steps() {
    let mut app = branched();
    feed(&mut app, Event::State(RunState::Paused));
    act(&mut app, Action::Show(View::Loss));
    act(&mut app, Action::ToggleRange);
    act(&mut app, Action::ToggleLogScale);
    insta::assert_snapshot!(text(&app, 80, 24));
}

#[test]
fn a_breakpoint_says_why_it_paused() {
    insta::assert_snapshot!(text(&broken(Breakpoint::Spike(6.0), SPIKED), 80, 24));
}

#[test]
fn the_breakpoints_and_a_wrong_one_typed() {
    let mut app = broken(Breakpoint::Spike(6.0), SPIKED);
    app.breakpoints = Breakpoints::new(vec![
        Breakpoint::NotFinite,
        Breakpoint::Spike(6.0),
        Breakpoint::LossAbove(0.5),
        Breakpoint::Accuracy(0.98),
    ]);
    act(&mut app, Action::EditBreakpoints);
    insta::assert_snapshot!(text(&app, 80, 24));
    act(&mut app, Action::AddBreakpoint);
    type_in(&mut app, "los>2");
    act(&mut app, Action::Confirm);
    insta::assert_snapshot!("a_wrong_breakpoint", text(&app, 80, 24));
}

#[test]
fn every_kind_of_breakpoint_is_listed_with_an_example_its_state_and_its_hits() {
    let mut app = broken(Breakpoint::Spike(6.0), SPIKED);
    app.breakpoints = Breakpoints::new(vec![Breakpoint::Spike(6.0)]);
    let hit = Break { breakpoint: Breakpoint::Spike(6.0), step: 2_900, reason: SPIKED.into() };
    feed(&mut app, Event::Break(hit));
    act(&mut app, Action::EditBreakpoints);
    let shown = text(&app, 80, 24);
    for line in [
        "○ nan                  at NaN or infinity",
        "■ spike                when the loss is far above recent     1 hit",
        "○ e.g. loss>2          when a batch's loss is above this",
        "○ e.g. accuracy>=0.98  when an evaluation reaches this",
        "○ e.g. step=300        after this step",
    ] {
        assert!(shown.contains(line), "{line}\n{shown}");
    }
}

#[test]
fn a_step_to_go_to_that_does_not_exist() {
    let mut app = trained(2_900);
    act(&mut app, Action::AskStep);
    insta::assert_snapshot!(text(&app, 40, 12));
    type_in(&mut app, "99999");
    act(&mut app, Action::Confirm);
    insta::assert_snapshot!("the_error", text(&app, 80, 24));
}

#[test]
fn the_keys_of_the_draw_view() {
    let mut app = trained(2_900);
    act(&mut app, Action::Show(View::Draw));
    act(&mut app, Action::ToggleHelp);
    insta::assert_snapshot!(text(&app, 80, 24));
    insta::assert_snapshot!("the_keys_at_200_by_60", text(&app, 200, 60));
}

#[test]
fn the_keys_in_the_smallest_terminal_come_in_pages() {
    let mut app = trained(2_900);
    act(&mut app, Action::ToggleHelp);
    insta::assert_snapshot!(text(&app, 40, 12));
    let mut pages = vec![text(&app, 40, 12)];
    loop {
        act(&mut app, Action::Move(crate::app::Direction::Down));
        let page = text(&app, 40, 12);
        if page == pages[0] {
            break;
        }
        pages.push(page);
        assert!(pages.len() < 20, "the first page comes again");
    }
    let all = pages.join("\n");
    for binding in BINDINGS {
        let here = app.offers(binding.action)
            && !keymap::keys_in(binding, Focus::View(View::Overview)).is_empty();
        assert!(!here || all.contains(binding.help), "{}", binding.help);
    }
}

#[test]
fn every_key_of_the_view_is_on_one_page_of_help_at_80_by_24() {
    for view in View::ALL {
        let mut app = trained(5);
        act(&mut app, Action::Show(view));
        act(&mut app, Action::ToggleHelp);
        let shown = text(&app, 80, 24);
        for binding in BINDINGS.iter().filter(|binding| app.offers(binding.action)) {
            let keys = keymap::keys_in(binding, Focus::View(view));
            let Some(line) = shown.lines().find(|line| line.contains(binding.help)) else {
                assert!(keys.is_empty(), "{}: {} is missing\n{shown}", view.name(), binding.help);
                continue;
            };
            for key in keys {
                assert!(line.contains(&key.name()), "{}: {}", view.name(), key.name());
            }
        }
    }
}

#[test]
fn figures_that_matter_less_give_way() {
    let mut app = trained(2_900);
    feed(&mut app, Event::State(RunState::Paused));
    act(&mut app, Action::Slow);
    let row =
        |app: &App, width, row| text(app, width, 24).lines().nth(row).unwrap_or("").to_owned();
    let wide = row(&app, 200, 1);
    for figure in ["test loss 0.0750", "best 98.03 %", "≤100 batches/s", "CPU, 2 threads"] {
        assert!(wide.contains(figure), "{wide}");
    }
    let narrow = row(&app, 40, 1);
    assert!(narrow.contains("loss 0.1193  acc 98.03 %  lr 0.001"), "{narrow}");
    go_back(&mut app, 2_500);
    assert!(row(&app, 80, 2).contains("step 2,500 of 2,900"), "{}", row(&app, 80, 2));
    assert!(row(&app, 200, 2).contains("rewound to step 2,500 of 2,900"));
}

#[test]
fn the_header_names_what_is_under_way() {
    let header = |app: &App| text(app, 80, 24).lines().next().unwrap_or_default().to_owned();
    assert!(header(&broken(Breakpoint::Step(2_900), "x")).contains("■ break: step=2900"));
    let mut app = trained(10);
    act(&mut app, Action::AskStep);
    type_in(&mut app, "1200");
    act(&mut app, Action::Confirm);
    assert!(header(&app).contains("▶ to step 1,200"), "{}", header(&app));
}

#[test]
fn the_bottom_line_names_keys_that_do_something() {
    let footer = |app: &App| text(app, 80, 24).lines().next_back().unwrap_or_default().to_owned();
    let done = footer(&finished());
    assert!(done.contains("b back") && !done.contains("space"), "{done}");
    let mut app = trained(5);
    feed(&mut app, Event::State(RunState::Paused));
    act(&mut app, Action::Show(View::Draw));
    let draw = footer(&app);
    assert!(draw.contains("p resume") && !draw.contains("space resume"), "{draw}");
}

#[test]
fn a_breakpoint_is_marked_on_the_chart_where_a_loss_met_it() {
    let top = |app: &App| {
        let shown = text(app, 80, 24);
        shown.lines().nth(5).unwrap_or_default().contains('▼')
    };
    assert!(top(&broken(Breakpoint::LossAbove(2.0), "x")));
    assert!(!top(&broken(Breakpoint::Epoch, "x")));
}

#[test]
fn losses_and_updates_say_what_they_mean_without_colours_too() {
    let mut app = inspected(2_900);
    let shown = |app: &App| screen(app, 80, 24, Depth::None).backend().to_string();
    assert!(shown(&app).contains("0.1387 → 0.1302 ✓ lower"));
    let with = |app: &mut App, after: f32, ratio: f32| {
        let mut worse = inspection(2_900, 2);
        worse.loss_after = after;
        worse.parameters[0].update_ratio = ratio;
        feed(app, Event::Inspected(Arc::new(worse)));
    };
    with(&mut app, 0.2, 0.0);
    assert!(shown(&app).contains("0.1387 → 0.2000 ✗ higher"));
    with(&mut app, f32::NAN, f32::NAN);
    assert!(shown(&app).contains("0.1387 → NaN ✗ not finite"));
}

#[test]
fn an_image_that_is_covered_by_the_enlarged_one_cannot_be_clicked() {
    let mut app = inspected(2_900);
    let area = Rect::new(0, 0, 50, 40);
    let theme = Theme::new(Depth::True);
    let can_click = |app: &App| {
        area.positions()
            .any(|at| matches!(action_at(app, &theme, area, at), Some(Action::Choose(_))))
    };
    assert!(can_click(&app));
    act(&mut app, Action::Enlarge);
    assert!(text(&app, 50, 40).contains("Training image"), "{}", text(&app, 50, 40));
    assert!(!can_click(&app));
}

#[test]
fn the_whole_batch_comes_into_sight() {
    let mut app = inspected(2_900);
    for (place, caption) in [(0_u16, "✗ 0→7"), (7, "✓ 7"), (49, "✓ 9")] {
        app.inspector.selected = usize::from(place);
        let shown = text(&app, 80, 24);
        assert!(shown.contains(&format!("{} of 50", place + 1)), "{shown}");
        assert!(shown.contains(&format!("▸{caption}")), "{shown}");
    }
}

#[test]
fn the_image_of_the_batch_that_is_clicked_is_the_marked_one() {
    let mut app = inspected(2_900);
    for (width, height) in [(80, 24), (120, 40), (200, 60)] {
        let body = layout::screen(Rect::new(0, 0, width, height)).expect("it is large").body;
        for place in [0, 4, 11] {
            app.inspector.selected = place;
            let terminal = screen(&app, width, height, Depth::True);
            let buf = terminal.backend().buffer();
            let mark = body.positions().find(|&at| buf[at].symbol() == "▸").expect("one is marked");
            assert_eq!(inspector::image_at(&app, body, mark), Some(place));
        }
    }
    act(&mut app, Action::Choose(Target::Image(2)));
    assert_eq!((app.inspector.selected, app.view), (2, View::Step));
    act(&mut app, Action::Choose(Target::Image(2)));
    assert_eq!(app.view, View::Network);
}

#[test]
fn an_enlarged_batch_shows_large_images_or_the_chosen_one_alone() {
    let mut app = inspected(2_900);
    act(&mut app, Action::Enlarge);
    let shown = text(&app, 80, 24);
    assert!(shown.contains("Training image 48,213") && !shown.contains("worst first"), "{shown}");
    let body = layout::screen(Rect::new(0, 0, 200, 60)).expect("it is large").body;
    let tiles = inspector::tiles(&app, body).expect("a step is known");
    assert_eq!((tiles.columns, tiles.rows), (4, 3));
}

#[test]
fn steps_and_breakpoints_fit_any_size() {
    let mut apps = vec![inspected(2_900), branched(), broken(Breakpoint::NotFinite, SPIKED)];
    for images in [0, 1, 3] {
        let mut app = inspected(2_900);
        feed(&mut app, Event::Inspected(Arc::new(inspection(2_900, images))));
        apps.push(app);
    }
    let mut prompted = broken(Breakpoint::NotFinite, SPIKED);
    act(&mut prompted, Action::EditBreakpoints);
    act(&mut prompted, Action::AddBreakpoint);
    type_in(&mut prompted, "los>2");
    act(&mut prompted, Action::Confirm);
    apps.push(prompted);
    for app in &apps {
        for width in [1, 40, 41, 55, 79, 80, 115, 120, 187, 200, 300] {
            for height in [1, 12, 13, 15, 19, 20, 21, 22, 24, 31, 40, 60] {
                for depth in [Depth::None, Depth::True] {
                    let _ = screen(app, width, height, depth);
                }
            }
        }
    }
    let theme = Theme::new(Depth::True);
    for app in &apps {
        for width in 0..30 {
            for height in 0..20 {
                let area = Rect::new(0, 0, width, height);
                let mut buf = Buffer::empty(area);
                inspector::Inspector::new(app, &theme).render(area, &mut buf);
                prompt::Prompt::new(app, &theme).render(area, &mut buf);
                loss::Loss::new(app, &theme).render(area, &mut buf);
            }
        }
    }
}
