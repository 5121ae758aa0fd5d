use super::*;
use crate::config::{DataSource, DeviceChoice, OptimizerSpec, ScheduleSpec, Shape};

fn parse(arguments: &[&str]) -> Result<Cli, clap::Error> {
    Cli::try_parse_from([&["mnist-tui"], arguments].concat())
}

#[test]
fn the_definition_is_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn no_arguments_give_the_default_run() {
    let cli = parse(&[]).expect("nothing is required");
    assert_eq!(cli.train.config(), Ok(RunConfig::default()));
    assert_eq!((cli.train.look.fps, cli.train.headless, cli.train.log), (15, false, None));
}

#[test]
fn every_option_reaches_the_configuration() {
    let line = "--data mnist --image-size 28x28 --epochs 3 --batch-size 7 --lr 1e-2 --seed 9 --no-shuffle \
                --validation 11 --steps 13 --init a --save b --log c --threads 2 \
                --device cpu --fps 60 --headless --optimizer sgd --momentum 0.9 --nesterov \
                --weight-decay 5e-4 --clip-norm 2 --schedule one-cycle --warmup 20 --final-lr 1e-6 --label-smoothing 0.1 --augment shift=1 \
                --ema 0.99 --early-stop 3 --train-size 500 --dropout 0.25 --model";
    let line: Vec<&str> = line.split_whitespace().chain(["flatten, dropout 0.5, linear"]).collect();
    let cli = parse(&line).expect("all are valid");
    assert_eq!(
        cli.train.config(),
        Ok(RunConfig {
            data: DataSource::Path("mnist".into()),
            image_size: "28".parse().ok(),
            epochs: 3,
            batch_size: 7,
            learning_rate: 0.01,
            seed: 9,
            shuffle: false,
            validation: 11,
            max_steps: Some(13),
            init: Some("a".into()),
            save: Some("b".into()),
            threads: Some(2),
            device: DeviceChoice::Cpu,
            model: "flatten, dropout 0.25, linear".parse().expect("a network"),
            optimizer: OptimizerSpec::Sgd { momentum: 0.9, nesterov: true, weight_decay: 5e-4 },
            schedule: ScheduleSpec {
                shape: Shape::OneCycle,
                warmup: 20,
                final_rate: Some(1e-6),
                steps: None
            },
            clip_norm: Some(2.0),
            balanced_validation: true,
            augment: "shift=1".parse().expect("a distortion"),
            label_smoothing: 0.1,
            ema: Some(0.99),
            early_stop: Some(3),
            train_size: Some(500),
            ..RunConfig::default()
        })
    );
    assert_eq!(
        (cli.train.look.fps, cli.train.headless, cli.train.log),
        (60, true, Some("c".into()))
    );
}

#[test]
fn one_cycle_can_begin_at_its_highest_rate() {
    let factor = |arguments: &[&str]| {
        let cli = parse(&[&["--schedule", "one-cycle"], arguments].concat()).expect("valid");
        let config = cli.train.config().expect("they agree");
        config.schedule(60_000).factor(1)
    };
    assert!((factor(&[]) - 0.04).abs() < 1e-12, "{}", factor(&[]));
    assert_eq!(factor(&["--warmup", "0"]), 1.0);
}

#[test]
fn a_dashboard_stays_at_the_end_unless_it_is_asked_to_quit() {
    let on_done = |arguments: &[&str]| parse(arguments).map(|cli| cli.train.on_done);
    assert_eq!(on_done(&[]).expect("it is optional"), OnDone::Stay);
    assert_eq!(on_done(&["--on-done", "stay"]).expect("it is known"), OnDone::Stay);
    assert_eq!(on_done(&["--on-done", "quit"]).expect("it is known"), OnDone::Quit);
    assert!(on_done(&["--on-done", "leave"]).is_err());
}

#[test]
fn what_is_not_a_number_in_range_is_refused_with_what_is() {
    for (arguments, expected) in [
        (["--fps", "0"], "expected 1 to 60 frames a second"),
        (["--fps", "61"], "expected 1 to 60 frames a second"),
        (["--epochs", "-1"], "expected a whole number that is not negative"),
        (["--seed", "1.5"], "expected a whole number that is not negative"),
        (["--lr", "fast"], "expected a number"),
        (["--image-size", "7"], "expected N or HxW with sides of 8 to 64 pixels"),
        (["--betas", "0.9"], "expected two numbers with a comma between them"),
        (["--data", "hub:x"], "expected hub:mnist or hub:fashion-mnist"),
        (["--device", "gpu"], "expected auto, cpu, cuda, cuda:N, metal or metal:N"),
    ] {
        let error = parse(&arguments).expect_err("out of range").to_string();
        assert!(error.contains(expected), "{error}");
        assert!(error.contains(arguments[0]), "{error}");
    }
}

#[test]
fn a_negative_rate_is_read_so_that_its_range_can_be_told() {
    let cli = parse(&["--lr", "-0.1"]).expect("it is a number");
    let error = cli.train.config().and_then(|config| config.validate()).expect_err("out of range");
    assert_eq!(error.to_string(), "--lr is -0.1: expected a finite number above 0");
}

#[test]
fn eval_needs_weights_and_takes_no_training_options() {
    assert!(parse(&["eval"]).is_err());
    assert!(parse(&["eval", "--weights", "w", "--epochs", "3"]).is_err());
    assert!(parse(&["--epochs", "3", "eval", "--weights", "w"]).is_err());
    assert!(parse(&["eval", "--weights", "w", "--json", "--device", "cpu"]).is_ok());
}

#[test]
fn predict_needs_weights_and_a_picture_and_takes_many() {
    assert!(parse(&["predict", "--weights", "w"]).is_err());
    assert!(parse(&["predict", "a.png"]).is_err());
    assert!(parse(&["predict", "--weights", "w", "a.png", "--data", "."]).is_err());
    assert!(parse(&["predict", "a.png", "--weights", "w", "b.jpg", "--json"]).is_ok());
}
