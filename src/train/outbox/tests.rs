use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use crossbeam_channel::{Receiver, bounded};

use super::*;
use crate::{
    hardware::Reading,
    metrics::Confusion,
    protocol::{
        Best, Clock, EpochRecord, Epochs, EvalPoint, EvalSet, Evaluation, Hardware, Progress,
        RateChange, RunState, Sample, TrainingProgress, TrainingState,
    },
};

const DEADLINE: Duration = Duration::from_secs(20);

fn progress(epoch: u32, first_step: u64, losses: &[f32]) -> Event {
    Event::Progress(Progress {
        epoch,
        first_step,
        first_batch: first_step,
        losses: losses.to_vec(),
        images: first_step,
        learning_rate: 0.001,
        clock: Clock::default(),
        sample: None,
        measures: Vec::new(),
    })
}

fn outbox_of(capacity: usize) -> (Outbox, Receiver<Event>) {
    let (sender, receiver) = bounded(capacity);
    (Outbox::new(vec![sender]), receiver)
}

#[test]
fn batches_that_a_full_channel_refuses_arrive_as_one_event() {
    let (mut outbox, receiver) = outbox_of(1);
    outbox.send(&Event::State(RunState::Training));
    for step in 1..=500 {
        outbox.send(&progress(1, step, &[step as f32]));
    }
    assert_eq!(receiver.recv_timeout(DEADLINE), Ok(Event::State(RunState::Training)));
    outbox.deliver();
    let Ok(Event::Progress(all)) = receiver.recv_timeout(DEADLINE) else {
        panic!("the batches arrive")
    };
    assert_eq!((all.first_step, all.last_step()), (1, 500));
    assert!(all.losses.iter().enumerate().all(|(i, &loss)| loss == i as f32 + 1.0));
    assert!(!outbox.is_waiting());
}

#[test]
fn batches_of_two_epochs_stay_apart() {
    let (mut outbox, receiver) = outbox_of(1);
    outbox.send(&Event::State(RunState::Training));
    outbox.send(&progress(1, 1, &[1.0]));
    outbox.send(&progress(2, 2, &[2.0]));
    receiver.recv_timeout(DEADLINE).expect("the first event is there");
    outbox.deliver();
    assert_eq!(receiver.recv_timeout(DEADLINE), Ok(progress(1, 1, &[1.0])));
    outbox.deliver();
    assert_eq!(receiver.recv_timeout(DEADLINE), Ok(progress(2, 2, &[2.0])));
}

#[test]
fn batches_never_overtake_another_event() {
    let (mut outbox, receiver) = outbox_of(1);
    let sent = [
        progress(1, 1, &[1.0]),
        progress(1, 2, &[2.0]),
        Event::State(RunState::Paused),
        progress(1, 3, &[3.0]),
    ];
    for event in &sent {
        outbox.send(event);
    }
    for event in &sent {
        outbox.deliver();
        assert_eq!(receiver.recv_timeout(DEADLINE).as_ref(), Ok(event));
    }
}

#[test]
fn only_the_newest_digits_are_kept() {
    let (mut outbox, receiver) = outbox_of(1);
    outbox.send(&Event::State(RunState::Training));
    for step in [1, 2] {
        let Event::Progress(mut batch) = progress(1, step, &[0.5]) else { unreachable!() };
        batch.sample = Some(Sample { step, digits: Vec::new(), originals: Vec::new() });
        outbox.send(&Event::Progress(batch));
    }
    outbox.send(&progress(1, 3, &[0.5]));
    receiver.recv_timeout(DEADLINE).expect("the first event is there");
    outbox.deliver();
    let Ok(Event::Progress(all)) = receiver.recv_timeout(DEADLINE) else {
        panic!("the batches arrive")
    };
    assert_eq!(all.sample.map(|sample| sample.step), Some(2));
}

