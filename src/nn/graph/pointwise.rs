//! Layers that treat each value on its own, and those that only move values.

use pulp::{Simd, WithSimd};

use super::map::{Map, forth};
use super::step::{Gradients, Images, Shared, Step};
use crate::nn::dropout;
use crate::nn::engine::Mode;
use crate::nn::gelu::{gelu, gelu_slope};
use crate::nn::simd;

/// A layer from one value to another of the same shape.
#[derive(Debug)]
pub(super) struct Pointwise {
    pub(super) input: Map,
    pub(super) output: Map,
    /// As [`super::convolution::Convolution::input_grad`].
    pub(super) input_grad: Option<bool>,
    pub(super) function: Function,
}

#[derive(Debug)]
pub(super) enum Function {
    Relu,
    Gelu,
    /// Which dropout it is, its probability, and where its factors lie among an image's values, between
    /// input and output and in the order of the output without its frame.
    Dropout {
        index: usize,
        p: f64,
        factors: usize,
    },
}

impl Pointwise {
    /// Draws the factors of an image.
    fn draw(&self, values: &mut [f32], mode: Mode, position: usize) {
        let (Function::Dropout { index, p, factors }, Mode::Train(key)) = (&self.function, mode)
        else {
            return;
        };
        let Map { channels, height, width, .. } = self.output;
        let pixels = height * width;
        let factors = &mut values[*factors..][..channels * pixels];
        let mut draws = dropout::Factors::new(key, position, *index, *p);
        if pixels == 1 {
            return draws.fill(factors);
        }
        let mut row = [0.0; 64];
        for channel in 0..channels {
            for start in (0..pixels).step_by(64) {
                let row = &mut row[..(pixels - start).min(64)];
                draws.fill(row);
                let targets = factors[start * channels + channel..].iter_mut().step_by(channels);
                for (factor, &drawn) in targets.zip(&*row) {
                    *factor = drawn;
                }
            }
        }
    }
}

impl Step for Pointwise {
    fn forward(&self, shared: &Shared, images: &mut Images) {
        let first = images.first;
        for (place, values) in images.each_values().enumerate() {
            self.draw(values, shared.mode, first + place);
            let (input, output) = forth(values, &self.input, &self.output);
            let mut at = 0;
            for (from, to) in self.input.rows_with(&self.output) {
                let (from, to) = (&input[from], &mut output[to]);
                match self.function {
                    Function::Relu => simd::run(Relu { from, to }),
                    Function::Gelu => {
                        for (to, &from) in to.iter_mut().zip(from) {
                            *to = gelu(from);
                        }
                    }
                    Function::Dropout { factors, .. } => match shared.mode {
                        Mode::Train(_) => {
                            let factors = &input[factors - self.input.start + at..];
                            for ((to, from), factor) in to.iter_mut().zip(from).zip(factors) {
                                *to = from * factor;
                            }
                        }
                        Mode::Evaluate => to.copy_from_slice(from),
                    },
                }
                at += to.len();
            }
        }
    }

    fn backward(&self, shared: &Shared, images: &mut Images, _: &mut Gradients) {
        let Some(accumulate) = self.input_grad else { return };
        for (values, grads) in images.each() {
            let (grads, input_grads) = super::map::back(grads, &self.output, &self.input);
            let input = &values[self.input.start..];
            let mut at = 0;
            for (from, to) in self.input.rows_with(&self.output) {
                let (input, grads) = (&input[from.clone()], &grads[to]);
                let input_grads = &mut input_grads[from];
                let len = input_grads.len();
                if let Function::Relu = self.function {
                    simd::run(ReluBack { values: input, grads, input_grads, accumulate });
                    continue;
                }
                let slope = |place: usize| match (&self.function, shared.mode) {
                    (Function::Dropout { factors, .. }, Mode::Train(_)) => {
                        values[factors + at + place]
                    }
                    (Function::Gelu, _) => gelu_slope(input[place]),
                    _ => 1.0,
                };
                for (place, (input_grad, grad)) in input_grads.iter_mut().zip(grads).enumerate() {
                    let grad = grad * slope(place);
                    *input_grad = if accumulate { *input_grad + grad } else { grad };
                }
                at += len;
            }
        }
    }
}

