//! Explanations on the screen.

use std::sync::Arc;

use super::{sets::fashion, *};
use crate::{
    app::Direction,
    metrics::Calibration,
    protocol::{
        Answer, Attribution, Command, Content, ImageSet, Landscape, Method, Projection,
        ProjectionPoint, Question,
    },
};

/// A worker's possible answer for a network with this many classes on images of this size.
fn content(question: &Question, [channels, height, width]: [usize; 3], classes: usize) -> Content {
    match question {
        Question::Attribution { method, class, .. } => Content::Attribution(Attribution {
            image: None,
            label: Some(1),
            pixels: vec![0; channels * height * width],
            class: class.unwrap_or(1),
            prediction: 1,
            logit: -2.5,
            probability: 0.25,
            patch: if *method == Method::Occlusion { 5 } else { 0 },
            values: (0..height * width).map(|place| (place % width) as f32 / 14.0 - 1.0).collect(),
        }),
        Question::Calibration { .. } => {
            let prediction = |place: u32| {
                let confidence = 1.0 - (place * place % 97) as f32 / 140.0;
                (confidence, place % 10 < 8)
            };
            let found = Calibration::of((0..1_000).map(prediction), Calibration::BINS);
            Content::Calibration(Some(found))
        }
        Question::Landscape => {
            let side = 41;
            let loss = |place: usize| {
                let [x, y] = [place % side, place / side].map(|step| step as f32 / 20.0 - 1.0);
                0.05 + x * x + 3.0 * y * y
            };
            let losses = (0..side * side).map(loss).collect();
            let (set, reach, centre, done) = (ImageSet::Test, 1.0, 0.05, side * side);
            Content::Landscape(Landscape { set, images: 1_000, side, reach, centre, done, losses })
        }
        Question::Projection => {
            let point = |index: u32| {
                let label = index as usize % classes;
                let wrong = index.is_multiple_of(11);
                let turn = label as f32 * std::f32::consts::TAU / classes as f32;
                let spread = ((index * 37 % 101) as f32 / 101.0, (index * 53 % 89) as f32 / 89.0);
                ProjectionPoint {
                    index,
                    label: label as u8,
                    prediction: ((label + usize::from(wrong)) % classes) as u8,
                    at: [3.0 * turn.cos() + spread.0, 3.0 * turn.sin() + spread.1],
                }
            };
            Content::Projection(Projection {
                set: ImageSet::Test,
                features: 256,
                shares: [0.432, 0.187],
                points: (0..300).map(point).collect(),
            })
        }
    }
}

/// Gives the answer that the worker would give to what is asked by the commands.
fn answer(app: &mut App, commands: Vec<Command>) {
    let set = app.run.set().clone();
    for command in commands {
        if let Command::Explain(Some(question)) = command {
            let content = content(&question, set.shape, set.classes.len());
            let answer = Answer { question, step: 1_200, content };
            let _ = app.update(Event::Explained(Arc::new(answer)).into());
        }
    }
}

fn press(app: &mut App, action: Action) {
    let commands = app.update(Msg::Action(action));
    answer(app, commands);
}

/// Answers what the view that is shown has asked already.
pub(super) fn answer_all(app: &mut App) {
    let view = app.view;
    press(app, Action::Show(View::Overview));
    press(app, Action::Show(view));
}

#[test]
fn the_projection() {
    let app = fashion().showing(View::Why);
    insta::assert_snapshot!(text(&app, 80, 24));
    let mut digits = trained(1_300);
    press(&mut digits, Action::Show(View::Why));
    let shown = text(&digits, 120, 40);
    assert!(shown.contains("Projection · test images, step 1,200"), "{shown}");
    assert!(shown.contains("300 images by their 256 features"), "{shown}");
}

#[test]
fn mistakes_stand_out_and_the_chosen_point_has_brackets() {
    let mut app = fashion().showing(View::Why);
    press(&mut app, Action::Move(Direction::PageDown));
    let wrong =
        app.why.chosen_point().map(|(_, point)| (point.index, point.label, point.prediction));
    assert_eq!(wrong, Some((11, 1, 2)));
    let shown = screen(&app, 120, 40, Depth::True);
    let buffer = shown.backend().buffer();
    let cells = buffer.content().iter().enumerate();
    let brackets: Vec<_> = cells.filter(|(_, cell)| cell.symbol() == "[").collect();
    assert_eq!(brackets.len(), 1);
    let chosen = &buffer.content()[brackets[0].0 + 1];
    assert_eq!(chosen.symbol(), "b");
    assert!(chosen.modifier.contains(ratatui::style::Modifier::REVERSED));
}

