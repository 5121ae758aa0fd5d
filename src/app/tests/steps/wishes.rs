//! What is asked for while the worker has not yet gone back, and what is void once it has.

use super::*;

fn notice() -> Event {
    Event::Notice("The run can go back no further.".into())
}

#[test]
fn wishes_after_going_back_from_the_end_are_not_lost() {
    let wishes = [
        (Action::Step(1), Command::Step(1)),
        (Action::TogglePause, Command::Resume),
        (Action::FinishEpoch, Command::FinishEpoch),
        (Action::RaiseRate, Command::ScaleLearningRate(RATE_FACTOR)),
        (Action::Back(10), Command::Back(10)),
    ];
    for (action, command) in wishes {
        let mut app = finished();
        assert!(!app.run.is_going_back());
        assert_eq!(act(&mut app, Action::Back(1)), [Command::Back(1)]);
        assert_eq!((app.run.is_going_back(), app.run.state), (true, RunState::Done));
        assert_eq!(act(&mut app, action), [command], "{action:?}");
        assert_eq!(act(&mut app, Action::Step(2)), [Command::Step(2)], "after {action:?}");
        assert_eq!(message(&app), None);
        feed(&mut app, [rewound(23)]);
        assert!(!app.run.is_going_back() && app.run.is_under_way());
    }
    let mut app = finished();
    let _ = act(&mut app, Action::Back(10));
    let _ = act(&mut app, Action::AskStep);
    assert_eq!(answer(&mut app, "24"), [Command::GoTo(24)], "forth again, from where it goes");
}

#[test]
fn what_is_asked_for_while_the_run_goes_back_stays_asked_for() {
    let mut app = halfway();
    let _ = act(&mut app, Action::Back(10));
    let _ = act(&mut app, Action::FinishEpoch);
    feed(&mut app, [rewound(8)]);
    assert!(app.run.is_finishing_epoch() && !app.run.is_going_back());
    feed(&mut app, [Event::State(RunState::Training), paused()]);
    assert!(!app.run.is_finishing_epoch());
}

#[test]
fn a_run_that_cannot_go_back_stands_where_it_stood() {
    let mut app = finished();
    let _ = act(&mut app, Action::Back(1));
    feed(&mut app, [notice()]);
    assert_eq!(message(&app), Some("The run can go back no further."));
    assert!(!app.run.is_going_back());
    assert!(act(&mut app, Action::Step(1)).is_empty());
}

#[test]
fn a_pause_is_no_pause_while_the_run_goes_back() {
    let mut app = training();
    feed(&mut app, [Event::Progress(progress(1, &[1.0; 5]))]);
    let _ = act(&mut app, Action::Back(1));
    assert!(app.run.is_going_back() && !app.run.is_pausing());
    assert_eq!(act(&mut app, Action::TogglePause), [Command::Resume]);
}

#[test]
fn a_rate_for_a_run_that_has_ended_is_refused_with_the_reason() {
    for action in [Action::RaiseRate, Action::LowerRate, Action::AskRate] {
        let mut app = finished();
        assert!(act(&mut app, action).is_empty());
        let told = Some("The run has ended: rewind it before you change the rate.");
        assert_eq!((message(&app), &app.prompt), (told, &None));
    }
}

#[test]
fn a_learning_rate_is_entered_as_people_write_it() {
    for (typed, rate) in [("0.0005", 5e-4), ("5e-4", 5e-4), ("1000", 1e3), ("1e-10", 1e-10)] {
        let mut app = halfway();
        let _ = act(&mut app, Action::AskRate);
        assert_eq!(answer(&mut app, typed), [Command::SetLearningRate(rate)]);
        assert_eq!(app.prompt, None);
    }
    for typed in ["", "-1", "0", "1e-11", "1001", "1e999", "..", "-"] {
        let mut app = halfway();
        let _ = act(&mut app, Action::AskRate);
        assert!(answer(&mut app, typed).is_empty());
        let expected = "expected a number from 1e-10 to 1000, such as 0.0005 or 5e-4";
        assert_eq!(error(&app), Some(expected), "{typed}");
    }
}

