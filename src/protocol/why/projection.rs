//! Evaluation images by their features.

use serde::{Deserialize, Serialize};

use crate::protocol::ImageSet;

/// The features before the last layer, of many images, along their first two principal components.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Projection {
    /// The set that the images are of.
    pub set: ImageSet,
    /// How many features an image has.
    pub features: u64,
    /// Shares of the features' variance along the two components, in 0..=1.
    pub shares: [f64; 2],
    /// The images, in the order of their set.
    pub points: Vec<ProjectionPoint>,
}

impl Projection {
    /// Most images that are projected, evenly spread over their set.
    pub const MOST: usize = 2_000;
}

/// One image's place.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProjectionPoint {
    /// The image's place in its set.
    pub index: u32,
    /// True class.
    pub label: u8,
    /// Most probable class.
    pub prediction: u8,
    /// Where it lies along the two components.
    pub at: [f32; 2],
}
