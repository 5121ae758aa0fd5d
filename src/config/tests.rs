use super::*;

fn refused(change: impl FnOnce(&mut RunConfig)) -> String {
    let mut config = RunConfig::default();
    change(&mut config);
    config.validate().expect_err("the value is out of range").to_string()
}

#[test]
fn the_defaults_are_valid_and_those_of_the_article() {
    let config = RunConfig::default();
    config.validate().expect("defaults are in range");
    assert_eq!((config.batch_size, config.learning_rate), (50, 0.001));
    assert_eq!(config.steps_per_epoch(60_000), 1_200);
}

#[test]
fn values_out_of_range_are_named_with_the_range() {
    assert_eq!(refused(|c| c.epochs = 0), "--epochs is 0: expected at least 1");
    assert_eq!(refused(|c| c.batch_size = 0), "--batch-size is 0: expected at least 1");
    assert_eq!(
        refused(|c| c.batch_size = 60_001),
        "--batch-size is 60001: expected 1 to 60000, the training images"
    );
    assert_eq!(
        refused(|c| c.learning_rate = -0.5),
        "--lr is -0.5: expected a finite number above 0"
    );
    assert!(refused(|c| c.learning_rate = f64::NAN).starts_with("--lr is NaN"));
    assert!(refused(|c| c.learning_rate = f64::INFINITY).starts_with("--lr is inf"));
    assert_eq!(refused(|c| c.max_steps = Some(0)), "--steps is 0: expected at least 1");
    assert_eq!(
        refused(|c| c.label_smoothing = 1.0),
        "--label-smoothing is 1: expected a number from 0 to below 1"
    );
    assert!(refused(|c| c.ema = Some(f64::NAN)).starts_with("--ema is NaN: expected a number"));
    assert!(refused(|c| c.clip_norm = Some(0.0)).starts_with("--clip-norm is 0: expected"));
    assert!(refused(|c| c.early_stop = Some(3)).starts_with("--early-stop needs --validation"));
    assert_eq!(
        refused(|c| (c.validation, c.train_size) = (10_000, Some(50_001))),
        "--train-size is 50001: expected 1 to 50000, the training images that --validation leaves"
    );
    assert_eq!(
        refused(|c| (c.validation, c.batch_size) = (59_000, 1_001)),
        "--batch-size is 1001: expected 1 to 1000, the training images that --validation leaves"
    );
    assert_eq!(
        refused(|c| (c.train_size, c.batch_size) = (Some(100), 101)),
        "--batch-size is 101: expected 1 to 100, the training images of --train-size"
    );
    assert_eq!(refused(|c| c.threads = Some(0)), "--threads is 0: expected 1 to 1024");
    assert_eq!(
        refused(|c| c.validation = 60_000),
        "--validation is 60000: expected fewer than the 60000 training images"
    );
}

#[test]
fn a_network_must_fit_the_images() {
    let model = |text: &str| text.parse().expect("a network");
    let message = refused(|c| c.model = model("conv 4 k3, linear"));
    assert_eq!(
        message,
        "--model: fc1 takes a row of values, found 4×26×26 maps: put flatten or gap before it"
    );
    let message = refused(|c| c.model = model("flatten, linear 11"));
    assert!(message.contains("expected one value for each of the 10 classes"), "{message}");
    let config = RunConfig {
        model: model("flatten, linear 11"),
        data: DataSource::Path("letters".into()),
        ..RunConfig::default()
    };
    // What is in a folder is known later.
    assert_eq!(config.validate(), Ok(()));
    assert!(config.plan([1, 8, 8], 11).is_ok() && config.plan([1, 8, 8], 10).is_err());
}

#[test]
fn the_network_is_kept_in_its_one_line_form() {
    let json = serde_json::to_value(RunConfig::default()).expect("plain data");
    assert_eq!(json["model"], NetworkSpec::article().to_string());
}

#[test]
fn the_last_short_batch_counts_and_a_step_limit_ends_the_run_early() {
    let mut config = RunConfig { batch_size: 7, epochs: 2, ..RunConfig::default() };
    assert_eq!(config.steps_per_epoch(15), 3);
    assert_eq!(config.total_steps(15), 6);
    config.max_steps = Some(4);
    assert_eq!(config.total_steps(15), 4);
    config.max_steps = Some(40);
    assert_eq!(config.total_steps(15), 6);
}

#[test]
fn devices_read_as_they_print() {
    for text in ["auto", "cpu", "cuda:0", "cuda:3"] {
        assert_eq!(text.parse::<DeviceChoice>().expect("valid").to_string(), text);
    }
    for text in ["", "gpu", "cpu:1", "auto:0", "cuda:", "cuda:x", "cuda:-1", "metal:1:2"] {
        assert!(text.parse::<DeviceChoice>().is_err(), "{text}");
    }
}

#[cfg(not(feature = "metal"))]
#[test]
fn metal_in_a_build_without_it_says_how_to_build_it() {
    let error = "metal".parse::<DeviceChoice>().expect_err("not built");
    assert!(error.contains("cargo build --release --features metal"), "{error}");
}

#[test]
fn any_other_word_is_a_folder() {
    assert_eq!("builtin".parse(), Ok(DataSource::Builtin));
    assert_eq!("./mnist".parse(), Ok(DataSource::Path("./mnist".into())));
    assert!("".parse::<DataSource>().is_err());
}

