//! `reproduce`: the article's two experiments, next to its own figures.

use std::fmt::Write as _;

use crossbeam_channel::bounded;

use crate::{
    bar::Bar,
    check::print,
    config::RunConfig,
    headless::score,
    outcome::Outcome,
    protocol::{Event, Failure, Summary},
    train,
};

struct Experiment {
    name: &'static str,
    batch_size: usize,
    shuffle: bool,
    /// Seconds of training on the author's machine in 2019.
    article_seconds: f64,
    article_score: &'static str,
}

const EXPERIMENTS: [Experiment; 2] = [
    Experiment {
        name: "batch 1, file order",
        batch_size: 1,
        shuffle: false,
        article_seconds: 70.17,
        article_score: "9766/10000 (97.66%)",
    },
    Experiment {
        name: "batch 50, shuffled",
        batch_size: 50,
        shuffle: true,
        article_seconds: 18.18,
        article_score: "9725/10000 (97.25%)",
    },
];

/// Trains both for one epoch, with data, seed and machine of `config`, and prints a table.
pub fn run(config: &RunConfig) -> Outcome {
    if let Err(error) = config.validate() {
        return Outcome::Failed(error.into());
    }
    let mut rows = Vec::new();
    for experiment in &EXPERIMENTS {
        match train(experiment, config) {
            Ok(summary) => rows.push((experiment, summary)),
            Err(failure) => return Outcome::Failed(failure),
        }
    }
    print(&table(&rows))
}

fn train(experiment: &Experiment, config: &RunConfig) -> Result<Summary, Failure> {
    let (batch_size, shuffle) = (experiment.batch_size, experiment.shuffle);
    let config = RunConfig { epochs: 1, batch_size, shuffle, ..config.clone() };
    let (sender, events) = bounded(64);
    let worker = train::spawn(config, vec![sender]);
    let mut bar = Bar::new(&format!("{}: ", experiment.name));
    let mut ended = None;
    for event in events {
        bar.update(&event);
        match event {
            Event::Finished(summary) => ended = Some(Ok(summary)),
            Event::Failed(failure) => ended = Some(Err(failure)),
            _ => {}
        }
    }
    bar.clear();
    worker.join();
    ended.unwrap_or_else(|| {
        let message = "training ended without saying why".to_owned();
        Err(Failure::new(message))
    })
}

fn table(rows: &[(&Experiment, Summary)]) -> String {
    let mut text = format!(
        "{:<20}{:^20}   {:^41}\n{:<20}{:>9}  {:>9}   {:>19}   {:>19}   {:>7}\n",
        "",
        "training time",
        "test accuracy",
        "one epoch",
        "article",
        "here",
        "article",
        "here",
        "speed-up"
    );
    for (experiment, summary) in rows {
        let seconds = summary.clock.training;
        let here = summary.test.as_ref().map_or_else(|| "-".to_owned(), score);
        let _ = writeln!(
            text,
            "{:<20}{:>7.2} s  {:>7.2} s   {:>19}   {:>19}   {:>7.1}×",
            experiment.name,
            experiment.article_seconds,
            seconds,
            experiment.article_score,
            here,
            experiment.article_seconds / seconds,
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        metrics::Confusion,
        protocol::{Clock, EvalSet, Evaluation},
    };

    #[test]
    fn the_columns_line_up() {
        let summary = |training, correct| Summary {
            steps: 1_200,
            images: 60_000,
            clock: Clock { training, evaluating: 0.1 },
            test: Some(Evaluation {
                set: EvalSet::Test,
                loss: 0.1,
                correct,
                total: 10_000,
                seconds: 0.1,
                confusion: Confusion::new(10),
            }),
            best: None,
            stopped: false,
            saved: None,
            diverged: None,
        };
        let [single, batched] = &EXPERIMENTS;
        let text = table(&[(single, summary(1.25, 9_788)), (batched, summary(0.5, 9_731))]);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 4);
        assert_eq!(
            lines[2],
            "batch 1, file order   70.17 s     1.25 s   9766/10000 (97.66%)   9788/10000 (97.88%)  \
             \x20   56.1×"
        );
        let widths: Vec<_> = lines[1..].iter().map(|line| line.chars().count()).collect();
        assert!(widths.iter().all(|&width| width == widths[0]), "{text}");
    }
}
