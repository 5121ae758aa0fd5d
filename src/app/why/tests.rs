use super::*;
use crate::{
    app::{
        Action, Msg, Tiles,
        matrix::tests::{act, evaluated, feed, record},
    },
    protocol::{Command, Distributions, EvalSet, Event, LayerValues, StageValues},
};

fn asked(app: &mut App, action: Action) -> Vec<Option<Question>> {
    let commands = app.update(Msg::Action(action)).into_iter();
    let questions = commands.filter_map(|command| match command {
        Command::Explain(question) => Some(question),
        _ => None,
    });
    questions.collect()
}

fn projected(app: &mut App, at: &[[f32; 2]], wrong: &[usize]) {
    act(app, Action::Show(View::Why));
    let point = |(place, &at): (usize, &[f32; 2])| ProjectionPoint {
        index: 10 * place as u32,
        label: 1,
        prediction: if wrong.contains(&place) { 2 } else { 1 },
        at,
    };
    let points = at.iter().enumerate().map(point).collect();
    let (set, features, shares) = (ImageSet::Test, 2, [0.5, 0.5]);
    let content = Content::Projection(Projection { set, features, shares, points });
    let answer = Answer { question: Question::Projection, step: 1, content };
    let _ = app.update(Event::Explained(Arc::new(answer)).into());
}

#[test]
fn a_view_asks_for_its_explanation_and_ends_that_when_it_is_left() {
    let mut app = evaluated(2, EvalSet::Test);
    assert_eq!(asked(&mut app, Action::Show(View::Network)), [], "nothing is explained unasked");
    let attribution = |method, class| {
        let subject = Subject::Image { set: ImageSet::Test, index: 0 };
        Some(Question::Attribution { subject, method, class })
    };
    assert_eq!(asked(&mut app, Action::Explain), [attribution(Method::Saliency, None)]);
    assert_eq!(asked(&mut app, Action::Explain), [attribution(Method::Occlusion, None)]);
    let next = asked(&mut app, Action::ExplainNextClass);
    assert_eq!(next, [attribution(Method::Occlusion, Some(0))]);
    for class in 1..10 {
        let next = asked(&mut app, Action::ExplainNextClass);
        assert_eq!(next, [attribution(Method::Occlusion, Some(class))]);
    }
    let next = asked(&mut app, Action::ExplainNextClass);
    assert_eq!(next, [attribution(Method::Occlusion, None)], "the predicted one again");
    assert_eq!(asked(&mut app, Action::Show(View::Why)), [Some(Question::Projection)]);
    assert_eq!(asked(&mut app, Action::Show(View::Loss)), [None]);
    assert_eq!(asked(&mut app, Action::Explain), [], "there is nothing to explain");
}

#[test]
fn asking_for_a_class_shows_the_pixels_that_matter_for_it() {
    let mut app = evaluated(2, EvalSet::Test);
    act(&mut app, Action::Show(View::Network));
    let subject = Subject::Image { set: ImageSet::Test, index: 0 };
    let of = |class| {
        Some(Question::Attribution { subject: subject.clone(), method: Method::Saliency, class })
    };
    assert_eq!(asked(&mut app, Action::ExplainNextClass), [of(Some(0))]);
    assert_eq!(asked(&mut app, Action::ExplainNextClass), [of(Some(1))]);
}

#[test]
fn the_calibration_is_that_of_the_matrix_shown() {
    let mut app = evaluated(2, EvalSet::Test);
    act(&mut app, Action::Show(View::Confusion));
    let of = |step| Some(Question::Calibration { step, set: EvalSet::Test });
    let newest = asked(&mut app, Action::Explain);
    assert_eq!(newest, [of(app.matrix().expect("two").step)]);
    assert_eq!(asked(&mut app, Action::OlderMatrix), [of(12)]);
    // Evaluated again, its images are others.
    let again = app.update(Event::Epoch(record(1, EvalSet::Test)).into());
    assert!(again.contains(&Command::Explain(of(12))), "{again:?}");
    assert_eq!(asked(&mut app, Action::Explain), [None]);
}