#[test]
fn of_the_pictures_that_wait_only_the_newest_is_kept() {
    use crate::protocol::{EvalSet, Found, List, Query};
    let found = |step| {
        let query = Query { step, set: EvalSet::Test, cell: None, list: List::Hardest };
        Event::Found(Found::unknown(query))
    };
    let (mut outbox, receiver) = outbox_of(1);
    outbox.send(&Event::State(RunState::Training));
    for step in 1..=500 {
        outbox.send(&found(step));
    }
    outbox.send(&Event::State(RunState::Paused));
    receiver.recv_timeout(DEADLINE).expect("the first event is there");
    for event in [found(500), Event::State(RunState::Paused)] {
        outbox.deliver();
        assert_eq!(receiver.recv_timeout(DEADLINE), Ok(event));
    }
    assert!(!outbox.is_waiting());
}

#[test]
fn a_listener_that_is_gone_does_not_keep_the_others_from_their_events() {
    let (gone, receiver) = bounded(1);
    drop(receiver);
    let (sender, receiver) = bounded(1);
    let mut outbox = Outbox::new(vec![gone, sender]);
    outbox.send(&Event::State(RunState::Training));
    outbox.send(&Event::State(RunState::Done));
    assert_eq!(outbox.listeners.len(), 1);
    let end = thread::spawn(move || outbox.finish());
    for state in [RunState::Training, RunState::Done] {
        assert_eq!(receiver.recv_timeout(DEADLINE), Ok(Event::State(state)));
    }
    end.join().expect("the end is reached");
}

#[test]
fn at_the_end_a_listener_that_does_not_read_delays_no_other() {
    let (stalled, unread) = bounded(1);
    let (sender, receiver) = bounded(1);
    let mut outbox = Outbox::new(vec![stalled, sender]);
    let states = [RunState::Loading, RunState::Training, RunState::Done];
    for state in states {
        outbox.send(&Event::State(state));
    }
    let end = thread::spawn(move || outbox.finish());
    for state in states {
        assert_eq!(receiver.recv_timeout(DEADLINE), Ok(Event::State(state)));
    }
    for state in states {
        assert_eq!(unread.recv_timeout(DEADLINE), Ok(Event::State(state)));
    }
    end.join().expect("the end is reached");
}

#[test]
fn what_waits_comes_in_portions() {
    let (mut outbox, receiver) = outbox_of(1);
    outbox.send(&Event::State(RunState::Training));
    let portion = Progress::MOST / 4;
    for number in 0..9 {
        let first_step = (number * portion) as u64 + 1;
        outbox.send(&progress(1, first_step, &vec![0.5; portion]));
    }
    receiver.recv_timeout(DEADLINE).expect("the first event is there");
    let mut lengths = Vec::new();
    for _ in 0..3 {
        outbox.deliver();
        let Ok(Event::Progress(part)) = receiver.recv_timeout(DEADLINE) else {
            panic!("the batches arrive")
        };
        lengths.push(part.losses.len());
    }
    assert_eq!(lengths, [Progress::MOST, Progress::MOST, portion]);
}

/// All images but `epoch` of them are recognised.
fn record(epoch: u32) -> EpochRecord {
    let evaluation = Evaluation {
        set: EvalSet::Test,
        loss: 1.0 / f64::from(epoch),
        correct: 200_000 - u64::from(epoch),
        total: 200_000,
        seconds: 0.0,
        confusion: Confusion::new(10),
    };
    EpochRecord {
        epoch,
        step: u64::from(epoch),
        batches: 1,
        train_loss: 0.5,
        train_accuracy: None,
        train_seconds: 0.0,
        images_per_second: 0.0,
        evaluation,
        clock: Clock::default(),
    }
}

/// What an epoch of one step reports.
fn epoch(number: u32) -> [Event; 4] {
    let Event::Progress(mut step) = progress(number, u64::from(number), &[number as f32]) else {
        unreachable!()
    };
    step.first_batch = 1;
    [
        Event::State(RunState::Training),
        Event::Progress(step),
        Event::State(RunState::Evaluating),
        Event::Epoch(record(number)),
    ]
}

