//! How one value of a feature map comes about.

use serde::{Deserialize, Serialize};

use crate::protocol::number;

/// A convolution at one position: a patch times a kernel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Arithmetic {
    /// The convolution's name.
    pub layer: String,
    /// Map, row and column of the value.
    pub place: [u32; 3],
    /// Maps, rows and columns that the convolution gives.
    pub shape: [u32; 3],
    /// Channels that it reads.
    pub inputs: u32,
    /// Rows and columns of the kernel.
    pub side: u32,
    /// Row and column of the patch's upper left corner in each input; negative in the padding.
    pub corner: [i64; 2],
    /// The inputs below the kernel, `[inputs, side, side]`; 0 in the padding.
    #[serde(deserialize_with = "number::each_or_nan")]
    pub patch: Vec<f32>,
    /// The kernel's weights, `[inputs, side, side]`.
    #[serde(deserialize_with = "number::each_or_nan")]
    pub kernel: Vec<f32>,
    /// The map's bias; `None` where the convolution has none, or where it is not finite and was read from JSON.
    pub bias: Option<f32>,
    /// The value that the network computes there.
    #[serde(deserialize_with = "number::or_nan")]
    pub output: f32,
    /// The operations that follow on the same map, such as a `ReLU`, and the value after each.
    #[serde(deserialize_with = "number::named_or_nan")]
    pub after: Vec<(String, f32)>,
    /// The values of the whole map after those, row after row.
    #[serde(deserialize_with = "number::each_or_nan")]
    pub map: Vec<f32>,
}

impl Arithmetic {
    /// The sum of the products with the weights of one input.
    pub fn sum_of(&self, input: usize) -> f64 {
        let len = (self.side * self.side) as usize;
        let products = self.patch.iter().zip(&self.kernel).skip(input * len).take(len);
        products.map(|(&value, &weight)| f64::from(value) * f64::from(weight)).sum()
    }

    /// The sum of all products.
    pub fn sum(&self) -> f64 {
        (0..self.inputs as usize).map(|input| self.sum_of(input)).sum()
    }
}
