//! Explanations on the screen.

use std::sync::Arc;

use super::{sets::fashion, *};
use crate::{
    app::{Direction, ExportFormat},
    metrics::{Calibration, Histogram},
    protocol::{
        Answer, Arithmetic, Attribution, Command, Content, Distributions, ImageSet, Landscape,
        LayerValues, Method, Projection, ProjectionPoint, Question, StageValues, Trajectory,
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
        Question::Arithmetic { place, .. } => arithmetic(*place),
        Question::Calibration { .. } => {
            let prediction = |place: u32| {
                let confidence = 1.0 - (place * place % 97) as f32 / 140.0;
                (confidence, place % 10 < 8)
            };
            let found = Calibration::of((0..1_000).map(prediction), Calibration::BINS);
            Content::Calibration(Some(found))
        }
        Question::Landscape | Question::Trajectory => {
            let side = 41;
            let loss = |place: usize| {
                let [x, y] = [place % side, place / side].map(|step| step as f32 / 20.0 - 1.0);
                0.05 + x * x + 3.0 * y * y
            };
            let losses = (0..side * side).map(loss).collect();
            let (set, reach, centre, done) = (ImageSet::Test, 1.0, 0.05, side * side);
            let is_along = *question == Question::Trajectory;
            let trajectory = is_along.then(|| Trajectory {
                steps: vec![0, 600, 1_200],
                points: vec![[-1.5, 0.5], [-0.5, 0.5], [0.0, 0.0]],
                shares: [0.9, 0.08],
            });
            let middle = if is_along { [-0.75, 0.25] } else { [0.0; 2] };
            Content::Landscape(Landscape {
                set,
                images: 1_000,
                side,
                reach,
                middle,
                trajectory,
                centre,
                done,
                losses,
            })
        }
        Question::Distributions => distributions(),
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

fn arithmetic(place: [u32; 3]) -> Content {
    Content::Arithmetic(Arithmetic {
        layer: "conv1".to_owned(),
        place,
        shape: [6, 24, 24],
        inputs: 2,
        side: 3,
        corner: [11, -1],
        patch: (0..18_u8).map(|it| f32::from(it) / 10.0).collect(),
        kernel: (0..18_u8).map(|it| f32::from(it % 3) / 4.0 - 0.25).collect(),
        bias: Some(-0.5),
        output: 0.1,
        after: vec![("relu1".to_owned(), 0.1)],
        map: (0..24 * 24).map(|it| (it % 7) as f32).collect(),
    })
}

fn distributions() -> Content {
    let centred = |width: f32| {
        let values: Vec<f32> =
            (0..1_000_u16).map(|it| (f32::from(it) / 500.0 - 1.0).powi(3) * width).collect();
        Histogram::of(&values)
    };
    let layer = |(name, width): (&str, f32)| LayerValues {
        name: name.to_owned(),
        weights: centred(width),
        gradients: centred(width / 1_000.0),
        updates: None,
    };
    let stage = |(name, dead): (&str, Option<&[u32]>)| StageValues {
        name: name.to_owned(),
        activations: centred(2.0),
        units: if dead.is_some() { 16 } else { 0 },
        dead: Some(dead.unwrap_or_default().to_vec()),
    };
    Content::Distributions(Distributions {
        layers: [("layer1_conv", 0.4), ("layer2_conv", 0.2), ("fc", 0.1)].map(layer).into(),
        stages: [
            ("layer1_relu", Some(&[][..])),
            ("layer1_pool", None),
            ("layer2_relu", Some(&[3, 11])),
        ]
        .map(stage)
        .into(),
        set: ImageSet::Test,
        images: 256,
        all_images: 10_000,
    })
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
fn an_explanation_ends_with_its_view() {
    let mut app = trained(1_300);
    for view in [View::Network, View::Confusion] {
        press(&mut app, Action::Show(view));
        press(&mut app, Action::Explain);
        assert!(app.why.method.is_some() || app.why.calibration);
        press(&mut app, Action::Show(view));
        assert!(app.why.method.is_some() || app.why.calibration, "it is the same view");
        press(&mut app, Action::Show(View::Draw));
        assert_eq!((app.why.method, app.why.calibration), (None, false));
    }
}

#[test]
fn a_landscape_without_any_number_says_so() {
    let mut app = trained(1_300);
    feed(&mut app, Event::State(RunState::Paused));
    press(&mut app, Action::Show(View::Why));
    press(&mut app, Action::Explain);
    let commands = app.update(Msg::Action(Action::Confirm));
    assert_eq!(commands, [Command::Explain(Some(Question::Landscape))]);
    let losses = vec![f32::NAN; 9];
    let (set, reach, centre) = (ImageSet::Test, 1.0, f32::NAN);
    let (images, side, middle, trajectory, done) = (1_000, 3, [0.0; 2], None, 9);
    let found = Landscape { set, images, side, reach, middle, trajectory, centre, done, losses };
    let content = Content::Landscape(found);
    let answer = Answer { question: Question::Landscape, step: 1_300, content };
    let _ = app.update(Event::Explained(Arc::new(answer)).into());
    let shown = text(&app, 120, 40);
    assert!(shown.contains("The loss is not finite") && !shown.contains("NaN"), "{shown}");
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
    assert!(
        text(&app, 80, 24).contains("Evaluation images by their features"),
        "{}",
        text(&app, 80, 24)
    );
    let content = Content::Nothing("The features are not finite numbers.".to_owned());
    let nothing = Answer { question: Question::Projection, step: 3, content };
    let _ = app.update(Event::Explained(Arc::new(nothing)).into());
    assert!(text(&app, 80, 24).contains("The features are not finite numbers."));
    let mut watching = App::default().looking_on();
    press(&mut watching, Action::Show(View::Why));
    watching.why = crate::app::Why::default();
    assert!(
        text(&watching, 80, 24).contains("once the run has saved"),
        "{}",
        text(&watching, 80, 24)
    );
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

#[test]
fn distributions_over_the_steps() {
    let mut app = fashion().showing(View::Why);
    for _ in 0..2 {
        press(&mut app, Action::Explain);
    }
    let shown = text(&app, 80, 24);
    for part in
        ["Distributions · step 1,200", "weights gradients updates activations ←→", "to   0.388"]
    {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    // Most values are in the middle, and none was sampled right of the newest step.
    let theme = Theme::new(Depth::True);
    let column = |app: &App, x: u16| {
        let shown = screen(app, 80, 24, Depth::True);
        (6..10).map(|y| shown.backend().buffer()[(x, y)].bg).collect::<Vec<_>>()
    };
    let strip = column(&app, 16);
    let brightest = theme.heat(1.0).and_then(|style| style.bg).expect("shades");
    assert!(strip[1..3].contains(&brightest), "{strip:?}");
    assert_ne!(strip[0], brightest);
    assert_eq!(column(&app, 20), [Color::Reset; 4], "not trained yet");
    press(&mut app, Action::Move(Direction::Left));
    let dead = text(&app, 120, 40);
    for part in ["no dead units", "2 of 16 dead:", "3 11", "A dead unit is 0 on every image"] {
        assert!(dead.contains(part), "{part}: {dead}");
    }
    press(&mut app, Action::Move(Direction::Left));
    assert!(text(&app, 80, 24).contains("no sample yet"), "of the updates");
    press(&mut app, Action::Move(Direction::Down));
    assert!(text(&app, 60, 14).contains("2–2 of 3 ↑↓"), "{}", text(&app, 60, 14));
    let csv = crate::ui::export(&app, &theme, Rect::new(0, 0, 80, 24), false, ExportFormat::Csv);
    let csv = csv.expect("there is a sample");
    assert!(
        csv.starts_with("step,kind,layer,low,high,counts,units,dead\n1200,weights,layer1_conv,")
    );
    assert!(csv.contains(",16,3 11\n"), "{csv}");
    for depth in [Depth::None, Depth::Basic, Depth::True] {
        for (width, height) in [(40, 12), (64, 20), (200, 60), (1, 1)] {
            let _ = screen(&app, width, height, depth);
        }
    }
}

#[test]
fn the_arithmetic_of_a_pixel() {
    let mut app = fashion().showing(View::Network);
    press(&mut app, Action::Confirm);
    let before = app.network.pixel.expect("the cursor is on a map");
    let shown = text(&app, 80, 24);
    // By hand: 0.2 − 0.0 + 0.5 − 0.3 + 0.8 − 0.6 quarters of the first input's products, and as much of the other.
    for part in [
        "conv1 · map 0",
        "input 0 at 11, −1",
        "kernel",
        "products of input 0        +0.1500",
        "of all 2 inputs            +0.3000",
        "bias                       −0.5000",
        "= conv1                    −0.2000",
        "after relu1                +0.1000",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let low = text(&app, 80, 18);
    assert!(low.contains("after relu1                +0.1000"), "in place of the empty row: {low}");
    press(&mut app, Action::Move(Direction::Right));
    press(&mut app, Action::Move(Direction::PageDown));
    let after = app.network.pixel.expect("still");
    let [map, row, column] = before.place;
    assert_eq!(after.place, [map + 1, row, column + 1]);
    assert!(text(&app, 120, 40).contains(&format!("map 1, row {row}, column {}", column + 1)));
    let csv = crate::ui::export(
        &app,
        &Theme::new(Depth::True),
        Rect::new(0, 0, 80, 24),
        false,
        ExportFormat::Csv,
    );
    let csv = csv.expect("there is an answer");
    assert!(
        csv.starts_with("input,row,column,value,weight,product\n0,11,-1,0,-0.25,-0\n"),
        "{csv}"
    );
    assert_eq!(csv.lines().count(), 1 + 18 + 3);
    for depth in [Depth::None, Depth::True] {
        for (width, height) in [(40, 12), (64, 20), (100, 30), (200, 60), (1, 1)] {
            let _ = screen(&app, width, height, depth);
        }
    }
    let help = {
        press(&mut app, Action::ToggleHelp);
        let help = text(&app, 120, 40);
        press(&mut app, Action::ToggleHelp);
        help
    };
    assert!(!help.contains("pixels that matter") && !help.contains("enter esc"), "{help}");
    press(&mut app, Action::Dismiss);
    assert_eq!((app.network.pixel, app.view), (None, View::Network));
}

#[test]
fn the_loss_along_the_runs_own_trajectory() {
    let mut app = fashion().showing(View::Why);
    press(&mut app, Action::Explain);
    press(&mut app, Action::SwitchPlane);
    let asks = text(&app, 80, 24);
    assert!(asks.contains("Press enter to compute the loss along the run's"), "{asks}");
    press(&mut app, Action::Confirm);
    let shown = text(&app, 120, 40);
    let line = "the plane where the weights varied most (90 + 8 %)";
    for part in [line, "o step 0, 3 snapshots", "+ at the weights  0.0500"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let shown = screen(&app, 80, 24, Depth::True);
    let buffer = shown.backend().buffer();
    let place_of = |symbol: &str| {
        let body =
            |cell: &ratatui::buffer::Cell| cell.symbol() == symbol && cell.bg != Color::Reset;
        let place = buffer.content().iter().position(body);
        buffer.pos_of(place.unwrap_or_else(|| panic!("no {symbol}")))
    };
    let (start, weights) = (place_of("o"), place_of("+"));
    assert!(
        start.0 < weights.0 && start.1 < weights.1,
        "from the left above: {start:?}, {weights:?}"
    );
    assert!(buffer.content().iter().filter(|cell| cell.symbol() == "·").count() > 8);
    press(&mut app, Action::SwitchPlane);
    let shown = text(&app, 120, 40);
    assert!(shown.contains("Press enter to compute the loss around the "), "{shown}");
}
