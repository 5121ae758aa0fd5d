//! Extents of the article's network, and where its parameters lie in one flat array.

use std::ops::Range;

/// Scalars of one image, `[28, 28]`.
pub(super) const PIXELS: usize = 28 * 28;
/// Side of every convolution kernel.
pub(super) const KERNEL: usize = 5;
/// Maps that the first block gives.
pub(super) const MAPS: usize = 6;
/// Side of such a map.
pub(super) const MAP_SIDE: usize = 12;
/// Scalars of such a map.
pub(super) const MAP_LEN: usize = MAP_SIDE * MAP_SIDE;
/// Maps that the second block gives.
pub(super) const OUTPUTS: usize = 16;
/// Side of such a map.
pub(super) const OUTPUT_SIDE: usize = 4;
/// Scalars of such a map.
pub(super) const OUTPUT_LEN: usize = OUTPUT_SIDE * OUTPUT_SIDE;
/// What the linear layer sees of an image.
pub(super) const FEATURES: usize = OUTPUTS * OUTPUT_LEN;
/// Digits that an image can show.
pub(super) const CLASSES: usize = 10;
/// Scalars of a kernel of the first block.
pub(super) const TAPS1: usize = KERNEL * KERNEL;
/// Scalars of a kernel of the second block.
pub(super) const TAPS2: usize = MAPS * TAPS1;

/// The six parameters, cut out of the flat array.
#[derive(Clone, Copy)]
pub(super) struct Weights<'a> {
    /// `[MAPS][TAPS1]`.
    pub(super) kernels1: &'a [[f32; TAPS1]],
    pub(super) biases1: &'a [f32],
    /// `[OUTPUTS][TAPS2]`.
    pub(super) kernels2: &'a [[f32; TAPS2]],
    pub(super) biases2: &'a [f32],
    /// `[CLASSES][FEATURES]`.
    pub(super) linear: &'a [[f32; FEATURES]],
    pub(super) biases3: &'a [f32],
}

/// Where each parameter lies, in the plan's order.
pub(super) const PLACES: [Range<usize>; 6] = {
    let kernels1 = MAPS * TAPS1;
    let biases1 = kernels1 + MAPS;
    let kernels2 = biases1 + OUTPUTS * TAPS2;
    let biases2 = kernels2 + OUTPUTS;
    let linear = biases2 + CLASSES * FEATURES;
    [
        0..kernels1,
        kernels1..biases1,
        biases1..kernels2,
        kernels2..biases2,
        biases2..linear,
        linear..linear + CLASSES,
    ]
};

/// Scalars of all parameters.
pub(super) const PARAMETERS: usize = PLACES[5].end;

impl<'a> Weights<'a> {
    /// The parts of `flat`, which has [`PARAMETERS`] values.
    pub(super) fn of(flat: &'a [f32]) -> Self {
        let [kernels1, biases1, kernels2, biases2, linear, biases3] =
            PLACES.map(|place| &flat[place]);
        Self {
            kernels1: kernels1.as_chunks().0,
            biases1,
            kernels2: kernels2.as_chunks().0,
            biases2,
            linear: linear.as_chunks().0,
            biases3,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Plan;

    #[test]
    fn parameters_lie_one_after_the_other_in_their_order() {
        let plan = Plan::article();
        for (param, place) in plan.params().iter().zip(PLACES) {
            assert_eq!(param.range, place, "{}", param.name);
        }
        assert_eq!(plan.trained_len(), PARAMETERS);
    }
}
