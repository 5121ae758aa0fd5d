//! The parameters of the network as plain data.

use crate::network::{Plan, plan::Param};

/// Names and shapes of the parameters in the model's order; names as in `PyTorch`'s `state_dict`
/// of the article's `MyModel`.
pub const SHAPES: [(&str, &[usize]); 6] = [
    ("layer1_conv.weight", &[6, 1, 5, 5]),
    ("layer1_conv.bias", &[6]),
    ("layer2_conv.weight", &[16, 6, 5, 5]),
    ("layer2_conv.bias", &[16]),
    ("fc.weight", &[10, 256]),
    ("fc.bias", &[10]),
];

/// One named array of f32 values, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// Its name, such as `layer1_conv.weight`.
    pub name: String,
    /// Its extents, outermost first.
    pub shape: Vec<usize>,
    /// Its values; as many as the product of `shape`.
    pub values: Vec<f32>,
}

/// All parameters of a network, in the model's order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parameters(pub Vec<Parameter>);

impl Parameters {
    /// The parts of a flat array, which must have as many values as the plan's parameters.
    pub fn of(plan: &Plan, flat: &[f32]) -> Self {
        let part = |param: &Param| Parameter {
            name: param.name.clone(),
            shape: param.shape.clone(),
            values: flat[param.range.clone()].to_vec(),
        };
        Self(plan.params().iter().map(part).collect())
    }

    /// All values one after the other.
    pub fn flat(&self) -> Vec<f32> {
        self.0.iter().flat_map(|parameter| parameter.values.iter().copied()).collect()
    }

    /// The parameter of that name.
    pub fn get(&self, name: &str) -> Option<&Parameter> {
        self.0.iter().find(|parameter| parameter.name == name)
    }

    /// How many scalars there are in all.
    pub fn count(&self) -> usize {
        self.0.iter().map(|parameter| parameter.values.len()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_network_has_5142_parameters() {
        let parameters = SHAPES.map(|(name, shape)| Parameter {
            name: name.to_owned(),
            shape: shape.to_vec(),
            values: vec![0.0; shape.iter().product()],
        });
        assert_eq!(Parameters(parameters.to_vec()).count(), 5_142);
    }

    #[test]
    fn a_parameter_is_found_by_its_name() {
        let bias = Parameter { name: "fc.bias".into(), shape: vec![1], values: vec![2.0] };
        let parameters = Parameters(vec![bias.clone()]);
        assert_eq!(parameters.get("fc.bias"), Some(&bias));
        assert_eq!(parameters.get("fc.weight"), None);
    }
}
