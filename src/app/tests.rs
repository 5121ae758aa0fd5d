mod steps;

use super::*;
use crate::protocol::Break;
use crate::protocol::{
    Clock, Digit, EpochRecord, EvalSet, Evaluation, Failure, Progress, RunInfo, RunState, Summary,
};

/// Two epochs of twelve batches.
fn info() -> RunInfo {
    RunInfo {
        train_images: 600,
        eval_images: 100,
        test_images: 100,
        epochs: 2,
        steps_per_epoch: 12,
        total_steps: 24,
        ..RunInfo::example()
    }
}

fn message(app: &App) -> Option<&str> {
    app.messages.shown().map(|message| message.text.as_str())
}

fn progress(first_step: u64, losses: &[f32]) -> Progress {
    let last = first_step + losses.len() as u64 - 1;
    Progress {
        epoch: ((first_step - 1) / 12) as u32 + 1,
        first_step,
        first_batch: (first_step - 1) % 12 + 1,
        losses: losses.to_vec(),
        images: last * 50,
        learning_rate: 1e-3,
        clock: Clock { training: last as f64 * 0.1, evaluating: 0.0 },
        sample: None,
        measures: Vec::new(),
    }
}

fn sample(step: u64) -> Sample {
    let digit = Digit { pixels: vec![0; 784], label: 7, prediction: 7, probability: 0.5 };
    Sample { step, digits: vec![digit], originals: Vec::new() }
}

fn record(epoch: u32, seconds: f64) -> EpochRecord {
    EpochRecord {
        epoch,
        step: u64::from(epoch) * 12,
        batches: 12,
        train_loss: 0.3,
        train_accuracy: None,
        train_seconds: 1.2,
        images_per_second: 500.0,
        evaluation: Evaluation {
            set: EvalSet::Test,
            loss: 0.2,
            correct: 95,
            total: 100,
            seconds,
            confusion: crate::metrics::Confusion::new(10),
        },
        clock: Clock { training: 1.2, evaluating: seconds },
    }
}

fn summary(stopped: bool) -> Summary {
    Summary {
        steps: 24,
        images: 1_200,
        clock: Clock::default(),
        test: None,
        best: None,
        stopped,
        saved: None,
        diverged: None,
    }
}

fn feed(app: &mut App, events: impl IntoIterator<Item = Event>) {
    for event in events {
        assert!(app.update(event.into()).is_empty(), "events ask for nothing");
    }
}

fn act(app: &mut App, action: Action) -> Vec<Command> {
    app.update(Msg::Action(action))
}

fn training() -> App {
    let mut app = App::default();
    feed(&mut app, [Event::Started(info()), Event::State(RunState::Training)]);
    app
}

#[test]
fn space_pauses_and_resumes_even_before_the_worker_has_answered() {
    let mut app = training();
    assert_eq!(act(&mut app, Action::TogglePause), [Command::Pause]);
    assert_eq!(act(&mut app, Action::TogglePause), [Command::Resume]);
    assert_eq!(act(&mut app, Action::TogglePause), [Command::Pause]);
    feed(&mut app, [Event::State(RunState::Paused)]);
    assert_eq!(act(&mut app, Action::TogglePause), [Command::Resume]);
}

#[test]
fn steps_are_handed_on_one_for_one() {
    let mut app = training();
    assert_eq!(act(&mut app, Action::Step(1)), [Command::Step(1)]);
    assert_eq!(act(&mut app, Action::Step(10)), [Command::Step(10)]);
    assert_eq!(act(&mut app, Action::FinishEpoch), [Command::FinishEpoch]);
}

#[test]
fn quitting_asks_once_while_training() {
    let mut app = training();
    assert!(act(&mut app, Action::Quit).is_empty());
    assert_eq!(app.overlay, Some(Overlay::ConfirmQuit));
    assert!(!app.wants_to_leave());
    assert_eq!(act(&mut app, Action::Quit), [Command::Stop]);
    assert!(!app.wants_to_leave(), "the worker saves first");
    feed(&mut app, [Event::Finished(summary(true))]);
    assert!(app.wants_to_leave());
}

