use std::sync::Arc;
use std::{
    cell::Cell,
    io::{self, Write},
    rc::Rc,
};

use ratatui::{
    Terminal, TerminalOptions, Viewport,
    backend::{CrosstermBackend, TestBackend},
    style::Color,
};

use super::{super::Dashboard, *};
use crate::{
    app::{Action, Direction, Msg, Target, View},
    protocol::{
        Clock, Event, FeatureMaps, Filters, ImageSet, Progress, RunInfo, RunState, Subject,
    },
    ui::Depth,
};

/// The kernels of two layers, four stages and logits.
const PAGES: usize = 7;

/// A seven: a bar above and a stroke down to the left.
fn picture() -> Vec<u8> {
    let pixel = |x: f32, y: f32| {
        let bar = (y - 7.0).abs().max((x - 14.0).abs() - 6.0);
        let stroke = (x - (20.0 - 0.5 * (y - 7.0))).abs().max((y - 15.0).abs() - 8.0);
        (255.0 - 110.0 * (bar.min(stroke) - 0.8).max(0.0)).clamp(0.0, 255.0) as u8
    };
    (0..28_u8).flat_map(|y| (0..28_u8).map(move |x| pixel(f32::from(x), f32::from(y)))).collect()
}

/// An edge of each direction, as trained filters look.
fn filters() -> Vec<f32> {
    let tap = |filter: usize, y: usize, x: usize| {
        let (sin, cos) = (filter as f32 * 1.05).sin_cos();
        0.2 * ((x as f32 - 2.0) * cos + (y as f32 - 2.0) * sin).clamp(-1.8, 1.8)
    };
    (0..150).map(|place| tap(place / 25, place % 25 / 5, place % 5)).collect()
}

/// Valid convolution and `ReLU`.
fn convolve(input: &[f32], side: usize, weights: &[f32], outputs: usize) -> FeatureMaps {
    let inputs = input.len() / (side * side);
    let out = side - 4;
    let value = |channel: usize, y: usize, x: usize| {
        let taps = (0..inputs * 25).map(|tap| {
            let (map, y, x) = (tap / 25, y + tap % 25 / 5, x + tap % 5);
            weights[channel * inputs * 25 + tap] * input[(map * side + y) * side + x]
        });
        taps.sum::<f32>().max(0.0)
    };
    let values = (0..outputs * out * out)
        .map(|place| value(place / (out * out), place / out % out, place % out))
        .collect();
    FeatureMaps { channels: outputs, height: out, width: out, values }
}

fn kernels(layer: &str, stage: usize, channels: [usize; 2], values: Vec<f32>) -> Filters {
    let [channels, inputs] = channels;
    Filters { layer: layer.into(), stage, channels, inputs, side: 5, values }
}

fn pool(maps: &FeatureMaps) -> FeatureMaps {
    let side = maps.width / 2;
    let value = |channel: usize, y: usize, x: usize| {
        let map = maps.map(channel);
        let at = |dy: usize, dx: usize| map[(2 * y + dy) * 2 * side + 2 * x + dx];
        at(0, 0).max(at(0, 1)).max(at(1, 0)).max(at(1, 1))
    };
    let count = maps.channels * side * side;
    let values = (0..count)
        .map(|place| value(place / (side * side), place / side % side, place % side))
        .collect();
    FeatureMaps { channels: maps.channels, height: side, width: side, values }
}

/// The seven's way through a network with such filters, predicted as `predicted`, after `step` steps.
fn insides(predicted: usize, step: u64) -> Insides {
    let pixels = picture();
    let grey: Vec<f32> = pixels.iter().map(|&byte| f32::from(byte) / 255.0).collect();
    let drift = 1.0 + 0.000_1 * (step % 1_000) as f32;
    let filters: Vec<f32> = filters().into_iter().map(|weight| weight * drift).collect();
    let relu1 = convolve(&grey, 28, &filters, 6);
    let pool1 = pool(&relu1);
    let second: Vec<f32> =
        (0..16 * 150).map(|tap| 0.05 * ((tap * tap % 97) as f32 / 48.0 - 1.0)).collect();
    let relu2 = convolve(&pool1.values, 12, &second, 16);
    let second = kernels("layer2_conv", 2, [16, 6], second);
    let pool2 = pool(&relu2);
    let logit = |class| {
        if class == predicted { 9.31 } else { 4.6 - 1.7 * ((class * 7 + 4) % 10) as f32 }
    };
    let logits: Vec<f32> = (0..10).map(logit).collect();
    let sum: f32 = logits.iter().map(|logit| logit.exp()).sum();
    Insides {
        subject: Subject::Image { set: ImageSet::Test, index: 1_234 },
        image: Some((ImageSet::Test, 1_234)),
        step,
        label: Some(7),
        pixels,
        filters: vec![kernels("layer1_conv", 0, [6, 1], filters), second],
        stages: vec![relu1, pool1, relu2, pool2],
        probabilities: logits.iter().map(|logit| logit.exp() / sum).collect(),
        logits,
    }
}