#[test]
fn only_the_answer_to_the_open_question_is_shown() {
    let mut app = evaluated(1, EvalSet::Test);
    act(&mut app, Action::Show(View::Confusion));
    act(&mut app, Action::Explain);
    let question = Question::Calibration { step: 12, set: EvalSet::Test };
    let answer = |question: Question| {
        let content = Content::Calibration(None);
        Event::Explained(Arc::new(Answer { question, step: 12, content }))
    };
    feed(&mut app, answer(Question::Calibration { step: 99, set: EvalSet::Test }));
    assert_eq!(app.why.answer(), None);
    feed(&mut app, answer(question));
    assert!(app.why.answer().is_some());
    act(&mut app, Action::Explain);
    assert_eq!(app.why.answer(), None);
}

#[test]
fn arrows_choose_the_nearest_point_that_way_and_pages_the_next_mistake() {
    let mut app = evaluated(1, EvalSet::Test);
    let at = [[0.0, 0.0], [1.0, 0.1], [0.5, 3.0], [-2.0, 0.0], [0.0, -1.0]];
    projected(&mut app, &at, &[2, 4]);
    let mut choose = |direction| {
        act(&mut app, Action::Move(direction));
        app.why.point
    };
    assert_eq!(choose(Direction::Right), 1);
    assert_eq!(choose(Direction::Right), 1, "there is none further right");
    assert_eq!(choose(Direction::Up), 2);
    assert_eq!(choose(Direction::Home), 0);
    assert_eq!([choose(Direction::Down), choose(Direction::Left)], [4, 3]);
    assert_eq!([choose(Direction::PageUp), choose(Direction::PageDown)], [2, 4]);
    assert_eq!(choose(Direction::End), 4);
}

#[test]
fn the_chosen_point_can_be_looked_into() {
    let mut app = evaluated(1, EvalSet::Test);
    projected(&mut app, &[[0.0, 0.0], [1.0, 0.0]], &[]);
    let commands = app.update(Msg::Action(Action::Move(Direction::Right)));
    let subject = Subject::Image { set: ImageSet::Test, index: 10 };
    assert_eq!(commands, [Command::LookInside(Some(subject.clone()))]);
    act(&mut app, Action::Confirm);
    assert_eq!((app.view, app.network.subject), (View::Network, subject));
}

#[test]
fn a_landscape_is_computed_on_request_while_paused_and_any_key_stops_it() {
    let mut app = evaluated(1, EvalSet::Test);
    act(&mut app, Action::Show(View::Why));
    assert_eq!(asked(&mut app, Action::Explain), [None]);
    assert_eq!(asked(&mut app, Action::Confirm), [], "the run trains");
    feed(&mut app, Event::State(RunState::Paused));
    assert_eq!(asked(&mut app, Action::Confirm), [Some(Question::Landscape)]);
    let landscape = |done| Landscape {
        set: ImageSet::Test,
        images: 10,
        side: 41,
        middle: [0.0; 2],
        trajectory: None,
        reach: 1.0,
        centre: 0.5,
        done,
        losses: vec![0.5; 41 * 41],
    };
    let answer = |done| {
        let content = Content::Landscape(landscape(done));
        Event::Explained(Arc::new(Answer { question: Question::Landscape, step: 12, content }))
    };
    feed(&mut app, answer(121));
    assert!(app.why.explores());
    assert_eq!(asked(&mut app, Action::Move(Direction::Up)), [None]);
    assert_eq!(app.why.landscape().map(|(found, step)| (found.done, step)), Some((121, 12)));
    assert_eq!(asked(&mut app, Action::Confirm), [Some(Question::Landscape)]);
    let commands = app.update(answer(41 * 41).into());
    assert_eq!(commands, [Command::Explain(None)], "complete, it is not computed again by itself");
    assert!(!app.why.explores());
}

