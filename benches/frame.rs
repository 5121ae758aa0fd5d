//! Time and bytes of a frame after a long run: neither may grow with the run's history.
//!
//! `cargo bench --bench frame`; the bytes are printed first.

use std::{
    cell::Cell,
    io::{self, Write},
    rc::Rc,
};

use criterion::{BenchmarkId, Criterion};
use mnist_tui::{
    app::App,
    data::DataInfo,
    protocol::{Clock, Digit, Event, NetworkInfo, Progress, RunInfo, RunState, Sample},
    ui::{Dashboard, Depth, Theme},
};
use ratatui::{
    Terminal, TerminalOptions, Viewport,
    backend::{CrosstermBackend, TestBackend},
    layout::Rect,
};

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (200, 60)];
const HISTORIES: [u64; 2] = [10_000, 1_000_000];
const STEPS_PER_EPOCH: u64 = 1_200;
/// Steps between two frames of a run at 100,000 images a second and 15 frames a second.
const STEPS_PER_FRAME: u64 = 130;

fn loss(step: u64) -> f32 {
    let noise = (step.wrapping_mul(2_654_435_761) >> 7) % 1_000;
    0.05 + 2.0 / (1.0 + step as f32 / 100.0) + noise as f32 / 5_000.0
}

/// The event for the steps after `from`, up to `to`.
fn progress(from: u64, to: u64) -> Event {
    let digit = |label| Digit {
        pixels: (0..784_u32).map(|pixel| (pixel * (u32::from(label) + 3) % 251) as u8).collect(),
        label,
        prediction: label,
        probability: 0.9,
    };
    Event::Progress(Progress {
        epoch: (to / STEPS_PER_EPOCH) as u32 + 1,
        first_step: from + 1,
        first_batch: from % STEPS_PER_EPOCH + 1,
        losses: (from + 1..=to).map(loss).collect(),
        images: to * 50,
        learning_rate: 1e-3,
        clock: Clock { training: to as f64 * 5e-4, evaluating: 0.0 },
        sample: Some(Sample {
            step: to,
            digits: (0..10).cycle().take(24).map(digit).collect(),
            originals: Vec::new(),
        }),
        measures: Vec::new(),
    })
}

fn take(app: &mut App, event: Event) {
    let asked = app.update(event.into());
    assert!(asked.is_empty(), "events ask for nothing");
}

fn trained(steps: u64) -> App {
    let mut app = App::default();
    let info = RunInfo {
        data: "builtin".into(),
        train_images: 60_000,
        eval_images: 10_000,
        eval_set: mnist_tui::protocol::EvalSet::Test,
        test_images: 10_000,
        epochs: 1_000,
        batch_size: 50,
        steps_per_epoch: STEPS_PER_EPOCH,
        total_steps: 2 * steps,
        learning_rate: 1e-3,
        seed: 0,
        shuffle: true,
        device: "CPU, 2 threads".into(),
        parameters: 5_142,
        saves: false,
        recorded: false,
        checksums: None,
        set: DataInfo::mnist(),
        network: NetworkInfo::article(),
        schedule: mnist_tui::config::Schedule::default(),
    };
    take(&mut app, Event::Started(info));
    take(&mut app, Event::State(RunState::Training));
    take(&mut app, progress(0, steps));
    app
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

/// Bytes that each of the next frames sends: the median and the largest.
fn frame_bytes(app: &mut App, steps: u64, (width, height): (u16, u16)) -> (usize, usize) {
    let theme = Theme::new(Depth::True);
    let written = Counter::default();
    let viewport = Viewport::Fixed(Rect::new(0, 0, width, height));
    let backend = CrosstermBackend::new(written.clone());
    let mut terminal = Terminal::with_options(backend, TerminalOptions { viewport })
        .expect("memory takes everything");
    let mut sizes: Vec<usize> = (0..100)
        .map(|frame| {
            let from = steps + frame * STEPS_PER_FRAME;
            take(app, progress(from, from + STEPS_PER_FRAME));
            terminal
                .draw(|frame| frame.render_widget(&Dashboard::new(app, &theme), frame.area()))
                .expect("memory takes everything");
            written.0.take()
        })
        .skip(1)
        .collect();
    sizes.sort_unstable();
    (sizes[sizes.len() / 2], sizes[sizes.len() - 1])
}

fn print_bytes() -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "bytes of a frame in training: median, largest of 99")?;
    for size in SIZES {
        for steps in HISTORIES {
            let (median, largest) = frame_bytes(&mut trained(steps), steps, size);
            let (width, height) = size;
            writeln!(out, "{width:>4}×{height} after {steps:>9} steps: {median:>6} {largest:>6}")?;
        }
    }
    Ok(())
}

fn frames(criterion: &mut Criterion) {
    let theme = Theme::new(Depth::True);
    for (width, height) in SIZES {
        let mut group = criterion.benchmark_group(format!("frame {width}×{height}"));
        for steps in HISTORIES {
            let app = trained(steps);
            let mut terminal =
                Terminal::new(TestBackend::new(width, height)).expect("memory takes everything");
            group.bench_function(BenchmarkId::new("after steps", steps), |bencher| {
                bencher.iter(|| {
                    let drawn = terminal.draw(|frame| {
                        frame.render_widget(&Dashboard::new(&app, &theme), frame.area());
                    });
                    drawn.map(|_| ())
                });
            });
        }
        group.finish();
    }
}

fn main() {
    if let Err(error) = print_bytes() {
        panic!("stdout takes no text: {error}");
    }
    let mut criterion = Criterion::default().configure_from_args();
    frames(&mut criterion);
    criterion.final_summary();
}
