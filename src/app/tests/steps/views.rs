//! What the views show of steps and evaluations.

use super::*;

#[test]
fn an_inspection_is_void_once_another_step_is_trained() {
    let mut app = halfway();
    feed(&mut app, [inspection(18, 3)]);
    assert!(app.inspection().is_some());
    assert_eq!(act(&mut app, Action::Step(1)), [Command::Step(1)]);
    feed(&mut app, [Event::State(RunState::Training), Event::Progress(progress(19, &[1.0]))]);
    assert_eq!(app.inspection().map(|shown| shown.step), Some(18), "until the next one is here");
    feed(&mut app, [inspection(19, 3), paused()]);
    assert_eq!(app.inspection().map(|shown| shown.step), Some(19));
    let _ = act(&mut app, Action::TogglePause);
    feed(&mut app, [Event::State(RunState::Training), Event::Progress(progress(20, &[1.0]))]);
    assert!(app.inspection().is_none());
}

#[test]
fn the_step_view_follows_the_training_while_it_is_open() {
    let mut app = halfway();
    feed(&mut app, [inspection(18, 3)]);
    let _ = act(&mut app, Action::TogglePause);
    feed(&mut app, [Event::State(RunState::Training), Event::Progress(progress(19, &[1.0; 4]))]);
    assert_eq!(act(&mut app, Action::Show(View::Step)), [Command::Inspect(true)]);
    assert!(app.inspection().is_none(), "what is known is older than the view");
    feed(&mut app, [inspection(23, 3), Event::Progress(progress(23, &[1.0; 9]))]);
    assert_eq!(app.inspection().map(|shown| shown.step), Some(23));
    let _ = act(&mut app, Action::Move(Direction::Right));
    // A step takes a tenth of a second; images stay for three.
    feed(&mut app, [inspection(32, 3), Event::Progress(progress(32, &[1.0; 5]))]);
    assert_eq!(app.inspection().map(|shown| shown.step), Some(32));
    assert_eq!(app.inspector.batch().map(|shown| shown.step), Some(23));
    feed(&mut app, [inspection(62, 3), Event::Progress(progress(37, &[1.0; 26]))]);
    assert_eq!(app.inspector.batch().map(|shown| shown.step), Some(62));
    assert_eq!(app.inspector.selected, 1, "what changes by itself keeps the place");
    feed(&mut app, [paused(), rewound(20)]);
    assert!(app.inspection().is_none() && app.inspector.batch().is_none());
    feed(&mut app, [inspection(20, 3)]);
    assert_eq!(app.inspector.batch().map(|shown| shown.step), Some(20));
    assert_eq!(act(&mut app, Action::Show(View::Loss)), [Command::Inspect(false)]);
}

#[test]
fn every_image_of_a_batch_can_be_chosen() {
    use Direction::{Down, End, Home, Left, PageDown, PageUp, Right, Up};

    let mut app = halfway();
    feed(&mut app, [inspection(18, 12)]);
    let _ = act(&mut app, Action::Show(View::Step));
    let mut chosen = |direction| {
        let _ = act(&mut app, Action::Move(direction));
        app.inspector.selected
    };
    let moves = [Left, Right, Up, Down, Down, Down, Up, End, Right, PageUp, PageDown, Home];
    assert_eq!(moves.map(&mut chosen), [0, 1, 1, 6, 11, 11, 6, 11, 11, 1, 11, 0]);
    feed(&mut app, [inspection(18, 0)]);
    for direction in moves {
        let _ = act(&mut app, Action::Move(direction));
        assert_eq!(app.inspector.selected, 0);
    }
}

#[test]
fn the_chosen_image_goes_to_the_network_view() {
    let mut app = halfway();
    feed(&mut app, [inspection(18, 12)]);
    let _ = act(&mut app, Action::Show(View::Step));
    let _ = act(&mut app, Action::Move(Direction::Right));
    let subject = Subject::Image { set: ImageSet::Train, index: 101 };
    let commands = [Command::LookInside(Some(subject.clone())), Command::Inspect(false)];
    assert_eq!(act(&mut app, Action::LookInside), commands);
    assert_eq!((app.view, &app.network.subject), (View::Network, &subject));
    let _ = act(&mut app, Action::LookInside);
    let other = Subject::Image { set: ImageSet::Train, index: 599 };
    assert!(answer(&mut app, "600").is_empty());
    assert_eq!(error(&app), Some("training images are 0 to 599"));
    for _ in 0..3 {
        let _ = act(&mut app, Action::Erase);
    }
    assert_eq!(answer(&mut app, "599"), [Command::LookInside(Some(other))]);
}

#[test]
fn a_saved_checkpoint_is_reported_for_four_seconds_also_while_paused() {
    let mut app = halfway();
    let _ = act(&mut app, Action::Keep);
    let _ = app.update(Msg::Recorded(Report::Kept { step: 18_000 }));
    assert_eq!(message(&app), Some("Checkpoint saved at step 18,000."));
    for (seconds, shown) in [(7.0, true), (10.9, true), (11.0, false)] {
        let _ = app.update(Msg::Tick(seconds));
        assert_eq!(message(&app).is_some(), shown, "after {seconds} s");
    }
}

#[test]
fn an_evaluation_on_request_is_shown_and_ends_no_epoch() {
    let mut app = training();
    let before = EpochRecord { epoch: 0, step: 0, batches: 0, ..record(0, 0.5) };
    feed(&mut app, [Event::Evaluated(before), Event::Progress(progress(1, &[1.0; 5]))]);
    assert_eq!(message(&app), None, "nobody asked for it");
    assert_eq!(app.matrix().map(|matrix| (matrix.epoch, matrix.step)), Some((Some(0), 0)));
    assert_eq!(app.best_accuracy(EvalSet::Test), None);
    assert_eq!(act(&mut app, Action::Evaluate), [Command::Evaluate]);
    let here = EpochRecord { step: 5, batches: 5, ..record(1, 0.5) };
    feed(&mut app, [Event::Evaluated(here), paused()]);
    let told = "Evaluated at step 5: test loss 0.2000, accuracy 95.00 %.";
    assert_eq!(message(&app), Some(told));
    let matrix = app.matrix().map(|matrix| (matrix.epoch, matrix.is_partial, matrix.step));
    assert_eq!(matrix, Some((Some(1), true, 5)));
    assert_eq!(app.epochs.ended(), 0);
    assert_eq!(app.curves.evaluations.iter().map(|point| point.step).collect::<Vec<_>>(), [0, 5]);
    assert!(act(&mut app, Action::Evaluate).is_empty());
    assert_eq!(message(&app), Some("Step 5 is already evaluated."));
    feed(&mut app, [rewound(3)]);
    assert_eq!(app.epochs.len(), 1);
    assert!(!app.epochs.is_partial(5));
    assert_eq!(act(&mut app, Action::Evaluate), [Command::Evaluate]);
}
