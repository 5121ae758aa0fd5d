use super::*;

#[test]
fn recent_steps_are_kept_one_by_one_and_older_ones_dropped() {
    let mut curves = Curves::sized(5_000_000, 10.0);
    curves.extend(&(1..=5_300).map(|step| step as f32).collect::<Vec<_>>());
    curves.refresh(1.0, true);
    let sight = curves.sight(Range::Recent);
    assert_eq!((sight.from, sight.to), (4_400, 5_400));
    for sight in [sight, Sight::zoomed(4_400, 5_400)] {
        let one = curves.steps(&sight, 5_000, 5_001).expect("recent");
        assert_eq!((one.min, one.max), (5_001.0, 5_001.0));
        assert_eq!(curves.steps(&sight, 5_300, 5_301), None);
    }
    assert_eq!(curves.steps(&sight, 0, 4_300), None);
    assert_eq!(
        curves.steps(&curves.sight(Range::SoFar), 5_000, 5_001).map(|two| two.steps),
        Some(2)
    );
}

#[test]
fn the_whole_run_spans_the_steps_to_come() {
    let mut curves = Curves::sized(12_000, 10.0);
    curves.extend(&[2.3, 2.2]);
    let sight = curves.sight(Range::WholeRun);
    assert_eq!((sight.from, sight.to), (0, 12_000));
    assert_eq!(curves.steps(&sight, 6_000, 12_000), None);
    assert_eq!(curves.sight(Range::SoFar).to, 100);
}

#[test]
fn the_first_recent_steps_start_at_zero() {
    let mut curves = Curves::sized(12_000, 10.0);
    curves.extend(&[2.3, 2.2]);
    curves.refresh(1.0, false);
    let sight = curves.sight(Range::Recent);
    assert_eq!((sight.from, sight.to), (0, 1_000));
    assert_eq!(curves.steps(&sight, 1, 2).map(|bucket| bucket.max), Some(2.2));
}

fn evaluation(correct: u64) -> Evaluation {
    Evaluation {
        set: crate::protocol::EvalSet::Test,
        loss: 0.5,
        correct,
        total: 100,
        seconds: 0.1,
        confusion: crate::metrics::Confusion::new(10),
    }
}

/// The curves of a run with these losses, evaluated every 100 steps.
fn trained(losses: &[f32], expected: u64) -> Curves {
    let mut curves = Curves::sized(expected, 10.0);
    train(&mut curves, losses);
    curves
}

fn train(curves: &mut Curves, losses: &[f32]) {
    for loss in losses {
        curves.extend(&[*loss]);
        if curves.loss.steps().is_multiple_of(100) {
            curves.evaluated(curves.loss.steps(), &evaluation(90));
        }
    }
}

fn back_to(losses: &[f32], step: usize) -> Rewound {
    Rewound {
        step: step as u64,
        epoch: 1,
        batch: step as u64,
        images: 50 * step as u64,
        learning_rate: 0.001,
        clock: crate::protocol::Clock::default(),
        tail: losses[step.saturating_sub(Rewound::TAIL)..step].to_vec(),
    }
}

fn losses(n: u32) -> Vec<f32> {
    (0..n).map(|step| 1.0 + (step * 7 % 11) as f32).collect()
}

/// Steps and beginning of each curve that is drawn under the run's.
fn drawn(curves: &Curves) -> Vec<(u64, u64)> {
    let pasts = curves.pasts.drawn(curves.loss.steps());
    pasts.map(|(from, past)| (from, past.loss.steps())).collect()
}

#[test]
fn what_lies_beyond_is_ahead_until_the_run_has_caught_up() {
    let losses = losses(250);
    let mut curves = trained(&losses, 12_000);
    curves.go_back(&back_to(&losses, 150));
    assert_eq!((curves.loss.steps(), curves.evaluations.len()), (150, 1));
    curves.go_back(&back_to(&losses, 50));
    assert_eq!((curves.loss.steps(), curves.evaluations.len()), (50, 0));
    assert_eq!(drawn(&curves), [(50, 250)], "the longest stays");
    assert_eq!(curves.pasts.ahead().map(|ahead| ahead.evaluations.len()), Some(2));
    train(&mut curves, &losses[50..249]);
    assert_eq!(drawn(&curves), [(249, 250)]);
    train(&mut curves, &losses[249..]);
    assert!(curves.pasts.is_empty());
    assert_eq!(curves.evaluations.len(), 2);
}

#[test]
fn a_branch_leaves_the_curve_ahead_behind_and_few_of_them_are_kept() {
    let losses = losses(100);
    let mut curves = trained(&losses, 12_000);
    for step in [90, 80, 70, 60, 50, 40] {
        curves.go_back(&back_to(&losses, step));
        curves.rate_changed(&RateChange { step: step as u64, learning_rate: 0.002, branch: true });
        assert!(curves.pasts.ahead().is_none());
        train(&mut curves, &losses[step..95]);
    }
    let from: Vec<_> = drawn(&curves).iter().map(|&(from, _)| from).collect();
    assert_eq!(from, [70, 60, 50, 40]);
}

#[test]
fn a_change_of_rate_at_the_end_of_the_run_is_no_branch() {
    let mut curves = trained(&losses(100), 12_000);
    curves.rate_changed(&RateChange { step: 100, learning_rate: 0.002, branch: false });
    assert!(curves.pasts.is_empty());
    assert_eq!(curves.marks.rates(), [(100, 0.002)]);
}

#[test]
fn a_step_of_what_is_ahead_is_known_without_training() {
    let losses = losses(300);
    let mut curves = trained(&losses, 12_000);
    curves.go_back(&back_to(&losses, 10));
    curves.go_back(&back_to(&losses, 205));
    assert_eq!((curves.loss.steps(), curves.evaluations.len()), (205, 2));
    assert_eq!(format!("{:?}", curves.loss), format!("{:?}", trained(&losses[..205], 12_000).loss));
}

#[test]
fn an_evaluation_made_again_takes_the_place_of_the_one_before() {
    let mut curves = trained(&losses(100), 12_000);
    curves.evaluated(100, &evaluation(95));
    let found: Vec<_> = curves.evaluations.iter().map(|point| point.accuracy).collect();
    assert_eq!(found, [0.95]);
}

#[test]
fn recent_steps_are_those_before_the_step_gone_back_to() {
    let losses = losses(5_000);
    for step in [0, 1, 700, 4_998] {
        let mut curves = trained(&losses, 3_000);
        curves.go_back(&back_to(&losses, step));
        curves.refresh(0.0, false);
        let straight = trained(&losses[..step], 3_000);
        let values = |curves: &Curves| {
            curves.recent.iter().map(|bucket| (bucket.min, bucket.max)).collect::<Vec<_>>()
        };
        assert_eq!(values(&curves), values(&straight), "{step}");
        // The oldest are smoothed from the start of their bucket; that is soon forgotten.
        let smooth = |curves: &Curves| curves.recent.back().map(|bucket| bucket.smooth);
        assert_eq!(smooth(&curves), smooth(&straight), "{step}");
        train(&mut curves, &losses[step..]);
        assert_eq!(values(&curves), values(&trained(&losses, 3_000)), "{step}");
    }
}

#[test]
fn more_losses_than_there_were_steps_are_cut() {
    let mut curves = trained(&losses(3), 100);
    let mut to = back_to(&losses(3), 0);
    to.tail = losses(3);
    curves.go_back(&to);
    curves.refresh(1.0, true);
    assert_eq!(curves.steps(&curves.sight(Range::Recent), 0, 1_000), None);
}
