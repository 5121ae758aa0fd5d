//! The events of a run, told again to other screens, give the same pictures.

use std::{ops::Range, path::Path, time::Duration};

use crossbeam_channel::{Receiver, bounded, unbounded};
use mnist_tui::{
    app::{Action, App, Msg, View},
    config::{DataSource, RunConfig},
    journal::{Journal, JournalReader},
    protocol::{Breakpoint, Clock, Command, Epochs, Event, Measure, Progress, RunState},
    train::{Tools, spawn_with_screen},
    ui::{Dashboard, Depth, Theme},
};
use ratatui::{buffer::Buffer, layout::Rect, widgets::Widget};

#[path = "common/idx.rs"]
mod idx;

const DEADLINE: Duration = Duration::from_secs(60);
/// Images of a batch.
const BATCH: u64 = 5;

/// A run of five epochs that pauses, rewinds, continues at another rate and ends: what a listener got
/// that takes everything, and a screen that takes nothing before the end.
fn recorded() -> (Vec<Event>, Vec<Event>) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    idx::write_set(folder.path(), 200, 30);
    let config = RunConfig {
        data: DataSource::Path(folder.path().to_owned()),
        epochs: 5,
        batch_size: BATCH as usize,
        threads: Some(1),
        ..RunConfig::default()
    };
    let tools = Tools { breakpoints: vec![Breakpoint::Step(130)], ..Tools::attended() };
    let ((screen, late), (sender, events)) = (bounded(1), unbounded());
    let worker = spawn_with_screen(config, tools, screen, vec![sender]);
    let mut all = until(&events, &Event::State(RunState::Paused));
    worker.send(Command::Back(25));
    all.extend(until(&events, &Event::State(RunState::Paused)));
    worker.send(Command::SetBreakpoints(Vec::new()));
    worker.send(Command::ScaleLearningRate(0.5));
    worker.send(Command::Resume);
    all.extend(until(&events, &Event::State(RunState::Done)));
    worker.send(Command::Stop);
    let late: Vec<Event> = late.iter().collect();
    all.extend(events.iter());
    worker.join();
    (all, late)
}

/// The events up to this one.
fn until(events: &Receiver<Event>, last: &Event) -> Vec<Event> {
    let mut found = Vec::new();
    // A rewind is reported by `Rewound`; it was paused before and stays so.
    while found.last() != Some(last) && !matches!(found.last(), Some(Event::Rewound(_))) {
        found.push(events.recv_timeout(DEADLINE).expect("an event comes in time"));
    }
    found
}

/// Steps of one report as reports of at most `most` steps.
fn split(progress: &Progress, most: usize) -> Vec<Event> {
    let mut before = 0;
    let count = progress.losses.len() as u64;
    let parts = progress.losses.chunks(most).map(|losses| {
        let first = before;
        before += losses.len() as u64;
        Event::Progress(Progress {
            first_step: progress.first_step + first,
            first_batch: progress.first_batch + first,
            losses: losses.to_vec(),
            images: progress.images - (count - before) * BATCH,
            sample: progress.sample.clone().filter(|_| before == count),
            measures: measured(progress, before - losses.len() as u64..before),
            ..progress.clone()
        })
    });
    let parts: Vec<Event> = parts.collect();
    if parts.is_empty() { vec![Event::Progress(progress.clone())] } else { parts }
}

/// What was measured of the steps at these places of a report.
fn measured(progress: &Progress, places: Range<u64>) -> Vec<Measure> {
    let measures = progress.measures.iter();
    measures.filter(|one| places.contains(&(one.step - progress.first_step))).copied().collect()
}

/// Steps of neighbouring reports of an epoch as one report.
fn joined(events: &[Event]) -> Vec<Event> {
    let mut found: Vec<Event> = Vec::new();
    for event in events {
        match (found.last_mut(), event) {
            (Some(Event::Progress(old)), Event::Progress(new)) if old.epoch == new.epoch => {
                let losses = [old.losses.as_slice(), &new.losses].concat();
                let sample = new.sample.clone().or(old.sample.take());
                let (first_step, first_batch) = (old.first_step, old.first_batch);
                let measures = [old.measures.as_slice(), &new.measures].concat();
                *old =
                    Progress { losses, sample, measures, first_step, first_batch, ..new.clone() };
            }
            _ => found.push(event.clone()),
        }
    }
    found
}