#[test]
fn no_to_the_question_trains_on() {
    let mut app = training();
    assert!(act(&mut app, Action::Quit).is_empty());
    assert!(act(&mut app, Action::Dismiss).is_empty());
    assert_eq!(app.overlay, None);
    assert!(act(&mut app, Action::Confirm).is_empty(), "nothing is asked any more");
    assert!(!app.run.is_stopping());
}

#[test]
fn a_third_wish_to_quit_does_not_wait_for_the_worker() {
    let mut app = training();
    for _ in 0..3 {
        let _ = act(&mut app, Action::Quit);
    }
    assert!(app.wants_to_leave());
}

#[test]
fn a_run_that_ends_by_itself_stays_on_screen_until_quit() {
    let mut app = training();
    let _ = act(&mut app, Action::Quit);
    feed(&mut app, [Event::Finished(summary(false))]);
    assert_eq!((app.overlay, app.wants_to_leave()), (None, false));
    let _ = act(&mut app, Action::Quit);
    assert!(app.wants_to_leave(), "there is nothing left to ask about");
}

#[test]
fn a_failure_is_shown_and_survives_being_dismissed() {
    let mut app = training();
    let failure = Failure::new("no space left");
    feed(&mut app, [Event::Failed(failure.clone())]);
    assert_eq!(app.overlay, Some(Overlay::Failure));
    let _ = act(&mut app, Action::Dismiss);
    assert_eq!(app.run.failure, Some(failure));
    assert!(act(&mut app, Action::TogglePause).is_empty(), "there is no worker to pause");
}

#[test]
fn quitting_while_loading_does_not_ask() {
    let mut app = App::default();
    assert_eq!(act(&mut app, Action::Quit), [Command::Stop]);
    feed(&mut app, [Event::Finished(summary(true))]);
    assert!(app.wants_to_leave());
}

#[test]
fn progress_moves_the_counters_and_the_curve() {
    let mut app = training();
    feed(
        &mut app,
        [Event::Progress(progress(1, &[2.3, 2.2])), Event::Progress(progress(3, &[2.1]))],
    );
    assert_eq!((app.run.epoch, app.run.batch, app.run.step), (1, 3, 3));
    assert_eq!(app.curves.loss.steps(), 3);
    assert_eq!(app.run.figures().images_per_second.map(f64::round), Some(500.0));
    feed(&mut app, [Event::Progress(progress(13, &[1.0]))]);
    assert_eq!((app.run.epoch, app.run.batch), (2, 1));
}

#[test]
fn time_left_includes_the_evaluations_still_to_come() {
    let mut app = training();
    assert_eq!(app.run.figures().seconds_left, None);
    feed(&mut app, [Event::Progress(progress(1, &[1.0; 12])), Event::Epoch(record(1, 7.0))]);
    let left = app.run.figures().seconds_left.expect("the speed is known");
    // 600 images at 500 a second, and one evaluation of 7 s.
    assert!((left - 8.2).abs() < 1e-6, "{left}");
}

#[test]
fn digits_stay_long_enough_to_be_looked_at_but_follow_every_step() {
    let mut app = training();
    let with_sample = |step, at| {
        let mut progress = progress(step, &[1.0]);
        progress.clock.training = at;
        progress.sample = Some(sample(step));
        Event::Progress(progress)
    };
    let shown = |app: &App| app.sample().map(|sample| sample.step);
    feed(&mut app, [with_sample(1, 0.1)]);
    feed(&mut app, [with_sample(2, 0.2)]);
    assert_eq!(shown(&app), Some(1));
    feed(&mut app, [with_sample(3, 9.0)]);
    assert_eq!(shown(&app), Some(3));
    feed(&mut app, [with_sample(4, 9.1), Event::State(RunState::Paused)]);
    assert_eq!(shown(&app), Some(4), "a pause shows the batch it stopped after");
    let _ = act(&mut app, Action::Step(1));
    feed(&mut app, [Event::State(RunState::Training), with_sample(5, 9.11)]);
    assert_eq!(shown(&app), Some(5));
}

