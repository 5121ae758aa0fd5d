//! What is shown of the machine, with a GPU and without.

use super::*;
use crate::{
    app::Direction,
    hardware::{CpuReading, GpuReading, Reading, Throttle},
    protocol::{Hardware, Rewound},
};

fn cpu(step: u64) -> CpuReading {
    CpuReading {
        program: Some(1.5 + step as f32 / 12_000.0),
        machine: Some(1.9),
        processors: Some(2),
        resident: Some((180 << 20) + step * 10_000),
        memory_used: Some(3 << 30),
        memory_total: Some(8 << 30),
        clock: Some(2_596),
    }
}

fn gpu(step: u64) -> GpuReading {
    GpuReading {
        utilization: Some(41),
        memory_used: Some(3 << 30),
        memory_total: Some(80 << 30),
        temperature: Some(45 + (step / 200) as u32),
        power: Some(120.0 + step as f32 / 20.0),
        power_limit: Some(700.0),
        clock: Some(1_755),
        clock_limit: Some(1_980),
        throttled: Vec::new(),
        processes: Some(1),
        energy: Some(step as f64),
    }
}

fn hardware(step: u64, has_gpu: bool) -> Event {
    let reading = Reading { cpu: cpu(step), gpu: has_gpu.then(|| gpu(step)) };
    Event::Hardware(Hardware { step, reading })
}

/// A run of 2,900 steps with a reading after each hundred.
fn measured(has_gpu: bool) -> App {
    let mut app = trained(2_900);
    for step in (100..=2_900).step_by(100) {
        feed(&mut app, hardware(step, has_gpu));
    }
    app
}

fn shown(mut app: App, width: u16, height: u16) -> String {
    act(&mut app, Action::Show(View::Machine));
    text(&app, width, height)
}

#[test]
fn the_machine_with_a_gpu() {
    let mut app = measured(true);
    act(&mut app, Action::Show(View::Machine));
    act(&mut app, Action::Point(2_400));
    insta::assert_snapshot!(text(&app, 120, 40));
}

#[test]
fn the_machine_without_a_gpu() {
    insta::assert_snapshot!(shown(measured(false), 80, 24));
}

#[test]
fn a_tab_and_a_pane_are_there_only_where_there_are_figures() {
    let mut none = trained(100);
    feed(&mut none, Event::Hardware(Hardware { step: 1, reading: Reading::default() }));
    for (app, is_there) in [(trained(100), false), (none, false), (measured(false), true)] {
        for (width, height) in [(120, 40), (200, 60)] {
            let text = text(&app, width, height);
            assert_eq!(text.contains("9 machine"), is_there, "{text}");
            assert_eq!(text.contains("of 2 processors busy"), is_there, "{text}");
        }
        assert!(!text(&app, 80, 24).contains("processors"));
        let mut app = app;
        act(&mut app, Action::Show(View::Why));
        act(&mut app, Action::NextView);
        assert_eq!(app.view, if is_there { View::Machine } else { View::Overview });
        act(&mut app, Action::NextView);
        act(&mut app, Action::PreviousView);
        act(&mut app, Action::PreviousView);
        assert_eq!(app.view, View::Why);
    }
}

#[test]
fn the_crosshair_reads_figures_and_loss_of_the_same_step_in_both_views() {
    let mut app = measured(true);
    act(&mut app, Action::Show(View::Machine));
    act(&mut app, Action::Point(2_400));
    let read = "step 2,400 · loss ";
    let text_of = |app: &App| text(app, 120, 40);
    let shown = text_of(&app);
    assert!(
        shown.contains(read) && shown.contains(" · 240 W · 57 °C · 41 % · 3.00 GiB"),
        "{shown}"
    );
    assert!(shown.contains("at step 2,400: 240 W"), "{shown}");
    act(&mut app, Action::Show(View::Loss));
    let shown = text(&app, 200, 40);
    assert!(shown.contains(read) && shown.contains("power 240 W"), "{shown}");
    act(&mut app, Action::Show(View::Machine));
    act(&mut app, Action::Move(Direction::Home));
    assert!(text_of(&app).contains("step 0"), "{}", text_of(&app));
}

#[test]
fn a_click_on_a_chart_reads_its_step() {
    let mut app = measured(true);
    act(&mut app, Action::Show(View::Machine));
    let area = Rect::new(0, 0, 120, 40);
    let theme = Theme::new(Depth::None);
    let steps: Vec<u64> = (0..120)
        .filter_map(|x| match action_at(&app, &theme, area, (x, 16).into()) {
            Some(Action::Point(step)) => Some(step),
            _ => None,
        })
        .collect();
    assert!(steps.is_sorted() && steps.len() > 40, "{steps:?}");
    assert_eq!(action_at(&app, &theme, area, (100, 16).into()), None, "the table");
}

#[test]
fn rewinding_takes_figures_and_energy_back_with_the_steps() {
    let mut app = measured(true);
    let table = shown(measured(true), 120, 40);
    assert!(table.contains("run     2.9 kJ"), "{table}");
    feed(
        &mut app,
        Event::Rewound(Rewound {
            step: 1_250,
            epoch: 2,
            batch: 50,
            images: 62_500,
            learning_rate: 1e-3,
            clock: clock(2_900),
            tail: (251..=1_250).map(loss).collect(),
        }),
    );
    act(&mut app, Action::Show(View::Machine));
    act(&mut app, Action::Point(2_900));
    let table = text(&app, 120, 40);
    assert!(table.contains("run     1.2 kJ") && table.contains("step 2,900 · 180 W"), "{table}");
}

#[test]
fn a_clock_that_is_held_down_says_why() {
    let mut app = trained(100);
    let throttled = vec![Throttle::Power, Throttle::Temperature];
    let gpu = GpuReading { throttled, processes: Some(3), ..gpu(100) };
    let reading = Reading { cpu: cpu(100), gpu: Some(gpu) };
    feed(&mut app, Event::Hardware(Hardware { step: 100, reading }));
    let text = shown(app, 120, 40);
    assert!(text.contains("clock limited by power limit, temperature"), "{text}");
    assert!(text.contains("2 other programs"), "{text}");
}

#[test]
fn the_view_of_the_machine_survives_every_size_and_figures_of_any_kind() {
    let mut odd = trained(3);
    let gpu = GpuReading {
        power: Some(f32::NAN),
        energy: Some(f64::INFINITY),
        memory_used: Some(u64::MAX),
        clock: Some(u32::MAX),
        ..GpuReading::default()
    };
    let cpu = CpuReading { program: Some(f32::INFINITY), ..CpuReading::default() };
    for step in [3, u64::MAX, 1] {
        let reading = Reading { cpu: cpu.clone(), gpu: Some(gpu.clone()) };
        feed(&mut odd, Event::Hardware(Hardware { step, reading }));
    }
    for mut app in [odd, measured(true), measured(false)] {
        for point in [None, Some(1_000)] {
            for view in [View::Machine, View::Overview, View::Loss] {
                act(&mut app, Action::Show(view));
                if let Some(step) = point {
                    act(&mut app, Action::Point(step));
                }
                for width in (1..=210).step_by(7).chain([40, 80, 120]) {
                    for height in (1..=61).step_by(3).chain([12, 24, 40]) {
                        let _ = screen(&app, width, height, Depth::True);
                    }
                }
            }
        }
    }
}