/// An outbox for a screen alone, at whose clock one tick is a microsecond.
fn screen_of(capacity: usize) -> (Outbox, Receiver<Event>, Arc<AtomicU64>) {
    let (sender, receiver) = bounded(capacity);
    let ticks = Arc::new(AtomicU64::new(0));
    let (clock, start) = (Arc::clone(&ticks), Instant::now());
    let now = move || start + Duration::from_micros(clock.load(Ordering::Relaxed));
    (Outbox::new(Vec::new()).with_screen(Some(sender), now), receiver, ticks)
}

#[test]
fn a_screen_that_falls_behind_gets_epochs_at_once_and_misses_no_number() {
    let (mut outbox, receiver, _) = screen_of(1);
    outbox.send(&Event::State(RunState::Paused));
    let last = 3_000;
    for event in (1..=last).flat_map(epoch) {
        outbox.send(&event);
    }
    outbox.send(&Event::State(RunState::Training));
    outbox.send(&Event::State(RunState::Done));
    let end = thread::spawn(move || outbox.finish());
    let events: Vec<Event> = std::iter::from_fn(|| receiver.recv_timeout(DEADLINE).ok()).collect();
    end.join().expect("the end is reached");
    // The first epoch has nothing before it to be joined to.
    assert_eq!(events[1..3], epoch(1)[..2]);
    let states: Vec<&Event> =
        events.iter().filter(|event| matches!(event, Event::State(_))).collect();
    let expected = [
        RunState::Paused,
        RunState::Training,
        RunState::Evaluating,
        RunState::Training,
        RunState::Done,
    ];
    assert_eq!(states, expected.map(Event::State).iter().collect::<Vec<_>>());
    let Some(Event::Epochs(epochs)) = events.get(4) else { panic!("{} events", events.len()) };
    let Epochs { losses, reached, brief, whole } = epochs.as_ref();
    assert!(losses.iter().copied().eq((2..=last).map(|number| number as f32)));
    let reached = reached.as_ref().expect("steps were trained");
    assert_eq!((reached.epoch, reached.last_step(), reached.last_batch()), (last, 3_000, 1));
    assert_eq!((brief.len(), whole.len()), (last as usize - Epochs::WHOLE, Epochs::WHOLE));
    let points = brief.iter().copied();
    assert!(points.eq(
        (1..).map(record).map(|one| EvalPoint::new(one.step, &one.evaluation)).take(brief.len())
    ));
    assert!(whole.iter().cloned().eq((brief.len() as u32 + 1..=last).map(record)));
}

#[test]
fn what_happens_between_two_epochs_stays_there() {
    let (mut outbox, receiver, _) = screen_of(1);
    outbox.send(&Event::State(RunState::Paused));
    let change = RateChange { step: 2, learning_rate: 0.1, branch: false };
    let events: Vec<Event> = epoch(1)
        .into_iter()
        .chain(epoch(2))
        .chain([Event::LearningRate(change)])
        .chain(epoch(3))
        .chain(epoch(4))
        .collect();
    for event in &events {
        outbox.send(event);
    }
    let end = thread::spawn(move || outbox.finish());
    let found: Vec<Event> = std::iter::from_fn(|| receiver.recv_timeout(DEADLINE).ok()).collect();
    end.join().expect("the end is reached");
    let kinds = found.iter().filter_map(|event| match event {
        Event::Epochs(epochs) => Some(epochs.whole.iter().map(|one| one.epoch).collect()),
        Event::LearningRate(_) => Some(Vec::new()),
        _ => None,
    });
    assert_eq!(kinds.collect::<Vec<Vec<u32>>>(), [vec![1, 2], vec![], vec![3, 4]]);
}

#[test]
fn others_than_a_screen_get_every_epoch_whole() {
    let (mut outbox, receiver) = outbox_of(1);
    let events: Vec<Event> = (1..=50).flat_map(epoch).collect();
    for event in &events {
        outbox.send(event);
    }
    let end = thread::spawn(move || outbox.finish());
    let found: Vec<Event> = std::iter::from_fn(|| receiver.recv_timeout(DEADLINE).ok()).collect();
    end.join().expect("the end is reached");
    assert_eq!(found, events);
}

