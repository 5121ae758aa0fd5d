//! The plane in which a run's own weights varied most.

use super::landscape::Plane;
use crate::{metrics::Pca, protocol::Trajectory};

/// Most passes for components that hardly differ from the ones after them.
const MOST_STEPS: usize = 60;
/// How much wider the plane is than the trajectory.
const MARGIN: f32 = 1.3;

/// The plane through `weights` along the first two principal components of the snapshots, with the trajectory
/// that they mark; `None` where they are too few, all the same or not finite.
pub(super) fn plane(weights: &[f32], snapshots: &[(u64, Vec<f32>)]) -> Option<Plane> {
    if snapshots.len() < Trajectory::FEWEST {
        return None;
    }
    let rows: Vec<f32> = snapshots
        .iter()
        .flat_map(|(_, snapshot)| snapshot.iter().zip(weights).map(|(then, now)| then - now))
        .collect();
    if rows.iter().any(|value| !value.is_finite()) || rows.iter().all(|&value| value == 0.0) {
        return None;
    }
    let mut pca = Pca::new(weights.len());
    pca.centre(&rows);
    for _ in 0..MOST_STEPS {
        if pca.step(&rows) {
            break;
        }
    }
    let along = |row: &[f32], axis: &[f64]| {
        row.iter().zip(axis).map(|(&value, along)| f64::from(value) * along).sum::<f64>()
    };
    // Of the two signs of an axis the one with which the run starts on the left, and above.
    let start = &rows[..weights.len()];
    let axes = pca.axes();
    let flips = [along(start, &axes[0]) > 0.0, along(start, &axes[1]) < 0.0];
    let signs = flips.map(|flips| if flips { -1.0 } else { 1.0 });
    let directions = [0, 1].map(|axis: usize| -> Vec<f32> {
        axes[axis].iter().map(|along| (signs[axis] * along) as f32).collect()
    });
    let project = |row| [0, 1].map(|axis: usize| (signs[axis] * along(row, &axes[axis])) as f32);
    let points: Vec<[f32; 2]> = rows.chunks_exact(weights.len()).map(project).collect();
    let bounds = [0, 1].map(|axis: usize| {
        let values = points.iter().map(|point| point[axis]);
        values.fold((0.0_f32, 0.0_f32), |(low, high), it| (low.min(it), high.max(it)))
    });
    let middle = bounds.map(|(low, high)| f32::midpoint(low, high));
    let widest = bounds.map(|(low, high)| (high - low) / 2.0).into_iter().fold(0.0, f32::max);
    let steps = snapshots.iter().map(|(step, _)| *step).collect();
    let trajectory = Some(Trajectory { steps, points, shares: pca.shares() });
    (widest > 0.0).then_some(Plane { directions, middle, reach: MARGIN * widest, trajectory })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plane_is_the_one_in_which_the_snapshots_lie() {
        // On an ellipse in the plane of the second and the fourth weight.
        let snapshots: Vec<(u64, Vec<f32>)> = (0..9_u8)
            .map(|step| {
                let turn = f32::from(step) * 0.7;
                (u64::from(step), vec![1.0, 4.0 * turn.cos(), -2.0, turn.sin(), 0.5])
            })
            .collect();
        let weights = snapshots[8].1.clone();
        let plane = plane(&weights, &snapshots).expect("enough snapshots");
        for place in [0, 2, 4] {
            let lengths = [0, 1].map(|axis: usize| plane.directions[axis][place].abs());
            assert!(lengths.iter().all(|length| *length < 1e-5), "{lengths:?}");
        }
        let trajectory = plane.trajectory.expect("it is along it");
        assert!((trajectory.shares.iter().sum::<f64>() - 1.0).abs() < 1e-6);
        assert_eq!(trajectory.points[8], [0.0, 0.0], "the weights themselves");
        for ((_, snapshot), [x, y]) in snapshots.iter().zip(&trajectory.points) {
            let there = weights.iter().zip(&plane.directions[0]).zip(&plane.directions[1]);
            let there = there.map(|((it, along), across)| it + x * along + y * across);
            for (there, expected) in there.zip(snapshot) {
                assert!((there - expected).abs() < 1e-4, "{there}, not {expected}");
            }
            let is_inside = |at: f32, middle: f32| (at - middle).abs() < plane.reach;
            assert!(is_inside(*x, plane.middle[0]) && is_inside(*y, plane.middle[1]));
        }
        assert!(trajectory.points[0][0] < 0.0, "the run starts on the left");
    }

    #[test]
    fn too_few_snapshots_or_none_that_moved_have_no_plane() {
        let still = vec![(0, vec![1.0, 2.0]), (1, vec![1.0, 2.0]), (2, vec![1.0, 2.0])];
        assert!(plane(&[1.0, 2.0], &still).is_none());
        assert!(plane(&[1.0, 2.0], &still[..2]).is_none());
        let lost = vec![(0, vec![f32::NAN, 2.0]), (1, vec![1.0, 2.0]), (2, vec![0.0, 2.0])];
        assert!(plane(&[1.0, 2.0], &lost).is_none());
    }
}