fn feed(app: &mut App, event: Event) {
    assert!(app.update(event.into()).is_empty(), "events ask for nothing");
}

fn act(app: &mut App, action: Action) {
    let _ = app.update(Msg::Action(action));
}

fn trained(app: &mut App, step: u64) {
    let progress = Progress {
        epoch: 1,
        first_step: step,
        first_batch: step,
        losses: vec![0.3],
        images: step * 50,
        learning_rate: 1e-3,
        clock: Clock { training: step as f64 * 0.000_5, evaluating: 0.0 },
        sample: None,
        measures: Vec::new(),
    };
    feed(app, Event::Progress(progress));
}

fn showing(insides: Insides) -> App {
    let mut app = App::default();
    feed(&mut app, Event::Started(RunInfo::example()));
    feed(&mut app, Event::State(RunState::Training));
    act(&mut app, Action::Show(View::Network));
    trained(&mut app, 800);
    feed(&mut app, Event::Insides(Arc::new(insides)));
    app
}

fn on_page(mut app: App, page: usize) -> App {
    for _ in 0..page {
        act(&mut app, Action::Move(Direction::Down));
    }
    app
}

fn screen(app: &App, width: u16, height: u16, depth: Depth) -> TestBackend {
    let mut terminal =
        Terminal::new(TestBackend::new(width, height)).expect("a test terminal always opens");
    let theme = Theme::new(depth);
    terminal
        .draw(|frame| frame.render_widget(&Dashboard::new(app, &theme), frame.area()))
        .expect("a test terminal always draws");
    terminal.backend().clone()
}

fn text(app: &App, width: u16, height: u16) -> String {
    screen(app, width, height, Depth::True).to_string()
}

#[test]
fn everything_at_200_by_60() {
    insta::assert_snapshot!(text(&showing(insides(7, 800)), 200, 60));
}

#[test]
fn logits_and_probabilities_are_together_wherever_everything_is() {
    let app = showing(insides(7, 800));
    for (width, height) in [(198, 51), (200, 52), (211, 52), (240, 67), (300, 90)] {
        let shown = text(&app, width, height);
        assert!(shown.contains("9.31") && shown.contains("98.92 %"), "{shown}");
    }
}

#[test]
fn a_layer_at_120_by_40() {
    let app = showing(insides(7, 800));
    insta::assert_snapshot!("layer1", text(&app, 120, 40));
    insta::assert_snapshot!("layer2", text(&on_page(app, 4), 120, 40));
}

#[test]
fn a_stage_at_80_by_24() {
    for page in 0..PAGES {
        let app = on_page(showing(insides(3, 800)), page);
        insta::assert_snapshot!(format!("page{}", page + 1), text(&app, 80, 24));
    }
}

#[test]
fn without_colours_at_80_by_24() {
    let app = showing(insides(3, 800));
    insta::assert_snapshot!("filters", screen(&app, 80, 24, Depth::None));
    insta::assert_snapshot!("maps", screen(&on_page(app, 4), 80, 24, Depth::None));
}

/// The view as a session has it, which knows how many screens a stage takes.
fn moved(app: &mut App, (width, height): (u16, u16), direction: Direction) {
    let theme = Theme::new(Depth::None);
    let tiles = crate::ui::tiles(app, &theme, Rect::new(0, 0, width, height));
    let _ = app.update(Msg::Tiles(tiles.expect("the view shows a stage")));
    act(app, Action::Move(direction));
}

