use std::fs;

use super::*;
use crate::{
    cli::presets::PRESETS,
    config::{OptimizerSpec, RunConfig, Shape},
};

fn parsed(arguments: &[&str]) -> Result<RunConfig, String> {
    let arguments: Vec<OsString> =
        ["mnist-tui"].iter().chain(arguments).map(OsString::from).collect();
    let cli = parse(&arguments).map_err(|error| error.render().to_string())?;
    let train = match cli.command {
        Some(crate::cli::Sub::Config(train)) => *train,
        _ => cli.train,
    };
    let config = train.config().map_err(|error| error.to_string())?;
    config.validate().map_err(|error| error.to_string())?;
    Ok(config)
}

/// What a file of this text and more arguments amount to.
fn with_file(text: &str, more: &[&str]) -> Result<RunConfig, String> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("run.toml");
    fs::write(&path, text).expect("there is room");
    let path = path.to_str().expect("it is ASCII");
    let found = parsed(&[&["--config", path], more].concat());
    found.map_err(|message| message.replace(path, "FILE"))
}

#[test]
fn a_file_sets_options_and_the_command_line_takes_precedence() {
    let text = "lr = 0.01\nbatch-size = 32 # small\nbetas = [0.8, 0.95]\noptimizer = \"adamw\"\n\
                no-shuffle = true\nnesterov = false\nbreak = [\"epoch\", \"loss>3\"]\nseed = 5\n";
    let config = with_file(text, &["--seed", "7", "--headless"]).expect("it reads");
    assert_eq!((config.learning_rate, config.batch_size, config.seed), (0.01, 32, 7));
    assert!(!config.shuffle);
    let betas = [0.8, 0.95];
    assert_eq!(config.optimizer, OptimizerSpec::AdamW { betas, weight_decay: 0.01 });
    // Another optimiser has none of these constants.
    let config = with_file(text, &["--optimizer", "sgd"]).expect("it reads");
    assert!(matches!(config.optimizer, OptimizerSpec::Sgd { .. }));
    assert_eq!(with_file("no-run-dir = true\n", &["--run-dir", "x"]).map(|_| ()), Ok(()));
    for (arguments, shuffles) in
        [(&["--no-shuffle=false"][..], true), (&["--no-shuffle"], false), (&[], false)]
    {
        let config = with_file("no-shuffle = true\n", arguments).expect("it reads");
        assert_eq!(config.shuffle, shuffles, "{arguments:?}");
    }
}

#[test]
fn mistakes_name_the_file_the_line_and_what_comes_near() {
    for (text, expected) in [
        (
            "seed = 1\nbatchsize = 3\n",
            "FILE, line 2: there is no option batchsize; did you mean batch-size?",
        ),
        (
            "batch_size = 3\n",
            "FILE, line 1: there is no option batch_size; did you mean batch-size?",
        ),
        ("resume = \"x\"\n", "FILE, line 1: there is no option resume"),
        ("no-shuffle = 1\n", "FILE, line 1: no-shuffle expects true or false"),
        ("lr = true\n", "FILE, line 1: lr expects a number or a text in quotes"),
        ("lr = \"fast\"\n", "FILE: invalid value 'fast' for '--lr <F>': expected a number"),
        ("lr = \n", "FILE, line 1: not valid TOML"),
        ("[lr]\na = 1\n", "FILE, line 1: lr expects a number or a text in quotes"),
        ("lr = -1\n", "--lr is -1: expected a finite number above 0"),
    ] {
        let message = with_file(text, &[]).expect_err(text);
        assert!(message.contains(expected), "{message}");
    }
    let message = parsed(&["--config", "/nowhere/x.toml"]).expect_err("there is none");
    assert!(message.contains("cannot read /nowhere/x.toml"), "{message}");
}

#[test]
fn a_preset_gives_way_to_the_file_and_that_to_the_command_line() {
    let config = with_file("lr = 0.5\nepochs = 2\n", &["--preset", "fast", "--epochs", "3"]);
    let config = config.expect("it reads");
    assert_eq!((config.learning_rate, config.epochs, config.batch_size), (0.5, 3, 64));
    assert_eq!(config.schedule.shape, Shape::OneCycle);
    let message = parsed(&["--preset", "fats"]).expect_err("there is none");
    assert!(message.contains("did you mean fast?"), "{message}");
}

#[test]
fn every_preset_is_valid_and_the_article_is_the_default() {
    for preset in &PRESETS {
        let config = parsed(&["config", "--preset", preset.name]);
        let config = config.unwrap_or_else(|message| panic!("{}: {message}", preset.name));
        assert_eq!(config == RunConfig::default(), preset.name == "article");
        let plan = config.plan([1, 28, 28], 10).expect("it fits MNIST");
        let most = if preset.name == "tiny" { 8_000 } else { 100_000 };
        assert!(plan.trained_len() <= most, "{}: {}", preset.name, plan.trained_len());
    }
}

#[test]
fn the_printed_configuration_reads_back_to_the_same() {
    let lines = [
        "",
        "--preset best --validation 5000 --seed 18446744073709551615",
        "--optimizer sgd --momentum 0.9 --nesterov --clip-norm 1e-7 --schedule step --final-lr 0",
        "--betas 0.1,0.2 --weight-decay 1e300 --ema 0.5 --no-shuffle --steps 3 --keep-runs 2",
        "--data some/folder --image-size 20x28 --init a\"b --save c --threads 2 --device cpu \
         --no-break-on-nan --early-stop 3 --validation 9 --train-size 50 --augment shift=3",
    ];
    for line in lines {
        let arguments: Vec<&str> = line.split_whitespace().collect();
        let config = parsed(&arguments).unwrap_or_else(|message| panic!("{line}: {message}"));
        let text = config.to_toml();
        assert_eq!(with_file(&text, &[]), Ok(config), "{text}");
    }
}
