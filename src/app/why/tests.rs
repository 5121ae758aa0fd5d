use super::*;
use crate::{
    app::{
        Action, Msg,
        matrix::tests::{act, evaluated, feed, record},
    },
    protocol::{Command, EvalSet, Event},
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
