//! Whole screens on a test terminal, and every view at every size.

mod ascii;
mod charts;
mod draw;
mod sets;
mod steps;
mod watch;
mod why;

use std::{
    cell::Cell,
    io::{self, Write},
    rc::Rc,
};

use ratatui::{
    Terminal, TerminalOptions, Viewport,
    backend::{CrosstermBackend, TestBackend},
    style::Color,
};

use super::*;
use crate::{
    app::{Action, Msg},
    metrics::Confusion,
    protocol::{
        Clock, Digit, EpochRecord, EvalSet, Evaluation, Event, Failure, Progress, RunInfo,
        RunState, Sample, Summary,
    },
};

const STEPS_PER_EPOCH: u64 = 1_200;

/// Falls like a training loss, with noise that is the same in every run.
fn loss(step: u64) -> f32 {
    let noise = ((step.wrapping_mul(2_654_435_761) >> 7) % 1_000) as f32 / 1_000.0;
    let mean =
        2.25 * (-(step as f32) / 90.0).exp() + 0.28 * (-(step as f32) / 2_500.0).exp() + 0.03;
    mean * (0.45 + 1.1 * noise)
}

fn clock(step: u64) -> Clock {
    Clock { training: step as f64 * 0.000_5, evaluating: (step / STEPS_PER_EPOCH) as f64 * 0.2 }
}

/// A disc with a stroke through it: neither digit nor symmetric, so that a mirrored or shifted
/// picture would show.
fn picture() -> Vec<u8> {
    let pixel = |x: i32, y: i32| {
        let distance = f64::from((x - 14).pow(2) + (y - 14).pow(2)).sqrt();
        let ring = (255.0 - 90.0 * (distance - 8.0).abs()).max(0.0);
        let stroke = if x > 14 && (x - y).abs() < 2 && y < 24 { 200.0 } else { 0.0 };
        ring.max(stroke) as u8
    };
    (0..28).flat_map(|y| (0..28).map(move |x| pixel(x, y))).collect()
}

fn sample(step: u64) -> Sample {
    let digits = (0..24_u8).map(|place| Digit {
        pixels: picture(),
        label: place % 10,
        prediction: if place % 4 == 2 { (place + 7) % 10 } else { place % 10 },
        probability: 1.0 - f32::from(place) * 0.03,
    });
    Sample { step, digits: digits.collect() }
}

pub(super) fn evaluation(epoch: u64) -> Evaluation {
    let mut counts = [[0; 10]; 10];
    for (truth, row) in counts.iter_mut().enumerate() {
        for (predicted, count) in row.iter_mut().enumerate() {
            let errors = (truth * 7 + predicted * 3) as u64 % 11;
            *count = if truth == predicted { 980 } else { (errors / epoch.max(1)) as u32 };
        }
    }
    counts[1][1] = 1_120;
    let confusion = Confusion::from_counts(counts);
    Evaluation {
        set: EvalSet::Test,
        loss: 0.09 / epoch as f64 + 0.03,
        correct: u64::from(confusion.correct()),
        total: u64::from(confusion.total()),
        seconds: 0.2,
        confusion,
    }
}

pub(super) fn feed(app: &mut App, event: Event) {
    assert!(app.update(event.into()).is_empty(), "events ask for nothing");
}

pub(super) fn act(app: &mut App, action: Action) {
    let _ = app.update(Msg::Action(action));
}

pub(super) fn record(epoch: u64, step: u64) -> EpochRecord {
    EpochRecord {
        epoch: epoch as u32,
        step,
        batches: STEPS_PER_EPOCH,
        train_loss: 0.2,
        train_accuracy: None,
        train_seconds: 0.6,
        images_per_second: 100_000.0,
        evaluation: evaluation(epoch),
        clock: clock(step),
    }
}

/// The why view with the projection.
pub(super) fn projected() -> App {
    sets::fashion().showing(View::Why)
}

/// Consecutive steps of an epoch.
fn progress(first_step: u64, losses: Vec<f32>) -> Progress {
    let last = (first_step + losses.len() as u64).saturating_sub(1);
    Progress {
        epoch: ((first_step - 1) / STEPS_PER_EPOCH) as u32 + 1,
        first_step,
        first_batch: (first_step - 1) % STEPS_PER_EPOCH + 1,
        losses,
        images: last * 50,
        learning_rate: 1e-3,
        clock: clock(last),
        sample: None,
        measures: Vec::new(),
    }
}

/// A run that has trained `steps` steps.
pub(super) fn trained(steps: u64) -> App {
    let mut app = App::default();
    feed(&mut app, Event::Started(RunInfo::example()));
    feed(&mut app, Event::State(RunState::Training));
    for step in 1..=steps {
        let epoch = ((step - 1) / STEPS_PER_EPOCH) as u32 + 1;
        let sample = (step % 500 == 1).then(|| sample(step));
        feed(&mut app, Event::Progress(Progress { sample, ..progress(step, vec![loss(step)]) }));
        if step.is_multiple_of(STEPS_PER_EPOCH) {
            feed(&mut app, Event::Epoch(record(u64::from(epoch), step)));
        }
    }
    app
}

