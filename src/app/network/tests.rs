use std::sync::Arc;

use super::{super::*, *};
use crate::protocol::{Clock, Progress, RunState};

fn info() -> RunInfo {
    RunInfo { train_images: 600, eval_images: 100, test_images: 100, ..RunInfo::example() }
}

fn insides(subject: Subject, image: Option<(ImageSet, u32)>, step: u64) -> Insides {
    Insides {
        subject,
        image,
        step,
        label: Some(7),
        pixels: vec![0; 784],
        filters: Vec::new(),
        stages: Vec::new(),
        logits: vec![0.0; 10],
        probabilities: vec![0.1; 10],
    }
}

fn image(set: ImageSet, index: u32) -> Subject {
    Subject::Image { set, index }
}

fn about(set: ImageSet, index: u32, step: u64) -> Event {
    Event::Insides(Arc::new(insides(image(set, index), Some((set, index)), step)))
}

fn started(info: RunInfo) -> App {
    let mut app = App::default();
    for event in [Event::Started(info), Event::State(RunState::Training)] {
        assert!(app.update(event.into()).is_empty());
    }
    let _ = app.update(Msg::Action(Action::Show(View::Network)));
    app
}

fn feed(app: &mut App, event: Event) {
    assert!(app.update(event.into()).is_empty());
}

/// The subject that the worker is asked about because of this action.
fn asked(app: &mut App, action: Action) -> Option<Subject> {
    match &app.update(Msg::Action(action))[..] {
        [] => None,
        [Command::LookInside(subject)] => subject.clone(),
        other => panic!("{other:?}"),
    }
}

fn trained(step: u64, seconds: f64) -> Event {
    Event::Progress(Progress {
        epoch: 1,
        first_step: step,
        first_batch: step,
        losses: vec![1.0],
        images: step * 50,
        learning_rate: 1e-3,
        clock: Clock { training: seconds, evaluating: 0.0 },
        sample: None,
        measures: Vec::new(),
    })
}

fn shown(app: &App) -> Option<(Option<(ImageSet, u32)>, u64)> {
    app.network.insides().map(|insides| (insides.image, insides.step))
}

#[test]
fn images_are_asked_for_in_order_and_within_the_set() {
    use Direction::{End, Home, Left, PageDown, PageUp, Right};
    let mut app = started(info());
    for (direction, index) in [
        (Left, None),
        (Right, Some(1)),
        (PageDown, Some(11)),
        (PageUp, Some(1)),
        (PageUp, Some(0)),
        (End, Some(99)),
        (Right, None),
        (PageDown, None),
        (Left, Some(98)),
        (Home, Some(0)),
    ] {
        let subject = asked(&mut app, Action::Move(direction));
        assert_eq!(subject, index.map(|index| image(ImageSet::Test, index)), "{direction:?}");
    }
}

#[test]
fn up_and_down_go_through_the_stages_and_ask_for_nothing() {
    let mut app = started(info());
    let mut pages = Vec::new();
    for direction in [[Direction::Down; 6], [Direction::Up; 6]].concat() {
        assert_eq!(asked(&mut app, Action::Move(direction)), None);
        pages.push(app.network.page);
    }
    assert_eq!(pages, [1, 2, 3, 4, 5, 5, 4, 3, 2, 1, 0, 0]);
}

#[test]
fn before_the_sets_are_known_there_is_only_the_first_test_image() {
    let mut app = App::default();
    let first = Some(image(ImageSet::Test, 0));
    assert_eq!(asked(&mut app, Action::Show(View::Network)), first);
    for action in [Action::Move(Direction::Right), Action::SwitchSet] {
        assert_eq!(asked(&mut app, action), None);
    }
    assert!(app.network.choose("3", None).is_err());
}

#[test]
fn the_other_set_is_seen_at_the_same_place_or_its_last() {
    let mut app = started(info());
    let switch = |app: &mut App| asked(app, Action::SwitchSet);
    assert_eq!(switch(&mut app), Some(image(ImageSet::Train, 0)));
    assert_eq!(asked(&mut app, Action::Move(Direction::End)), Some(image(ImageSet::Train, 599)));
    assert_eq!(switch(&mut app), Some(image(ImageSet::Test, 99)));

    let held_out = RunInfo { eval_set: EvalSet::Validation, eval_images: 50, ..info() };
    let mut app = started(held_out);
    let _ = switch(&mut app);
    assert_eq!(asked(&mut app, Action::Move(Direction::End)), Some(image(ImageSet::Train, 599)));
    assert_eq!(switch(&mut app), Some(image(ImageSet::Validation, 49)));
    assert_eq!(switch(&mut app), Some(image(ImageSet::Test, 49)));
}

