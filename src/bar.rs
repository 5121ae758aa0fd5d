//! A progress bar on stderr for runs without a screen.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::{
    metrics::Rate,
    protocol::{Event, RunInfo, RunState},
};

/// Follows the events of a run. Shows nothing where stderr is not a terminal.
pub(crate) struct Bar {
    drawn: ProgressBar,
    run: Option<RunInfo>,
    rate: Rate,
    loss: f32,
}

impl Bar {
    /// A bar that begins with `title`, which may be empty.
    pub(crate) fn new(title: &str) -> Self {
        let bar = ProgressBar::with_draw_target(None, target())
            .with_style(style("{spinner} {prefix}{msg}"));
        bar.set_prefix(title.to_owned());
        bar.set_message("reading the data");
        // Drawn at once. indicatif's own ticker needs a thread, and panics if the
        // system refuses one.
        bar.tick();
        Self { drawn: bar, run: None, rate: Rate::default(), loss: f32::NAN }
    }

    /// Shows that the program is alive while nothing is reported.
    pub(crate) fn tick(&self) {
        self.drawn.tick();
    }

    /// Takes an event of the run into account.
    pub(crate) fn update(&mut self, event: &Event) {
        match event {
            Event::Started(run) => {
                self.drawn.set_length(run.total_steps);
                self.drawn.set_style(style("{prefix}{msg} {wide_bar} {percent:>3}%"));
                self.run = Some(run.clone());
            }
            Event::Progress(progress) => {
                self.rate.update(progress.clock.training, progress.images);
                self.loss = progress.losses.last().copied().unwrap_or(self.loss);
                self.drawn.set_position(progress.last_step());
                self.drawn.set_message(self.training(progress.epoch));
            }
            Event::State(RunState::Evaluating) => {
                self.drawn.set_message("evaluating");
            }
            _ => {}
        }
    }

    /// Takes the bar away for good.
    pub(crate) fn clear(&self) {
        self.drawn.finish_and_clear();
    }

    /// Takes the bar away while something is printed.
    pub(crate) fn suspend<T>(&self, print: impl FnOnce() -> T) -> T {
        self.drawn.suspend(print)
    }

    fn training(&self, epoch: u32) -> String {
        let Self { run, rate, loss, .. } = self;
        let epochs = run.as_ref().map_or(epoch, |run| run.epochs);
        let speed = rate.images_per_second().unwrap_or(0.0);
        let left = run.as_ref().and_then(|run| {
            let steps = run.total_steps.saturating_sub(self.drawn.position());
            rate.seconds_for(steps * run.batch_size)
        });
        let left = left.map_or_else(String::new, |seconds| format!(", {seconds:.0} s left"));
        format!("epoch {epoch}/{epochs}, loss {loss:.4}, {speed:.0} images/s{left}")
    }
}

fn target() -> ProgressDrawTarget {
    if std::io::stderr().is_terminal() {
        ProgressDrawTarget::stderr_with_hz(10)
    } else {
        ProgressDrawTarget::hidden()
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// A bar for a count that is known from the start. Shows nothing where stderr is not a terminal.
pub(crate) struct Line(ProgressBar);

impl Line {
    /// A bar that ends at `length`.
    pub(crate) fn new(length: u64) -> Self {
        let bar = ProgressBar::with_draw_target(Some(length), target())
            .with_style(style("{msg} {wide_bar} {percent:>3}%"));
        bar.tick();
        Self(bar)
    }

    /// Shows how far it is, and a message.
    pub(crate) fn update(&self, position: u64, message: String) {
        self.0.set_position(position);
        self.0.set_message(message);
    }

    /// Shows that the program is alive while nothing is reported.
    pub(crate) fn tick(&self) {
        self.0.tick();
    }

    /// Takes the bar away for good.
    pub(crate) fn clear(&self) {
        self.0.finish_and_clear();
    }

    /// Takes the bar away while something is printed.
    pub(crate) fn suspend<T>(&self, print: impl FnOnce() -> T) -> T {
        self.0.suspend(print)
    }
}
