use std::sync::Arc;

use super::*;
use crate::{
    network::Plan,
    nn::model::{Model, Weights},
    seed::{self, Purpose},
};

/// The article's weights, and its snapshots moved by `moves` of row and column from them.
fn moved(count: usize, moves: impl Fn(usize, usize) -> f32) -> (Vec<f32>, FindPlane) {
    let plan = Arc::new(Plan::article());
    let weights = Weights::initial(&plan, &mut seed::rng(3, Purpose::Initialisation, 0, 0));
    let model = Model::new(plan, &weights, &Device::Cpu).expect("in main memory");
    let snapshot = |row: usize| {
        let values = weights.trained.iter().enumerate();
        let values: Vec<f32> = values.map(|(column, it)| it + moves(row, column)).collect();
        (row as u64, Tensor::new(values, &Device::Cpu).expect("in main memory"))
    };
    let frozen = Frozen::of(&model).expect("in main memory");
    let snapshots = (0..count).map(snapshot).collect();
    let finding = FindPlane::new(frozen, count as u64, snapshots).expect("in main memory");
    (weights.trained, finding)
}

/// The plane, if there is one, and the slices that took.
fn found(mut finding: FindPlane) -> (Option<Plane>, usize) {
    for slices in 1..1_000 {
        match finding.slice().expect("in main memory") {
            Progress::More => {}
            Progress::None => return (None, slices),
            Progress::Plane(plane) => return (Some(plane), slices),
        }
    }
    panic!("it settles")
}

#[test]
fn the_plane_is_the_one_in_which_the_snapshots_lie() {
    // On an ellipse along two weights, which ends at the network's own.
    let turn = |row: usize| row as f32 * 0.5;
    let moves = |row: usize, column: usize| match column {
        1 => 4.0 * (turn(row).cos() - turn(9).cos()),
        4_000 => turn(row).sin() - turn(9).sin(),
        _ => 0.0,
    };
    let (weights, finding) = moved(9, moves);
    let Some(plane) = found(finding).0 else { panic!("the snapshots are enough") };
    let trajectory = plane.trajectory.expect("it is along it");
    assert!((trajectory.shares.iter().sum::<f64>() - 1.0).abs() < 1e-6);
    assert_eq!(trajectory.steps, (0..=9).collect::<Vec<_>>());
    assert_eq!(trajectory.points[9], [0.0, 0.0], "the weights themselves");
    assert!(trajectory.points[0][0] < 0.0, "the run starts on the left");
    assert!(trajectory.points[0][1] > 0.0, "and above");
    for (row, [x, y]) in trajectory.points.iter().enumerate() {
        for column in [0, 1, 4_000, weights.len() - 1] {
            let there = x * plane.directions[0][column] + y * plane.directions[1][column];
            assert!((there - moves(row, column)).abs() < 1e-4, "{there} in {row}, {column}");
        }
        let is_inside = |at: f32, middle: f32| (at - middle).abs() < plane.reach;
        assert!(is_inside(*x, plane.middle[0]) && is_inside(*y, plane.middle[1]));
    }
}

#[test]
fn many_snapshots_are_read_some_columns_at_a_time() {
    let moves = |row: usize, column: usize| ((row * 7 + column * column) % 13) as f32 * 0.01;
    let (weights, finding) = moved(Trajectory::MOST, moves);
    let columns = finding.rows.columns(0).expect("in main memory");
    assert!(columns.len() * columns.len() * columns[0].len() <= PRODUCTS);
    let (plane, slices) = found(finding);
    assert!(slices >= 4, "{slices} for {} weights", weights.len());
    let plane = plane.expect("the snapshots are enough");
    let length = |it: &[f32]| it.iter().map(|it| f64::from(*it).powi(2)).sum::<f64>();
    for direction in &plane.directions {
        assert!((length(direction) - 1.0).abs() < 1e-5, "{}", length(direction));
    }
    let [x, y] = plane.trajectory.expect("it is along it").points[5];
    let along = |direction: &[f32]| {
        let moved = (0..weights.len()).map(|column| moves(5, column));
        moved.zip(direction).map(|(it, along)| f64::from(it * along)).sum::<f64>()
    };
    for (found, expected) in [x, y].into_iter().zip(plane.directions.each_ref().map(|it| along(it)))
    {
        assert!((f64::from(found) - expected).abs() < 1e-3, "{found}, not {expected}");
    }
}

#[test]
fn too_few_snapshots_or_none_that_moved_have_no_plane() {
    let has_plane =
        |count, moves: fn(usize, usize) -> f32| found(moved(count, moves).1).0.is_some();
    assert!(!has_plane(9, |_, _| 0.0));
    assert!(!has_plane(1, |row, _| row as f32 - 1.0));
    assert!(has_plane(3, |row, _| row as f32 - 3.0), "along a line");
    assert!(!has_plane(3, |row, _| if row == 1 { f32::NAN } else { 1.0 }));
}
