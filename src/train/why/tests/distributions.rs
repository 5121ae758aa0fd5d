use super::*;

#[test]
fn distributions_count_each_layers_values_and_find_the_units_that_are_dead() {
    let mut bench = Bench::new(300);
    let plan = Arc::clone(bench.model.plan());
    let mut weights = bench.model.weights().expect("in main memory");
    // The biases of two maps of the first convolution and of one of the second.
    for place in [150 + 2, 150 + 5, 156 + 2_400 + 7] {
        weights.trained[place] = -100.0;
    }
    bench.model = Model::new(Arc::clone(&plan), &weights, &Device::Cpu).expect("they fit");
    let flat =
        |values: &[f32]| Tensor::from_slice(values, values.len(), &Device::Cpu).expect("flat");
    let gradient = numbers(plan.trained_len(), 9, -1.0, 3.0);
    let after: Vec<f32> = weights.trained.iter().map(|weight| weight + 0.5).collect();
    let none = flat(&[]);
    let change = Change {
        loss: none.clone(),
        loss_after: none.clone(),
        logits: none,
        gradient: flat(&gradient),
        before: flat(&weights.trained),
        after: flat(&after),
        took: Duration::ZERO,
    };
    bench.explainer.ask(Some(Question::Distributions), Instant::now());
    assert!(bench.explainer.lacks_change(4));
    bench.explainer.note_change(4, &change).expect("in main memory");
    assert!(!bench.explainer.lacks_change(4));
    let Content::Distributions(part) = bench.go_on(4).content else { panic!("distributions") };
    assert!(part.stages.iter().all(|stage| stage.dead.is_none()), "the images are searched later");
    let Content::Distributions(found) = bench.go_on(4).content else { panic!("distributions") };
    let names: Vec<&str> = found.layers.iter().map(|layer| layer.name.as_str()).collect();
    assert_eq!(names, ["layer1_conv", "layer2_conv", "fc"]);
    for (layer, range) in found.layers.iter().zip([0..156, 156..2_572, 2_572..5_142]) {
        assert_eq!(layer.weights, Histogram::of(&weights.trained[range.clone()]));
        assert_eq!(layer.gradients, Histogram::of(&gradient[range.clone()]));
        let moved: Vec<f32> = range.map(|place| after[place] - weights.trained[place]).collect();
        assert_eq!(layer.updates, Histogram::of(&moved));
    }
    // Each image by itself, by another path.
    let mut alive = vec![Vec::new(); 4];
    for index in 0..300 {
        let image = bench.sets.test.image(index).iter().map(|&byte| f32::from(byte) / 255.0);
        let image: Vec<f32> = image.collect();
        let (stages, _) = bench.model.stages(&image).expect("it fits");
        for ((stage, alive), units) in stages.iter().zip(&mut alive).zip([6, 6, 16, 16]) {
            alive.resize(units, false);
            for (unit, alive) in stage.chunks(stage.len() / units).zip(alive) {
                *alive |= unit.iter().any(|&value| value > 0.0);
            }
        }
    }
    let dead_of = |place: usize| -> Vec<u32> {
        (0..).zip(&alive[place]).filter(|(_, alive)| !**alive).map(|(unit, _)| unit).collect()
    };
    assert!([2, 5].iter().all(|unit| dead_of(0).contains(unit)) && dead_of(2).contains(&7));
    for (place, units) in [(0, 6), (2, 16)] {
        assert_eq!(found.stages[place].dead, Some(dead_of(place)));
        assert_eq!(found.stages[place].units, units);
    }
    assert_eq!((found.stages[1].units, found.images, found.all_images), (0, 256, 300));
}

#[test]
fn samples_taken_while_training_do_not_wait_for_dead_units_each_time() {
    let mut bench = Bench::new(300);
    bench.explainer.ask(Some(Question::Distributions), Instant::now());
    // Whether the answer knows the dead units, and whether it is the last one to this step.
    let mut next = |step, stands| {
        bench.stands = stands;
        let Content::Distributions(found) = bench.go_on(step).content else {
            panic!("distributions")
        };
        (found.stages.iter().all(|it| it.dead.is_some()), !bench.explainer.has_work(step))
    };
    assert_eq!([next(1, false), next(1, false)], [(false, false), (true, true)]);
    assert_eq!(next(2, false), (false, true), "the search was just now");
    bench.explainer.stand();
    let mut next = |step| {
        bench.stands = true;
        bench.go_on(step);
        bench.explainer.has_work(step)
    };
    assert_eq!([next(2), next(2)], [true, false], "paused, the sample is completed");
    bench.explainer.stand();
    assert!(!bench.explainer.has_work(2), "once");
}