#[cfg(feature = "hub")]
#[test]
fn sets_of_the_hub_are_known_by_name() {
    for (text, set) in [
        ("hub", HubSet::Mnist),
        ("hub:mnist", HubSet::Mnist),
        ("hub:fashion-mnist", HubSet::FashionMnist),
    ] {
        assert_eq!(text.parse(), Ok(DataSource::Hub(set)));
    }
    let error = "hub:cifar".parse::<DataSource>().expect_err("there is none");
    assert_eq!(error, "expected hub:mnist or hub:fashion-mnist");
}

#[test]
fn sources_are_stored_as_the_first_version_did_where_it_knew_them() {
    for (source, stored) in [
        (DataSource::Builtin, r#""builtin""#),
        (DataSource::Hub(HubSet::Mnist), r#""hub""#),
        (DataSource::Path("a".into()), r#"{"dir":"a"}"#),
        (DataSource::Hub(HubSet::FashionMnist), r#"{"hub-set":"fashion-mnist"}"#),
    ] {
        assert_eq!(serde_json::to_string(&source).expect("it has a form"), stored);
        assert_eq!(serde_json::from_str::<DataSource>(stored).expect("it reads"), source);
    }
}

#[test]
fn the_configuration_of_an_earlier_version_reads_and_that_of_another_program_does_not() {
    let earlier = r#"{"data":"builtin","epochs":10,"batch_size":50,"learning_rate":0.001,"seed":7,
        "shuffle":true,"validation":0,"max_steps":null,"init":null,"save":null,"threads":null,
        "device":"auto"}"#;
    let read: RunConfig = serde_json::from_str(earlier).expect("it reads");
    let balanced_validation = false;
    assert_eq!(read, RunConfig { seed: 7, balanced_validation, ..RunConfig::default() });
    assert!(serde_json::from_str::<RunConfig>(r#"{"name":"my web app"}"#).is_err());
}

#[cfg(unix)]
#[test]
fn paths_that_are_not_utf_8_are_kept_to_the_byte() {
    use std::os::unix::ffi::OsStringExt;

    let path = |bytes: &[u8]| PathBuf::from(std::ffi::OsString::from_vec(bytes.to_vec()));
    let config = RunConfig {
        data: DataSource::Path(path(b"/data/\xff")),
        save: Some(path(b"\xc3\x28w")),
        init: Some(path("größe".as_bytes())),
        ..RunConfig::default()
    };
    let json = serde_json::to_string(&config).expect("every path has a form");
    assert_eq!(serde_json::from_str::<RunConfig>(&json).expect("it reads"), config);
    assert!(json.contains(r#""init":"größe""#), "{json}");
}

#[test]
fn only_what_leaves_trained_steps_valid_is_taken_over_a_trajectory() {
    let trained = RunConfig { seed: 3, batch_size: 7, ..RunConfig::default() };
    let asked = RunConfig { epochs: 20, max_steps: Some(9), seed: 4, ..RunConfig::default() };
    let config = asked.on_trajectory_of(&trained);
    assert_eq!(config, RunConfig { epochs: 20, max_steps: Some(9), ..trained });
}

#[test]
fn batches_too_small_or_too_large_for_batch_normalisation_are_refused() {
    let refused = |layers: &str, batch_size: usize, images: usize| {
        let model = layers.parse().expect("it reads");
        let config = RunConfig { batch_size, model, ..RunConfig::default() };
        let plan = config.plan([1, 28, 28], 10).expect("it fits");
        config.validate_batches(&plan, images).err().map(|error| error.to_string())
    };
    let rows = "flatten, linear 8, bn, relu, linear";
    assert_eq!(refused(rows, 50, 100), None);
    assert_eq!(refused(rows, 50, 102), None);
    let message = refused(rows, 50, 101).expect("the last batch has one image");
    assert!(
        message.contains("the last batch of an epoch would have one image, and bn1"),
        "{message}"
    );
    assert!(
        refused(rows, 1, 100).is_some_and(|message| message.contains("a batch would have one"))
    );
    // Maps have many values of a channel in one image.
    assert_eq!(refused("conv 4 k3, bn, gap, linear", 1, 101), None);
    let wide = "conv 64 k3 p1, bn, relu, gap, linear";
    assert_eq!(refused(wide, 1_000, 60_000), None);
    let message = refused(wide, 60_000, 60_000).expect("it takes 60 GiB");
    assert!(
        message.contains("more than 4 GiB of memory in this network, expected at most"),
        "{message}"
    );
    assert_eq!(refused("conv 64 k3 p1, relu, gap, linear", 60_000, 60_000), None);
}

#[test]
fn the_built_in_images_have_their_own_size() {
    let message = refused(|config| config.image_size = "20".parse().ok());
    assert!(message.contains("--image-size is for pictures and CSV files"), "{message}");
}

proptest::proptest! {
    #[test]
    fn every_rate_reads_back_to_the_bit(bits in proptest::num::u64::ANY) {
        let rate = f64::from_bits(bits);
        proptest::prop_assume!(rate.is_finite());
        let config = RunConfig { learning_rate: rate, ..RunConfig::default() };
        let json = serde_json::to_string(&config).expect("plain data");
        let read: RunConfig = serde_json::from_str(&json).expect("it reads");
        proptest::prop_assert_eq!(read.learning_rate.to_bits(), bits);
    }
}
