use super::*;

/// The arithmetic at a position of a stage for an image.
fn arithmetic(bench: &mut Bench, stage: u32, place: [u32; 3]) -> Arithmetic {
    let subject = Subject::Image { set: ImageSet::Test, index: 0 };
    match bench.answer(&Question::Arithmetic { subject, stage, place }, 1).content {
        Content::Arithmetic(found) => found,
        other => panic!("{other:?}"),
    }
}

#[test]
fn arithmetic_is_that_of_the_maps_that_are_shown() {
    let mut bench = Bench::new(1);
    let pixels = bench.sets.test.image(0).to_vec();
    let grey: Vec<f32> = pixels.iter().map(|&byte| f32::from(byte) / 255.0).collect();
    let (stages, _) = bench.model.stages(&grey).expect("it fits");
    let weights = bench.model.weights().expect("in main memory").trained;
    // By hand, from the image: map 4 at row 7, column 19.
    let first = arithmetic(&mut bench, 0, [4, 7, 19]);
    let mut sum = 0.0;
    for (row, column) in (0..25).map(|place| (place / 5, place % 5)) {
        let (value, weight) =
            (grey[(7 + row) * 28 + 19 + column], weights[4 * 25 + row * 5 + column]);
        assert_eq!(first.patch[row * 5 + column], value);
        assert_eq!(first.kernel[row * 5 + column], weight);
        sum += f64::from(value * weight);
    }
    close(first.sum() as f32, sum as f32);
    assert_eq!((first.bias, first.corner, first.shape), (Some(weights[154]), [7, 19], [6, 24, 24]));
    close(first.output, sum as f32 + weights[154]);
    assert_eq!(first.after, [("layer1_relu".to_owned(), first.output.max(0.0))]);
    close(first.after[0].1, stages[0][(4 * 24 + 7) * 24 + 19]);
    // Of several inputs, which are the maps of the stage before; a position beyond is the last one.
    let second = arithmetic(&mut bench, 2, [15, 99, 3]);
    assert_eq!((second.place, second.inputs), ([15, 7, 3], 6));
    close(second.patch[2 * 25 + 6], stages[1][(2 * 12 + 8) * 12 + 4]);
    close(second.sum() as f32 + second.bias.expect("it has one"), second.output);
    close(second.after[0].1, stages[2][(15 * 8 + 7) * 8 + 3]);
    assert_eq!(second.map.len(), 64);
    close(second.map[7 * 8 + 3], second.after[0].1);
    let pool = Question::Arithmetic {
        subject: Subject::Image { set: ImageSet::Test, index: 0 },
        stage: 1,
        place: [0; 3],
    };
    assert!(matches!(bench.answer(&pool, 1).content, Content::Nothing(_)));
}

#[test]
fn arithmetic_pads_strides_and_passes_normalisation() {
    let mut bench = Bench::new(1);
    let spec = "conv 3 k3 s2 p1 nobias, bn, relu, flatten, linear";
    let plan = Plan::of(&spec.parse().expect("a network"), [1, 28, 28], 10).expect("it fits");
    let weights = Weights::initial(&plan, &mut seed::rng(5, Purpose::Initialisation, 0, 0));
    bench.model = Model::new(Arc::new(plan), &weights, &Device::Cpu).expect("it fits");
    let found = arithmetic(&mut bench, 0, [1, 0, 2]);
    assert_eq!(
        (found.corner, found.bias, found.patch[..3].to_vec()),
        ([-1, 3], None, vec![0.0; 3])
    );
    let grey =
        |row: usize, column: usize| f32::from(bench.sets.test.image(0)[row * 28 + column]) / 255.0;
    assert_eq!(found.patch[3..6], [3, 4, 5].map(|column| grey(0, column)));
    close(found.sum() as f32, found.output);
    let names: Vec<&str> = found.after.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names.len(), 2, "{names:?}");
    close(found.after[1].1, found.after[0].1.max(0.0));
}
