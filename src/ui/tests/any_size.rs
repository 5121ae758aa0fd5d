//! Every view at every size, with losses of any kind, and the bytes of frames.

use std::{
    cell::Cell,
    io::{self, Write},
    rc::Rc,
};

use ratatui::{TerminalOptions, Viewport, backend::CrosstermBackend};

use super::*;

/// Every state, view and overlay.
fn situations() -> Vec<App> {
    let mut apps = Vec::new();
    for view in View::ALL {
        for overlay in [
            None,
            Some(Action::ToggleHelp),
            Some(Action::Quit),
            Some(Action::EditBreakpoints),
            Some(Action::AskStep),
        ] {
            for (log, recent) in [(false, false), (true, true)] {
                for mut app in [App::default(), trained(3), trained(1_300)] {
                    act(&mut app, Action::Show(view));
                    if log {
                        act(&mut app, Action::ToggleLogScale);
                    }
                    if recent {
                        act(&mut app, Action::ToggleRange);
                    }
                    if let Some(overlay) = overlay {
                        act(&mut app, overlay);
                    }
                    apps.push(app);
                }
            }
        }
    }
    let mut failed = trained(3);
    feed(&mut failed, Event::Failed(Failure::new("x".repeat(300))));
    apps.push(failed);
    apps
}

#[test]
fn nothing_panics_at_any_size() {
    let sizes =
        [(1, 1), (2, 9), (39, 12), (40, 11), (40, 12), (41, 13), (79, 23), (80, 24), (81, 25)];
    let wide = [(40, 100), (300, 12), (120, 31), (160, 50), (400, 150)];
    for app in situations() {
        for (width, height) in sizes.into_iter().chain(wide) {
            let _ = screen(&app, width, height, Depth::True);
        }
    }
    for width in 1..130 {
        let app = trained(1_300);
        for height in (1..60).step_by(3) {
            let _ = screen(&app, width, height, Depth::None);
        }
    }
}

#[test]
fn an_area_of_nothing_is_fine() {
    let (app, theme) = (trained(3), Theme::new(Depth::True));
    let mut buf = Buffer::empty(Rect::ZERO);
    Dashboard::new(&app, &theme).render(Rect::ZERO, &mut buf);
}

#[test]
fn losses_that_are_not_finite_are_survived() {
    let mut app = trained(50);
    for (step, loss) in [(51, f32::NAN), (52, f32::INFINITY), (53, 1e30), (54, 0.0)] {
        let mut next = Progress {
            epoch: 1,
            first_step: step,
            first_batch: step,
            losses: vec![loss],
            images: step * 50,
            learning_rate: 1e-3,
            clock: clock(step),
            sample: None,
            measures: Vec::new(),
        };
        next.sample = Some(sample(step));
        feed(&mut app, Event::Progress(next));
        for action in [Action::ToggleLogScale, Action::ToggleLogScale, Action::ToggleRange] {
            act(&mut app, action);
            let _ = screen(&app, 80, 24, Depth::True);
        }
    }
}

#[test]
fn a_single_spike_in_a_long_run_reaches_the_top_of_the_chart() {
    let mut app = App::default();
    let mut info = RunInfo::example();
    info.total_steps = 100_000;
    feed(&mut app, Event::Started(info));
    let mut losses = vec![0.1; 100_000];
    losses[50_000] = 9.9;
    let progress = Progress {
        epoch: 1,
        first_step: 1,
        first_batch: 1,
        losses,
        images: 1,
        learning_rate: 1e-3,
        clock: Clock::default(),
        sample: None,
        measures: Vec::new(),
    };
    feed(&mut app, Event::Progress(progress));
    let terminal = screen(&app, 80, 24, Depth::True);
    let (buf, ground) = (terminal.backend().buffer(), Theme::new(Depth::True).band_ground());
    let rows = (5..13).filter(|&y| (6..40).any(|x| Some(buf[(x, y)].bg) == ground));
    assert!(rows.count() >= 7, "{}", terminal.backend());
}

#[test]
fn columns_already_drawn_stay_put_while_the_curve_grows() {
    let (before, after) = (trained(4_600), trained(5_900));
    let theme = Theme::new(Depth::True);
    let area = Rect::new(0, 0, 80, 12);
    let draw = |app: &App| {
        let mut buf = Buffer::empty(area);
        loss::Loss::new(app, &theme).render(area, &mut buf);
        buf
    };
    let (before, after) = (draw(&before), draw(&after));
    let changed: Vec<u16> = before.diff(&after).iter().map(|&(x, _, _)| x).collect();
    // The last evaluation before, at 3,600 of 6,000 steps, is in column 40 of 67.
    assert!(!changed.is_empty() && changed.iter().all(|&x| x >= 6 + 40), "{changed:?}");
}

/// Counts the bytes written to it.
#[derive(Clone, Default)]
struct Counter(Rc<Cell<usize>>);

impl Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.set(self.0.get() + bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn the_frames_of_steady_training_are_small() {
    const FRAMES_PER_SECOND: u64 = 15;
    const STEPS_PER_FRAME: u64 = 130;
    const SECONDS: u64 = 5;
    let images = crate::data::builtin().expect("it is inside the crate").train;
    let mut app = trained(1_300);
    let (area, theme, written) =
        (Rect::new(0, 0, 120, 40), Theme::new(Depth::True), Counter::default());
    let options = TerminalOptions { viewport: Viewport::Fixed(area) };
    let mut terminal = Terminal::with_options(CrosstermBackend::new(written.clone()), options)
        .expect("memory takes everything");
    let mut sizes = Vec::new();
    for frame in 0..SECONDS * FRAMES_PER_SECOND {
        let first = 1_301 + frame * STEPS_PER_FRAME;
        let last = first + STEPS_PER_FRAME - 1;
        let mut digits = sample(last).digits;
        for (place, digit) in digits.iter_mut().enumerate() {
            digit.pixels = images.image(first as usize + place).to_vec();
        }
        feed(
            &mut app,
            Event::Progress(Progress {
                epoch: (first / STEPS_PER_EPOCH) as u32 + 1,
                first_step: first,
                first_batch: first % STEPS_PER_EPOCH,
                losses: (first..=last).map(loss).collect(),
                images: last * 50,
                learning_rate: 1e-3,
                clock: clock(last),
                sample: Some(Sample { step: last, digits, originals: Vec::new() }),
                measures: Vec::new(),
            }),
        );
        if last / STEPS_PER_EPOCH > (first - 1) / STEPS_PER_EPOCH {
            feed(&mut app, Event::Epoch(record(last / STEPS_PER_EPOCH, last)));
        }
        terminal
            .draw(|frame| frame.render_widget(&Dashboard::new(&app, &theme), frame.area()))
            .expect("memory takes everything");
        sizes.push(written.0.take());
    }
    // Those that draw other digits or a longer axis are larger: the session spaces frames by size.
    sizes.sort_unstable();
    let median = sizes[sizes.len() / 2] as u64;
    assert!((50..8_000 / FRAMES_PER_SECOND).contains(&median), "{median} bytes");
}
