//! Whole screens on a test terminal, and every view at every size.

mod any_size;
mod ascii;
mod charts;
mod draw;
mod machine;
mod sets;
mod steps;
mod watch;
mod why;

use ratatui::{Terminal, backend::TestBackend, style::Color};

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
    Sample { step, digits: digits.collect(), originals: Vec::new() }
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
