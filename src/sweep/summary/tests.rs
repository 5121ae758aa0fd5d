use super::*;
use crate::{protocol::EvalSet, sweep::plan::tests::plan_of};

/// Rows of runs with these numbers of correct images out of 1,000; 0 stands for a diverged run.
fn rows(plan: &Plan, correct: &[u64]) -> BTreeMap<usize, Row> {
    let row = |(index, &correct): (usize, &u64)| {
        let figure = |value: f64| (correct > 0).then_some(value);
        let row = Row {
            seed: plan.place(index).expect("it is planned").1,
            epochs: 1,
            steps: 10,
            correct: (correct > 0).then_some(correct),
            total: Some(1000),
            accuracy: figure(correct as f64 / 1000.0),
            loss: figure(0.5),
            train_seconds: 1.0,
            run: plan.name(index),
            set: EvalSet::Test,
            state: if correct > 0 { State::Done } else { State::Diverged },
        };
        (index, row)
    };
    correct.iter().enumerate().map(row).collect()
}

#[test]
fn points_are_compared_over_their_seeds() {
    let plan = plan_of(&[("lr", "0.1,0.2,0.3,9")], 3);
    // By seed: 0.1, 0.2, 0.3 and 9.
    let rows = rows(&plan, &[980, 981, 900, 0, 982, 983, 910, 0, 981, 979, 905, 0]);
    let text = Summary::of(&plan, &rows).to_string();
    // 98.0, 98.2, 98.1: mean 98.1, deviation 0.1, t of 2 degrees of freedom 4.3027, half 0.248.
    let expected = "\
12 of 12 runs, 3 diverged; accuracy on the test images in %, best first

by point, over its seeds
  lr   n   mean    sd  95 % interval
  0.1  3  98.10  0.10    97.85–98.35  best
  0.2  3  98.10  0.20    97.60–98.60  within noise of the best
  0.3  3  90.50  0.50    89.26–91.74  worse
  9    0      -     -              -  3 diverged
";
    assert_eq!(text, expected);
}

#[test]
fn a_setting_is_compared_at_the_same_values_of_the_others() {
    let plan = plan_of(&[("lr", "0.1,0.2"), ("batch-size", "5,50")], 2);
    // Of both rates the larger batch is worse by about ten, and that much is no noise of the rate.
    let rows = rows(&plan, &[900, 800, 930, 829, 901, 800, 932, 830]);
    let text = Summary::of(&plan, &rows).to_string();
    let by_lr = text.split("by lr\n").nth(1).expect("a table by rate");
    assert!(by_lr.contains("0.2  4  88.02") && by_lr.contains("best"), "{text}");
    assert!(by_lr.contains("0.1  4  85.03") && by_lr.contains("worse"), "{text}");
    assert!(text.contains("by batch-size\n"), "{text}");
}

#[test]
fn one_run_of_each_cannot_be_compared_and_many_points_are_cut_short() {
    let plan = plan_of(&[("lr", "0.1,0.2")], 1);
    let text = Summary::of(&plan, &rows(&plan, &[900, 950])).to_string();
    assert!(text.contains("0.1  1  90.00   -              -  too few runs to compare"), "{text}");
    let many = (1..=25).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
    let plan = plan_of(&[("batch-size", &many)], 1);
    let correct: Vec<u64> = (1..=25).map(|n| 900 + n).collect();
    let text = Summary::of(&plan, &rows(&plan, &correct)).to_string();
    assert!(text.contains("  … and 5 more\n"), "{text}");
    // Seven runs each, and four in the last part.
    assert!(text.contains("  22..25      4  92.35"), "{text}");
    assert!(text.contains("  1..7        7  90.40"), "{text}");
}

#[test]
fn an_unfinished_sweep_says_what_there_is() {
    let plan = plan_of(&[], 4);
    let text = Summary::of(&plan, &rows(&plan, &[900, 910])).to_string();
    assert!(text.starts_with("2 of 4 runs; "), "{text}");
    assert!(
        text.contains("over all seeds\n  n   mean    sd  95 % interval\n  2  90.50  0.71"),
        "{text}"
    );
    let text = Summary::of(&plan, &BTreeMap::new()).to_string();
    assert!(text.starts_with("0 of 4 runs\n"), "{text}");
}

/// The rows of only these runs.
fn only(rows: &BTreeMap<usize, Row>, runs: &[usize]) -> BTreeMap<usize, Row> {
    runs.iter().map(|&index| (index, rows[&index].clone())).collect()
}

#[test]
fn a_point_that_lacks_results_is_ranked_after_those_that_have_all() {
    let plan = plan_of(&[("lr", "0.1,0.2,0.3")], 3);
    // Seeds differ by ten, rates by one. Of 0.3 one run diverged, of 0.1 one is missing.
    let all = rows(&plan, &[901, 902, 903, 911, 912, 913, 921, 922, 0]);
    let text = Summary::of(&plan, &only(&all, &[0, 1, 2, 3, 4, 5, 7, 8])).to_string();
    let expected = "\
by point, over its seeds
  lr   n   mean    sd  95 % interval
  0.2  3  91.20  1.00    88.72–93.68  best
  0.3  2  90.80  0.71    84.45–97.15  better in the runs that both have, 1 diverged
  0.1  2  90.60  0.71    84.25–96.95  worse, 2 of 3 runs
";
    assert!(text.ends_with(expected), "{text}");
    // The first line has not all its runs, either.
    let text = Summary::of(&plan, &only(&all, &[0, 1, 2, 3, 4, 5])).to_string();
    assert!(text.contains("best so far, 2 of 3 runs"), "{text}");
    // Values are compared in the runs that all of them have, where the same ones diverged.
    let plan = plan_of(&[("lr", "0.1,9"), ("batch-size", "5,50")], 2);
    let text = Summary::of(&plan, &rows(&plan, &[900, 890, 0, 0, 910, 899, 0, 0])).to_string();
    let by_size = text.split("by batch-size\n").nth(1).expect("a table");
    assert!(by_size.lines().nth(1).expect("a line").ends_with("best, 2 diverged"), "{text}");
}

#[test]
fn the_seeds_of_a_point_count_once_in_a_part_of_a_range() {
    let many = (1..=9).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
    let plan = plan_of(&[("batch-size", &many)], 2);
    let correct: Vec<u64> = (1..=9).chain(1..=9).map(|n| 900 + n).collect();
    let text = Summary::of(&plan, &rows(&plan, &correct)).to_string();
    let parts = text.split("by batch-size, a point counts by its mean over its seeds\n").nth(1);
    assert!(parts.is_some_and(|parts| parts.contains("  1..3        3  90.20")), "{text}");
}

#[test]
fn figures_of_different_images_are_not_called_the_same() {
    let plan = plan_of(&[("lr", "0.1,0.2")], 1);
    let mut rows = rows(&plan, &[900, 910]);
    rows.get_mut(&0).expect("a row").set = EvalSet::Validation;
    let text = Summary::of(&plan, &rows).to_string();
    let expected = "accuracy in %, on test and on validation images, which do not compare\n";
    assert!(text.contains(expected), "{text}");
}