#[test]
fn the_inspection_of_a_step_that_is_given_up_is_dropped() {
    let mut app = halfway();
    feed(&mut app, [inspection(18, 3), rewound(17)]);
    assert!(app.inspector.inspection.is_none());
    // Trained to the same step in another way, by steps that say nothing of themselves.
    feed(&mut app, [Event::Progress(progress(18, &[1.0])), paused()]);
    assert!(app.inspection().is_none());

    let mut app = halfway();
    feed(&mut app, [inspection(18, 3), rewound(18)]);
    assert!(app.inspection().is_some(), "that step is trained still");
    let change = |step| RateChange { step, learning_rate: 0.002, branch: true };
    feed(&mut app, [Event::LearningRate(change(18))]);
    assert!(app.inspection().is_some(), "the branch begins after it");
    feed(&mut app, [Event::LearningRate(change(17))]);
    assert!(app.inspector.inspection.is_none());
}

#[test]
fn a_limited_pace_does_not_lengthen_the_evaluations_to_come() {
    let paced = |app: &mut App| {
        let mut slow = progress(6, &[1.0]);
        // One batch of 50 images in ten seconds, which is all that the speed is taken from.
        slow.clock.training = 10.5;
        feed(app, [Event::Progress(slow), paused()]);
        app.run.figures().seconds_left.expect("the speed is known")
    };
    // 900 images at 5 a second.
    let training_left = |app: &App| 900.0 / app.run.figures().images_per_second.expect("known");

    let mut app = training();
    feed(&mut app, [Event::Progress(progress(1, &[1.0; 5]))]);
    let _ = act(&mut app, Action::Slow);
    let left = paced(&mut app);
    // Two evaluations of 100 images at 2.5 times the 500 images a second from before.
    assert!((left - training_left(&app) - 200.0 / 1_250.0).abs() < 1e-6, "{left}");
    let _ = act(&mut app, Action::Quicken);
    feed(&mut app, [paused()]);
    let after = app.run.figures().seconds_left.expect("the speed is known");
    assert!((after - left).abs() < 1e-6, "{after}");

    let mut app = training();
    let _ = act(&mut app, Action::Slow);
    let left = paced(&mut app);
    assert!((left - training_left(&app)).abs() < 1e-6, "evaluations are left out: {left}");
}

#[test]
fn a_run_that_diverged_is_rewound_to_a_lower_rate_by_one_key() {
    let mut app = halfway();
    assert!(act(&mut app, Action::Recover).is_empty());
    assert_eq!(message(&app), Some("The run has not diverged."));
    feed(&mut app, [Event::State(RunState::Training)]);
    feed(&mut app, [Event::Progress(progress(19, &[f32::NAN, 1.0, f32::INFINITY, f32::NAN]))]);
    assert_eq!(app.run.diverged, Some(21), "the loss of step 20 was finite");
    feed(&mut app, [paused()]);
    let offer = app.recovery_offer().expect("it can be rewound");
    assert_eq!((offer.diverged, offer.step, offer.learning_rate), (21, 0, 1e-4));
    let _ = app.messages.dismiss();
    let _ = act(&mut app, Action::Dismiss);
    assert_eq!(app.recovery_offer(), None);
    let commands = [Command::GoTo(0), Command::SetLearningRate(1e-4)];
    assert_eq!(act(&mut app, Action::Recover), commands, "the key works still");
    feed(&mut app, [rewound(0)]);
    assert_eq!(app.run.diverged, None);

    let mut app = halfway();
    let summary = Summary { diverged: Some(24), ..summary(false) };
    feed(&mut app, [Event::Progress(progress(19, &[1.0; 6])), Event::Finished(summary)]);
    assert_eq!(act(&mut app, Action::Recover), commands, "from its end too");
}