#[test]
fn kernels_that_do_not_fit_are_scrolled_to() {
    let mut app = showing(insides(3, 800));
    let shown = |app: &App| {
        let shown = text(app, 80, 24);
        let line = shown.lines().find(|line| line.contains("layer2_conv · 16×6 kernels 5×5"));
        assert_eq!(line.is_some(), app.network.page == 3, "{shown}");
        shown
            .split_once(" of 96 ")
            .map(|(before, _)| before.rsplit(' ').next().unwrap_or_default().to_owned())
    };
    let mut seen = Vec::new();
    for _ in 0..7 {
        seen.extend(shown(&app));
        moved(&mut app, (80, 24), Direction::Down);
    }
    assert_eq!(seen, ["0–23", "24–47", "48–71", "72–95"]);
    assert_eq!(app.network.page, 4);
    for _ in 0..5 {
        moved(&mut app, (80, 24), Direction::Up);
    }
    assert_eq!(app.network.page, 2, "over its four screens to the stage before");
}

#[test]
fn the_path_marks_the_chosen_stage_in_wide_terminals() {
    let path = |app: &App, width, height| {
        let shown = text(app, width, height);
        let line = shown.lines().nth(4).unwrap_or_default().trim_matches('"').trim().to_owned();
        line.starts_with("image ›").then_some(line)
    };
    let app = on_page(showing(insides(3, 800)), 1);
    let expected = "image › layer1_conv › [layer1_relu] › layer1_pool › layer2_conv › layer2_relu › \
                    layer2_pool › fc";
    for (width, height) in [(120, 40), (200, 60)] {
        assert_eq!(path(&app, width, height).as_deref(), Some(expected));
    }
    assert_eq!(path(&app, 80, 24), None);
}

#[test]
fn a_click_on_a_name_of_the_path_shows_that_stage() {
    let mut app = showing(insides(3, 800));
    let body = Rect::new(0, 4, 120, 35);
    let click = |app: &App, x| stage_at(app, &Theme::new(Depth::True), body, (x, 4).into());
    let shown = text(&app, 120, 40);
    let path = shown.lines().nth(4).unwrap_or_default().trim_start_matches('"');
    let column = |name| path.split_once(name).expect("it is there").0.chars().count() as u16;
    assert_eq!(click(&app, column("layer2_conv")), Some(3));
    assert_eq!(click(&app, column("fc")), Some(6));
    assert_eq!((click(&app, column("image")), click(&app, column(" › fc"))), (None, None));
    act(&mut app, Action::Choose(Target::Stage(3)));
    assert_eq!(app.network.page, 3);
    assert_eq!(stage_at(&app, &Theme::new(Depth::True), body, (60, 20).into()), Some(3));
}

#[test]
fn image_and_answer_in_small_terminals() {
    let app = showing(insides(3, 800));
    insta::assert_snapshot!("smallest", text(&app, 40, 12));
    insta::assert_snapshot!("narrow", text(&app, 50, 20));
}

#[test]
fn an_empty_view_says_what_will_come() {
    let mut app = App::default();
    act(&mut app, Action::Show(View::Network));
    assert!(text(&app, 80, 24).contains("The activations of an image appear here"));
}

#[test]
fn where_the_image_is_from_is_told() {
    let mut hardest = insides(3, 800);
    hardest.subject = Subject::Hardest;
    let app = showing(hardest);
    for (width, height) in [(80, 24), (120, 40), (200, 60)] {
        let shown = text(&app, width, height);
        assert!(shown.contains("test image 1,234") && shown.contains("hardest"), "{shown}");
    }
    let mut drawn = insides(3, 800);
    (drawn.subject, drawn.image, drawn.label) = (Subject::Drawn(picture()), None, None);
    let mut app = App::default();
    app.network.subject = drawn.subject.clone();
    act(&mut app, Action::Show(View::Network));
    feed(&mut app, Event::Insides(Arc::new(drawn)));
    let shown = text(&app, 80, 24);
    assert!(shown.contains("drawn image"), "{shown}");
    assert!(!shown.contains('✓') && !shown.contains('✗'), "nobody knows what it is");
}

#[test]
fn asking_for_the_hardest_before_an_evaluation_says_when_it_is_known() {
    let mut app = showing(insides(7, 800));
    act(&mut app, Action::Hardest);
    assert!(text(&app, 200, 60).contains("the hardest image is known"));
}

/// The colours in which a text stands.
fn colour_of(screen: &TestBackend, symbol: &str) -> Vec<Color> {
    let cells = screen.buffer().content().iter();
    cells.filter(|cell| cell.symbol() == symbol).map(|cell| cell.fg).collect()
}

