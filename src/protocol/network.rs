//! The network that a run trains, as far as its listeners know it.

use serde::{Deserialize, Serialize};

use crate::network::{
    NetworkSpec, Plan,
    plan::{Node, Param},
};

/// A network's name, what images become on their way through it, and what it learns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkInfo {
    /// What it is called: `article`, a file's name, or its layers in one line.
    pub name: String,
    /// The stages whose activations can be looked at, in the order of the data's way.
    pub stages: Vec<StageInfo>,
    /// The parameters, in the network's order.
    pub parameters: Vec<ParameterInfo>,
}

/// One stage of a network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageInfo {
    /// Name, short enough for a title.
    pub name: String,
    /// Channels, rows and columns of its activations; `[n, 1, 1]` for a vector.
    pub shape: [usize; 3],
}

/// One parameter of a network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParameterInfo {
    /// Name, as in weights files.
    pub name: String,
    /// Sizes of its dimensions.
    pub shape: Vec<usize>,
}

impl NetworkInfo {
    /// What a plan is.
    pub fn of(plan: &Plan) -> Self {
        let spec = plan.spec();
        let stage = |node: &Node| StageInfo {
            name: node.name.clone(),
            shape: plan.values()[node.output].shape,
        };
        let parameter =
            |param: &Param| ParameterInfo { name: param.name.clone(), shape: param.shape.clone() };
        let is_article = *spec == NetworkSpec::article();
        Self {
            name: if is_article { "article".to_owned() } else { spec.to_string() },
            stages: plan.stages().map(stage).collect(),
            parameters: plan.params().iter().map(parameter).collect(),
        }
    }

    /// The network of the article, which runs that name no network have trained.
    pub fn article() -> Self {
        let stage = |name: &str, shape| StageInfo { name: name.to_owned(), shape };
        let parameter = |name: &str, shape: &[usize]| ParameterInfo {
            name: name.to_owned(),
            shape: shape.to_vec(),
        };
        Self {
            name: "article".to_owned(),
            stages: vec![
                stage("layer1_relu", [6, 24, 24]),
                stage("layer1_pool", [6, 12, 12]),
                stage("layer2_relu", [16, 8, 8]),
                stage("layer2_pool", [16, 4, 4]),
            ],
            parameters: vec![
                parameter("layer1_conv.weight", &[6, 1, 5, 5]),
                parameter("layer1_conv.bias", &[6]),
                parameter("layer2_conv.weight", &[16, 6, 5, 5]),
                parameter("layer2_conv.bias", &[16]),
                parameter("fc.weight", &[10, 256]),
                parameter("fc.bias", &[10]),
            ],
        }
    }

    /// The name of the layer whose weights are the first: `conv1` of `conv1.weight`.
    pub fn first_layer(&self) -> &str {
        layer(self.parameters.first())
    }

    /// The name of the layer whose weights are the last: the one that gives the logits.
    pub fn last_layer(&self) -> &str {
        layer(self.parameters.last())
    }
}

fn layer(of: Option<&ParameterInfo>) -> &str {
    let name = of.map_or("", |parameter| parameter.name.as_str());
    name.rsplit_once('.').map_or(name, |(layer, _)| layer)
}

impl Default for NetworkInfo {
    fn default() -> Self {
        Self::article()
    }
}
