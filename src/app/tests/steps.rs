//! Going back, rates, paces, breakpoints, and the questions about them.

mod breakpoints;
mod views;
mod wishes;

use std::sync::Arc;

use super::*;
use crate::protocol::{
    Break, Digit, ImageSet, Inspection, RankedDigit, RateChange, Rewound, SPIKE,
};

fn rewound(step: u64) -> Event {
    Event::Rewound(Rewound {
        step,
        epoch: (step.saturating_sub(1) / 12) as u32 + 1,
        batch: step.saturating_sub(step.saturating_sub(1) / 12 * 12),
        images: step * 50,
        learning_rate: 1e-3,
        clock: Clock { training: 9.0, evaluating: 1.0 },
        tail: vec![1.0; step as usize],
    })
}

fn paused() -> Event {
    Event::State(RunState::Paused)
}

/// One epoch and a half, paused.
fn halfway() -> App {
    let mut app = training();
    feed(
        &mut app,
        [
            Event::Progress(progress(1, &[1.0; 12])),
            Event::Epoch(record(1, 0.5)),
            Event::Progress(progress(13, &[1.0; 6])),
            paused(),
        ],
    );
    app
}

fn finished() -> App {
    let mut app = halfway();
    feed(
        &mut app,
        [
            Event::State(RunState::Training),
            Event::Progress(progress(19, &[1.0; 6])),
            Event::Epoch(record(2, 0.5)),
            Event::Finished(summary(false)),
        ],
    );
    app
}

fn answer(app: &mut App, text: &str) -> Vec<Command> {
    for c in text.chars() {
        assert!(act(app, Action::Type(c)).is_empty());
    }
    act(app, Action::Confirm)
}

fn error(app: &App) -> Option<&str> {
    app.prompt.as_ref()?.error.as_deref()
}

fn inspection(step: u64, images: u32) -> Event {
    let digit = Digit { pixels: vec![0; 784], label: 7, prediction: 1, probability: 0.5 };
    let ranked = |index| RankedDigit { index: 100 + index, digit: digit.clone(), loss: 0.7 };
    Event::Inspected(Arc::new(Inspection {
        step,
        epoch: 1,
        batch: step,
        images: u64::from(images),
        learning_rate: 1e-3,
        loss_before: 1.0,
        loss_after: 0.9,
        digits: (0..images).map(ranked).collect(),
        parameters: Vec::new(),
    }))
}

fn hit(breakpoint: Breakpoint) -> Event {
    Event::Break(Break { breakpoint, step: 18, reason: "the loss is 9.1".into() })
}

#[test]
fn going_back_moves_everything_to_the_earlier_step() {
    let mut app = halfway();
    assert_eq!(act(&mut app, Action::Back(1)), [Command::Back(1)]);
    assert_eq!(act(&mut app, Action::BackEpoch), [Command::BackEpoch]);
    feed(&mut app, [rewound(7)]);
    assert_eq!((app.run.epoch, app.run.batch, app.run.step, app.run.images), (1, 7, 7, 350));
    assert_eq!((app.curves.loss.steps(), app.known_steps()), (7, Some(18)));
    assert!(app.epochs.is_empty() && app.matrix().is_none());
    assert_eq!(app.run.state, RunState::Paused);
    let left = app.run.figures().seconds_left.expect("the speed is known");
    // 850 images at 500 a second, and two evaluations of half a second.
    assert!((left - 2.7).abs() < 1e-6, "{left}");
}

#[test]
fn an_epoch_whose_end_is_gone_back_to_stays_and_later_ones_go() {
    let mut app = finished();
    feed(&mut app, [rewound(12)]);
    assert_eq!(app.matrix().and_then(|matrix| matrix.epoch), Some(1));
    assert_eq!(app.epochs.len(), 1);
    feed(&mut app, [Event::State(RunState::Training), Event::Progress(progress(13, &[1.0; 12]))]);
    feed(&mut app, [Event::Epoch(record(2, 0.5)), Event::Epoch(record(2, 0.5))]);
    assert_eq!(app.epochs.len(), 2, "an epoch is evaluated once");
    assert_eq!(app.known_steps(), None);
}

#[test]
fn digits_of_a_step_that_is_undone_are_gone() {
    let mut app = training();
    let mut progress = progress(1, &[1.0; 9]);
    progress.sample = Some(sample(9));
    feed(&mut app, [Event::Progress(progress), paused(), rewound(9)]);
    assert!(app.sample().is_some());
    feed(&mut app, [rewound(8)]);
    assert!(app.sample().is_none());
    feed(&mut app, [inspection(8, 50)]);
    let shown = app.sample().map(|sample| (sample.step, sample.digits.len()));
    assert_eq!(shown, Some((8, 24)), "the step is looked into anyway");
}

#[test]
fn images_of_an_evaluation_that_is_undone_are_asked_for_anew() {
    let mut app = halfway();
    let asked = act(&mut app, Action::Show(View::Mistakes));
    let [Command::Find(query)] = asked[..] else { panic!("{asked:?}") };
    assert_eq!(query.step, 12);
    assert!(app.update(rewound(5).into()).is_empty());
    let mut again = Vec::new();
    for event in [Event::Progress(progress(6, &[1.0; 7])), Event::Epoch(record(1, 0.5)), paused()] {
        again.extend(app.update(event.into()));
    }
    assert_eq!(again, [Command::Find(query)]);
}

