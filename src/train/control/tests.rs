use proptest::prelude::*;

use super::*;

fn paused() -> Control {
    let mut control = Control::new();
    control.apply(&Command::Pause);
    control
}

/// Trains until the machine waits or `limit` batches are through; gives how many were.
fn batches_until_wait(control: &mut Control, limit: u64) -> u64 {
    for trained in 0..limit {
        if control.before_batch() != Gate::Go {
            return trained;
        }
        control.after_batch(trained + 1);
    }
    limit
}

#[test]
fn a_new_run_trains_without_being_asked() {
    assert_eq!(batches_until_wait(&mut Control::new(), 1_000), 1_000);
}

#[test]
fn pause_stops_before_the_next_batch_and_resume_goes_on() {
    let mut control = Control::new();
    assert_eq!(control.before_batch(), Gate::Go);
    control.after_batch(1);
    control.apply(&Command::Pause);
    assert_eq!(control.before_batch(), Gate::Wait);
    control.apply(&Command::Resume);
    assert_eq!(batches_until_wait(&mut control, 100), 100);
}

#[test]
fn a_step_while_training_counts_the_batch_in_progress() {
    for (steps, further) in [(1, 0), (2, 1), (10, 9)] {
        let mut control = Control::new();
        assert_eq!(control.before_batch(), Gate::Go);
        control.after_batch(1);
        control.apply(&Command::Step(steps));
        assert_eq!(batches_until_wait(&mut control, 100), further);
    }
}

#[test]
fn a_step_during_an_evaluation_counts_from_the_next_batch() {
    let mut control = Control::new();
    assert_eq!(control.before_batch(), Gate::Go);
    control.after_batch(1);
    control.before_evaluation();
    control.apply(&Command::Step(3));
    assert_eq!(batches_until_wait(&mut control, 100), 3);
}

#[test]
fn a_step_before_the_first_batch_trains_that_many() {
    let mut control = Control::new();
    control.apply(&Command::Step(3));
    assert_eq!(batches_until_wait(&mut control, 100), 3);
}

#[test]
fn a_step_of_nothing_trains_nothing() {
    let mut control = paused();
    control.apply(&Command::Step(0));
    assert_eq!(control.before_batch(), Gate::Wait);
}

#[test]
fn finishing_the_epoch_pauses_after_its_evaluation() {
    for mut control in [paused(), Control::new()] {
        control.apply(&Command::FinishEpoch);
        assert_eq!(batches_until_wait(&mut control, 500), 500);
        control.after_epoch();
        assert_eq!(control.before_batch(), Gate::Wait);
        control.apply(&Command::Resume);
        control.after_epoch();
        assert_eq!(control.before_batch(), Gate::Go);
    }
}

#[test]
fn a_run_until_a_step_pauses_after_it_and_a_pause_comes_first() {
    let mut control = paused();
    control.run_until(300);
    assert_eq!(batches_until_wait(&mut control, 1_000), 300);
    control.run_until(400);
    control.apply(&Command::Pause);
    assert_eq!(control.before_batch(), Gate::Wait);
    control.run_until(5);
    assert!(!control.is_single_stepping());
    control.apply(&Command::Step(1));
    assert!(control.is_last_step());
}

#[test]
fn a_run_that_was_held_goes_on_with_what_it_was_at() {
    let mut control = paused();
    control.apply(&Command::Step(3));
    control.apply(&Command::Hold(true));
    assert_eq!(control.before_batch(), Gate::Wait);
    control.apply(&Command::Hold(false));
    assert_eq!(batches_until_wait(&mut control, 100), 3);
    control.apply(&Command::FinishEpoch);
    control.apply(&Command::Hold(true));
    control.apply(&Command::Hold(false));
    assert_eq!(batches_until_wait(&mut control, 100), 100);
    control.after_epoch();
    assert_eq!(control.before_batch(), Gate::Wait);
}

fn any_command() -> impl Strategy<Value = Command> {
    prop_oneof![
        Just(Command::Pause),
        Just(Command::Resume),
        (0u64..20).prop_map(Command::Step),
        Just(Command::FinishEpoch),
        Just(Command::Stop),
    ]
}

/// Something that happens to the machine; a batch only happens if the gate lets it.
#[derive(Clone, Debug)]
enum Happening {
    Command(Command),
    Batch,
    EpochEnd,
}

fn anything() -> impl Strategy<Value = Vec<Happening>> {
    let happening = prop_oneof![
        any_command().prop_map(Happening::Command),
        Just(Happening::Batch),
        Just(Happening::EpochEnd),
    ];
    prop::collection::vec(happening, 0..60)
}

fn after(happenings: &[Happening]) -> Control {
    let mut control = Control::new();
    for happening in happenings {
        match happening {
            Happening::Command(command) => control.apply(command),
            Happening::EpochEnd => control.after_epoch(),
            Happening::Batch => {
                if control.before_batch() == Gate::Go {
                    control.after_batch(1);
                }
            }
        }
    }
    control
}

proptest! {
    #[test]
    fn whatever_happened_a_pause_lets_no_batch_through(past in anything()) {
        let mut control = after(&past);
        control.apply(&Command::Pause);
        prop_assert_ne!(control.before_batch(), Gate::Go);
    }

    #[test]
    fn whatever_follows_a_stop_ends_the_run(past in anything(), later in anything()) {
        let mut control = after(&past);
        control.apply(&Command::Stop);
        for happening in later {
            if let Happening::Command(command) = happening {
                control.apply(&command);
            }
            prop_assert_eq!(control.before_batch(), Gate::Stop);
        }
    }

    #[test]
    fn steps_from_a_pause_add_up_however_they_are_timed(
        presses in prop::collection::vec((0u64..6, 0u64..10), 0..20),
    ) {
        let mut control = paused();
        let (mut trained, mut asked) = (0, 0);
        for (steps, batches) in presses {
            control.apply(&Command::Step(steps));
            asked += steps;
            trained += batches_until_wait(&mut control, batches);
            prop_assert!(trained <= asked);
        }
        trained += batches_until_wait(&mut control, u64::MAX);
        prop_assert_eq!(trained, asked);
    }

    #[test]
    fn a_resume_lets_every_batch_through(past in anything()) {
        let mut control = after(&past);
        control.apply(&Command::Resume);
        if !control.is_stopping() {
            prop_assert_eq!(batches_until_wait(&mut control, 50), 50);
        }
    }
}
