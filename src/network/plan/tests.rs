use super::*;
use crate::network::spec::Layer;

fn conv(channels: usize, kernel: usize, padding: usize) -> Layer {
    Layer::Conv { channels, kernel, stride: 1, padding, bias: true }
}

fn linear(width: Option<usize>) -> Layer {
    Layer::Linear { width, bias: true }
}

fn plan(layers: Vec<Layer>) -> Result<Plan, PlanError> {
    Plan::of(&NetworkSpec { layers }, [1, 28, 28], 10)
}

#[test]
fn the_article_has_its_names_shapes_and_stages() {
    let plan = Plan::article();
    let params: Vec<_> =
        plan.params().iter().map(|param| (param.name.as_str(), param.shape.clone())).collect();
    assert_eq!(
        params,
        [
            ("layer1_conv.weight", vec![6, 1, 5, 5]),
            ("layer1_conv.bias", vec![6]),
            ("layer2_conv.weight", vec![16, 6, 5, 5]),
            ("layer2_conv.bias", vec![16]),
            ("fc.weight", vec![10, 256]),
            ("fc.bias", vec![10]),
        ]
    );
    assert_eq!((plan.trained_len(), plan.running_len()), (5_142, 0));
    assert!(plan.is_article() && !plan.has_batch_norm());
    let mut named = NetworkSpec::article();
    named.layers.pop();
    named.layers.push(linear(Some(10)));
    let named = Plan::of(&named, [1, 28, 28], 10).expect("it fits");
    assert!(named.is_article() && named.params()[0].name == "conv1.weight");
    let wider = Plan::of(&NetworkSpec::article(), [1, 28, 28], 11).expect("it fits");
    assert!(!wider.is_article());
    let stage = |node: &Node| (node.name.clone(), plan.values()[node.output].shape);
    let stages: Vec<_> = plan.stages().map(stage).collect();
    let expected = [
        ("layer1_relu", [6, 24, 24]),
        ("layer1_pool", [6, 12, 12]),
        ("layer2_relu", [16, 8, 8]),
        ("layer2_pool", [16, 4, 4]),
    ];
    assert_eq!(stages, expected.map(|(name, shape)| (name.to_owned(), shape)));
    assert_eq!(plan.multiply_adds(), 24 * 24 * 25 * 6 + 8 * 8 * 150 * 16 + 2_560);
}

#[test]
fn blocks_are_entered_and_numbered_on_their_own() {
    let block = vec![conv(4, 3, 1), Layer::BatchNorm, Layer::Relu, conv(4, 3, 1)];
    let block = Layer::Residual { layers: block };
    let layers = vec![conv(4, 3, 1), block.clone(), block, Layer::GlobalAvgPool, linear(None)];
    let plan = plan(layers).expect("it fits");
    let names: Vec<_> = plan.params().iter().map(|param| param.name.as_str()).collect();
    assert_eq!(
        names[2..8],
        [
            "res1.conv1.weight",
            "res1.conv1.bias",
            "res1.bn1.weight",
            "res1.bn1.bias",
            "res1.conv2.weight",
            "res1.conv2.bias",
        ]
    );
    let running: Vec<_> = plan.running().iter().map(|param| param.name.as_str()).collect();
    assert_eq!(running[2..], ["res2.bn1.running_mean", "res2.bn1.running_var"]);
    let sum = |node: &Node| match node.op {
        Op::Add { with } => Some((node.name.clone(), with, node.input)),
        _ => None,
    };
    let sums: Vec<_> = plan.nodes().iter().filter_map(sum).collect();
    assert_eq!(sums, [("res1".to_owned(), 1, 5), ("res2".to_owned(), 6, 10)]);
    let depths: Vec<_> = plan.rows().iter().map(|row| row.depth).collect();
    assert_eq!(depths, [0, 0, 1, 1, 1, 1, 0, 1, 1, 1, 1, 0, 0]);
}

#[test]
fn padding_and_stride_count_as_in_pytorch() {
    let strided = Layer::Conv { channels: 3, kernel: 3, stride: 2, padding: 1, bias: false };
    let pool = Layer::MaxPool { size: 3, stride: Some(2) };
    let plan = plan(vec![strided, pool, Layer::Flatten, linear(None)]).expect("it fits");
    let shapes: Vec<_> = plan.values().iter().map(|value| value.shape).collect();
    assert_eq!(shapes[1..4], [[3, 14, 14], [3, 6, 6], [108, 1, 1]]);
    assert_eq!(plan.params().len(), 3);
}

#[test]
fn the_last_linear_layer_has_an_output_for_each_class_wherever_it_stands() {
    let plan = plan(vec![Layer::Flatten, linear(None), Layer::BatchNorm]).expect("it fits");
    assert_eq!(plan.params()[0].shape, [10, 784]);
    let single = plan.normalises_single_values().map(|node| node.name.as_str());
    assert_eq!(single, Some("bn1"));
}

#[test]
fn layers_that_do_not_fit_are_named_with_the_shapes() {
    let pool = |size| Layer::MaxPool { size, stride: None };
    for (layers, expected) in [
        (vec![], "at least one layer"),
        (vec![linear(None)], "fc1 takes a row of values, found 1×28×28 maps"),
        (vec![Layer::Flatten, conv(3, 3, 0)], "conv1 takes maps of pixels, found a row of 784"),
        (vec![Layer::Flatten, linear(None), linear(None)], "fc1 has no width"),
        (vec![Layer::Flatten, linear(Some(7))], "gives a row of 7 values, expected one value"),
        (vec![conv(8, 3, 1), pool(30)], "pool1 takes maps of at least 30×30, found 8×28×28"),
        (vec![pool(9), conv(8, 7, 1)], "conv1 takes maps of at least 5×5, found 1×3×3"),
        (vec![conv(0, 3, 1)], "conv1 has 0 channels, expected 1 to 4096"),
        (vec![conv(3, 8, 1)], "conv1 has 8 rows and columns of the kernel, expected 1 to 7"),
        (vec![conv(3, 3, 3)], "conv1 has 3 as its padding, expected 0 to 2"),
        (vec![Layer::Dropout { p: 1.0 }], "dropout1 has the probability 1"),
        (vec![Layer::Dropout { p: f64::NAN }], "dropout1 has the probability NaN"),
        (vec![Layer::Residual { layers: vec![] }], "res1 has no layers"),
        (
            vec![Layer::Residual { layers: vec![conv(4, 3, 1)] }],
            "res1 adds its input, 1×28×28 maps, to what its layers give, 4×28×28 maps",
        ),
        (
            [vec![Layer::Flatten], vec![linear(Some(4_096)); 3]].concat(),
            "fc3 makes the network too large",
        ),
        (vec![Layer::Relu; 201], "more than 200 layers"),
        (vec![Layer::GlobalAvgPool], "the last layer gives a row of 1 values"),
    ] {
        let message = plan(layers).expect_err("the layers do not fit").to_string();
        assert!(message.contains(expected), "{message}");
    }
    let nested = (0..10).fold(Layer::Relu, |layer, _| Layer::Residual { layers: vec![layer] });
    let message = plan(vec![nested]).expect_err("too deep").to_string();
    assert!(message.contains("nested more than 8 deep"), "{message}");
}