#[test]
fn a_finished_run_can_go_back_but_not_on() {
    let mut app = finished();
    assert!(app.run.summary.is_some());
    for action in [
        Action::TogglePause,
        Action::Step(1),
        Action::FinishEpoch,
        Action::RaiseRate,
        Action::LowerRate,
    ] {
        assert!(act(&mut app, action).is_empty(), "{action:?}");
    }
    assert_eq!(act(&mut app, Action::Back(1)), [Command::Back(1)]);
    feed(&mut app, [rewound(23), paused()]);
    assert!(app.run.summary.is_none() && app.run.is_under_way());
    assert_eq!(act(&mut app, Action::TogglePause), [Command::Resume]);
    // Leaving now asks again, since there is training to lose.
    assert!(act(&mut app, Action::Quit).is_empty());
    assert_eq!(app.overlay, Some(Overlay::ConfirmQuit));
}

#[test]
fn nothing_is_asked_of_a_run_that_failed() {
    let mut app = halfway();
    feed(&mut app, [Event::Failed(Failure::new("disk full"))]);
    for action in [
        Action::Back(1),
        Action::BackEpoch,
        Action::Step(1),
        Action::RaiseRate,
        Action::Slow,
        Action::AskStep,
        Action::AddBreakpoint,
        Action::RemoveBreakpoint,
    ] {
        assert!(act(&mut app, action).is_empty(), "{action:?}");
        assert_eq!(app.prompt, None, "{action:?}");
    }
}

#[test]
fn before_the_first_step_there_is_nothing_to_go_back_to() {
    let mut app = training();
    assert!(act(&mut app, Action::Back(1)).is_empty());
    assert!(act(&mut app, Action::BackEpoch).is_empty());
    assert!(!app.run.is_pausing());
}

#[test]
fn rates_are_scaled_and_a_change_behind_the_end_makes_a_branch() {
    let mut app = halfway();
    let factor = |app: &mut App, action| match act(app, action)[..] {
        [Command::ScaleLearningRate(factor)] => factor,
        ref other => panic!("{other:?}"),
    };
    assert_eq!(factor(&mut app, Action::RaiseRate) * factor(&mut app, Action::LowerRate), 1.0);
    let change = RateChange { step: 7, learning_rate: 0.002, branch: true };
    feed(&mut app, [rewound(7), Event::LearningRate(change)]);
    assert_eq!((app.run.learning_rate, app.known_steps()), (Some(0.002), None));
    assert_eq!(app.curves.marks.rates(), [(7, 0.002)]);
    assert!(!app.curves.pasts.is_empty());
}

#[test]
fn the_pace_goes_down_and_up_its_ladder() {
    let mut app = training();
    assert!(act(&mut app, Action::Quicken).is_empty(), "it is unlimited");
    for pace in [100, 30, 10, 3, 1] {
        assert_eq!(act(&mut app, Action::Slow), [Command::SetPace(Some(pace))]);
    }
    assert!(act(&mut app, Action::Slow).is_empty());
    assert_eq!(act(&mut app, Action::Quicken), [Command::SetPace(Some(3))]);
    assert_eq!(app.run.pace, Some(3));
}

#[test]
fn a_step_to_go_to_is_typed_and_taken_forth_and_back() {
    let mut app = halfway();
    for (text, step) in [("20", 20), ("0", 0), ("5", 5)] {
        assert!(act(&mut app, Action::AskStep).is_empty());
        assert_eq!(app.focus(), Focus::Question);
        assert_eq!(answer(&mut app, text), [Command::GoTo(step)]);
        assert_eq!(app.prompt, None);
    }
    let _ = act(&mut app, Action::AskStep);
    assert!(answer(&mut app, "18").is_empty(), "it stands there");
    assert_eq!(app.prompt, None);
}

#[test]
fn a_step_that_the_run_does_not_have_is_refused_with_the_reason() {
    let mut app = halfway();
    let _ = act(&mut app, Action::AskStep);
    assert!(answer(&mut app, "").is_empty());
    assert_eq!(error(&app), Some("type a number"));
    assert!(answer(&mut app, "25").is_empty());
    assert_eq!(error(&app), Some("the run has only 24 steps"));
    let _ = act(&mut app, Action::Erase);
    assert_eq!(error(&app), None);
    assert_eq!(answer(&mut app, "x4"), [Command::GoTo(24)], "only digits are taken");

    let mut app = finished();
    let _ = act(&mut app, Action::AskStep);
    assert!(answer(&mut app, "24").is_empty());
    assert!(error(&app).is_some_and(|error| error.contains("ended at step 24")));
    let _ = act(&mut app, Action::Erase);
    assert_eq!(answer(&mut app, "3"), [Command::GoTo(23)]);
    let _ = act(&mut app, Action::AskStep);
    assert!(answer(&mut app, "99999999999999999999999").is_empty());
    assert_eq!(error(&app), Some("the run has only 24 steps"));
}

#[test]
fn a_question_is_closed_before_anything_below_it() {
    let mut app = halfway();
    let _ = act(&mut app, Action::EditBreakpoints);
    let _ = act(&mut app, Action::AddBreakpoint);
    let _ = act(&mut app, Action::Dismiss);
    assert_eq!((app.prompt.clone(), app.focus()), (None, Focus::Breakpoints));
    let _ = act(&mut app, Action::Dismiss);
    assert_eq!((app.overlay, app.focus()), (None, Focus::View(View::Overview)));
}

#[test]
fn quitting_closes_an_open_question_and_asks_its_own() {
    let mut app = halfway();
    let _ = act(&mut app, Action::AskStep);
    assert!(act(&mut app, Action::Quit).is_empty());
    assert_eq!((app.prompt.clone(), app.overlay), (None, Some(Overlay::ConfirmQuit)));
}