#[test]
fn from_the_worst_mistake_one_goes_on_in_its_set() {
    let mut app = started(info());
    assert_eq!(asked(&mut app, Action::Hardest), Some(Subject::Hardest));
    let found = insides(Subject::Hardest, Some((ImageSet::Test, 42)), 12);
    feed(&mut app, Event::Insides(Arc::new(found)));
    assert_eq!(shown(&app), Some((Some((ImageSet::Test, 42)), 12)));
    let next = asked(&mut app, Action::Move(Direction::Right));
    assert_eq!(next, Some(image(ImageSet::Test, 43)));
}

#[test]
fn a_drawing_is_shown_in_the_view_that_asks_for_it() {
    let mut app = started(info());
    let _ = app.update(Msg::Action(Action::Show(View::Draw)));
    let _ = app.update(Msg::Action(Action::Stroke { x: 9, y: 9, drag: false }));
    let drawing = Subject::Drawn(app.pad.pixels.clone());
    let answer = insides(drawing.clone(), None, 5);
    feed(&mut app, Event::Insides(Arc::new(answer.clone())));
    assert_eq!((app.pad.insides.is_some(), app.network.insides().is_some()), (true, false));
    // Nothing else would bring it here while nothing is trained.
    assert_eq!(asked(&mut app, Action::LookInside), Some(drawing.clone()));
    assert_eq!((app.view, &app.network.subject), (View::Network, &drawing));
    feed(&mut app, Event::Insides(Arc::new(answer)));
    assert_eq!(shown(&app), Some((None, 5)));
}

#[test]
fn the_old_picture_stays_until_the_answer_comes_and_goes_at_once_then() {
    let mut app = started(info());
    feed(&mut app, about(ImageSet::Test, 0, 1));
    let _ = app.update(Msg::Action(Action::Move(Direction::Right)));
    assert_eq!(shown(&app), Some((Some((ImageSet::Test, 0)), 1)));
    feed(&mut app, about(ImageSet::Test, 1, 2));
    assert_eq!(shown(&app), Some((Some((ImageSet::Test, 1)), 2)));
}

#[test]
fn the_same_image_keeps_still_for_a_moment_while_training_and_is_exact_in_a_pause() {
    let mut app = started(info());
    let first = Some((ImageSet::Test, 0));
    for event in [trained(1, 10.0), about(ImageSet::Test, 0, 1)] {
        feed(&mut app, event);
    }
    for event in [trained(2, 10.05), about(ImageSet::Test, 0, 2)] {
        feed(&mut app, event);
    }
    assert_eq!(shown(&app), Some((first, 1)));
    feed(&mut app, trained(3, 10.5));
    assert_eq!(shown(&app), Some((first, 2)));
    for event in [about(ImageSet::Test, 0, 3), Event::State(RunState::Paused)] {
        feed(&mut app, event);
    }
    assert_eq!(shown(&app), Some((first, 3)));
}

#[test]
fn a_typed_index_is_taken_if_there_is_such_an_image() {
    let mut app = started(info());
    let typed = |app: &mut App, text: &str| {
        let _ = app.update(Msg::Action(Action::LookInside));
        let prompt = app.prompt.as_mut().expect("a question is open");
        assert_eq!(prompt.kind, PromptKind::Image);
        text.clone_into(&mut prompt.text);
        asked(app, Action::Confirm)
    };
    assert_eq!(typed(&mut app, "37"), Some(image(ImageSet::Test, 37)));
    assert_eq!(app.prompt, None);
    for wrong in ["100", "-1", "", "seven"] {
        assert_eq!(typed(&mut app, wrong), None);
        let error = app.prompt.take().and_then(|prompt| prompt.error);
        assert_eq!(error.as_deref(), Some("test images are 0 to 99"), "{wrong}");
    }
}

#[test]
fn leaving_the_view_ends_the_reports() {
    let mut app = started(info());
    let commands = app.update(Msg::Action(Action::Show(View::Overview)));
    assert_eq!(commands, [Command::LookInside(None)]);
}

#[test]
fn as_many_stages_are_paged_through_as_the_network_has() {
    let mut app = started(info());
    let mut shown = insides(image(ImageSet::Test, 0), Some((ImageSet::Test, 0)), 1);
    shown.stages = vec![crate::protocol::FeatureMaps::default(); 30];
    feed(&mut app, Event::Insides(Arc::new(shown)));
    for _ in 0..50 {
        assert_eq!(asked(&mut app, Action::Move(Direction::Down)), None);
    }
    assert_eq!(app.network.page, 30, "30 stages and the logits");
}
