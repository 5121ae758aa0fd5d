//! What a network is made of, as a person writes it down.

use serde::{Deserialize, Serialize};

/// A network: its layers in the order that an image passes them.
///
/// Shapes follow from the images and the number of classes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NetworkSpec {
    /// The layers.
    #[serde(rename = "layer")]
    pub layers: Vec<Layer>,
}

/// One layer, with the semantics of `PyTorch`'s module of the same purpose.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Layer {
    /// A two-dimensional convolution.
    Conv {
        /// Output channels.
        channels: usize,
        /// Rows and columns of the kernel.
        kernel: usize,
        /// Pixels from one output to the next.
        #[serde(default = "one", skip_serializing_if = "is_one")]
        stride: usize,
        /// Zeros around the input, on each side.
        #[serde(default, skip_serializing_if = "is_zero")]
        padding: usize,
        /// Whether a bias is added.
        #[serde(default = "yes", skip_serializing_if = "Clone::clone")]
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
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stride: Option<usize>,
    },
    /// The mean of each window.
    AvgPool {
        /// Rows and columns of a window.
        size: usize,
        /// Pixels from one window to the next; `None` for `size`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
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
        #[serde(default, skip_serializing_if = "Option::is_none")]
        width: Option<usize>,
        /// Whether a bias is added.
        #[serde(default = "yes", skip_serializing_if = "Clone::clone")]
        bias: bool,
    },
    /// The sum of the input and of what these layers make of it, whose shape must be the input's.
    Residual {
        /// The layers.
        #[serde(rename = "layer")]
        layers: Vec<Layer>,
    },
}

fn one() -> usize {
    1
}

fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands the field over by reference")]
fn is_one(value: &usize) -> bool {
    *value == 1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands the field over by reference")]
fn is_zero(value: &usize) -> bool {
    *value == 0
}

impl NetworkSpec {
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