#[test]
fn figures_stand_still_for_a_moment_and_are_exact_in_a_pause() {
    let mut app = training();
    let at = |step: u64, seconds: f64| {
        let mut progress = progress(step, &[step as f32]);
        progress.clock.training = seconds;
        Event::Progress(progress)
    };
    feed(&mut app, [at(1, 0.01)]);
    let first = app.run.figures();
    feed(&mut app, [at(2, 0.02), at(3, 0.03)]);
    assert_eq!(app.run.figures(), first);
    feed(&mut app, [at(4, 1.0)]);
    assert_ne!(app.run.figures(), first);
    feed(&mut app, [at(5, 1.01), Event::State(RunState::Paused)]);
    assert_eq!(app.run.figures().loss, app.curves.loss.smooth());
}

#[test]
fn views_go_round_both_ways() {
    let mut app = App::default();
    let _ = act(&mut app, Action::PreviousView);
    assert_eq!(app.view, View::Why);
    let _ = act(&mut app, Action::NextView);
    assert_eq!(app.view, View::Overview);
    let _ = act(&mut app, Action::Show(View::Step));
    assert_eq!(app.view, View::Step);
}

#[test]
fn an_unwritable_log_is_told_and_training_goes_on() {
    let mut app = training();
    assert!(app.update(Msg::LogFailed("disk full".into())).is_empty());
    assert_eq!(app.run.log_failure.as_deref(), Some("disk full"));
    assert_eq!(app.run.state, RunState::Training);
}

#[test]
fn a_checkpoint_that_fails_again_for_the_same_reason_is_told_only_to_one_who_asked_for_it() {
    let mut app = training();
    let failed = |reason: &str| Msg::Recorded(Report::CheckpointFailed(reason.to_owned()));
    let told = |app: &mut App, msg: Msg| {
        let _ = app.update(msg);
        let told = app.messages.shown().map(|message| message.text.clone());
        app.messages.dismiss();
        told
    };
    assert!(told(&mut app, failed("there is no folder x")).is_some());
    assert_eq!(told(&mut app, failed("there is no folder x")), None);
    assert!(told(&mut app, failed("the disk is full")).is_some());
    assert_eq!(act(&mut app, Action::Keep), [Command::Checkpoint]);
    assert!(told(&mut app, failed("the disk is full")).is_some());
    assert_eq!(told(&mut app, failed("the disk is full")), None);
    let _ = told(&mut app, Msg::Recorded(Report::Kept { step: 1 }));
    assert!(told(&mut app, failed("the disk is full")).is_some());
}

#[test]
fn no_text_that_comes_in_commands_the_terminal() {
    let wild = || "a\u{1b}[2J\u{202e}\n".to_owned();
    let tame = "a\\u{1b}[2J\\u{202e}\\n";
    for msg in [
        Msg::Warning(wild()),
        Msg::LogFailed(wild()),
        Msg::Recorded(Report::CheckpointFailed(wild())),
        Msg::Recorded(Report::Ended(wild())),
        Event::Notice(wild()).into(),
        Event::Failed(Failure::new(wild())).into(),
    ] {
        let mut app = training();
        let _ = app.update(msg);
        let message = &app.messages.shown().expect("a message is shown").text;
        assert!(message.contains(tame) && !message.contains('\u{1b}'), "{message}");
        let texts = [&app.run.log_failure, &app.run.record_failure];
        let failure = app.run.failure.as_ref().map(|failure| &failure.message);
        for text in texts.into_iter().flatten().chain(failure) {
            assert_eq!(text, tame);
        }
    }
    let hit = Break { breakpoint: Breakpoint::Epoch, step: 1, reason: wild() };
    let mut app = App::default();
    let mut info = RunInfo { data: wild(), device: wild(), ..info() };
    info.set.classes[9] = wild();
    feed(&mut app, [Event::Started(info), Event::Break(hit)]);
    let info = app.run.info.as_ref().expect("it has started");
    for text in [&info.data, &info.device, &info.set.classes[9]] {
        assert_eq!(text, tame);
    }
    assert_eq!(app.breakpoints.news()[0].reason, tame);
}