struct Relu<'a> {
    from: &'a [f32],
    to: &'a mut [f32],
}

impl WithSimd for Relu<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for (to, &from) in self.to.iter_mut().zip(self.from) {
            // What is not a number stays so.
            *to = if from < 0.0 { 0.0 } else { from };
        }
    }
}

struct ReluBack<'a> {
    values: &'a [f32],
    grads: &'a [f32],
    input_grads: &'a mut [f32],
    accumulate: bool,
}

impl WithSimd for ReluBack<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let triples = self.input_grads.iter_mut().zip(self.grads).zip(self.values);
        if self.accumulate {
            for ((input_grad, &grad), &value) in triples {
                *input_grad += if value > 0.0 { grad } else { 0.0 };
            }
        } else {
            for ((input_grad, &grad), &value) in triples {
                *input_grad = if value > 0.0 { grad } else { 0.0 };
            }
        }
    }
}

/// The sum of two values of the same shape.
#[derive(Debug)]
pub(super) struct Add {
    pub(super) inputs: [Map; 2],
    pub(super) output: Map,
    /// For each input as [`super::convolution::Convolution::input_grad`].
    pub(super) input_grads: [Option<bool>; 2],
}

impl Step for Add {
    fn forward(&self, _: &Shared, images: &mut Images) {
        for values in images.each_values() {
            for (place, input) in self.inputs.iter().enumerate() {
                let (input_values, output) = forth(values, input, &self.output);
                for (from, to) in input.rows_with(&self.output) {
                    simd::run(Join {
                        from: &input_values[from],
                        to: &mut output[to],
                        add: place > 0,
                    });
                }
            }
        }
    }

    fn backward(&self, _: &Shared, images: &mut Images, _: &mut Gradients) {
        for (_, grads) in images.each() {
            for (input, accumulate) in self.inputs.iter().zip(self.input_grads) {
                let Some(add) = accumulate else { continue };
                let (grads, input_grads) = super::map::back(grads, &self.output, input);
                for (from, to) in self.output.rows_with(input) {
                    simd::run(Join { from: &grads[from], to: &mut input_grads[to], add });
                }
            }
        }
    }
}

/// `to = from`, or `to += from`.
pub(super) struct Join<'a> {
    pub(super) from: &'a [f32],
    pub(super) to: &'a mut [f32],
    pub(super) add: bool,
}

impl WithSimd for Join<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        if self.add {
            simd::add_scaled(simd, self.to, 1.0, self.from);
        } else {
            self.to.copy_from_slice(self.from);
        }
    }
}

/// Maps to a row, channel after channel.
#[derive(Debug)]
pub(super) struct Flatten {
    pub(super) input: Map,
    pub(super) output: Map,
    pub(super) input_grad: Option<bool>,
}

impl Step for Flatten {
    fn forward(&self, _: &Shared, images: &mut Images) {
        let pixels = self.input.height * self.input.width;
        for values in images.each_values() {
            let (input, output) = forth(values, &self.input, &self.output);
            if self.input.channels == 1 {
                let mut start = 0;
                for row in self.input.rows() {
                    output[start..][..row.len()].copy_from_slice(&input[row.clone()]);
                    start += row.len();
                }
                continue;
            }
            let mut pixel = 0;
            for row in self.input.rows() {
                for channels in input[row].chunks_exact(self.input.channels) {
                    for (channel, &value) in channels.iter().enumerate() {
                        output[channel * pixels + pixel] = value;
                    }
                    pixel += 1;
                }
            }
        }
    }

    fn backward(&self, _: &Shared, images: &mut Images, _: &mut Gradients) {
        let Some(accumulate) = self.input_grad else { return };
        let pixels = self.input.height * self.input.width;
        for (_, grads) in images.each() {
            let (grads, input_grads) = super::map::back(grads, &self.output, &self.input);
            let mut pixel = 0;
            for row in self.input.rows() {
                for channels in input_grads[row].chunks_exact_mut(self.input.channels) {
                    for (channel, value) in channels.iter_mut().enumerate() {
                        let grad = grads[channel * pixels + pixel];
                        *value = if accumulate { *value + grad } else { grad };
                    }
                    pixel += 1;
                }
            }
        }
    }
}