#[test]
fn right_is_blue_and_wrong_is_orange_with_the_true_class_marked() {
    let theme = Theme::new(Depth::True);
    let right = screen(&showing(insides(7, 800)), 80, 24, Depth::True);
    assert_eq!(colour_of(&right, "✓"), [theme.right.fg.unwrap_or_default(); 2]);
    assert!(colour_of(&right, "✗").is_empty());
    let wrong = screen(&showing(insides(3, 800)), 80, 24, Depth::True);
    assert_eq!(colour_of(&wrong, "✗"), [theme.wrong.fg.unwrap_or_default(); 2]);
    assert!(wrong.to_string().contains("✗ 7→3"));
    assert!(colour_of(&wrong, "✓").is_empty());
    let arrows = colour_of(&wrong, "→");
    assert!(arrows.contains(&theme.right.fg.unwrap_or_default()), "the true class is marked");
}

#[test]
fn filters_have_both_hues_and_maps_the_activations_shades() {
    let theme = Theme::new(Depth::Indexed);
    let shades = |page| {
        let screen = screen(&on_page(showing(insides(7, 800)), page), 80, 24, Depth::Indexed);
        // Right of image and probabilities, below title and caption, above the bottom line.
        let cells = (26..80).flat_map(|x| (6..15).map(move |y| (x, y)));
        let buf = screen.buffer().clone();
        let cells = cells.filter_map(|place| buf.cell(place));
        cells.flat_map(|cell| [Some(cell.fg), Some(cell.bg)]).collect::<Vec<_>>()
    };
    let (filters, maps) = (shades(0), shades(2));
    for level in [-4, 0, 4] {
        assert!(filters.contains(&theme.signed(level)), "{level}");
        assert!(level == 0 || !maps.contains(&theme.signed(level)), "{level}");
    }
    for level in [0, 3, 6] {
        assert!(maps.contains(&theme.activation(level)), "{level}");
    }
}

#[test]
fn values_that_are_not_numbers_are_told() {
    let mut broken = insides(7, 800);
    broken.stages[0].values[9] = f32::NAN;
    (broken.logits, broken.probabilities) = (vec![f32::NAN; 10], vec![f32::NAN; 10]);
    let shown = text(&on_page(showing(broken), 1), 80, 24);
    assert!(shown.contains("not finite") && shown.contains("✗ 7→—"), "{shown}");
}

#[test]
fn nothing_panics_at_any_size() {
    let theme = [Depth::None, Depth::True].map(Theme::new);
    let mut empty = insides(7, 1);
    empty.stages = vec![FeatureMaps::default(); 4];
    (empty.filters, empty.pixels) = (Vec::new(), Vec::new());
    for insides in [insides(3, 800), empty] {
        for page in 0..PAGES {
            let app = on_page(showing(insides.clone()), page);
            for width in (0..=210).step_by(3).chain([1, 64, 80, 119, 120, 198, 200]) {
                for height in (0..=60).step_by(5).chain([1, 13, 19, 35, 46, 47]) {
                    let mut buf = Buffer::empty(Rect::new(0, 0, width, height));
                    Network::new(&app, &theme[page % 2]).render(buf.area, &mut buf);
                }
            }
        }
    }
}

/// Counts the bytes written to it.
#[derive(Clone, Default)]
struct Counter(Rc<Cell<usize>>);

impl Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.set(self.0.get() + bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_refresh_sends_only_what_changed() {
    let mut app = showing(insides(7, 0));
    let (area, theme, written) =
        (Rect::new(0, 0, 120, 40), Theme::new(Depth::True), Counter::default());
    let options = TerminalOptions { viewport: Viewport::Fixed(area) };
    let mut terminal = Terminal::with_options(CrosstermBackend::new(written.clone()), options)
        .expect("memory takes everything");
    let mut draw = |app: &App| {
        terminal
            .draw(|frame| frame.render_widget(&Dashboard::new(app, &theme), frame.area()))
            .expect("memory takes everything");
        written.0.take()
    };
    let first = draw(&app);
    let mut refreshes = 0;
    for refresh in 1..=8 {
        trained(&mut app, 1_000 * refresh);
        feed(&mut app, Event::Insides(Arc::new(insides(7, 100 * refresh))));
        refreshes += draw(&app);
    }
    // A weight changes by a hundredth from one refresh to the next.
    assert!((1..first).contains(&refreshes), "first {first}, eight refreshes {refreshes}");
}
