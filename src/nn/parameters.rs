//! The network's parameters as plain numbers.

/// Names and shapes of the six parameters, in the order of the network.
pub const SHAPES: [(&str, &[usize]); 6] = [
    ("layer1_conv.weight", &[6, 1, 5, 5]),
    ("layer1_conv.bias", &[6]),
    ("layer2_conv.weight", &[16, 6, 5, 5]),
    ("layer2_conv.bias", &[16]),
    ("fc.weight", &[10, 256]),
    ("fc.bias", &[10]),
];

/// One parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// The name, as in `SHAPES`.
    pub name: String,
    /// The shape.
    pub shape: Vec<usize>,
    /// The values, the last dimension running fastest.
    pub values: Vec<f32>,
}

/// All parameters of a network.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameters(pub Vec<Parameter>);
