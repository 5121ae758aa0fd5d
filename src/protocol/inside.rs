//! What a batch did, and what the network makes of an image.

use serde::{Deserialize, Serialize};

use super::{Digit, EvalSet, ImageHistory, List};

/// An image of a known set with its loss.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RankedDigit {
    /// Its place in the set it comes from.
    pub index: u32,
    /// The image and the network's answer.
    pub digit: Digit,
    /// Its cross-entropy.
    pub loss: f32,
}

/// What one step did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Inspection {
    /// Which step.
    pub step: u64,
    /// Its epoch, from 1.
    pub epoch: u32,
    /// Its number in the epoch, from 1.
    pub batch: u64,
    /// Images of the batch.
    pub images: u64,
    /// Learning rate of the step.
    pub learning_rate: f64,
    /// Mean loss of the batch before the update.
    pub loss_before: f32,
    /// Mean loss of the same batch after it.
    pub loss_after: f32,
    /// The batch's images with the answers before the update, by falling loss (those that are not
    /// finite first), at most [`Inspection::MOST`]. Indices are of the training set.
    pub digits: Vec<RankedDigit>,
    /// What it did to each parameter, in the network's order.
    pub parameters: Vec<ParameterUpdate>,
}

impl Inspection {
    /// Most images that are handed over.
    pub const MOST: usize = 4_096;
}

/// What a step did to one parameter. Norms are Euclidean.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ParameterUpdate {
    /// Name, as in [`NetworkInfo::parameters`](super::NetworkInfo::parameters).
    pub name: String,
    /// Sizes of its dimensions.
    pub shape: Vec<u32>,
    /// Norm of the gradient of the batch's mean loss.
    pub gradient_norm: f32,
    /// Norm of the values before the update.
    pub weight_norm: f32,
    /// Norm of the update over [`weight_norm`](Self::weight_norm).
    pub update_ratio: f32,
}

/// One of the sets that images come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImageSet {
    /// Images that are trained on.
    Train,
    /// Training images that are held out.
    Validation,
    /// The test images.
    #[default]
    Test,
}

impl ImageSet {
    /// `training`, `validation` or `test`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "training",
            Self::Validation => "validation",
            Self::Test => "test",
        }
    }
}

impl From<EvalSet> for ImageSet {
    fn from(set: EvalSet) -> Self {
        match set {
            EvalSet::Validation => Self::Validation,
            EvalSet::Test => Self::Test,
        }
    }
}

/// An image to send through the network again and again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// An image of a set; past the end stands for the last one.
    Image {
        /// Which set.
        set: ImageSet,
        /// Its place there, from 0.
        index: u32,
    },
    /// The image with the highest loss in the last evaluation.
    Hardest,
    /// A drawing of the images' size: grey values, row after row, 255 the ink.
    Drawn(Vec<u8>),
}

/// An image's way through the network, as its weights are now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Insides {
    /// What was asked for.
    pub subject: Subject,
    /// The image of a set that it was; `None` if drawn.
    pub image: Option<(ImageSet, u32)>,
    /// Steps trained.
    pub step: u64,
    /// True class, if known.
    pub label: Option<u8>,
    /// Its grey values, row after row.
    pub pixels: Vec<u8>,
    /// The kernels of each convolution, in the network's order.
    #[serde(default)]
    pub filters: Vec<Filters>,
    /// The activations of each stage, as in [`NetworkInfo::stages`](super::NetworkInfo::stages).
    pub stages: Vec<FeatureMaps>,
    /// One for each class.
    pub logits: Vec<f32>,
    /// Their softmax.
    pub probabilities: Vec<f32>,
}

/// Kernels of a convolution, `[channels, inputs, side, side]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Filters {
    /// The layer's name.
    pub layer: String,
    /// Place in [`Insides::stages`] of the first stage that they lead to.
    pub stage: usize,
    /// Channels that they give.
    pub channels: usize,
    /// Channels that each of them is computed from.
    pub inputs: usize,
    /// Rows and columns of each kernel.
    pub side: usize,
    /// Weights, kernel after kernel, row after row; of the first kernels only where all have more than
    /// [`Filters::MOST`].
    pub values: Vec<f32>,
}

impl Filters {
    /// Most weights of a layer that are handed over.
    pub const MOST: usize = 1 << 13;

    /// Kernels: one for each pair of channels.
    pub fn kernels(&self) -> usize {
        self.channels.saturating_mul(self.inputs)
    }
}

/// Activations of one stage, `[channels, height, width]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FeatureMaps {
    /// Maps.
    pub channels: usize,
    /// Rows of each.
    pub height: usize,
    /// Columns of each.
    pub width: usize,
    /// Values, map after map, row after row; of the first maps only where all have more than
    /// [`FeatureMaps::MOST`].
    pub values: Vec<f32>,
}

impl FeatureMaps {
    /// Most values of a stage that are handed over.
    pub const MOST: usize = 1 << 16;

    /// The values of one map, row after row; empty if it was not handed over.
    pub fn map(&self, channel: usize) -> &[f32] {
        let len = self.height * self.width;
        self.values.get(channel * len..(channel + 1) * len).unwrap_or_default()
    }
}

/// A question for images, those that matter most first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Query {
    /// The evaluation after this step.
    pub step: u64,
    /// What it was made on: where a run with validation images ends there are two after one step.
    pub set: EvalSet,
    /// True and predicted class; all images otherwise.
    pub cell: Option<(u8, u8)>,
    /// Which images, and in which order.
    #[serde(default)]
    pub list: List,
}

/// The answer to a [`Query`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Found {
    /// The question.
    pub query: Query,
    /// Which images were evaluated.
    pub set: ImageSet,
    /// How many images it is true of; `None` where that evaluation's images are no longer known.
    pub total: Option<u64>,
    /// The first of them, at most [`Found::MOST`]. Those of [`List::Suspected`] have the class that
    /// was predicted in most epochs, and its probability and the loss of the label as they are now.
    pub digits: Vec<RankedDigit>,
    /// The steps after which the histories have a point, by rising step.
    #[serde(default)]
    pub steps: Vec<u64>,
    /// The history of each of the digits; empty where none are kept.
    #[serde(default)]
    pub histories: Vec<ImageHistory>,
}

impl Found {
    /// Most images that are handed over.
    pub const MOST: usize = 400;

    /// The answer to a question about images that are not known.
    pub fn unknown(query: Query) -> Self {
        let (digits, steps, histories) = (Vec::new(), Vec::new(), Vec::new());
        Self { query, set: query.set.into(), total: None, digits, steps, histories }
    }
}
