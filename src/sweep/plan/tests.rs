use proptest::prelude::*;

use super::*;
use crate::sweep::setting::Number;

/// Reads options as the command line would, as far as the tests need them.
pub(in crate::sweep) fn configure(options: &[(&str, &str)]) -> Result<RunConfig, String> {
    let mut config = RunConfig::default();
    for &(key, value) in options {
        let wrong = |_| format!("{value} is no number");
        match key {
            "lr" => config.learning_rate = value.parse().map_err(wrong)?,
            "batch-size" => config.batch_size = value.parse::<f64>().map_err(wrong)? as usize,
            "epochs" => config.epochs = value.parse::<f64>().map_err(wrong)? as u32,
            _ => return Err(format!("there is no option {key}")),
        }
    }
    config.validate().map_err(|error| error.to_string())?;
    Ok(config)
}

fn request(settings: &[(&str, &str)], random: Option<usize>, seeds: u64) -> Request {
    let parse = |&(key, values): &(&str, &str)| {
        let number = if key == "lr" { Number::Real } else { Number::Whole };
        Setting::parse(key, values, Some(number)).expect("valid values")
    };
    Request { settings: settings.iter().map(parse).collect(), random, seed: 0, seeds }
}

/// The grid of these settings.
pub(in crate::sweep) fn plan_of(settings: &[(&str, &str)], seeds: u64) -> Plan {
    Plan::new(&request(settings, None, seeds), configure).expect("a valid request")
}

fn values(plan: &Plan) -> Vec<String> {
    let run = |index| {
        let (values, seed) = plan.place(index).expect("it is planned");
        format!("{} {seed}", values.join(" "))
    };
    (0..plan.len()).map(run).collect()
}

#[test]
fn the_grid_has_all_combinations_of_one_seed_before_the_next() {
    let plan = plan_of(&[("lr", "0.1,0.2"), ("batch-size", "5,6")], 2);
    let points = ["0.1 5", "0.1 6", "0.2 5", "0.2 6"];
    let expected: Vec<String> =
        (0..2).flat_map(|seed| points.map(|point| format!("{point} {seed}"))).collect();
    assert_eq!(values(&plan), expected);
    let run = plan.run(6).expect("it is planned");
    assert_eq!((run.name.as_str(), run.config.seed), ("0007", 1));
    assert_eq!((run.config.learning_rate, run.config.batch_size), (0.2, 5));
    assert_eq!(
        (plan.index_of("0007"), plan.index_of("7"), plan.index_of("0009")),
        (Some(6), None, None)
    );
}

#[test]
fn a_run_has_the_configuration_that_it_would_have_alone() {
    let plan = plan_of(&[("lr", "0.1,0.2"), ("epochs", "1,2")], 3);
    for index in 0..plan.len() {
        let run = plan.run(index).expect("it is planned");
        let options: Vec<_> = plan
            .settings
            .iter()
            .zip(&run.values)
            .map(|(key, value)| (&key[..], &value[..]))
            .collect();
        let alone = configure(&options).expect("valid");
        assert_eq!(run.config, RunConfig { seed: (index / 4) as u64, ..alone });
    }
}

#[test]
fn requests_that_make_no_sweep_are_refused_in_a_sentence() {
    let wide = (1..=400).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
    for (settings, random, seeds, expected) in [
        (&[][..], None, 1, "nothing varies: give --set"),
        (&[("lr", "0.1,0.2")][..], None, 0, "--seeds is 0: expected at least 1"),
        (&[("lr", "1..2")], None, 1, "--set lr is a range: give --random N"),
        (&[("lr", "1..2")], Some(0), 1, "--random is 0: expected at least 1"),
        (&[], Some(3), 2, "--random draws values of settings"),
        (&[("lr", "1,2")], Some(3), 1, "--random is 3: there are only 2 different points"),
        (&[("lr", "0.1,-1")], None, 1, "lr=-1: --lr is -1: expected a finite number above 0"),
        (&[("lr", "0.1,1e-1")], None, 1, "lr=0.1 and lr=1e-1 are the same run"),
        (
            &[("lr", &wide), ("batch-size", &wide)],
            None,
            1,
            "the sweep has 160,000 runs: expected at most 100,000",
        ),
        (&[("lr", "1,2")], None, u64::MAX, "the sweep has more than 10^19 runs"),
    ] {
        let error = Plan::new(&request(settings, random, seeds), configure).expect_err(expected);
        assert!(error.starts_with(expected), "{error}");
    }
    let last = Request { seed: u64::MAX, ..request(&[("lr", "1,2")], None, 2) };
    assert!(Plan::new(&last, configure).expect_err("no more seeds").contains("not as many seeds"));
}

#[test]
fn fewer_random_points_are_the_first_of_more() {
    let settings = [("lr", "log:1e-4..1"), ("batch-size", "5..500")];
    let points = |count, seed| {
        let request = Request { seed, ..request(&settings, Some(count), 1) };
        values(&Plan::new(&request, configure).expect("a valid request"))
    };
    assert_eq!(points(5, 3)[..], points(40, 3)[..5]);
    assert_ne!(points(5, 3), points(5, 4));
    let plan = Plan::new(&request(&settings, Some(2), 1), configure).expect("a valid request");
    assert_eq!(values(&plan), ["0.01204 427 0", "0.03117 24 0"], "the draw is pinned");
}

proptest! {
    #[test]
    fn every_point_is_there_once_with_each_seed_and_a_stored_plan_reads_back(
        rates in 1_usize..5, sizes in 1_usize..5, seeds in 2_u64..4, seed in 0_u64..1000, random: bool,
    ) {
        let list = |count: usize| (1..=count).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
        let (rates_list, sizes_list) = (list(rates), list(sizes));
        let random = random.then_some(rates * sizes);
        let settings = [("lr", &rates_list[..]), ("batch-size", &sizes_list[..])];
        let request = Request { seed, ..request(&settings, random, seeds) };
        let plan = Plan::new(&request, configure).expect("a valid request");
        prop_assert_eq!(&Plan::new(&request, configure).expect("again"), &plan);
        let text = serde_json::to_string(&plan).expect("it is plain data");
        prop_assert_eq!(&serde_json::from_str::<Plan>(&text).expect("it reads"), &plan);
        prop_assert!(plan.is_known());
        let mut all = values(&plan);
        all.sort();
        all.dedup();
        prop_assert_eq!(all.len(), rates * sizes * seeds as usize);
    }
}