#[test]
fn a_screen_is_given_something_at_most_40_times_a_second_and_what_is_urgent_at_once() {
    let (mut outbox, receiver, ticks) = screen_of(64);
    let (mut hand_overs, mut losses) = (0, 0);
    let mut take = || {
        let events: Vec<Event> = receiver.try_iter().collect();
        hand_overs += usize::from(!events.is_empty());
        losses += events
            .iter()
            .map(|event| match event {
                Event::Progress(progress) => progress.losses.len(),
                Event::Epochs(epochs) => epochs.losses.len(),
                _ => 0,
            })
            .sum::<usize>();
        events.len()
    };
    // Ten seconds of epochs of 100 µs.
    for number in 1..=100_000 {
        for event in epoch(number) {
            ticks.fetch_add(25, Ordering::Relaxed);
            outbox.send(&event);
            assert!(take() < 10, "all that waits is a few events");
        }
    }
    outbox.send(&Event::State(RunState::Paused));
    assert!(take() > 0, "the run stands still");
    assert_eq!(losses, 100_000);
    assert!((300..=402).contains(&hand_overs), "{hand_overs} in ten seconds");
}

fn checkpoint(step: u64, best: u64) -> Event {
    Event::Checkpoint(Arc::new(TrainingState {
        progress: TrainingProgress {
            step,
            best: Some(Best { epoch: 1, step: best, accuracy: 0.5 }),
            ..TrainingProgress::default()
        },
        weights: Vec::new(),
        running: Vec::new(),
        set: crate::data::DataInfo::mnist(),
        slots: Vec::new(),
        average: None,
        best: None,
        losses: Vec::new(),
    }))
}

#[test]
fn a_writer_that_falls_behind_gets_the_newest_checkpoint_and_the_best_in_their_places() {
    let (mut outbox, receiver) = outbox_of(64);
    outbox.send(&Event::State(RunState::Loading));
    // What was sent before is not yet read, so that newer checkpoints take the place of these.
    let events = [checkpoint(1, 1), progress(1, 2, &[2.0]), checkpoint(2, 1)];
    for event in &events {
        outbox.send(event);
    }
    let events = [progress(1, 3, &[3.0]), checkpoint(3, 3), progress(1, 4, &[4.0])];
    for event in &events {
        outbox.send(event);
    }
    let events = [checkpoint(4, 3), progress(1, 5, &[5.0]), checkpoint(5, 3)];
    for event in &events {
        outbox.send(event);
    }
    let mut found = Vec::new();
    while outbox.is_waiting() || !receiver.is_empty() {
        found.extend(receiver.try_recv());
        outbox.deliver();
    }
    let steps = |event: &Event| match event {
        Event::Checkpoint(state) => Some(state.progress.step),
        Event::Progress(progress) => Some(progress.last_step() + 100),
        _ => None,
    };
    assert_eq!(found.iter().filter_map(steps).collect::<Vec<_>>(), [103, 3, 105, 5]);
}

#[test]
fn a_screen_gets_no_checkpoints() {
    let (mut outbox, receiver, _) = screen_of(4);
    outbox.send(&checkpoint(1, 1));
    outbox.finish();
    assert_eq!(receiver.try_iter().count(), 0);
}

#[test]
fn of_the_machines_figures_the_newest_waits_and_epochs_melt_across_them() {
    let hardware = |step| Event::Hardware(Hardware { step, reading: Reading::default() });
    let (mut outbox, receiver) = outbox_of(1);
    outbox.send(&Event::State(RunState::Training));
    for step in 1..=9 {
        outbox.send(&progress(1, step, &[0.5]));
        outbox.send(&hardware(step));
    }
    let mut found = Vec::new();
    while let Ok(event) = receiver.try_recv() {
        found.push(event);
        outbox.deliver();
    }
    let [_, Event::Progress(all), last] = &found[..] else { panic!("{found:?}") };
    assert_eq!((all.first_step, all.last_step(), last), (1, 9, &hardware(9)));
}
