use super::*;
use crate::data::DataInfo;
use crate::protocol::{Best, Clock};

fn slots(first: Vec<f32>, second: Vec<f32>) -> Vec<Slot> {
    vec![
        Slot { name: "first_moment".into(), values: first },
        Slot { name: "second_moment".into(), values: second },
    ]
}

fn checkpoint() -> Checkpoint {
    let values = |scale: f32| (0..5_142_u16).map(|place| f32::from(place) * scale).collect();
    Checkpoint {
        config: RunConfig { seed: 7, ..RunConfig::default() },
        state: Arc::new(TrainingState {
            progress: TrainingProgress {
                epoch: 2,
                batch: 3,
                step: 1_203,
                images: 60_150,
                optimiser_step: 1_203,
                rates: vec![(0, 1e-3), (1_200, 5e-4)],
                clock: Clock { training: 0.3, evaluating: 0.1 },
                epoch_seconds: 0.01,
                evaluated: None,
                best: Some(Best { epoch: 1, step: 1_200, accuracy: 0.9684 }),
            },
            weights: values(0.01),
            running: Vec::new(),
            set: DataInfo::mnist(),
            slots: slots(values(-1e-9), values(1e-30)),
            average: None,
            best: None,
            losses: vec![2.3, f32::NAN, f32::INFINITY, 0.1],
        }),
        journal_bytes: 123_456_789_012,
    }
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

#[test]
fn a_checkpoint_reads_back_to_the_bit() {
    let written = checkpoint();
    let read = decode_checkpoint("x", &encode(&written).expect("it fits")).expect("it reads");
    assert_eq!(read.config, written.config);
    assert_eq!(read.state.progress, written.state.progress);
    assert_eq!(read.journal_bytes, written.journal_bytes);
    for part in [
        |state: &TrainingState| bits(&state.weights),
        |state: &TrainingState| bits(&state.slots[0].values),
        |state: &TrainingState| bits(&state.slots[1].values),
        |state: &TrainingState| bits(&state.losses),
    ] {
        assert_eq!(part(&read.state), part(&written.state));
    }
}

#[test]
fn a_checkpoint_of_any_network_has_its_statistics_and_its_classes() {
    let model = "conv 2 k3, bn, relu, flatten, linear".parse().expect("a network");
    let classes = ["cat", "dog", "no \u{1b}pet"].map(str::to_owned).to_vec();
    let set = DataInfo { name: "pets".into(), shape: [1, 8, 8], classes };
    let plan = Plan::of(&model, set.shape, 3).expect("it fits");
    let values = |len: usize, start: f32| (0..len).map(|n| start + n as f32).collect();
    let copy = |start| StoredWeights {
        trained: values(plan.trained_len(), start),
        running: values(plan.running_len(), start),
    };
    let mut written = checkpoint();
    written.config.ema = Some(0.99);
    written.config.model = model;
    // The check of the configuration knows the built-in set.
    written.config.data = crate::config::DataSource::Path("pets".into());
    written.state = Arc::new(TrainingState {
        weights: values(plan.trained_len(), 0.5),
        running: values(plan.running_len(), -7.0),
        slots: slots(values(plan.trained_len(), 1e3), values(plan.trained_len(), 1e4)),
        set,
        average: Some(copy(-1.0)),
        best: Some(copy(2.0)),
        losses: vec![1.0],
        progress: written.state.progress.clone(),
    });
    let bytes = encode(&written).expect("it fits");
    let read = decode_checkpoint("x", &bytes).expect("it reads");
    let alone = crate::checkpoint::decode("x", &bytes).expect("the weights are there");
    // The average is what is evaluated.
    assert_eq!(
        Some(StoredWeights { trained: alone.trained, running: alone.running }),
        read.state.average
    );
    Arc::make_mut(&mut written.state).set.classes[2] = "no \u{fffd}pet".to_owned();
    assert_eq!(read, written);
    Arc::make_mut(&mut written.state).running.pop();
    assert!(matches!(encode(&written), Err(Flaw::Length { what: "running statistics", .. })));
}

#[test]
fn the_weights_of_a_checkpoint_can_be_used_alone_but_not_the_other_way_round() {
    let bytes = encode(&checkpoint()).expect("it fits");
    let weights = crate::checkpoint::decode("x", &bytes).expect("the weights are there");
    assert_eq!(weights.trained, checkpoint().state.weights);
    assert_eq!(weights.notes, Vec::<String>::new());
    let alone = crate::checkpoint::encode(&weights.plan, &weights.set, &weights.trained, &[]);
    let alone = alone.expect("they fit");
    let error = decode_checkpoint("w.safetensors", &alone).expect_err("no moments").to_string();
    assert!(error.starts_with("w.safetensors holds weights alone"), "{error}");
}

#[test]
fn what_differs_is_said() {
    let bytes = encode(&checkpoint()).expect("it fits");
    let text = |from: &str, to: &str| {
        assert_eq!(from.len(), to.len(), "offsets stay");
        let place = bytes.windows(from.len()).position(|part| part == from.as_bytes());
        let place = place.unwrap_or_else(|| panic!("no {from}"));
        let mut bytes = bytes.clone();
        bytes[place..place + to.len()].copy_from_slice(to.as_bytes());
        decode_checkpoint("x", &bytes).expect_err("damaged").to_string()
    };
    let version = text("mnist_tui_format\":\"1\"", "mnist_tui_format\":\"2\"");
    assert_eq!(version, "x is a checkpoint of format 2: this program reads format 1");
    let progress = text("optimiser_step", "optimiser_stop");
    assert!(progress.starts_with("x is damaged: its progress is unusable"), "{progress}");
    let config = text("batch_size\\\":50", "batch_size\\\":00");
    assert!(config.starts_with("x is damaged: its config is unusable"), "{config}");
    let moment = text("first_moment.fc.bias", "first_moment.fc.bios");
    assert!(moment.contains("fc.bios"), "{moment}");
}

#[test]
fn a_bit_that_turned_over_is_noticed_wherever_it_stands() {
    let bytes = encode(&checkpoint()).expect("it fits");
    // All of the header, whose facts come in an order of chance, and some of the values.
    let header = 8 + u64::from_le_bytes(*bytes.first_chunk().expect("a length")) as usize;
    for place in (0..header).chain((header..bytes.len()).step_by(331)) {
        let mut turned = bytes.clone();
        turned[place] ^= 1;
        assert!(decode_checkpoint("x", &turned).is_err(), "byte {place} of {}", bytes.len());
    }
}

#[test]
fn what_could_not_be_read_back_is_not_written() {
    let mut short = checkpoint();
    Arc::make_mut(&mut short.state).slots[1].values.pop();
    assert!(encode(&short).is_err());
    let mut infinite = checkpoint();
    Arc::make_mut(&mut infinite.state).slots[0].values[5_000] = f32::INFINITY;
    assert!(matches!(encode(&infinite), Err(Flaw::NotFinite { .. })));
}

#[test]
fn every_cut_is_an_error_and_no_panic() {
    let bytes = encode(&checkpoint()).expect("it fits");
    for end in (0..bytes.len()).step_by(97) {
        assert!(decode_checkpoint("x", &bytes[..end]).is_err(), "{end}");
    }
}

proptest::proptest! {
    #[test]
    fn every_rate_and_time_reads_back_to_the_bit(
        rates in proptest::collection::vec(proptest::num::f64::NORMAL, 1..8),
        training in proptest::num::f64::POSITIVE,
    ) {
        let mut written = checkpoint();
        written.config.learning_rate = rates[0].abs();
        Arc::make_mut(&mut written.state).progress.rates = (0..).zip(rates).collect();
        Arc::make_mut(&mut written.state).progress.clock.training = training;
        let bytes = encode(&written).expect("it fits");
        let read = decode_checkpoint("x", &bytes).expect("it reads");
        proptest::prop_assert_eq!(read.config, written.config);
        // NaN is none of the values, so that equal numbers have equal bits.
        proptest::prop_assert_eq!(&read.state.progress, &written.state.progress);
    }
}
