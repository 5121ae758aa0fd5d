//! What a network is made of, as a person writes it down.

use serde::{Deserialize, Serialize};

use super::SpecError;

/// A network: its layers in the order that an image passes them.
///
/// Shapes follow from the images and the number of classes. Its stored form is its one-line form.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct NetworkSpec {
    /// The layers.
    pub layers: Vec<Layer>,
}

/// One layer, with the semantics of `PyTorch`'s module of the same purpose.
#[derive(Clone, Debug, PartialEq)]
pub enum Layer {
    /// A two-dimensional convolution.
    Conv {
        /// Output channels.
        channels: usize,
        /// Rows and columns of the kernel.
        kernel: usize,
        /// Pixels from one output to the next.
        stride: usize,
        /// Zeros around the input, on each side.
        padding: usize,
        /// Whether a bias is added.
        bias: bool,
    },
    /// Batch normalisation over images (and pixels) with a learned scale and shift for each channel,
    /// epsilon 1e-5 and momentum 0.1.
    BatchNorm,
    /// max(0, x), whose derivative at 0 is 0.
    Relu,
    /// x·Φ(x) with the exact normal distribution function.
    Gelu,
    /// The largest value of each window; of equal ones the first takes the gradient.
    MaxPool {
        /// Rows and columns of a window.
        size: usize,
        /// Pixels from one window to the next; `None` for `size`.
        stride: Option<usize>,
    },
    /// The mean of each window.
    AvgPool {
        /// Rows and columns of a window.
        size: usize,
        /// Pixels from one window to the next; `None` for `size`.
        stride: Option<usize>,
    },
    /// The mean of each channel; leaves `[channels]`.
    GlobalAvgPool,
    /// Zeroes each value with probability `p` and scales the others by 1/(1 − p), in training only.
    Dropout {
        /// Probability in 0..1.
        p: f64,
    },
    /// One row of all values, channel after channel.
    Flatten,
    /// A fully connected layer.
    Linear {
        /// Outputs; `None` in the last layer for the number of classes.
        width: Option<usize>,
        /// Whether a bias is added.
        bias: bool,
    },
    /// The sum of the input and of what these layers make of it, whose shape must be the input's.
    Residual {
        /// The layers.
        layers: Vec<Layer>,
    },
}

impl From<NetworkSpec> for String {
    fn from(spec: NetworkSpec) -> Self {
        spec.to_string()
    }
}

impl TryFrom<String> for NetworkSpec {
    type Error = SpecError;

    fn try_from(text: String) -> Result<Self, SpecError> {
        text.parse()
    }
}

/// Replaces the probability of all dropout layers; true if there is any.
fn set_dropout(layers: &mut [Layer], probability: f64) -> bool {
    let mut found = false;
    for layer in layers {
        found |= match layer {
            Layer::Dropout { p } => {
                *p = probability;
                true
            }
            Layer::Residual { layers } => set_dropout(layers, probability),
            _ => false,
        };
    }
    found
}

impl NetworkSpec {
    /// The same with probability `p` in 0..1 for all dropout layers; `None` if it has none.
    #[must_use]
    pub fn with_dropout(mut self, p: f64) -> Option<Self> {
        set_dropout(&mut self.layers, p).then_some(self)
    }

    /// The article's: conv 6 (5×5), `ReLU`, pool 2, conv 16 (5×5), `ReLU`, pool 2, flatten, linear.
    pub fn article() -> Self {
        let conv =
            |channels| Layer::Conv { channels, kernel: 5, stride: 1, padding: 0, bias: true };
        let pool = || Layer::MaxPool { size: 2, stride: None };
        let linear = Layer::Linear { width: None, bias: true };
        let block = |channels| [conv(channels), Layer::Relu, pool()];
        let layers = [block(6), block(16)].into_iter().flatten();
        Self { layers: layers.chain([Layer::Flatten, linear]).collect() }
    }
}