/// With a clock that goes by the steps trained, since no other tells how long a part of a report was.
fn evenly(events: Vec<Event>) -> Vec<Event> {
    let (mut steps, mut evaluations) = (0_u64, 0_u32);
    let clock = |steps: u64, evaluations: u32| Clock {
        training: steps as f64 / 1_024.0,
        evaluating: f64::from(evaluations) / 64.0,
    };
    events
        .into_iter()
        .map(|mut event| {
            match &mut event {
                Event::Progress(progress) => {
                    steps += progress.losses.len() as u64;
                    progress.clock = clock(steps, evaluations);
                }
                Event::Epoch(record) | Event::Evaluated(record) => {
                    evaluations += 1;
                    record.clock = clock(steps, evaluations);
                }
                Event::Epochs(epochs) => {
                    let Epochs { losses, reached, brief, whole } = epochs.as_mut();
                    assert!(brief.is_empty(), "so few are kept whole");
                    let last = whole.back().expect("one at least").step;
                    steps += losses.len() as u64;
                    for record in whole {
                        evaluations += 1;
                        record.clock = clock(steps - (last - record.step), evaluations);
                    }
                    if let Some(reached) = reached {
                        reached.clock = clock(steps, evaluations - 1);
                    }
                }
                Event::Rewound(rewound) => rewound.clock = clock(steps, evaluations),
                Event::Finished(summary) => summary.clock = clock(steps, evaluations),
                _ => {}
            }
            event
        })
        .collect()
}

/// All views, as they are wherever the run stands still.
fn pictures(mut app: App, events: Vec<Event>) -> Vec<(View, Buffer)> {
    let theme = Theme::new(Depth::True);
    let mut found = Vec::new();
    for event in evenly(events) {
        let stands = matches!(
            event,
            Event::State(RunState::Paused) | Event::Rewound(_) | Event::Finished(_)
        );
        let _ = app.update(event.into());
        if !stands {
            continue;
        }
        for view in View::ALL {
            let _ = app.update(Msg::Action(Action::Show(view)));
            for area in [Rect::new(0, 0, 120, 40), Rect::new(0, 0, 80, 24)] {
                let mut buffer = Buffer::empty(area);
                Dashboard::new(&app, &theme).render(area, &mut buffer);
                found.push((view, buffer));
            }
        }
    }
    found
}

fn assert_same(found: &[(View, Buffer)], expected: &[(View, Buffer)], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (place, ((view, found), (_, expected))) in found.iter().zip(expected).enumerate() {
        assert_eq!(found, expected, "{what}, {view:?}, picture {place}");
    }
}

#[test]
fn a_run_looks_the_same_however_its_events_are_portioned() {
    let (all, late) = recorded();
    let app = || App::new(vec![Breakpoint::Step(130)]);
    let expected = pictures(app(), all.clone());
    // A pause, a rewind, the end; seven views in two sizes.
    assert!(expected.len() >= 3 * 14, "{}", expected.len());
    let of_size = |most: usize| {
        all.iter()
            .flat_map(|event| match event {
                Event::Progress(progress) => split(progress, most),
                event => vec![event.clone()],
            })
            .collect()
    };
    assert_same(&pictures(app(), of_size(1)), &expected, "step by step");
    assert_same(&pictures(app(), of_size(7)), &expected, "in sevens");
    assert_same(&pictures(app(), joined(&all)), &expected, "as few reports as can be");
    let several = late.iter().filter(|event| matches!(event, Event::Epochs(_))).count();
    assert!(several > 0, "the screen was behind");
    assert_same(&pictures(app(), late), &expected, "by a screen that was behind");
}

#[test]
fn a_run_looks_the_same_out_of_its_journal() {
    let (all, _) = recorded();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("journal");
    let mut journal = Journal::open(&path, 0).expect("it opens");
    for event in &all {
        journal.write(event).expect("there is room");
    }
    journal.flush().expect("there is room");
    let told = read(&path);
    let kept = all.into_iter().filter_map(|event| match event {
        Event::Inspected(_) | Event::Insides(_) | Event::Found(_) | Event::Notice(_) => None,
        Event::Progress(progress) if progress.losses.is_empty() => None,
        Event::Progress(progress) => Some(Event::Progress(Progress { sample: None, ..progress })),
        event => Some(event),
    });
    let app = || App::new(Vec::new()).looking_on();
    assert_same(&pictures(app(), told), &pictures(app(), kept.collect()), "out of the journal");
}

fn read(path: &Path) -> Vec<Event> {
    let mut reader = JournalReader::open(path).expect("it is there");
    std::iter::from_fn(|| reader.next_event().expect("it is whole")).collect()
}