#[test]
fn the_calibration_of_an_evaluation() {
    let mut app = trained(1_300);
    press(&mut app, Action::Show(View::Confusion));
    press(&mut app, Action::Explain);
    insta::assert_snapshot!(text(&app, 80, 24));
    press(&mut app, Action::Explain);
    assert!(text(&app, 80, 24).contains("Confusion · test, epoch 1"));
}

#[test]
fn the_shades_of_an_image_take_its_place_with_what_they_mean() {
    let mut app = fashion().showing(View::Network);
    let before = screen(&app, 120, 40, Depth::True);
    press(&mut app, Action::Explain);
    let shown = screen(&app, 120, 40, Depth::True);
    let line = "Saliency of Trouser, logit −2.50: more ink raises it at orange, lowers it at";
    assert!(text(&app, 120, 40).contains(line), "{}", text(&app, 120, 40));
    // The values grow from left to right, from blue to orange.
    let ground = |at: (u16, u16)| shown.backend().buffer()[at].bg;
    let theme = Theme::new(Depth::True);
    assert_eq!(Some(ground((0, 6))), theme.signed(-4));
    assert_ne!(ground((0, 6)), before.backend().buffer()[(0, 6)].bg);
    press(&mut app, Action::Explain);
    press(&mut app, Action::ExplainNextClass);
    let line = "Occlusion of T-shirt/top, logit −2.50: under a 5×5 patch it falls at";
    assert!(text(&app, 120, 40).contains(line), "{}", text(&app, 120, 40));
    let line = "Occlusion of T-shirt/top: needed at orange, in the way at blue.";
    assert!(text(&app, 80, 24).contains(line), "{}", text(&app, 80, 24));
    press(&mut app, Action::Explain);
    assert_eq!(screen(&app, 120, 40, Depth::True).backend().buffer(), before.backend().buffer());
    // Without colours the signs are named.
    press(&mut app, Action::Explain);
    let plain = screen(&app, 120, 40, Depth::None).backend().to_string();
    assert!(plain.contains("raises it at + #"), "{plain}");
}

#[test]
fn a_view_without_an_answer_says_what_will_come_or_why_nothing_does() {
    let mut app = App::default();
    let commands = app.update(Msg::Action(Action::Show(View::Why)));
    assert_eq!(commands, [Command::Explain(Some(Question::Projection))]);
    assert!(text(&app, 80, 24).contains("Where the network sees"), "{}", text(&app, 80, 24));
    let content = Content::Nothing("The features are not finite numbers.".to_owned());
    let nothing = Answer { question: Question::Projection, step: 3, content };
    let _ = app.update(Event::Explained(Arc::new(nothing)).into());
    assert!(text(&app, 80, 24).contains("The features are not finite numbers."));
    let mut watching = App::default().looking_on();
    press(&mut watching, Action::Show(View::Why));
    watching.why = crate::app::Why::default();
    assert!(text(&watching, 80, 24).contains("last checkpoint"), "{}", text(&watching, 80, 24));
}

#[test]
fn the_loss_around_the_weights() {
    let mut app = fashion().showing(View::Why);
    press(&mut app, Action::Explain);
    assert!(text(&app, 80, 24).contains("Press enter to compute"), "{}", text(&app, 80, 24));
    press(&mut app, Action::Confirm);
    let shown = text(&app, 120, 40);
    for part in ["Loss landscape · step 1,200", "+ at the weights  0.0500", "lowest point", "4.05"]
    {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    // A valley along the first direction: lower beside the middle than above it.
    let shown = screen(&app, 80, 24, Depth::True);
    let theme = Theme::new(Depth::True);
    let buffer = shown.backend().buffer();
    let is_mark = |cell: &ratatui::buffer::Cell| cell.symbol() == "+" && cell.bg != Color::Reset;
    let middle = buffer.content().iter().position(is_mark).expect("it is marked");
    let (x, y) = buffer.pos_of(middle);
    assert_eq!(buffer[(x, y)].bg, theme.heat(0.0).and_then(|style| style.bg).expect("shades"));
    assert_ne!(buffer[(x + 12, y)].bg, buffer[(x, y - 6)].bg);
    insta::assert_snapshot!(screen(&app, 80, 24, Depth::None).backend());
}
