//! A run without a screen: one line an epoch, and the article's two lines at the end.

use std::{
    fmt::Write as _,
    io::{self, Write},
    sync::{Arc, OnceLock},
    time::Duration,
};

use crossbeam_channel::{Receiver, bounded, never, select, tick};

use crate::{
    bar::Bar,
    launch::Launch,
    outcome::Outcome,
    printable::{Shown, complain, thousands},
    protocol::{Command, EpochRecord, Evaluation, Event, RunInfo, Summary, diverged_at},
    recorder::Report,
    run_log::{LogError, RunLog, is_stdout},
    terminal::{
        After, is_continue, is_hang_up, is_resize, is_suspend, let_go, stop_until_continued,
        watch_signals,
    },
    train,
};

/// Events that wait to be printed; further ones wait in the worker.
const CAPACITY: usize = 64;
/// How often the bar moves while the data is read.
const TICK: Duration = Duration::from_millis(200);

/// Trains and prints to stdout; a progress bar goes to stderr if that is a terminal.
///
/// A reader of stdout that goes away (`| head -1`) ends the run as a person would.
pub fn run(mut launch: Launch, outlives_terminal: bool) -> Outcome {
    let (sender, events) = bounded(CAPACITY);
    let mut listeners = vec![sender];
    let writers = match launch.writers(&mut listeners) {
        Ok(writers) => writers,
        Err(outcome) => return outcome,
    };
    if let Some(warning) = launch.warning {
        complain("warning", &warning);
    }
    let worker = train::spawn_with_tools(launch.config, launch.tools, listeners);
    let signal = Arc::new(OnceLock::new());
    let (commands, seen) = (worker.commands(), Arc::clone(&signal));
    let watching = watch_signals(move |number| {
        if is_suspend(number) {
            // Without a screen there is nothing to give back.
            let _ = stop_until_continued();
            return After::GoOn;
        }
        if is_resize(number) || is_continue(number) {
            return After::GoOn;
        }
        if is_hang_up(number) && outlives_terminal {
            // Without the null device a line for the terminal ends the run.
            let _ = let_go();
            return After::GoOn;
        }
        seen.get_or_init(|| number);
        // The receiver is gone where the run has just ended by itself.
        let _ = commands.send(Command::Stop);
        After::End
    });
    if let Err(error) = watching {
        return Outcome::failure(format_args!("cannot watch for signals: {error}"));
    }
    // Where standard output has the log, it has nothing else.
    let out: Box<dyn Write> = if launch.log.as_deref().is_some_and(is_stdout) {
        Box::new(io::stderr())
    } else {
        Box::new(io::stdout().lock())
    };
    let mut lines = Lines { out, bar: Bar::new(""), info: None, failure: None };
    let reports = writers.recorder.as_ref().map_or_else(never, |one| one.reports().clone());
    let ended = lines.follow(&events, &reports, writers.log.as_ref());
    let failure = lines.failure.take();
    if ended.is_err() {
        worker.send(Command::Stop);
    }
    drop(events);
    worker.join();
    let outcome = match (ended, writers.finish().or(failure)) {
        (Ok(failed @ Outcome::Failed(_)), _) => failed,
        (_, Some(error)) => Outcome::failure(error),
        (Ok(outcome), None) => outcome,
        (Err(error), None) if error.kind() == io::ErrorKind::BrokenPipe => Outcome::Stopped,
        (Err(error), None) => {
            Outcome::failure(format_args!("cannot write to standard output: {error}"))
        }
    };
    match signal.get() {
        Some(signal) if outcome == Outcome::Stopped => Outcome::Signal(*signal),
        _ => outcome,
    }
}

/// Prints events as lines, above the progress bar.
struct Lines<W: Write> {
    out: W,
    bar: Bar,
    info: Option<RunInfo>,
    /// Why the run cannot be resumed from its last step, if so.
    failure: Option<String>,
}

