use proptest::prelude::*;

use super::*;

fn whole(series: &Series) -> Bucket {
    series.buckets().iter().copied().reduce(Bucket::merge).expect("steps were pushed")
}

#[test]
fn one_spike_in_a_hundred_thousand_steps_stays_visible() {
    let mut series = Series::new(50.0);
    for step in 0..100_000 {
        series.push(if step == 77_777 { 9.5 } else { 0.1 });
    }
    let spikes: Vec<_> = series.buckets().iter().filter(|bucket| bucket.max > 9.0).collect();
    assert_eq!(spikes.len(), 1);
    assert_eq!((spikes[0].min, spikes[0].max), (0.1, 9.5));
}

#[test]
fn memory_does_not_grow_with_the_run() {
    let mut series = Series::new(10.0);
    for step in 0..1_000_000 {
        series.push(step as f32);
    }
    assert!(series.buckets().len() <= Series::CAPACITY);
    assert_eq!(series.steps(), 1_000_000);
    assert_eq!(series.span(), 256);
}

#[test]
fn steps_share_a_bucket_only_once_there_are_more_than_buckets() {
    let mut series = Series::new(10.0);
    let capacity = Series::CAPACITY as u64;
    for (steps, span) in [(capacity, 1), (capacity + 1, 2), (2 * capacity + 1, 4)] {
        while series.steps() < steps {
            series.push(1.0);
        }
        assert_eq!(series.span(), span, "{steps} steps");
        assert!(series.buckets().len() > Series::CAPACITY / 2);
    }
}

#[test]
fn a_range_covers_its_steps_and_ends_with_the_record() {
    let mut series = Series::new(1.0);
    assert_eq!(series.range(0, 10), None);
    let steps = Series::CAPACITY as u64 + 2;
    for step in 1..=steps {
        series.push(step as f32);
    }
    let range = series.range(10, 20).expect("recorded");
    assert_eq!((range.min, range.max, range.steps), (11.0, 20.0, 10));
    let widened = series.range(11, 13).expect("recorded");
    assert_eq!((widened.min, widened.max), (11.0, 14.0));
    assert_eq!(series.range(90, 2 * steps).expect("recorded").max, steps as f32);
    assert_eq!(series.range(steps, 2 * steps), None);
    assert_eq!(series.range(20, 20), None);
}

#[test]
fn the_smoothed_value_of_a_constant_is_that_constant_from_the_first_step() {
    let mut series = Series::new(50.0);
    for _ in 0..10 {
        series.push(2.5);
        assert_eq!(series.smooth(), Some(2.5));
    }
}

#[test]
fn values_that_are_not_finite_are_counted_and_never_drawn() {
    let mut series = Series::new(2.0);
    series.push(f32::NAN);
    assert!(!series.buckets()[0].is_drawable());
    assert!(series.smooth().is_some_and(f32::is_nan));
    series.push(f32::INFINITY);
    series.push(1.0);
    let all = whole(&series);
    assert_eq!((all.min, all.max, all.smooth, all.non_finite), (1.0, 1.0, 1.0, 2));
}

#[test]
fn a_cut_in_a_bucket_longer_than_what_is_told_keeps_its_extremes() {
    let mut series = Series::new(5.0);
    let steps = 8 * Series::CAPACITY + 1;
    let values: Vec<f32> = (1..=steps).map(|step| if step == 20 { 9.0 } else { 1.0 }).collect();
    for &value in &values {
        series.push(value);
    }
    series.go_back(30, &values[27..30]);
    assert_eq!((series.steps(), series.span(), series.buckets().len()), (30, 16, 2));
    let cut = series.buckets()[1];
    assert_eq!((cut.min, cut.max, cut.steps), (1.0, 9.0, 14));
    assert_eq!(series.smooth(), Some(1.0), "the spike was not told again");
}

#[test]
fn going_back_to_the_start_forgets_everything() {
    let mut series = Series::new(5.0);
    series.push(2.0);
    series.push(3.0);
    series.go_back(0, &[]);
    assert_eq!((series.steps(), series.buckets().len()), (0, 0));
    assert_eq!((series.last(), series.smooth()), (None, None));
}

/// Mostly finite.
fn any_loss() -> impl Strategy<Value = f32> {
    prop_oneof![20 => 0f32..10.0, 1 => Just(f32::NAN), 1 => Just(f32::INFINITY)]
}

proptest! {
    #[test]
    fn training_again_after_going_back_gives_the_curve_that_was(
        values in prop::collection::vec(any_loss(), 1..12_000),
        back in prop::collection::vec(0.0f64..1.0, 1..4),
    ) {
        let mut straight = Series::new(7.0);
        let mut cut = straight.clone();
        for &value in &values {
            straight.push(value);
            cut.push(value);
        }
        for share in back {
            let step = (share * values.len() as f64) as usize;
            cut.go_back(step as u64, &values[step.saturating_sub(1_000)..step]);
            prop_assert_eq!(cut.steps(), step as u64);
            let last = step.checked_sub(1).map(|place| values[place].to_bits());
            prop_assert_eq!(cut.last().map(f32::to_bits), last);
            for &value in &values[step..] {
                cut.push(value);
            }
            // Printed, since NaN is not equal to itself.
            prop_assert_eq!(format!("{cut:?}"), format!("{straight:?}"));
        }
    }

    #[test]
    fn merging_loses_no_step_and_no_extreme(
        values in prop::collection::vec(-1e3f32..1e3, 1..20_000),
    ) {
        let mut series = Series::new(7.0);
        for &value in &values {
            series.push(value);
        }
        let all = whole(&series);
        prop_assert_eq!(all.steps as usize, values.len());
        prop_assert_eq!(all.min, values.iter().copied().fold(f32::INFINITY, f32::min));
        prop_assert_eq!(all.max, values.iter().copied().fold(f32::NEG_INFINITY, f32::max));
        prop_assert!(series.buckets().len() <= Series::CAPACITY);
        for (place, bucket) in series.buckets().iter().enumerate() {
            let from = place * series.span() as usize;
            let to = (from + series.span() as usize).min(values.len());
            let max = values[from..to].iter().copied().fold(f32::NEG_INFINITY, f32::max);
            prop_assert_eq!(bucket.max, max);
        }
    }
}
