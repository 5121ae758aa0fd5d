//! How values are distributed in each layer.

use serde::{Deserialize, Serialize};

use crate::{metrics::Histogram, protocol::ImageSet};

/// The values of each layer after one step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Distributions {
    /// Layers with parameters, in the network's order, at most [`Distributions::MOST`].
    pub layers: Vec<LayerValues>,
    /// Stages, in the network's order, at most as many.
    pub stages: Vec<StageValues>,
    /// The set whose images give the activations.
    pub set: ImageSet,
    /// Images, evenly spread over their set, whose activations are counted.
    pub images: u64,
    /// Images of the set, all of which leave a dead unit at 0.
    pub all_images: u64,
}

impl Distributions {
    /// Most layers and most stages.
    pub const MOST: usize = 64;
    /// Most images whose activations are counted.
    pub const IMAGES: usize = 256;
}

/// What belongs to a layer's parameters, weights and biases together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LayerValues {
    /// The layer's name.
    pub name: String,
    /// Its parameters.
    pub weights: Option<Histogram>,
    /// The gradients of the last step; `None` where it is not known or none of them is finite.
    pub gradients: Option<Histogram>,
    /// The changes that the last step made.
    pub updates: Option<Histogram>,
}

/// What a stage gives.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StageValues {
    /// The stage's name.
    pub name: String,
    /// Its activations.
    pub activations: Option<Histogram>,
    /// Units of a stage behind a `ReLU`: maps, or values of a row; 0 of others.
    pub units: u64,
    /// The units that are 0 on every image of the set; `None` until all images were looked at.
    pub dead: Option<Vec<u32>>,
}