impl<W: Write> Lines<W> {
    fn follow(
        &mut self,
        events: &Receiver<Event>,
        reports: &Receiver<Report>,
        log: Option<&RunLog>,
    ) -> io::Result<Outcome> {
        let (mut reports, mut ticks) = (reports.clone(), tick(TICK));
        let mut has_trained = false;
        loop {
            let event = select! {
                recv(events) -> event => event,
                recv(reports) -> report => {
                    match report {
                        Ok(report) => self.report(report),
                        Err(_) => reports = never(),
                    }
                    continue;
                }
                recv(ticks) -> _ => {
                    self.bar.tick();
                    continue;
                }
            };
            let Ok(event) = event else { break };
            if log.and_then(RunLog::failed).is_some_and(LogError::reader_is_gone) {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
            self.bar.update(&event);
            match event {
                Event::Started(info) => {
                    self.info = Some(info);
                    ticks = never();
                }
                Event::Epoch(record) => self.print(&epoch_line(&record, self.epochs()))?,
                // What a person asks for is shown on a screen.
                Event::Evaluated(record) if record.step == 0 => {
                    self.print(&epoch_line(&record, self.epochs()))?;
                }
                Event::Finished(summary) => {
                    self.bar.clear();
                    self.print(&summary_lines(&summary, self.info.as_ref()))?;
                    return Ok(Outcome::of(&summary));
                }
                Event::Failed(failure) => {
                    self.bar.clear();
                    return Ok(Outcome::Failed(failure));
                }
                // What a user should know of the data; later ones answer a person at a screen.
                Event::Notice(notice) if !has_trained => {
                    self.bar.suspend(|| complain("note", &notice));
                }
                Event::Progress(_) => has_trained = true,
                // For a screen and its person, and for files.
                Event::State(_)
                | Event::Evaluated(_)
                | Event::Epochs(_)
                | Event::Rewound(_)
                | Event::LearningRate(_)
                | Event::Break(_)
                | Event::Inspected(_)
                | Event::Insides(_)
                | Event::Explained(_)
                | Event::Checkpoint(_)
                | Event::Found(_)
                | Event::Hardware(_)
                | Event::Notice(_) => {}
            }
        }
        Ok(Outcome::failure("training ended without giving a reason"))
    }

    /// Tells at once what cannot be kept.
    fn report(&mut self, report: Report) {
        match report {
            Report::Kept { .. } => self.failure = None,
            Report::CheckpointFailed(reason) | Report::Ended(reason) => {
                // A folder that is gone stays so from checkpoint to checkpoint.
                if self.failure.as_ref() != Some(&reason) {
                    self.bar.suspend(|| complain("warning", &reason));
                }
                self.failure = Some(reason);
            }
        }
    }

    fn epochs(&self) -> u32 {
        self.info.as_ref().map_or(0, |info| info.epochs)
    }

    fn print(&mut self, lines: &str) -> io::Result<()> {
        let out = &mut self.out;
        self.bar.suspend(|| {
            out.write_all(lines.as_bytes())?;
            out.flush()
        })
    }
}

/// Widths are those of usual values, so that the columns of a run stand still.
fn epoch_line(record: &EpochRecord, epochs: u32) -> String {
    let EpochRecord { epoch, train_loss, train_seconds, images_per_second, .. } = record;
    let Evaluation { set, loss, correct, total, .. } = &record.evaluation;
    let percent = 100.0 * record.evaluation.accuracy();
    let set = set.name();
    let (epoch_width, count_width) = (width(&epochs), width(total));
    if record.step == 0 {
        return format!(
            "epoch {epoch:>epoch_width$}/{epochs}: {:<18} {set} loss {loss:.4}, \
             {correct:>count_width$}/{total} ({percent:5.2}%)\n",
            "before training,"
        );
    }
    format!(
        "epoch {epoch:>epoch_width$}/{epochs}: train loss {train_loss:.4}, {set} loss {loss:.4}, \
         {correct:>count_width$}/{total} ({percent:5.2}%), {train_seconds:>6.2} s, \
         {images_per_second:>6.0} images/s\n"
    )
}

fn width(number: &impl ToString) -> usize {
    number.to_string().len()
}

/// As the article writes it: `9725/10000 (97.25%)`.
pub(crate) fn score(evaluation: &Evaluation) -> String {
    let Evaluation { correct, total, .. } = evaluation;
    format!("{correct}/{total} ({:.2}%)", 100.0 * evaluation.accuracy())
}

/// The article's two lines, without its measurement's many digits.
pub(crate) fn summary_lines(summary: &Summary, info: Option<&RunInfo>) -> String {
    let mut lines = String::new();
    if let Some(path) = &summary.saved {
        let _ = writeln!(lines, "weights saved to {}", path.shown());
    }
    let images = info.map_or(0, |info| info.train_images);
    let _ = write!(lines, "training with {images} data... ");
    if let Some(step) = summary.diverged {
        lines.push_str(&diverged_at(step));
    } else if summary.stopped {
        let _ = write!(lines, "stopped after {} steps", thousands(summary.steps));
    } else if info.is_some_and(|info| summary.steps < info.total_steps) {
        let _ = write!(lines, "ended early after {} steps", thousands(summary.steps));
    } else {
        lines.push_str("done");
    }
    let _ = writeln!(lines, " (elapsed {:.1}s)", summary.clock.training);
    if let Some(test) = summary.test.as_ref().filter(|_| summary.diverged.is_none()) {
        let of = summary.best.map_or_else(String::new, |best| {
            format!(" of epoch {}, the best on the validation images", best.epoch)
        });
        let _ = writeln!(lines, "test accuracy{of}: {}", score(test));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        metrics::Confusion,
        protocol::{Best, Clock, EvalSet},
    };

    fn evaluation(correct: u64) -> Evaluation {
        Evaluation {
            set: EvalSet::Test,
            loss: 0.078_93,
            correct,
            total: 10_000,
            seconds: 0.1,
            confusion: Confusion::new(10),
        }
    }

    fn record(epoch: u32, correct: u64) -> EpochRecord {
        EpochRecord {
            epoch,
            step: 1_200,
            batches: 1_200,
            train_loss: 0.231_24,
            train_accuracy: None,
            train_seconds: 0.52,
            images_per_second: 115_384.6,
            evaluation: evaluation(correct),
            clock: Clock { training: 4.06, evaluating: 1.0 },
        }
    }

    fn summary() -> Summary {
        Summary {
            steps: 1_200,
            images: 60_000,
            clock: record(1, 0).clock,
            test: Some(evaluation(9_725)),
            best: None,
            stopped: false,
            saved: None,
            diverged: None,
        }
    }

    #[test]
    fn the_columns_of_the_epochs_stand_still() {
        assert_eq!(
            epoch_line(&record(1, 9_756), 10),
            "epoch  1/10: train loss 0.2312, test loss 0.0789,  9756/10000 (97.56%),   0.52 s, \
             115385 images/s\n"
        );
        let ends = [record(2, 980), record(10, 9_900)]
            .map(|record| epoch_line(&record, 10).find(" images/s"));
        assert_eq!(ends[0], ends[1]);
    }

    #[test]
    fn the_evaluation_before_training_stands_in_the_columns_of_the_others() {
        let untrained = EpochRecord { step: 0, ..record(0, 974) };
        let line = epoch_line(&untrained, 10);
        let expected = "epoch  0/10: before training,   test loss 0.0789,   974/10000 ( 9.74%)\n";
        assert_eq!(line, expected);
        assert_eq!(line.find("test loss"), epoch_line(&record(1, 9_756), 10).find("test loss"));
    }

    #[test]
    fn the_end_is_told_as_the_article_does() {
        let info = RunInfo { total_steps: 1_200, ..RunInfo::example() };
        assert_eq!(
            summary_lines(&summary(), Some(&info)),
            "training with 60000 data... done (elapsed 4.1s)\n\
             test accuracy: 9725/10000 (97.25%)\n"
        );
        let best = Some(Best { epoch: 7, step: 700, accuracy: 0.98 });
        assert_eq!(
            summary_lines(&Summary { best, ..summary() }, Some(&RunInfo::example())),
            "training with 60000 data... ended early after 1,200 steps (elapsed 4.1s)\n\
             test accuracy of epoch 7, the best on the validation images: 9725/10000 (97.25%)\n"
        );
    }

    #[test]
    fn a_stopped_run_says_how_far_it_came_and_where_the_weights_are() {
        let stopped =
            Summary { stopped: true, test: None, saved: Some("w.safetensors".into()), ..summary() };
        assert_eq!(
            summary_lines(&stopped, Some(&RunInfo::example())),
            "weights saved to w.safetensors\n\
             training with 60000 data... stopped after 1,200 steps (elapsed 4.1s)\n"
        );
    }

    #[test]
    fn a_name_that_commands_the_terminal_is_spelled_out() {
        let saved = Some("w\u{1b}[2J\n".into());
        let lines = summary_lines(&Summary { saved, ..summary() }, None);
        assert!(lines.starts_with("weights saved to w\\u{1b}[2J\\n\ntraining"), "{lines}");
    }
}