#[test]
fn a_plane_that_cannot_be_computed_leaves_its_reason_and_nothing_under_way() {
    let mut app = evaluated(1, EvalSet::Test);
    act(&mut app, Action::Show(View::Why));
    act(&mut app, Action::Explain);
    feed(&mut app, Event::State(RunState::Paused));
    act(&mut app, Action::SwitchPlane);
    assert_eq!(asked(&mut app, Action::Confirm), [Some(Question::Trajectory)]);
    let content = Content::Nothing("Too short.".to_owned());
    let answer = Answer { question: Question::Trajectory, step: 12, content };
    let commands = app.update(Event::Explained(Arc::new(answer)).into());
    assert_eq!(commands, [Command::Explain(None)]);
    assert!(!app.why.explores());
    assert_eq!(app.why.no_landscape(), Some("Too short."));
    act(&mut app, Action::SwitchPlane);
    assert_eq!(app.why.no_landscape(), None, "of the other plane nothing is known");
}

#[test]
fn keys_without_anything_to_act_on_are_not_offered() {
    let mut app = evaluated(1, EvalSet::Test);
    for (view, action, offered) in [
        (View::Why, Action::SwitchPlane, false),
        (View::Why, Action::Explain, true),
        (View::Why, Action::SwitchPlane, true),
        (View::Mistakes, Action::NextList, true),
    ] {
        act(&mut app, Action::Show(view));
        assert_eq!(app.offers(action), offered, "{action:?} in {view:?}");
        act(&mut app, action);
    }
    app.looks_on = true;
    app.why.tab = Tab::Landscape;
    let along = app.why.along;
    for action in [Action::NextList, Action::SwitchPlane] {
        let list = app.mistakes.list;
        assert!(!app.offers(action), "{action:?} of a checkpoint");
        act(&mut app, action);
        assert_eq!((app.mistakes.list, app.why.along), (list, along));
    }
}

#[test]
fn layers_scroll_as_far_as_there_are_more_and_a_checkpoint_has_two_kinds_of_values() {
    use Direction::{Down, End, Home, Left, PageDown, Right, Up};

    let mut app = evaluated(1, EvalSet::Test);
    act(&mut app, Action::Show(View::Why));
    app.why.tab = Tab::Distributions;
    let _ = app.update(Msg::Tiles(Tiles { rows: 3, ..Tiles::default() }));
    let stage = |name: usize| StageValues {
        name: name.to_string(),
        activations: None,
        units: 1,
        dead: None,
    };
    let layer = |name: usize| LayerValues {
        name: name.to_string(),
        weights: None,
        gradients: None,
        updates: None,
    };
    let sample = Distributions {
        layers: (0..5).map(layer).collect(),
        stages: (0..9).map(stage).collect(),
        set: ImageSet::Test,
        images: 1,
        all_images: 1,
    };
    let content = Content::Distributions(sample);
    feed(
        &mut app,
        Event::Explained(Arc::new(Answer { question: Question::Distributions, step: 9, content })),
    );
    let mut go = |direction| {
        act(&mut app, Action::Move(direction));
        (app.why.kind, app.why.first_layer)
    };
    assert_eq!([End, Down, Up].map(&mut go).map(|it| it.1), [2, 2, 1]);
    assert_eq!(go(Left), (Kind::Activations, 1));
    assert_eq!([PageDown, PageDown].map(&mut go).map(|it| it.1), [4, 6]);
    assert_eq!(go(Right), (Kind::Weights, 2), "there are fewer layers than stages");
    assert_eq!(go(Home).1, 0);
    app.looks_on = true;
    act(&mut app, Action::Move(Right));
    assert_eq!(app.why.kind, Kind::Activations);
    act(&mut app, Action::Move(Right));
    assert_eq!(app.why.kind, Kind::Weights);
}
