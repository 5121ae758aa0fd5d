//! Which pixels a class's logit depends on.

use serde::{Deserialize, Serialize};

use crate::protocol::ImageSet;

/// How a pixel's part in a logit is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// The gradient of the logit with respect to the pixel.
    Saliency,
    /// How far the logit falls when a patch around the pixel shows the background.
    Occlusion,
}

impl Method {
    /// Its name in the literature, as a title.
    pub fn name(self) -> &'static str {
        match self {
            Self::Saliency => "Saliency",
            Self::Occlusion => "Occlusion",
        }
    }
}

/// An image's pixels by their part in a logit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attribution {
    /// The image of a set that it was; `None` if drawn.
    pub image: Option<(ImageSet, u32)>,
    /// True class, if known.
    pub label: Option<u8>,
    /// Its grey values, `[channels, rows, columns]`.
    pub pixels: Vec<u8>,
    /// The class whose logit is explained.
    pub class: u8,
    /// Most probable class.
    pub prediction: u8,
    /// The logit of [`class`](Self::class).
    pub logit: f32,
    /// The probability of [`class`](Self::class), in 0..=1.
    pub probability: f32,
    /// Rows and columns of the patch that is covered; 0 for gradients.
    pub patch: u32,
    /// A value for each pixel, row after row: of the gradient for a pixel from 0 to 1, where images have
    /// several channels the one of the largest magnitude, or the fall of the logit.
    pub values: Vec<f32>,
}