pub(super) fn finished() -> App {
    let mut app = trained(10 * STEPS_PER_EPOCH);
    let test = app.epochs.last().map(|record| record.evaluation.clone());
    feed(
        &mut app,
        Event::Finished(Summary {
            steps: 10 * STEPS_PER_EPOCH,
            images: 600_000,
            clock: clock(10 * STEPS_PER_EPOCH),
            test,
            best: None,
            stopped: false,
            saved: None,
            diverged: None,
        }),
    );
    app
}

pub(super) fn screen(app: &App, width: u16, height: u16, depth: Depth) -> Terminal<TestBackend> {
    let mut terminal =
        Terminal::new(TestBackend::new(width, height)).expect("a test terminal always opens");
    let theme = Theme::new(depth);
    terminal
        .draw(|frame| frame.render_widget(&Dashboard::new(app, &theme), frame.area()))
        .expect("a test terminal always draws");
    terminal
}

pub(super) fn text(app: &App, width: u16, height: u16) -> String {
    screen(app, width, height, Depth::True).backend().to_string()
}

#[test]
fn the_first_frame_says_what_is_going_on() {
    insta::assert_snapshot!(text(&App::default(), 80, 24));
}

#[test]
fn training_at_80_by_24() {
    insta::assert_snapshot!(text(&trained(2_900), 80, 24));
}

#[test]
fn training_at_120_by_40() {
    insta::assert_snapshot!(text(&trained(2_900), 120, 40));
}

#[test]
fn training_at_200_by_60() {
    insta::assert_snapshot!(text(&trained(2_900), 200, 60));
}

#[test]
fn training_in_a_narrow_terminal() {
    insta::assert_snapshot!(text(&trained(2_900), 50, 20));
}

#[test]
fn training_in_the_smallest_terminal() {
    insta::assert_snapshot!(text(&trained(2_900), 40, 12));
}

#[test]
fn a_terminal_that_is_too_small_says_how_much_room_is_needed() {
    insta::assert_snapshot!(text(&trained(100), 39, 12));
    insta::assert_snapshot!("one line", text(&trained(100), 30, 1));
}

#[test]
fn paused_with_a_logarithmic_axis_over_recent_steps() {
    let mut app = trained(2_900);
    feed(&mut app, Event::State(RunState::Paused));
    act(&mut app, Action::ToggleLogScale);
    act(&mut app, Action::ToggleRange);
    act(&mut app, Action::Show(View::Loss));
    insta::assert_snapshot!(text(&app, 80, 24));
}

#[test]
fn all_figures_of_the_confusion_matrix() {
    let mut app = finished();
    act(&mut app, Action::Show(View::Confusion));
    insta::assert_snapshot!(text(&app, 80, 24));
    insta::assert_snapshot!("wide", text(&app, 120, 40));
}

#[test]
fn digits_in_large() {
    let mut app = trained(2_900);
    act(&mut app, Action::Show(View::Step));
    insta::assert_snapshot!(text(&app, 120, 40));
}

#[test]
fn the_keys() {
    let mut app = trained(2_900);
    act(&mut app, Action::ToggleHelp);
    insta::assert_snapshot!(text(&app, 80, 24));
}

#[test]
fn the_question_before_leaving() {
    let mut app = trained(2_900);
    act(&mut app, Action::Quit);
    insta::assert_snapshot!(text(&app, 80, 24));
}

#[test]
fn a_failure_with_its_cause() {
    let mut app = trained(700);
    let message = "cannot write the weights to /mnt/full/w.safetensors: no space left on device \
                   (os error 28); free some space or choose another place with --save";
    feed(&mut app, Event::Failed(Failure::new(message)));
    insta::assert_snapshot!(text(&app, 80, 24));
}

#[test]
fn finished_at_80_by_24() {
    insta::assert_snapshot!(text(&finished(), 80, 24));
}

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
                sample: Some(Sample { step: last, digits }),
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

#[test]
fn colours_mean_what_they_should() {
    let app = trained(2_900);
    let terminal = screen(&app, 80, 24, Depth::True);
    let buf = terminal.backend().buffer();
    let theme = Theme::new(Depth::True);
    let style_of = |symbol: &str| {
        let cell = buf.content().iter().rev().find(|cell| cell.symbol() == symbol);
        cell.unwrap_or_else(|| panic!("no {symbol} on the screen")).style().fg
    };
    assert_eq!(style_of("✓"), theme.right.fg);
    assert_eq!(style_of("✗"), theme.wrong.fg);
    assert_eq!(style_of(loss::BEAD), theme.evaluation.fg);
    let brightest = theme.heat(1.0).and_then(|style| style.bg);
    let bright = buf.content().iter().filter(|cell| Some(cell.bg) == brightest);
    // Ten hits, each on a cell of three columns.
    assert_eq!(bright.count(), 30);
}

#[test]
fn without_colours_right_and_wrong_still_differ() {
    let terminal = screen(&trained(2_900), 80, 24, Depth::None);
    let buf = terminal.backend().buffer();
    let colours = buf.content().iter().flat_map(|cell| [cell.fg, cell.bg]);
    assert!(colours.into_iter().all(|color| color == Color::Reset));
    let shown = terminal.backend().to_string();
    assert!(shown.contains('✓') && shown.contains('✗'), "{shown}");
}
