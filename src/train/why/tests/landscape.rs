use super::*;

#[test]
fn the_landscape_is_the_loss_of_moved_weights() {
    let mut bench = Bench::new(2);
    bench.explainer.ask(Some(Question::Landscape), Instant::now());
    assert!(!bench.explainer.is_due(4, Instant::now() + PERIOD), "training makes no room for it");
    let found = loop {
        match bench.go_on(4).content {
            Content::Landscape(found) if found.is_complete() => break found,
            Content::Landscape(part) => {
                assert!(part.done > 0 && part.losses.iter().any(|loss| loss.is_nan()));
            }
            other => panic!("{other:?}"),
        }
    };
    assert!(!bench.explainer.has_work(4));
    let (images, labels) =
        tensors(Seen::plain(&bench.sets.test), &[0, 1], &Device::Cpu).expect("two images");
    let loss = |model: &Model| -> f32 {
        let loss = model.evaluate(&images, &labels).expect("they fit").loss;
        loss.to_scalar().expect("one number")
    };
    assert_eq!(found.centre, loss(&bench.model));
    assert_eq!(found.losses[20 * 41 + 20], found.centre);
    // A corner, from the definition.
    let plan = Arc::clone(bench.model.plan());
    let weights = bench.model.weights().expect("in main memory");
    let mut moved = weights.trained.clone();
    for (direction, by) in [(0, 1.0), (1, -1.0)] {
        let parameters = plan.params().iter().map(|it| (&it.range, it.shape.as_slice()));
        let mut rng = seed::rng(3, Purpose::Landscape, direction, 0);
        let along = filter_normalised(&weights.trained, parameters, &mut rng);
        moved.iter_mut().zip(along).for_each(|(weight, along)| *weight += by * along);
    }
    let moved = Weights { trained: moved, running: Vec::new() };
    let corner = loss(&Model::new(plan, &moved, &Device::Cpu).expect("it fits"));
    assert!((found.losses[40] / corner - 1.0).abs() < 1e-5, "{} and {corner}", found.losses[40]);
    assert_eq!((found.at(40), found.at(20 * 41 + 20)), ([1.0, -1.0], [0.0, 0.0]));
}

#[test]
fn a_landscape_of_other_weights_is_begun_again() {
    let mut bench = Bench::new(1);
    bench.explainer.ask(Some(Question::Landscape), Instant::now());
    let Bench { explainer, model, sets, results, .. } = &mut bench;
    let slice = |explainer: &mut Explainer, step| {
        let snapshots: &dyn Fn(usize) -> _ = &|_| Vec::new();
        explainer.slice(&Moment { step, stands: true, model, seed: 3, sets, results, snapshots })
    };
    for _ in 0..20 {
        let _ = slice(explainer, 1);
    }
    let first = std::iter::repeat_with(|| slice(explainer, 2)).flatten().next();
    assert_eq!(first.map(|answer| answer.step), Some(2));
}

#[test]
fn the_plane_of_the_trajectory_has_the_losses_of_the_runs_own_weights() {
    let mut bench = Bench::new(40);
    let none = bench.answer(&Question::Trajectory, 9).content;
    assert!(matches!(none, Content::Nothing(_)), "{none:?}");
    // In one plane with the weights.
    let weights = bench.model.weights().expect("in main memory").trained;
    let aside = numbers(weights.len(), 5, -0.02, 0.02);
    let moved = |along: f32, across: f32| -> Vec<f32> {
        let both = weights.iter().zip(&aside);
        both.map(|(it, aside)| it * (1.0 + along) + across * aside).collect()
    };
    bench.snapshots = vec![(0, moved(-0.4, 0.0)), (3, moved(-0.3, 1.0)), (6, moved(-0.1, 0.5))];
    bench.explainer.renew();
    let found = loop {
        match bench.go_on(9).content {
            Content::Landscape(found) if found.is_complete() => break found,
            Content::Landscape(_) => {}
            other => panic!("{other:?}"),
        }
    };
    let trajectory = found.trajectory.clone().expect("along the trajectory");
    assert_eq!((trajectory.steps, trajectory.points[3]), (vec![0, 3, 6, 9], [0.0; 2]));
    assert!((trajectory.shares.iter().sum::<f64>() - 1.0).abs() < 1e-5, "all lie in the plane");
    let indices: Vec<u32> = (0..40).collect();
    let (images, labels) =
        tensors(Seen::plain(&bench.sets.test), &indices, &Device::Cpu).expect("in main memory");
    let loss = |trained: Vec<f32>| -> f32 {
        let weights = Weights { trained, running: Vec::new() };
        let plan = Arc::clone(bench.model.plan());
        let model = Model::new(plan, &weights, &Device::Cpu).expect("they fit");
        let outcome = model.evaluate(&images, &labels).expect("in main memory");
        outcome.loss.to_scalar().expect("a scalar")
    };
    assert_eq!(found.centre, loss(weights.clone()));
    // The point of the grid next to each snapshot has nearly its loss.
    for ((_, snapshot), [x, y]) in bench.snapshots.clone().into_iter().zip(trajectory.points) {
        let distance = |place: &usize| {
            let at = found.at(*place);
            (at[0] - x).hypot(at[1] - y)
        };
        let near = (0..found.losses.len()).min_by(|a, b| distance(a).total_cmp(&distance(b)));
        let (near, expected) = (found.losses[near.expect("points")], loss(snapshot));
        assert!((near / expected - 1.0).abs() < 0.05, "{near}, not {expected}");
    }
}
